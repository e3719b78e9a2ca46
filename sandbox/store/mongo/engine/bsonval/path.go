package bsonval

import (
	"strconv"
	"strings"
)

// Path follows a dotted path through documents and, where a part is a number, into
// arrays at that place. It does not spread over arrays: that is what packages match
// and expr do, each in its own way. The answer is Missing where the path ends early.
func (d Doc) Path(path string) Value {
	v := DocValue(d)
	for path != "" {
		part, rest, _ := strings.Cut(path, ".")
		switch v.t {
		case Object:
			v = v.Doc().Get(part)
		case Array:
			i, ok := ArrayIndex(part)
			if !ok {
				return Value{}
			}
			v = v.Doc().At(i)
		default:
			return Value{}
		}
		path = rest
	}
	return v
}

// ArrayIndex reads a path's part as a place in an array: digits without a leading zero.
func ArrayIndex(part string) (int, bool) {
	if part == "" || len(part) > 7 || part[0] == '0' && len(part) > 1 {
		return 0, false
	}
	for i := 0; i < len(part); i++ {
		if part[i] < '0' || part[i] > '9' {
			return 0, false
		}
	}
	i, err := strconv.Atoi(part)
	return i, err == nil
}
