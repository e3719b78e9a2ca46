package update

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// arrayOperator are the operators on arrays.
func arrayOperator(name string) builder {
	switch name {
	case "$push":
		return compilePush
	case "$pushAll":
		return nil // gone since 3.6
	case "$addToSet":
		return compileAddToSet
	case "$pop":
		return compilePop
	case "$pull":
		return compilePull
	case "$pullAll":
		return compilePullAll
	}
	return nil
}

type push struct {
	making
	each     []bsonval.Value
	position int64
	placed   bool
	slice    int64
	sliced   bool
	sort     func(a, b bsonval.Value) int
}

func compilePush(u *Update, _, _ string, arg bsonval.Value) (action, error) {
	if arg.Type() != bsonval.Object || arg.Doc().Get("$each").IsMissing() {
		return &push{each: []bsonval.Value{arg}}, nil
	}
	p := &push{}
	for name, v := range arg.Doc().All() {
		var err error
		switch name {
		case "$each":
			if v.Type() != bsonval.Array {
				return nil, mongoerr.New(mongoerr.BadValue, "The argument to $each in $push must be an array but it was of type: %s", v.Type())
			}
			p.each = v.Doc().Slice()
		case "$position":
			p.placed = true
			if p.position, err = wholeNumber("$position", v); err != nil {
				return nil, err
			}
		case "$slice":
			p.sliced = true
			if p.slice, err = wholeNumber("$slice", v); err != nil {
				return nil, err
			}
		case "$sort":
			if p.sort, err = compileSort(u, v); err != nil {
				return nil, err
			}
		default:
			return nil, mongoerr.New(mongoerr.BadValue, "Unrecognized clause in $push: %s", name)
		}
	}
	return p, nil
}

func wholeNumber(name string, v bsonval.Value) (int64, error) {
	i, ok := v.ExactLong()
	if !ok {
		return 0, mongoerr.New(mongoerr.BadValue, "The value for %s must be an integer value but was given type: %s", name, v.Type())
	}
	return i, nil
}

// compileSort reads $sort: 1 or -1 for the elements themselves, or fields of theirs.
func compileSort(u *Update, v bsonval.Value) (func(a, b bsonval.Value) int, error) {
	c := u.env.Op.Collator
	if v.IsNumber() {
		by := v.Float()
		if by != 1 && by != -1 {
			return nil, mongoerr.New(mongoerr.BadValue, "The $sort element value must be either 1 or -1")
		}
		return func(a, b bsonval.Value) int { return int(by) * bsonval.CompareWith(a, b, c) }, nil
	}
	if v.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.BadValue, "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields")
	}
	if v.Doc().IsEmpty() {
		return nil, mongoerr.New(mongoerr.BadValue, "The $sort pattern is empty when it should be a set of fields.")
	}
	for _, by := range v.Doc().All() {
		if !by.IsNumber() || by.Float() != 1 && by.Float() != -1 {
			return nil, mongoerr.New(mongoerr.BadValue, "The $sort element value must be either 1 or -1")
		}
	}
	return func(a, b bsonval.Value) int {
		for path, by := range v.Doc().All() {
			if d := bsonval.CompareWith(sortField(a, path), sortField(b, path), c); d != 0 {
				return d * int(by.Float())
			}
		}
		return 0
	}, nil
}

func sortField(v bsonval.Value, path string) bsonval.Value {
	if v.Type() != bsonval.Object {
		return bsonval.NullValue()
	}
	got := v.Doc().Path(path)
	if got.IsMissing() {
		return bsonval.NullValue()
	}
	return got
}

func (p *push) apply(a *application, at spot, n *node) (*node, error) {
	if n == nil {
		n = leaf(bsonval.ArrayOf())
	}
	if !n.isArray() {
		return nil, mongoerr.New(mongoerr.BadValue, "The field '%s' must be an array but is of type %s in document {_id: %s}",
			at.path, n.raw.Type(), a.doc.Get("_id"))
	}
	n.expand()
	more := make([]kid, len(p.each))
	for i, v := range p.each {
		more[i].node = leaf(v)
		n.size += v.Size() + 8
	}
	where := len(n.kids)
	if p.placed {
		where = place(p.position, len(n.kids))
	}
	n.kids = slices.Insert(n.kids, where, more...)
	if p.sort != nil {
		slices.SortStableFunc(n.kids, func(a, b kid) int { return p.sort(a.node.value(), b.node.value()) })
	}
	if p.sliced {
		n.kids = cut(n.kids, p.slice)
	}
	return n, nil
}

func place(position int64, n int) int {
	if position < 0 {
		return int(max(0, int64(n)+position))
	}
	return int(min(position, int64(n)))
}

