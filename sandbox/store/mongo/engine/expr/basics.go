package expr

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// basics are the operators that the engine itself leans on: literals, comparison, logic.
func basics(name string) builder {
	switch name {
	case "$literal", "$const":
		return func(_ *Scope, _ string, arg bsonval.Value) (Expr, error) { return constant{arg}, nil }
	case "$expr":
		return func(s *Scope, _ string, arg bsonval.Value) (Expr, error) { return Compile(arg, s) }
	case "$eq":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c == 0) })
	case "$ne":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c != 0) })
	case "$gt":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c > 0) })
	case "$gte":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c >= 0) })
	case "$lt":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c < 0) })
	case "$lte":
		return comparison(func(c int) bsonval.Value { return bsonval.BoolValue(c <= 0) })
	case "$cmp":
		return comparison(func(c int) bsonval.Value { return bsonval.IntValue(int32(min(1, max(-1, c)))) })
	case "$and":
		return junction(false)
	case "$or":
		return junction(true)
	case "$not":
		return not
	}
	return nil
}

func comparison(answer func(int) bsonval.Value) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 2, 2)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			a, err := es[0].Eval(f)
			if err != nil {
				return a, err
			}
			b, err := es[1].Eval(f)
			if err != nil {
				return b, err
			}
			return answer(bsonval.CompareWith(a, b, f.Op.Collator)), nil
		}), nil
	}
}

// junction is $and or $or: it ends at the first value whose truth is stop.
func junction(stop bool) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 0, -1)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			for _, e := range es {
				v, err := e.Eval(f)
				if err != nil {
					return v, err
				}
				if v.Truth() == stop {
					return bsonval.BoolValue(stop), nil
				}
			}
			return bsonval.BoolValue(!stop), nil
		}), nil
	}
}

func not(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 1, 1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		v, err := es[0].Eval(f)
		return bsonval.BoolValue(!v.Truth()), err
	}), nil
}
