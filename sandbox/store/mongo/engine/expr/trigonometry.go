package expr

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// bounds are the closed range in which a function is defined.
type bounds struct {
	low, high string
	inside    func(float64) bool
}

// trigonometry are the operators on angles in radians.
func trigonometry(name string) builder {
	notInfinite := &bounds{"(-inf", "inf)", func(f float64) bool { return !math.IsInf(f, 0) }}
	unit := &bounds{"[-1", "1]", func(f float64) bool { return f >= -1 && f <= 1 }}
	switch name {
	case "$sin":
		return transcendental(name, math.Sin, notInfinite)
	case "$cos":
		return transcendental(name, math.Cos, notInfinite)
	case "$tan":
		return transcendental(name, math.Tan, notInfinite)
	case "$asin":
		return transcendental(name, math.Asin, unit)
	case "$acos":
		return transcendental(name, math.Acos, unit)
	case "$atan":
		return transcendental(name, math.Atan, nil)
	case "$sinh":
		return transcendental(name, math.Sinh, nil)
	case "$cosh":
		return transcendental(name, math.Cosh, nil)
	case "$tanh":
		return transcendental(name, math.Tanh, nil)
	case "$asinh":
		return transcendental(name, math.Asinh, nil)
	case "$acosh":
		return transcendental(name, math.Acosh, &bounds{"[1", "inf]", func(f float64) bool { return f >= 1 }})
	case "$atanh":
		return transcendental(name, math.Atanh, unit)
	case "$atan2":
		return ofTwo(atan2)
	case "$degreesToRadians":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) { return timesRatio(v, true), nil })
	case "$radiansToDegrees":
		return numeric(name, func(v bsonval.Value) (bsonval.Value, error) { return timesRatio(v, false), nil })
	}
	return nil
}

// transcendental answers a double, or a decimal for a decimal.
func transcendental(name string, fn func(float64) float64, within *bounds) builder {
	return numeric(name, func(v bsonval.Value) (bsonval.Value, error) {
		f := v.Float()
		if within != nil && !math.IsNaN(f) && !within.inside(f) {
			return null, mongoerr.New(50989, "cannot apply %s to %s, value must be in %s,%s", name, plainNumber(v), within.low, within.high)
		}
		if v.Type() == bsonval.Decimal128 {
			return decimalFunction(name, v, fn), nil
		}
		return bsonval.DoubleValue(fn(f)), nil
	})
}

func atan2(_ *Frame, y, x bsonval.Value) (bsonval.Value, error) {
	switch {
	case y.IsNumber() && x.IsNumber():
		if y.Type() == bsonval.Decimal128 || x.Type() == bsonval.Decimal128 {
			return decimalAtan2(y, x), nil
		}
		return bsonval.DoubleValue(math.Atan2(y.Float(), x.Float())), nil
	case !y.IsNumber() && !y.IsNullish():
		return null, mongoerr.New(51044, "$atan2 only supports numeric types, not %s and %s", y.Type(), x.Type())
	case !x.IsNumber() && !x.IsNullish():
		return null, mongoerr.New(51045, "$atan2 only supports numeric types, not %s and %s", y.Type(), x.Type())
	}
	return null, nil
}

// timesRatio turns degrees into radians or back.
func timesRatio(v bsonval.Value, toRadians bool) bsonval.Value {
	if v.Type() == bsonval.Decimal128 {
		ratio, _ := bsonval.ParseDecimal("57.29577951308232087679815481410517")
		if toRadians {
			ratio, _ = bsonval.ParseDecimal("0.01745329251994329576923690768488613")
		}
		return bsonval.Mul(v, ratio)
	}
	if toRadians {
		return bsonval.DoubleValue(v.Float() * (math.Pi / 180))
	}
	return bsonval.DoubleValue(v.Float() * (180 / math.Pi))
}

// plainNumber is a number as a stream of C++ writes it: 1 for 1.0.
func plainNumber(v bsonval.Value) string {
	if v.Type() == bsonval.Double {
		return shortDouble(v.Double())
	}
	return v.String()
}
