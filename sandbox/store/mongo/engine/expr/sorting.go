package expr

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Order is a compiled sort specification such as {a: 1, "b.c": -1}.
type Order struct {
	Parts []OrderPart
}

// OrderPart is one field of an Order.
type OrderPart struct {
	Path string
	path []string
	Desc bool
	Meta string // "textScore" and the like, for {$meta: …}
}

// ParseOrder reads a sort specification. The errors are those of $sort.
func ParseOrder(d bsonval.Doc) (*Order, error) {
	if d.IsEmpty() {
		return nil, mongoerr.New(15976, "$sort stage must have at least one sort key")
	}
	o := &Order{}
	for name, v := range d.All() {
		part, err := parseOrderPart(name, v)
		if err != nil {
			return nil, err
		}
		o.Parts = append(o.Parts, part)
	}
	return o, nil
}

func parseOrderPart(name string, v bsonval.Value) (OrderPart, error) {
	p := OrderPart{Path: name}
	if v.Type() == bsonval.Object {
		var err error
		p.Meta, err = ParseMetaSort(v.Doc())
		p.Desc = true
		return p, err
	}
	n, ok := v.ExactLong()
	switch {
	case !v.IsNumber():
		return p, mongoerr.New(15974, "Illegal key in $sort specification: %s: %s", name, v)
	case !ok || n != 1 && n != -1:
		return p, mongoerr.New(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)")
	}
	p.Desc = n < 0
	var err error
	p.path, err = SplitPath(name)
	return p, err
}

// ParseMetaSort reads {$meta: …} in a sort specification, which orders what is greatest
// first, distances too.
func ParseMetaSort(d bsonval.Doc) (string, error) {
	first := d.First()
	switch {
	case first.Name != "$meta":
		return "", mongoerr.New(17312, "$meta is the only expression supported by $sort right now")
	case d.Len() != 1:
		return "", mongoerr.New(mongoerr.FailedToParse, "Cannot have additional keys in a $meta sort specification")
	case first.Value.Type() == bsonval.String:
		switch name := first.Value.Str(); name {
		case "textScore", "randVal", "geoNearDistance":
			return name, nil
		}
	}
	return "", mongoerr.New(31138, "Illegal $meta sort: $meta: %s", first.Value)
}

// AppendKey appends bytes by which values order as the specification says.
func (o *Order) AppendKey(dst []byte, f *Frame, v bsonval.Value) []byte {
	for i := range o.Parts {
		p := &o.Parts[i]
		from := len(dst)
		dst = bsonval.AppendKey(dst, p.value(f, v), f.Op.Collator)
		if p.Desc {
			bsonval.InvertKey(dst[from:])
		}
	}
	return dst
}

// Value is what the document is ordered by: an array of each part's value, or the one
// value of a single part.
func (o *Order) Value(f *Frame, v bsonval.Value) bsonval.Value {
	if len(o.Parts) == 1 {
		return o.Parts[0].value(f, v)
	}
	vs := make([]bsonval.Value, len(o.Parts))
	for i := range o.Parts {
		vs[i] = o.Parts[i].value(f, v)
	}
	return bsonval.ArrayOf(vs...)
}

func (p *OrderPart) value(f *Frame, v bsonval.Value) bsonval.Value {
	if p.Meta != "" {
		m, _ := metaValue(f, p.Meta)
		return m
	}
	if len(p.path) == 1 && v.Type() == bsonval.Object { // by far the commonest
		got := v.Doc().Get(p.Path)
		switch got.Type() {
		case bsonval.Missing:
			return null
		case bsonval.Array:
		default:
			return got
		}
	}
	e := extreme{desc: p.Desc, c: f.Op.Collator}
	e.spread(v, p.path)
	if e.best.IsMissing() {
		return null
	}
	return e.best
}

// extreme finds the least or the greatest of all values at a path: what an array
// sorts by.
type extreme struct {
	desc  bool
	c     bsonval.Collator
	best  bsonval.Value
	found bool
}

func (e *extreme) take(v bsonval.Value) {
	if v.IsMissing() {
		v = null
	}
	d := 0
	if e.found {
		d = bsonval.CompareWith(v, e.best, e.c)
	}
	if !e.found || e.desc && d > 0 || !e.desc && d < 0 {
		e.best, e.found = v, true
	}
}

