package expr

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func (to target) toDouble(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Double:
		return v, nil
	case bsonval.Bool:
		return bsonval.DoubleValue(float64(bit(v))), nil
	case bsonval.Int32, bsonval.Int64:
		return bsonval.DoubleValue(v.Float()), nil
	case bsonval.Decimal128:
		f := v.Float()
		if math.IsInf(f, 0) && !v.IsInf() {
			return null, overflows(v)
		}
		return bsonval.DoubleValue(f), nil
	case bsonval.Date:
		return bsonval.DoubleValue(float64(v.Int64())), nil
	case bsonval.String:
		f, err := parseFloat(v.Str())
		return bsonval.DoubleValue(f), err
	case bsonval.Binary:
		return to.numberOfBytes(v)
	}
	return null, to.unsupported(v)
}

func bit(v bsonval.Value) int64 {
	if v.Bool() {
		return 1
	}
	return 0
}

func overflows(v bsonval.Value) error {
	return failed("Conversion would overflow target type in $convert with no onError value: %s", plainNumber(v))
}

func unreadable(text, why string) error {
	return failed("Failed to parse number '%s' in $convert with no onError value: %s", text, why)
}

// numberText refuses what no number looks like.
func numberText(s string) error {
	switch {
	case s == "":
		return unreadable(s, "No digits")
	case strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X"):
		return failed("Illegal hexadecimal input in $convert with no onError value: %s", s)
	case s[0] == ' ' || s[0] == '\t' || s[0] == '\n':
		return unreadable(s, "Leading whitespace")
	}
	return nil
}

func parseFloat(s string) (float64, error) {
	if err := numberText(s); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil && math.IsInf(f, 0):
		return 0, unreadable(s, "Out of range")
	case err != nil || strings.ContainsAny(s, "_xXpP"):
		return 0, unreadable(s, "Did not consume whole string.")
	}
	return f, nil
}

func (to target) toInteger(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Int32, bsonval.Int64:
		return to.integer(v, v.Int64())
	case bsonval.Bool:
		return to.integer(v, bit(v))
	case bsonval.Date:
		if to.t == bsonval.Int64 {
			return bsonval.LongValue(v.Int64()), nil
		}
	case bsonval.Double, bsonval.Decimal128:
		switch {
		case v.IsNaN():
			return null, failed("Attempt to convert NaN value to integer type in $convert with no onError value")
		case v.IsInf():
			return null, failed("Attempt to convert infinity value to integer type in $convert with no onError value")
		}
		whole, _ := roundTo("$trunc", v, 0, towardsZero)
		i, ok := whole.ExactLong()
		if !ok {
			return null, overflows(v)
		}
		return to.integer(v, i)
	case bsonval.String:
		return to.parseInteger(v.Str())
	case bsonval.Binary:
		return to.numberOfBytes(v)
	}
	return null, to.unsupported(v)
}

func (to target) integer(v bsonval.Value, i int64) (bsonval.Value, error) {
	if to.t == bsonval.Int64 {
		return bsonval.LongValue(i), nil
	}
	if int64(int32(i)) != i {
		return null, overflows(v)
	}
	return bsonval.IntValue(int32(i)), nil
}

func startsWithDigit(s string) bool { return s != "" && isDigit(s[0]) }

func (to target) parseInteger(s string) (bsonval.Value, error) {
	if err := numberText(s); err != nil {
		return null, err
	}
	bits := 64
	if to.t == bsonval.Int32 {
		bits = 32
	}
	i, err := strconv.ParseInt(s, 10, bits)
	switch {
	case err != nil && strings.HasSuffix(err.Error(), "out of range"):
		return null, unreadable(s, "Overflow")
	case err != nil && !startsWithDigit(strings.TrimLeft(s, "+-")):
		return null, unreadable(s, "Did not consume any digits")
	case err != nil:
		return null, unreadable(s, "Did not consume whole string.")
	case bits == 32:
		return bsonval.IntValue(int32(i)), nil
	}
	return bsonval.LongValue(i), nil
}

func (to target) toDecimal(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Decimal128, bsonval.Int32, bsonval.Int64, bsonval.Double:
		return bsonval.ToDecimal(v), nil
	case bsonval.Bool:
		return bsonval.ToDecimal(bsonval.LongValue(bit(v))), nil
	case bsonval.Date:
		return bsonval.ToDecimal(bsonval.LongValue(v.Int64())), nil
	case bsonval.String:
		s := v.Str()
		if err := numberText(s); err != nil {
			return null, err
		}
		d, ok := bsonval.ParseDecimal(s)
		if !ok {
			return null, unreadable(s, "Failed to parse string to decimal")
		}
		return d, nil
	}
	return null, to.unsupported(v)
}

func (to target) toString(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.String:
		return v, nil
	case bsonval.Bool:
		return bsonval.StringValue(strconv.FormatBool(v.Bool())), nil
	case bsonval.Int32, bsonval.Int64, bsonval.Decimal128:
		return bsonval.StringValue(v.String()), nil
	case bsonval.Double:
		return bsonval.StringValue(shortDouble(v.Double())), nil
	case bsonval.Date:
		s, err := isoDate(v)
		return bsonval.StringValue(s), err
	case bsonval.ObjectID:
		id := v.ObjectID()
		return bsonval.StringValue(hex.EncodeToString(id[:])), nil
	case bsonval.Binary:
		return to.textOfBytes(v)
	}
	return null, to.unsupported(v)
}

