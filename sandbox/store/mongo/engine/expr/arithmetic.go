package expr

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr/accum"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// arithmetic are the operators on numbers that keep the server's promotion of types.
func arithmetic(name string) builder {
	switch name {
	case "$add":
		return add
	case "$subtract":
		return ofTwo(subtract)
	case "$multiply":
		return multiply
	case "$divide":
		return ofTwo(divide)
	case "$mod":
		return ofTwo(mod)
	case "$abs":
		return numeric(name, absolute)
	case "$ceil":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) { return roundTo(name, v, 0, towardsPlus) })
	case "$floor":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) { return roundTo(name, v, 0, towardsMinus) })
	case "$round":
		return rounding(halfEven)
	case "$trunc":
		return rounding(towardsZero)
	case "$bitAnd":
		return bitwise(-1, func(a, b int64) int64 { return a & b })
	case "$bitOr":
		return bitwise(0, func(a, b int64) int64 { return a | b })
	case "$bitXor":
		return bitwise(0, func(a, b int64) int64 { return a ^ b })
	case "$bitNot":
		return ofOne(bitNot)
	}
	return nil
}

func add(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	if len(es) == 2 {
		return binaryOf(es[0], es[1], addTwo), nil
	}
	return Func(func(f *Frame) (bsonval.Value, error) { return addMany(f, es) }), nil
}

func addTwo(_ *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	if a.IsNumber() && b.IsNumber() {
		return bsonval.Add(a, b), nil
	}
	if a.IsNullish() {
		return null, nil
	}
	if err := addable(a); err != nil {
		return null, err
	}
	if b.IsNullish() {
		return null, nil
	}
	if err := addable(b); err != nil {
		return null, err
	}
	if a.Type() == bsonval.Date && b.Type() == bsonval.Date {
		return null, twoDates()
	}
	if a.Type() == bsonval.Date {
		return addToDate(a, b)
	}
	return addToDate(b, a)
}

func addable(v bsonval.Value) error {
	if v.IsNumber() || v.Type() == bsonval.Date {
		return nil
	}
	return mongoerr.New(mongoerr.TypeMismatch, "$add only supports numeric or date types, not %s", v.Type())
}

func twoDates() error { return mongoerr.New(16612, "only one date allowed in an $add expression") }

func addMany(f *Frame, es []Expr) (bsonval.Value, error) {
	var sum accum.Sum
	var date bsonval.Value
	for _, e := range es {
		v, err := e.Eval(f)
		switch {
		case err != nil:
			return v, err
		case v.IsNumber():
			sum.Add(v)
			continue
		case v.IsNullish():
			return null, nil
		case v.Type() != bsonval.Date:
			return null, addable(v)
		case !date.IsMissing():
			return null, twoDates()
		}
		date = v
	}
	if date.IsMissing() {
		return sum.Value(), nil
	}
	return addToDate(date, sum.Value())
}

// addToDate adds milliseconds to a date; a fraction is rounded.
func addToDate(date, n bsonval.Value) (bsonval.Value, error) {
	ms, ok := millis(n)
	if !ok {
		return null, mongoerr.New(mongoerr.Overflow, "date overflow in $add")
	}
	return shiftDate("$add", date, ms)
}

func shiftDate(op string, date bsonval.Value, ms int64) (bsonval.Value, error) {
	sum := bsonval.Add(bsonval.LongValue(date.Int64()), bsonval.LongValue(ms))
	if sum.Type() != bsonval.Int64 {
		return null, mongoerr.New(mongoerr.Overflow, "date overflow in %s", op)
	}
	return bsonval.DateValue(sum.Int64()), nil
}

// millis is a number rounded to a whole count of milliseconds.
func millis(n bsonval.Value) (int64, bool) {
	if n.Type() == bsonval.Double {
		f := math.Round(n.Double())
		return int64(f), !math.IsNaN(f) && f < 1<<63 && f >= -(1<<63)
	}
	if n.Type() == bsonval.Decimal128 {
		r, err := roundTo("$round", n, 0, halfEven)
		if err != nil {
			return 0, false
		}
		return r.ExactLong()
	}
	return n.Long(), true
}