func (e *extreme) spread(v bsonval.Value, path []string) {
	switch v.Type() {
	case bsonval.Object:
		got := v.Doc().Get(path[0])
		switch {
		case len(path) > 1:
			e.spread(got, path[1:])
		case got.Type() != bsonval.Array:
			e.take(got)
		case got.Doc().IsEmpty():
			e.take(bsonval.UndefinedValue())
		default:
			for item := range got.Doc().Values() {
				e.take(item)
			}
		}
	case bsonval.Array:
		e.spreadArray(v.Doc(), path)
	default:
		e.take(null)
	}
}

func (e *extreme) spreadArray(d bsonval.Doc, path []string) {
	if i, ok := bsonval.ArrayIndex(path[0]); ok {
		if item := d.At(i); !item.IsMissing() {
			if len(path) > 1 {
				e.spread(item, path[1:])
			} else {
				e.take(item)
			}
			return
		}
	}
	if d.IsEmpty() {
		e.take(null)
	}
	for item := range d.Values() {
		if item.Type() == bsonval.Object {
			e.spread(item, path)
		} else {
			e.take(null)
		}
	}
}

func sortArray(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(2942500, "$sortArray requires an object as an argument, found: %s", arg.Type())
	}
	var input, by bsonval.Value
	for field, v := range arg.Doc().All() {
		switch field {
		case "input":
			input = v
		case "sortBy":
			by = v
		default:
			return nil, mongoerr.New(2942501, "$sortArray found an unknown argument: %s", field)
		}
	}
	switch {
	case input.IsMissing():
		return nil, mongoerr.New(2942502, "$sortArray requires 'input' to be specified")
	case by.IsMissing():
		return nil, mongoerr.New(2942503, "$sortArray requires 'sortBy' to be specified")
	}
	e, err := Compile(input, s)
	if err != nil {
		return nil, err
	}
	key, err := ArrayOrder(by)
	if err != nil {
		return nil, err
	}
	return unaryOf(e, func(f *Frame, v bsonval.Value) (bsonval.Value, error) {
		switch {
		case v.IsNullish():
			return null, nil
		case v.Type() != bsonval.Array:
			return null, mongoerr.New(2942504, "The input argument to $sortArray must be an array, but was of type: %s", v.Type())
		}
		return sorted(f, v.Doc(), key), nil
	}), nil
}

// ArrayOrder reads sortBy of $sortArray: a number orders the values themselves, an
// object the documents by their fields.
func ArrayOrder(by bsonval.Value) (func(dst []byte, f *Frame, v bsonval.Value) []byte, error) {
	if by.Type() == bsonval.Object {
		o, err := ParseOrder(by.Doc())
		if err != nil {
			return nil, err
		}
		return o.AppendKey, nil
	}
	n, ok := by.ExactLong()
	switch {
	case !by.IsNumber():
		return nil, mongoerr.New(2942507, "Illegal sort key: expected an object or a number, found: %s", by.Type())
	case !ok || n != 1 && n != -1:
		return nil, mongoerr.New(2942505, "The $sortArray sortBy must be 1 or -1, or an object of them")
	}
	return func(dst []byte, f *Frame, v bsonval.Value) []byte {
		from := len(dst)
		dst = bsonval.AppendKey(dst, v, f.Op.Collator)
		if n < 0 {
			bsonval.InvertKey(dst[from:])
		}
		return dst
	}, nil
}

func sorted(f *Frame, d bsonval.Doc, key func([]byte, *Frame, bsonval.Value) []byte) bsonval.Value {
	type item struct {
		key string
		v   bsonval.Value
	}
	var items []item
	var buf []byte
	for v := range d.Values() {
		buf = key(buf[:0], f, v)
		items = append(items, item{string(buf), v})
	}
	slices.SortStableFunc(items, func(a, b item) int { return strings.Compare(a.key, b.key) })
	b := bsonval.NewBuilder(len(d))
	for _, it := range items {
		b.Item(it.v)
	}
	return b.Array()
}
