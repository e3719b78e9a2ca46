package engine

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// planned is a collection with the indexes and documents that the tests below ask.
func planned(t *testing.T) db {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1,"b":1,"c":1,"s":"abc"},{"_id":2,"a":2,"b":2,"c":2,"s":"abd"},{"_id":3,"a":3,"b":1,"s":"x"},{"_id":4}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1},"name":"ab"},{"key":{"s":1},"name":"s"}]}`)
	d.run(`{"insert":"m","documents":[{"_id":1,"a":[1,2],"b":1,"o":[{"x":1,"y":1},{"x":2,"y":2}]},{"_id":2,"a":3,"b":2,"o":[{"x":3,"y":1}]},{"_id":3,"a":[5],"b":3}]}`)
	d.run(`{"createIndexes":"m","indexes":[{"key":{"a":1,"b":1},"name":"ab"},{"key":{"o.x":1,"o.y":1},"name":"oxy"},{"key":{"d.e":1},"name":"de"}]}`)
	d.run(`{"insert":"p","documents":[{"a":1,"b":1,"h":1,"w":{"q":1},"x":1,"y":2},{"a":2,"b":7,"h":2,"x":2,"y":1},{"b":9}]}`)
	d.run(`{"createIndexes":"p","indexes":[{"key":{"a":1},"name":"sp","sparse":true},{"key":{"b":1},"name":"part","partialFilterExpression":{"b":{"$gt":5}}},{"key":{"h":"hashed"},"name":"h"},
		{"key":{"w.$**":1},"name":"w"},{"key":{"x":1,"y":-1},"name":"xy"}]}`)
	return d
}

// boundsOf are the bounds of a plan's scans, with the filters that stages have.
func boundsOf(plan bsonval.Doc) (bounds, filters string) {
	if f := plan.Get("filter"); !f.IsMissing() {
		filters = plan.Get("stage").Str() + " " + f.String()
	}
	if b := plan.Get("indexBounds"); b.Type() == bsonval.Object && b.Doc().Get("startKey").IsMissing() {
		var parts []string
		for path, list := range b.Doc().All() {
			for v := range list.Doc().Values() {
				if v.Str() != "[MinKey, MaxKey]" && v.Str() != "[MaxKey, MinKey]" {
					parts = append(parts, path+" "+v.Str())
				}
			}
		}
		bounds = strings.Join(parts, ", ")
	}
	kids := plan.Get("inputStages").Doc().Slice()
	if k := plan.Get("inputStage"); k.Type() == bsonval.Object {
		kids = append(kids, k)
	}
	for _, k := range kids {
		b, f := boundsOf(k.Doc())
		if b != "" && bounds != "" {
			bounds += "; "
		}
		if f != "" && filters != "" {
			filters += "; "
		}
		bounds, filters = bounds+b, filters+f
	}
	return bounds, filters
}

// What the planner makes of conditions, by the cases of the server's own planner tests.
func TestThePlannerMakesTheServersPlans(t *testing.T) {
	d := planned(t)
	for _, c := range []struct{ cmd, stages, bounds, filters string }{
		// Null: an index doesn't tell it from a missing field, which a count needn't know.
		{`{"find":"c","filter":{"a":null}}`, "FETCH IXSCAN", "a [null, null]", "FETCH { a: { $eq: null } }"},
		{`{"find":"c","filter":{"a":null},"projection":{"_id":0,"b":1}}`, "PROJECTION_COVERED IXSCAN", "a [null, null]", ""},
		{`{"find":"c","filter":{"s":null},"projection":{"_id":0,"s":1}}`, "PROJECTION_SIMPLE FETCH IXSCAN", "s [null, null]", "FETCH { s: { $eq: null } }"},
		{`{"count":"c","query":{"a":null}}`, "COUNT COUNT_SCAN", "", ""},
		{`{"count":"c","query":{"a":{"$in":[null,1]}}}`, "COUNT IXSCAN", "a [null, null], a [1, 1]", ""},
		{`{"count":"m","query":{"o.x":null}}`, "COUNT FETCH IXSCAN", "o.x [null, null]", "FETCH { o.x: { $eq: null } }"},
		{`{"find":"c","filter":{"a":{"$lte":null}}}`, "FETCH IXSCAN", "a [null, null]", "FETCH { a: { $lte: null } }"},
		{`{"find":"c","filter":{"a":{"$lt":null}}}`, "FETCH IXSCAN", "", ""},
		// Negations.
		{`{"find":"c","filter":{"a":{"$ne":null}}}`, "FETCH IXSCAN", "a [MinKey, null), a (null, MaxKey]", ""},
		{`{"find":"c","filter":{"a":{"$nin":[null,2]}}}`, "FETCH IXSCAN", "a [MinKey, null), a (null, 2), a (2, MaxKey]", ""},
		{`{"find":"c","filter":{"a":{"$nin":[null,[]]}}}`, "FETCH IXSCAN", "a [MinKey, null), a (null, []), a ([], MaxKey]", "FETCH { a: { $not: { $in: [ null, [] ] } } }"},
		{`{"find":"c","filter":{"a":{"$nin":[[1],2]}}}`, "COLLSCAN", "", "COLLSCAN { a: { $not: { $in: [ 2, [ 1 ] ] } } }"},
		{`{"find":"c","filter":{"a":{"$not":{"$gt":2}}}}`, "FETCH IXSCAN", "a [MinKey, 2], a (inf.0, MaxKey]", ""},
		{`{"find":"m","filter":{"a":{"$ne":1}}}`, "FETCH IXSCAN", "a [MinKey, 1), a (1, MaxKey]", "FETCH { a: { $not: { $eq: 1 } } }"},
		{`{"find":"m","filter":{"a":{"$ne":null}}}`, "COLLSCAN", "", "COLLSCAN { a: { $not: { $eq: null } } }"},
		{`{"find":"c","filter":{"$and":[{"s":{"$not":{"$lte":"b"}}},{"s":{"$not":{"$gte":"f"}}}]}}`, "FETCH IXSCAN", `s [MinKey, ""), s ("b", "f"), s [{}, MaxKey]`, ""},
		{`{"find":"c","filter":{"a":{"$gt":-1,"$lt":1,"$ne":0}}}`, "FETCH IXSCAN", "a (-1, 0), a (0, 1)", ""},
		{`{"find":"m","filter":{"a":{"$elemMatch":{"$ne":1}}}}`, "FETCH IXSCAN", "a [MinKey, 1), a (1, MaxKey]", "FETCH { a: { $elemMatch: { $not: { $eq: 1 } } } }"},
		{`{"find":"m","filter":{"a":{"$elemMatch":{"$not":{"$gt":4},"$gt":2}}}}`, "FETCH IXSCAN", "a (2, 4]", "FETCH { a: { $elemMatch: { $not: { $gt: 4 }, $gt: 2 } } }"},
		// Types.
		{`{"find":"c","filter":{"a":{"$type":"number"}}}`, "FETCH IXSCAN", "a [nan.0, inf.0]", ""},
		{`{"find":"c","filter":{"a":{"$type":"int"}}}`, "FETCH IXSCAN", "a [nan.0, inf.0]", "IXSCAN { a: { $type: [ 16 ] } }"},
		{`{"find":"c","filter":{"s":{"$type":"string"}}}`, "FETCH IXSCAN", `s ["", {})`, "IXSCAN { s: { $type: [ 2 ] } }"},
		{`{"find":"c","filter":{"a":{"$type":"null"}}}`, "FETCH IXSCAN", "a [null, null]", "FETCH { a: { $type: [ 10 ] } }"},
		// Patterns.
		{`{"find":"c","filter":{"s":{"$regex":"^ab"}}}`, "FETCH IXSCAN", `s ["ab", "ac"), s [/^ab/, /^ab/]`, ""},
		{`{"find":"c","filter":{"s":{"$regex":"b"}}}`, "FETCH IXSCAN", `s ["", {}), s [/b/, /b/]`, `IXSCAN { s: { $regex: "b" } }`},
		{`{"find":"c","filter":{"s":{"$regex":"^ab?"}}}`, "FETCH IXSCAN", `s ["a", "b"), s [/^ab?/, /^ab?/]`, `IXSCAN { s: { $regex: "^ab?" } }`},
		// What nothing satisfies.
		{`{"find":"c","filter":{"a":{"$in":[]}}}`, "EOF", "", ""},
		{`{"find":"c","filter":{"b":1,"$and":[{"a":{"$in":[]}}]}}`, "EOF", "", ""},
		{`{"find":"c","filter":{"$or":[{"a":{"$in":[]}},{"a":1}]}}`, "FETCH IXSCAN", "a [1, 1]", ""},
		{`{"find":"c","filter":{"a":{"$nin":[]}}}`, "COLLSCAN", "", ""},
		{`{"find":"c","filter":{"$alwaysFalse":1}}`, "EOF", "", ""},
		{`{"count":"c","query":{"$alwaysFalse":1}}`, "COUNT EOF", "", ""},
		{`{"count":"none","query":{"a":1}}`, "COUNT EOF", "", ""},
		// Comparisons within $expr.
		{`{"find":"c","filter":{"$expr":{"$eq":["$a",1]}}}`, "FETCH IXSCAN", "a [1, 1]", `FETCH { $expr: { $eq: [ "$a", 1 ] } }`},
		{`{"find":"c","filter":{"$expr":{"$gt":[2,"$a"]}}}`, "FETCH IXSCAN", "a [MinKey, 2)", `FETCH { $expr: { $gt: [ 2, "$a" ] } }`},
		{`{"find":"c","filter":{"a":1,"$expr":{"$lte":["$b",1]}}}`, "FETCH IXSCAN", "a [1, 1], b [MinKey, 1]", `FETCH { $expr: { $lte: [ "$b", 1 ] } }`},
		{`{"find":"m","filter":{"$expr":{"$eq":["$a",3]}}}`, "COLLSCAN", "", `COLLSCAN { $and: [ { $expr: { $eq: [ "$a", 3 ] } }, { a: { $_internalExprEq: 3 } } ] }`},
		// $or: branches are bounded by what stands beside it, and fetched where they must be.
		{`{"find":"c","filter":{"b":1,"$or":[{"a":1},{"s":"x"}]}}`, "FETCH OR [IXSCAN, IXSCAN]", `a [1, 1], b [1, 1]; s ["x", "x"]`, "FETCH { b: { $eq: 1 } }"},
		{`{"count":"c","query":{"$or":[{"a":1},{"s":"x"}]}}`, "COUNT SUBPLAN OR [IXSCAN, IXSCAN]", `a [1, 1]; s ["x", "x"]`, ""},
		{`{"find":"c","filter":{"$or":[{"a":1,"c":1},{"s":"x","c":2}]}}`, "SUBPLAN OR [FETCH IXSCAN, FETCH IXSCAN]", `a [1, 1]; s ["x", "x"]`, "FETCH { c: { $eq: 1 } }; FETCH { c: { $eq: 2 } }"},
		{`{"find":"c","filter":{"$or":[{"a":1},{"a":{"$gt":2}}]},"projection":{"_id":0,"a":1}}`, "SUBPLAN PROJECTION_COVERED IXSCAN", "a [1, 1], a (2, inf.0]", ""},
		{`{"find":"c","filter":{"$or":[{"s":{"$regex":"0"}},{"s":{"$regex":"1"}}]},"projection":{"_id":0,"s":1}}`, "SUBPLAN PROJECTION_COVERED IXSCAN", `s ["", {}), s [/0/, /0/], s [/1/, /1/]`, `IXSCAN { $or: [ { s: { $regex: "0" } }, { s: { $regex: "1" } } ] }`},
		{`{"find":"c","filter":{"$or":[{"a":1,"b":2},{"a":{"$gt":2}}]},"projection":{"_id":0,"a":1}}`, "SUBPLAN PROJECTION_DEFAULT OR [IXSCAN, IXSCAN]", "a [1, 1], b [2, 2]; a (2, inf.0]", ""},
		{`{"find":"c","filter":{"$or":[{"a":1},{"a":2}]}}`, "FETCH IXSCAN", "a [1, 1], a [2, 2]", ""},
		{`{"find":"c","filter":{"$or":[{"a":1},{"c":1}]}}`, "SUBPLAN COLLSCAN", "", "COLLSCAN { $or: [ { a: { $eq: 1 } }, { c: { $eq: 1 } } ] }"},
		// Arrays: two conditions may be met by two elements, unless $elemMatch asks for one.
		{`{"find":"m","filter":{"a":{"$elemMatch":{"$gt":1,"$lt":3}}}}`, "FETCH IXSCAN", "a (1, 3)", "FETCH { a: { $elemMatch: { $gt: 1, $lt: 3 } } }"},
		{`{"find":"m","filter":{"a":{"$gt":1},"b":{"$gt":0,"$lt":3}}}`, "FETCH IXSCAN", "a (1, inf.0], b (0, 3)", ""},
		{`{"find":"m","filter":{"o.x":1,"o.y":2}}`, "FETCH IXSCAN", "o.x [1, 1]", "FETCH { o.y: { $eq: 2 } }"},
		{`{"find":"m","filter":{"o":{"$elemMatch":{"x":1,"y":2}}}}`, "FETCH IXSCAN", "o.x [1, 1], o.y [2, 2]", "FETCH { o: { $elemMatch: { $and: [ { x: { $eq: 1 } }, { y: { $eq: 2 } } ] } } }"},
		{`{"find":"m","filter":{"a":1},"projection":{"_id":0,"b":1}}`, "PROJECTION_COVERED IXSCAN", "a [1, 1]", ""},
		{`{"find":"m","filter":{"a.0":1}}`, "COLLSCAN", "", "COLLSCAN { a.0: { $eq: 1 } }"},
		{`{"find":"m","filter":{"a":{"$regex":"x"}}}`, "FETCH IXSCAN", `a ["", {}), a [/x/, /x/]`, `FETCH { a: { $regex: "x" } }`},
		// Sparse, partial, hashed and wildcard indexes.
		{`{"find":"p","filter":{"a":null}}`, "COLLSCAN", "", "COLLSCAN { a: { $eq: null } }"},
		{`{"find":"p","filter":{"a":{"$exists":true}}}`, "FETCH IXSCAN", "", ""},
		{`{"find":"p","filter":{"a":{"$exists":false}}}`, "COLLSCAN", "", "COLLSCAN { a: { $not: { $exists: true } } }"},
		{`{"find":"p","filter":{"a":{"$nin":[null,1]}}}`, "FETCH IXSCAN", "a [MinKey, null), a (null, 1), a (1, MaxKey]", ""},
		{`{"find":"p","filter":{},"sort":{"a":1}}`, "SORT COLLSCAN", "", ""},
		{`{"find":"p","filter":{"b":{"$gte":6}}}`, "FETCH IXSCAN", "b [6, inf.0]", ""},
		{`{"find":"p","filter":{"b":3}}`, "COLLSCAN", "", "COLLSCAN { b: { $eq: 3 } }"},
		{`{"find":"p","filter":{"h":{"$exists":false}}}`, "FETCH IXSCAN", "h [2338878944348059895, 2338878944348059895]", "FETCH { h: { $not: { $exists: true } } }"},
		{`{"find":"p","filter":{"h":{"$gt":1}}}`, "COLLSCAN", "", "COLLSCAN { h: { $gt: 1 } }"},
		{`{"find":"p","filter":{"w.q":1}}`, "FETCH IXSCAN", `$_path ["w.q", "w.q"], w.q [1, 1]`, ""},
		{`{"find":"p","filter":{"x":{"$gt":0},"y":{"$in":[1,2]}}}`, "FETCH IXSCAN", "x (0, inf.0], y [2, 2], y [1, 1]", ""},
		// Rows are left out before they are fetched, and projected before they are sorted.
		{`{"find":"c","filter":{"a":1},"skip":1}`, "FETCH SKIP IXSCAN", "a [1, 1]", ""},
		{`{"find":"c","filter":{"a":1},"skip":1,"limit":2}`, "LIMIT FETCH SKIP IXSCAN", "a [1, 1]", ""},
		{`{"find":"c","filter":{"a":1,"c":1},"skip":1}`, "SKIP FETCH IXSCAN", "a [1, 1]", "FETCH { c: { $eq: 1 } }"},
		{`{"find":"c","sort":{"c":1},"projection":{"_id":0,"c":1}}`, "SORT PROJECTION_SIMPLE COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"c":1},"skip":1}`, "SKIP SORT PROJECTION_SIMPLE COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"s":0}}`, "SORT PROJECTION_SIMPLE COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1,"_id":1},"projection":{"c":1}}`, "SORT PROJECTION_SIMPLE COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"c":0}}`, "PROJECTION_SIMPLE SORT COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c.d":1},"projection":{"c.e":0}}`, "SORT PROJECTION_DEFAULT COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"b":1}}`, "PROJECTION_SIMPLE SORT COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"c":1,"x":{"$add":["$a",1]}}}`, "PROJECTION_DEFAULT SORT COLLSCAN", "", ""},
		{`{"find":"c","sort":{"c":1},"projection":{"c":1},"limit":2}`, "PROJECTION_SIMPLE SORT COLLSCAN", "", ""},
		{`{"count":"c","query":{"a":{"$gt":0}},"skip":1,"limit":1}`, "COUNT COUNT_SCAN", "", ""},
		// Orders.
		{`{"find":"p","filter":{},"sort":{"x":-1,"y":1}}`, "FETCH IXSCAN", "", ""},
		{`{"find":"p","filter":{},"sort":{"x":1,"y":1}}`, "SORT COLLSCAN", "", ""},
		{`{"find":"c","filter":{"$or":[{"a":1,"b":{"$gt":0}},{"a":2}]},"sort":{"b":1}}`, "SUBPLAN FETCH SORT_MERGE [IXSCAN, IXSCAN]", "a [1, 1], b (0, inf.0]; a [2, 2]", ""},
	} {
		plan := d.run(`{"explain":` + c.cmd + `,"verbosity":"queryPlanner"}`).Path("queryPlanner.winningPlan").Doc()
		bounds, filters := boundsOf(plan)
		if got := stagesOf(plan); got != c.stages || bounds != c.bounds || filters != c.filters {
			t.Errorf("%s:\n %s | %s | %s\nwant\n %s | %s | %s", c.cmd, got, bounds, filters, c.stages, c.bounds, c.filters)
		}
	}
}

