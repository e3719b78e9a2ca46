package diff

import (
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Between is the difference that an update by a pipeline makes, of which only the result
// is known.
func Between(before, after bsonval.Doc) *Delta { return ofDocs(before, after) }

// oplogOverhead are the bytes that an oplog entry of a difference has beside it.
const oplogOverhead = 15

// Replaces tells whether the server would log the whole new document after an update by
// a pipeline, since the difference is no shorter. A change stream shows a replace then.
func Replaces(before, after bsonval.Doc) bool {
	return ofDocs(before, after).size()+oplogOverhead > len(after)
}

// Delta is a difference in the form of the server's oplog: what is gone, what has a new
// value, what is new, and what changed within.
type Delta struct {
	array    bool
	length   int // the new one of an array that became shorter; -1 else
	removed  []string
	updated  []field
	inserted []field
	within   []nested
}

type field struct {
	name string
	v    bsonval.Value
}

type nested struct {
	name string
	d    *Delta
}

// empty tells a difference of nothing.
func (d *Delta) empty() bool {
	return len(d.removed)+len(d.updated)+len(d.inserted)+len(d.within) == 0 && d.length < 0
}

// ofDocs goes through both in step: a field that moved is one that is new.
func ofDocs(before, after bsonval.Doc) *Delta {
	d := &Delta{length: -1}
	now := fieldsOf(after)
	gone := map[string]bool{}
	next := 0
	for name, old := range before.All() {
		if next < len(now) && now[next].name == name {
			d.add(name, old, now[next].v)
			next++
			continue
		}
		gone[name] = true
		d.removed = append(d.removed, name)
	}
	for _, f := range now[next:] {
		d.inserted = append(d.inserted, f)
		gone[f.name] = false
	}
	kept := d.removed[:0]
	for _, name := range d.removed {
		if gone[name] {
			kept = append(kept, name)
		}
	}
	d.removed = kept
	return d
}

func fieldsOf(doc bsonval.Doc) []field {
	var out []field
	for name, v := range doc.All() {
		out = append(out, field{name, v})
	}
	return out
}

func ofArrays(before, after []bsonval.Value) *Delta {
	d := &Delta{array: true, length: -1}
	for i, v := range after {
		name := strconv.Itoa(i)
		if i < len(before) {
			d.add(name, before[i], v)
		} else {
			d.updated = append(d.updated, field{name, v})
		}
	}
	if len(after) < len(before) {
		d.length = len(after)
	}
	return d
}

// add notes what became of one value: a difference within it where that is shorter.
func (d *Delta) add(name string, old, now bsonval.Value) {
	if now.Same(old) {
		return
	}
	var within *Delta
	switch {
	case old.Type() != now.Type():
	case now.Type() == bsonval.Object:
		within = ofDocs(old.Doc(), now.Doc())
	case now.Type() == bsonval.Array:
		within = ofArrays(old.Doc().Slice(), now.Doc().Slice())
	}
	if within != nil && within.size() <= now.Size() {
		d.within = append(d.within, nested{name, within})
		return
	}
	d.updated = append(d.updated, field{name, now})
}

// The sizes of BSON's parts, in bytes.
const (
	docFrame    = 5 // length and end
	elementHead = 2 // type, and the end of the name
)

// size is how long the difference would be in the oplog, in bytes.
func (d *Delta) size() int {
	n := docFrame
	for _, s := range d.within {
		n += elementHead + 1 + len(s.name) + s.d.size()
	}
	if d.array {
		n += elementHead + 2 // a: true
		if d.length >= 0 {
			n += elementHead + 5 // l: 3
		}
		for _, f := range d.updated {
			n += elementHead + 1 + len(f.name) + f.v.Size()
		}
		return n
	}
	if len(d.removed) > 0 {
		n += elementHead + 1 + docFrame
	}
	for _, name := range d.removed {
		n += elementHead + len(name) + 1
	}
	return n + section(d.updated) + section(d.inserted)
}

func section(fields []field) int {
	if len(fields) == 0 {
		return 0
	}
	n := elementHead + 1 + docFrame
	for _, f := range fields {
		n += elementHead + len(f.name) + f.v.Size()
	}
	return n
}
