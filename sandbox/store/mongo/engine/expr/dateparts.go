package expr

import (
	"math"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// dateParts are the operators that take dates apart and put them together.
func dateParts(name string) builder {
	switch name {
	case "$dateToParts":
		return dateToParts
	case "$dateFromParts":
		return dateFromParts
	}
	if part := partOf(name); part != nil {
		return datePart(part)
	}
	return nil
}

// partOf is how one of the operators such as $year reads a local time.
func partOf(name string) func(t time.Time) int64 {
	switch name {
	case "$year":
		return func(t time.Time) int64 { return int64(t.Year()) }
	case "$month":
		return func(t time.Time) int64 { return int64(t.Month()) }
	case "$dayOfMonth":
		return func(t time.Time) int64 { return int64(t.Day()) }
	case "$dayOfWeek":
		return func(t time.Time) int64 { return int64(t.Weekday()) + 1 }
	case "$dayOfYear":
		return func(t time.Time) int64 { return int64(t.YearDay()) }
	case "$hour":
		return func(t time.Time) int64 { return int64(t.Hour()) }
	case "$minute":
		return func(t time.Time) int64 { return int64(t.Minute()) }
	case "$second":
		return func(t time.Time) int64 { return int64(t.Second()) }
	case "$millisecond":
		return millisecond
	case "$week":
		return week
	case "$isoWeek":
		return func(t time.Time) int64 { _, w := t.ISOWeek(); return int64(w) }
	case "$isoWeekYear":
		return func(t time.Time) int64 { y, _ := t.ISOWeek(); return int64(y) }
	case "$isoDayOfWeek":
		return isoDay
	}
	return nil
}

func millisecond(t time.Time) int64 { return int64(t.Nanosecond() / 1e6) }

// week is 0 before the year's first Sunday.
func week(t time.Time) int64 { return int64((t.YearDay() + 6 - int(t.Weekday())) / 7) }

func isoDay(t time.Time) int64 { return int64((t.Weekday()+6)%7) + 1 }

func datePart(part func(time.Time) int64) builder {
	return func(s *Scope, name string, arg bsonval.Value) (Expr, error) {
		date, zone, err := dateAndZone(s, name, arg)
		if err != nil {
			return nil, err
		}
		return Func(func(f *Frame) (bsonval.Value, error) {
			t, ok, err := localTime(f, date, zone)
			if err != nil || !ok {
				return null, err
			}
			if name == "$isoWeekYear" {
				return bsonval.LongValue(part(t)), nil
			}
			return bsonval.IntValue(int32(part(t))), nil
		}), nil
	}
}

// dateAndZone compiles {date, timezone} or a lone date.
func dateAndZone(s *Scope, name string, arg bsonval.Value) (date Expr, zone zoneExpr, err error) {
	if arg.Type() == bsonval.Array {
		if n := arg.Doc().Len(); n != 1 {
			return nil, zone, mongoerr.New(40536, "%s accepts exactly one argument if given an array, but was given %d", name, n)
		}
		arg = arg.Doc().At(0)
	}
	if arg.Type() != bsonval.Object || isOperator(arg.Doc()) {
		date, err = Compile(arg, s)
		return date, zone, err
	}
	for field, v := range arg.Doc().All() {
		e, err := Compile(v, s)
		if err != nil {
			return nil, zone, err
		}
		switch field {
		case "date":
			date = e
		case "timezone":
			if zone, err = newZone(e); err != nil {
				return nil, zone, err
			}
		default:
			return nil, zone, mongoerr.New(40535, "unrecognized option to %s: \"%s\"", name, field)
		}
	}
	if date == nil {
		return nil, zone, mongoerr.New(40539, "missing 'date' argument to %s, provided: %s", name, arg)
	}
	return date, zone, nil
}

// localTime is a date in its zone; ok is false when either is null.
func localTime(f *Frame, date Expr, zone zoneExpr) (t time.Time, ok bool, err error) {
	v, err := date.Eval(f)
	if err != nil || v.IsNullish() {
		return t, false, err
	}
	loc, err := zone.eval(f)
	if err != nil || loc == nil {
		return t, false, err
	}
	t, err = asDate(v)
	return t.In(loc), err == nil, err
}

func dateToParts(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	args, zone, err := dateArgs(s, name, arg, namedCodes{notObject: 40524, unknown: 40520, lack: map[string]mongoerr.Code{"date": 40522}},
		[]string{"date"}, []string{"timezone", "iso8601"})
	if err != nil {
		return nil, err
	}
	return Func(func(f *Frame) (bsonval.Value, error) {
		t, iso, ok, err := partsInput(f, args, zone)
		if err != nil || !ok {
			return null, err
		}
		b := bsonval.NewBuilder(120)
		if iso {
			y, w := t.ISOWeek()
			b.Int32("isoWeekYear", int32(y)).Int32("isoWeek", int32(w)).Int32("isoDayOfWeek", int32(isoDay(t)))
		} else {
			b.Int32("year", int32(t.Year())).Int32("month", int32(t.Month())).Int32("day", int32(t.Day()))
		}
		b.Int32("hour", int32(t.Hour())).Int32("minute", int32(t.Minute())).Int32("second", int32(t.Second()))
		return b.Int32("millisecond", int32(millisecond(t))).Value(), nil
	}), nil
}

// partsInput evaluates what $dateToParts takes apart: the zone and the flag come
// before the date, so that they are checked where the date is null too.
func partsInput(f *Frame, args named, zone zoneExpr) (t time.Time, iso, ok bool, err error) {
	loc, err := zone.eval(f)
	if err != nil || loc == nil {
		return t, false, false, err
	}
	flag, err := args.eval(f, "iso8601")
	switch {
	case err != nil || args.has("iso8601") && flag.IsNullish():
		return t, false, false, err
	case args.has("iso8601") && flag.Type() != bsonval.Bool:
		return t, false, false, mongoerr.New(40521, "iso8601 must evaluate to a bool, found %s", flag.Type())
	}
	v, err := args.eval(f, "date")
	if err != nil || v.IsNullish() {
		return t, false, false, err
	}
	t, err = asDate(v)
	return t.In(loc), flag.Truth(), err == nil, err
}

// dateArgs is namedArgs whose timezone is set apart, with these operators' own words.
func dateArgs(s *Scope, name string, arg bsonval.Value, codes namedCodes, required, optional []string) (named, zoneExpr, error) {
	if arg.Type() != bsonval.Object {
		return nil, zoneExpr{}, mongoerr.New(codes.notObject, "%s only supports an object as its argument", name)
	}
	for field := range arg.Doc().All() {
		if !contains(required, field) && !contains(optional, field) {
			return nil, zoneExpr{}, mongoerr.New(codes.unknown, "Unrecognized argument to %s: %s", name, field)
		}
	}
	for _, field := range required {
		if code := codes.lack[field]; code != 0 && arg.Doc().Get(field).IsMissing() {
			return nil, zoneExpr{}, mongoerr.New(code, "Missing '%s' parameter to %s", field, name)
		}
	}
	args, err := namedArgs(s, name, arg, codes, required, optional)
	if err != nil {
		return nil, zoneExpr{}, err
	}
	var zone zoneExpr
	if args.has("timezone") {
		if zone, err = newZone(args["timezone"]); err != nil {
			return nil, zone, err
		}
	}
	return args, zone, nil
}

func dateFromParts(s *Scope, name string, arg bsonval.Value) (Expr, error) {
	common := []string{"timezone", "hour", "minute", "second", "millisecond"}
	names := append(common, "year", "month", "day", "isoWeekYear", "isoWeek", "isoDayOfWeek")
	args, zone, err := dateArgs(s, name, arg, namedCodes{notObject: 40519, unknown: 40518}, nil, names)
	if err != nil {
		return nil, err
	}
	switch {
	case !args.has("year") && !args.has("isoWeekYear"):
		return nil, mongoerr.New(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present")
	case args.has("year") && (args.has("isoWeekYear") || args.has("isoWeek") || args.has("isoDayOfWeek")):
		return nil, mongoerr.New(40489, "$dateFromParts does not allow mixing natural dates with ISO dates")
	case args.has("isoWeekYear") && (args.has("year") || args.has("month") || args.has("day")):
		return nil, mongoerr.New(40525, "$dateFromParts does not allow mixing ISO dates with natural dates")
	}
	p := &partsExpr{args, zone}
	if args.has("isoWeekYear") {
		return Func(p.iso), nil
	}
	return Func(p.natural), nil
}

type partsExpr struct {
	args named
	zone zoneExpr
}

// number evaluates one part; ok is false when it is null.
func (p *partsExpr) number(f *Frame, name string, def int64) (n int64, ok bool, err error) {
	if !p.args.has(name) {
		return def, true, nil
	}
	v, err := p.args.eval(f, name)
	if err != nil || v.IsNullish() {
		return 0, false, err
	}
	n, whole := v.ExactLong()
	if !v.IsNumber() || !whole {
		return 0, false, mongoerr.New(40515, "'%s' must evaluate to an integer, found %s with value %s", name, v.Type(), v)
	}
	return n, true, nil
}

// small is number for a part that must fit 16 bits.
func (p *partsExpr) small(f *Frame, name string, def int64) (n int, ok bool, err error) {
	long, ok, err := p.number(f, name, def)
	if ok && int64(int16(long)) != long {
		return 0, false, mongoerr.New(31034, "'%s' must evaluate to a value in the range [%d, %d]; value %d is not in range",
			name, math.MinInt16, math.MaxInt16, long)
	}
	return int(long), ok, err
}

// clock is a time of day; each part may lie beyond its day.
type clock struct {
	hour, minute  int
	second, milli int64
	loc           *time.Location
}

// clock evaluates the time of day and the zone, which come before the date.
func (p *partsExpr) clock(f *Frame) (c clock, ok bool, err error) {
	if c.hour, ok, err = p.small(f, "hour", 0); !ok {
		return c, false, err
	}
	if c.minute, ok, err = p.small(f, "minute", 0); !ok {
		return c, false, err
	}
	if c.second, ok, err = p.number(f, "second", 0); !ok {
		return c, false, err
	}
	if c.milli, ok, err = p.number(f, "millisecond", 0); !ok {
		return c, false, err
	}
	c.loc, err = p.zone.eval(f)
	return c, c.loc != nil, err
}

func (p *partsExpr) natural(f *Frame) (bsonval.Value, error) {
	c, ok, err := p.clock(f)
	if !ok || err != nil {
		return null, err
	}
	year, ok, err := p.number(f, "year", 1970)
	if !ok {
		return null, err
	}
	month, ok, err := p.small(f, "month", 1)
	if !ok {
		return null, err
	}
	day, ok, err := p.small(f, "day", 1)
	if !ok {
		return null, err
	}
	if year < 1 || year > 9999 {
		return null, mongoerr.New(40523, "'year' must evaluate to an integer in the range 1 to 9999, found %d", year)
	}
	return c.on(int(year), time.Month(month), day)
}

func (p *partsExpr) iso(f *Frame) (bsonval.Value, error) {
	c, ok, err := p.clock(f)
	if !ok || err != nil {
		return null, err
	}
	year, ok, err := p.number(f, "isoWeekYear", 1970)
	if !ok {
		return null, err
	}
	week, ok, err := p.small(f, "isoWeek", 1)
	if !ok {
		return null, err
	}
	day, ok, err := p.small(f, "isoDayOfWeek", 1)
	if !ok {
		return null, err
	}
	if year < 1 || year > 9999 {
		return null, mongoerr.New(31095, "'isoWeekYear' must evaluate to an integer in the range 1 to 9999, found %d", year)
	}
	first := isoYearStart(int(year))
	return c.on(first.Year(), first.Month(), first.Day()+(week-1)*7+day-1)
}

// isoYearStart is the Monday of the week that holds January 4th.
func isoYearStart(year int) time.Time {
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)
	return fourth.AddDate(0, 0, 1-int(isoDay(fourth)))
}

// on puts the clock on a day. It is added in local time, so that 25 hours are the next
// day's first.
func (c clock) on(y int, m time.Month, d int) (bsonval.Value, error) {
	const most = math.MaxInt64 / 1_000_000 // seconds that can be counted in microseconds
	if max(c.second, -c.second) > most || max(c.milli, -c.milli) > most*1000 {
		return null, dateOverflow()
	}
	local := time.Date(y, m, d, c.hour, c.minute, int(c.second+c.milli/1000), int(c.milli%1000)*1e6, time.UTC)
	t := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), c.loc)
	if s := t.Unix(); s > most || s < -most {
		return null, dateOverflow()
	}
	return bsonval.TimeValue(t), nil
}

func dateOverflow() error {
	return mongoerr.New(mongoerr.DurationOverflow, "Overflow casting from a lower-precision duration to a higher-precision duration")
}
