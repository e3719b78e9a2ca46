package expr

import (
	"crypto/md5"
	"encoding/binary"
	"hash"
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// HashedKey is a value's key in a hashed index: the first eight bytes of an MD5 over
// its type and bytes, with all numbers hashed as the long that they are cut to
// (src/mongo/db/hasher.cpp).
func HashedKey(v bsonval.Value) int64 {
	h := md5.New()
	h.Write(make([]byte, 4)) // the seed
	hashValue(h, v, "", false)
	return int64(binary.LittleEndian.Uint64(h.Sum(nil)))
}

func hashValue(h hash.Hash, v bsonval.Value, name string, named bool) {
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(canonicalType(v.Type()))))
	if named {
		h.Write(append([]byte(name), 0))
	}
	switch v.Type() {
	case bsonval.Int32, bsonval.Int64, bsonval.Double, bsonval.Decimal128:
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(longForHash(v))))
	case bsonval.Object, bsonval.Array:
		for n, below := range v.Doc().All() {
			hashValue(h, below, n, true)
		}
		h.Write(make([]byte, 4)) // the end counts as an element without a name
	default:
		h.Write(v.Append(nil))
	}
}

// longForHash is the number as a long; those beyond its range are its ends.
func longForHash(v bsonval.Value) int64 {
	if v.Type() == bsonval.Double && v.Double() >= math.MaxInt64 {
		return math.MaxInt64
	}
	return v.Long()
}

// canonicalType is the server's number for a type in comparisons.
func canonicalType(t bsonval.Type) int32 {
	switch t {
	case bsonval.MinKey:
		return -1
	case bsonval.Missing, bsonval.Undefined:
		return 0
	case bsonval.MaxKey:
		return 127
	}
	return int32(t.Order()) - 1
}
