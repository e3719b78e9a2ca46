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
	if got := stagesOf(out.Path("queryPlanner.winningPlan").Doc()); got != "TEXT_MATCH TEXT_OR [IXSCAN, IXSCAN]" && !strings.HasPrefix(got, "TEXT_MATCH TEXT_OR") {
		t.Error(got)
	}
	d.run(`{"update":"s","updates":[{"q":{"$text":{"$search":"hamburger"}},"u":{"$set":{"hit":true}}}]}`)
	if got := d.docs(`{"find":"s","filter":{"hit":true},"projection":{"_id":1}}`); got != "[ { _id: 2 } ]" {
		t.Error(got)
	}
}
