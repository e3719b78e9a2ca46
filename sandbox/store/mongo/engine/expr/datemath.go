package expr

import (
	"math"
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// dates are the operators that write, read and reckon with dates.
func dates(name string) builder {
	switch name {
	case "$dateToString":
		return dateToString
	case "$dateFromString":
		return dateFromString
	case "$dateAdd":
		return dateAdd(1)
	case "$dateSubtract":
		return dateAdd(-1)
	case "$dateDiff":
		return dateDiff
	case "$dateTrunc":
		return dateTrunc
	case "$tsSecond":
		return timestampPart(5687301, func(ts uint64) int64 { return int64(ts >> 32) })
	case "$tsIncrement":
		return timestampPart(5687302, func(ts uint64) int64 { return int64(uint32(ts)) })
	}
	return nil
}

func timestampPart(code mongoerr.Code, part func(uint64) int64) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		return ofOne(func(_ *Frame, v bsonval.Value) (bsonval.Value, error) {
			switch {
			case v.IsNullish():
				return null, nil
			case v.Type() != bsonval.Timestamp:
				return null, mongoerr.New(code, "Argument to %s must be a timestamp, but is %s", name, v.Type())
			}
			return bsonval.LongValue(part(v.Timestamp())), nil
		})(s, name, arg)
	}
}

// Unit is a unit of time.
type Unit string

// The units that date arithmetic knows.
const (
	Year        Unit = "year"
	Quarter     Unit = "quarter"
	Month       Unit = "month"
	Week        Unit = "week"
	Day         Unit = "day"
	Hour        Unit = "hour"
	Minute      Unit = "minute"
	Second      Unit = "second"
	Millisecond Unit = "millisecond"
)

// ParseUnit reads a unit's name.
func ParseUnit(s string) (Unit, error) {
	switch u := Unit(s); u {
	case Year, Quarter, Month, Week, Day, Hour, Minute, Second, Millisecond:
		return u, nil
	}
	return "", mongoerr.New(mongoerr.FailedToParse, "unknown time unit value: %s", s)
}

// Millis is how long the unit is, for those that are always as long: from
// milliseconds to weeks; 0 for the others.
func (u Unit) Millis() int64 {
	switch u {
	case Week:
		return 7 * 24 * 3600 * 1000
	case Day:
		return 24 * 3600 * 1000
	case Hour:
		return 3600 * 1000
	case Minute:
		return 60 * 1000
	case Second:
		return 1000
	case Millisecond:
		return 1
	}
	return 0
}

// months is how many months the unit is, 0 for shorter ones.
func (u Unit) months() int64 {
	switch u {
	case Year:
		return 12
	case Quarter:
		return 3
	case Month:
		return 1
	}
	return 0
}

// AddDate adds n units to t, by the calendar of t's zone from days on. ok is false
// beyond the range of dates.
func AddDate(t time.Time, u Unit, n int64) (time.Time, bool) {
	const far = 300_000_000 // years beyond which no date lies
	if k := u.months(); k > 0 {
		if n > far*12 || n < -far*12 {
			return t, false
		}
		return addMonths(t, n*k), true
	}
	if u == Week || u == Day {
		if n > far*400 || n < -far*400 {
			return t, false
		}
		return t.AddDate(0, 0, int(n*u.Millis()/Day.Millis())), true
	}
	ms := bsonval.Add(bsonval.LongValue(t.UnixMilli()), bsonval.Mul(bsonval.LongValue(n), bsonval.LongValue(u.Millis())))
	if ms.Type() != bsonval.Int64 {
		return t, false
	}
	return time.UnixMilli(ms.Int64()).In(t.Location()), true
}