func subtract(_ *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	switch {
	case a.IsNumber() && b.IsNumber():
		return bsonval.Sub(a, b), nil
	case a.IsNullish() || b.IsNullish():
		return null, nil
	case a.Type() == bsonval.Date && b.Type() == bsonval.Date:
		return bsonval.LongValue(a.Int64() - b.Int64()), nil
	case a.Type() == bsonval.Date && b.IsNumber():
		ms, ok := millis(b)
		if !ok || ms == math.MinInt64 {
			return null, mongoerr.New(mongoerr.Overflow, "date overflow in $subtract")
		}
		return shiftDate("$subtract", a, -ms)
	}
	return null, mongoerr.New(mongoerr.TypeMismatch, "can't $subtract %s from %s", b.Type(), a.Type())
}

func multiply(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	es, err := Args(s, name, arg, 0, -1)
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		product := bsonval.IntValue(1)
		for _, e := range es {
			v, err := e.Eval(f)
			switch {
			case err != nil:
				return v, err
			case v.IsNullish():
				return null, nil
			case !v.IsNumber():
				return null, mongoerr.New(mongoerr.TypeMismatch, "$multiply only supports numeric types, not %s", v.Type())
			}
			product = bsonval.Mul(product, v)
		}
		return product, nil
	}), nil
}

func divide(_ *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	switch {
	case a.IsNumber() && b.IsNumber():
		v, ok := bsonval.Div(a, b)
		if !ok {
			return null, mongoerr.New(mongoerr.BadValue, "can't $divide by zero")
		}
		return v, nil
	case a.IsNullish() || b.IsNullish():
		return null, nil
	}
	return null, mongoerr.New(mongoerr.TypeMismatch, "$divide only supports numeric types, not %s and %s", a.Type(), b.Type())
}

func mod(_ *Frame, a, b bsonval.Value) (bsonval.Value, error) {
	switch {
	case a.IsNumber() && b.IsNumber():
		v, ok := bsonval.Mod(a, wholeDivisor(a, b))
		if !ok {
			return null, mongoerr.New(16610, "can't $mod by zero")
		}
		return v, nil
	case a.IsNullish() || b.IsNullish():
		return null, nil
	}
	return null, mongoerr.New(16611, "$mod only supports numeric types, not %s and %s", a.Type(), b.Type())
}

// wholeDivisor is b, and an int where a is an integer and b a double that is an int's
// worth: then $mod's answer is an integer too.
func wholeDivisor(a, b bsonval.Value) bsonval.Value {
	if b.Type() != bsonval.Double || a.Type() != bsonval.Int32 && a.Type() != bsonval.Int64 {
		return b
	}
	if n, ok := int32Of(b); ok {
		return bsonval.IntValue(int32(n))
	}
	return b
}

// numeric builds an operator of one number; null stays null.
func numeric(name string, fn func(bsonval.Value) (bsonval.Value, error)) builder {
	return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
		switch {
		case v.IsNumber():
			return fn(v)
		case v.IsNullish():
			return null, nil
		}
		return null, mongoerr.New(28765, "%s only supports numeric types, not %s", name, v.Type())
	})
}

func absolute(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Double:
		return bsonval.DoubleValue(math.Abs(v.Double())), nil
	case bsonval.Decimal128:
		b := append([]byte(nil), v.Bytes()...)
		b[15] &= 0x7f
		return bsonval.RawValue(bsonval.Decimal128, b), nil
	}
	i := v.Int64()
	switch {
	case i == math.MinInt64:
		return null, mongoerr.New(28680, "can't take $abs of long long min")
	case i < 0:
		i = -i
	}
	if v.Type() == bsonval.Int32 {
		return bsonval.NumberValue(i), nil
	}
	return bsonval.LongValue(i), nil
}

func bitwise(neutral int64, op func(a, b int64) int64) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 0, -1)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			acc, long, isNull := neutral, false, false
			for _, e := range es {
				v, err := e.Eval(f)
				switch {
				case err != nil:
					return v, err
				case v.IsNullish():
					isNull = true
				case v.Type() != bsonval.Int32 && v.Type() != bsonval.Int64:
					return null, mongoerr.New(mongoerr.TypeMismatch, "%s only supports int and long operands.", name)
				}
				long = long || v.Type() == bsonval.Int64
				acc = op(acc, v.Int64())
			}
			switch {
			case isNull:
				return null, nil
			case long:
				return bsonval.LongValue(acc), nil
			}
			return bsonval.IntValue(int32(acc)), nil
		}), nil
	}
}

func bitNot(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.Type() == bsonval.Int32:
		return bsonval.IntValue(^v.Int32()), nil
	case v.Type() == bsonval.Int64:
		return bsonval.LongValue(^v.Int64()), nil
	case v.IsNullish():
		return null, nil
	}
	return null, mongoerr.New(28765, "$bitNot only supports int and long, not: %s.", v.Type())
}
