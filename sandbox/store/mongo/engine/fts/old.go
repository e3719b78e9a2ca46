package fts

import "storeroom/sandbox/store/mongo/engine/bsonval"

// oldTexts are the strings that an index of version 1 keeps the words of. A document has
// one language, which it names at its top, and a path ends at the first array.
func (s *Spec) oldTexts(doc bsonval.Doc, yield func(text string, weight float64, l Language)) error {
	l := s.Language
	if v := doc.Get(s.Override); v.Type() == bsonval.String && v.Str() != "" {
		l = oldLanguage(v.Str())
	}
	if s.All > 0 {
		s.oldStrings(doc, func(text string, weight float64) { yield(text, weight, l) })
		return nil
	}
	for _, f := range s.Fields {
		switch v := doc.Path(f.Path); v.Type() {
		case bsonval.String:
			yield(v.Str(), f.Weight, l)
		case bsonval.Array:
			for e := range v.Doc().Values() {
				if e.Type() == bsonval.Object {
					e = e.Doc().Path(f.Path)
				}
				if e.Type() == bsonval.String {
					yield(e.Str(), f.Weight, l)
				}
			}
		}
	}
	return nil
}

// oldStrings are all strings of a document, each with the weight that its own name has.
func (s *Spec) oldStrings(doc bsonval.Doc, yield func(text string, weight float64)) {
	for name, v := range doc.All() {
		switch {
		case name == s.Override:
		case v.Type() == bsonval.String:
			yield(v.Str(), s.weight(name))
		case v.Type() == bsonval.Object || v.Type() == bsonval.Array:
			s.oldStrings(v.Doc(), yield)
		}
	}
}
