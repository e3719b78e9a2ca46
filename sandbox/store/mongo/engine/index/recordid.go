package index

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// RecordID is the record id that a document with that _id has in a clustered collection:
// the binary key that the server makes of the value (KeyString of version 1, its
// src/mongo/db/storage/key_string). It is Missing where there is no _id, and for the few
// decimals of more than 15 digits, which it doesn't make.
func RecordID(id bsonval.Value, c bsonval.Collator) bsonval.Value {
	k := keyString{coll: c}
	if id.IsMissing() || !k.value(id) {
		return bsonval.Value{}
	}
	return bsonval.BinaryValue(0, append(k.out, keyEnd))
}

const keyEnd = 4

// What a value's key begins with, by the server's types.
const (
	keyMin       = 10
	keyUndefined = 15
	keyNull      = 20
	keyNaN       = 30 // the first of the numbers
	keyNegative  = 39 // a negative number whose magnitude takes one byte; one less for each more
	keySmallNeg  = 40
	keyZero      = 41
	keySmall     = 42
	keyPositive  = 43 // a positive number that takes one byte
	keyLarge     = 51
	keyLargeNeg  = 31
	keyText      = 60
	keyObject    = 70
	keyArray     = 80
	keyBinary    = 90
	keyObjectID  = 100
	keyFalse     = 110
	keyDate      = 120
	keyTimestamp = 130
	keyRegex     = 140
	keyDBPointer = 150
	keyCode      = 160
	keyCodeScope = 170
	keyMax       = 240
)

type keyString struct {
	out  []byte
	coll bsonval.Collator
}

func (k *keyString) value(v bsonval.Value) bool {
	k.out = append(k.out, genericKey(v.Type()))
	switch v.Type() {
	case bsonval.Double:
		return k.number(v.Double(), 0)
	case bsonval.Int32, bsonval.Int64:
		k.integer(v.Int64())
	case bsonval.Decimal128:
		return k.decimal(v)
	case bsonval.String:
		if k.coll != nil {
			k.text(string(k.coll.AppendKey(nil, v.Str())))
		} else {
			k.text(v.Str())
		}
	case bsonval.Symbol, bsonval.Code:
		k.text(v.Str())
	case bsonval.Bool:
		if v.Bool() {
			k.out[len(k.out)-1]++
		}
	case bsonval.Date:
		k.out = binary.BigEndian.AppendUint64(k.out, uint64(v.Int64())^1<<63)
	case bsonval.Timestamp:
		k.out = binary.BigEndian.AppendUint64(k.out, v.Timestamp())
	case bsonval.ObjectID:
		k.out = append(k.out, v.Bytes()...)
	case bsonval.Binary:
		k.binary(v)
	case bsonval.Regex:
		k.out = append(k.out, v.Bytes()...)
	case bsonval.Object, bsonval.Array:
		return k.fields(v.Doc(), v.Type() == bsonval.Object)
	case bsonval.DBPointer:
		ns, id := v.DBPointer()
		k.out = append(append(binary.BigEndian.AppendUint32(k.out, uint32(len(ns))), ns...), id[:]...)
	case bsonval.CodeScope:
		code, scope := v.CodeScope()
		k.text(code)
		return k.fields(scope, true)
	}
	return true
}

// genericKey is the byte of a type as the server writes it before a field's name; numbers
// have the least of theirs.
func genericKey(t bsonval.Type) byte {
	switch t {
	case bsonval.MinKey:
		return keyMin
	case bsonval.Undefined:
		return keyUndefined
	case bsonval.Double, bsonval.Int32, bsonval.Int64, bsonval.Decimal128:
		return keyNaN
	case bsonval.String, bsonval.Symbol:
		return keyText
	case bsonval.Object:
		return keyObject
	case bsonval.Array:
		return keyArray
	case bsonval.Binary:
		return keyBinary
	case bsonval.ObjectID:
		return keyObjectID
	case bsonval.Bool:
		return keyFalse
	case bsonval.Date:
		return keyDate
	case bsonval.Timestamp:
		return keyTimestamp
	case bsonval.Regex:
		return keyRegex
	case bsonval.DBPointer:
		return keyDBPointer
	case bsonval.Code:
		return keyCode
	case bsonval.CodeScope:
		return keyCodeScope
	case bsonval.MaxKey:
		return keyMax
	}
	return keyNull
}

// text writes a string with a zero at its end; zeros within it are followed by 0xff.
func (k *keyString) text(s string) {
	for i := range len(s) {
		if k.out = append(k.out, s[i]); s[i] == 0 {
			k.out = append(k.out, 0xff)
		}
	}
	k.out = append(k.out, 0)
}

func (k *keyString) binary(v bsonval.Value) {
	subtype, data := v.Binary()
	if len(data) < 0xff {
		k.out = append(k.out, byte(len(data)))
	} else {
		k.out = binary.BigEndian.AppendUint32(append(k.out, 0xff), uint32(len(data)))
	}
	k.out = append(append(k.out, subtype), data...)
}

