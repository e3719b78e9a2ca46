// Package collation makes collators from the collation documents that commands and
// indexes carry. They order strings as ICU does, the server's library, by the weights of
// Unicode's root collation and the rules that locales have beside it. Packages command,
// index and crud ask for them, and storage whether a kept one can still be had. It knows
// nothing of documents but the one with the options.
package collation

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Collator orders strings by one collation. Goroutines may share it.
type Collator struct {
	spec          string
	doc           bsonval.Doc
	root          *rootOrder
	t             *tailoring
	strength      int64
	caseLevel     bool
	caseFirst     string
	numeric       bool
	numberLead    uint32
	shifted       bool
	variableTop   uint32 // the last primary weight that is shifted
	backwards     bool
	normalization bool // marks are put in order first
	pool          sync.Pool
}

// Spec is the collation in words: equal ones order alike.
func (c *Collator) Spec() string { return c.spec }

// Document is the collation with all its options.
func (c *Collator) Document() bsonval.Doc { return c.doc }

// Compare implements bsonval.Collator.
func (c *Collator) Compare(a, b string) int {
	if a == b {
		return 0
	}
	w := c.pool.Get().(*weigher)
	defer c.pool.Put(w)
	w.left, w.right = w.key(w.left[:0], a), w.key(w.right[:0], b)
	order := bytes.Compare(w.left, w.right)
	w.forget()
	return order
}

// AppendKey implements bsonval.Collator.
func (c *Collator) AppendKey(dst []byte, s string) []byte {
	w := c.pool.Get().(*weigher)
	defer c.pool.Put(w)
	dst = w.key(dst, s)
	w.forget()
	return dst
}

// tailorings answers what each locale makes of the root collation. Its rules are read
// when it is first asked for.
var tailorings = sync.OnceValue(func() map[string]func() (*tailoring, error) {
	out := map[string]func() (*tailoring, error){}
	for name := range eachLocale {
		name = strings.Clone(name)
		out[name] = sync.OnceValues(func() (*tailoring, error) {
			rules := rulesOf(name)
			if rules == unknownRules {
				return nil, mongoerr.New(mongoerr.NotImplemented, "the collation of the locale %s is not supported; take another one, such as \"en\", which orders every script", name)
			}
			t, err := readRules(rules)
			if err != nil {
				return nil, fmt.Errorf("read the rules of the locale %s: %w", name, err)
			}
			return t, nil
		})
	}
	return out
})

const unknownRules = "!"

// settings are a collation's fields with their defaults.
type settings struct {
	locale                   string
	caseLevel                bool
	caseFirst                string
	strength                 int64
	numeric                  bool
	alternate, maxVariable   string
	normalization, backwards bool
}

// Parse answers the collator that a collation document describes; nil for the simple
// binary order.
func Parse(doc bsonval.Doc) (bsonval.Collator, error) {
	s, t, err := read(doc)
	if err != nil || s == nil {
		return nil, err
	}
	o := root()
	full := s.document()
	c := &Collator{
		spec: full.String(), doc: full, root: o, t: t, strength: s.strength, caseLevel: s.caseLevel, caseFirst: s.caseFirst,
		numeric: s.numeric, numberLead: o.upTo("currency") + 1, shifted: s.alternate == "shifted", variableTop: o.upTo(s.maxVariable), backwards: s.backwards,
		normalization: s.normalization,
	}
	c.pool.New = func() any { return newWeigher(c) }
	return c, nil
}

// read answers the options with what the locale sets where the document doesn't say.
func read(doc bsonval.Doc) (*settings, *tailoring, error) {
	locale := doc.Get("locale")
	if locale.IsMissing() {
		return nil, nil, mongoerr.New(40414, "BSON field 'collation.locale' is missing but a required field")
	}
	if locale.Type() == bsonval.String && locale.Str() == "simple" {
		if doc.Len() > 1 {
			return nil, nil, mongoerr.New(mongoerr.FailedToParse, "If locale=simple, no other fields should be present in: %s", doc)
		}
		return nil, nil, nil
	}
	s := &settings{caseFirst: "off", strength: 3, alternate: "non-ignorable", maxVariable: "punct"}
	if locale.Type() == bsonval.String {
		s.locale = locale.Str()
	}
	t, err := s.tailored(doc)
	if err != nil {
		return nil, nil, err
	}
	for name, v := range doc.All() {
		if err := s.field(name, v, doc); err != nil {
			return nil, nil, err
		}
	}
	return s, t, s.check(doc)
}

