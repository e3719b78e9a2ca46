package collation

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// endOfLevel is less than the first byte of any weight.
const endOfLevel = 0x01

// weigher makes sort keys. It serves one goroutine.
type weigher struct {
	c     *Collator
	m     mapping[element]
	chars []rune
	es    []element
	room  []element
	text  []byte // decomposed

	parts   []string   // of a long string; none of a short one
	counted []*element // at the second level

	left, right []byte
}

func newWeigher(c *Collator) *weigher {
	w := &weigher{c: c, m: c.t.m}
	w.m.root = func(r rune) []element {
		w.room = c.root.append(w.room[:0], r)
		return w.room
	}
	return w
}

// key appends bytes by which strings order: the weights of each level, the first one
// first. Each weight is written so that none begins another.
func (w *weigher) key(dst []byte, s string) []byte {
	w.cut(s)
	return w.levels(dst, s)
}

func (w *weigher) levels(dst []byte, s string) []byte {
	c := w.c
	w.over(false, func() {
		for i := range w.es {
			dst = w.primary(dst, &w.es[i])
		}
	})
	if c.strength >= 2 {
		dst = w.secondaries(append(dst, endOfLevel))
	}
	if c.caseLevel {
		dst = w.cases(append(dst, endOfLevel))
	}
	if c.strength >= 3 {
		dst = w.tertiaries(append(dst, endOfLevel))
	}
	if c.strength >= 4 {
		dst = w.quaternaries(append(dst, endOfLevel))
	}
	if c.strength >= 5 {
		dst = norm.NFD.AppendString(append(dst, endOfLevel), s)
	}
	return dst
}

// elements finds what a string weighs.
func (w *weigher) elements(s string) {
	w.chars, w.es = w.chars[:0], w.es[:0]
	switch {
	case w.c.normalization && !ascii(s):
		w.text = norm.NFD.AppendString(w.text[:0], s)
		for rest := w.text; len(rest) > 0; {
			r, n := utf8.DecodeRune(rest)
			w.chars, rest = append(w.chars, r), rest[n:]
		}
	default:
		w.apart(s)
	}
	if w.c.numeric {
		w.numbers()
		return
	}
	w.m.each(w.chars, func(es []element) { w.es = append(w.es, es...) })
}

// apart takes the characters of a string, each decomposed by itself: without
// normalization several marks count in the order in which they stand.
func (w *weigher) apart(s string) {
	for i, r := range s {
		if r < 0xc0 {
			w.chars = append(w.chars, r)
			continue
		}
		d := norm.NFD.PropertiesString(s[i:]).Decomposition()
		if r >= firstHangul && r <= lastHangul {
			d = norm.NFD.Bytes([]byte(string(r)))
		}
		if d == nil {
			w.chars = append(w.chars, r)
		}
		for len(d) > 0 {
			part, n := utf8.DecodeRune(d)
			w.chars, d = append(w.chars, part), d[n:]
		}
	}
}

// Hangul's syllables are taken apart by reckoning.
const (
	firstHangul = 0xac00
	lastHangul  = 0xd7a3
)

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// primary appends a primary weight: its bytes, and after those of the root its place.
func (w *weigher) primary(dst []byte, e *element) []byte {
	if e.p == 0 && e.ps == 0 || w.variable(e) {
		return dst
	}
	if w.c.t.ranks != nil {
		rank := byte(0) // within a number
		if e.s > 0 || e.t > 0 {
			rank = w.c.t.ranks[w.c.root.groupOf(e.p)]
		}
		dst = append(dst, 2+rank)
	}
	return appendPrimary(dst, e.p, e.ps)
}

func appendPrimary(dst []byte, p, place uint32) []byte {
	for ; p != 0; p <<= 8 {
		b := byte(p >> 24)
		if b == 0xff {
			b = 0xfe
		}
		dst = append(dst, b)
	}
	if place > 0 {
		dst = append(dst, 0xff, byte(place>>16), byte(place>>8), byte(place))
	}
	return dst
}

// variable tells an element that "shifted" moves to the fourth level.
func (w *weigher) variable(e *element) bool { return w.c.shifted && e.p > 0 && e.p <= w.c.variableTop }

