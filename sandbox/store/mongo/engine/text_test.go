package engine

import (
	"strings"
	"testing"
)

func TestATextIndexFindsWordsAndScoresThem(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"s","documents":[{"_id":1,"name":"Java Hut","description":"Coffee and cakes"},{"_id":2,"name":"Burger Buns","description":"Gourmet hamburgers"},
		{"_id":3,"name":"Coffee Shop","description":"Just coffee"},{"_id":4,"name":"Clothes Clothes Clothes","description":"Discount clothing"},{"_id":5,"name":"Java Shopping","description":"Indonesian goods"}]}`)
	if out := d.try(`{"find":"s","filter":{"$text":{"$search":"java"}}}`); out.Get("code").Long() != 27 {
		t.Error(out)
	}
	d.run(`{"createIndexes":"s","indexes":[{"key":{"name":"text","description":"text"},"name":"name_text_description_text"}]}`)
	if got := d.run(`{"listIndexes":"s"}`).Path("cursor.firstBatch.1").String(); got != `{ v: 2, key: { _fts: "text", _ftsx: 1 }, name: "name_text_description_text", weights: { description: 1, name: 1 }, default_language: "english", language_override: "language", textIndexVersion: 3 }` {
		t.Error(got)
	}
	for search, want := range map[string]string{
		`java coffee shop`:     "[ { _id: 1 }, { _id: 3 }, { _id: 5 } ]",
		`\"coffee shop\"`:      "[ { _id: 3 } ]",
		`java shop -coffee`:    "[ { _id: 5 } ]",
		`SHOPS`:                "[ { _id: 3 }, { _id: 5 } ]",
		`the`:                  "[]",
		`java \"coffee shop\"`: "[ { _id: 3 } ]",
	} {
		if got := d.docs(`{"find":"s","filter":{"$text":{"$search":"` + search + `"}},"sort":{"_id":1},"projection":{"_id":1}}`); got != want {
			t.Errorf("%s: %s", search, got)
		}
	}
	got := d.docs(`{"find":"s","filter":{"$text":{"$search":"coffee"}},"projection":{"x":1,"score":{"$meta":"textScore"}},"sort":{"score":{"$meta":"textScore"}}}`)
	if got != "[ { _id: 3, score: 1.5 }, { _id: 1, score: 0.75 } ]" {
		t.Error(got)
	}
	got = d.docs(`{"aggregate":"s","pipeline":[{"$match":{"$text":{"$search":"coffee"}}},{"$sort":{"score":{"$meta":"textScore"}}},{"$project":{"x":1,"s":{"$meta":"textScore"}}}],"cursor":{}}`)
	if got != "[ { _id: 3, s: 1.5 }, { _id: 1, s: 0.75 } ]" {
		t.Error(got)
	}
	out := d.run(`{"explain":{"find":"s","filter":{"$text":{"$search":"coffee java"}}},"verbosity":"executionStats"}`)
	if got := stagesOf(out.Path("queryPlanner.winningPlan").Doc()); !strings.HasPrefix(got, "TEXT_MATCH FETCH OR") {
		t.Error(got)
	}
	out = d.run(`{"explain":{"find":"s","filter":{"$text":{"$search":"coffee java"}},"sort":{"s":{"$meta":"textScore"}}},"verbosity":"executionStats"}`)
	if got := stagesOf(out.Path("queryPlanner.winningPlan").Doc()); !strings.HasPrefix(got, "SORT TEXT_MATCH TEXT_OR") {
		t.Error(got)
	}
	d.run(`{"update":"s","updates":[{"q":{"$text":{"$search":"hamburger"}},"u":{"$set":{"hit":true}}}]}`)
	if got := d.docs(`{"find":"s","filter":{"hit":true},"projection":{"_id":1}}`); got != "[ { _id: 2 } ]" {
		t.Error(got)
	}
}

