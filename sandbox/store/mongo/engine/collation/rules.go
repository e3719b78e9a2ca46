package collation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// tailoring is what a locale makes of the root collation.
type tailoring struct {
	m     mapping[element]
	ranks []byte
	early bool // some weights come before the usual ones

	caseFirst                         string
	backwards, shifted, normalization bool
}

// ruleReader reads the rules of a locale.
// https://www.unicode.org/reports/tr35/tr35-collation.html#Collation_Elements
type ruleReader struct {
	rs []rune
	b  *builder
	t  *tailoring
}

func readRules(rules string) (*tailoring, error) {
	r := &ruleReader{rs: []rune(rules), b: newBuilder(root()), t: &tailoring{caseFirst: "off"}}
	for r.skip(); len(r.rs) > 0; r.skip() {
		if err := r.rule(); err != nil {
			return nil, fmt.Errorf("at %.20q: %w", string(r.rs), err)
		}
	}
	r.t.m, r.t.early = r.b.finish(), r.b.early
	r.t.m.root = r.b.of
	r.t.m.learn()
	r.t.m.root = nil // each weigher has its own
	return r.t, nil
}

// skip passes blanks and comments.
func (r *ruleReader) skip() {
	for len(r.rs) > 0 && (unicode.Is(unicode.Pattern_White_Space, r.rs[0]) || r.rs[0] == '#') {
		if r.rs[0] == '#' {
			for len(r.rs) > 0 && r.rs[0] != '\n' {
				r.rs = r.rs[1:]
			}
			continue
		}
		r.rs = r.rs[1:]
	}
}

func (r *ruleReader) rule() error {
	switch r.rs[0] {
	case '[':
		return r.setting(r.bracket())
	case '&':
		r.rs = r.rs[1:]
		return r.reset()
	case '<', '=':
		return r.relation()
	}
	return fmt.Errorf("no rule")
}

// bracket takes a [ … ] with those within it, and answers what is between.
func (r *ruleReader) bracket() string {
	depth := 0
	for i, c := range r.rs {
		switch c {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				out := string(r.rs[1:i])
				r.rs = r.rs[i+1:]
				return out
			}
		}
	}
	out := string(r.rs[1:])
	r.rs = nil
	return out
}

func (r *ruleReader) setting(s string) error {
	name, arg, _ := strings.Cut(s, " ")
	switch name {
	case "reorder":
		r.t.ranks = r.b.root.ranks(strings.Fields(arg))
	case "caseFirst":
		r.t.caseFirst = arg
	case "backwards":
		r.t.backwards = true
	case "alternate":
		r.t.shifted = arg == "shifted"
	case "normalization":
		r.t.normalization = arg == "on"
	case "suppressContractions":
		r.suppress([]rune(strings.Trim(arg, "[]")))
	case "optimize":
	default:
		return fmt.Errorf("unknown setting %s", s)
	}
	return nil
}

func (r *ruleReader) suppress(set []rune) {
	last := rune(0)
	for i := 0; i < len(set); i++ {
		switch {
		case set[i] == ' ':
		case set[i] == '-' && last > 0 && i+1 < len(set):
			for c := last + 1; c <= set[i+1]; c++ {
				r.b.suppress(c)
			}
			i++
		default:
			last = set[i]
			r.b.suppress(last)
		}
	}
}

// reset reads where a rule begins.
func (r *ruleReader) reset() error {
	r.skip()
	before := level(0)
	if rest, ok := strings.CutPrefix(string(r.rs[:min(9, len(r.rs))]), "[before "); ok {
		before = level(rest[0] - '0')
		r.bracket()
		r.skip()
	}
	var ds []draft
	if len(r.rs) > 0 && r.rs[0] == '[' {
		e, err := r.position(r.bracket())
		if err != nil {
			return err
		}
		ds = r.b.drafts([]element{e})
	} else {
		ds = r.b.expand(r.text())
	}
	if before > 0 {
		return r.b.resetBefore(before, ds)
	}
	r.b.reset(ds)
	return nil
}

