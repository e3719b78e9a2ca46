package expr

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// arrays are the operators on arrays that take no function.
func arrays(name string) builder {
	switch name {
	case "$arrayElemAt":
		return ofTwo(arrayElemAt)
	case "$concatArrays":
		return concatArrays
	case "$in":
		return ofTwo(in)
	case "$indexOfArray":
		return ofMany(2, 4, indexOfArray)
	case "$isArray":
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			return bsonval.BoolValue(v.Type() == bsonval.Array), nil
		})
	case "$range":
		return ofMany(2, 3, numberRange)
	case "$reverseArray":
		return ofOne(reverseArray)
	case "$size":
		return ofOne(size)
	case "$slice":
		return ofMany(2, 3, slice)
	case "$zip":
		return zip
	case "$sortArray":
		return sortArray
	}
	return nil
}

func arrayElemAt(_ *Frame, list, at bsonval.Value) (bsonval.Value, error) {
	switch {
	case list.IsNullish() || at.IsNullish():
		return null, nil
	case list.Type() != bsonval.Array:
		return null, mongoerr.New(28689, "$arrayElemAt's first argument must be an array, but is %s", list.Type())
	case !at.IsNumber():
		return null, mongoerr.New(28690, "$arrayElemAt's second argument must be a numeric value, but is %s", at.Type())
	}
	i, ok := int32Of(at)
	if !ok {
		return null, mongoerr.New(28691, "$arrayElemAt's second argument must be representable as a 32-bit integer: %s", at)
	}
	if i < 0 {
		if i += list.Doc().Len(); i < 0 {
			return missing, nil
		}
	}
	return list.Doc().At(i), nil
}

func concatArrays(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		b := bsonval.NewBuilder(64)
		for _, e := range es {
			v, err := e.Eval(f)
			switch {
			case err != nil:
				return v, err
			case v.IsNullish():
				return null, nil
			case v.Type() != bsonval.Array:
				return null, mongoerr.New(28664, "$concatArrays only supports arrays, not %s", v.Type())
			}
			if err := f.Op.Check(); err != nil {
				return null, err
			}
			if err := tooLarge(b.Len() + v.Size()); err != nil {
				return null, err
			}
			for item := range v.Doc().Values() {
				b.Item(item)
			}
		}
		return b.Array(), nil
	}), nil
}

func in(f *Frame, v, list bsonval.Value) (bsonval.Value, error) {
	if list.Type() != bsonval.Array {
		return null, mongoerr.New(40081, "$in requires an array as a second argument, found: %s", list.Type())
	}
	for item := range list.Doc().Values() {
		if bsonval.CompareWith(v, item, f.Op.Collator) == 0 {
			return bsonval.BoolValue(true), nil
		}
	}
	return bsonval.BoolValue(false), nil
}

func indexOfArray(f *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	switch {
	case vs[0].IsNullish():
		return null, nil
	case vs[0].Type() != bsonval.Array:
		return null, mongoerr.New(40090, "$indexOfArray requires an array as a first argument, found: %s", vs[0].Type())
	}
	from, to, ok, err := searchRange("$indexOfArray", vs[2:], vs[0].Doc().Len())
	if err != nil || !ok {
		return bsonval.IntValue(-1), err
	}
	i := 0
	for item := range vs[0].Doc().Values() {
		if i >= to {
			break
		}
		if i >= from && bsonval.CompareWith(item, vs[1], f.Op.Collator) == 0 {
			return bsonval.IntValue(int32(i)), nil
		}
		i++
	}
	return bsonval.IntValue(-1), nil
}

// rangeItem is what one number of $range costs, in bytes, where memory is counted.
const rangeItem = 16

func numberRange(f *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	var n [3]int
	n[2] = 1
	words := [...]string{"starting", "ending", "step"}
	for i, v := range vs {
		if !v.IsNumber() {
			if i == 2 {
				return null, mongoerr.New(34447, "$range requires a numeric step value, found value of type: %s", v.Type())
			}
			return null, mongoerr.New(mongoerr.Code(34443+2*i), "$range requires a numeric %s value, found value of type: %s", words[i], v.Type())
		}
		at, ok := int32Of(v)
		if !ok {
			return null, mongoerr.New(mongoerr.Code(34444+2*i), "$range requires %s value that can be represented as a 32-bit integer, found value: %s", article(words[i]), v)
		}
		n[i] = at
	}
	if n[2] == 0 {
		return null, mongoerr.New(34449, "$range requires a non-zero step value")
	}
	if count := (int64(n[1]) - int64(n[0])) / int64(n[2]); count*rangeItem > f.Op.Memory() {
		return null, mongoerr.New(mongoerr.ExceededMemoryLimit, "$range would use too much memory (%d bytes) and cannot spill to disk. Memory limit: %d bytes", count*rangeItem, f.Op.Memory())
	}
	b := bsonval.NewBuilder(64)
	for i := n[0]; n[2] > 0 && i < n[1] || n[2] < 0 && i > n[1]; i += n[2] {
		if err := f.Op.Check(); err != nil {
			return null, err
		}
		b.Item(bsonval.IntValue(int32(i)))
	}
	return b.Array(), nil
}

