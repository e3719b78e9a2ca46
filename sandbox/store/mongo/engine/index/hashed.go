package index

import (
	"crypto/md5"
	"encoding/binary"
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Hash is the number that a hashed index keeps for a value, as the server computes it:
// the first eight bytes of an MD5 over seed, type and value, numbers as whole ones.
func Hash(v bsonval.Value) int64 {
	b := hashBytes(make([]byte, 4, 64), "", v) // the seed is 0
	sum := md5.Sum(b)
	return int64(binary.LittleEndian.Uint64(sum[:]))
}

func hashBytes(dst []byte, name string, v bsonval.Value) []byte {
	if v.IsMissing() {
		v = bsonval.NullValue()
	}
	dst = binary.LittleEndian.AppendUint32(dst, canonicalType(v.Type()))
	if name != "" {
		dst = append(append(dst, name[1:]...), 0)
	}
	switch v.Type() {
	case bsonval.Object, bsonval.Array:
		return hashFields(dst, v.Doc())
	case bsonval.CodeScope:
		code, scope := v.CodeScope()
		return hashFields(append(append(dst, code...), 0), scope)
	}
	if v.IsNumber() {
		return binary.LittleEndian.AppendUint64(dst, uint64(wholeNumber(v)))
	}
	return v.Append(dst)
}

func hashFields(dst []byte, d bsonval.Doc) []byte {
	for name, v := range d.All() {
		dst = hashBytes(dst, "."+name, v)
	}
	return append(dst, 0, 0, 0, 0, 0) // the end's type and empty name
}

// wholeNumber cuts the fraction; what doesn't fit is the nearest that does, NaN is 0.
func wholeNumber(v bsonval.Value) int64 {
	f := v.Float()
	switch {
	case v.IsNaN():
		return 0
	case v.Type() != bsonval.Double && v.Type() != bsonval.Decimal128:
		return v.Long()
	case f >= 1<<63:
		return math.MaxInt64
	case f < -(1 << 63):
		return math.MinInt64
	}
	return v.Long()
}

// canonicalType is the server's number for a group of types that compare by value.
func canonicalType(t bsonval.Type) uint32 {
	switch t {
	case bsonval.MinKey, bsonval.MaxKey:
		return uint32(int32(int8(t)))
	case bsonval.Missing, bsonval.Undefined:
		return 0
	}
	return uint32(t.Order()) - 1
}
