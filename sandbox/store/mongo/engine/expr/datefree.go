package expr

import (
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// free reads a date without a format, in the notations that people use: ISO 8601 and
// its kin, 06/15/2018, "June 15, 2018", "15 June 2018", with or without time and zone.
func (r *dateReader) free() error {
	r.spaces()
	if err := r.freeDate(); err != nil {
		return err
	}
	from := r.at
	letterT := r.accept("Tt")
	if !letterT {
		r.accept(",")
		r.spaces()
	}
	if !r.end() && isDigit(r.text[r.at]) {
		if r.at == from { // the date's own digits went on
			return r.fail("Unexpected character")
		}
		if err := r.freeClock(letterT); err != nil {
			return err
		}
	} else {
		r.namedClock()
	}
	r.spaces()
	if !r.end() {
		if err := r.freeZone(); err != nil {
			return err
		}
	}
	r.spaces()
	if !r.end() {
		return r.fail("Unexpected character")
	}
	return r.check()
}

func (r *dateReader) freeDate() error {
	if r.end() {
		return r.fail("Empty string")
	}
	if isLetter(r.text[r.at]) {
		return r.monthFirst()
	}
	from := r.at
	n, ok := r.number(1, 8)
	if !ok {
		return r.fail("Unexpected character")
	}
	width := r.at - from
	switch {
	case width == 8: // 20180615
		r.year, r.month, r.day = n/10000, n/100%100, n%100
	case width == 4:
		r.year = n
		return r.yearFirst()
	case width <= 2 && r.accept("/"): // 06/15/2018, 6/15/18
		r.month = n
		if r.day, ok = r.number(1, 2); !ok || !r.accept("/") {
			return r.fail("Unexpected character")
		}
		return r.shortYear()
	case width <= 2 && !r.end() && r.text[r.at] == ':': // a time alone
		return r.incomplete()
	case width <= 2 && r.accept("-."): // 15-06-2018, 15-Jun-2018
		r.day = n
		if !r.end() && isLetter(r.text[r.at]) {
			ok = r.monthName()
		} else {
			r.month, ok = r.number(1, 2)
		}
		if !ok || !r.accept("-.") {
			return r.fail("Unexpected character")
		}
		return r.lastYear()
	case width <= 2: // 15 June 2018
		r.day = n
		r.ordinal()
		r.spaces()
		if !r.monthName() {
			return r.fail("The timezone could not be found in the database")
		}
		r.accept(".,")
		r.spaces()
		return r.lastYear()
	default:
		return r.fail("Unexpected character")
	}
	return nil
}

func (r *dateReader) incomplete() error {
	return mongoerr.New(mongoerr.ConversionFailure, "an incomplete date/time string has been found, with elements missing: \"%s\"", r.text)
}

// shortYear is lastYear that takes two digits too: 70 to 99 are of the last century.
func (r *dateReader) shortYear() error {
	from := r.at
	y, ok := r.number(2, 4)
	switch r.at - from {
	case 2:
		if y += 1900; y < 1970 {
			y += 100
		}
	case 4:
	default:
		ok = false
	}
	if !ok {
		return r.fail("Unexpected character")
	}
	r.year = y
	return nil
}

func (r *dateReader) lastYear() error {
	if r.end() {
		return r.incomplete()
	}
	y, ok := r.number(4, 4)
	if !ok {
		return r.fail("Unexpected character")
	}
	r.year = y
	return nil
}

// yearFirst reads what follows 2018: -06-15, /06/15, -06, -166, -W24-5.
func (r *dateReader) yearFirst() error {
	sep := "-/."
	if !r.accept(sep) {
		return r.fail("Unexpected character")
	}
	if r.accept("W") {
		r.hasIso, r.isoYear = true, r.year
		w, ok := r.number(2, 2)
		if !ok {
			return r.fail("Unexpected character")
		}
		r.isoWeek = w
		if r.accept("-") {
			r.isoDy, _ = r.number(1, 1)
		}
		return nil
	}
	if !r.end() && isLetter(r.text[r.at]) {
		if !r.monthName() {
			return r.fail("Unexpected character")
		}
	} else {
		n, ok := r.number(1, 3)
		switch {
		case !ok:
			return r.fail("Unexpected character")
		case n > 31:
			r.yearDay = n
			return nil
		}
		r.month = n
	}
	if r.accept(sep) {
		d, ok := r.number(1, 2)
		if !ok {
			return r.fail("Unexpected character")
		}
		r.day = d
	}
	return nil
}

// monthFirst reads "June 15, 2018" and "Fri, 15 Jun 2018".
func (r *dateReader) monthFirst() error {
	from := r.at
	if w := strings.ToLower(r.word()); isWeekday(w) {
		r.accept(",.")
		r.spaces()
		return r.freeDate()
	}
	r.at = from
	if !r.monthName() {
		r.at = from
		return r.fail("The timezone could not be found in the database")
	}
	r.accept(".")
	r.spaces()
	n, ok := r.number(1, 4)
	if !ok {
		return r.fail("Unexpected character")
	}
	if n > 31 { // June 2018
		r.year = n
		return nil
	}
	r.day = n
	r.ordinal()
	r.accept(",")
	r.spaces()
	return r.lastYear()
}

func isWeekday(w string) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		full := strings.ToLower(d.String())
		if w == full || w == full[:3] {
			return true
		}
	}
	return false
}

