package expr

import (
	"math"
	"math/big"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// direction is where a number that isn't whole is rounded to.
type direction int

const (
	halfEven direction = iota
	towardsZero
	towardsPlus
	towardsMinus
)

// rounding is $round or $trunc: a number and, if given, the digits after the point.
func rounding(to direction) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		es, err := Args(s, name, arg, 1, 2)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			vs, err := evalAll(f, es)
			if err != nil {
				return null, err
			}
			digits := 0
			if len(vs) == 2 {
				if vs[1].IsNullish() {
					return null, nil
				}
				if digits, err = precision(name, vs[1]); err != nil {
					return null, err
				}
			}
			switch v := vs[0]; {
			case v.IsNumber():
				return roundTo(name, v, digits, to)
			case v.IsNullish():
				return null, nil
			default:
				return null, mongoerr.New(51081, "%s only supports numeric types, not %s", name, v.Type())
			}
		}), nil
	}
}

func precision(name string, v bsonval.Value) (int, error) {
	digits, ok := v.ExactLong()
	switch {
	case !ok:
		return 0, mongoerr.New(51082, "precision argument to  %s must be a integral value", name)
	case digits < -20 || digits > 100:
		return 0, mongoerr.New(51083, "cannot apply %s with precision value %d value must be in [-20, 100]", name, digits)
	}
	return int(digits), nil
}

// roundTo rounds a number to so many digits after the point; its type stays.
func roundTo(name string, v bsonval.Value, digits int, to direction) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Double:
		return bsonval.DoubleValue(roundDouble(v.Double(), digits, to)), nil
	case bsonval.Decimal128:
		return roundDecimal(v, digits, to), nil
	}
	if digits >= 0 {
		return v, nil
	}
	n := quotient(big.NewInt(v.Int64()), tenTo(-digits), to)
	n.Mul(n, tenTo(-digits))
	if !n.IsInt64() {
		return null, mongoerr.New(51080, "invalid conversion from Decimal128 result in %s resulting from arguments: [%s, %d]", name, v, digits)
	}
	if v.Type() == bsonval.Int32 {
		return bsonval.NumberValue(n.Int64()), nil
	}
	return bsonval.LongValue(n.Int64()), nil
}

func roundDouble(f float64, digits int, to direction) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	if digits == 0 {
		switch to {
		case halfEven:
			return math.RoundToEven(f)
		case towardsZero:
			return math.Trunc(f)
		case towardsPlus:
			return math.Ceil(f)
		}
		return math.Floor(f)
	}
	r := new(big.Rat).SetFloat64(f)
	scale := new(big.Rat).SetInt(tenTo(max(digits, -digits)))
	if digits > 0 {
		r.Mul(r, scale)
	} else {
		r.Quo(r, scale)
	}
	r.SetInt(quotient(r.Num(), r.Denom(), to))
	if digits > 0 {
		r.Quo(r, scale)
	} else {
		r.Mul(r, scale)
	}
	out, _ := r.Float64()
	return math.Copysign(out, f)
}

// roundDecimal answers so many digits after the point, zeros too. A number of which 34
// digits don't reach that far keeps its value and gets all 34.
func roundDecimal(v bsonval.Value, digits int, to direction) bsonval.Value {
	n, exp, ok := bsonval.DecimalParts(v)
	if !ok {
		return v
	}
	if exp >= -digits {
		if n.Sign() != 0 && decimalWidth(n)+exp+digits > 34 {
			return allDigits(v)
		}
		return bsonval.FromDecimalParts(n.Mul(n, tenTo(exp+digits)), -digits)
	}
	by := -digits - exp
	if by > 7000 {
		by = 7000 // beyond all digits that a decimal may have
	}
	return bsonval.FromDecimalParts(quotient(n, tenTo(by), to), -digits)
}

// decimalWidth is how many digits a number has.
func decimalWidth(n *big.Int) int { return len(new(big.Int).Abs(n).String()) }

// allDigits is the same number with zeros at its end, so that it has 34 digits.
func allDigits(v bsonval.Value) bsonval.Value {
	n, exp, ok := bsonval.DecimalParts(v)
	if !ok || n.Sign() == 0 {
		return v
	}
	more := min(34-decimalWidth(n), exp+6176)
	if more <= 0 {
		return v
	}
	return bsonval.FromDecimalParts(n.Mul(n, tenTo(more)), exp-more)
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// quotient is n / by, rounded; by is positive.
func quotient(n, by *big.Int, to direction) *big.Int {
	q, r := new(big.Int).QuoRem(n, by, new(big.Int))
	if r.Sign() == 0 {
		return q
	}
	away := big.NewInt(int64(r.Sign()))
	up := false
	switch to {
	case towardsPlus:
		up = r.Sign() > 0
	case towardsMinus:
		up = r.Sign() < 0
	case halfEven:
		half := new(big.Int).Abs(r)
		c := half.Lsh(half, 1).Cmp(by)
		up = c > 0 || c == 0 && q.Bit(0) == 1
	}
	if up {
		q.Add(q, away)
	}
	return q
}
