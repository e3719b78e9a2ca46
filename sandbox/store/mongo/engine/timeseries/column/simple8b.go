package column

import (
	"encoding/binary"
	"math/bits"
)

// wide is a number of 128 bits. Streams of 64 bits use lo alone.
type wide struct{ hi, lo uint64 }

func (a wide) add(b wide) wide {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, carry)
	return wide{hi, lo}
}

// shifted is v moved up by n bits, up to 127.
func shifted(v uint64, n int) wide {
	if n >= 64 {
		return wide{hi: v << (n - 64)}
	}
	return wide{hi: v >> (64 - n), lo: v << n} // a shift by 64 leaves nothing
}

// signed takes the sign out of the lowest bit, where the format has it.
func (a wide) signed(whole bool) wide {
	sign := -(a.lo & 1)
	if !whole {
		return wide{lo: a.lo>>1 ^ sign}
	}
	return wide{hi: a.hi>>1 ^ sign, lo: (a.lo>>1 | a.hi<<63) ^ sign}
}

// layout is how a block's bits are shared out: so many for each number, of which the
// lowest count says by how many steps the number is moved up.
type layout struct{ bits, count, step uint8 }

// The layouts by selector, and of selectors 7 and 8 by the four bits after it.
var (
	plain   = [16]layout{1: {bits: 1}, 2: {bits: 2}, 3: {bits: 3}, 4: {bits: 4}, 5: {bits: 5}, 6: {bits: 6}, 9: {bits: 10}, 10: {bits: 12}, 11: {bits: 15}, 12: {bits: 20}, 13: {bits: 30}, 14: {bits: 60}}                                //nolint:gochecknoglobals // constant
	seventh = [16]layout{0: {bits: 7}, 1: {6, 4, 1}, 2: {7, 4, 1}, 3: {8, 4, 1}, 4: {9, 4, 1}, 5: {11, 4, 1}, 6: {14, 4, 1}, 7: {18, 4, 1}, 8: {28, 4, 1}, 9: {56, 4, 1}}                                                                  //nolint:gochecknoglobals // constant
	eighth  = [16]layout{0: {bits: 8}, 1: {8, 4, 4}, 2: {9, 4, 4}, 3: {11, 4, 4}, 4: {14, 4, 4}, 5: {18, 4, 4}, 6: {28, 4, 4}, 7: {56, 4, 4}, 8: {9, 5, 4}, 9: {11, 5, 4}, 10: {14, 5, 4}, 11: {18, 5, 4}, 12: {28, 5, 4}, 13: {56, 5, 4}} //nolint:gochecknoglobals // constant
)

const (
	blockSize   = 8   // bytes
	repeats     = 15  // the selector of a block that repeats the last number
	repeatUnits = 120 // numbers that each step of its count stands for
)

// blocks reads the numbers of Simple-8b blocks one after the other.
type blocks struct {
	rest    []byte // the blocks after the current one
	current uint64
	shift   uint8
	layout  layout
	repeat  int  // times that the last number comes again
	begun   bool // there have been blocks
	missing bool // the last number is that of a value that isn't there
	last    wide
}

// set begins with other blocks. The last number stays: they may repeat it.
func (b *blocks) set(data []byte, whole bool) error {
	b.rest, b.begun = data, true
	return b.load(whole)
}

// next goes to the next number. ok is false when there are no more.
func (b *blocks) next(whole bool) (ok bool, err error) {
	switch {
	case b.repeat > 0:
		b.repeat--
		return true, nil
	case b.layout.bits > 0 && b.shift+2*b.layout.bits <= 64:
		b.shift += b.layout.bits
		b.read(whole)
		return true, nil
	case len(b.rest) == 0:
		b.layout = layout{}
		return false, nil
	}
	if err := b.load(whole); err != nil {
		return false, err
	}
	return true, nil
}

// load begins the next block, of which there must be one.
func (b *blocks) load(whole bool) error {
	b.current = binary.LittleEndian.Uint64(b.rest)
	b.rest = b.rest[blockSize:]
	selector, more := b.current&15, b.current>>4&15
	b.shift = 4
	switch selector {
	case repeats:
		b.layout, b.repeat = layout{}, int(more+1)*repeatUnits-1
		return nil
	case 7:
		b.layout, b.shift = seventh[more], 8
	case 8:
		b.layout, b.shift = eighth[more], 8
	default:
		b.layout = plain[selector]
	}
	if b.layout.bits == 0 {
		return broken("a Simple-8b block has an unknown selector")
	}
	b.read(whole)
	return nil
}

// read takes the number at the current place. All bits set stands for none.
func (b *blocks) read(whole bool) {
	mask := uint64(1)<<b.layout.bits - 1
	slot := b.current >> b.shift & mask
	if b.missing = slot == mask; b.missing {
		return
	}
	n := int(slot&(1<<b.layout.count-1)) * int(b.layout.step)
	if !whole {
		b.last = wide{lo: slot >> b.layout.count << (n % 64)}
		return
	}
	b.last = shifted(slot>>b.layout.count, n)
}
