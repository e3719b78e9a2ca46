package collation

import (
	"unicode"
	"unicode/utf8"
)

// maxPart is how much of a string is weighed at once, in bytes: a long one is gone
// through for each level anew, a part after the other, since its elements take many times
// its own memory.
const maxPart = 16 << 10

// cut finds the elements of a short string, and the parts of a long one.
func (w *weigher) cut(s string) {
	w.parts = w.parts[:0]
	if len(s) <= maxPart {
		w.elements(s)
		return
	}
	for len(s) > maxPart {
		at := w.boundary(s)
		w.parts = append(w.parts, s[:at])
		s = s[at:]
	}
	w.parts = append(w.parts, s)
}

// boundary is where a string's first part ends: before a character that neither takes
// part in a sequence nor has one before it.
func (w *weigher) boundary(s string) int {
	before, _ := utf8.DecodeLastRuneInString(s[:maxPart])
	for i, r := range s[maxPart:] {
		if w.begins(r) && !w.joins(before) && !w.joins(r) {
			return maxPart + i
		}
		before = r
	}
	return len(s)
}

// begins tells a character that has a weight of its own at the first level.
func (w *weigher) begins(r rune) bool {
	return unicode.IsLetter(r) || r >= ' ' && r <= '~' && !(w.c.numeric && unicode.IsDigit(r))
}

// joins tells a character that may weigh something together with those around it.
func (w *weigher) joins(r rune) bool {
	return len(w.m.sequences[r]) > 0 || r >= 0x300 && (ccc(r) > 0 || unicode.Is(unicode.M, r) || unicode.Is(unicode.Logical_Order_Exception, r)) ||
		r >= firstJamo && r <= lastJamo
}

// The parts of Hangul's syllables.
const (
	firstJamo = 0x1100
	lastJamo  = 0x11ff
)

// over does something with the elements of each part, the last one first if asked to.
func (w *weigher) over(reverse bool, do func()) {
	if len(w.parts) == 0 {
		do()
		return
	}
	for i := range w.parts {
		if reverse {
			i = len(w.parts) - 1 - i
		}
		w.elements(w.parts[i])
		do()
	}
}

// everywhere yields what counts below the first level, of all parts.
func (w *weigher) everywhere(yield func(e *element)) {
	w.over(false, func() { w.each(yield) })
}

// forget gives back what a long string took.
func (w *weigher) forget() {
	clear(w.parts[:cap(w.parts)])
	if cap(w.left)+cap(w.right) > 4*maxPart {
		w.left, w.right = nil, nil
	}
}
