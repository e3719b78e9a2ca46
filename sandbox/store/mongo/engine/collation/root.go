package collation

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// The order of Unicode's root collation (CLDR) and what locales change in it, written by
// data/make_data.py.
var (
	//go:embed data/root.bin.gz
	rootData []byte
	//go:embed data/tailorings.txt.gz
	tailoringData []byte
)

// element is a collation element: what a character, a part of one or several together
// weigh at each level. https://unicode.org/reports/tr10/#Collation_Element
type element struct {
	p  uint32 // primary weight in the root; 0: none
	ps uint32 // place among what a locale puts right after it; 0: the root's own
	s  uint16
	ss uint16
	t  uint16 // without the case
	ts uint16
	q  uint16 // place after it at the fourth level
	c  letterCase
}

// letterCase tells how a letter is written.
type letterCase uint8

const (
	lower letterCase = iota
	mixed
	upper
)

// The weights that most elements have at the lower levels.
const (
	commonSecondary = 0x0500
	commonTertiary  = 0x0500
	tertiaryMask    = 0x3f3f // what is beside the case
)

// Where weights begin that are reckoned: Han characters in the order of their numbers,
// and what the root doesn't know.
const (
	firstHan     = 0xdfff0000
	hanBase      = 0xe0000000
	hanExtension = 1 << 20 // of those that came later
	unknownBase  = 0xf8000000
)

// group are the characters of a script, or of a kind such as spaces; a locale may put
// groups into another order.
type group struct {
	name  string
	first uint32 // primary weight
}

// packed is an element of the root.
type packed struct {
	p    uint32
	s, t uint16 // t with the case, and lastOfAll
}

// lastOfAll marks a character's last element.
const lastOfAll = 0x80

func (k packed) element() element {
	return element{p: k.p, s: k.s, t: k.t & tertiaryMask, c: letterCase(k.t >> 14)}
}

// rootOrder is the root collation.
type rootOrder struct {
	pages     map[rune]*[256]uint32 // by r>>8: where a character's elements begin, +1; 0: none known
	elements  []packed
	sequences map[rune][]sequence[element]
	groups    []group
}

// root answers the root collation, which is read when the first one is asked for.
var root = sync.OnceValue(readRoot)

func unzip(data []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		panic("the collations in this program are damaged: " + err.Error())
	}
	out, err := io.ReadAll(z)
	if err != nil {
		panic("the collations in this program are damaged: " + err.Error())
	}
	return out
}

func readRoot() *rootOrder {
	r := rootReader{b: unzip(rootData)}
	o := &rootOrder{pages: map[rune]*[256]uint32{}, sequences: map[rune][]sequence[element]{}}
	char := rune(0)
	for range r.next() {
		char += rune(r.next())
		page := o.pages[char>>8]
		if page == nil {
			page = new([256]uint32)
			o.pages[char>>8] = page
		}
		es := r.elements()
		if len(es) == 0 {
			es = []packed{{}} // ignored
		}
		es[len(es)-1].t |= lastOfAll
		page[char&0xff] = uint32(len(o.elements)) + 1
		o.elements = append(o.elements, es...)
	}
	for range r.next() {
		chars := make([]rune, r.next())
		for i := range chars {
			chars[i] = rune(r.next())
		}
		var es []element
		for _, k := range r.elements() {
			es = append(es, k.element())
		}
		o.sequences[chars[0]] = append(o.sequences[chars[0]], sequence[element]{chars: chars, elements: es})
	}
	for range r.next() {
		name := string(r.bytes(int(r.next())))
		o.groups = append(o.groups, group{name, uint32(r.next())})
	}
	o.groups = append(o.groups, group{"Hani", firstHan}, group{"Zzzz", unknownBase})
	o.elements = slices.Clip(o.elements)
	return o
}

type rootReader struct {
	b []byte
	p int64
}

func (r *rootReader) next() uint64 {
	n, size := binary.Uvarint(r.b)
	r.b = r.b[size:]
	return n
}

