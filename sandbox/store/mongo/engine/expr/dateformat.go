package expr

import (
	"fmt"
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// The formats that stand where none is given.
const (
	isoFormat   = "%Y-%m-%dT%H:%M:%S.%LZ"
	localFormat = "%Y-%m-%dT%H:%M:%S.%L"
)

// isoDate is a date as strings of dates are written where nothing else is said.
func isoDate(v bsonval.Value) (string, error) { return formatDate(v.Time(), isoFormat) }

func dateToString(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(18629, "$dateToString only supports an object as its argument")
	}
	args, zone, err := dateArgs(s, name, arg, namedCodes{unknown: 18534, lack: map[string]mongoerr.Code{"date": 18628}},
		[]string{"date"}, []string{"format", "timezone", "onNull"})
	if err != nil {
		return nil, err
	}
	if v, ok := IsConst(args["format"]); ok && args.has("format") {
		if err := checkFormat(v); err != nil {
			return nil, err
		}
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		format, err := args.eval(f, "format")
		if err != nil {
			return null, err
		}
		if err := checkFormat(format); err != nil {
			return null, err
		}
		loc, err := zone.eval(f)
		if err != nil {
			return null, err
		}
		date, err := args.eval(f, "date")
		switch {
		case err != nil:
			return null, err
		case date.IsNullish():
			return onNull(f, args)
		case loc == nil || args.has("format") && format.IsNullish():
			return null, nil
		}
		t, err := asDate(date)
		if err != nil {
			return null, err
		}
		text, err := formatDate(t.In(loc), formatOr(args, format, loc))
		return bsonval.StringValue(text), err
	}), nil
}

func formatOr(args named, format bsonval.Value, loc *time.Location) string {
	switch {
	case args.has("format"):
		return format.Str()
	case loc == time.UTC:
		return isoFormat
	}
	return localFormat
}

func onNull(f *Frame, args named) (bsonval.Value, error) {
	if args.has("onNull") {
		return args.eval(f, "onNull")
	}
	return null, nil
}

// The letters that may follow a % where a date is written, and where one is read.
const (
	writtenParts = "%bBdGHjLmMSuUVwYzZ"
	readParts    = "%bBdGHjLmMSuVYzZ"
)

func checkFormat(v bsonval.Value) error {
	if v.IsNullish() {
		return nil
	}
	if v.Type() != bsonval.String {
		return mongoerr.New(18533, "$dateToString requires 'format' to be a string, found: %s", v.Type())
	}
	return checkParts(v.Str(), writtenParts)
}

func checkParts(s, parts string) error {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i++; i == len(s) {
			return mongoerr.New(18535, "Unmatched '%%' at end of format string")
		}
		if strings.IndexByte(parts, s[i]) < 0 {
			return mongoerr.New(18536, "Invalid format character '%%%c' in format string", s[i])
		}
	}
	return nil
}

// formatDate writes a local time by a format that checkFormat has accepted.
func formatDate(t time.Time, format string) (string, error) {
	out := make([]byte, 0, len(format)+12)
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out = append(out, format[i])
			continue
		}
		i++
		var err error
		if out, err = appendDatePart(out, t, format[i]); err != nil {
			return "", err
		}
	}
	return string(out), nil
}

func appendDatePart(out []byte, t time.Time, c byte) ([]byte, error) {
	n, width := 0, 2
	switch c {
	case '%':
		return append(out, '%'), nil
	case 'b':
		return append(out, t.Month().String()[:3]...), nil
	case 'B':
		return append(out, t.Month().String()...), nil
	case 'z':
		return appendOffset(out, t), nil
	case 'Z':
		_, seconds := t.Zone()
		return fmt.Appendf(out, "%d", seconds/60), nil
	case 'Y', 'G':
		if n, width = t.Year(), 4; c == 'G' {
			n, _ = t.ISOWeek()
		}
		if n < 0 || n > 9999 {
			return nil, mongoerr.New(18537, "$dateToString is only defined on year 0-9999, tried to use year %d", n)
		}
	case 'm':
		n = int(t.Month())
	case 'd':
		n = t.Day()
	case 'H':
		n = t.Hour()
	case 'M':
		n = t.Minute()
	case 'S':
		n = t.Second()
	case 'L':
		n, width = int(millisecond(t)), 3
	case 'j':
		n, width = t.YearDay(), 3
	case 'w':
		n, width = int(t.Weekday())+1, 1
	case 'u':
		n, width = int(isoDay(t)), 1
	case 'U':
		n = int(week(t))
	case 'V':
		_, n = t.ISOWeek()
	}
	return appendPadded(out, n, width), nil
}

func appendPadded(out []byte, n, width int) []byte {
	for at := pow(width - 1); at > 0; at /= 10 {
		out = append(out, byte('0'+n/at%10))
	}
	return out
}

func pow(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

func appendOffset(out []byte, t time.Time) []byte {
	_, seconds := t.Zone()
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	out = append(out, sign)
	out = appendPadded(out, seconds/3600, 2)
	return appendPadded(out, seconds/60%60, 2)
}
