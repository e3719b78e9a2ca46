package timeseries

import (
	"cmp"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// extremes are the least, or the greatest, values of a bucket's fields, in the order in
// which the fields came.
type extremes struct {
	sign   int // 1: least, -1: greatest
	fields []bsonval.Element
	at     map[string]int
}

func newExtremes(sign int, d bsonval.Doc) *extremes {
	e := &extremes{sign: sign, at: map[string]int{}}
	for name, v := range d.All() {
		e.add(name, v)
	}
	return e
}

// add takes a value into account.
func (e *extremes) add(name string, v bsonval.Value) {
	i, ok := e.at[name]
	if !ok {
		e.at[name] = len(e.fields)
		e.fields = append(e.fields, bsonval.E(name, v))
		return
	}
	e.fields[i].Value = extreme(e.fields[i].Value, v, e.sign)
}

func (e *extremes) set(name string, v bsonval.Value) {
	if i, ok := e.at[name]; ok {
		e.fields[i].Value = v
		return
	}
	e.add(name, v)
}

func (e *extremes) doc() bsonval.Doc {
	b := bsonval.NewBuilder(256)
	for _, f := range e.fields {
		b.Set(f.Name, f.Value)
	}
	return b.Doc()
}

// extreme is the less of two values, or the greater for sign -1; of objects and arrays
// it is made element by element.
func extreme(was, v bsonval.Value, sign int) bsonval.Value {
	switch {
	case was.Type() == bsonval.Object && v.Type() == bsonval.Object:
		e := newExtremes(sign, was.Doc())
		for name, x := range v.Doc().All() {
			e.add(name, x)
		}
		return bsonval.DocValue(e.doc())
	case was.Type() == bsonval.Array && v.Type() == bsonval.Array:
		a, b := was.Doc().Slice(), v.Doc().Slice()
		for i, x := range b {
			if i < len(a) {
				a[i] = extreme(a[i], x, sign)
			} else {
				a = append(a, x)
			}
		}
		return bsonval.ArrayOf(a...)
	case bsonval.Compare(v, was)*sign < 0:
		return v
	}
	return was
}

// alike tells whether two values may lie in one column: their types sort alike, in
// objects and arrays too where both have the element.
func alike(a, b bsonval.Value) bool {
	if a.Type().Order() != b.Type().Order() {
		return false
	}
	if a.Type() != bsonval.Object && a.Type() != bsonval.Array {
		return true
	}
	for name, v := range b.Doc().All() {
		if was := a.Doc().Get(name); !was.IsMissing() && !alike(was, v) {
			return false
		}
	}
	return true
}

// checkExtremes tells whether control.min and control.max stand on either side of all
// measurements: filters rely on it. Strings are not asked, which the server compares by
// the collection's collation.
func (o Options) checkExtremes(bucket bsonval.Doc, bad func(string) error) error {
	least, most := bucket.Path("control.min").Doc(), bucket.Path("control.max").Doc()
	r, err := Read(o.Time, "", bucket)
	if err != nil {
		return err
	}
	for {
		d, ok, err := r.Next()
		if !ok || err != nil {
			return err
		}
		for name, v := range d.All() {
			if !bounds(least.Get(name), v, 1) || !bounds(most.Get(name), v, -1) {
				return bad("control.min and control.max must stand on either side of '" + name + "'")
			}
		}
	}
}

// bounds tells whether v lies on the side of bound that sign says, in all its parts.
func bounds(bound, v bsonval.Value, sign int) bool {
	if bound.IsMissing() || bound.Type().Order() != v.Type().Order() {
		return false
	}
	switch v.Type() {
	case bsonval.String, bsonval.Symbol:
		return true
	case bsonval.Object, bsonval.Array:
		for name, x := range v.Doc().All() {
			if !bounds(bound.Doc().Get(name), x, sign) {
				return false
			}
		}
		return true
	}
	return bsonval.Compare(bound, v)*sign <= 0
}

// Normalize is a source's value as buckets keep it: with the fields of its objects in
// the order of their names.
func Normalize(v bsonval.Value) bsonval.Value {
	switch v.Type() {
	case bsonval.Object:
		fields := v.Doc().Elements()
		slices.SortStableFunc(fields, func(a, b bsonval.Element) int { return cmp.Compare(a.Name, b.Name) })
		b := bsonval.NewBuilder(v.Size() + 8)
		for _, f := range fields {
			b.Set(f.Name, Normalize(f.Value))
		}
		return b.Value()
	case bsonval.Array:
		items := v.Doc().Slice()
		for i := range items {
			items[i] = Normalize(items[i])
		}
		return bsonval.ArrayOf(items...)
	}
	return v
}
