package engine

import (
	"strings"
	"testing"
)

// A distinct reads an index entry for each value where arrays don't forbid it.
func TestDistinctReadsAnEntryForEachValue(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"m","indexes":[{"key":{"a":1},"name":"a"}]}`)
	d.run(`{"insert":"m","documents":[{"a":[1,2,3]},{"a":[2,3,4]},{"a":[5,6,7]}]}`)
	d.run(`{"createIndexes":"n","indexes":[{"key":{"a":1,"b":1},"name":"ab"}]}`)
	d.run(`{"insert":"n","documents":[{"a":1,"b":[2,3]},{"a":8,"b":[3,4]},{"a":7,"b":[4,5]}]}`)
	d.run(`{"createIndexes":"o","indexes":[{"key":{"a":1,"b":1},"name":"ab"},{"key":{"a":1,"b.c":1},"name":"abc"}]}`)
	d.run(`{"insert":"o","documents":[{"a":[2,3],"b":1},{"a":[3,4],"b":8},{"a":[3,5],"b":{"c":7}}]}`)
	for _, c := range []struct{ cmd, stages, values string }{
		{`{"distinct":"m","key":"a"}`, "PROJECTION_COVERED DISTINCT_SCAN", "[ 1, 2, 3, 4, 5, 6, 7 ]"},
		{`{"distinct":"m","key":"a","query":{"a":3}}`, "PROJECTION_SIMPLE FETCH IXSCAN", "[ 1, 2, 3, 4 ]"},
		{`{"distinct":"n","key":"a","query":{"a":{"$gte":2}}}`, "PROJECTION_COVERED DISTINCT_SCAN", "[ 7, 8 ]"},
		{`{"distinct":"n","key":"b","query":{"a":{"$gte":2}}}`, "PROJECTION_SIMPLE FETCH IXSCAN", "[ 4, 5, 3 ]"},
		{`{"distinct":"o","key":"b.c","query":{"a":3}}`, "PROJECTION_DEFAULT DISTINCT_SCAN", "[ 7 ]"},
	} {
		if got := stagesOf(d.run(`{"explain":` + c.cmd + `}`).Path("queryPlanner.winningPlan").Doc()); got != c.stages {
			t.Errorf("%s: %s, want %s", c.cmd, got, c.stages)
		}
		if got := d.run(c.cmd).Get("values").String(); got != c.values {
			t.Errorf("%s: %s, want %s", c.cmd, got, c.values)
		}
	}
}

// A $group of the first or the last document of each value reads only those.
func TestAGroupOfTheFirstOrTheLastReadsAnEntryForEach(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1,"c":1},"name":"abc"},{"key":{"aa":1,"mk":1},"name":"mk"},{"key":{"f.a":1,"f.b":1},"name":"f"}]}`)
	d.run(`{"insert":"c","documents":[{"_id":0,"a":1,"b":1,"c":1},{"_id":1,"a":1,"b":2,"c":2},{"_id":3,"a":1,"b":3,"c":2},{"_id":4,"a":2,"b":2,"c":2},{"_id":5,"b":1,"c":1},{"_id":6,"a":null,"b":1,"c":1.5},
		{"_id":7,"aa":1,"mk":2,"f":{"a":1,"b":1}},{"_id":8,"aa":1,"mk":[1,3],"f":{"a":1,"b":2}}]}`)
	const covered, fetched, none = "PROJECTION_COVERED DISTINCT_SCAN", "FETCH DISTINCT_SCAN", ""
	for _, c := range []struct{ pipeline, stages, result string }{
		{`[{"$sort":{"a":1}},{"$group":{"_id":"$a"}}]`, covered, `[ { _id: null }, { _id: 1 }, { _id: 2 } ]`},
		{`[{"$sort":{"a":1,"b":1}},{"$group":{"_id":"$a","x":{"$first":"$b"}}}]`, covered, `[ { _id: null, x: null }, { _id: 1, x: 1 }, { _id: 2, x: 2 } ]`},
		{`[{"$sort":{"a":-1,"b":-1}},{"$group":{"_id":"$a","x":{"$last":"$b"}}}]`, covered, `[ { _id: null, x: null }, { _id: 1, x: 1 }, { _id: 2, x: 2 } ]`},
		{`[{"$sort":{"a":1,"b":1,"c":1}},{"$group":{"_id":"$a","x":{"$last":"$$ROOT"}}},{"$match":{"_id":1}}]`, fetched, `[ { _id: 1, x: { _id: 3, a: 1, b: 3, c: 2 } } ]`},
		{`[{"$sort":{"a":-1,"b":-1}},{"$group":{"_id":"$a","x":{"$first":{"$add":["$b","$c"]}}}},{"$match":{"_id":1}}]`, covered, `[ { _id: 1, x: 5 } ]`},
		{`[{"$match":{"a":1}},{"$sort":{"b":1}},{"$group":{"_id":"$b"}}]`, covered, `[ { _id: 1 }, { _id: 2 }, { _id: 3 } ]`},
		{`[{"$match":{"a":1}},{"$sort":{"a":1,"b":1}},{"$group":{"_id":"$b","x":{"$first":"$c"}}}]`, covered, `[ { _id: 1, x: 1 }, { _id: 2, x: 2 }, { _id: 3, x: 2 } ]`},
		{`[{"$sort":{"f.a":1,"f.b":1}},{"$group":{"_id":"$f.a","x":{"$last":"$f.b"}}},{"$match":{"_id":1}}]`, "PROJECTION_DEFAULT DISTINCT_SCAN", `[ { _id: 1, x: 2 } ]`},
		{`[{"$sort":{"aa":1,"mk":1}},{"$group":{"_id":"$aa","x":{"$first":"$mk"}}},{"$match":{"_id":1}}]`, fetched, `[ { _id: 1, x: [ 1, 3 ] } ]`},
		{`[{"$sort":{"aa":-1,"mk":-1}},{"$group":{"_id":"$aa","x":{"$last":"$mk"}}},{"$match":{"_id":1}}]`, none, `[ { _id: 1, x: 2 } ]`},
		{`[{"$sort":{"a":1,"b":1}},{"$group":{"_id":"$b"}}]`, none, `[ { _id: null }, { _id: 1 }, { _id: 2 }, { _id: 3 } ]`},
		{`[{"$match":{"a":{"$gt":0}}},{"$sort":{"b":1}},{"$group":{"_id":"$b"}}]`, none, `[ { _id: 1 }, { _id: 2 }, { _id: 3 } ]`},
		{`[{"$sort":{"a":1}},{"$group":{"_id":"$a","n":{"$sum":"$b"}}},{"$match":{"_id":1}}]`, none, `[ { _id: 1, n: 6 } ]`},
		{`[{"$sort":{"b":1}},{"$group":{"_id":"$a","x":{"$first":"$b"}}},{"$match":{"_id":1}}]`, none, `[ { _id: 1, x: 1 } ]`},
		{`[{"$group":{"_id":"$mk"}},{"$match":{"_id":2}}]`, none, `[ { _id: 2 } ]`},
	} {
		out := d.run(`{"explain":{"aggregate":"c","pipeline":` + c.pipeline + `,"cursor":{}},"verbosity":"queryPlanner"}`)
		plan := stagesOf(out.Path("stages.0.$cursor.queryPlanner.winningPlan").Doc())
		scans := strings.Contains(plan, "DISTINCT_SCAN")
		if scans != (c.stages != none) || scans && plan != c.stages || scans != !out.Path("stages.1.$groupByDistinctScan").IsMissing() {
			t.Errorf("%s: %s, want %s", c.pipeline, plan, c.stages)
		}
		if got := d.docs(`{"aggregate":"c","pipeline":` + strings.TrimSuffix(c.pipeline, "]") + `,{"$sort":{"_id":1}}],"cursor":{}}`); got != c.result {
			t.Errorf("%s: %s, want %s", c.pipeline, got, c.result)
		}
	}
	for hint, want := range map[string]string{`{"$natural":1}`: "COLLSCAN", `"abc"`: "DISTINCT_SCAN", `{"_id":1}`: "IXSCAN"} {
		got := stagesOf(d.run(`{"explain":{"aggregate":"c","pipeline":[{"$group":{"_id":"$a"}}],"cursor":{},"hint":` + hint + `}}`).Path("stages.0.$cursor.queryPlanner.winningPlan").Doc())
		if !strings.HasSuffix(got, " "+want) {
			t.Errorf("hint %s: %s", hint, got)
		}
	}
}
