// Package accum gathers many values into one: the arithmetic behind $group's and
// $setWindowFields' accumulators and behind the expressions of the same names.
//
// It knows neither documents' streams nor expressions; packages expr and agg feed it.
package accum

import (
	"math"
	"math/bits"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Sum adds numbers as $sum does: exactly while they are integers, with a compensated
// double else, in decimal once a decimal came. The zero Sum is ready.
type Sum struct {
	kind    bsonval.Type // the widest type so far
	low     uint64       // of ints and longs, exactly: the lower half of 128 bits
	high    int64        // and the upper one
	pair    pair         // of all but decimals
	decimal bsonval.Value
}

// Add adds a number; anything else is left out.
func (s *Sum) Add(v bsonval.Value) {
	switch v.Type() {
	case bsonval.Int32, bsonval.Int64:
		s.addLong(v.Int64())
		if v.Type() == bsonval.Int64 && s.kind != bsonval.Double && s.kind != bsonval.Decimal128 {
			s.kind = bsonval.Int64
		} else if s.kind == bsonval.Missing {
			s.kind = bsonval.Int32
		}
	case bsonval.Double:
		s.pair.add(v.Double())
		if s.kind != bsonval.Decimal128 {
			s.kind = bsonval.Double
		}
	case bsonval.Decimal128:
		if s.decimal.IsMissing() {
			s.decimal = v
		} else {
			s.decimal = bsonval.Add(s.decimal, v)
		}
		s.kind = bsonval.Decimal128
	}
}

func (s *Sum) addLong(i int64) {
	low, carry := bits.Add64(s.low, uint64(i), 0)
	s.low, s.high = low, s.high+i>>63+int64(carry)
	s.pair.addLong(i)
}

// Value is the sum; 0 when nothing was added.
func (s *Sum) Value() bsonval.Value {
	switch s.kind {
	case bsonval.Missing:
		return bsonval.IntValue(0)
	case bsonval.Double:
		return bsonval.DoubleValue(s.pair.float())
	case bsonval.Decimal128:
		return bsonval.Add(s.decimal, s.pair.decimal())
	}
	switch whole := int64(s.low); {
	case s.high != whole>>63: // beyond a long
		return bsonval.DoubleValue(s.pair.float())
	case s.kind == bsonval.Int32:
		return bsonval.NumberValue(whole)
	default:
		return bsonval.LongValue(whole)
	}
}

// Mean is the sum divided by n, as a double or a decimal.
func (s *Sum) Mean(n int64) bsonval.Value {
	if s.kind == bsonval.Decimal128 {
		v, _ := bsonval.Div(s.Value(), bsonval.LongValue(n))
		return v
	}
	return bsonval.DoubleValue(s.pair.float() / float64(n))
}

// pair is a double with what rounding lost beside it (Knuth's two-sum).
type pair struct {
	sum, lost float64
	special   float64 // the plain sum, for infinities and NaN
}

func (p *pair) add(f float64) {
	p.special += f
	sum := p.sum + f
	b := sum - p.sum
	p.lost += (p.sum - (sum - b)) + (f - b)
	p.sum = sum
}

func (p *pair) addLong(i int64) {
	high := float64(i)
	if high >= 1<<63 {
		high = math.Nextafter(high, 0)
	}
	p.add(high)
	if low := i - int64(high); low != 0 {
		p.add(float64(low))
	}
}

func (p *pair) float() float64 {
	f := p.sum + p.lost
	if math.IsNaN(f) {
		return p.special
	}
	return f
}

func (p *pair) decimal() bsonval.Value {
	if f := p.float(); math.IsNaN(f) || math.IsInf(f, 0) {
		return bsonval.ToDecimal(bsonval.DoubleValue(f))
	}
	return bsonval.Add(exact(p.sum), exact(p.lost))
}

// exact keeps the integers that a double holds, and else the 15 digits of the server.
func exact(f float64) bsonval.Value {
	if f == math.Trunc(f) && math.Abs(f) < 1<<62 {
		return bsonval.ToDecimal(bsonval.LongValue(int64(f)))
	}
	return bsonval.ToDecimal(bsonval.DoubleValue(f))
}

// Deviation is the standard deviation by Welford's way. The zero Deviation is ready.
type Deviation struct {
	n        int64
	mean, m2 float64
}

// Add takes a number in; anything else is left out.
func (d *Deviation) Add(v bsonval.Value) {
	if !v.IsNumber() {
		return
	}
	f := v.Float()
	d.n++
	if delta := f - d.mean; delta != 0 {
		d.mean += delta / float64(d.n)
		d.m2 += delta * (f - d.mean)
	}
}

// Value is the deviation of a sample or of the whole population; null of too few, NaN
// once a number wasn't finite.
func (d *Deviation) Value(sample bool) bsonval.Value {
	n := d.n
	if sample {
		n--
	}
	if n <= 0 {
		return bsonval.NullValue()
	}
	return bsonval.DoubleValue(math.Sqrt(d.m2 / float64(n)))
}
