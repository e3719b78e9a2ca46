package bsonval

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// String is the document as the server writes it in its messages: { a: 1, b: "x" }.
func (d Doc) String() string { return string(appendDocText(nil, d)) }

// String is the value as the server writes it in its messages: 1, "x", ObjectId('…'),
// new Date(0), [ 1, 2 ].
func (v Value) String() string { return string(appendText1(nil, v)) }

func appendDocText(dst []byte, d Doc) []byte {
	if d.IsEmpty() {
		return append(dst, "{}"...)
	}
	dst = append(dst, '{')
	sep := " "
	for name, v := range d.All() {
		dst = append(append(append(dst, sep...), name...), ": "...)
		dst = appendText1(dst, v)
		sep = ", "
	}
	return append(dst, " }"...)
}

func appendArrayText(dst []byte, d Doc) []byte {
	if d.IsEmpty() {
		return append(dst, "[]"...)
	}
	dst = append(dst, '[')
	sep := " "
	for v := range d.Values() {
		dst = appendText1(append(dst, sep...), v)
		sep = ", "
	}
	return append(dst, " ]"...)
}

func appendText1(dst []byte, v Value) []byte {
	switch v.t {
	case Int32, Int64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case Double:
		return append(dst, FormatDouble(v.Double())...)
	case Decimal128:
		return append(dst, v.DecimalString()...)
	case String:
		return appendQuoted(dst, v.Str())
	case Symbol:
		return appendQuoted(dst, v.Str())
	case Object:
		return appendDocText(dst, v.Doc())
	case Array:
		return appendArrayText(dst, v.Doc())
	case Bool:
		return strconv.AppendBool(dst, v.Bool())
	case Date:
		return fmt.Appendf(dst, "new Date(%d)", v.Int64())
	case Timestamp:
		return fmt.Appendf(dst, "Timestamp(%d, %d)", v.n>>32, uint32(v.n))
	case ObjectID:
		return append(append(append(dst, "ObjectId('"...), hex.EncodeToString(v.b)...), "')"...)
	case Binary:
		return appendBinaryText(dst, v)
	case Regex:
		p, o := v.Regex()
		return append(append(append(append(dst, '/'), p...), '/'), o...)
	case Code:
		return append(dst, v.Str()...)
	case CodeScope:
		code, scope := v.CodeScope()
		return fmt.Appendf(dst, "CodeWScope( %s, %s)", code, scope)
	case DBPointer:
		ns, id := v.DBPointer()
		return fmt.Appendf(dst, "DBRef('%s', ObjectId('%x'))", ns, id)
	case Null:
		return append(dst, "null"...)
	case Undefined:
		return append(dst, "undefined"...)
	case MinKey:
		return append(dst, "MinKey"...)
	case MaxKey:
		return append(dst, "MaxKey"...)
	}
	return append(dst, "EOO"...)
}

func appendBinaryText(dst []byte, v Value) []byte {
	sub, data := v.Binary()
	if sub == 4 && len(data) == 16 {
		return fmt.Appendf(dst, `UUID("%x-%x-%x-%x-%x")`, data[:4], data[4:6], data[6:8], data[8:10], data[10:])
	}
	return fmt.Appendf(dst, "BinData(%d, %s)", sub, strings.ToUpper(hex.EncodeToString(data)))
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// FormatDouble writes a double as the server's messages do: 1.0, 0.5, 1e+20, nan.
func FormatDouble(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'g', 16, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
