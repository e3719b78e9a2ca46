package bsonval

import (
	"math"
	"math/big"
	"math/bits"
)

// Float is any number as a double; other types give 0.
func (v Value) Float() float64 {
	switch v.t {
	case Double:
		return v.Double()
	case Int32, Int64:
		return float64(int64(v.n))
	case Decimal128:
		return v.decimal().float()
	}
	return 0
}

// Long is any number as an int64, cut towards zero and held within the range; NaN and
// other types give 0.
func (v Value) Long() int64 {
	switch v.t {
	case Int32, Int64, Date:
		return int64(v.n)
	case Double:
		return clampLong(v.Double())
	case Decimal128:
		d := v.decimal()
		if d.class == nan {
			return 0
		}
		if d.class == finite {
			if i, ok := d.whole(true); ok {
				return i
			}
		}
		return clampLong(d.float())
	}
	return 0
}

func clampLong(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f < -(1 << 63):
		return math.MinInt64
	}
	return int64(f)
}

// whole is the decimal as an int64; cut allows a fraction to be dropped.
func (d decimal) whole(cut bool) (int64, bool) {
	if d.digits.Sign() == 0 {
		return 0, true
	}
	if d.exp > 19 {
		return 0, false
	}
	n := d.digits
	if d.exp > 0 {
		n = new(big.Int).Mul(n, pow10(d.exp))
	} else if d.exp < 0 {
		r := new(big.Int)
		n, r = new(big.Int).QuoRem(n, pow10(-d.exp), r)
		if r.Sign() != 0 && !cut {
			return 0, false
		}
	}
	return n.Int64(), n.IsInt64()
}

// ExactLong is the number as an int64 if that loses nothing: 3.0 does, 3.5 does not.
func (v Value) ExactLong() (int64, bool) {
	switch v.t {
	case Int32, Int64:
		return int64(v.n), true
	case Double:
		f := v.Double()
		if f != math.Trunc(f) || f >= 1<<63 || f < -(1<<63) {
			return 0, false
		}
		return int64(f), true
	case Decimal128:
		if d := v.decimal(); d.class == finite {
			return d.whole(false)
		}
	}
	return 0, false
}

// IsNaN tells a number that is none.
func (v Value) IsNaN() bool {
	return v.t == Double && math.IsNaN(v.Double()) || v.t == Decimal128 && v.decimal128().IsNaN()
}

// IsInf tells an infinite number.
func (v Value) IsInf() bool {
	return v.t == Double && math.IsInf(v.Double(), 0) || v.t == Decimal128 && v.decimal128().IsInf() != 0
}

// Truth is the value in a condition: false, null, undefined, missing and 0 are false.
func (v Value) Truth() bool {
	switch v.t {
	case Missing, Null, Undefined:
		return false
	case Bool, Int32, Int64:
		return v.n != 0
	case Double:
		return v.Double() != 0
	case Decimal128:
		d := v.decimal()
		return d.class != finite || d.digits.Sign() != 0
	}
	return true
}

// wider is the type that arithmetic on the two gives.
func wider(a, b Type) Type {
	switch {
	case a == Decimal128 || b == Decimal128:
		return Decimal128
	case a == Double || b == Double:
		return Double
	case a == Int64 || b == Int64:
		return Int64
	}
	return Int32
}

// Add is a + b with the server's promotion: int to long when it doesn't fit, long to
// double when that overflows, decimal with anything. Both must be numbers.
func Add(a, b Value) Value {
	switch wider(a.t, b.t) {
	case Decimal128:
		return addDecimal(ToDecimal(a).decimal(), ToDecimal(b).decimal())
	case Double:
		return DoubleValue(a.Float() + b.Float())
	}
	x, y := int64(a.n), int64(b.n)
	sum := x + y
	if (sum > x) != (y > 0) && y != 0 {
		return DoubleValue(float64(x) + float64(y))
	}
	return integer(sum, a.t, b.t)
}

// Sub is a - b.
func Sub(a, b Value) Value {
	switch wider(a.t, b.t) {
	case Decimal128:
		y := ToDecimal(b).decimal()
		return addDecimal(ToDecimal(a).decimal(), y.negated())
	case Double:
		return DoubleValue(a.Float() - b.Float())
	}
	x, y := int64(a.n), int64(b.n)
	diff := x - y
	if (diff < x) != (y > 0) && y != 0 {
		return DoubleValue(float64(x) - float64(y))
	}
	return integer(diff, a.t, b.t)
}

// Mul is a × b.
func Mul(a, b Value) Value {
	switch wider(a.t, b.t) {
	case Decimal128:
		return mulDecimal(ToDecimal(a).decimal(), ToDecimal(b).decimal())
	case Double:
		return DoubleValue(a.Float() * b.Float())
	}
	x, y := int64(a.n), int64(b.n)
	if product, ok := mulLong(x, y); ok {
		return integer(product, a.t, b.t)
	}
	return DoubleValue(float64(x) * float64(y))
}

func mulLong(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(abs(x)), uint64(abs(y)))
	neg := (x < 0) != (y < 0)
	if hi != 0 || lo > 1<<63 || lo == 1<<63 && !neg {
		return 0, false
	}
	if neg {
		return -int64(lo), true
	}
	return int64(lo), true
}

func abs(x int64) int64 { // MinInt64 stays, as its bits are the right magnitude
	if x < 0 {
		return -x
	}
	return x
}

