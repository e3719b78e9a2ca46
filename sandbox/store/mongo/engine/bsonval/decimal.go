package bsonval

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// decimalDigits is how many digits a Decimal128 holds; the exponents are its range.
const (
	decimalDigits = 34
	decimalMinExp = -6176
	decimalMaxExp = 6111
)

// class tells finite decimals from the special ones, in their order.
type class int8

const (
	nan class = iota
	negInf
	finite
	posInf
)

// decimal is a number taken apart: digits × 10^exp when finite.
type decimal struct {
	class  class
	neg    bool // the sign, also of zero
	digits *big.Int
	exp    int
}

// DecimalValue is the 128 bits of an IEEE 754-2008 decimal, high and low half.
func DecimalValue(h, l uint64) Value {
	b := make([]byte, 16)
	binary.LittleEndian.PutUint64(b, l)
	binary.LittleEndian.PutUint64(b[8:], h)
	return Value{t: Decimal128, b: b}
}

func (v Value) decimal128() bson.Decimal128 {
	return bson.NewDecimal128(binary.LittleEndian.Uint64(v.b[8:]), binary.LittleEndian.Uint64(v.b))
}

// DecimalString is the text of a Decimal128 ("1.50", "NaN", "-Infinity", "1E+3").
func (v Value) DecimalString() string { return v.decimal128().String() }

// ParseDecimal reads a decimal number, rounded half-even to 34 digits.
func ParseDecimal(s string) (Value, bool) {
	if d, err := bson.ParseDecimal128(s); err == nil {
		h, l := d.GetBytes()
		return DecimalValue(h, l), true
	}
	d, ok := parseDecimal(s)
	if !ok {
		return Value{}, false
	}
	return d.value(), true
}

