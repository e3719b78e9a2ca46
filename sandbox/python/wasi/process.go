package wasi

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// Clocks of clock_time_get; poll_oneoff names them too.
const (
	ClockRealtime  = 0
	ClockMonotonic = 1
)

// Monotonic is the guest's monotonic clock, in nanoseconds. It counts from a fixed
// date and not from the start of the process: values that are kept in an image taken
// by one process stay in the past of every later one.
func (f *FS) Monotonic() int64 {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return max(0, int64(f.began.Sub(epoch)+time.Since(f.began)))
}

func (f *FS) clockTimeGet(m Memory, a []uint64) errno {
	var t int64
	switch a[0] {
	case ClockRealtime:
		t = time.Now().UnixNano()
	case ClockMonotonic:
		t = f.Monotonic()
	case 2, 3: // processor time of process and thread: all that this guest ever had
		t = int64(time.Since(f.began))
	default:
		return errnoInval
	}
	return put64(m, a[2], uint64(t))
}

func (f *FS) clockResGet(m Memory, a []uint64) errno {
	if a[0] > 3 {
		return errnoInval
	}
	return put64(m, a[1], 1)
}

func (f *FS) randomGet(m Memory, a []uint64) errno {
	b := m.Bytes(uint32(a[0]), uint32(a[1]))
	if b == nil && a[1] > 0 {
		return errnoFault
	}
	rand.Read(b)
	return errnoSuccess
}

func (f *FS) schedYield(Memory, []uint64) errno { return errnoSuccess }

func (f *FS) argsSizesGet(m Memory, a []uint64) errno    { return stringSizes(m, a, f.args) }
func (f *FS) argsGet(m Memory, a []uint64) errno         { return putStrings(m, a, f.args) }
func (f *FS) environSizesGet(m Memory, a []uint64) errno { return stringSizes(m, a, f.env) }
func (f *FS) environGet(m Memory, a []uint64) errno      { return putStrings(m, a, f.env) }

// stringSizes answers how many strings there are and how many bytes they take, each
// with a zero at its end.
func stringSizes(m Memory, a []uint64, list []string) errno {
	n := 0
	for _, s := range list {
		n += len(s) + 1
	}
	if e := put32(m, a[0], uint32(len(list))); e != errnoSuccess {
		return e
	}
	return put32(m, a[1], uint32(n))
}

// putStrings writes a table of pointers to a[0] and the strings to a[1].
func putStrings(m Memory, a []uint64, list []string) errno {
	at := uint32(a[1])
	for i, s := range list {
		b := m.Bytes(at, uint32(len(s)+1))
		if b == nil {
			return errnoFault
		}
		b[copy(b, s)] = 0
		if e := put32(m, a[0]+uint64(4*i), at); e != errnoSuccess {
			return e
		}
		at += uint32(len(s) + 1)
	}
	return errnoSuccess
}

func put32(m Memory, p uint64, v uint32) errno {
	b := m.Bytes(uint32(p), 4)
	if b == nil {
		return errnoFault
	}
	binary.LittleEndian.PutUint32(b, v)
	return errnoSuccess
}

func put64(m Memory, p uint64, v uint64) errno {
	b := m.Bytes(uint32(p), 8)
	if b == nil {
		return errnoFault
	}
	binary.LittleEndian.PutUint64(b, v)
	return errnoSuccess
}
