package expr

import (
	"math"
	"math/big"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// bigBits is the precision of intermediate results: 34 digits need 113 bits, the
// rest is for cancellation.
const bigBits = 320

func newBig() *big.Float { return new(big.Float).SetPrec(bigBits) }

func bigOf(v bsonval.Value) (*big.Float, bool) {
	digits, exp, ok := bsonval.DecimalParts(v)
	if !ok {
		return nil, false
	}
	f := newBig().SetInt(digits)
	if exp >= 0 {
		return f.Mul(f, newBig().SetInt(tenTo(exp))), true
	}
	return f.Quo(f, newBig().SetInt(tenTo(-exp))), true
}

func decimalOf(f *big.Float) bsonval.Value {
	v, _ := bsonval.ParseDecimal(f.Text('e', 33))
	return trimDecimal(v)
}

// trimDecimal drops the zeros at the end of a result that came out exact: one with at
// least half of its digits zero. A single zero at the end may be a digit like others.
func trimDecimal(v bsonval.Value) bsonval.Value {
	digits, exp, ok := bsonval.DecimalParts(v)
	switch {
	case !ok:
		return v
	case digits.Sign() == 0:
		return bsonval.FromDecimalParts(digits, 0)
	}
	ten, rest := big.NewInt(10), new(big.Int)
	if new(big.Int).Rem(digits, tenTo(17)).Sign() != 0 {
		return v
	}
	for exp < 0 {
		q, r := new(big.Int).QuoRem(digits, ten, rest)
		if r.Sign() != 0 {
			break
		}
		digits, exp = q, exp+1
	}
	return bsonval.FromDecimalParts(digits, exp)
}

// decimalFunction evaluates a function of a decimal to 34 digits where its argument is
// of ordinary size, and through a double at the edges, where those digits say nothing.
func decimalFunction(name string, v bsonval.Value, fn func(float64) float64) bsonval.Value {
	x, ok := bigOf(v)
	f := v.Float()
	if !ok || math.Abs(f) > 1e4 && name != "$sqrt" && name != "$ln" && name != "$log10" || math.IsInf(f, 0) || x.Sign() != 0 && f == 0 {
		return bsonval.ToDecimal(bsonval.DoubleValue(fn(f)))
	}
	out := bigFunction(name, x)
	switch {
	case out == nil:
		return bsonval.ToDecimal(bsonval.DoubleValue(fn(f)))
	case name == "$sqrt":
		return withExponent(decimalOf(out), v)
	}
	return decimalOf(out)
}

// withExponent is an exact root with half of the square's exponent, so that the root of
// 4.00 is 2.0.
func withExponent(root, square bsonval.Value) bsonval.Value {
	digits, exp, _ := bsonval.DecimalParts(root)
	_, twice, _ := bsonval.DecimalParts(square)
	if half := twice >> 1; half < exp {
		digits.Mul(digits, tenTo(exp-half))
		return bsonval.FromDecimalParts(digits, half)
	}
	return root
}

func bigFunction(name string, x *big.Float) *big.Float {
	one := newBig().SetInt64(1)
	switch name {
	case "$sqrt":
		return newBig().Sqrt(x)
	case "$exp":
		return bigExp(x)
	case "$ln":
		return bigLn(x)
	case "$log10":
		return newBig().Quo(bigLn(x), bigLn(newBig().SetInt64(10)))
	case "$sigmoid":
		e := bigExp(newBig().Neg(x))
		return newBig().Quo(one, e.Add(e, one))
	case "$sinh", "$cosh", "$tanh":
		return bigHyperbolic(name, x)
	case "$sin", "$cos", "$tan":
		sin, cos := bigSinCos(x)
		switch name {
		case "$sin":
			return sin
		case "$cos":
			return cos
		}
		if cos.Sign() == 0 {
			return nil
		}
		return sin.Quo(sin, cos)
	}
	return bigInverse(name, x, one)
}

func bigHyperbolic(name string, x *big.Float) *big.Float {
	up, down := bigExp(x), bigExp(newBig().Neg(x))
	sum, diff := newBig().Add(up, down), newBig().Sub(up, down)
	switch name {
	case "$sinh":
		return diff.Quo(diff, newBig().SetInt64(2))
	case "$cosh":
		return sum.Quo(sum, newBig().SetInt64(2))
	}
	return diff.Quo(diff, sum)
}

func bigInverse(name string, x, one *big.Float) *big.Float {
	square := newBig().Mul(x, x)
	switch name {
	case "$atan":
		return bigAtan(x)
	case "$asin", "$acos":
		rest := newBig().Sub(one, square)
		half := newBig().Quo(bigPi(), newBig().SetInt64(2))
		asin := half
		if rest.Sign() > 0 {
			asin = bigAtan(newBig().Quo(x, newBig().Sqrt(rest)))
		} else if x.Sign() < 0 {
			asin = newBig().Neg(half)
		}
		if name == "$asin" {
			return asin
		}
		return newBig().Sub(half, asin)
	case "$asinh":
		root := newBig().Sqrt(newBig().Add(square, one))
		if x.Sign() < 0 { // avoids cancellation
			return newBig().Neg(bigLn(root.Sub(root, x)))
		}
		return bigLn(root.Add(root, x))
	case "$acosh":
		root := newBig().Sqrt(newBig().Sub(square, one))
		return bigLn(root.Add(root, x))
	case "$atanh":
		below := newBig().Sub(one, x)
		if below.Sign() == 0 || newBig().Add(one, x).Sign() == 0 {
			return nil
		}
		out := bigLn(newBig().Quo(newBig().Add(one, x), below))
		return out.Quo(out, newBig().SetInt64(2))
	}
	return nil
}

// bigExp is e^x: the series for x/2^k, squared k times.
func bigExp(x *big.Float) *big.Float {
	const halvings = 40
	y := newBig().SetMantExp(x, -halvings)
	sum, term := newBig().SetInt64(1), newBig().SetInt64(1)
	for n := int64(1); n < 60; n++ {
		term.Mul(term, y)
		term.Quo(term, newBig().SetInt64(n))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLn is the natural logarithm of x > 0: x = m × 2^e, then Newton on exp.
func bigLn(x *big.Float) *big.Float {
	m := newBig()
	e := x.MantExp(m) // 0.5 <= m < 1
	f, _ := m.Float64()
	y := newBig().SetFloat64(math.Log(f))
	for range 4 {
		ex := bigExp(y)
		diff := newBig().Sub(m, ex)
		sum := newBig().Add(m, ex)
		diff.Quo(diff, sum)
		y.Add(y, diff.Mul(diff, newBig().SetInt64(2)))
	}
	if e == 0 {
		return y
	}
	return y.Add(y, newBig().Mul(newBig().SetInt64(int64(e)), bigLn2()))
}

// bigLn2 is ln 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749).
func bigLn2() *big.Float {
	sum := newBig()
	for _, t := range [][2]int64{{18, 26}, {-2, 4801}, {8, 8749}} {
		a := inverseSeries(t[1], false)
		sum.Add(sum, a.Mul(a, newBig().SetInt64(t[0])))
	}
	return sum
}

// bigPi is by Machin: 16 atan(1/5) - 4 atan(1/239).
func bigPi() *big.Float {
	a, b := inverseSeries(5, true), inverseSeries(239, true)
	a.Mul(a, newBig().SetInt64(16))
	b.Mul(b, newBig().SetInt64(4))
	return a.Sub(a, b)
}

// inverseSeries is atan(1/n), with its signs alternating, or atanh(1/n).
func inverseSeries(n int64, alternate bool) *big.Float {
	square := newBig().SetInt64(n * n)
	term := newBig().Quo(newBig().SetInt64(1), newBig().SetInt64(n))
	sum := newBig().Set(term)
	for k := int64(3); k < 320; k += 2 {
		term.Quo(term, square)
		part := newBig().Quo(term, newBig().SetInt64(k))
		if alternate && k%4 == 3 {
			part.Neg(part)
		}
		sum.Add(sum, part)
	}
	return sum
}

// bigSinCos reduces x by multiples of 2π and takes the series.
func bigSinCos(x *big.Float) (sin, cos *big.Float) {
	turn := newBig().Mul(bigPi(), newBig().SetInt64(2))
	turns, _ := newBig().Quo(x, turn).Int(nil)
	y := newBig().Sub(x, turn.Mul(turn, newBig().SetInt(turns)))
	sin, cos = newBig(), newBig()
	term := newBig().SetInt64(1)
	for n := int64(0); n < 120; n++ {
		part := newBig().Set(term)
		if n%4 >= 2 {
			part.Neg(part)
		}
		if n%2 == 0 {
			cos.Add(cos, part)
		} else {
			sin.Add(sin, part)
		}
		term.Mul(term, y)
		term.Quo(term, newBig().SetInt64(n+1))
	}
	return sin, cos
}

// bigAtan halves the argument until its series converges fast.
func bigAtan(x *big.Float) *big.Float {
	const halvings = 10
	y, one := newBig().Set(x), newBig().SetInt64(1)
	for range halvings { // atan x = 2 atan(x / (1 + √(1+x²)))
		root := newBig().Mul(y, y)
		root.Sqrt(root.Add(root, one))
		y.Quo(y, root.Add(root, one))
	}
	square := newBig().Mul(y, y)
	sum, term := newBig(), newBig().Set(y)
	for k := int64(1); k < 60; k += 2 {
		part := newBig().Quo(term, newBig().SetInt64(k))
		if k%4 == 3 {
			part.Neg(part)
		}
		sum.Add(sum, part)
		term.Mul(term, square)
	}
	return sum.SetMantExp(sum, halvings)
}

func decimalAtan2(y, x bsonval.Value) bsonval.Value {
	v, ok := bigOf(bsonval.ToDecimal(y))
	h, ok2 := bigOf(bsonval.ToDecimal(x))
	if !ok || !ok2 || h.Sign() == 0 || v.Sign() == 0 {
		return bsonval.ToDecimal(bsonval.DoubleValue(math.Atan2(y.Float(), x.Float())))
	}
	a := bigAtan(newBig().Quo(v, h))
	switch {
	case h.Sign() < 0 && v.Sign() > 0:
		a.Add(a, bigPi())
	case h.Sign() < 0:
		a.Sub(a, bigPi())
	}
	return decimalOf(a)
}

// decimalPower multiplies for small whole exponents, which is exact while it fits. It
// answers all 34 digits, as the server does for powers.
func decimalPower(base, exp bsonval.Value) bsonval.Value {
	digits, e, finite := bsonval.DecimalParts(base)
	if n, ok := exp.ExactLong(); ok && finite && n >= -1000 && n <= 1000 {
		return allDigits(wholeDecimalPower(digits, e, int(n)))
	}
	x, ok := bigOf(base)
	y, ok2 := bigOf(exp)
	f := math.Pow(base.Float(), exp.Float())
	if !ok || !ok2 || x.Sign() <= 0 || math.IsInf(f, 0) || f == 0 {
		return bsonval.ToDecimal(bsonval.DoubleValue(f))
	}
	return allDigits(decimalOf(bigExp(y.Mul(y, bigLn(x)))))
}

// wholeDecimalPower is (digits × 10^e)^n, rounded once.
func wholeDecimalPower(digits *big.Int, e, n int) bsonval.Value {
	p := new(big.Int).Exp(digits, big.NewInt(int64(max(n, -n))), nil)
	if n >= 0 {
		return bsonval.FromDecimalParts(p, e*n)
	}
	// Forty digits and a last one that stands for the rest.
	scale := decimalWidth(p) + 40
	q, rest := new(big.Int).QuoRem(tenTo(scale), p, new(big.Int))
	if rest.Sign() != 0 {
		q.Mul(q, big.NewInt(10)).Add(q, big.NewInt(int64(p.Sign())))
		scale++
	}
	return trimDecimal(bsonval.FromDecimalParts(q, e*n-scale))
}
