package fts

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Query is what $text asks for.
type Query struct {
	Terms, Negated               []string // stems
	Phrases, NegatedPhrases      []string
	language                     Language
	caseSensitive, markSensitive bool
	raw                          []string // the positive words as written, for a case-sensitive search
}

// ParseQuery reads the argument of $text. def is the index's language.
func ParseQuery(arg bsonval.Doc, def Language) (*Query, error) {
	q := &Query{language: def}
	search := arg.Get("$search")
	if search.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "\"$search\" had the wrong type. Expected string, found %s", search.Type())
	}
	for name, v := range arg.All() {
		switch name {
		case "$search":
		case "$language":
			if v.Type() != bsonval.String {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "\"$language\" had the wrong type. Expected string, found %s", v.Type())
			}
			l, err := ParseLanguage(v.Str())
			if err != nil {
				return nil, err
			}
			q.language = l
		case "$caseSensitive", "$diacriticSensitive":
			if v.Type() != bsonval.Bool {
				return nil, mongoerr.New(mongoerr.TypeMismatch, "\"%s\" had the wrong type. Expected bool, found %s", name, v.Type())
			}
			if name == "$caseSensitive" {
				q.caseSensitive = v.Bool()
			} else {
				q.markSensitive = v.Bool()
			}
		default:
			return nil, mongoerr.New(mongoerr.BadValue, "extra fields in $text")
		}
	}
	q.parse(search.Str())
	return q, nil
}

// parse cuts a search into words, "phrases", and either with a - before it.
func (q *Query) parse(s string) {
	for s = strings.TrimLeft(s, " \t\n\r"); s != ""; s = strings.TrimLeft(s, " \t\n\r") {
		negated := false
		if len(s) > 1 && s[0] == '-' && s[1] != ' ' {
			negated, s = true, s[1:]
		}
		if s[0] == '"' {
			phrase, rest, closed := strings.Cut(s[1:], "\"")
			if closed {
				q.phrase(phrase, negated)
				s = rest
				continue
			}
			s = phrase
			continue
		}
		end := strings.IndexAny(s, " \t\n\r\"")
		if end < 0 {
			end = len(s)
		}
		q.words(s[:end], negated)
		s = s[end:]
	}
	for _, l := range []*[]string{&q.Terms, &q.Negated} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
}

func (q *Query) phrase(s string, negated bool) {
	if negated {
		q.NegatedPhrases = append(q.NegatedPhrases, s)
		return
	}
	q.Phrases = append(q.Phrases, s)
	q.words(s, false)
}

func (q *Query) words(s string, negated bool) {
	if negated {
		q.language.terms(s, false, false, func(t string) { q.Negated = append(q.Negated, t) })
		return
	}
	q.language.terms(s, false, false, func(t string) { q.Terms = append(q.Terms, t) })
	q.language.terms(s, q.caseSensitive, q.markSensitive, func(t string) { q.raw = append(q.raw, t) })
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
	ok := !q.caseSensitive && !q.markSensitive
	phrases := make([]bool, len(q.Phrases))
	unwanted := false
	err := s.texts(doc, func(text string, _ float64, l Language) {
		if !ok {
			l.terms(text, q.caseSensitive, q.markSensitive, func(t string) { ok = ok || slices.Contains(q.raw, t) })
		}
		if len(q.Negated) > 0 {
			l.terms(text, false, false, func(t string) { unwanted = unwanted || slices.Contains(q.Negated, t) })
		}
		for i, p := range q.Phrases {
			phrases[i] = phrases[i] || q.contains(text, p)
		}
		for _, p := range q.NegatedPhrases {
			unwanted = unwanted || q.contains(text, p)
		}
	})
	return ok && !unwanted && !slices.Contains(phrases, false), err
}

func (q *Query) contains(text, phrase string) bool {
	return strings.Contains(fold(text, q.caseSensitive, q.markSensitive), fold(phrase, q.caseSensitive, q.markSensitive))
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
	list("terms", q.Terms)
	list("negatedTerms", q.Negated)
	list("phrases", q.Phrases)
	list("negatedPhrases", q.NegatedPhrases)
	b.Close()
}
