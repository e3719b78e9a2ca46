package diff

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Description is what changed, in dotted paths: the fields of updateDescription.
type Description struct {
	Updated, Removed, Truncated, Disambiguated bsonval.Builder
}

// Description is the difference as change events have it.
func (d *Delta) Description() *Description {
	w := walk{out: &Description{}}
	w.delta(d)
	return w.out
}

// part is one step of a path.
type part struct {
	name  string
	place bool // in an array
}

// walk goes through a difference.
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

func (w *walk) truncated(size int) {
	path := w.here()
	w.out.Truncated.OpenItem().Str("field", path).Int32("newSize", int32(size)).Close()
}

// delta writes a difference with its paths, in the server's order.
func (w *walk) delta(d *Delta) {
	if d.length >= 0 {
		w.truncated(d.length)
	}
	for _, list := range [...][]field{d.updated, d.inserted} {
		for _, f := range list {
			w.within(f.name, d.array, func() { w.out.Updated.Set(w.here(), f.v) })
		}
	}
	for _, name := range d.removed {
		w.within(name, false, func() { w.out.Removed.ItemStr(w.here()) })
	}
	for _, s := range d.within {
		w.within(s.name, d.array, func() { w.delta(s.d) })
	}
}
