package expr

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// logarithms are roots, powers and logarithms.
func logarithms(name string) builder {
	switch name {
	case "$exp":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) { return function(name, v, math.Exp), nil })
	case "$ln":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) {
			if !positive(v) {
				return null, mongoerr.New(28766, "$ln's argument must be a positive number, but is %s", plainNumber(v))
			}
			return doubleNaN(function(name, v, math.Log)), nil
		})
	case "$log10":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) {
			if !positive(v) {
				return null, mongoerr.New(28761, "$log10's argument must be a positive number, but is %s", plainNumber(v))
			}
			return doubleNaN(function(name, v, math.Log10)), nil
		})
	case "$sqrt":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) {
			if v.Float() < 0 {
				return null, mongoerr.New(28714, "$sqrt's argument must be greater than or equal to 0")
			}
			return function(name, v, math.Sqrt), nil
		})
	case "$log":
		return ofTwo(logarithm)
	case "$pow":
		return ofTwo(power)
	case "$sigmoid":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) {
			return function(name, v, func(f float64) float64 { return 1 / (1 + math.Exp(-f)) }), nil
		})
	}
	return nil
}

func positive(v bsonval.Value) bool { return v.IsNaN() || v.Float() > 0 }

func function(name string, v bsonval.Value, fn func(float64) float64) bsonval.Value {
	if v.Type() == bsonval.Decimal128 {
		return decimalFunction(name, v, fn)
	}
	return bsonval.DoubleValue(fn(v.Float()))
}

// doubleNaN is v, and for a NaN a double whatever it was: logarithms leave decimals
// where they have no answer in them.
func doubleNaN(v bsonval.Value) bsonval.Value {
	if v.IsNaN() {
		return bsonval.DoubleValue(math.NaN())
	}
	return v
}

func logarithm(_ *Frame, v, base bsonval.Value) (bsonval.Value, error) {
	switch {
	case v.IsNullish() || base.IsNullish():
		return null, nil
	case !v.IsNumber():
		return null, mongoerr.New(28756, "$log's argument must be numeric, not %s", v.Type())
	case !base.IsNumber():
		return null, mongoerr.New(28757, "$log's base must be numeric, not %s", base.Type())
	case !positive(v):
		return null, mongoerr.New(28758, "$log's argument must be a positive number, but is %s", plainNumber(v))
	case !positive(base) || base.Float() == 1:
		return null, mongoerr.New(28759, "$log's base must be a positive number not equal to 1, but is %s", plainNumber(base))
	}
	if (v.Type() == bsonval.Decimal128 || base.Type() == bsonval.Decimal128) && !v.IsNaN() && !base.IsNaN() {
		x := decimalFunction("$ln", bsonval.ToDecimal(v), math.Log)
		y := decimalFunction("$ln", bsonval.ToDecimal(base), math.Log)
		out, _ := bsonval.Div(x, y)
		return out, nil
	}
	return bsonval.DoubleValue(math.Log(v.Float()) / math.Log(base.Float())), nil
}

func power(_ *Frame, base, exp bsonval.Value) (bsonval.Value, error) {
	switch {
	case base.IsNullish() || exp.IsNullish():
		return null, nil
	case !base.IsNumber():
		return null, mongoerr.New(28762, "$pow's base must be numeric, not %s", base.Type())
	case !exp.IsNumber():
		return null, mongoerr.New(28763, "$pow's exponent must be numeric, not %s", exp.Type())
	case base.Float() == 0 && exp.Float() < 0:
		return null, mongoerr.New(28764, "$pow cannot take a base of 0 and a negative exponent")
	}
	if base.Type() == bsonval.Decimal128 || exp.Type() == bsonval.Decimal128 {
		return decimalPower(bsonval.ToDecimal(base), bsonval.ToDecimal(exp)), nil
	}
	if base.Type() == bsonval.Double || exp.Type() == bsonval.Double {
		return bsonval.DoubleValue(math.Pow(base.Float(), exp.Float())), nil
	}
	return wholePower(base, exp), nil
}

// wholePower is an integer where it fits one, int if both were, and else a double.
func wholePower(base, exp bsonval.Value) bsonval.Value {
	n := exp.Int64()
	b := base.Int64()
	if n < 0 && b != 1 && b != -1 || n > 63 && b != 0 && b != 1 && b != -1 {
		return bsonval.DoubleValue(math.Pow(float64(b), float64(n)))
	}
	if n < 0 || n > 63 {
		n = 2 + n&1 // 0, 1 and -1 only know odd and even
	}
	out := bsonval.IntValue(1)
	if base.Type() == bsonval.Int64 || exp.Type() == bsonval.Int64 {
		out = bsonval.LongValue(1)
	}
	for range n {
		if out = bsonval.Mul(out, base); out.Type() == bsonval.Double {
			return bsonval.DoubleValue(math.Pow(float64(b), float64(n)))
		}
	}
	return out
}
