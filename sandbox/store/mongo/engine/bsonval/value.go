package bsonval

import (
	"encoding/binary"
	"math"
	"time"
	"unsafe"
)

// Value is one BSON value, or Missing (the zero Value). Copying it is cheap, the
// bytes are shared and never change.
//
// Numbers but Decimal128, dates, timestamps and booleans are inline in n; all other
// types keep their bytes exactly as BSON has them (a string with its length and its
// final zero) in b.
type Value struct {
	t Type
	n uint64
	b []byte
}

// Constructors.

func IntValue(i int32) Value      { return Value{t: Int32, n: uint64(int64(i))} }
func LongValue(i int64) Value     { return Value{t: Int64, n: uint64(i)} }
func DoubleValue(f float64) Value { return Value{t: Double, n: math.Float64bits(f)} }
func NullValue() Value            { return Value{t: Null} }
func UndefinedValue() Value       { return Value{t: Undefined} }
func MinKeyValue() Value          { return Value{t: MinKey} }
func MaxKeyValue() Value          { return Value{t: MaxKey} }

// DateValue is a date of ms milliseconds since the Unix epoch.
func DateValue(ms int64) Value { return Value{t: Date, n: uint64(ms)} }

// TimeValue is the date of t, cut to the millisecond.
func TimeValue(t time.Time) Value { return DateValue(t.UnixMilli()) }

// TimestampValue is a BSON timestamp: seconds and increment.
func TimestampValue(t, i uint32) Value { return TimestampOf(uint64(t)<<32 | uint64(i)) }

// TimestampOf is the timestamp of which Value.Timestamp answers ts.
func TimestampOf(ts uint64) Value { return Value{t: Timestamp, n: ts} }

func BoolValue(v bool) Value {
	if v {
		return Value{t: Bool, n: 1}
	}
	return Value{t: Bool}
}

// StringValue copies s.
func StringValue(s string) Value { return Value{t: String, b: stringBytes(s)} }

// SymbolValue and CodeValue copy s.
func SymbolValue(s string) Value { return Value{t: Symbol, b: stringBytes(s)} }
func CodeValue(s string) Value   { return Value{t: Code, b: stringBytes(s)} }

func stringBytes(s string) []byte {
	b := make([]byte, 0, len(s)+5)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)+1))
	b = append(b, s...)
	return append(b, 0)
}

// ObjectIDValue copies id.
func ObjectIDValue(id [12]byte) Value {
	return Value{t: ObjectID, b: append(make([]byte, 0, 12), id[:]...)}
}

// BinaryValue copies data.
func BinaryValue(subtype byte, data []byte) Value {
	b := make([]byte, 0, len(data)+5)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, subtype)
	return Value{t: Binary, b: append(b, data...)}
}

// RegexValue copies both; options must be sorted and neither may hold a zero byte.
func RegexValue(pattern, options string) Value {
	b := make([]byte, 0, len(pattern)+len(options)+2)
	b = append(append(b, pattern...), 0)
	return Value{t: Regex, b: append(append(b, options...), 0)}
}

// DocValue and ArrayValue keep d's bytes. An array's field names should be "0", "1", ….
func DocValue(d Doc) Value   { return Value{t: Object, b: d} }
func ArrayValue(d Doc) Value { return Value{t: Array, b: d} }

// RawValue is the value of type t whose BSON bytes are b, and nothing after it.
// The bytes must be valid; ValidateValue tells.
func RawValue(t Type, b []byte) Value {
	switch t {
	case Double, Date, Timestamp, Int64:
		return Value{t: t, n: binary.LittleEndian.Uint64(b)}
	case Int32:
		return Value{t: t, n: uint64(int64(int32(binary.LittleEndian.Uint32(b))))}
	case Bool:
		return Value{t: t, n: uint64(b[0])}
	}
	return Value{t: t, b: b}
}

// Type and its questions.

func (v Value) Type() Type      { return v.t }
func (v Value) IsMissing() bool { return v.t == Missing }
func (v Value) IsNumber() bool  { return v.t.IsNumber() }

// IsNullish tells null, undefined and missing, which most expressions treat alike.
func (v Value) IsNullish() bool { return v.t == Null || v.t == Missing || v.t == Undefined }

// Accessors read the value as what its type says; on another type they answer
// something meaningless, never a panic for the inline ones.

func (v Value) Int32() int32       { return int32(v.n) }
func (v Value) Int64() int64       { return int64(v.n) } // also the milliseconds of a Date
func (v Value) Double() float64    { return math.Float64frombits(v.n) }
func (v Value) Bool() bool         { return v.n != 0 }
func (v Value) Time() time.Time    { return time.UnixMilli(int64(v.n)).UTC() }
func (v Value) Timestamp() uint64  { return v.n } // seconds<<32 | increment
func (v Value) ObjectID() [12]byte { return [12]byte(v.b) }

// Str is the text of a String, Symbol or Code, without a copy; empty for inline types.
func (v Value) Str() string {
	if len(v.b) < 5 {
		return ""
	}
	return text(v.b[4 : len(v.b)-1])
}

// Doc is the document of an Object or an Array.
func (v Value) Doc() Doc { return Doc(v.b) }

// Binary answers subtype and data (without a copy; subtype 2's inner length removed).
func (v Value) Binary() (byte, []byte) {
	if v.b[4] == 2 && len(v.b) >= 9 {
		return 2, v.b[9:]
	}
	return v.b[4], v.b[5:]
}

// Regex answers pattern and options.
func (v Value) Regex() (pattern, options string) {
	i := 0
	for v.b[i] != 0 {
		i++
	}
	return text(v.b[:i]), text(v.b[i+1 : len(v.b)-1])
}

// DBPointer answers the namespace and the id.
func (v Value) DBPointer() (string, [12]byte) {
	n := len(v.b) - 12
	return text(v.b[4 : n-1]), [12]byte(v.b[n:])
}

// CodeScope answers the code and its scope.
func (v Value) CodeScope() (string, Doc) {
	n := int(binary.LittleEndian.Uint32(v.b[4:]))
	return text(v.b[8 : 8+n-1]), Doc(v.b[8+n:])
}

// Bytes are the value's BSON bytes for the types that are not inline, else nil.
func (v Value) Bytes() []byte { return v.b }

// Append appends the value's BSON bytes, without type and name.
func (v Value) Append(dst []byte) []byte {
	switch v.t {
	case Double, Date, Timestamp, Int64:
		return binary.LittleEndian.AppendUint64(dst, v.n)
	case Int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.n))
	case Bool:
		return append(dst, byte(v.n))
	}
	return append(dst, v.b...)
}

// Size is the number of bytes that Append adds.
func (v Value) Size() int {
	switch v.t {
	case Double, Date, Timestamp, Int64:
		return 8
	case Int32:
		return 4
	case Bool:
		return 1
	}
	return len(v.b)
}

// Clone is the value with bytes of its own, for one that outlives a large buffer.
func (v Value) Clone() Value {
	if v.b != nil {
		v.b = append(make([]byte, 0, len(v.b)), v.b...)
	}
	return v
}

// Same tells whether the two are the same type and the same bytes: 1 and 1.0 are not.
func (v Value) Same(w Value) bool { return v.t == w.t && v.n == w.n && text(v.b) == text(w.b) }

func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
