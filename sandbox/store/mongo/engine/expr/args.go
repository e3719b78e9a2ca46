package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// missing is what an absent field evaluates to, null what most operators answer for it.
var (
	missing = bsonval.Value{}
	null    = bsonval.NullValue()
)

// ofOne builds an operator of exactly one argument.
func ofOne(fn func(f *Frame, v bsonval.Value) (bsonval.Value, error)) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 1, 1)
		if err != nil {
			return nil, err
		}
		e := es[0]
		return Func(func(f *Frame) (bsonval.Value, error) {
			v, err := e.Eval(f)
			if err != nil {
				return v, err
			}
			return fn(f, v)
		}), nil
	}
}

// ofTwo builds an operator of exactly two arguments.
func ofTwo(fn func(f *Frame, a, b bsonval.Value) (bsonval.Value, error)) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 2, 2)
		if err != nil {
			return nil, err
		}
		return binaryOf(es[0], es[1], fn), nil
	}
}

func binaryOf(x, y Expr, fn func(f *Frame, a, b bsonval.Value) (bsonval.Value, error)) Expr {
	return Func(func(f *Frame) (bsonval.Value, error) {
		a, err := x.Eval(f)
		if err != nil {
			return a, err
		}
		b, err := y.Eval(f)
		if err != nil {
			return b, err
		}
		return fn(f, a, b)
	})
}

// ofMany builds an operator that takes least to most arguments (most < 0: any number).
func ofMany(least, most int, fn func(f *Frame, vs []bsonval.Value) (bsonval.Value, error)) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, least, most)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			vs, err := evalAll(f, es)
			if err != nil {
				return missing, err
			}
			return fn(f, vs)
		}), nil
	}
}

func evalAll(f *Frame, es []Expr) ([]bsonval.Value, error) {
	vs := make([]bsonval.Value, len(es))
	for i, e := range es {
		v, err := e.Eval(f)
		if err != nil {
			return nil, err
		}
		vs[i] = v
	}
	return vs, nil
}

// named are the compiled arguments of an operator that takes an object of them.
type named map[string]Expr

// eval answers one argument's value; Missing when it wasn't given.
func (n named) eval(f *Frame, name string) (bsonval.Value, error) {
	e := n[name]
	if e == nil {
		return missing, nil
	}
	return e.Eval(f)
}

// has tells whether the argument was given.
func (n named) has(name string) bool { return n[name] != nil }

// namedCodes are the server's codes for wrong named arguments.
type namedCodes struct {
	notObject, unknown mongoerr.Code
	lacks              mongoerr.Code // used for each that has none of its own
	lack               map[string]mongoerr.Code
}

// namedArgs compiles an object of named arguments.
func namedArgs(s *Scope, op string, arg bsonval.Value, codes namedCodes, required, optional []string) (named, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(codes.notObject, "%s requires an object as an argument, found: %s", op, arg.Type())
	}
	out := named{}
	for name, v := range arg.Doc().All() {
		if !contains(required, name) && !contains(optional, name) {
			return nil, mongoerr.New(codes.unknown, "%s found an unknown argument: %s", op, name)
		}
		e, err := Compile(v, s)
		if err != nil {
			return nil, err
		}
		out[name] = e
	}
	for _, name := range required {
		if out[name] == nil {
			code, ok := codes.lack[name]
			if !ok {
				code = codes.lacks
			}
			return nil, mongoerr.New(code, "%s requires '%s' to be specified", op, name)
		}
	}
	return out, nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// maxBuilt is how large a string or an array an expression may build, in bytes.
const maxBuilt = 64 << 20

func tooLarge(size int) error {
	if size <= maxBuilt {
		return nil
	}
	return mongoerr.New(13548, "BufBuilder attempted to grow() to %d bytes, past the 64MB limit.", size)
}

// int32Of reads an integer argument; ok is false where it isn't one or doesn't fit.
func int32Of(v bsonval.Value) (int, bool) {
	i, ok := v.ExactLong()
	return int(i), ok && int64(int32(i)) == i
}

// unaryOf applies a function to one compiled argument.
func unaryOf(e Expr, fn func(f *Frame, v bsonval.Value) (bsonval.Value, error)) Expr {
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, err := e.Eval(f)
		if err != nil {
			return v, err
		}
		return fn(f, v)
	})
}
