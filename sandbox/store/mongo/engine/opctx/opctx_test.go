package opctx

import (
	"context"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func BenchmarkCheck(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	op := New(ctx, time.Now())
	for b.Loop() {
		if op.Check() != nil {
			b.Fatal()
		}
	}
}

// All operations of a pool share its bytes, and give them back at their end.
func TestPoolIsShared(t *testing.T) {
	pool := NewPool(10 * grain)
	ops := []*Op{New(t.Context(), time.Now()), New(t.Context(), time.Now())}
	for _, o := range ops {
		o.Pool = pool
	}
	if err := ops[0].Reserve(8 * grain); err != nil {
		t.Fatal(err)
	}
	if err := ops[1].Reserve(3 * grain); !mongoerr.Is(err, mongoerr.ExceededMemoryLimit) {
		t.Fatal(err)
	}
	ops[1].Release()
	ops[0].HeldAgain(0)
	if err := ops[0].Reserve(5 * grain); err != nil || pool.Used() != 8*grain {
		t.Fatal(err, pool.Used())
	}
	ops[0].Release()
	if err := ops[1].Reserve(9 * grain); err != nil {
		t.Fatal(err)
	}
	ops[1].Release()
	if pool.Used() != 0 {
		t.Errorf("%d bytes are held by nobody", pool.Used())
	}
}

// allowDiskUse lifts the limit of stages that the server can move to disk, not of others.
func TestDiskUseLiftsALimit(t *testing.T) {
	full := func(limit int64) error { return mongoerr.New(mongoerr.ExceededMemoryLimit, "over %d", limit) }
	for _, disk := range []bool{false, true} {
		o := New(t.Context(), time.Now())
		o.MaxMemory, o.DiskUse = 1000, disk
		if err := o.Hold(full).Add(1001); err == nil {
			t.Error("a stage that stays in memory has no limit")
		}
		if err := o.HoldOrSpill(full).Add(1001); (err == nil) != disk {
			t.Errorf("allowDiskUse %t: %v", disk, err)
		}
	}
}