func parseDecimal(s string) (decimal, bool) {
	mantissa, e, hasExp := strings.Cut(strings.ToLower(s), "e")
	exp := 0
	if hasExp {
		n, err := strconv.Atoi(e)
		if err != nil {
			return decimal{}, false
		}
		exp = n
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := whole + frac
	if len(digits) > 10_000 || strings.Trim(strings.TrimLeft(digits, "+-"), "0123456789") != "" {
		return decimal{}, false
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return decimal{}, false
	}
	return decimal{class: finite, neg: strings.HasPrefix(s, "-"), digits: n, exp: exp - len(frac)}, true
}

// decimal takes any number apart; a double becomes the exact decimal of its bits.
func (v Value) decimal() decimal {
	switch v.t {
	case Double:
		return decimalOfDouble(v.Double())
	case Decimal128:
		d := v.decimal128()
		neg := v.b[15]&0x80 != 0
		switch {
		case d.IsNaN():
			return decimal{class: nan, digits: new(big.Int)}
		case d.IsInf() > 0:
			return decimal{class: posInf, digits: new(big.Int)}
		case d.IsInf() < 0:
			return decimal{class: negInf, neg: true, digits: new(big.Int)}
		}
		n, exp, err := d.BigInt()
		if err != nil { // non-canonical bits mean zero
			return decimal{class: finite, digits: new(big.Int)}
		}
		return decimal{class: finite, neg: neg, digits: n, exp: exp}
	}
	return decimal{class: finite, neg: int64(v.n) < 0, digits: big.NewInt(int64(v.n))}
}

func decimalOfDouble(f float64) decimal {
	switch {
	case math.IsNaN(f):
		return decimal{class: nan, digits: new(big.Int)}
	case math.IsInf(f, 1):
		return decimal{class: posInf, digits: new(big.Int)}
	case math.IsInf(f, -1):
		return decimal{class: negInf, neg: true, digits: new(big.Int)}
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<62 {
		return decimal{class: finite, neg: math.Signbit(f), digits: big.NewInt(int64(f))}
	}
	// f = m × 2^e; with e < 0 that is m × 5^-e × 10^e.
	frac, e := math.Frexp(f)
	m, e := big.NewInt(int64(frac*(1<<53))), e-53
	if e >= 0 {
		return decimal{class: finite, neg: f < 0, digits: m.Lsh(m, uint(e))}
	}
	five := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(-e)), nil)
	return decimal{class: finite, neg: f < 0, digits: m.Mul(m, five), exp: e}
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// value rounds half-even to what a Decimal128 holds; too large is infinite.
func (d decimal) value() Value {
	switch d.class {
	case nan:
		return DecimalValue(0x7c00_0000_0000_0000, 0)
	case posInf:
		return DecimalValue(0x7800_0000_0000_0000, 0)
	case negInf:
		return DecimalValue(0xf800_0000_0000_0000, 0)
	}
	digits, exp := d.digits, d.exp
	if n := digitCount(digits); n > decimalDigits {
		digits = divRound(digits, n-decimalDigits)
		exp += n - decimalDigits
		if digitCount(digits) > decimalDigits {
			digits, exp = divRound(digits, 1), exp+1
		}
	}
	if exp < decimalMinExp {
		digits = divRound(digits, decimalMinExp-exp)
		exp = decimalMinExp
	}
	for exp > decimalMaxExp && digits.Sign() != 0 && digitCount(digits) < decimalDigits {
		digits, exp = new(big.Int).Mul(digits, big.NewInt(10)), exp-1
	}
	if exp > decimalMaxExp {
		if digits.Sign() != 0 {
			if d.neg {
				return decimal{class: negInf}.value()
			}
			return decimal{class: posInf}.value()
		}
		exp = decimalMaxExp
	}
	out, _ := bson.ParseDecimal128FromBigInt(digits, exp)
	h, l := out.GetBytes()
	if d.neg {
		h |= 1 << 63
	}
	return DecimalValue(h, l)
}

func digitCount(n *big.Int) int {
	if n.Sign() == 0 {
		return 1
	}
	s := len(n.String())
	if n.Sign() < 0 {
		s--
	}
	return s
}

// divRound is n / 10^k, half to even.
func divRound(n *big.Int, k int) *big.Int {
	if k > 12_000 {
		return new(big.Int)
	}
	by := pow10(k)
	q, r := new(big.Int).QuoRem(n, by, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	c := r.Cmp(by)
	if c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(n.Sign())))
	}
	return q
}

// ToDecimal converts any number to a Decimal128: a double to the 15 digits that the
// server keeps, integers exactly.
func ToDecimal(v Value) Value {
	switch v.t {
	case Decimal128:
		return v
	case Double:
		return decimalOf15Digits(v.Double())
	}
	return v.decimal().value()
}

// decimalOf15Digits rounds as the server's Decimal128(double) does.
func decimalOf15Digits(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
		return decimalOfDouble(f).value()
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return decimalOfDouble(f).value()
	}
	d, _ := ParseDecimal(strconv.FormatFloat(f, 'E', 14, 64))
	return d
}

// FromDecimalParts is digits × 10^exp rounded to a Decimal128.
func FromDecimalParts(digits *big.Int, exp int) Value {
	return decimal{class: finite, neg: digits.Sign() < 0, digits: digits, exp: exp}.value()
}

// DecimalParts takes a finite number apart into digits × 10^exp; ok is false for NaN
// and the infinities.
func DecimalParts(v Value) (digits *big.Int, exp int, ok bool) {
	d := v.decimal()
	return d.digits, d.exp, d.class == finite
}

func (d decimal) float() float64 {
	switch d.class {
	case nan:
		return math.NaN()
	case negInf:
		return math.Inf(-1)
	case posInf:
		return math.Inf(1)
	}
	f, _ := strconv.ParseFloat(d.digits.String()+"e"+strconv.Itoa(d.exp), 64)
	if f == 0 && d.neg {
		return math.Copysign(0, -1)
	}
	return f
}
