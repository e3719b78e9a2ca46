package bsonval

import (
	"math"
	"testing"
)

func TestKeyLenFindsWhereEachKeyEnds(t *testing.T) {
	dec, _ := ParseDecimal("-0.1")
	big, _ := ParseDecimal("123456789012345678901234567890")
	nested := D(E("a", StringValue("x\x00y")), E("b", ArrayOf(IntValue(1), NullValue(), DocValue(EmptyDoc()))), E("c", dec))
	values := []Value{
		MinKeyValue(), UndefinedValue(), NullValue(), IntValue(-5), LongValue(math.MaxInt64), LongValue(math.MinInt64 + 1),
		DoubleValue(math.NaN()), DoubleValue(0.5), dec, big, StringValue(""), StringValue("a\x00b"), DocValue(nested),
		DocValue(EmptyDoc()), ArrayOf(), ArrayOf(DocValue(nested)), BinaryValue(0, []byte{0, 1, 2}), ObjectIDValue([12]byte{1}),
		BoolValue(true), DateValue(-1), TimestampValue(1, 2), RegexValue("a", "i"), CodeValue("f()"), MaxKeyValue(),
	}
	for _, v := range values {
		for _, inverted := range []bool{false, true} {
			key := AppendKey(nil, v, nil)
			n := len(key)
			if inverted {
				InvertKey(key)
			}
			if got := KeyLen(string(append(key, "\x10tail"...)), inverted); got != n {
				t.Errorf("KeyLen(%s, %v) = %d, want %d", v, inverted, got, n)
			}
		}
	}
}