func article(word string) string {
	if word == "ending" {
		return "an " + word
	}
	return "a " + word
}

func reverseArray(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish():
		return null, nil
	case v.Type() != bsonval.Array:
		return null, mongoerr.New(34435, "The argument to $reverseArray must be an array, but was of type: %s", v.Type())
	}
	items := v.Doc().Slice()
	slices.Reverse(items)
	return bsonval.ArrayOf(items...), nil
}

func size(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	if v.Type() != bsonval.Array {
		return null, mongoerr.New(17124, "The argument to $size must be an array, but was of type: %s", v.Type())
	}
	return bsonval.IntValue(int32(v.Doc().Len())), nil
}

func slice(_ *Frame, vs []bsonval.Value) (bsonval.Value, error) {
	for _, v := range vs {
		if v.IsNullish() {
			return null, nil
		}
	}
	if vs[0].Type() != bsonval.Array {
		return null, mongoerr.New(28724, "First argument to $slice must be an array, but is of type: %s", vs[0].Type())
	}
	var n [2]int
	for i, v := range vs[1:] {
		word := [...]string{"Second", "Third"}[i]
		if !v.IsNumber() {
			return null, mongoerr.New(mongoerr.Code(28725+2*i), "%s argument to $slice must be a numeric value, but is of type: %s", word, v.Type())
		}
		at, ok := int32Of(v)
		if !ok {
			return null, mongoerr.New(mongoerr.Code(28726+2*i), "%s argument to $slice can't be represented as a 32-bit integer: %s", word, v)
		}
		n[i] = at
	}
	items := vs[0].Doc().Slice()
	if len(vs) == 2 {
		if n[0] < 0 {
			return bsonval.ArrayOf(items[max(0, len(items)+n[0]):]...), nil
		}
		return bsonval.ArrayOf(items[:min(n[0], len(items))]...), nil
	}
	if n[1] <= 0 {
		return null, mongoerr.New(28729, "Third argument to $slice must be positive: %s", vs[2])
	}
	from := n[0]
	if from < 0 {
		from = max(0, len(items)+from)
	}
	from = min(from, len(items))
	return bsonval.ArrayOf(items[from:min(from+n[1], len(items))]...), nil
}

// zipper is a compiled $zip.
type zipper struct {
	inputs, defaults []Expr
	longest          bool
}

func zip(s *Scope, _ string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(34460, "$zip only supports an object as an argument, found %s", arg.Type())
	}
	z := &zipper{}
	for name, v := range arg.Doc().All() {
		var err error
		switch name {
		case "inputs":
			if v.Type() != bsonval.Array {
				return nil, mongoerr.New(34461, "inputs must be an array of expressions, found %s", v.Type())
			}
			z.inputs, err = CompileAll(v.Doc(), s)
		case "defaults":
			if v.Type() != bsonval.Array {
				return nil, mongoerr.New(34462, "defaults must be an array of expressions, found %s", v.Type())
			}
			z.defaults, err = CompileAll(v.Doc(), s)
		case "useLongestLength":
			if v.Type() != bsonval.Bool {
				return nil, mongoerr.New(34463, "useLongestLength must be a bool, found %s", v.Type())
			}
			z.longest = v.Bool()
		default:
			err = mongoerr.New(34464, "$zip found an unknown argument: %s", name)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(z.inputs) == 0:
		return nil, mongoerr.New(34465, "$zip requires at least one input array")
	case len(z.defaults) > 0 && !z.longest:
		return nil, mongoerr.New(34466, "cannot specify defaults unless useLongestLength is true")
	case len(z.defaults) > 0 && len(z.defaults) != len(z.inputs):
		return nil, mongoerr.New(34467, "defaults and inputs must have the same length")
	}
	return z, nil
}

// valueCost is what an element costs beside its bytes when an array is taken apart.
const valueCost = 40

func (z *zipper) Eval(f *Frame) (bsonval.Value, error) {
	defer f.Op.HeldAgain(f.Op.Held())
	var lists [][]bsonval.Value
	length := -1
	for _, e := range z.inputs {
		v, err := e.Eval(f)
		switch {
		case err != nil || v.IsNullish():
			return null, err
		case v.Type() != bsonval.Array:
			return null, mongoerr.New(34468, "$zip found a non-array expression in input: %s", v)
		}
		if err := f.Op.Reserve(int64(v.Doc().Len()) * valueCost); err != nil {
			return null, err
		}
		list := v.Doc().Slice()
		lists = append(lists, list)
		if length < 0 || z.longest && len(list) > length || !z.longest && len(list) < length {
			length = len(list)
		}
	}
	defaults, err := evalAll(f, z.defaults)
	if err != nil {
		return null, err
	}
	b := bsonval.NewBuilder(64)
	for i := range length {
		if err := f.Op.Check(); err != nil {
			return null, err
		}
		b.OpenItemArray()
		for j, list := range lists {
			switch {
			case i < len(list):
				b.Item(list[i])
			case len(defaults) > 0:
				b.Item(defaults[j])
			default:
				b.Item(null)
			}
		}
		b.Close()
		if err := tooLarge(b.Len()); err != nil {
			return null, err
		}
	}
	return b.Array(), nil
}