func (k *keyString) fields(d bsonval.Doc, named bool) bool {
	for name, v := range d.All() {
		if named {
			k.out = append(append(append(k.out, genericKey(v.Type())), name...), 0)
		}
		if !k.value(v) {
			return false
		}
	}
	k.out = append(k.out, 0)
	return true
}

// first sets the byte that a number begins with.
func (k *keyString) first(b byte) { k.out[len(k.out)-1] = b }

// put writes bytes of a number's magnitude: all bits turned for a negative one.
func (k *keyString) put(n uint64, size int, negative bool) {
	if negative {
		n = ^n
	}
	for i := size - 1; i >= 0; i-- {
		k.out = append(k.out, byte(n>>(8*i)))
	}
}

func (k *keyString) integer(i int64) {
	switch {
	case i == 0:
		k.first(keyZero)
	case i == math.MinInt64:
		k.large(float64(i))
	case i < 0:
		k.whole(uint64(-i)<<1, true)
	default:
		k.whole(uint64(i)<<1, false)
	}
}

// whole writes a magnitude, moved up by the bit that says that a fraction follows.
func (k *keyString) whole(n uint64, negative bool) {
	size := (bits.Len64(n) + 7) / 8
	if negative {
		k.first(byte(keyNegative - size + 1))
	} else {
		k.first(byte(keyPositive + size - 1))
	}
	k.put(n, size, negative)
}

// Marks of a decimal that is no double: whether the double beside it, rounded up to 15
// digits, is the decimal.
const rounded15 = 2

// number writes a double, or the double that a decimal is cut to, with a mark.
func (k *keyString) number(f float64, mark uint64) bool {
	negative, m := f < 0, math.Abs(f)
	switch {
	case m != m:
		k.first(keyNaN)
	case m == 0:
		k.first(keyZero)
	case m < 1:
		return k.small(m, negative, mark)
	case m >= 1<<63:
		if mark != 0 {
			return false
		}
		k.large(f)
	case m == math.Trunc(m) && mark == 0:
		k.whole(uint64(m)<<1, negative)
	default:
		n := uint64(m)
		spare := bits.LeadingZeros64(n<<1) / 8
		if negative {
			k.first(byte(keyNegative - 7 + spare))
		} else {
			k.first(byte(keyPositive + 7 - spare))
		}
		coded := uint64(m*math.Pow(256, float64(spare))) + (n+1)<<(8*spare)
		k.put(coded|mark, 8, negative)
	}
	return true
}

// small writes a magnitude below 1.
func (k *keyString) small(m float64, negative bool, mark uint64) bool {
	k.first(keySmall)
	if negative {
		k.first(keySmallNeg)
	}
	if m >= 0x1p-255 {
		k.put(math.Float64bits(m)<<2|mark, 8, negative)
		return true
	}
	if mark != 0 {
		return false
	}
	k.put(math.Float64bits(m*0x1p256)<<1+1<<62, 8, negative)
	return true
}

// large writes a magnitude of 2^63 and more.
func (k *keyString) large(f float64) {
	k.first(keyLarge)
	if f < 0 {
		k.first(keyLargeNeg)
	}
	n := ^uint64(0)
	if !math.IsInf(f, 0) {
		n = math.Float64bits(f) << 1 &^ (1 << 63)
	}
	k.put(n, 8, f < 0)
}

// decimal writes one that is a double, or has 15 digits at most.
func (k *keyString) decimal(v bsonval.Value) bool {
	digits, exp, ok := bsonval.DecimalParts(v)
	if !ok {
		return k.number(v.Float(), 0) // infinite, or not a number
	}
	if digits.Sign() == 0 {
		return k.number(0, 0)
	}
	if exp > 400 || exp < -400 {
		return false
	}
	f, exact := cut(digits, exp)
	if exact {
		return k.number(f, 0)
	}
	small := new(big.Int).Abs(digits).Cmp(big.NewInt(1e15)) < 0
	if !small || math.Abs(f) >= 1<<53 {
		return false
	}
	return k.number(f, rounded15)
}

// cut is the double next to digits × 10^exp towards zero, and whether it is that number.
func cut(digits *big.Int, exp int) (f float64, exact bool) {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exp, -exp))), nil)
	r := new(big.Rat).SetInt(digits)
	if exp >= 0 {
		r.Mul(r, new(big.Rat).SetInt(ten))
	} else {
		r.Quo(r, new(big.Rat).SetInt(ten))
	}
	f, exact = r.Float64()
	if !exact && new(big.Rat).Abs(new(big.Rat).SetFloat64(f)).Cmp(new(big.Rat).Abs(r)) > 0 {
		f = math.Nextafter(f, 0)
	}
	return f, exact
}
