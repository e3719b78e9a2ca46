package expr

import (
	"strings"
	"time"
	_ "time/tzdata" // the zones travel with the program: the machine may have none

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// parseZone reads an Olson name ("Europe/Paris") or an offset ("+05:30", "-08").
func parseZone(name string) (*time.Location, error) {
	unknown := mongoerr.New(40485, "unrecognized time zone identifier: \"%s\"", name)
	switch {
	case name == "":
		return nil, unknown
	case strings.EqualFold(name, "UTC") || strings.EqualFold(name, "GMT") || name == "Z":
		return time.UTC, nil
	case name == "Local":
		return nil, unknown
	case name[0] == '+' || name[0] == '-':
		seconds, ok := offsetSeconds(name)
		if !ok {
			return nil, unknown
		}
		if seconds == 0 {
			return time.UTC, nil
		}
		return time.FixedZone("", seconds), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, unknown
	}
	return loc, nil
}

// offsetSeconds reads +hh, +hhmm and +hh:mm.
func offsetSeconds(s string) (int, bool) {
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) != 2 && len(digits) != 4 {
		return 0, false
	}
	n := [2]int{}
	for i, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n[i/2] = n[i/2]*10 + int(c-'0')
	}
	seconds := n[0]*3600 + n[1]*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, n[1] < 60
}

// zoneExpr is a compiled timezone argument.
type zoneExpr struct {
	e     Expr           // nil: UTC
	fixed *time.Location // set when e is a constant
}

func newZone(e Expr) (zoneExpr, error) {
	z := zoneExpr{e: e}
	v, ok := IsConst(e)
	if !ok || v.Type() != bsonval.String {
		return z, nil
	}
	var err error
	z.fixed, err = parseZone(v.Str())
	return z, err
}

// eval answers the zone; nil when the argument is null, which makes the result null.
func (z zoneExpr) eval(f *Frame) (*time.Location, error) {
	switch {
	case z.e == nil:
		return time.UTC, nil
	case z.fixed != nil:
		return z.fixed, nil
	}
	v, err := z.e.Eval(f)
	switch {
	case err != nil || v.IsNullish():
		return nil, err
	case v.Type() != bsonval.String:
		return nil, mongoerr.New(40517, "timezone must evaluate to a string, found %s", v.Type())
	}
	return f.zone(v.Str())
}

// maxZones bounds how many zones a frame remembers.
const maxZones = 256

func (f *Frame) zone(name string) (*time.Location, error) {
	if loc, ok := f.zones[name]; ok {
		return loc, nil
	}
	loc, err := parseZone(name)
	if err != nil {
		return nil, err
	}
	if f.zones == nil || len(f.zones) >= maxZones {
		f.zones = map[string]*time.Location{}
	}
	f.zones[strings.Clone(name)] = loc
	return loc, nil
}

// asDate reads a date, a timestamp or the time within an ObjectId.
func asDate(v bsonval.Value) (time.Time, error) {
	switch v.Type() {
	case bsonval.Date:
		return v.Time(), nil
	case bsonval.Timestamp:
		return time.Unix(int64(v.Timestamp()>>32), 0).UTC(), nil
	case bsonval.ObjectID:
		id := v.ObjectID()
		seconds := uint32(id[0])<<24 | uint32(id[1])<<16 | uint32(id[2])<<8 | uint32(id[3])
		return time.Unix(int64(seconds), 0).UTC(), nil
	}
	return time.Time{}, mongoerr.New(16006, "can't convert from BSON type %s to Date", v.Type())
}

func isDate(v bsonval.Value) bool {
	return v.Type() == bsonval.Date || v.Type() == bsonval.Timestamp || v.Type() == bsonval.ObjectID
}
