package expr

import (
	"fmt"
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func dateFromString(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(40540, "$dateFromString only supports an object as an argument, found: %s", arg.Type())
	}
	args, zone, err := dateArgs(s, name, arg, namedCodes{unknown: 40541, lack: map[string]mongoerr.Code{"dateString": 40542}},
		[]string{"dateString"}, []string{"format", "timezone", "onError", "onNull"})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		text, err := args.eval(f, "dateString")
		if err != nil {
			return null, err
		}
		format, err := args.eval(f, "format")
		if err != nil {
			return null, err
		}
		if err := checkReadFormat(format); err != nil {
			return null, err
		}
		loc, err := zone.eval(f)
		switch {
		case err != nil:
			return null, err
		case text.IsNullish():
			return onNull(f, args)
		case text.Type() == bsonval.String && (loc == nil || args.has("format") && format.IsNullish()):
			return null, nil
		}
		t, err := readDate(text, format, loc, args.has("timezone"))
		if err != nil {
			if args.has("onError") && mongoerr.Is(err, mongoerr.ConversionFailure) {
				return args.eval(f, "onError")
			}
			return null, err
		}
		return bsonval.TimeValue(t), nil
	}), nil
}

func checkReadFormat(format bsonval.Value) error {
	switch {
	case format.IsNullish():
		return nil
	case format.Type() != bsonval.String:
		return mongoerr.New(40684, "$dateFromString requires that 'format' be a string, found: %s with value %s", format.Type(), format)
	}
	return checkParts(format.Str(), readParts)
}

func readDate(text, format bsonval.Value, loc *time.Location, zoned bool) (time.Time, error) {
	if text.Type() != bsonval.String {
		return time.Time{}, mongoerr.New(mongoerr.ConversionFailure, "$dateFromString requires that 'dateString' be a string, found: %s with value %s", text.Type(), text)
	}
	r := &dateReader{text: text.Str(), month: 1, day: 1}
	var err error
	if format.IsMissing() {
		err = r.free()
	} else {
		err = r.formatted(format.Str())
	}
	if err != nil {
		return time.Time{}, err
	}
	if r.zone != nil && zoned && loc != time.UTC {
		return time.Time{}, mongoerr.New(mongoerr.ConversionFailure, "you cannot pass in a date/time string with GMT offset together with a timezone argument")
	}
	if r.zone != nil {
		loc = r.zone
	}
	return r.time(loc), nil
}

// dateReader reads a string of a date.
type dateReader struct {
	text string
	at   int

	year, month, day        int
	hour, minute, second    int
	milli, yearDay          int
	isoYear, isoWeek, isoDy int
	hasIso                  bool
	natural, weekly         bool // which kind of parts the format named
	zone                    *time.Location
}

func (r *dateReader) fail(what string) error {
	c := byte(' ')
	if r.at < len(r.text) {
		c = r.text[r.at]
	}
	return mongoerr.New(mongoerr.ConversionFailure, "Error parsing date string '%s'; %d: %s '%c'", r.text, r.at, what, c)
}

func (r *dateReader) time(loc *time.Location) time.Time {
	y, m, d := r.year, time.Month(r.month), r.day
	if r.yearDay > 0 {
		m, d = 1, r.yearDay
	}
	if r.hasIso {
		first := isoYearStart(r.isoYear)
		y, m, d = first.Year(), first.Month(), first.Day()+(max(r.isoWeek, 1)-1)*7+max(r.isoDy, 1)-1
	}
	return time.Date(y, m, d, r.hour, r.minute, r.second, r.milli*1e6, loc)
}

// number reads from least to most digits.
func (r *dateReader) number(least, most int) (int, bool) {
	n, i := 0, 0
	for i < most && r.at+i < len(r.text) && isDigit(r.text[r.at+i]) {
		n = n*10 + int(r.text[r.at+i]-'0')
		i++
	}
	if i < least {
		return 0, false
	}
	r.at += i
	return n, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (r *dateReader) end() bool { return r.at >= len(r.text) }

// accept goes past one of the characters, if it is next.
func (r *dateReader) accept(chars string) bool {
	if !r.end() && strings.IndexByte(chars, r.text[r.at]) >= 0 {
		r.at++
		return true
	}
	return false
}

func (r *dateReader) spaces() {
	for r.accept(" \t") {
	}
}

// formatted reads by a format that checkReadFormat has accepted.
func (r *dateReader) formatted(format string) error {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			if r.end() {
				return r.fail("Not enough data available to satisfy format")
			}
			if r.text[r.at] != format[i] {
				return r.fail("Format literal not found")
			}
			r.at++
			continue
		}
		i++
		if err := r.part(format[i]); err != nil {
			return err
		}
	}
	switch {
	case !r.end():
		return r.fail("Trailing data")
	case r.natural && r.weekly:
		return r.fail("Mixing of ISO dates with natural dates is not allowed")
	case r.weekly && !r.hasIso:
		return r.fail("The parsed date was invalid")
	}
	return r.check()
}

