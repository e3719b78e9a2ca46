package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// conditional are the operators that evaluate only a part of their arguments.
func conditional(name string) builder {
	switch name {
	case "$cond":
		return cond
	case "$ifNull":
		return ifNull
	case "$switch":
		return switchOn
	}
	return nil
}

func cond(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es := make([]Expr, 3)
	var err error
	if arg.Type() == bsonval.Object {
		err = condFields(s, arg.Doc(), es)
	} else {
		es, err = Args(s, name, arg, 3, 3)
	}
	if err != nil {
		return nil, err
	}
	test, yes, no := es[0], es[1], es[2]
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, err := test.Eval(f)
		if err != nil {
			return v, err
		}
		if v.Truth() {
			return yes.Eval(f)
		}
		return no.Eval(f)
	}), nil
}

func condFields(s *Scope, d bsonval.Doc, es []Expr) error {
	places := [...]string{"if", "then", "else"}
	for name, v := range d.All() {
		i := 0
		for i < 3 && places[i] != name {
			i++
		}
		if i == 3 {
			return mongoerr.New(17083, "Unrecognized parameter to $cond: %s", name)
		}
		e, err := Compile(v, s)
		if err != nil {
			return err
		}
		es[i] = e
	}
	for i, e := range es {
		if e == nil {
			return mongoerr.New(mongoerr.Code(17080+i), "Missing '%s' parameter to $cond", places[i])
		}
	}
	return nil
}

func ifNull(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	n := 1
	if arg.Type() == bsonval.Array {
		n = arg.Doc().Len()
	}
	if n < 2 {
		return nil, mongoerr.New(1257300, "$ifNull needs at least two arguments, had: %d", n)
	}
	es, err := Args(s, name, arg, 2, -1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (v bsonval.Value, err error) {
		for _, e := range es {
			if v, err = e.Eval(f); err != nil || !v.IsNullish() {
				return v, err
			}
		}
		return v, nil
	}), nil
}

// branch is one case of $switch.
type branch struct{ test, then Expr }

func switchOn(s *Scope, _ string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40060, "$switch requires an object as an argument, found: %s", arg.Type())
	}
	var branches []branch
	var other Expr
	for name, v := range arg.Doc().All() {
		var err error
		switch name {
		case "branches":
			branches, err = compileBranches(s, v)
		case "default":
			other, err = Compile(v, s)
		default:
			err = mongoerr.New(40067, "$switch found an unknown argument: %s", name)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(branches) == 0 {
		return nil, mongoerr.New(40068, "$switch requires at least one branch.")
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		for _, b := range branches {
			v, err := b.test.Eval(f)
			if err != nil {
				return v, err
			}
			if v.Truth() {
				return b.then.Eval(f)
			}
		}
		if other == nil {
			return null, mongoerr.New(40066, "$switch could not find a matching branch for an input, and no default was specified.")
		}
		return other.Eval(f)
	}), nil
}

func compileBranches(s *Scope, v bsonval.Value) ([]branch, error) {
	if v.Type() != bsonval.Array {
		return nil, mongoerr.New(40061, "$switch expected an array for 'branches', found: %s", v.Type())
	}
	var out []branch
	for item := range v.Doc().Values() {
		b, err := compileBranch(s, item)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func compileBranch(s *Scope, v bsonval.Value) (b branch, err error) {
	if v.Type() != bsonval.Object {
		return b, mongoerr.New(40062, "$switch expected each branch to be an object, found: %s", v.Type())
	}
	for name, v := range v.Doc().All() {
		switch name {
		case "case":
			b.test, err = Compile(v, s)
		case "then":
			b.then, err = Compile(v, s)
		default:
			err = mongoerr.New(40063, "$switch found an unknown argument to a branch: %s", name)
		}
		if err != nil {
			return b, err
		}
	}
	switch {
	case b.test == nil:
		return b, mongoerr.New(40064, "$switch requires each branch have a 'case' expression")
	case b.then == nil:
		return b, mongoerr.New(40065, "$switch requires each branch have a 'then' expression.")
	}
	return b, nil
}
