package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// sets are the operators that see arrays as sets.
func sets(name string) builder {
	switch name {
	case "$setUnion":
		return ofMany(0, -1, setUnion)
	case "$setIntersection":
		return ofMany(0, -1, setIntersection)
	case "$setDifference":
		return ofTwo(setDifference)
	case "$setEquals":
		return setEquals
	case "$setIsSubset":
		return ofTwo(setIsSubset)
	case "$allElementsTrue":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) { return every(name, 17040, v, true) })
	case "$anyElementTrue":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) { return every(name, 17041, v, false) })
	}
	return nil
}

// keySet are the values of an array by their keys.
type keySet map[string]struct{}

// setCost is what an element costs in a set beside its key, in bytes.
const setCost = 48

func (f *Frame) keyOf(v bsonval.Value) string {
	f.scratch = bsonval.AppendKey(f.scratch[:0], v, f.Op.Collator)
	return string(f.scratch)
}

// insert adds a value and tells whether it is new. What sets hold counts as held by the
// operation: who makes one gives that back at its end, by HeldAgain.
func (f *Frame) insert(set keySet, v bsonval.Value) (bool, error) {
	if err := f.Op.Check(); err != nil {
		return false, err
	}
	k := f.keyOf(v)
	if _, ok := set[k]; ok {
		return false, nil
	}
	set[k] = struct{}{}
	return true, f.Op.Reserve(int64(len(k)) + setCost)
}

func (f *Frame) setOf(d bsonval.Doc) (keySet, error) {
	set := keySet{}
	for v := range d.Values() {
		if _, err := f.insert(set, v); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func setUnion(f *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	defer f.Op.HeldAgain(f.Op.Held())
	b := bsonval.NewBuilder(64)
	set := keySet{}
	for _, list := range vs {
		switch {
		case list.IsNullish():
			return null, nil
		case list.Type() != bsonval.Array:
			return null, mongoerr.New(17043, "All operands of $setUnion must be arrays. One argument is of type: %s", list.Type())
		}
		for v := range list.Doc().Values() {
			fresh, err := f.insert(set, v)
			if err != nil {
				return null, err
			}
			if fresh {
				b.Item(v)
			}
		}
	}
	return b.Array(), tooLarge(b.Len())
}

func setIntersection(f *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	var first bsonval.Doc
	for i, list := range vs {
		switch {
		case list.IsNullish():
			return null, nil
		case list.Type() != bsonval.Array:
			return null, mongoerr.New(17047, "All operands of $setIntersection must be arrays. One argument is of type: %s", list.Type())
		case i == 0:
			first = list.Doc()
		}
	}
	if len(vs) == 0 {
		return bsonval.ArrayOf(), nil
	}
	defer f.Op.HeldAgain(f.Op.Held())
	var others []keySet
	for _, list := range vs[1:] {
		set, err := f.setOf(list.Doc())
		if err != nil {
			return null, err
		}
		others = append(others, set)
	}
	b := bsonval.NewBuilder(64)
	seen := keySet{}
next:
	for v := range first.Values() {
		k := f.keyOf(v)
		for _, o := range others {
			if _, ok := o[k]; !ok {
				continue next
			}
		}
		fresh, err := f.insert(seen, v)
		if err != nil {
			return null, err
		}
		if fresh {
			b.Item(v)
		}
	}
	return b.Array(), nil
}

func setDifference(f *Frame, a, c bsonval.Value) (bsonval.Value, error) {
	switch {
	case a.IsNullish() || c.IsNullish():
		return null, nil
	case a.Type() != bsonval.Array:
		return null, mongoerr.New(17048, "both operands of $setDifference must be arrays. First argument is of type: %s", a.Type())
	case c.Type() != bsonval.Array:
		return null, mongoerr.New(17049, "both operands of $setDifference must be arrays. Second argument is of type: %s", c.Type())
	}
	defer f.Op.HeldAgain(f.Op.Held())
	gone, err := f.setOf(c.Doc())
	if err != nil {
		return null, err
	}
	b := bsonval.NewBuilder(64)
	for v := range a.Doc().Values() {
		fresh, err := f.insert(gone, v)
		if err != nil {
			return null, err
		}
		if fresh {
			b.Item(v)
		}
	}
	return b.Array(), nil
}

func setEquals(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	n := 1
	if arg.Type() == bsonval.Array {
		n = arg.Doc().Len()
	}
	if n < 2 {
		return nil, mongoerr.New(17045, "$setEquals needs at least two arguments had: %d", n)
	}
	return ofMany(2, -1, func(f *Frame, vs []bsonval.Value) (bsonval.Value, error) {
		defer f.Op.HeldAgain(f.Op.Held())
		var first keySet
		for i, list := range vs {
			if list.Type() != bsonval.Array {
				return null, mongoerr.New(17044, "All operands of $setEquals must be arrays. %d-th argument is of type: %s", i+1, list.Type())
			}
			set, err := f.setOf(list.Doc())
			if err != nil {
				return null, err
			}
			if i == 0 {
				first = set
				continue
			}
			if len(set) != len(first) || !set.within(first) {
				return bsonval.BoolValue(false), nil
			}
		}
		return bsonval.BoolValue(true), nil
	})(s, name, arg)
}

func (s keySet) within(t keySet) bool {
	for k := range s {
		if _, ok := t[k]; !ok {
			return false
		}
	}
	return true
}

func setIsSubset(f *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	switch {
	case a.Type() != bsonval.Array:
		return null, mongoerr.New(17046, "both operands of $setIsSubset must be arrays. First argument is of type: %s", a.Type())
	case b.Type() != bsonval.Array:
		return null, mongoerr.New(17042, "both operands of $setIsSubset must be arrays. Second argument is of type: %s", b.Type())
	}
	defer f.Op.HeldAgain(f.Op.Held())
	x, err := f.setOf(a.Doc())
	if err != nil {
		return null, err
	}
	y, err := f.setOf(b.Doc())
	return bsonval.BoolValue(x.within(y)), err
}

// every tells whether all elements have the truth want (all), or one hasn't (any).
func every(name string, code mongoerr.Code, v bsonval.Value, want bool) (bsonval.Value, error) {
	if v.Type() != bsonval.Array {
		return null, mongoerr.New(code, "%s's argument must be an array, but is %s", name, v.Type())
	}
	for item := range v.Doc().Values() {
		if item.Truth() != want {
			return bsonval.BoolValue(!want), nil
		}
	}
	return bsonval.BoolValue(want), nil
}