// addMonths keeps the day of the month, or takes the month's last one.
func addMonths(t time.Time, n int64) time.Time {
	at := int64(t.Year())*12 + int64(t.Month()) - 1 + n
	y, m := int(floorDiv(at, 12)), time.Month(at-floorDiv(at, 12)*12+1)
	last := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return time.Date(y, m, min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// unitArg evaluates a unit; empty when it is null.
func unitArg(f *Frame, args named, op string, code mongoerr.Code) (Unit, error) {
	v, err := args.eval(f, "unit")
	switch {
	case err != nil || v.IsNullish():
		return "", err
	case v.Type() != bsonval.String:
		return "", mongoerr.New(code, "%s requires 'unit' to be a string, but got %s", op, v.Type())
	}
	return ParseUnit(v.Str())
}

func dateAdd(sign int64) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		args, zone, err := dateArgs(s, name, arg, namedCodes{notObject: 5166400, unknown: 5166401, lacks: 5166402},
			[]string{"startDate", "unit", "amount"}, []string{"timezone"})
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			start, err := args.eval(f, "startDate")
			if err != nil {
				return null, err
			}
			unit, err := unitArg(f, args, name, 5439013)
			if err != nil {
				return null, err
			}
			amount, err := args.eval(f, "amount")
			if err != nil {
				return null, err
			}
			loc, err := zone.eval(f)
			if err != nil || start.IsNullish() || unit == "" || amount.IsNullish() || loc == nil {
				return null, err
			}
			n, whole := amount.ExactLong()
			switch {
			case !isDate(start):
				return null, mongoerr.New(5166403, "%s requires startDate to be convertible to a date", name)
			case whole && n == math.MinInt64 && sign < 0:
				return null, mongoerr.New(6045000, "invalid $dateSubtract 'amount' parameter value: %d", n)
			case !whole:
				return null, mongoerr.New(5166405, "%s expects integer amount of time units", name)
			}
			t, _ := asDate(start)
			t, ok := AddDate(t.In(loc), unit, n*sign)
			if !ok {
				return null, mongoerr.New(5166406, "%s overflowed", name)
			}
			return bsonval.TimeValue(t), nil
		}), nil
	}
}

// weekday reads the name of a day, whole or its first three letters.
func weekday(v bsonval.Value, op string) (time.Weekday, error) {
	if v.Type() != bsonval.String {
		return 0, mongoerr.New(5439015, "%s requires 'startOfWeek' to be a string, but got %s", op, v.Type())
	}
	s := strings.ToLower(v.Str())
	for d := time.Sunday; d <= time.Saturday; d++ {
		if full := strings.ToLower(d.String()); s == full || s == full[:3] {
			return d, nil
		}
	}
	return 0, mongoerr.New(mongoerr.FailedToParse, "unknown day of week value: %s", v.Str())
}

// weekStart evaluates startOfWeek; ok is false when it is null.
func weekStart(f *Frame, args named, unit Unit, op string) (d time.Weekday, ok bool, err error) {
	if !args.has("startOfWeek") || unit != Week {
		return time.Sunday, true, nil
	}
	v, err := args.eval(f, "startOfWeek")
	if err != nil || v.IsNullish() {
		return 0, false, err
	}
	d, err = weekday(v, op)
	return d, err == nil, err
}

func dateDiff(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	codes := namedCodes{notObject: 5166301, unknown: 5166302, lack: map[string]mongoerr.Code{"startDate": 5166303, "endDate": 5166304, "unit": 5166305}}
	args, zone, err := dateArgs(s, name, arg, codes, []string{"startDate", "endDate", "unit"}, []string{"timezone", "startOfWeek"})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		start, err := args.eval(f, "startDate")
		if err != nil {
			return null, err
		}
		end, err := args.eval(f, "endDate")
		if err != nil {
			return null, err
		}
		unit, err := unitArg(f, args, name, 5439013)
		if err != nil {
			return null, err
		}
		loc, err := zone.eval(f)
		if err != nil {
			return null, err
		}
		first, ok, err := weekStart(f, args, unit, name)
		if err != nil || !ok || start.IsNullish() || end.IsNullish() || unit == "" || loc == nil {
			return null, err
		}
		for i, v := range []bsonval.Value{start, end} {
			if !isDate(v) {
				return null, mongoerr.New(5166307, "%s requires '%s' to be a date, but got %s", name, [...]string{"startDate", "endDate"}[i], v.Type())
			}
		}
		a, _ := asDate(start)
		b, _ := asDate(end)
		return bsonval.LongValue(unitsBetween(a.In(loc), b.In(loc), unit, first)), nil
	}), nil
}

