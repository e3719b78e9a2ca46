package index

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// ordered answers the keys of an index of ascending and descending fields: one key for
// each element of an array, and null where a field is missing.
func (d *Def) ordered(doc bsonval.Doc) (Keys, error) {
	if k, ok := d.single(doc); ok {
		return k, nil
	}
	w := walker{def: d}
	fields := make([]place, len(d.Fields))
	for i, f := range d.Fields {
		fields[i] = place{value: bsonval.DocValue(doc), rest: f.Path}
	}
	if err := w.walk(fields); err != nil {
		return Keys{}, err
	}
	out := w.out
	if len(out.Keys) > 1 {
		slices.Sort(out.Keys)
		out.Keys = slices.Compact(out.Keys)
	}
	return out, nil
}

// single serves the commonest index, one plain field that holds no array.
func (d *Def) single(doc bsonval.Doc) (Keys, bool) {
	if len(d.Fields) != 1 || strings.IndexByte(d.Fields[0].Path, '.') >= 0 {
		return Keys{}, false
	}
	v := doc.Get(d.Fields[0].Path)
	switch v.Type() {
	case bsonval.Array:
		return Keys{}, false
	case bsonval.Missing:
		if d.Sparse {
			return Keys{}, true
		}
		v = bsonval.NullValue()
	}
	return Keys{Keys: []string{string(d.AppendField(nil, 0, v))}}, true
}

// AppendField appends the key of value v in the index's i-th field.
func (d *Def) AppendField(dst []byte, i int, v bsonval.Value) []byte {
	from := len(dst)
	if d.Fields[i].Kind == Hashed {
		v = bsonval.LongValue(Hash(v, d.Collator))
	}
	dst = bsonval.AppendKey(dst, v, d.Collator)
	if d.Fields[i].Desc {
		bsonval.InvertKey(dst[from:])
	}
	return dst
}

// place is where a field's path has got to: what is left of it, and the value there.
type place struct {
	value bsonval.Value
	rest  string
	done  bool          // the path is used up: value is the field's
	fixed bool          // value is the key even if it is an array
	named bsonval.Value // value is an array, and the path's next part names this place in it
}

type walker struct {
	def   *Def
	out   Keys
	want  string   // Values looks for this key
	found *[]place // and for what made it
}

// walk follows each path until it is done or stands before an array, then spreads over
// that array, which all paths that stand before one must share. A path whose next part
// names a place of the array, as in "a.0", goes on from there alone.
func (w *walker) walk(fields []place) error {
	at, spreads := -1, false
	for i := range fields {
		fields[i].advance()
		p := &fields[i]
		if p.fixed || p.value.Type() != bsonval.Array {
			continue
		}
		if part, _, _ := strings.Cut(p.rest, "."); !p.named.IsMissing() {
			if err := ambiguous(p.value, part); err != nil {
				return err
			}
		} else {
			w.out.Multikey |= 1 << i
			w.crossed(w.def.Fields[i].Path, p)
			spreads = true
		}
		if at >= 0 && &p.value.Bytes()[0] != &fields[at].value.Bytes()[0] {
			return mongoerr.New(171, "cannot index parallel arrays [%s] [%s]",
				leafName(p.reached(w.def.Fields[i].Path)), leafName(fields[at].reached(w.def.Fields[at].Path)))
		}
		at = i
	}
	if at < 0 {
		w.emit(fields)
		return nil
	}
	array := fields[at].value.Doc()
	if array.IsEmpty() {
		return w.walk(spread(fields, bsonval.UndefinedValue()))
	}
	for v := range array.Values() {
		if err := w.walk(spread(fields, v)); err != nil {
			return err
		}
		if !spreads {
			break // a named place is the same for each element
		}
	}
	return nil
}

// crossed notes the part of the path at which an array stands.
func (w *walker) crossed(path string, p *place) {
	path = p.reached(path)
	if !slices.Contains(w.out.Arrays, path) {
		w.out.Arrays = append(w.out.Arrays, path)
	}
}

// reached is the part of the path that leads to the value.
func (p *place) reached(path string) string {
	if p.done {
		return path
	}
	return path[:len(path)-len(p.rest)-1]
}

// spread puts one element in the place of the array. An array within the array is a
// key where the path ends, and has no fields where it goes on.
func spread(fields []place, v bsonval.Value) []place {
	next := slices.Clone(fields)
	for i := range next {
		p := &next[i]
		switch {
		case p.fixed || p.value.Type() != bsonval.Array:
		case !p.named.IsMissing():
			_, rest, more := strings.Cut(p.rest, ".")
			*p = place{value: p.named, rest: rest, done: !more}
		case p.done:
			p.value, p.fixed = v, true
		case v.Type() == bsonval.Object:
			p.value = v
		default:
			*p = place{done: true}
		}
	}
	return next
}

func leafName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// advance follows the path through documents up to its end or an array.
func (p *place) advance() {
	for !p.done {
		part, rest, more := strings.Cut(p.rest, ".")
		switch p.value.Type() {
		case bsonval.Object:
			p.value = p.value.Doc().Get(part)
		case bsonval.Array:
			if n, ok := bsonval.ArrayIndex(part); ok {
				p.named = p.value.Doc().At(n)
			}
			return
		default:
			p.value = bsonval.Value{}
		}
		p.rest, p.done = rest, !more
	}
}

// ambiguous refuses an array that has a place of the name and a document with a field
// of that name as well: which of them the index means can't be told.
func ambiguous(array bsonval.Value, part string) error {
	for v := range array.Doc().Values() {
		if v.Type() == bsonval.Object && !v.Doc().Get(part).IsMissing() {
			return mongoerr.New(16746, "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '%s' for array: %s", part, array)
		}
	}
	return nil
}

func (w *walker) emit(fields []place) {
	missing := 0
	for _, p := range fields {
		if p.value.IsMissing() {
			missing++
		}
	}
	if missing == len(fields) && w.def.Sparse {
		return
	}
	key := make([]byte, 0, 32)
	for i, p := range fields {
		v := p.value
		if v.IsMissing() {
			v = bsonval.NullValue()
		}
		key = w.def.AppendField(key, i, v)
	}
	if w.found != nil && string(key) == w.want {
		*w.found = slices.Clone(fields)
	}
	w.out.Keys = append(w.out.Keys, string(key))
}
