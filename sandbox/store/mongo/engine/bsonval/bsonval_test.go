package bsonval

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// samples are values in their order; those of one line are equal.
func samples() [][]Value {
	dec := func(s string) Value {
		v, ok := ParseDecimal(s)
		if !ok {
			panic(s)
		}
		return v
	}
	return [][]Value{
		{MinKeyValue()},
		{UndefinedValue(), {}},
		{NullValue()},
		{DoubleValue(math.NaN()), dec("NaN")},
		{DoubleValue(math.Inf(-1)), dec("-Infinity")},
		{dec("-1E+6000")},
		{dec("-1E+400")},
		{DoubleValue(-math.MaxFloat64)},
		{LongValue(math.MinInt64), DoubleValue(math.MinInt64)},
		{LongValue(math.MinInt64 + 1)},
		{DoubleValue(-2.5), dec("-2.50")},
		{IntValue(-1), LongValue(-1), DoubleValue(-1), dec("-1.000")},
		{DoubleValue(-0.1)}, // the nearest double is a little below
		{dec("-0.1")},
		{dec("-1E-6000")},
		{IntValue(0), LongValue(0), DoubleValue(0), DoubleValue(math.Copysign(0, -1)), dec("0"), dec("-0E+5")},
		{dec("1E-6000")},
		{dec("0.1")},
		{DoubleValue(0.1)},
		{IntValue(1), LongValue(1), DoubleValue(1), dec("1"), dec("1.00")},
		{LongValue(1 << 53), DoubleValue(1 << 53)},
		{LongValue(1<<53 + 1), dec("9007199254740993")},
		{dec("9007199254740993.5")},
		{LongValue(math.MaxInt64), dec("9223372036854775807")},
		{DoubleValue(1 << 63)},
		{DoubleValue(math.MaxFloat64)},
		{dec("1E+400")},
		{dec("1E+6000")},
		{DoubleValue(math.Inf(1)), dec("Infinity")},
		{StringValue(""), SymbolValue("")},
		{StringValue("\x00")},
		{StringValue("a"), SymbolValue("a")},
		{StringValue("a\x00")},
		{StringValue("a\x01")},
		{StringValue("aa")},
		{StringValue("b")},
		{DocValue(EmptyDoc())},
		{DocValue(D(E("a", IntValue(1)))), DocValue(D(E("a", DoubleValue(1))))},
		{DocValue(D(E("a", IntValue(1)), E("b", IntValue(1))))},
		{DocValue(D(E("b", IntValue(0))))},
		{DocValue(D(E("a", StringValue("x"))))}, // the type counts before the name
		{ArrayOf()},
		{ArrayOf(IntValue(1)), ArrayOf(LongValue(1))},
		{ArrayOf(IntValue(1), IntValue(2))},
		{ArrayOf(IntValue(2))},
		{BinaryValue(0, nil)},
		{BinaryValue(5, []byte{1})},
		{BinaryValue(0, []byte{1, 2})},
		{ObjectIDValue([12]byte{1})},
		{ObjectIDValue([12]byte{2})},
		{BoolValue(false)},
		{BoolValue(true)},
		{DateValue(-1)},
		{DateValue(0)},
		{TimestampValue(1, 2)},
		{TimestampValue(2, 1)},
		{RegexValue("a", "")},
		{RegexValue("a", "i")},
		{MaxKeyValue()},
	}
}

func TestCompareAndKeysFollowTheSortOrder(t *testing.T) {
	all := samples()
	for i, as := range all {
		for j, bs := range all {
			for _, a := range as {
				for _, b := range bs {
					if got := sign(Compare(a, b)); got != sign(i-j) {
						t.Errorf("compare %s %v with %s %v: %d", a.Type(), a, b.Type(), b, got)
					}
					if got := bytes.Compare(AppendKey(nil, a, nil), AppendKey(nil, b, nil)); got != sign(i-j) {
						t.Errorf("keys of %s %v and %s %v: %d", a.Type(), a, b.Type(), b, got)
					}
				}
			}
		}
	}
}

func sign(i int) int { return min(1, max(-1, i)) }

// No key is the start of another, so that keys of several fields may be joined.
func TestKeysAreNoPrefixes(t *testing.T) {
	var keys []string
	for _, vs := range samples() {
		keys = append(keys, string(AppendKey(nil, vs[0], nil)))
	}
	for i, a := range keys {
		for j, b := range keys {
			if i != j && len(a) <= len(b) && b[:len(a)] == a {
				t.Errorf("key %d is the start of key %d", i, j)
			}
		}
	}
}

