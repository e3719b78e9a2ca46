package fts

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Query is what $text asks for.
type Query struct {
	Terms, Negated          []string // stems; Terms are those that the index has
	Phrases, NegatedPhrases []string
	asked                   []string // the wanted stems with the case and marks that the query minds
	language                Language
	shown                   bsonval.Doc
	by                      sensitivity
}

// ParseQuery reads the argument of $text for an index.
func ParseQuery(arg bsonval.Doc, s *Spec) (*Query, error) {
	q := &Query{language: s.Language}
	named := s.given
	search := arg.Get("$search")
	switch search.Type() {
	case bsonval.String:
	case bsonval.Missing:
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Missing expected field \"$search\"")
	default:
		return nil, mongoerr.New(mongoerr.TypeMismatch, "\"$search\" had the wrong type. Expected string, found %s", search.Type())
	}
	for name, v := range arg.All() {
		switch name {
		case "$search":
		case "$language":
			if v.Type() != bsonval.String {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "\"$language\" had the wrong type. Expected string, found %s", v.Type())
			}
			if v.Str() == "" {
				continue
			}
			l, err := parseLanguage(v.Str(), s.Version)
			if err != nil {
				return nil, err
			}
			q.language, named = l, v.Str()
		case "$caseSensitive", "$diacriticSensitive":
			if v.Type() != bsonval.Bool {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "\"%s\" had the wrong type. Expected bool, found %s", name, v.Type())
			}
			if name == "$caseSensitive" {
				q.by.toCase = v.Bool()
			} else {
				q.by.toMarks = v.Bool()
			}
		default:
			return nil, mongoerr.New(mongoerr.BadValue, "extra fields in $text")
		}
	}
	q.parse(search.Str())
	b := bsonval.NewBuilder(128)
	b.Set("$search", search).Str("$language", named).Bool("$caseSensitive", q.by.toCase).Bool("$diacriticSensitive", q.by.toMarks)
	q.shown = b.Doc()
	return q, nil
}

// Shown is the query with all that it leaves to the index.
func (q *Query) Shown() bsonval.Doc { return q.shown }

// parse cuts a search into words, "phrases", and either with a - right before it. What
// a - makes unwanted ends at the next blank.
func (q *Query) parse(s string) {
	var p searchParser
	for s = strings.TrimLeft(s, blanks); s != ""; {
		n := 1
		if s[0] != '-' && s[0] != '"' {
			if n = strings.IndexAny(s, blanks+`-"`); n < 0 {
				n = len(s)
			}
		}
		p.token(q, s, n)
		rest := strings.TrimLeft(s[n:], blanks)
		p.joined = len(rest) == len(s)-n
		s = rest
	}
	q.Terms = q.language.sorted(p.wanted.String(), sensitivity{})
	q.asked, q.Negated = q.Terms, q.language.sorted(p.unwanted.String(), q.by)
	if q.by != (sensitivity{}) {
		q.asked = q.language.sorted(p.wanted.String(), q.by)
	}
}

// blanks part the words of a search.
const blanks = "\n\v\f\r "

// searchParser is where the reading of a search has come to.
type searchParser struct {
	joined           bool // no blank stands before the token
	negated          bool
	phrase           string // what follows the quotation mark that was opened
	quoted           bool
	wanted, unwanted strings.Builder // words, with blanks between
}

// token reads the first n bytes of s: a word, a dash or a quotation mark.
func (p *searchParser) token(q *Query, s string, n int) {
	switch {
	case s[0] == '-':
		p.negated = p.negated || !p.quoted && !p.joined
	case s[0] == '"' && p.quoted:
		phrase := p.phrase[:len(p.phrase)-len(s)]
		if p.negated {
			q.NegatedPhrases = append(q.NegatedPhrases, phrase)
		} else {
			q.Phrases = append(q.Phrases, phrase)
		}
		p.quoted = false
	case s[0] == '"':
		p.quoted, p.phrase, p.negated = true, s[1:], p.negated && p.joined
	case p.quoted && p.negated: // an unwanted phrase's words may well be in a document
	default:
		p.negated = p.negated && p.joined
		words := &p.wanted
		if p.negated {
			words = &p.unwanted
		}
		words.WriteString(s[:n] + " ")
	}
}

// sorted are a text's terms, each once.
func (l Language) sorted(s string, by sensitivity) []string {
	var out []string
	l.terms(s, by, func(t string) { out = append(out, t) })
	slices.Sort(out)
	return slices.Compact(out)
}

// Positive tells whether a document has one of the words asked for.
func (q *Query) Positive(s *Spec, doc bsonval.Doc) (bool, error) {
	terms, err := s.Terms(doc)
	for _, t := range terms {
		if slices.Contains(q.Terms, t.Text) {
			return true, err
		}
	}
	return false, err
}

// Accepts asks what an index can't: that no unwanted word is in a document that has one
// of the wanted, and the phrases.
func (q *Query) Accepts(s *Spec, doc bsonval.Doc) (bool, error) {
	ok := q.by == sensitivity{}
	phrases := make([]bool, len(q.Phrases))
	unwanted := false
	err := s.texts(doc, func(text string, _ float64, l Language) {
		if !ok || len(q.Negated) > 0 {
			l.terms(text, q.by, func(t string) {
				ok = ok || slices.Contains(q.asked, t)
				unwanted = unwanted || slices.Contains(q.Negated, t)
			})
		}
		for i, p := range q.Phrases {
			phrases[i] = phrases[i] || q.contains(l, text, p)
		}
		for _, p := range q.NegatedPhrases {
			unwanted = unwanted || q.contains(l, text, p)
		}
	})
	return ok && !unwanted && !slices.Contains(phrases, false), err
}

func (q *Query) contains(l Language, text, phrase string) bool {
	return strings.Contains(l.fold(text, q.by), l.fold(phrase, q.by))
}

// Describe writes the query as explain shows it.
func (q *Query) Describe(b *bsonval.Builder) {
	list := func(name string, l []string) {
		b.OpenArray(name)
		for _, s := range l {
			b.ItemStr(s)
		}
		b.Close()
	}
	b.OpenDoc("parsedTextQuery")
	list("terms", q.asked)
	list("negatedTerms", q.Negated)
	list("phrases", q.Phrases)
	list("negatedPhrases", q.NegatedPhrases)
	b.Close()
}