func (r *dateReader) part(c byte) error {
	r.natural = r.natural || strings.IndexByte("YmdjbB", c) >= 0
	r.weekly = r.weekly || strings.IndexByte("GVu", c) >= 0
	var ok bool
	switch c {
	case 'Y':
		r.year, ok = r.number(4, 4)
	case 'm':
		r.month, ok = r.number(1, 2)
	case 'd':
		r.day, ok = r.number(1, 2)
	case 'H':
		r.hour, ok = r.number(1, 2)
	case 'M':
		r.minute, ok = r.number(1, 2)
	case 'S':
		r.second, ok = r.number(1, 2)
	case 'L':
		ok = r.fraction()
	case 'j':
		r.yearDay, ok = r.number(1, 3)
	case 'G':
		r.isoYear, ok = r.number(1, 4)
		r.hasIso = true
	case 'V':
		r.isoWeek, ok = r.number(1, 2)
	case 'u':
		r.isoDy, ok = r.number(1, 1)
	case 'b', 'B':
		ok = r.monthName()
	case 'z':
		r.spaces()
		ok = !r.end() && r.freeZone() == nil
	case 'Z':
		ok = r.minutesOffset()
	case '%':
		ok = r.accept("%")
	default:
		return mongoerr.New(18536, "Invalid format character '%%%c' in format string", c)
	}
	if !ok {
		return r.fail(fmt.Sprintf("The %%%c in the format could not be found at", c))
	}
	return nil
}

// fraction reads up to three digits of a second's fraction and drops finer ones.
func (r *dateReader) fraction() bool {
	from := r.at
	n, ok := r.number(1, 3)
	for w := r.at - from; w < 3; w++ {
		n *= 10
	}
	for !r.end() && isDigit(r.text[r.at]) {
		r.at++
	}
	r.milli = n
	return ok
}

func (r *dateReader) word() string {
	from := r.at
	for !r.end() && isLetter(r.text[r.at]) {
		r.at++
	}
	return r.text[from:r.at]
}

func (r *dateReader) monthName() bool {
	w := strings.ToLower(r.word())
	for m := time.January; m <= time.December; m++ {
		full := strings.ToLower(m.String())
		if w == full || w == full[:3] || w == "sept" && m == time.September {
			r.month = int(m)
			return true
		}
	}
	return false
}

// offset reads Z, +hh, +hhmm and +hh:mm.
func (r *dateReader) offset() bool {
	if r.accept("Zz") {
		r.zone = time.UTC
		return true
	}
	from := r.at
	if !r.accept("+-") {
		return false
	}
	for !r.end() && (isDigit(r.text[r.at]) || r.text[r.at] == ':') {
		r.at++
	}
	text := r.text[from:r.at]
	if i := strings.IndexByte(text, ':'); i == 2 || len(text) == 2 { // +5:30, +5
		text = text[:1] + "0" + text[1:]
	}
	seconds, ok := offsetSeconds(text)
	if ok {
		r.zone = time.FixedZone("", seconds)
	}
	return ok
}

func (r *dateReader) minutesOffset() bool {
	sign := 60
	if r.accept("-") {
		sign = -60
	} else {
		r.accept("+")
	}
	n, ok := r.number(1, 4)
	r.zone = time.FixedZone("", sign*n)
	return ok
}

// check refuses days and hours that are none.
func (r *dateReader) check() error {
	last := time.Date(r.year, time.Month(r.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if r.month < 1 || r.month > 12 || r.day < 1 || r.day > last || r.hour > 24 || r.minute > 59 || r.second > 60 ||
		r.yearDay > 366 || r.isoWeek > 53 || r.isoDy > 7 {
		r.at = max(0, len(r.text)-1)
		return r.fail("The parsed date was invalid")
	}
	return nil
}
