package python

import (
	"encoding/binary"
	"fmt"
)

// What CPython 3.15 takes for immortal on a 32-bit machine (Include/refcount.h, PEP
// 683): references to an object whose count is at least the minimum are not counted,
// so that using it does not write to its page.
const (
	immortalMinimum = 1 << 30
	immortalInitial = 5 << 28
)

// immortals makes objects of the guest's immortal while an image is made, so that
// forks share the pages that they are in. A fork has none: its service is closed.
type immortals struct {
	seen map[uint32]bool
}

// add serves _host.call(b'i' + addresses): the objects at these addresses, four bytes
// each, become immortal. It answers a byte for each: 1 when it comes for the first
// time, so that the walk in Python needs no memory of where it has been.
func (i *immortals) add(g *Guest, frame []byte) ([]byte, error) {
	if len(frame)%4 != 0 {
		return nil, fmt.Errorf("a list of addresses of %d bytes", len(frame))
	}
	first := make([]byte, len(frame)/4)
	for k := range first {
		at := binary.LittleEndian.Uint32(frame[4*k:])
		if i.seen[at] {
			continue
		}
		if err := g.immortalise(at); err != nil {
			return nil, err
		}
		i.seen[at] = true
		first[k] = 1
	}
	return first, nil
}

// immortalise sets the count of the object at an address, its first word; the second
// points to its type. It refuses what can't be an object.
func (g *Guest) immortalise(at uint32) error {
	const plausible = 1 << 24 // references to one object
	head := g.memory.Bytes(at, 8)
	if head == nil || at%4 != 0 {
		return fmt.Errorf("make an object immortal: none can be at %#x", at)
	}
	count, class := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
	if count >= immortalMinimum && count < 1<<31 {
		return nil
	}
	if count == 0 || count > plausible || class == 0 || class%4 != 0 || g.memory.Bytes(class, 8) == nil {
		return fmt.Errorf("make an object immortal: at %#x is a count of %#x and a type at %#x", at, count, class)
	}
	binary.LittleEndian.PutUint32(head, immortalInitial)
	return nil
}

// fillHoles allocates the free chunks between the image's objects, for ever. A fork's
// new objects are then packed into pages of their own, instead of being strewn over
// pages that it could share.
//
// The allocator (dlmalloc) takes the chunk that fits best, so that from the largest
// size down each step finds only holes that no larger one could use. A step is over
// when chunks come one after the other: those are from a region without objects.
func (g *Guest) fillHoles() error {
	for size := uint32(largestHole); size >= chunkAlign; size = nextHole(size) {
		if err := g.fillHolesOf(size); err != nil {
			return fmt.Errorf("fill the holes of %d bytes: %w", size, err)
		}
	}
	return nil
}

// The allocator's units, in bytes.
const (
	largestHole  = 32 << 10 // a larger one is nearly as good as fresh pages
	chunkAlign   = 16       // chunks are multiples of it
	chunkHead    = 4        // of a chunk are the allocator's
	smallChunks  = 512      // up to here each size is tried
	regionNoHole = 16 << 10 // of chunks in a row are a region without objects
)

func nextHole(size uint32) uint32 {
	step := uint32(chunkAlign)
	if size > smallChunks {
		step = size / 32 &^ (chunkAlign - 1)
	}
	return size - max(step, chunkAlign)
}

func (g *Guest) fillHolesOf(size uint32) error {
	for last, row := uint32(0), uint32(0); row < regionNoHole; {
		p, err := g.alloc.Call(size - chunkHead)
		if err != nil {
			return err
		}
		b := g.memory.Bytes(p, size-chunkHead)
		if p == 0 || b == nil {
			return errNoRoom
		}
		clear(b) // holes in the file where pages are empty
		if row += size; p != last+size {
			row = 0
		}
		last = p
	}
	return nil
}
