// Package collation makes collators from the collation documents that commands and
// indexes carry, over the rules of golang.org/x/text/collate.
package collation

import (
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Collator orders strings by one collation. Goroutines may share it.
type Collator struct {
	spec   string
	ignore func(rune) bool // characters that don't count; nil: all do
	pool   sync.Pool       // of *worker: x/text's collators serve one goroutine at a time
}

type worker struct {
	c   *collate.Collator
	buf collate.Buffer
}

// Spec is the collation in words: equal ones order alike.
func (c *Collator) Spec() string { return c.spec }

// Compare implements bsonval.Collator.
func (c *Collator) Compare(a, b string) int {
	w := c.pool.Get().(*worker)
	defer c.pool.Put(w)
	return w.c.CompareString(c.counted(a), c.counted(b))
}

// AppendKey implements bsonval.Collator.
func (c *Collator) AppendKey(dst []byte, s string) []byte {
	w := c.pool.Get().(*worker)
	defer c.pool.Put(w)
	w.buf.Reset()
	return append(dst, w.c.KeyFromString(&w.buf, c.counted(s))...)
}

// settings are a collation's fields with their defaults.
type settings struct {
	locale                            string
	caseLevel                         bool
	caseFirst                         string
	strength                          int64
	numeric                           bool
	alternate, maxVariable            string
	normalization, backwards, shifted bool
}

func invalid(field string, doc bsonval.Doc) error {
	return mongoerr.New(mongoerr.BadValue, "Field '%s' is invalid in: %s", field, doc)
}

// Parse answers the collator that a collation document describes; nil for the simple
// binary order.
func Parse(doc bsonval.Doc) (bsonval.Collator, error) {
	s, err := read(doc)
	if err != nil || s == nil {
		return nil, err
	}
	tag, err := language.Parse(s.locale)
	if err != nil {
		return nil, invalid("locale", doc)
	}
	if _, _, sure := language.NewMatcher(collate.Supported()).Match(tag); sure == language.No {
		return nil, invalid("locale", doc)
	}
	if s.caseFirst != "off" {
		return nil, mongoerr.New(mongoerr.NotImplemented, "a collation with caseFirst: \"%s\" is not supported", s.caseFirst)
	}
	if s.caseLevel && s.strength == 1 {
		return nil, mongoerr.New(mongoerr.NotImplemented, "a collation with caseLevel: true and strength 1 is not supported; take a strength of 2 or 3")
	}
	if s.shifted && s.strength > 3 {
		return nil, mongoerr.New(mongoerr.NotImplemented, "a collation with alternate: \"shifted\" and strength %d is not supported; take a strength of at most 3", s.strength)
	}
	if s.backwards {
		tag, _ = tag.SetTypeForKey("kb", "true")
	}
	options := s.options(tag)
	c := &Collator{spec: Complete(doc).String()}
	if s.shifted {
		c.ignore = variable(s.maxVariable)
	}
	c.pool.New = func() any { return &worker{c: collate.New(tag, options...)} }
	return c, nil
}

func (s *settings) options(tag language.Tag) []collate.Option {
	out := []collate.Option{collate.OptionsFromTag(tag)}
	switch {
	case s.strength == 1:
		out = append(out, collate.Loose)
	case s.strength == 2 && !s.caseLevel:
		out = append(out, collate.IgnoreCase)
	case s.strength == 5:
		out = append(out, collate.Force)
	}
	if s.numeric {
		out = append(out, collate.Numeric)
	}
	return out
}

func read(doc bsonval.Doc) (*settings, error) {
	s := &settings{caseFirst: "off", strength: 3, alternate: "non-ignorable", maxVariable: "punct"}
	for name, v := range doc.All() {
		if err := s.field(name, v, doc); err != nil {
			return nil, err
		}
	}
	if s.locale == "" {
		return nil, mongoerr.New(40414, "BSON field 'collation.locale' is missing but a required field")
	}
	if s.locale == "simple" {
		return nil, nil
	}
	s.shifted = s.alternate == "shifted"
	if s.locale == "fr_CA" && doc.Get("backwards").IsMissing() {
		s.backwards = true // the one locale whose accents count from the end on their own
	}
	return s, nil
}

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
	case "locale":
		if v == "" {
			return invalid("locale", doc)
		}
		s.locale = v
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
	s, err := read(doc)
	if err != nil || s == nil {
		return doc
	}
	b := bsonval.NewBuilder(256)
	b.Str("locale", s.locale).Bool("caseLevel", s.caseLevel).Str("caseFirst", s.caseFirst).Int32("strength", int32(s.strength))
	b.Bool("numericOrdering", s.numeric).Str("alternate", s.alternate).Str("maxVariable", s.maxVariable)
	b.Bool("normalization", s.normalization).Bool("backwards", s.backwards).Str("version", "57.1")
	return b.Doc()
}