func TestArithmeticPromotesAsTheServerDoes(t *testing.T) {
	dec := func(s string) Value { v, _ := ParseDecimal(s); return v }
	for _, c := range []struct {
		name      string
		got, want Value
	}{
		{"int + int", Add(IntValue(1), IntValue(2)), IntValue(3)},
		{"int overflows to long", Add(IntValue(math.MaxInt32), IntValue(1)), LongValue(1 << 31)},
		{"long overflows to double", Add(LongValue(math.MaxInt64), IntValue(1)), DoubleValue(1 << 63)},
		{"long stays long", Add(LongValue(1), IntValue(1)), LongValue(2)},
		{"int + double", Add(IntValue(1), DoubleValue(0.5)), DoubleValue(1.5)},
		{"decimal", Add(dec("1.10"), IntValue(1)), dec("2.10")},
		{"sub", Sub(IntValue(math.MinInt32), IntValue(1)), LongValue(math.MinInt32 - 1)},
		{"mul", Mul(IntValue(1<<20), IntValue(1<<20)), LongValue(1 << 40)},
		{"mul overflows", Mul(LongValue(1<<40), LongValue(1<<40)), DoubleValue(1 << 80)},
		{"mul min", Mul(LongValue(math.MinInt64), IntValue(1)), LongValue(math.MinInt64)},
		{"mul decimal", Mul(dec("1.5"), dec("2.0")), dec("3.00")},
		{"decimal of a double", Add(DoubleValue(0.1), dec("0")), dec("0.100000000000000")},
	} {
		if !c.got.Same(c.want) {
			t.Errorf("%s: got %s %v, want %s %v", c.name, c.got.Type(), c.got, c.want.Type(), c.want)
		}
	}
	third, _ := Div(dec("1"), dec("3"))
	if got := third.DecimalString(); got != "0.3333333333333333333333333333333333" {
		t.Errorf("1/3 = %s", got)
	}
	if _, ok := Div(IntValue(1), IntValue(0)); ok {
		t.Error("division by zero")
	}
	if m, ok := Mod(LongValue(math.MinInt64), LongValue(-1)); !ok || m.Int64() != 0 {
		t.Errorf("min %% -1 = %v", m)
	}
}

func TestTextIsTheServers(t *testing.T) {
	d := D(E("a", IntValue(1)), E("b", StringValue(`x"y`)), E("c", ArrayOf(DoubleValue(1), DoubleValue(0.5))), E("d", NullValue()),
		E("e", DocValue(EmptyDoc())), E("f", ObjectIDValue([12]byte{1})), E("g", DateValue(5)))
	want := `{ a: 1, b: "x\"y", c: [ 1.0, 0.5 ], d: null, e: {}, f: ObjectId('010000000000000000000000'), g: new Date(5) }`
	if got := d.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Whatever Validate accepts can be walked, compared, keyed and printed.
func FuzzValidate(f *testing.F) {
	for _, vs := range samples() {
		f.Add([]byte(D(E("v", vs[0]), E("w", ArrayOf(vs...)))))
	}
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if Validate(b) != nil {
			return
		}
		d := Doc(b)
		walk(d)
		_ = d.String()
		if Compare(DocValue(d), DocValue(d)) != 0 {
			t.Fatal("not equal to itself")
		}
		AppendKey(nil, DocValue(d), nil)
		var out Builder
		out.Fields(d)
		if !out.Doc().Same(d) {
			t.Fatal("copy differs")
		}
	})
}

func walk(d Doc) {
	for _, v := range d.All() {
		switch v.Type() {
		case Object, Array:
			walk(v.Doc())
		case String, Symbol, Code:
			_ = v.Str()
		case Binary:
			v.Binary()
		case Regex:
			v.Regex()
		case DBPointer:
			v.DBPointer()
		case CodeScope:
			_, scope := v.CodeScope()
			walk(scope)
		}
	}
}

// Keys of random numbers order as the numbers do.
func TestNumberKeysOrderRandomNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var vs []Value
	for range 2000 {
		switch rng.IntN(4) {
		case 0:
			vs = append(vs, LongValue(rng.Int64()>>rng.IntN(64)))
		case 1:
			vs = append(vs, DoubleValue(math.Float64frombits(rng.Uint64())))
		case 2:
			vs = append(vs, ToDecimal(DoubleValue(math.Float64frombits(rng.Uint64()))))
		default:
			vs = append(vs, IntValue(int32(rng.IntN(10))))
		}
	}
	slices.SortFunc(vs, Compare)
	for i := 1; i < len(vs); i++ {
		if sign(Compare(vs[i-1], vs[i])) != bytes.Compare(AppendKey(nil, vs[i-1], nil), AppendKey(nil, vs[i], nil)) {
			t.Fatalf("%v and %v", vs[i-1], vs[i])
		}
	}
}
