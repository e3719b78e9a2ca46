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
		`{"key":{"a":"text"},"name":"t","textIndexVersion":2}`:               238,
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
