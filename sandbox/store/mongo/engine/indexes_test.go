package engine

import (
	"strings"
	"testing"
)

// Indexes of one key pattern stand beside each other when their collation, filter,
// projection or one of unique and sparse differs.
func TestWhatTellsIndexesApart(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","collation":{"locale":"fr"}}`)
	for _, c := range []struct {
		spec string
		code int64
	}{
		{`{"key":{"a":1},"name":"plain"}`, 0},
		{`{"key":{"a":1},"name":"plain"}`, 0},
		{`{"key":{"a":1},"name":"again"}`, 85},
		{`{"key":{"a":1},"name":"named","collation":{"locale":"fr"}}`, 85},
		{`{"key":{"a":1},"name":"simple","collation":{"locale":"simple"}}`, 0},
		{`{"key":{"a":1},"name":"plain","collation":{"locale":"simple"}}`, 86},
		{`{"key":{"a":1},"name":"sparse","sparse":true}`, 0},
		{`{"key":{"a":1},"name":"unique","unique":true}`, 0},
		{`{"key":{"a":1},"name":"ttl","expireAfterSeconds":10}`, 85},
		{`{"key":{"a":1},"name":"plain","expireAfterSeconds":10}`, 85},
		{`{"key":{"a":1},"name":"part","partialFilterExpression":{"a":{"$gt":0,"$lt":9},"b":1}}`, 0},
		{`{"key":{"a":1},"name":"part","partialFilterExpression":{"$and":[{"b":1},{"a":{"$lt":9}},{"a":{"$gt":0}}]}}`, 0},
		{`{"key":{"a":1},"name":"part2","partialFilterExpression":{"$and":[{"b":1},{"a":{"$lt":9}},{"a":{"$gt":0}}]}}`, 85},
		{`{"key":{"$**":1},"name":"w","wildcardProjection":{"a":1,"b":1}}`, 0},
		{`{"key":{"$**":1},"name":"w2","wildcardProjection":{"_id":0,"b":1,"a":1}}`, 85},
		{`{"key":{"$**":1},"name":"w3","wildcardProjection":{"a":1}}`, 0},
		{`{"key":{"t":"text"},"name":"t","collation":{"locale":"simple"}}`, 0},
		{`{"key":{"u":1,"t":"text"},"name":"t2","collation":{"locale":"simple"}}`, 67},
		{`{"key":{"_id":1},"name":"mine"}`, 0},
		{`{"key":{"_id":1},"name":"mine","collation":{"locale":"fr"}}`, 0},
		{`{"key":{"_id":1},"name":"mine","collation":{"locale":"simple"}}`, 2},
	} {
		if out := d.try(`{"createIndexes":"c","indexes":[` + c.spec + `]}`); out.Get("code").Long() != c.code {
			t.Errorf("%s: %s", c.spec, out)
		}
	}
	if out := d.try(`{"dropIndexes":"c","index":{"a":1}}`); out.Get("code").Long() != 181 {
		t.Errorf("several indexes have the key: %s", out)
	}
	if got := d.docs(`{"listIndexes":"c"}`); strings.Contains(got, `{ v: 2, key: { a: 1 }, name: "simple", collation`) {
		t.Errorf("the simple collation was asked for: %s", got)
	}
}

// A query counts at the indexes that its plan reads, not at those that lost.
func TestUsesOfIndexesAreCountedForThePlanThatWon(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"a":1,"b":1},{"a":1,"b":2}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a"},{"key":{"b":1},"name":"b"}]}`)
	d.run(`{"find":"c","filter":{"a":1,"b":2}}`)
	d.run(`{"explain":{"find":"c","filter":{"a":1,"b":2}}}`)
	got := d.docs(`{"aggregate":"c","pipeline":[{"$indexStats":{}},{"$group":{"_id":null,"n":{"$sum":"$accesses.ops"}}}],"cursor":{}}`)
	if got != `[ { _id: null, n: 1 } ]` {
		t.Errorf("%s", got)
	}
}

// A scan looks at as few keys as the server's.
func TestKeysThatAScanOfRangesExamines(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1},"name":"i"}]}`)
	for a := range 6 {
		for b := range 10 {
			d.run(`{"insert":"c","documents":[{"a":` + string(rune('0'+a)) + `,"b":` + string(rune('0'+b)) + `}]}`)
		}
	}
	for _, c := range []struct {
		filter, sort string
		keys         int64
	}{
		{`{"a":{"$gte":2,"$lte":3},"b":{"$in":[0,8]}}`, `{"a":1}`, 8},
		{`{"a":{"$gte":2,"$lte":3},"b":{"$in":[1,8]}}`, `{"a":1}`, 9},
		{`{"a":{"$gte":2,"$lte":3},"b":{"$in":[1,8]}}`, `{"a":-1,"b":-1}`, 9},
		{`{"a":{"$in":[1,2]},"b":{"$gt":1,"$lt":2}}`, `{"a":-1,"b":-1}`, 3},
		{`{"a":{"$gt":2,"$lt":4},"b":5}`, `{"a":1}`, 4},
	} {
		out := d.run(`{"explain":{"find":"c","filter":` + c.filter + `,"sort":` + c.sort + `,"hint":"i"}}`)
		if got := out.Path("executionStats.totalKeysExamined").Long(); got != c.keys {
			t.Errorf("%s by %s: %d keys, want %d", c.filter, c.sort, got, c.keys)
		}
	}
}