// tailored takes the locale's own settings.
func (s *settings) tailored(doc bsonval.Doc) (*tailoring, error) {
	made, ok := tailorings()[s.locale]
	if !ok {
		if v := doc.Get("locale"); v.Type() != bsonval.String {
			return nil, s.field("locale", v, doc)
		}
		return nil, unknownLocale(s.locale, doc)
	}
	t, err := made()
	if err != nil {
		return nil, err
	}
	s.caseFirst, s.backwards, s.normalization = t.caseFirst, t.backwards, t.normalization
	if t.shifted {
		s.alternate = "shifted"
	}
	return t, nil
}

// unknownLocale names the locale that is nearest to one that is none: the part before
// what isn't known.
func unknownLocale(name string, doc bsonval.Doc) error {
	if name == "" {
		return mongoerr.New(mongoerr.BadValue, "Field 'locale' cannot be the empty string in: %s", doc)
	}
	near := strings.ReplaceAll(name, "-", "_")
	for near != "" {
		if _, ok := tailorings()[near]; ok {
			return mongoerr.New(mongoerr.BadValue, "Field 'locale' is invalid in: %s. Did you mean '%s'?", doc, near)
		}
		near = near[:max(strings.LastIndexAny(near, "_@"), 0)]
	}
	return mongoerr.New(mongoerr.BadValue, "Field 'locale' is invalid in: %s", doc)
}

// check refuses options of which one has no effect beside the other.
func (s *settings) check(doc bsonval.Doc) error {
	switch {
	case s.backwards && s.strength == 1:
		return mongoerr.New(mongoerr.BadValue, "'backwards' is invalid with 'strength' of 1 in: %s", s.document())
	case s.caseFirst != "off" && !s.caseLevel && s.strength < 3:
		return mongoerr.New(mongoerr.BadValue, "'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2 in: %s", s.document())
	}
	if v := doc.Get("version"); !v.IsMissing() && v.Str() != version {
		return mongoerr.New(mongoerr.IncompatibleCollationVersion, "Requested collation version %s but the only available collator version was %s. Requested collation spec: %s", v.Str(), version, doc)
	}
	return nil
}

// version is that of the server's ICU.
const version = "57.1"

func (s *settings) field(name string, v bsonval.Value, doc bsonval.Doc) error {
	switch name {
	case "locale", "caseFirst", "alternate", "maxVariable", "version":
		if v.Type() != bsonval.String {
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field 'collation.%s' is the wrong type '%s', expected type 'string'", name, v.Type())
		}
		return s.word(name, v.Str(), doc)
	case "strength":
		if !v.IsNumber() {
			return mongoerr.New(mongoerr.TypeMismatch, "BSON field 'collation.strength' is the wrong type '%s', expected types '[int, decimal, double, long]'", v.Type())
		}
		if s.strength = v.Long(); s.strength < 1 || s.strength > 5 {
			return mongoerr.New(51024, "BSON field 'strength' value must be between 1 and 5, actual value '%d'", s.strength)
		}
		return nil
	}
	if v.Type() != bsonval.Bool && !v.IsNumber() {
		return mongoerr.New(mongoerr.TypeMismatch, "BSON field 'collation.%s' is the wrong type '%s', expected type 'bool'", name, v.Type())
	}
	switch name {
	case "caseLevel":
		s.caseLevel = v.Truth()
	case "numericOrdering":
		s.numeric = v.Truth()
	case "normalization":
		s.normalization = v.Truth()
	case "backwards":
		s.backwards = v.Truth()
	default:
		return mongoerr.New(40415, "BSON field 'collation.%s' is an unknown field.", name)
	}
	return nil
}

func (s *settings) word(name, v string, doc bsonval.Doc) error {
	oneOf := func(to *string, words ...string) error {
		for _, w := range words {
			if v == w {
				*to = v
				return nil
			}
		}
		return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field 'collation.%s' is not a valid value.", v, name)
	}
	switch name {
	case "caseFirst":
		return oneOf(&s.caseFirst, "upper", "lower", "off")
	case "alternate":
		return oneOf(&s.alternate, "non-ignorable", "shifted")
	case "maxVariable":
		return oneOf(&s.maxVariable, "punct", "space")
	}
	return nil
}

// Complete is the collation with all its fields, as listCollections and listIndexes
// show it. The document must be one that Parse takes.
func Complete(doc bsonval.Doc) bsonval.Doc {
	s, _, err := read(doc)
	if err != nil || s == nil {
		return doc
	}
	return s.document()
}

func (s *settings) document() bsonval.Doc {
	b := bsonval.NewBuilder(256)
	b.Str("locale", s.locale).Bool("caseLevel", s.caseLevel).Str("caseFirst", s.caseFirst).Int32("strength", int32(s.strength))
	b.Bool("numericOrdering", s.numeric).Str("alternate", s.alternate).Str("maxVariable", s.maxVariable)
	b.Bool("normalization", s.normalization).Bool("backwards", s.backwards).Str("version", version)
	return b.Doc()
}
