package bsonval

// Type is a BSON type byte as on the wire; 0 stands for a field that is missing.
type Type byte

// The BSON types (bsonspec.org), by the server's names.
const (
	Missing    Type = 0x00
	Double     Type = 0x01
	String     Type = 0x02
	Object     Type = 0x03
	Array      Type = 0x04
	Binary     Type = 0x05
	Undefined  Type = 0x06
	ObjectID   Type = 0x07
	Bool       Type = 0x08
	Date       Type = 0x09
	Null       Type = 0x0a
	Regex      Type = 0x0b
	DBPointer  Type = 0x0c
	Code       Type = 0x0d
	Symbol     Type = 0x0e
	CodeScope  Type = 0x0f
	Int32      Type = 0x10
	Timestamp  Type = 0x11
	Int64      Type = 0x12
	Decimal128 Type = 0x13
	MinKey     Type = 0xff
	MaxKey     Type = 0x7f
)

var typeNames = [256]string{
	Missing: "missing", Double: "double", String: "string", Object: "object", Array: "array",
	Binary: "binData", Undefined: "undefined", ObjectID: "objectId", Bool: "bool", Date: "date",
	Null: "null", Regex: "regex", DBPointer: "dbPointer", Code: "javascript", Symbol: "symbol",
	CodeScope: "javascriptWithScope", Int32: "int", Timestamp: "timestamp", Int64: "long",
	Decimal128: "decimal", MinKey: "minKey", MaxKey: "maxKey",
}

// String is the name that $type uses: "double", "objectId", "missing".
func (t Type) String() string { return typeNames[t] }

// TypeOfName answers the type with the name that $type takes ("int", "objectId").
// The name "number" is no type and is not found.
func TypeOfName(name string) (Type, bool) {
	if name == "" || name == "missing" {
		return 0, false
	}
	for t, n := range typeNames {
		if n == name {
			return Type(t), true
		}
	}
	return 0, false
}

// Code is the number that $type takes: the type byte, with MinKey as -1.
func (t Type) Code() int {
	if t == MinKey {
		return -1
	}
	return int(t)
}

// TypeOfCode answers the type of a number given to $type.
func TypeOfCode(code int64) (Type, bool) {
	switch {
	case code == -1:
		return MinKey, true
	case code <= 0 || code > 0x7f || typeNames[code] == "":
		return 0, false
	}
	return Type(code), true
}

// IsNumber tells int32, int64, double and Decimal128.
func (t Type) IsNumber() bool {
	return t == Int32 || t == Double || t == Int64 || t == Decimal128
}

// order is the rank of each type in comparisons (the server's canonical type plus
// 1, so that no rank is 0); types with one rank compare by value.
var order = [256]byte{
	MinKey: 1, Missing: 2, Undefined: 2, Null: 6, Int32: 11, Int64: 11, Double: 11, Decimal128: 11,
	String: 16, Symbol: 16, Object: 21, Array: 26, Binary: 31, ObjectID: 36, Bool: 41,
	Date: 46, Timestamp: 48, Regex: 51, DBPointer: 56, Code: 61, CodeScope: 66, MaxKey: 254,
}

// Order is the rank of the type in the sort order across types. Types of one rank
// (all numbers; string and symbol; missing and undefined) compare by value.
func (t Type) Order() byte { return order[t] }
