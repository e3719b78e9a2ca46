package agg_test

import (
	"context"
	"testing"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// stagesOf are the stages of a compiled pipeline, as they are run.
func stagesOf(t *testing.T, pipeline string) string {
	t.Helper()
	p, err := agg.Compile(parse(t, pipeline).Doc(), &agg.Env{Op: opctx.New(context.Background(), now), Coll: "c", Source: open(t, `{}`)})
	if err != nil {
		t.Fatalf("%s: %v", pipeline, err)
	}
	var vs []bsonval.Value
	for _, s := range p.Stages {
		vs = append(vs, bsonval.DocValue(bsonval.D(bsonval.E(s.Name, s.Arg))))
	}
	return bsonval.ArrayOf(vs...).String()
}

func TestMatchesMoveToWhereAnIndexServesThem(t *testing.T) {
	for _, c := range []struct{ from, want string }{
		{`[{"$set":{"x":{"$add":["$a",1]}}},{"$match":{"b":2}}]`, `[{"$match":{"b":2}},{"$set":{"x":{"$add":["$a",1]}}}]`},
		{`[{"$set":{"x":{"$add":["$a",1]}}},{"$match":{"b":2,"x":3}}]`, `[{"$match":{"b":2}},{"$set":{"x":{"$add":["$a",1]}}},{"$match":{"x":3}}]`},
		{`[{"$set":{"x":"$a"}},{"$match":{"x.y":2}}]`, `[{"$match":{"a.y":2}},{"$set":{"x":"$a"}}]`},
		{`[{"$project":{"x":"$$ROOT.a"}},{"$match":{"x":2}}]`, `[{"$match":{"a":2}},{"$project":{"x":"$$ROOT.a"}}]`},
		{`[{"$sort":{"a":1}},{"$set":{"x":1}},{"$replaceWith":"$x"},{"$skip":1},{"$limit":2},{"$unwind":"$t"},{"$limit":1}]`,
			`[{"$sort":{"a":1}},{"$skip":1},{"$limit":2},{"$set":{"x":1}},{"$replaceWith":"$x"},{"$unwind":"$t"},{"$limit":1}]`},
		{`[{"$set":{"x.y":1}},{"$match":{"x.z":2}}]`, ``},
		{`[{"$project":{"a":1,"z":"$b"}},{"$match":{"a":1,"z":2,"c":3,"_id":4}}]`, `[{"$match":{"a":1,"b":2,"_id":4}},{"$project":{"a":1,"z":"$b"}},{"$match":{"c":3}}]`},
		{`[{"$project":{"a":0}},{"$match":{"b":1,"a":2}}]`, `[{"$match":{"b":1}},{"$project":{"a":0}},{"$match":{"a":2}}]`},
		{`[{"$project":{"_id":0}},{"$match":{"b":1}}]`, `[{"$match":{"b":1}},{"$project":{"_id":0}}]`},
		{`[{"$unset":["a.b","c"]},{"$match":{"a.d":1}}]`, ``},
		{`[{"$unwind":"$t"},{"$match":{"t":1,"$or":[{"a":1},{"b":2}]}}]`, `[{"$match":{"$or":[{"a":1},{"b":2}]}},{"$unwind":"$t"},{"$match":{"t":1}}]`},
		{`[{"$unwind":"$t"},{"$match":{"$or":[{"a":1},{"t":2}]}}]`, ``},
		{`[{"$lookup":{"from":"d","localField":"a","foreignField":"b","as":"x"}},{"$unwind":"$x"},{"$match":{"a":1}}]`,
			`[{"$match":{"a":1}},{"$lookup":{"from":"d","localField":"a","foreignField":"b","as":"x"}},{"$unwind":"$x"}]`},
		{`[{"$unwind":"$t"},{"$match":{"$expr":{"$eq":["$a","$b"]}}}]`, `[{"$match":{"$expr":{"$eq":["$a","$b"]}}},{"$unwind":"$t"}]`},
		{`[{"$unwind":"$t"},{"$match":{"$expr":{"$lt":[{"$rand":{}},0.5]}}}]`, ``}, {`[{"$limit":3},{"$match":{"a":1}}]`, ``}, {`[{"$group":{"_id":"$a"}},{"$match":{"_id":1}}]`, ``},
	} {
		if c.want == "" {
			c.want = c.from
		}
		if got := stagesOf(t, c.from); got != parse(t, c.want).String() {
			t.Errorf("%s\n got %s\nwant %s", c.from, got, c.want)
		}
	}
}

func TestRaisedMatchesAnswerTheSame(t *testing.T) {
	check(t, `{"c":[{"_id":1,"a":[1,2],"b":{"c":5}},{"_id":2,"a":2,"b":null},{"_id":3}]}`, []row{
		{`[{"$set":{"z":"$a"}},{"$match":{"z":2}},{"$project":{"_id":1}}]`, `[{"_id":1},{"_id":2}]`},
		{`[{"$set":{"a":"$b"}},{"$match":{"a.c":5}},{"$project":{"a":1}}]`, `[{"_id":1,"a":{"c":5}}]`},
		{`[{"$set":{"z":"$nope"}},{"$match":{"z":{"$exists":false},"a":{"$exists":true}}},{"$project":{"_id":1}}]`, `[{"_id":1},{"_id":2}]`},
		{`[{"$unwind":"$a"},{"$match":{"_id":1,"a":{"$gt":1}}},{"$project":{"a":1}}]`, `[{"_id":1,"a":2}]`},
		{`[{"$project":{"_id":0,"a":1}},{"$match":{"_id":1}}]`, `[]`},
	})
}
