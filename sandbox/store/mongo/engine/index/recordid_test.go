package index

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func TestARecordIDIsTheServersKey(t *testing.T) {
	dec := func(s string) bsonval.Value { v, _ := bsonval.ParseDecimal(s); return v }
	for _, c := range []struct {
		v    bsonval.Value
		want string
	}{
		{bsonval.IntValue(0), "2904"},
		{bsonval.IntValue(1), "2b0204"},
		{bsonval.DoubleValue(1), "2b0204"},
		{bsonval.LongValue(-1), "27fd04"},
		{bsonval.IntValue(200), "2c019004"},
		{bsonval.LongValue(math.MaxInt64), "32fffffffffffffffe04"},
		{bsonval.DoubleValue(5.5), "2b0b8000000000000004"},
		{bsonval.DoubleValue(-5.5), "27f47fffffffffffff04"},
		{bsonval.DoubleValue(0.5), "2aff8000000000000004"},
		{bsonval.DoubleValue(math.NaN()), "1e04"},
		{bsonval.DoubleValue(math.Inf(1)), "33ffffffffffffffff04"},
		{dec("1.50"), "2b03800000000000" + "0004"},
		{bsonval.StringValue("a\x00b"), "3c6100ff620004"},
		{bsonval.BoolValue(true), "6f04"},
		{bsonval.DateValue(0), "78800000000000000004"},
		{bsonval.ObjectIDValue([12]byte{0x60, 0xa2, 0xf5, 0x70, 11: 1}), "6460a2f570000000000000000104"},
		{bsonval.BinaryValue(4, []byte{1, 2}), "5a0204010204"},
		{bsonval.DocValue(bsonval.D(bsonval.E("a", bsonval.IntValue(1)))), "461e61002b020004"},
		{bsonval.NullValue(), "1404"},
	} {
		got := RecordID(c.v, nil)
		if _, data := got.Binary(); hex.EncodeToString(data) != c.want {
			t.Errorf("%s: %x, not %s", c.v, data, c.want)
		}
	}
	if got := RecordID(dec("1.234567890123456789"), nil); !got.IsMissing() {
		t.Error(got)
	}
}

// The keys' order is that of the values.
func TestRecordIDsSortAsTheirValuesDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	value := func() bsonval.Value {
		switch r.IntN(8) {
		case 0:
			return bsonval.IntValue(r.Int32N(600) - 300)
		case 1:
			return bsonval.LongValue(r.Int64() >> r.IntN(64) * int64(1-2*r.IntN(2)))
		case 2:
			return bsonval.DoubleValue(float64(r.IntN(4000)-2000) / 16)
		case 3:
			return bsonval.DoubleValue(math.Float64frombits(r.Uint64()))
		case 4:
			v, _ := bsonval.ParseDecimal([]string{"0.1", "-0.1", "3.3", "7", "-12.25", "100.01", "1E+20"}[r.IntN(7)])
			return v
		case 5:
			return bsonval.StringValue([]string{"", "a", "ab", "a\x00", "a\x00b", "b"}[r.IntN(6)])
		case 6:
			return bsonval.DocValue(bsonval.D(bsonval.E([]string{"a", "b"}[r.IntN(2)], bsonval.IntValue(r.Int32N(3)))))
		}
		return bsonval.DateValue(r.Int64())
	}
	for range 20000 {
		a, b := value(), value()
		_, x := RecordID(a, nil).Binary()
		_, y := RecordID(b, nil).Binary()
		if a.IsNaN() && b.IsNaN() {
			continue
		}
		if got, want := cmp.Compare(bytes.Compare(x, y), 0), cmp.Compare(bsonval.Compare(a, b), 0); got != want {
			t.Fatalf("%s and %s: %x and %x compare as %d, not %d", a, b, x, y, got, want)
		}
	}
}
