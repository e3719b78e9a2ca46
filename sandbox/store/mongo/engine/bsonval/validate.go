package bsonval

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxDocument is the largest document that a client may store, in bytes; MaxDepth
// how deep documents and arrays may nest.
const (
	MaxDocument = 16 << 20
	MaxDepth    = 180
)

// ErrTooDeep says that a document nests deeper than it may.
var ErrTooDeep = errors.New("bson nests too deeply")

// Validate tells whether b is exactly one well-formed document. After it no walker
// can run out of the bytes.
func Validate(b []byte) error {
	n, err := validateDoc(b, 0)
	if err != nil {
		return err
	}
	if n != len(b) {
		return fmt.Errorf("bson document has %d bytes after its end", len(b)-n)
	}
	return nil
}

// Size32 reads the length that a document begins with, or -1.
func Size32(b []byte) int {
	if len(b) < 5 {
		return -1
	}
	n := int32(binary.LittleEndian.Uint32(b))
	if n < 5 || int(n) > len(b) {
		return -1
	}
	return int(n)
}

func validateDoc(b []byte, depth int) (int, error) {
	if depth > MaxDepth {
		return 0, ErrTooDeep
	}
	n := Size32(b)
	if n < 0 {
		return 0, errors.New("bson length doesn't match the object we found")
	}
	b = b[:n]
	if b[n-1] != 0 {
		return 0, errors.New("bson document isn't terminated by a zero byte")
	}
	at := 4
	for at < n-1 {
		t := Type(b[at])
		name := bytes.IndexByte(b[at+1:n-1], 0)
		if name < 0 {
			return 0, errors.New("bson field name isn't terminated")
		}
		at += name + 2
		size, err := ValidateValue(t, b[at:n-1], depth)
		if err != nil {
			return 0, err
		}
		at += size
	}
	return n, nil
}

// ValidateValue answers the length of the value of type t at the start of b, which lies
// depth documents deep, or what is wrong with it.
func ValidateValue(t Type, b []byte, depth int) (int, error) {
	need := 0
	switch t {
	case Double, Date, Timestamp, Int64:
		need = 8
	case Int32:
		need = 4
	case Bool:
		if len(b) > 0 && b[0] > 1 {
			return 0, errors.New("bson boolean is neither 0 nor 1")
		}
		need = 1
	case ObjectID:
		need = 12
	case Decimal128:
		need = 16
	case Null, Undefined, MinKey, MaxKey:
	case Object, Array:
		return validateDoc(b, depth+1)
	case String, Symbol, Code:
		return validateString(b, 0)
	case DBPointer:
		return validateString(b, 12)
	case Binary:
		return validateBinary(b)
	case Regex:
		return validateRegex(b)
	case CodeScope:
		return validateCodeScope(b, depth)
	default:
		return 0, fmt.Errorf("unrecognized BSON type %d", byte(t))
	}
	if len(b) < need {
		return 0, fmt.Errorf("bson %s runs out of its document", t)
	}
	return need, nil
}

func validateString(b []byte, more int) (int, error) {
	if len(b) < 5 {
		return 0, errors.New("bson string runs out of its document")
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if n < 1 || 4+n+int64(more) > int64(len(b)) {
		return 0, errors.New("invalid BSON string length")
	}
	if b[4+n-1] != 0 {
		return 0, errors.New("bson string isn't terminated by a zero byte")
	}
	return int(4+n) + more, nil
}

func validateBinary(b []byte) (int, error) {
	if len(b) < 5 {
		return 0, errors.New("bson binary runs out of its document")
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 || 5+n > int64(len(b)) {
		return 0, errors.New("invalid BSON binary length")
	}
	if b[4] == 2 && (n < 4 || int64(int32(binary.LittleEndian.Uint32(b[5:]))) != n-4) {
		return 0, errors.New("invalid length of a BSON binary of subtype 2")
	}
	return int(5 + n), nil
}

func validateRegex(b []byte) (int, error) {
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return 0, errors.New("bson regex isn't terminated")
	}
	m := bytes.IndexByte(b[n+1:], 0)
	if m < 0 {
		return 0, errors.New("bson regex options aren't terminated")
	}
	return n + m + 2, nil
}

func validateCodeScope(b []byte, depth int) (int, error) {
	if len(b) < 14 {
		return 0, errors.New("bson code runs out of its document")
	}
	total := int64(int32(binary.LittleEndian.Uint32(b)))
	if total < 14 || total > int64(len(b)) {
		return 0, errors.New("invalid length of BSON code with scope")
	}
	n, err := validateString(b[4:total], 0)
	if err != nil {
		return 0, err
	}
	m, err := validateDoc(b[4+n:total], depth+1)
	if err != nil {
		return 0, err
	}
	if int64(4+n+m) != total {
		return 0, errors.New("invalid length of BSON code with scope")
	}
	return int(total), nil
}