func cut(kids []kid, slice int64) []kid {
	n := int64(len(kids))
	switch {
	case slice >= n || -slice >= n:
		return kids
	case slice < 0:
		return kids[n+slice:]
	}
	return kids[:slice]
}

type addToSet struct {
	making
	each []bsonval.Value
}

func compileAddToSet(_ *Update, _, _ string, arg bsonval.Value) (action, error) {
	if arg.Type() != bsonval.Object || arg.Doc().First().Name != "$each" {
		return addToSet{each: []bsonval.Value{arg}}, nil
	}
	each := arg.Doc().First().Value
	if each.Type() != bsonval.Array {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "The argument to $each in $addToSet must be an array but it was of type %s", each.Type())
	}
	if arg.Doc().Len() > 1 {
		return nil, mongoerr.New(mongoerr.BadValue, "Found unexpected fields after $each in $addToSet: %s", arg.Doc())
	}
	return addToSet{each: each.Doc().Slice()}, nil
}

func (s addToSet) apply(a *application, at spot, n *node) (*node, error) {
	if n == nil {
		n = leaf(bsonval.ArrayOf())
	}
	if !n.isArray() {
		return nil, mongoerr.New(mongoerr.BadValue, "Cannot apply $addToSet to non-array field. Field named '%s' has non-array type %s", at.last, n.raw.Type())
	}
	n.expand()
	c := a.u.env.Op.Collator
	seen := map[string]bool{}
	for _, k := range n.kids {
		seen[string(bsonval.AppendKey(nil, k.node.value(), c))] = true
	}
	for _, v := range s.each {
		key := string(bsonval.AppendKey(nil, v, c))
		if !seen[key] {
			seen[key] = true
			n.kids = append(n.kids, kid{node: leaf(v)})
			n.size += v.Size() + 8
		}
	}
	return n, nil
}

type pop struct {
	culling
	first bool
}

func compilePop(_ *Update, _, path string, arg bsonval.Value) (action, error) {
	if !arg.IsNumber() {
		return nil, mongoerr.New(mongoerr.FailedToParse, "Expected a number in: %s: %s", path, arg)
	}
	i, ok := arg.ExactLong()
	if !ok {
		return nil, mongoerr.New(mongoerr.FailedToParse, "Expected an integer: %s: %s", path, arg)
	}
	if i != 1 && i != -1 {
		return nil, mongoerr.New(mongoerr.FailedToParse, "$pop expects 1 or -1, found: %d", i)
	}
	return pop{first: i == -1}, nil
}

func (p pop) apply(_ *application, at spot, n *node) (*node, error) {
	if n == nil {
		return nil, nil
	}
	if !n.isArray() {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "Path '%s' contains an element of non-array type '%s'", at.path, n.raw.Type())
	}
	n.expand()
	switch {
	case len(n.kids) == 0:
	case p.first:
		n.kids = n.kids[1:]
	default:
		n.kids = n.kids[:len(n.kids)-1]
	}
	return n, nil
}

// pull removes the elements that hit accepts.
type pull struct {
	culling
	hit func(a *application, v bsonval.Value) (bool, error)
}

func compilePull(u *Update, _, _ string, arg bsonval.Value) (action, error) {
	m, err := match.CompileValue(arg, u.env.Match)
	if err != nil {
		return nil, err
	}
	return pull{hit: func(a *application, v bsonval.Value) (bool, error) { return m.Match(a.u.env.Op, v) }}, nil
}

func compilePullAll(_ *Update, _, _ string, arg bsonval.Value) (action, error) {
	if arg.Type() != bsonval.Array {
		return nil, mongoerr.New(mongoerr.BadValue, "$pullAll requires an array argument but was given a %s", arg.Type())
	}
	values := arg.Doc().Slice()
	return pull{hit: func(a *application, v bsonval.Value) (bool, error) {
		return slices.ContainsFunc(values, func(w bsonval.Value) bool {
			return bsonval.CompareWith(v, w, a.u.env.Op.Collator) == 0
		}), nil
	}}, nil
}

func (p pull) apply(a *application, _ spot, n *node) (*node, error) {
	if n == nil {
		return nil, nil
	}
	if !n.isArray() {
		return nil, mongoerr.New(mongoerr.BadValue, "Cannot apply $pull to a non-array value")
	}
	n.expand()
	kept := n.kids[:0]
	for _, k := range n.kids {
		hit, err := p.hit(a, k.node.value())
		if err != nil {
			return nil, err
		}
		if !hit {
			kept = append(kept, k)
		}
	}
	n.kids = kept
	return n, nil
}