// dayNumber counts the days of t's calendar from a fixed Sunday.
func dayNumber(t time.Time) int64 {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return floorDiv(midnight.Unix(), 86400) + 4 // 1970-01-01 was a Thursday
}

// unitsBetween counts the boundaries of units that lie between the two.
func unitsBetween(a, b time.Time, u Unit, first time.Weekday) int64 {
	if k := u.months(); k > 0 {
		at := func(t time.Time) int64 { return floorDiv(int64(t.Year())*12+int64(t.Month())-1, k) }
		return at(b) - at(a)
	}
	switch u {
	case Week:
		at := func(t time.Time) int64 { return floorDiv(dayNumber(t)-int64(first), 7) }
		return at(b) - at(a)
	case Day:
		return dayNumber(b) - dayNumber(a)
	case Hour: // zones that lie half an hour beside the others begin their hours there
		at := func(t time.Time) int64 {
			_, offset := t.Zone()
			return floorDiv(t.UnixMilli()+int64(offset%3600)*1000, Hour.Millis())
		}
		return at(b) - at(a)
	}
	return floorDiv(b.UnixMilli(), u.Millis()) - floorDiv(a.UnixMilli(), u.Millis())
}

func dateTrunc(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	codes := namedCodes{notObject: 5439007, unknown: 5439008, lack: map[string]mongoerr.Code{"date": 5439009, "unit": 5439010}}
	args, zone, err := dateArgs(s, name, arg, codes, []string{"date", "unit"}, []string{"binSize", "timezone", "startOfWeek"})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		date, err := args.eval(f, "date")
		if err != nil {
			return null, err
		}
		size, ok, err := binSize(f, args)
		if err != nil {
			return null, err
		}
		unit, err := unitArg(f, args, name, 5439013)
		if err != nil {
			return null, err
		}
		loc, err := zone.eval(f)
		if err != nil {
			return null, err
		}
		first, ok2, err := weekStart(f, args, unit, name)
		if err != nil || !ok || !ok2 || date.IsNullish() || unit == "" || loc == nil {
			return null, err
		}
		if !isDate(date) {
			return null, mongoerr.New(5439012, "%s requires 'date' to be a date, but got %s", name, date.Type())
		}
		t, _ := asDate(date)
		return bsonval.TimeValue(TruncateDate(t.In(loc), unit, size, first)), nil
	}), nil
}

func binSize(f *Frame, args named) (int64, bool, error) {
	if !args.has("binSize") {
		return 1, true, nil
	}
	v, err := args.eval(f, "binSize")
	if err != nil || v.IsNullish() {
		return 0, false, err
	}
	n, whole := v.ExactLong()
	switch {
	case !whole:
		return 0, false, mongoerr.New(5439017, "$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '%s' of type %s", v, v.Type())
	case n <= 0:
		return 0, false, mongoerr.New(5439018, "$dateTrunc requires 'binSize' to be greater than 0, but got value %d", n)
	case n > 100_000_000_000:
		return 0, false, mongoerr.New(5439006, "$dateTrunc requires 'binSize' value %d to be smaller", n)
	}
	return n, true, nil
}

// TruncateDate is the beginning of the bin of size units that t lies in. Bins are
// counted from the year 2000 in t's zone.
func TruncateDate(t time.Time, u Unit, size int64, first time.Weekday) time.Time {
	loc := t.Location()
	if k := u.months(); k > 0 {
		at := (int64(t.Year())-2000)*12 + int64(t.Month()) - 1
		at = floorDiv(at, size*k) * size * k
		return time.Date(2000, time.Month(1+at), 1, 0, 0, 0, 0, loc)
	}
	if u == Day || u == Week {
		days := size
		from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // a Saturday
		if u == Week {
			days = size * 7
			from = from.AddDate(0, 0, int(first+1)%7)
		}
		n := floorDiv(dayNumber(t)-dayNumber(from), days) * days
		return time.Date(from.Year(), from.Month(), from.Day()+int(n), 0, 0, 0, 0, loc)
	}
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, loc).UnixMilli()
	bin := size * u.Millis()
	return time.UnixMilli(from + floorDiv(t.UnixMilli()-from, bin)*bin).In(loc)
}