// Rows that the plans' competition has found already are read like the others.
func TestACoveredQueryOfSeveralPlansGivesItsFields(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1},"name":"ab"},{"key":{"a":1,"c":1},"name":"ac"}]}`)
	d.run(`{"insert":"c","documents":[{"a":1,"b":2,"c":3},{"a":1,"b":4,"c":5}]}`)
	if got := d.docs(`{"find":"c","filter":{"a":1},"projection":{"_id":0,"a":1}}`); got != "[ { a: 1 }, { a: 1 } ]" {
		t.Error(got)
	}
}

// A count leaves rows out and stops by itself.
func TestACountHasNoStagesForItsSkipAndLimit(t *testing.T) {
	d := planned(t)
	for cmd, want := range map[string]string{
		`{"count":"c","query":{"a":{"$gt":0}},"skip":1,"limit":1}`: "1 1",
		`{"count":"c","query":{"c":{"$gt":0}},"skip":5}`:           "0 2",
		`{"count":"c","skip":3}`:                                   "1 3",
	} {
		stats := d.run(`{"explain":` + cmd + `,"verbosity":"executionStats"}`).Path("executionStats.executionStages").Doc()
		if got := stats.Get("nCounted").String() + " " + stats.Get("nSkipped").String(); got != want {
			t.Errorf("%s: %s, want %s", cmd, got, want)
		}
		if n := d.run(cmd).Get("n").String(); n != want[:1] {
			t.Errorf("%s: %s", cmd, n)
		}
	}
}
