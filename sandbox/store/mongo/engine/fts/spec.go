package fts

import (
	"math"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Spec is what a text index reads of documents.
type Spec struct {
	Fields   []Weight // sorted by name
	All      float64  // the weight of every other string ("$**"); 0: they aren't read
	Language Language
	Override string // the field that names a document's own language
	Version  int    // textIndexVersion
	given    string // the language as it was given
}

// Weight is a field and what a word in it counts for.
type Weight struct {
	Path   string
	Weight float64
}

// Term is a word of a document and its score.
type Term struct {
	Text  string
	Score float64
}

// maxWeight is what a field's weight stays below.
const maxWeight = 100_000

// parseWeight reads what a word in a field counts for, a whole number.
func parseWeight(path string, v bsonval.Value) (float64, error) {
	if !v.IsNumber() {
		return 0, mongoerr.New(mongoerr.CannotCreateIndex, "weight for text index needs numeric type")
	}
	n := math.Trunc(v.Float())
	if !(n > 0 && n < maxWeight) {
		return 0, mongoerr.New(mongoerr.CannotCreateIndex, "text index weight must be in the exclusive interval (0,%d) but found: %v", maxWeight, n)
	}
	for part := range strings.SplitSeq(path, ".") {
		switch {
		case path == "$**":
		case path == "":
			return 0, mongoerr.New(mongoerr.CannotCreateIndex, "weight cannot be on an empty field")
		case part == "":
			return 0, mongoerr.New(mongoerr.CannotCreateIndex, "weight cannot have empty path component")
		case part[0] == '$':
			return 0, mongoerr.New(mongoerr.CannotCreateIndex, "weight cannot have path component with $ prefix")
		}
	}
	return n, nil
}

// NewSpec reads the options of a text index over the named fields.
func NewSpec(fields []string, spec bsonval.Doc) (*Spec, error) {
	s := &Spec{Override: "language"}
	weights := map[string]float64{}
	for _, f := range fields {
		weights[f] = 1
	}
	switch w := spec.Get("weights"); w.Type() {
	case bsonval.Missing:
	case bsonval.Object:
		for name, v := range w.Doc().All() {
			n, err := parseWeight(name, v)
			if err != nil {
				return nil, err
			}
			weights[name] = n
		}
	default:
		if w.Type() != bsonval.String || w.Str() != "$**" {
			return nil, mongoerr.New(mongoerr.CannotCreateIndex, "text index option 'weights' must be an object")
		}
		weights["$**"] = 1
	}
	for name, w := range weights {
		if name == "$**" {
			s.All = w
		} else {
			s.Fields = append(s.Fields, Weight{name, w})
		}
	}
	slices.SortFunc(s.Fields, func(a, b Weight) int { return strings.Compare(a.Path, b.Path) })
	if err := s.version(spec.Get("textIndexVersion")); err != nil {
		return nil, err
	}
	return s, s.languages(spec)
}

// version reads which rules the index goes by: https://www.mongodb.com/docs/v8.0/core/indexes/index-types/index-text/text-index-versions/
func (s *Spec) version(v bsonval.Value) error {
	s.Version = newest
	if v.IsMissing() {
		return nil
	}
	if !v.IsNumber() {
		return mongoerr.New(mongoerr.CannotCreateIndex, "text index option 'textIndexVersion' must be a number")
	}
	if s.Version = int(v.Long()); s.Version < 1 || s.Version > newest {
		return mongoerr.New(mongoerr.CannotCreateIndex, "bad textIndexVersion: %d", s.Version)
	}
	return nil
}

// languages reads the options that say which language texts are in.
func (s *Spec) languages(spec bsonval.Doc) error {
	s.given = string(english)
	if v := spec.Get("default_language"); v.Type() == bsonval.String {
		s.given = v.Str()
	} else if !v.IsMissing() {
		return mongoerr.New(mongoerr.CannotCreateIndex, "default_language needs a string type")
	}
	var err error
	if s.Language, err = parseLanguage(s.given, s.Version); err != nil {
		return mongoerr.New(mongoerr.CannotCreateIndex, "default_language is not valid")
	}
	switch v := spec.Get("language_override"); {
	case v.IsMissing():
	case v.Type() != bsonval.String:
		return mongoerr.New(mongoerr.CannotCreateIndex, "language_override must be a string")
	case v.Str() == "" || v.Str()[0] == '$' || strings.Contains(v.Str(), "."):
		return mongoerr.New(mongoerr.CannotCreateIndex, "language_override is not valid")
	default:
		s.Override = v.Str()
	}
	return nil
}

// Options are the index's options as listIndexes shows them.
func (s *Spec) Options(b *bsonval.Builder) {
	b.OpenDoc("weights")
	all := s.Fields
	if s.All > 0 {
		all = append([]Weight{{"$**", s.All}}, all...)
	}
	for _, f := range all {
		b.Number(f.Path, int64(f.Weight))
	}
	b.Close().Str("default_language", s.given).Str("language_override", s.Override).Int32("textIndexVersion", int32(s.Version))
}

// Terms are the words of a document with their scores, sorted.
func (s *Spec) Terms(doc bsonval.Doc) ([]Term, error) {
	scores := map[string]float64{}
	texts := s.texts
	if s.Version == 1 {
		texts = s.oldTexts
	}
	err := texts(doc, func(text string, weight float64, l Language) { score(scores, text, weight, l) })
	if err != nil {
		return nil, err
	}
	out := make([]Term, 0, len(scores))
	for t, n := range scores {
		out = append(out, Term{t, n})
	}
	slices.SortFunc(out, func(a, b Term) int { return strings.Compare(a.Text, b.Text) })
	return out, nil
}

// score adds what the words of one string count for: more the more often they stand in
// it, and the more of it they are.
func score(scores map[string]float64, text string, weight float64, l Language) {
	type found struct{ count, freq, exp float64 }
	words := map[string]*found{}
	total := 0.0
	l.terms(text, sensitivity{}, func(t string) {
		f := words[t]
		if f == nil {
			f = &found{exp: 0.5}
			words[t] = f
		}
		f.exp *= 2
		f.count++
		f.freq += 1 / f.exp
		total++
	})
	for t, f := range words {
		whole := 1.0
		if len(t) == len(text) && strings.EqualFold(t, text) {
			whole = 1.1
		}
		scores[t] += weight * f.freq * (0.5*f.count/total + 0.5) * whole
	}
}

// texts yields the strings that the index reads, each with its weight and language.
func (s *Spec) texts(doc bsonval.Doc, yield func(text string, weight float64, l Language)) error {
	r := reader{s: s, yield: yield}
	return r.object("", doc, s.Language)
}

type reader struct {
	s     *Spec
	yield func(string, float64, Language)
}

func (r *reader) object(prefix string, d bsonval.Doc, l Language) error {
	l, err := r.s.languageOf(d, l)
	if err != nil {
		return err
	}
	for name, v := range d.All() {
		if name == r.s.Override && r.s.All > 0 {
			continue
		}
		if err := r.value(prefix+name, v, l); err != nil {
			return err
		}
	}
	return nil
}

// languageOf is the language that a document or a part of it says it is in; outer is
// that of what it stands in.
func (s *Spec) languageOf(d bsonval.Doc, outer Language) (Language, error) {
	switch v := d.Get(s.Override); v.Type() {
	case bsonval.Missing:
		return outer, nil
	case bsonval.String:
		l, err := parseLanguage(v.Str(), s.Version)
		if err != nil {
			return l, mongoerr.New(17262, "language override unsupported: %s", v.Str())
		}
		return l, nil
	}
	return Language{}, mongoerr.New(17261, "found language override field in document with non-string type")
}

func (r *reader) value(path string, v bsonval.Value, l Language) error {
	switch v.Type() {
	case bsonval.String:
		if w := r.s.weight(path); w > 0 {
			r.yield(v.Str(), w, l)
		}
	case bsonval.Object:
		if r.s.below(path + ".") {
			return r.object(path+".", v.Doc(), l)
		}
	case bsonval.Array:
		for e := range v.Doc().Values() {
			if e.Type() == bsonval.Array && r.s.All == 0 {
				continue // only "$**" looks into arrays in arrays
			}
			if err := r.value(path, e, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// below tells whether something that stands deeper than prefix is read.
func (s *Spec) below(prefix string) bool {
	i, _ := slices.BinarySearchFunc(s.Fields, prefix, func(w Weight, p string) int { return strings.Compare(w.Path, p) })
	return s.All > 0 || i < len(s.Fields) && strings.HasPrefix(s.Fields[i].Path, prefix)
}

// weight is what a word at a path counts for. The weight that was given to "$**" is
// shown, but the server takes 1 for it.
func (s *Spec) weight(path string) float64 {
	i, ok := slices.BinarySearchFunc(s.Fields, path, func(w Weight, p string) int { return strings.Compare(w.Path, p) })
	switch {
	case ok:
		return s.Fields[i].Weight
	case s.All > 0:
		return 1
	}
	return 0
}