// position is a named place of the root.
func (r *ruleReader) position(name string) (element, error) {
	o := r.b.root
	switch name {
	case "last regular":
		return element{p: firstHan, s: commonSecondary, t: commonTertiary}, nil
	case "first tertiary ignorable", "last tertiary ignorable":
		return element{}, nil
	case "last secondary ignorable":
		return element{t: 0x3f00}, nil
	case "first primary ignorable", "last primary ignorable":
		least, most := element{s: 0xffff}, element{}
		for _, k := range o.elements {
			e := k.element()
			if e.p == 0 && e.s > 0 && e.s < least.s {
				least = e
			}
			if e.p == 0 && e.s > most.s {
				most = e
			}
		}
		if strings.HasPrefix(name, "first") {
			return least, nil
		}
		return most, nil
	}
	return element{}, fmt.Errorf("unknown position [%s]", name)
}

// relation reads one relation: <, <<, <<<, <<<< or =, perhaps with a star for many.
func (r *ruleReader) relation() error {
	at := identical
	if r.rs[0] == '<' {
		at = 0
		for len(r.rs) > 0 && r.rs[0] == '<' {
			at++
			r.rs = r.rs[1:]
		}
	} else {
		r.rs = r.rs[1:]
	}
	if len(r.rs) > 0 && r.rs[0] == '*' {
		r.rs = r.rs[1:]
		for _, c := range r.many() {
			r.b.relate(at, nil, []rune(norm.NFD.String(string(c))), nil)
		}
		return nil
	}
	r.skip()
	var before, expansion []rune
	s := r.text()
	if r.skip(); len(r.rs) > 0 && r.rs[0] == '|' {
		r.rs = r.rs[1:]
		r.skip()
		before, s = s, r.text()
		r.skip()
	}
	if len(r.rs) > 0 && r.rs[0] == '/' {
		r.rs = r.rs[1:]
		r.skip()
		expansion = r.text()
	}
	if len(s) == 0 {
		return fmt.Errorf("a relation to nothing")
	}
	r.b.relate(at, before, s, expansion)
	return nil
}

// text reads a string, decomposed.
func (r *ruleReader) text() []rune { return []rune(norm.NFD.String(string(r.chars(nil)))) }

// chars reads characters up to what means something else. What is quoted goes to
// quoted, if it is not nil, besides.
func (r *ruleReader) chars(quoted func(at int)) []rune {
	var out []rune
	for len(r.rs) > 0 {
		switch c := r.rs[0]; {
		case c == '\'':
			end := slices.Index(r.rs[1:], '\'')
			if end < 0 {
				end = len(r.rs) - 2
			}
			if end == 0 {
				out = append(out, '\'')
			}
			for _, q := range r.rs[1 : 1+end] {
				if quoted != nil {
					quoted(len(out))
				}
				out = append(out, q)
			}
			r.rs = r.rs[min(end+2, len(r.rs)):]
		case c == '\\' && len(r.rs) > 1:
			if quoted != nil {
				quoted(len(out))
			}
			out = append(out, r.rs[1])
			r.rs = r.rs[2:]
		case c == '-' && quoted != nil:
			out = append(out, c)
			r.rs = r.rs[1:]
		case unicode.Is(unicode.Pattern_White_Space, c) || c < 0x80 && strings.ContainsRune("&<=|/[]#", c):
			return out
		default:
			out = append(out, c)
			r.rs = r.rs[1:]
		}
	}
	return out
}

// many reads a list of characters, in which a-d stands for all between.
func (r *ruleReader) many() []rune {
	plain := map[int]bool{}
	r.skip()
	cs := r.chars(func(at int) { plain[at] = true })
	var out []rune
	for i := 0; i < len(cs); i++ {
		if cs[i] == '-' && !plain[i] && len(out) > 0 && i+1 < len(cs) {
			for c := out[len(out)-1] + 1; c <= cs[i+1]; c++ {
				out = append(out, c)
			}
			i++
			continue
		}
		out = append(out, cs[i])
	}
	return out
}
