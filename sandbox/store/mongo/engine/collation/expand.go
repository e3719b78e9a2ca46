package collation

import (
	"slices"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// sequence are characters that weigh something together, perhaps only after others.
type sequence[E any] struct {
	before   []rune // what must stand before
	chars    []rune
	elements []E
}

// mapping tells what characters weigh. E is an element, or one that is being made.
type mapping[E any] struct {
	single    map[rune][]E
	sequences map[rune][]sequence[E] // by the first character, the longest first
	root      func(r rune) []E
	plain     map[rune]bool // vowels that are not moved behind their consonant
	latin     []known[E]    // of the characters that most texts are made of; may be empty
}

// known is all about one character.
type known[E any] struct {
	elements []E
	begins   bool // a sequence may begin with it
}

// latinEnd is behind the characters of most languages in Latin letters.
const latinEnd = 0x180

// learn gathers what is known of the commonest characters.
func (m *mapping[E]) learn() {
	m.latin = make([]known[E], latinEnd)
	for r := range m.latin {
		m.latin[r] = known[E]{slices.Clone(m.one(rune(r))), len(m.sequences[rune(r)]) > 0}
	}
}

// each yields what the characters weigh, which must be decomposed (NFD). rs is changed.
// https://unicode.org/reports/tr10/#Main_Algorithm, S2
func (m *mapping[E]) each(rs []rune, yield func([]E)) {
	moved := -1
	for i := 0; i < len(rs); {
		if r := rs[i]; int(r) < len(m.latin) && !m.latin[r].begins {
			yield(m.latin[r].elements)
			i++
			continue
		}
		if i != moved && i+1 < len(rs) && m.precedes(rs[i], rs[i+1]) {
			rs[i], rs[i+1] = rs[i+1], rs[i]
			moved = i + 1
		}
		es, n := m.longest(rs, i)
		if n == 0 {
			es, n = m.one(rs[i]), 1
		}
		yield(es)
		i += n
	}
}

func (m *mapping[E]) one(r rune) []E {
	if es, ok := m.single[r]; ok {
		return es
	}
	return m.root(r)
}

// longest answers the longest sequence that begins at i, and how many of rs it takes; 0
// for none. Marks that don't stand in its way may stand within it: those are moved
// behind it.
func (m *mapping[E]) longest(rs []rune, i int) (es []E, n int) {
	for _, q := range m.sequences[rs[i]] {
		if len(q.before) > 0 && (len(q.before) > i || !slices.Equal(rs[i-len(q.before):i], q.before)) {
			continue
		}
		if len(q.chars) <= len(rs)-i && slices.Equal(rs[i:i+len(q.chars)], q.chars) {
			return q.elements, len(q.chars)
		}
		if at := apart(rs[i:], q.chars); at != nil {
			gather(rs[i:], at)
			return q.elements, len(q.chars)
		}
	}
	return nil, 0
}

// apart finds chars in rs with other marks between, none of which has the class of one
// that follows it in the sequence or a higher one; nil where they are not there.
func apart(rs, chars []rune) []int {
	if len(rs) < len(chars) || rs[1] != chars[1] && ccc(rs[1]) == 0 {
		return nil
	}
	at := []int{0}
	want, class := 1, uint8(0)
	for i := 1; i < min(len(rs), maxMarks) && want < len(chars); i++ {
		c := ccc(rs[i])
		switch {
		case rs[i] == chars[want] && (i == at[len(at)-1]+1 && class == 0 || c > class && c != 0):
			at = append(at, i)
			want++
		case c == 0:
			return nil
		default:
			class = max(class, c)
		}
	}
	if want < len(chars) {
		return nil
	}
	return at
}

// maxMarks is how far a mark may stand from the character that it belongs to. Unicode's
// stream-safe text has at most 30 of them in a row.
const maxMarks = 32

func ccc(r rune) uint8 {
	if r < 0x300 {
		return 0
	}
	return norm.NFD.PropertiesString(string(r)).CCC()
}

// gather brings what stands at the places at to the front, in order.
func gather(rs []rune, at []int) {
	for to, from := range at {
		r := rs[from]
		copy(rs[to+1:from+1], rs[to:from])
		rs[to] = r
	}
}

// precedes tells a vowel that is written before the consonant that it follows when
// spoken: in Thai, Lao, Tai Viet and New Tai Lue.
func (m *mapping[E]) precedes(vowel, consonant rune) bool {
	if vowel < thaiVowel || m.plain[vowel] || !unicode.Is(unicode.Logical_Order_Exception, vowel) {
		return false
	}
	switch {
	case consonant >= 0xe01 && consonant <= 0xe2e: // Thai
		return vowel < 0xe80
	case consonant >= 0xe81 && consonant <= 0xeae, consonant >= 0xedc && consonant <= 0xedf: // Lao
		return vowel >= 0xe80 && vowel < 0xf00
	case consonant >= 0x1980 && consonant <= 0x19ab: // New Tai Lue
		return vowel >= 0x1980 && vowel < 0x1a00
	case consonant >= 0xaa80 && consonant <= 0xaaaf: // Tai Viet
		return vowel >= 0xaa80
	}
	return false
}

// thaiVowel is the first of the vowels that stand before their consonant.
const thaiVowel = 0xe40
