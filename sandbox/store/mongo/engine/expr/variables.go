package expr

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// variables are the operators that bind names: $let, $map, $filter, $reduce.
func variables(name string) builder {
	switch name {
	case "$let":
		return let
	case "$map":
		return mapOver
	case "$filter":
		return filterOver
	case "$reduce":
		return reduce
	}
	return nil
}

// CheckVariable tells whether a pipeline may bind a variable of that name.
func CheckVariable(name string) error {
	switch {
	case name == "":
		return mongoerr.New(mongoerr.FailedToParse, "empty variable names are not allowed")
	case name == "CURRENT":
		return nil
	case !(name[0] >= 'a' && name[0] <= 'z' || name[0] >= 0x80):
		return mongoerr.New(mongoerr.FailedToParse, "'%s' starts with an invalid character for a user variable name", name)
	}
	return checkLetters(name)
}

func checkLetters(name string) error {
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80) {
			return mongoerr.New(mongoerr.FailedToParse, "'%s' contains an invalid character for a variable name: '%c'", name, c)
		}
	}
	return nil
}

// binding is a variable's slot and what it is set to.
type binding struct {
	slot int
	e    Expr
}

func let(s *Scope, _ string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(16874, "$let only supports an object as its argument")
	}
	var vars, in bsonval.Value
	for name, v := range arg.Doc().All() {
		switch name {
		case "vars":
			vars = v
		case "in":
			in = v
		default:
			return nil, mongoerr.New(16875, "Unrecognized parameter to $let: %s", name)
		}
	}
	switch {
	case vars.IsMissing():
		return nil, mongoerr.New(16876, "Missing 'vars' parameter to $let")
	case in.IsMissing():
		return nil, mongoerr.New(16877, "Missing 'in' parameter to $let")
	case vars.Type() != bsonval.Object:
		return nil, mongoerr.New(10065, "invalid parameter: expected an object (vars)")
	}
	bindings, inner, err := bind(s, vars.Doc())
	if err != nil {
		return nil, err
	}
	body, err := Compile(in, inner)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		for _, b := range bindings {
			v, err := b.e.Eval(f)
			if err != nil {
				return v, err
			}
			f.Set(b.slot, v)
		}
		return body.Eval(f)
	}), nil
}

// bind compiles variables in the outer scope; none sees another. Their slots lie
// beyond those that the expressions themselves use, so one's evaluation can't
// overwrite another's result.
func bind(s *Scope, vars bsonval.Doc) ([]binding, *Scope, error) {
	inner := s
	var out []binding
	for name := range vars.All() {
		if err := CheckVariable(name); err != nil {
			return nil, nil, err
		}
		var slot int
		inner, slot = inner.Define(name)
		out = append(out, binding{slot: slot})
	}
	i := 0
	for _, v := range vars.All() {
		e, err := Compile(v, s.Beyond(inner))
		if err != nil {
			return nil, nil, err
		}
		out[i].e = e
		i++
	}
	return out, inner, nil
}

// loop are the arguments that $map and $filter share.
type loop struct {
	input, body, limit Expr
	slot               int
}

// loopCodes are the server's codes: no object, an unknown argument, then for the
// lack of input and of the body.
type loopCodes struct{ notObject, unknown, input, body mongoerr.Code }

func compileLoop(s *Scope, op, bodyName string, arg bsonval.Value, codes loopCodes) (*loop, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(codes.notObject, "%s only supports an object as its argument", op)
	}
	var input, body, limit bsonval.Value
	as := "this"
	for name, v := range arg.Doc().All() {
		switch {
		case name == "input":
			input = v
		case name == "as":
			if v.Type() != bsonval.String {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "%s's 'as' parameter must be a string, not %s", op, v.Type())
			}
			as = v.Str()
		case name == bodyName:
			body = v
		case name == "limit" && op == "$filter":
			limit = v
		default:
			return nil, mongoerr.New(codes.unknown, "Unrecognized parameter to %s: %s", op, name)
		}
	}
	switch {
	case input.IsMissing():
		return nil, mongoerr.New(codes.input, "Missing 'input' parameter to %s", op)
	case body.IsMissing():
		return nil, mongoerr.New(codes.body, "Missing '%s' parameter to %s", bodyName, op)
	}
	return newLoop(s, as, input, body, limit)
}

