// Package diff tells what an update changed in a document, as the server's oplog and its
// change streams do, and makes such a change again. Package update names what it edited,
// package crud asks whether an update by a pipeline is worth a difference and applies
// those of applyOps, package storage answers the one of an operation in its log, which
// changestream writes into events and command into the oplog. It changes no document.
package diff

import (
	"slices"
	"strconv"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Edit is a path that an update operator may have changed.
type Edit struct {
	Path   []string // "$" and "$[…]" stand for any element
	Append bool     // adds to an array's end, and changes nothing before
}

// Edited is the difference that an update by operators makes: what they set appears as
// they set it, whether or not a part of it stayed the same.
func Edited(before, after bsonval.Doc, edits []Edit) *Delta {
	d := &Delta{length: -1}
	d.fields(before, after, edits, 0)
	return d
}

// fields compares what the edits touch; depth parts of their paths are behind.
func (d *Delta) fields(before, after bsonval.Doc, edits []Edit, depth int) {
	for name, old := range before.All() {
		if rest := touching(edits, depth, name); rest != nil {
			d.value(name, old, after.Get(name), rest, depth)
		}
	}
	d.sort()
	for name, v := range after.All() {
		if before.Get(name).IsMissing() {
			d.inserted = append(d.inserted, field{name, v})
		}
	}
}

// sort puts what was there before into the order in which operators work: by name. What
// is new keeps the order that it has in the document.
func (d *Delta) sort() {
	slices.SortStableFunc(d.removed, CompareNames)
	slices.SortStableFunc(d.updated, func(a, b field) int { return CompareNames(a.name, b.name) })
	slices.SortStableFunc(d.within, func(a, b nested) int { return CompareNames(a.name, b.name) })
}

// CompareNames orders the parts of paths as update operators do: numbers as such.
func CompareNames(a, b string) int {
	x, okX := bsonval.ArrayIndex(a)
	y, okY := bsonval.ArrayIndex(b)
	if okX && okY {
		return x - y
	}
	return strings.Compare(a, b)
}

func (d *Delta) elements(before, after []bsonval.Value, edits []Edit, depth int) {
	for i, v := range after {
		name := strconv.Itoa(i)
		rest := touching(edits, depth, name)
		switch {
		case rest == nil: // as it was, or null that fills a gap
		case i >= len(before):
			d.updated = append(d.updated, field{name, v})
		default:
			d.value(name, before[i], v, rest, depth)
		}
	}
}

// value compares what stands at the end of the path so far.
func (d *Delta) value(name string, old, now bsonval.Value, edits []Edit, depth int) {
	sub := &Delta{length: -1}
	switch {
	case now.IsMissing():
		d.removed = append(d.removed, name)
		return
	case now.Same(old):
		return
	case slices.ContainsFunc(edits, func(e Edit) bool { return e.Append && len(e.Path) == depth+1 }) && grown(old, now):
		sub.array = true
		for i, v := range now.Doc().Slice()[old.Doc().Len():] {
			sub.updated = append(sub.updated, field{strconv.Itoa(old.Doc().Len() + i), v})
		}
	case slices.ContainsFunc(edits, func(e Edit) bool { return len(e.Path) == depth+1 }):
		d.updated = append(d.updated, field{name, now})
		return
	case old.Type() == bsonval.Object && now.Type() == bsonval.Object:
		sub.fields(old.Doc(), now.Doc(), edits, depth+1)
	case old.Type() == bsonval.Array && now.Type() == bsonval.Array:
		sub.array = true
		sub.elements(old.Doc().Slice(), now.Doc().Slice(), edits, depth+1)
	default:
		d.updated = append(d.updated, field{name, now})
		return
	}
	if !sub.empty() {
		d.within = append(d.within, nested{name, sub})
	}
}

// grown tells arrays to which something was added; to an empty one counts as setting it.
func grown(old, now bsonval.Value) bool {
	return old.Type() == bsonval.Array && now.Type() == bsonval.Array && !old.Doc().IsEmpty()
}

// touching are the edits whose path goes on with name; nil for none.
func touching(edits []Edit, depth int, name string) []Edit {
	var rest []Edit
	for _, e := range edits {
		if p := e.Path[depth:]; len(p) > 0 && (p[0] == name || strings.HasPrefix(p[0], "$")) {
			rest = append(rest, e)
		}
	}
	return rest
}