// integer is i as an int where both were and it fits, else as a long.
func integer(i int64, a, b Type) Value {
	if a == Int32 && b == Int32 {
		return NumberValue(i)
	}
	return LongValue(i)
}

// Div is a ÷ b, always a double or a decimal. ok is false when b is zero.
func Div(a, b Value) (v Value, ok bool) {
	if wider(a.t, b.t) == Decimal128 {
		return divDecimal(ToDecimal(a).decimal(), ToDecimal(b).decimal())
	}
	if b.Float() == 0 {
		return Value{}, false
	}
	return DoubleValue(a.Float() / b.Float()), true
}

// Mod is the remainder of a ÷ b with the sign of a. ok is false when b is zero.
func Mod(a, b Value) (v Value, ok bool) {
	switch wider(a.t, b.t) {
	case Decimal128:
		return modDecimal(ToDecimal(a).decimal(), ToDecimal(b).decimal())
	case Double:
		if b.Float() == 0 {
			return Value{}, false
		}
		return DoubleValue(math.Mod(a.Float(), b.Float())), true
	}
	x, y := int64(a.n), int64(b.n)
	if y == 0 {
		return Value{}, false
	}
	if y == -1 { // MinInt64 % -1 traps on some processors
		return integer(0, a.t, b.t), true
	}
	return integer(x%y, a.t, b.t), true
}

func (d decimal) negated() decimal {
	switch d.class {
	case posInf:
		d.class = negInf
	case negInf:
		d.class = posInf
	}
	d.neg = !d.neg
	d.digits = new(big.Int).Neg(d.digits)
	return d
}

func addDecimal(x, y decimal) Value {
	if x.class != finite || y.class != finite {
		switch {
		case x.class == nan || y.class == nan, x.class != finite && y.class != finite && x.class != y.class:
			return decimal{class: nan}.value()
		case x.class != finite:
			return x.value()
		}
		return y.value()
	}
	if x.exp < y.exp {
		x, y = y, x
	}
	// Beyond 34 digits of distance and a guard the smaller one can't matter.
	if x.exp-y.exp > 2*decimalDigits+decimalDigits && x.digits.Sign() != 0 {
		up := x.exp - y.exp - 3*decimalDigits
		y = decimal{class: finite, digits: big.NewInt(int64(y.digits.Sign())), exp: y.exp + up}
	}
	sum := new(big.Int).Mul(x.digits, pow10(x.exp-y.exp))
	sum.Add(sum, y.digits)
	return decimal{class: finite, neg: sum.Sign() < 0 || sum.Sign() == 0 && x.neg && y.neg, digits: sum, exp: y.exp}.value()
}

func mulDecimal(x, y decimal) Value {
	neg := x.neg != y.neg
	if x.class != finite || y.class != finite {
		zero := x.class == finite && x.digits.Sign() == 0 || y.class == finite && y.digits.Sign() == 0
		switch {
		case x.class == nan || y.class == nan || zero:
			return decimal{class: nan}.value()
		case neg:
			return decimal{class: negInf}.value()
		}
		return decimal{class: posInf}.value()
	}
	return decimal{class: finite, neg: neg, digits: new(big.Int).Mul(x.digits, y.digits), exp: x.exp + y.exp}.value()
}

func divDecimal(x, y decimal) (Value, bool) {
	if y.class == finite && y.digits.Sign() == 0 {
		return Value{}, false
	}
	neg := x.neg != y.neg
	switch {
	case x.class == nan || y.class == nan || x.class != finite && y.class != finite:
		return decimal{class: nan}.value(), true
	case x.class != finite && neg:
		return decimal{class: negInf}.value(), true
	case x.class != finite:
		return decimal{class: posInf}.value(), true
	case y.class != finite:
		return decimal{class: finite, neg: neg, digits: new(big.Int), exp: decimalMinExp}.value(), true
	}
	// One digit more than needed, and a sticky one for what remains.
	shift := max(0, decimalDigits+2+digitCount(y.digits)-digitCount(x.digits))
	n := new(big.Int).Mul(x.digits, pow10(shift))
	q, r := n.QuoRem(n, y.digits, new(big.Int))
	exp := x.exp - y.exp - shift
	if r.Sign() != 0 {
		q.Mul(q, big.NewInt(10))
		q.Add(q, big.NewInt(int64(x.digits.Sign()*y.digits.Sign())))
		return decimal{class: finite, neg: neg, digits: q, exp: exp - 1}.value(), true
	}
	// An exact quotient has the exponent nearest to the ideal one.
	ten, rem := big.NewInt(10), new(big.Int)
	for exp < x.exp-y.exp && q.Sign() != 0 {
		p, m := new(big.Int).QuoRem(q, ten, rem)
		if m.Sign() != 0 {
			break
		}
		q, exp = p, exp+1
	}
	return decimal{class: finite, neg: neg, digits: q, exp: exp}.value(), true
}

func modDecimal(x, y decimal) (Value, bool) {
	switch {
	case y.class == finite && y.digits.Sign() == 0:
		return Value{}, false
	case x.class != finite || y.class == nan:
		return decimal{class: nan}.value(), true
	case y.class != finite:
		return x.value(), true
	}
	exp := min(x.exp, y.exp)
	a := new(big.Int).Mul(x.digits, pow10(x.exp-exp))
	b := new(big.Int).Mul(y.digits, pow10(y.exp-exp))
	return decimal{class: finite, neg: x.neg, digits: a.Rem(a, b), exp: exp}.value(), true
}