func newLoop(s *Scope, as string, input, body, limit bsonval.Value) (*loop, error) {
	if err := CheckVariable(as); err != nil {
		return nil, err
	}
	l := &loop{}
	var err error
	if l.input, err = Compile(input, s); err != nil {
		return nil, err
	}
	if !limit.IsMissing() {
		if l.limit, err = Compile(limit, s); err != nil {
			return nil, err
		}
	}
	inner, slot := s.Define(as)
	l.slot = slot
	l.body, err = Compile(body, inner)
	return l, err
}

func mapOver(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	l, err := compileLoop(s, name, "in", arg, loopCodes{16878, 16879, 16880, 16882})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		in, err := l.input.Eval(f)
		if err != nil || in.IsNullish() {
			return null, err
		}
		if in.Type() != bsonval.Array {
			return null, mongoerr.New(16883, "input to $map must be an array not %s", in.Type())
		}
		b := bsonval.NewBuilder(in.Size())
		for v := range in.Doc().Values() {
			got, err := l.step(f, v)
			if err != nil {
				return null, err
			}
			b.Item(got)
			if err := tooLarge(b.Len()); err != nil {
				return null, err
			}
		}
		return b.Array(), nil
	}), nil
}

func (l *loop) step(f *Frame, v bsonval.Value) (bsonval.Value, error) {
	if err := f.Op.Check(); err != nil {
		return null, err
	}
	f.Set(l.slot, v)
	return l.body.Eval(f)
}

func filterOver(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	l, err := compileLoop(s, name, "cond", arg, loopCodes{28646, 28647, 28648, 28650})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		in, err := l.input.Eval(f)
		if err != nil || in.IsNullish() {
			return null, err
		}
		if in.Type() != bsonval.Array {
			return null, mongoerr.New(28651, "input to $filter must be an array not %s", in.Type())
		}
		left, err := l.limitOf(f)
		if err != nil {
			return null, err
		}
		b := bsonval.NewBuilder(in.Size())
		for v := range in.Doc().Values() {
			if left == 0 {
				break
			}
			keep, err := l.step(f, v)
			if err != nil {
				return null, err
			}
			if keep.Truth() {
				b.Item(v)
				left--
			}
		}
		return b.Array(), nil
	}), nil
}

// limitOf is how many elements $filter may keep; -1: all.
func (l *loop) limitOf(f *Frame) (int, error) {
	if l.limit == nil {
		return -1, nil
	}
	v, err := l.limit.Eval(f)
	if err != nil || v.IsNullish() {
		return -1, err
	}
	n, ok := int32Of(v)
	switch {
	case !ok:
		return 0, mongoerr.New(327391, "$filter: limit must be represented as a 32-bit integral value: %s", v)
	case n <= 0:
		return 0, mongoerr.New(327392, "$filter: limit must be greater than 0: %d", n)
	}
	return n, nil
}

func reduce(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40075, "$reduce requires an object as an argument, found: %s", arg.Type())
	}
	var parts [3]bsonval.Value // input, initialValue, in
	names := []string{"input", "initialValue", "in"}
	for field, v := range arg.Doc().All() {
		i := slices.Index(names, field)
		if i < 0 {
			return nil, mongoerr.New(40076, "$reduce found an unknown argument: %s", field)
		}
		parts[i] = v
	}
	for i, v := range parts {
		if v.IsMissing() {
			return nil, mongoerr.New(mongoerr.Code(40077+i), "$reduce requires '%s' to be specified", names[i])
		}
	}
	input, err := Compile(parts[0], s)
	if err != nil {
		return nil, err
	}
	initial, err := Compile(parts[1], s)
	if err != nil {
		return nil, err
	}
	inner, this := s.Define("this")
	inner, value := inner.Define("value")
	in, err := Compile(parts[2], inner)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		list, err := input.Eval(f)
		if err != nil || list.IsNullish() {
			return null, err
		}
		if list.Type() != bsonval.Array {
			return null, mongoerr.New(40080, "$reduce requires that 'input' be an array, found: %s", list)
		}
		acc, err := initial.Eval(f)
		if err != nil {
			return null, err
		}
		for v := range list.Doc().Values() {
			if err := f.Op.Check(); err != nil {
				return null, err
			}
			f.Set(this, v)
			f.Set(value, acc)
			if acc, err = in.Eval(f); err != nil {
				return null, err
			}
		}
		return acc, nil
	}), nil
}
