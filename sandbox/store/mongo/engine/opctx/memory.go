package opctx

import (
	"sync/atomic"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// DefaultMemory is how much one sort, group or the like may hold, in bytes.
const DefaultMemory = 100 << 20

// Pool bounds what all the operations and open cursors of an engine hold together: the
// rows of sorts and groups, joined collections, batches. What documents and indexes take
// is the storage's to count.
type Pool struct {
	limit int64
	used  atomic.Int64
}

// NewPool makes a pool of so many bytes.
func NewPool(limit int64) *Pool { return &Pool{limit: limit} }

// Used is how much is held now, in bytes.
func (p *Pool) Used() int64 { return p.used.Load() }

// Take takes n bytes for what is no operation's, to be given back by Give.
func (p *Pool) Take(n int64) error { return p.take(n) }

// Give gives n bytes back.
func (p *Pool) Give(n int64) { p.used.Add(-n) }

func (p *Pool) take(n int64) error {
	if p.used.Add(n) <= p.limit {
		return nil
	}
	p.used.Add(-n)
	return mongoerr.New(mongoerr.ExceededMemoryLimit,
		"running operations and open cursors may hold %d MB together, and this one needs more; narrow it by a filter or a limit, or close cursors", p.limit>>20)
}

// grain is what an operation takes from its pool at once, in bytes.
const grain = 64 << 10

// Reserve counts n more bytes as held until Release.
func (o *Op) Reserve(n int64) error {
	o.held += n
	if o.Pool == nil || o.held <= o.taken {
		return nil
	}
	more := (o.held - o.taken + grain - 1) / grain * grain
	if err := o.Pool.take(more); err != nil {
		return err
	}
	o.taken += more
	return nil
}

// Held is what the operation holds now; HeldAgain goes back to that after something that
// was done meanwhile has given up all it held.
func (o *Op) Held() int64         { return o.held }
func (o *Op) HeldAgain(was int64) { o.held = was }

// Release gives back all that the operation holds. It is called when the operation has
// ended, or its cursor was closed.
func (o *Op) Release() {
	if o.Pool != nil {
		o.Pool.used.Add(-o.taken)
	}
	o.held, o.taken = 0, 0
}

// Memory is how much one blocking stage may hold, in bytes.
func (o *Op) Memory() int64 {
	if o.MaxMemory > 0 {
		return o.MaxMemory
	}
	return DefaultMemory
}

// Holding counts what one stage holds.
type Holding struct {
	op    *Op
	n     int64
	limit int64 // 0: none
	full  func(limit int64) error
}

// Hold is for a stage that the server keeps in memory. full makes the error when that is
// more than Memory.
func (o *Op) Hold(full func(limit int64) error) *Holding {
	return &Holding{op: o, limit: o.Memory(), full: full}
}

// HoldOrSpill is for a stage that the server moves to disk when it holds more than
// Memory, where allowDiskUse lets it. Here it stays in memory, within the pool.
func (o *Op) HoldOrSpill(full func(limit int64) error) *Holding {
	h := o.Hold(full)
	if o.DiskUse {
		h.limit = 0
	}
	return h
}

// Add counts n more bytes, or fewer.
func (h *Holding) Add(n int64) error {
	h.n += n
	if h.limit > 0 && h.n > h.limit {
		return h.full(h.limit)
	}
	return h.op.Reserve(n)
}

// Bytes is what the stage holds now.
func (h *Holding) Bytes() int64 { return h.n }