// shortDouble is a double as the server's streams write it: 1 for 1.0, 0.1, 1e+20.
func shortDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	s := strings.TrimSuffix(bsonval.FormatDouble(f), ".0")
	return s
}

func (to target) toDate(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Date:
		return v, nil
	case bsonval.Timestamp, bsonval.ObjectID:
		t, err := asDate(v)
		return bsonval.TimeValue(t), err
	case bsonval.Int64:
		return bsonval.DateValue(v.Int64()), nil
	case bsonval.Double, bsonval.Decimal128:
		i, err := target{t: bsonval.Int64}.toInteger(v)
		return bsonval.DateValue(i.Int64()), err
	case bsonval.String:
		t, err := readDate(v, missing, time.UTC, false)
		return bsonval.TimeValue(t), err
	}
	return null, to.unsupported(v)
}

func (to target) toObjectID(v bsonval.Value) (bsonval.Value, error) {
	if v.Type() == bsonval.ObjectID {
		return v, nil
	}
	if v.Type() != bsonval.String {
		return null, to.unsupported(v)
	}
	s := v.Str()
	if len(s) != 24 {
		return null, failed("Failed to parse objectId '%s' in $convert with no onError value: Invalid string length for parsing to OID, expected 24 but found %d", s, len(s))
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return null, failed("Failed to parse objectId '%s' in $convert with no onError value: Invalid character found in hex string: %s", s, s)
	}
	return bsonval.ObjectIDValue([12]byte(b)), nil
}

// endian is the order of bytes within numbers.
func (to target) endian() binary.ByteOrder {
	if to.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (to target) toBinary(v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Binary:
		if sub, _ := v.Binary(); sub != to.subtype {
			return null, failed("Conversions between different binData subtypes are not supported")
		}
		return v, nil
	case bsonval.String:
		b, ok := to.decode(v.Str())
		if !ok {
			return null, failed("Input string %s cannot be read as %s in $convert with no onError value", v, to.format)
		}
		return bsonval.BinaryValue(to.subtype, b), nil
	case bsonval.Int32:
		return bsonval.BinaryValue(to.subtype, to.endian().(binary.AppendByteOrder).AppendUint32(nil, uint32(v.Int32()))), nil
	case bsonval.Int64:
		return bsonval.BinaryValue(to.subtype, to.endian().(binary.AppendByteOrder).AppendUint64(nil, uint64(v.Int64()))), nil
	case bsonval.Double:
		return bsonval.BinaryValue(to.subtype, to.endian().(binary.AppendByteOrder).AppendUint64(nil, math.Float64bits(v.Double()))), nil
	}
	return null, to.unsupported(v)
}

func (to target) decode(s string) (b []byte, ok bool) {
	var err error
	if to.subtype == 4 && to.format != "uuid" {
		return nil, false
	}
	switch to.format {
	case "base64":
		b, err = base64.StdEncoding.DecodeString(s)
	case "base64url":
		b, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	case "hex":
		b, err = hex.DecodeString(s)
	case "utf8":
		b = []byte(s)
	case "uuid":
		if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || to.subtype != 4 {
			return nil, false
		}
		b, err = hex.DecodeString(strings.ReplaceAll(s, "-", ""))
		return b, err == nil && len(b) == 16
	default:
		return nil, false
	}
	return b, err == nil
}

func (to target) textOfBytes(v bsonval.Value) (bsonval.Value, error) {
	sub, data := v.Binary()
	format := to.format
	if format == "auto" || format == "" {
		if format = "base64"; sub == 4 {
			format = "uuid"
		}
	}
	var s string
	switch format {
	case "base64":
		s = base64.StdEncoding.EncodeToString(data)
	case "base64url":
		s = base64.RawURLEncoding.EncodeToString(data)
	case "hex":
		s = strings.ToUpper(hex.EncodeToString(data))
	case "utf8":
		if !utf8.Valid(data) {
			return null, failed("BinData is not valid UTF-8 in $convert with no onError value")
		}
		s = string(data)
	case "uuid":
		if sub != 4 || len(data) != 16 {
			return null, failed("Conversion of binData that isn't a UUID to a string of format uuid in $convert with no onError value")
		}
		h := hex.EncodeToString(data)
		s = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	default:
		return null, failed("Invalid 'format' argument for $convert: %s", format)
	}
	return bsonval.StringValue(s), nil
}

func (to target) numberOfBytes(v bsonval.Value) (bsonval.Value, error) {
	_, b := v.Binary()
	order := to.endian()
	switch {
	case to.t == bsonval.Double && len(b) == 8:
		return bsonval.DoubleValue(math.Float64frombits(order.Uint64(b))), nil
	case to.t == bsonval.Double && len(b) == 4:
		return bsonval.DoubleValue(float64(math.Float32frombits(order.Uint32(b)))), nil
	case to.t != bsonval.Double && len(b) == 1:
		return to.integer(v, int64(int8(b[0])))
	case to.t != bsonval.Double && len(b) == 2:
		return to.integer(v, int64(int16(order.Uint16(b))))
	case to.t != bsonval.Double && len(b) == 4:
		return to.integer(v, int64(int32(order.Uint32(b))))
	case to.t == bsonval.Int64 && len(b) == 8:
		return bsonval.LongValue(int64(order.Uint64(b))), nil
	}
	return null, failed("Failed to convert '%s' to %s in $convert because of invalid length: %d", v, to.t, len(b))
}