func (r *rootReader) bytes(n int) []byte {
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *rootReader) elements() []packed {
	out := make([]packed, r.next())
	for i := range out {
		by, size := binary.Varint(r.b)
		r.b = r.b[size:]
		r.p += by
		s, t := r.next(), r.next()
		out[i] = packed{p: uint32(r.p), s: uint16(s), t: uint16(t) &^ lastOfAll}
	}
	return out
}

// append appends a character's elements. Those of Han characters, and of what the root
// doesn't know, are reckoned.
func (o *rootOrder) append(dst []element, r rune) []element {
	if page := o.pages[r>>8]; page != nil && page[r&0xff] > 0 {
		for _, k := range o.elements[page[r&0xff]-1:] {
			dst = append(dst, k.element())
			if k.t&lastOfAll != 0 {
				return dst
			}
		}
	}
	e := element{p: unknownBase | uint32(r)<<1 | 1, s: commonSecondary, t: commonTertiary}
	if unicode.Is(unicode.Unified_Ideograph, r) {
		n := uint32(r)
		if !(r >= 0x4e00 && r <= 0x9fff || r >= 0xf900 && r <= 0xfaff) {
			n += hanExtension
		}
		e.p = hanBase + n<<1 | 1
	}
	return append(dst, e)
}

// primaries are all primary weights, sorted.
func (o *rootOrder) primaries() []uint32 {
	var out []uint32
	for _, k := range o.elements {
		out = append(out, k.p)
	}
	for _, list := range o.sequences {
		for _, q := range list {
			for _, e := range q.elements {
				out = append(out, e.p)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// upTo is the last primary weight of a group and those before it.
func (o *rootOrder) upTo(name string) uint32 {
	i := slices.IndexFunc(o.groups, func(g group) bool { return g.name == name })
	return o.groups[i+1].first - 1
}

// ranks are the places of the groups when those in list come first after spaces,
// punctuation, symbols, currencies and digits.
func (o *rootOrder) ranks(list []string) []byte {
	if len(list) == 0 {
		return nil
	}
	const special = 5
	var order []int
	placed := make([]bool, len(o.groups))
	put := func(i int) {
		if !placed[i] {
			placed[i] = true
			order = append(order, i)
		}
	}
	for i := range special {
		if !slices.Contains(list, o.groups[i].name) {
			put(i)
		}
	}
	for _, name := range list {
		for _, known := range sameScript(name) {
			for i, g := range o.groups {
				if g.name == known {
					put(i)
				}
			}
		}
	}
	for i := range o.groups {
		put(i)
	}
	out := make([]byte, len(order))
	for rank, i := range order {
		out[i] = byte(rank)
	}
	return out
}

// sameScript are the scripts that stand together under one name.
func sameScript(name string) []string {
	switch name {
	case "Kana", "Hira", "Jpan", "Hrkt":
		return []string{"Hira", "Kana"}
	}
	return []string{name}
}

func (o *rootOrder) groupOf(p uint32) int {
	i, found := slices.BinarySearchFunc(o.groups, p, func(g group, p uint32) int { return cmp.Compare(g.first, p) })
	if !found {
		i--
	}
	return i
}

// eachLocale yields the locales, by their names in the server's manner, with their
// rules; "=" and a name for those of another.
func eachLocale(yield func(name, rules string) bool) {
	for line := range strings.SplitSeq(string(unzip(tailoringData)), "\n") {
		name, rules, _ := strings.Cut(line, "\t")
		if !yield(name, rules) {
			return
		}
	}
}

// rulesOf answers a locale's rules; "!" for those that are not known. They are unpacked
// each time: few locales are asked for, and each once.
func rulesOf(locale string) string {
	for name, rules := range eachLocale {
		if name != locale {
			continue
		}
		if same, ok := strings.CutPrefix(rules, "="); ok {
			return rulesOf(same)
		}
		return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(rules)
	}
	return ""
}
