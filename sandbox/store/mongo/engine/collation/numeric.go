package collation

import (
	"slices"
	"unicode"
)

// numbers finds what a string weighs with its digits read as numbers: how many digits
// come first, then the digits. Zeros before a number don't count.
func (w *weigher) numbers() {
	add := func(es []element) { w.es = append(w.es, es...) }
	for from := 0; from < len(w.chars); {
		to := from
		for to < len(w.chars) && unicode.Is(unicode.Nd, w.chars[to]) {
			to++
		}
		if to > from {
			w.number(w.chars[from:to])
			from = to
			continue
		}
		for to < len(w.chars) && !unicode.Is(unicode.Nd, w.chars[to]) {
			to++
		}
		w.m.each(slices.Clip(w.chars[from:to]), add)
		from = to
	}
}

// maxDigits is how many digits are one number.
const maxDigits = 254

// number adds the elements of a row of digits. Two digits are a byte, four bytes an
// element that has no weight but the first.
func (w *weigher) number(digits []rune) {
	for len(digits) > 0 {
		row := digits[:min(len(digits), maxDigits)]
		digits = digits[len(row):]
		for len(row) > 1 && digit(row[0]) == 0 {
			row = row[1:]
		}
		if len(row)%2 == 1 {
			row = append([]rune{'0'}, row...)
		}
		w.es = append(w.es, element{p: w.c.numberLead | uint32(len(row)/2+1)<<16, s: commonSecondary, t: commonTertiary})
		for len(row) > 0 {
			e := element{}
			for shift := 24; shift >= 0 && len(row) > 0; shift -= 8 {
				e.p |= uint32(0x10+10*digit(row[0])+digit(row[1])) << shift
				row = row[2:]
			}
			w.es = append(w.es, e)
		}
	}
}

// digit is the value of a decimal digit: they come in rows of ten.
func digit(r rune) int {
	zero := r
	for unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return int(r-zero) % 10
}