// each yields the elements that count below the first level: with "shifted" not those of
// spaces and punctuation, nor the marks on them.
func (w *weigher) each(yield func(e *element)) {
	after := false
	for i := range w.es {
		e := &w.es[i]
		switch {
		case w.variable(e):
			after = true
		case e.p == 0 && after:
		default:
			if e.p > 0 {
				after = false
			}
			yield(e)
		}
	}
}

// row are the weights of a level at which most are the same: the ones that are, are
// held back, and left out at the end.
type row struct {
	dst  []byte
	held int
}

const (
	beforeCommon = 0x04
	common       = 0x05
	afterCommon  = 0x06
)

func (l *row) flush() {
	for ; l.held > 0; l.held-- {
		l.dst = append(l.dst, common)
	}
}

// weight appends a weight of two bytes, moved up by lift, and its place.
func (l *row) weight(n, place uint16, lift byte, usual uint16) {
	switch {
	case n == usual && place == 0:
		l.held++
		return
	case n == usual:
		l.flush()
		l.dst = append(l.dst, afterCommon, byte(place>>8), byte(place))
		return
	case n < usual:
		l.flush()
		l.dst = binary.BigEndian.AppendUint16(append(l.dst, beforeCommon), n)
	default:
		l.flush()
		l.dst = append(l.dst, byte(n>>8)+lift, byte(n))
	}
	if place > 0 {
		l.dst = append(l.dst, 0xff, byte(place>>8), byte(place))
	}
}

func (w *weigher) secondaries(dst []byte) []byte {
	l := row{dst: dst}
	w.over(w.c.backwards, func() {
		w.counted = w.counted[:0]
		w.each(func(e *element) {
			if e.s > 0 || e.ss > 0 {
				w.counted = append(w.counted, e)
			}
		})
		if w.c.backwards {
			slices.Reverse(w.counted)
		}
		for _, e := range w.counted {
			l.weight(e.s, e.ss, 0, commonSecondary)
		}
	})
	return l.end(w.c.t.early)
}

// end leaves out the usual weights at the end, unless some weights are less.
func (l *row) end(early bool) []byte {
	if early {
		l.flush()
	}
	return l.dst
}

func (w *weigher) cases(dst []byte) []byte {
	w.everywhere(func(e *element) {
		if e.t == 0 || w.c.strength == 1 && e.p == 0 || e.s == 0 {
			return
		}
		if w.c.caseFirst == "upper" {
			dst = append(dst, 4-byte(e.c))
		} else {
			dst = append(dst, 2+byte(e.c))
		}
	})
	return dst
}

func (w *weigher) tertiaries(dst []byte) []byte {
	lift := byte(0x30) // above what stands around the usual weight
	l := row{dst: dst}
	withCase := w.c.caseFirst != "off" && !w.c.caseLevel
	usual := uint16(commonTertiary)
	if withCase && w.c.caseFirst == "upper" {
		usual, lift = 0, 0 // the least one is that of capitals
	}
	w.everywhere(func(e *element) {
		if e.t == 0 && e.ts == 0 {
			return
		}
		t := e.t
		if withCase {
			t |= uint16(e.c) << 14
			switch {
			case w.c.caseFirst != "upper":
			case e.s > 0:
				t ^= 0xc000
			default:
				t += 0x4000
			}
		}
		l.weight(t, e.ts, lift, usual)
	})
	return l.end(w.c.t.early)
}

// quaternaries tells spaces and punctuation from letters where they are shifted, and
// else what only this level tells apart.
func (w *weigher) quaternaries(dst []byte) []byte {
	if !w.c.shifted {
		l := row{dst: dst}
		w.everywhere(func(e *element) { l.weight(0, e.q, 0, 0) })
		return l.end(false)
	}
	w.over(false, func() {
		after := false
		for i := range w.es {
			e := &w.es[i]
			switch {
			case w.variable(e):
				dst, after = appendPrimary(dst, e.p, e.ps), true
			case e.p == 0 && after, e.p == 0 && e.t == 0:
			default:
				dst, after = append(dst, 0xff), after && e.p == 0
			}
		}
	})
	return dst
}