// ordinal goes past the letters of 1st, 2nd, 3rd and 4th.
func (r *dateReader) ordinal() {
	for _, end := range []string{"st", "nd", "rd", "th"} {
		if strings.HasPrefix(r.text[r.at:], end) {
			r.at += len(end)
			return
		}
	}
}

// namedClock reads noon and midnight.
func (r *dateReader) namedClock() {
	from := r.at
	switch strings.ToLower(r.word()) {
	case "noon":
		r.hour = 12
	case "midnight":
	default:
		r.at = from
	}
}

// freeClock reads 9:30, 09.30.15, 09:30:15.250, 0930, 9:30 pm, 9pm, and after a T the
// hour alone.
func (r *dateReader) freeClock(letterT bool) error {
	from := r.at
	n, _ := r.number(1, 6)
	alone := false
	switch width := r.at - from; {
	case width == 6:
		r.hour, r.minute, r.second = n/10000, n/100%100, n%100
	case width == 4:
		r.hour, r.minute = n/100, n%100
	case width > 2:
		return r.fail("Unexpected character")
	default:
		r.hour = n
		if alone = !r.accept(":."); !alone {
			if err := r.minutesSeconds(); err != nil {
				return err
			}
		}
	}
	if r.accept(".,") && !r.fraction() {
		return r.fail("Unexpected character")
	}
	if !r.halfDay() && alone && !letterT {
		return r.fail("Unexpected character")
	}
	return nil
}

func (r *dateReader) minutesSeconds() error {
	var ok bool
	if r.minute, ok = r.number(2, 2); !ok {
		return r.fail("Unexpected character")
	}
	if r.accept(":.") {
		if r.second, ok = r.number(2, 2); !ok {
			return r.fail("Unexpected character")
		}
	}
	return nil
}

// halfDay reads am and pm, if one is there.
func (r *dateReader) halfDay() bool {
	from := r.at
	r.spaces()
	switch strings.ToLower(r.word()) {
	case "am":
		r.hour %= 12
	case "pm":
		r.hour = r.hour%12 + 12
	default:
		r.at = from
		return false
	}
	return true
}

// freeZone reads an offset, Z or a zone's name.
func (r *dateReader) freeZone() error {
	if !isLetter(r.text[r.at]) {
		if !r.offset() {
			return r.fail("Unexpected character")
		}
		return nil
	}
	from := r.at
	for !r.end() && (isLetter(r.text[r.at]) || strings.IndexByte("/_", r.text[r.at]) >= 0) {
		r.at++
	}
	name := r.text[from:r.at]
	switch strings.ToUpper(name) {
	case "Z", "UTC", "GMT":
		r.zone = time.UTC
		if !r.end() && strings.IndexByte("+-", r.text[r.at]) >= 0 && !r.offset() {
			return r.fail("Unexpected character")
		}
		return nil
	}
	if hours, ok := zoneHours(strings.ToUpper(name)); ok {
		r.zone = time.FixedZone(name, hours*3600)
		return nil
	}
	r.at = from
	return r.fail("The timezone could not be found in the database")
}

// zoneHours are the abbreviations that every date parser knows, and the letters of the
// military zones.
func zoneHours(name string) (hours int, ok bool) {
	switch name {
	case "EDT":
		return -4, true
	case "EST", "CDT":
		return -5, true
	case "CST", "MDT":
		return -6, true
	case "MST", "PDT":
		return -7, true
	case "PST":
		return -8, true
	case "CET", "BST":
		return 1, true
	case "CEST":
		return 2, true
	}
	if len(name) != 1 {
		return 0, false
	}
	switch c := int(name[0]); {
	case c >= 'A' && c <= 'I':
		return c - 'A' + 1, true
	case c >= 'K' && c <= 'M':
		return c - 'K' + 10, true
	case c >= 'N' && c <= 'Y':
		return 'N' - c - 1, true
	}
	return 0, false
}
