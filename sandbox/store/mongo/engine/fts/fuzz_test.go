package fts

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Every language takes every text, and a document is found by each of its own words.
func FuzzSearch(f *testing.F) {
	f.Add("the Coffee shops -tea \"iced cake\"", "fr", "Coffee, don't!")
	f.Add("\"", "tr", "İstanbul ILIK")
	f.Add("- \"a\" -\"b", "none", "\xff a")
	f.Fuzz(func(t *testing.T, search, language, text string) {
		l, err := parseLanguage(language, newest)
		if err != nil {
			return
		}
		s := &Spec{Fields: []Weight{{"t", 1}}, Language: l, Override: "language", Version: newest}
		doc := bsonval.D(bsonval.E("t", bsonval.StringValue(text)))
		terms, err := s.Terms(doc)
		if err != nil {
			t.Fatal(err)
		}
		q := &Query{language: l}
		q.parse(search)
		if _, err := q.Accepts(s, doc); err != nil {
			t.Fatal(err)
		}
		for _, x := range terms {
			if x.Score <= 0 || x.Text == "" {
				t.Errorf("%q: %+v", text, x)
			}
		}
		l.words(text, func(w string) {
			own := &Query{language: l}
			own.parse(w)
			if ok, err := own.Positive(s, doc); len(own.Terms) > 0 && (!ok || err != nil) {
				t.Errorf("%q isn't found by %q %q: %v", text, w, own.Terms, err)
			}
		})
	})
}
