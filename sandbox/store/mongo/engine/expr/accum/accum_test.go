package accum_test

import (
	"math"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr/accum"
)

func i32(i int32) bsonval.Value   { return bsonval.IntValue(i) }
func i64(i int64) bsonval.Value   { return bsonval.LongValue(i) }
func f64(f float64) bsonval.Value { return bsonval.DoubleValue(f) }
func dec(s string) bsonval.Value  { v, _ := bsonval.ParseDecimal(s); return v }
func text(s string) bsonval.Value { return bsonval.StringValue(s) }
func many(n int, v bsonval.Value) (out []bsonval.Value) {
	for range n {
		out = append(out, v)
	}
	return out
}

func TestSum(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []bsonval.Value
		want bsonval.Value
	}{
		{"nothing is int 0", nil, i32(0)},
		{"what is no number is left out", []bsonval.Value{i32(1), text("x"), bsonval.NullValue()}, i32(1)},
		{"ints become a long when they must", []bsonval.Value{i32(math.MaxInt32), i32(1)}, i64(1 << 31)},
		{"ints that come back stay ints", []bsonval.Value{i32(math.MaxInt32), i32(1), i32(-5)}, i32(math.MaxInt32 - 4)},
		{"longs stay longs", []bsonval.Value{i64(1), i32(2)}, i64(3)},
		{"longs beyond their range are a double", []bsonval.Value{i64(math.MaxInt64), i64(1)}, f64(1 << 63)},
		{"longs that come back are exact", []bsonval.Value{i64(math.MaxInt64), i64(math.MaxInt64), i64(-math.MaxInt64)}, i64(math.MaxInt64)},
		{"doubles are compensated", many(10, f64(0.1)), f64(1)},
		{"a large double doesn't swallow small ones", []bsonval.Value{f64(1e16), f64(1), f64(1), f64(-1e16)}, f64(2)},
		{"longs beside doubles keep their digits", []bsonval.Value{i64(1<<53 + 1), f64(0.5), i64(-(1 << 53))}, f64(1.5)},
		{"infinities", []bsonval.Value{f64(math.Inf(1)), f64(1)}, f64(math.Inf(1))},
		{"decimals win", []bsonval.Value{dec("0.1"), f64(0.25), i32(2)}, dec("2.35")},
		{"decimal sums are exact", many(10, dec("0.1")), dec("1.0")},
	} {
		var s accum.Sum
		for _, v := range c.in {
			s.Add(v)
		}
		got := s.Value()
		same := got.Same(c.want) || c.want.Type() == bsonval.Decimal128 && got.Type() == bsonval.Decimal128 && bsonval.Equal(got, c.want)
		if !same {
			t.Errorf("%s: got %s (%s), want %s (%s)", c.name, got, got.Type(), c.want, c.want.Type())
		}
	}
}

func TestMean(t *testing.T) {
	var s accum.Sum
	s.Add(i32(1))
	s.Add(i64(2))
	if got := s.Mean(2); !got.Same(f64(1.5)) {
		t.Errorf("mean of 1 and 2 is %s", got)
	}
	s.Add(dec("3"))
	if got := s.Mean(3); got.Type() != bsonval.Decimal128 || !bsonval.Equal(got, i32(2)) {
		t.Errorf("mean of 1, 2 and decimal 3 is %s (%s)", got, got.Type())
	}
}

func TestDeviation(t *testing.T) {
	var d accum.Deviation
	if !d.Value(false).IsNullish() {
		t.Error("the deviation of nothing isn't null")
	}
	for _, i := range []int32{2, 4, 4, 4, 5, 5, 7, 9} {
		d.Add(i32(i))
	}
	d.Add(text("x"))
	if got := d.Value(false); !got.Same(f64(2)) {
		t.Errorf("population deviation is %s, want 2", got)
	}
	if got := d.Value(true).Float(); math.Abs(got-2.138089935299395) > 1e-12 {
		t.Errorf("sample deviation is %v", got)
	}
	d.Add(f64(math.NaN()))
	if got := d.Value(false); !got.IsNaN() {
		t.Errorf("the deviation with NaN is %s", got)
	}
}

func TestPercentiles(t *testing.T) {
	var p accum.Percentiles
	if !p.At(0.5).IsNullish() {
		t.Error("the median of nothing isn't null")
	}
	for _, i := range []int32{4, 1, 3, 2} {
		p.Add(i32(i))
	}
	p.Add(text("x"))
	p.Add(f64(math.NaN()))
	for share, want := range map[float64]float64{0: 1, 0.25: 1, 0.5: 2, 0.51: 3, 0.99: 4, 1: 4} {
		if got := p.At(share); !got.Same(f64(want)) {
			t.Errorf("at %v stands %s, want %v", share, got, want)
		}
	}
}