func TestADocumentMaySayItsLanguage(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"q","indexes":[{"key":{"quote":"text","translation.quote":"text"},"name":"t","default_language":"spanish","language_override":"idioma"}]}`)
	d.run(`{"insert":"q","documents":[{"_id":1,"idioma":"portuguese","original":"x","quote":"A sorte protege os audazes","translation":[{"idioma":"english","quote":"Fortune favors the bold."},{"quote":"La suerte protege a los audaces."}]},
		{"_id":2,"quote":"Nada hay más surrealista que la realidad.","translation":[{"idioma":"english","quote":"There is nothing more surreal than reality."}]}]}`)
	for search, want := range map[string]string{
		`{"$search":"surrealistas"}`:                               "[ { _id: 2 } ]",
		`{"$search":"realities","$language":"en"}`:                 "[ { _id: 2 } ]",
		`{"$search":"favored","$language":"english"}`:              "[ { _id: 1 } ]",
		`{"$search":"protegidas audaz"}`:                           "[ { _id: 1 } ]",
		`{"$search":"the","$language":"none"}`:                     "[]",
		`{"$search":"MAS surrealista","$diacriticSensitive":true}`: "[ { _id: 2 } ]",
		`{"$search":"\"sorte protege\"","$caseSensitive":true}`:    "[ { _id: 1 } ]",
	} {
		if got := d.docs(`{"find":"q","filter":{"$text":` + search + `},"sort":{"_id":1},"projection":{"_id":1}}`); got != want {
			t.Errorf("%s: %s", search, got)
		}
	}
	if out := d.try(`{"insert":"q","documents":[{"idioma":"klingon","quote":"nuqneH"}]}`); out.Path("writeErrors.0.code").Long() != 17262 {
		t.Error(out)
	}
	if out := d.try(`{"insert":"q","documents":[{"idioma":5,"quote":"nuqneH"}]}`); out.Path("writeErrors.0.code").Long() != 17261 {
		t.Error(out)
	}
	for spec, code := range map[string]int64{
		`{"key":{"a":"text"},"name":"t","default_language":"klingon"}`:       67,
		`{"key":{"a":"text"},"name":"t","language_override":"a.b"}`:          67,
		`{"key":{"a":"text"},"name":"t","weights":{"a":0}}`:                  67,
		`{"key":{"a":"text"},"name":"t","weights":{"a":100000}}`:             67,
		`{"key":{"a":"text"},"name":"t","textIndexVersion":4}`:               67,
		`{"key":{"a":"text","b":1,"c":"text"},"name":"t"}`:                   67,
		`{"key":{"a":"text","b":"hashed"},"name":"t"}`:                       67,
		`{"key":{"a":"text"},"name":"t","collation":{"locale":"fr"}}`:        67,
		`{"key":{"a":"text"},"name":"t","sparse":true,"weights":{"b.$x":1}}`: 67,
	} {
		if out := d.try(`{"createIndexes":"n","indexes":[` + spec + `]}`); out.Get("code").Long() != code {
			t.Errorf("%s: %s", spec, out)
		}
	}
}

func TestACompoundTextIndexNeedsItsPrefix(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"i","indexes":[{"key":{"dept":1,"$**":"text","price":-1},"name":"t","weights":{"title":3}}]}`)
	d.run(`{"insert":"i","documents":[{"_id":1,"dept":"tech","title":"lime green computer","price":5},{"_id":2,"dept":"tech","title":"wireless red mouse","note":{"deep":["green",["green"]]},"price":3},
		{"_id":3,"dept":"kitchen","title":"green placemat","price":9}]}`)
	if got := d.docs(`{"find":"i","filter":{"dept":"tech","$text":{"$search":"green"}},"projection":{"_id":1,"s":{"$meta":"textScore"}},"sort":{"s":{"$meta":"textScore"}}}`); got != "[ { _id: 2, s: 2.2 }, { _id: 1, s: 2.0 } ]" {
		t.Error(got)
	}
	if got := d.docs(`{"find":"i","filter":{"dept":"kitchen","price":{"$gt":5},"$text":{"$search":"green -red"}},"projection":{"_id":1}}`); got != "[ { _id: 3 } ]" {
		t.Error(got)
	}
	if out := d.try(`{"find":"i","filter":{"$text":{"$search":"green"}}}`); out.Get("code").Long() != 291 {
		t.Error(out)
	}
	if out := d.try(`{"insert":"i","documents":[{"dept":["a","b"],"title":"x"}]}`); out.Path("writeErrors.0.code").Long() != 201 {
		t.Error(out)
	}
}

