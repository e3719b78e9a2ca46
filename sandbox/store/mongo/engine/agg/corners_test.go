package agg_test

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func TestFieldsThatAreSetToEmptyObjects(t *testing.T) {
	check(t, `{"c":[{"_id":1,"a":2,"o":{"p":1}}]}`, []row{
		{`[{"$addFields":{}}]`, `[{"_id":1,"a":2,"o":{"p":1}}]`},
		{`[{"$set":{"a":{},"o.q":{},"new":{"x":{}}}}]`, `[{"_id":1,"a":{},"o":{"p":1,"q":{}},"new":{"x":{}}}]`},
		{`[{"$set":{"a":{"$ref":"x"}}},{"$project":{"_id":0,"r":"$a.$ref"}}]`, `[{"r":"x"}]`},
		{`[{"$project":{"a":{"$nope":1}}}]`, `error 31325`}, {`[{"$project":{"a":{"$elemMatch":{}}}}]`, `error 168`},
	})
}

func TestLinesAndAreasOfWindows(t *testing.T) {
	line := `[{"$setWindowFields":{"sortBy":{"x":1},"output":{"y":{"$linearFill":"$y"}}}},{"$match":{"_id":2}},{"$project":{"_id":0,"y":1}}]`
	area := `[{"$setWindowFields":{"sortBy":{"x":1},"output":{"y":{"$integral":{"input":"$y"},"window":{"documents":[-1,0]}}}}}]`
	check(t, `{"c":[{"_id":1,"x":0,"y":1},{"_id":2,"x":5},{"_id":3,"x":10,"y":3}]}`, []row{{line, `[{"y":2.0}]`}})
	check(t, `{"c":[{"_id":1,"x":0.5,"y":0},{"_id":2,"x":9},{"_id":3,"x":10.09283,"y":11.28374}]}`, []row{{line, `[{"y":9.998278922903879}]`}})
	check(t, `{"c":[{"_id":1,"x":0,"y":1},{"_id":2,"x":{"$date":"2020-01-01T00:00:00Z"}}]}`, []row{{line, `error 14`}, {area, `error 5423902`}})
}

func TestUndefinedSortsBeforeNull(t *testing.T) {
	check(t, `{"c":[{"_id":1,"a":null},{"_id":2},{"_id":3,"a":{"$undefined":true}},{"_id":4,"a":[]}]}`, []row{
		{`[{"$sort":{"a":1,"_id":1}},{"$project":{"_id":1}}]`, `[{"_id":3},{"_id":4},{"_id":1},{"_id":2}]`},
	})
}

func TestWhereStagesMayNotWrite(t *testing.T) {
	check(t, `{"c":[{"_id":1}]}`, []row{
		{`[{"$out":"system.x"}]`, `error 17385`}, {`[{"$out":{"db":"admin","coll":"x"}}]`, `error 31321`}, {`[{"$merge":"system.x"}]`, `error 31319`}, {`[{"$merge":{"into":{"db":"config","coll":"x"}}}]`, `error 31320`},
		{`[{"$unionWith":{"coll":"c","pipeline":[{"$changeStream":{}}]}}]`, `error 31441`}, {`[{"$lookup":{"from":"c","as":"x","pipeline":[{"$changeStream":{}}]}}]`, `error 51047`},
		{`[{"$fill":{"partitionByFields":["$x"],"output":{"a":{"method":"locf"}}}}]`, `error 16410`}, {`[{"$fill":{"output":{"a":{"method":"linear"}}}}]`, `error 605001`}, {`[{"$fill":{"output":{"a":{"method":"locf","x":1}}}}]`, `error 40415`},
		{`[{"$fill":{"output":{"a":{"method":"locf"}}}}]`, `[{"_id":1,"a":null}]`},
		{`[{"$graphLookup":{"from":5}}]`, `error 9`}, {`[{"$graphLookup":{"from":""}}]`, `error 73`}, {`[{"$graphLookup":{"as":"x"}}]`, `error 9 missing 'from'`},
	})
}

func TestMergeWritesWhatItCan(t *testing.T) {
	m := open(t, `{"c":[{"_id":1,"v":1},{"_id":2,"v":2},{"_id":3,"v":3}],"t":[{"_id":1},{"_id":3}]}`)
	_, err := run(t, m, parse(t, `[{"$merge":{"into":"t","whenNotMatched":"fail"}}]`).Doc())
	if !mongoerr.Is(err, mongoerr.MergeStageNoMatchingDocument) {
		t.Errorf("merging a document without a match: %v", err)
	}
	for i, want := range []string{`{"_id":1,"v":1}`, `{"_id":3,"v":3}`} {
		if got := bsonval.DocValue(m.colls["t"][i]); !got.Same(parse(t, want)) {
			t.Errorf("document %d is %s, want %s", i, got, want)
		}
	}
}

func TestBoundsOfWindows(t *testing.T) {
	const rows = `{"c":[{"_id":1,"x":1},{"_id":2,"x":5},{"_id":3,"x":5},{"_id":4,"x":6}]}`
	window := func(low, high string) string {
		return `[{"$setWindowFields":{"sortBy":{"x":1},"output":{"y":{"$push":"$_id","window":{"range":[` + low + `,` + high + `]}}}}},{"$group":{"_id":null,"y":{"$push":"$y"}}},{"$project":{"_id":0}}]`
	}
	check(t, rows, []row{
		{window(`0`, `0`), `[{"y":[[1],[2,3],[2,3],[4]]}]`},
		{window(`"current"`, `"current"`), `[{"y":[[1],[2],[3],[4]]}]`},
		{window(`"current"`, `1`), `[{"y":[[1],[2,3,4],[3,4],[4]]}]`},
		{window(`-4`, `"current"`), `[{"y":[[1],[1,2],[1,2,3],[2,3,4]]}]`},
		{window(`{"$subtract":[1,2]}`, `0`), `[{"y":[[1],[2,3],[2,3],[2,3,4]]}]`}, {window(`{"$abs":"$x"}`, `9`), `error 9`},
		{window(`0`, `{"$size":{"$literal":["$x"]}}`), `[{"y":[[1],[2,3,4],[2,3,4],[4]]}]`},
		{`[{"$setWindowFields":{"output":{"a.b":{"$sum":1},"a":{"$sum":1}}}}]`, `error 6307900`}, {`[{"$setWindowFields":{"output":5}}]`, `error 14`},
	})
}
