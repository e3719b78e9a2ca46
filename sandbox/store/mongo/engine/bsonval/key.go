package bsonval

import (
	"encoding/binary"
	"math"
	"math/big"
)

// AppendKey appends bytes that order (by bytes.Compare) as Compare orders values, and
// are equal exactly when Compare says 0: 1, 1.0 and NumberLong(1) have one key. No key
// is the prefix of another, so keys of several values may be strung together.
// Strings are ordered by c; nil is the simple order.
//
// Indexes, $group, distinct and the set operators all use it.
func AppendKey(dst []byte, v Value, c Collator) []byte {
	dst = append(dst, order[v.t])
	switch v.t {
	case Int32, Int64, Double, Decimal128:
		return appendNumber(dst, v)
	case String, Symbol:
		if c != nil {
			return appendBytes(dst, c.AppendKey(nil, v.Str()))
		}
		return appendText(dst, v.Str())
	case Code:
		return appendText(dst, v.Str())
	case Object, Array:
		for it := v.Doc().Iter(); it.Next(); {
			e := it.Value()
			if v.t == Object { // type, name, value: the order of comparison
				dst = append(dst, order[e.t])
				dst = appendText(dst, it.Name())
			}
			dst = AppendKey(dst, e, c)
		}
		return append(dst, 0)
	case Bool:
		return append(dst, byte(v.n))
	case Date:
		return binary.BigEndian.AppendUint64(dst, v.n^1<<63)
	case Timestamp:
		return binary.BigEndian.AppendUint64(dst, v.n)
	case ObjectID:
		return append(dst, v.b...)
	case Binary:
		dst = binary.BigEndian.AppendUint32(dst, binary.LittleEndian.Uint32(v.b))
		return append(dst, v.b[4:]...)
	}
	return appendRare(dst, v)
}

func appendRare(dst []byte, v Value) []byte {
	switch v.t {
	case Regex:
		p, o := v.Regex()
		return appendText(appendText(dst, p), o)
	case DBPointer:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.b)))
		return append(dst, v.b[4:]...)
	case CodeScope:
		code, scope := v.CodeScope()
		return AppendKey(appendText(dst, code), DocValue(scope), nil)
	}
	return dst
}

// InvertKey turns the bytes of a key around in place, for a descending index.
func InvertKey(key []byte) {
	for i := range key {
		key[i] = ^key[i]
	}
}

func appendText(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			dst = append(dst, 0, 0xff)
			continue
		}
		dst = append(dst, s[i])
	}
	return append(dst, 0, 0)
}

func appendBytes(dst, b []byte) []byte { return appendText(dst, text(b)) }

// A number's key is the largest double not above it, eight bytes that order as it
// does, then 0 if that is exact, or 1 and the number's own ordered digits.
func appendNumber(dst []byte, v Value) []byte {
	switch v.t {
	case Int32:
		return append(appendDouble(dst, float64(int32(v.n))), 0)
	case Double:
		return append(appendDouble(dst, v.Double()), 0)
	case Int64:
		i := int64(v.n)
		f := floorDouble(i)
		dst = appendDouble(dst, f)
		if f != 1<<63 && int64(f) == i {
			return append(dst, 0)
		}
		return appendDigits(append(dst, 1), v.decimal())
	}
	return appendDecimalKey(dst, v.decimal())
}

func floorDouble(i int64) float64 {
	f := float64(i)
	if compareDoubleLong(f, i) > 0 {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}

func appendDecimalKey(dst []byte, d decimal) []byte {
	f := d.float()
	if d.class != finite {
		return append(appendDouble(dst, f), 0)
	}
	if math.IsInf(f, 1) { // beyond the doubles, yet finite
		f = math.MaxFloat64
	}
	if !math.IsInf(f, -1) {
		c := decimalOfDouble(f).rat().Cmp(d.rat())
		if c == 0 {
			return append(appendDouble(dst, f), 0)
		}
		if c > 0 {
			f = math.Nextafter(f, math.Inf(-1))
		}
	}
	return appendDigits(append(appendDouble(dst, f), 1), d)
}

func appendDouble(dst []byte, f float64) []byte {
	if math.IsNaN(f) {
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // before -Infinity
	}
	if f == 0 {
		f = 0 // also -0
	}
	b := math.Float64bits(f)
	if b>>63 != 0 {
		b = ^b
	} else {
		b |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, b)
}

// appendDigits orders numbers that share a floor double: sign, exponent of the first
// digit, digits without trailing zeros and an end mark; all turned around below zero.
func appendDigits(dst []byte, d decimal) []byte {
	s := new(big.Int).Abs(d.digits).String()
	exp := len(s) + d.exp
	for len(s) > 1 && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	from := len(dst)
	dst = append(dst, 1)
	dst = binary.BigEndian.AppendUint16(dst, uint16(exp+16_384))
	dst = append(dst, s...)
	dst = append(dst, 0)
	if d.digits.Sign() < 0 {
		InvertKey(dst[from:])
	}
	return dst
}