// What $text can't stand beside, and what can't be known without it.
func TestTextSearchesThatAreRefused(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":0,"a":"textual content"},{"_id":1,"a":"additional content","b":-1},{"_id":2,"a":"irrelevant content"}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":"text"},"name":"t"}]}`)
	const text, score = `{"$text":{"$search":"content"}}`, `{"$meta":"textScore"}`
	for cmd, code := range map[string]int64{
		`"find":"c","projection":{"s":` + score + `}`:                                         40218,
		`"find":"none","projection":{"s":` + score + `}`:                                      40218,
		`"find":"c","sort":{"s":` + score + `}`:                                               40218,
		`"find":"c","projection":{"s":{"$add":[1,` + score + `]}}`:                            40218,
		`"find":"c","filter":` + text + `,"projection":{"s":{"$meta":"geoNearDistance"}}`:     40218,
		`"find":"c","projection":{"s":{"$meta":"sortKey"}}`:                                   2,
		`"find":"c","sort":{"s":{"$meta":"sortKey"}}`:                                         31138,
		`"find":"c","sort":{"s":{"$meta":"textScore","x":1}}`:                                 9,
		`"find":"c","sort":{"s":{"$no":"textScore"}}`:                                         17312,
		`"aggregate":"c","cursor":{},"pipeline":[{"$project":{"s":` + score + `}}]`:           40218,
		`"aggregate":"c","cursor":{},"pipeline":[{"$sort":{"s":` + score + `}}]`:              40218,
		`"aggregate":"c","cursor":{},"pipeline":[{"$group":{"_id":` + score + `}}]`:           40218,
		`"aggregate":"c","cursor":{},"pipeline":[{"$facet":{"x":[{"$match":` + text + `}]}}]`: 40600,
		`"findAndModify":"c","remove":true,"fields":{"s":` + score + `}`:                      40218,
		`"find":"c","filter":{"$and":[` + text + `,` + text + `]}`:                            2,
		`"find":"c","filter":{"$nor":[` + text + `]}`:                                         2,
		`"find":"c","filter":{"$or":[` + text + `,{"b":-1}]}`:                                 291,
		`"find":"c","hint":"t","filter":` + text:                                              2,
		`"find":"c","sort":{"$natural":1},"filter":` + text:                                   2,
		`"find":"c","filter":{"$text":{"$search":"x"},"b":{"$near":[1,2]}}`:                   2,
		`"find":"none","filter":` + text:                                                      27,
		`"find":"c","filter":{"$text":{}}`:                                                    4,
		`"find":"c","filter":{"$text":{"$search":"x","$language":"spanglish"}}`:               2,
	} {
		if out := d.try("{" + cmd + "}"); out.Get("code").Long() != code {
			t.Errorf("%s: %s, want %d", cmd, out, code)
		}
	}
	got := d.docs(`{"find":"c","filter":{"$or":[{"_id":2},{"$text":{"$search":"textual"}}]},"projection":{"_id":1,"s":` + score + `}}`)
	if got != "[ { _id: 0, s: 0.75 }, { _id: 2 } ]" {
		t.Errorf("words in a $or: %s", got)
	}
	out := d.run(`{"findAndModify":"c","query":{"$text":{"$search":"textual content"}},"sort":{"s":` + score + `},"update":{"$set":{"hit":1}},"new":true,"fields":{"_id":1,"s":` + score + `}}`)
	if got := out.Get("value").String(); got != "{ _id: 0, s: 1.5 }" {
		t.Errorf("findAndModify: %s", got)
	}
}

// Indexes of the older versions go by their own rules.
func TestTextIndexesOfOlderVersions(t *testing.T) {
	d := newDB(t, Options{})
	count := func(search string) int64 {
		return d.run(`{"count":"c","query":{"$text":` + search + `}}`).Get("n").Long()
	}
	for _, c := range []struct {
		index, doc, search string
		want               int64
	}{
		{`"key":{"a":"text"},"textIndexVersion":1`, `{"a":"running"}`, `{"$search":"run"}`, 1},
		{`"key":{"a":"text"},"textIndexVersion":1,"default_language":"eng"`, `{"a":"running the"}`, `{"$search":"the"}`, 1},
		{`"key":{"a":"text"},"textIndexVersion":1,"default_language":"no language"`, `{"a":"running"}`, `{"$search":"run"}`, 0},
		{`"key":{"a.b":"text"},"textIndexVersion":1`, `{"language":"none","a":{"language":"english","b":"the"}}`, `{"$search":"the","$language":"none"}`, 1},
		{`"key":{"a":"text"},"textIndexVersion":2`, `{"a":"Café"}`, `{"$search":"cafe"}`, 0},
		{`"key":{"a":"text"},"textIndexVersion":2`, `{"a":"Café"}`, `{"$search":"CAFé"}`, 1},
		{`"key":{"a":"text"},"textIndexVersion":2`, `{"a":"«mot»"}`, `{"$search":"mot"}`, 0},
		{`"key":{"a":"text"}`, `{"a":"«Café»"}`, `{"$search":"cafe"}`, 1},
		{`"key":{"a":"text"}`, `{"a":"x","other":{"language":5}}`, `{"$search":"x"}`, 1},
	} {
		d.run(`{"drop":"c"}`)
		d.run(`{"createIndexes":"c","indexes":[{"name":"t",` + c.index + `}]}`)
		d.run(`{"insert":"c","documents":[` + c.doc + `]}`)
		if got := count(c.search); got != c.want {
			t.Errorf("%s with %s finds %s %d times, want %d", c.index, c.search, c.doc, got, c.want)
		}
	}
	d.run(`{"drop":"c"}`)
	d.run(`{"createIndexes":"c","indexes":[{"name":"t","key":{"$**":"text"},"weights":{"$**":10,"a":2},"default_language":"en"}]}`)
	d.run(`{"insert":"c","documents":[{"_id":1,"a":"one two","b":"three four"}]}`)
	if got := d.docs(`{"find":"c","filter":{"$text":{"$search":"two three"}},"projection":{"_id":1,"s":{"$meta":"textScore"}}}`); got != "[ { _id: 1, s: 2.25 } ]" {
		t.Errorf("weights: %s", got)
	}
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch.1.default_language").Str(); got != "en" {
		t.Errorf("the language is shown as %q", got)
	}
}
