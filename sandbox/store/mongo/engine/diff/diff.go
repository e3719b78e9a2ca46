// Package diff tells what an update changed in a document, as the server's oplog and its
// change streams do. Package crud asks whether an update by a pipeline is worth a
// difference, package changestream writes one into its events. It changes nothing.
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

// Description is what changed, in dotted paths: the fields of updateDescription.
type Description struct {
	Updated, Removed, Truncated, Disambiguated bsonval.Builder
}

// Edited describes an update by operators: what they set appears as they set it, whether
// or not a part of it stayed the same.
func Edited(before, after bsonval.Doc, edits []Edit) *Description {
	w := walk{out: &Description{}}
	w.fields(before, after, edits, 0)
	return w.out
}

// part is one step of a path.
type part struct {
	name  string
	place bool // in an array
}

// walk goes through a document in two versions.
type walk struct {
	out  *Description
	path []part
}

// within does something one step deeper.
func (w *walk) within(name string, place bool, do func()) {
	w.path = append(w.path, part{name, place})
	do()
	w.path = w.path[:len(w.path)-1]
}

// here is the path so far, dotted. One that could be read in two ways is explained.
func (w *walk) here() string {
	names, ambiguous := make([]string, len(w.path)), false
	for i, p := range w.path {
		names[i] = p.name
		_, number := bsonval.ArrayIndex(p.name)
		ambiguous = ambiguous || !p.place && (strings.Contains(p.name, ".") || number && i > 0)
	}
	dotted := strings.Join(names, ".")
	if !ambiguous {
		return dotted
	}
	b := w.out.Disambiguated.OpenArray(dotted)
	for _, p := range w.path {
		if i, ok := bsonval.ArrayIndex(p.name); ok && p.place {
			b.Item(bsonval.IntValue(int32(i)))
		} else {
			b.ItemStr(p.name)
		}
	}
	b.Close()
	return dotted
}

func (w *walk) updated(v bsonval.Value) { w.out.Updated.Set(w.here(), v) }
func (w *walk) removed()                { w.out.Removed.ItemStr(w.here()) }

func (w *walk) truncated(size int) {
	path := w.here()
	w.out.Truncated.OpenItem().Str("field", path).Int32("newSize", int32(size)).Close()
}

// fields compares what the edits touch; depth parts of their paths are behind.
func (w *walk) fields(before, after bsonval.Doc, edits []Edit, depth int) {
	for name, old := range before.All() {
		if rest := touching(edits, depth, name); rest != nil {
			w.within(name, false, func() { w.value(old, after.Get(name), rest, depth) })
		}
	}
	for name, v := range after.All() {
		if before.Get(name).IsMissing() {
			w.within(name, false, func() { w.updated(v) })
		}
	}
}

func (w *walk) elements(before, after []bsonval.Value, edits []Edit, depth int) {
	for i, v := range after {
		name := strconv.Itoa(i)
		rest := touching(edits, depth, name)
		if rest == nil {
			continue // as it was, or null that fills a gap
		}
		w.within(name, true, func() {
			if i >= len(before) {
				w.updated(v)
				return
			}
			w.value(before[i], v, rest, depth)
		})
	}
}

// value compares what stands at the end of the path so far.
func (w *walk) value(old, now bsonval.Value, edits []Edit, depth int) {
	switch {
	case now.IsMissing():
		w.removed()
	case now.Same(old):
	case slices.ContainsFunc(edits, func(e Edit) bool { return e.Append && len(e.Path) == depth+1 }) && grown(old, now):
		for i, v := range now.Doc().Slice()[old.Doc().Len():] {
			w.within(strconv.Itoa(old.Doc().Len()+i), true, func() { w.updated(v) })
		}
	case slices.ContainsFunc(edits, func(e Edit) bool { return len(e.Path) == depth+1 }):
		w.updated(now)
	case old.Type() == bsonval.Object && now.Type() == bsonval.Object:
		w.fields(old.Doc(), now.Doc(), edits, depth+1)
	case old.Type() == bsonval.Array && now.Type() == bsonval.Array:
		w.elements(old.Doc().Slice(), now.Doc().Slice(), edits, depth+1)
	default:
		w.updated(now)
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
