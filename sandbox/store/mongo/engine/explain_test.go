package engine

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

// db runs commands given as JSON on one engine.
type db struct {
	t *testing.T
	e *Engine
}

func newDB(t *testing.T, opts Options) db {
	t.Helper()
	e, err := Open("", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return db{t, e}
}

func parseJSON(t *testing.T, s string) bsonval.Doc {
	t.Helper()
	return bsontest.Doc(t, strings.ReplaceAll(s, "'", `"`))
}

// try answers a command's reply, failed or not.
func (d db) try(cmd string) bsonval.Doc {
	d.t.Helper()
	out, err := d.e.Run(d.t.Context(), "test", parseJSON(d.t, cmd))
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d db) run(cmd string) bsonval.Doc {
	d.t.Helper()
	out := d.try(cmd)
	if out.Get("ok").Double() != 1 {
		d.t.Fatalf("%s: %s", cmd, out)
	}
	return out
}

// docs are the documents of a reply's first batch, as text.
func (d db) docs(cmd string) string {
	d.t.Helper()
	return d.run(cmd).Path("cursor.firstBatch").String()
}

// stagesOf lists a plan's stages from the top.
func stagesOf(plan bsonval.Doc) string {
	out := plan.Get("stage").Str()
	if v := plan.Get("inputStage"); v.Type() == bsonval.Object {
		return out + " " + stagesOf(v.Doc())
	}
	if v := plan.Get("inputStages"); v.Type() == bsonval.Array {
		var kids []string
		for k := range v.Doc().Values() {
			kids = append(kids, stagesOf(k.Doc()))
		}
		return out + " [" + strings.Join(kids, ", ") + "]"
	}
	return out
}

func seeded(t *testing.T) db {
	d := newDB(t, Options{})
	var b strings.Builder
	for i := range 100 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"_id":` + itoa(i) + `,"a":` + itoa(i%10) + `,"b":` + itoa(i) + `,"s":"s` + itoa(i%7) + `","tags":["t` + itoa(i%3) + `","u"]}`)
	}
	d.run(`{"insert":"c","documents":[` + b.String() + `]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"b":1},"name":"a_1_b_1"},{"key":{"b":1},"name":"b_1","unique":true},{"key":{"tags":1},"name":"tags_1"},
		{"key":{"s":-1},"name":"s_-1","partialFilterExpression":{"a":{"$gt":5}}}]}`)
	return d
}

func itoa(i int) string {
	if i >= 10 {
		return itoa(i/10) + itoa(i%10)
	}
	return string(rune('0' + i))
}

func TestExplainTellsTheStagesAndTheWork(t *testing.T) {
	d := seeded(t)
	for _, c := range []struct {
		cmd, stages        string
		keys, docs, result int64
		bounds             string
	}{
		{`{"find":"c","filter":{"x":1}}`, "COLLSCAN", 0, 100, 0, ""},
		{`{"find":"c","filter":{"_id":5}}`, "EXPRESS_IXSCAN", 1, 1, 1, ""},
		{`{"find":"c","filter":{"b":7}}`, "EXPRESS_IXSCAN", 1, 1, 1, ""},
		{`{"find":"c","filter":{"a":3}}`, "FETCH IXSCAN", 10, 10, 10, `{ a: [ "[3, 3]" ], b: [ "[MinKey, MaxKey]" ] }`},
		{`{"find":"c","filter":{"a":3,"b":{"$gt":50}}}`, "FETCH IXSCAN", 5, 5, 5, `{ a: [ "[3, 3]" ], b: [ "(50, inf.0]" ] }`},
		{`{"find":"c","filter":{"a":{"$in":[1,2]}},"sort":{"b":1}}`, "FETCH SORT_MERGE [IXSCAN, IXSCAN]", 20, 20, 20, ""},
		{`{"find":"c","filter":{"a":3},"sort":{"b":-1},"limit":2}`, "LIMIT FETCH IXSCAN", 2, 2, 2, `{ a: [ "[3, 3]" ], b: [ "[MaxKey, MinKey]" ] }`},
		{`{"find":"c","filter":{"a":3},"projection":{"_id":0,"b":1}}`, "PROJECTION_COVERED IXSCAN", 10, 0, 10, ""},
		{`{"find":"c","filter":{"a":3},"projection":{"b":1}}`, "PROJECTION_SIMPLE FETCH IXSCAN", 10, 10, 10, ""},
		{`{"find":"c","filter":{"a":{"$gte":8}},"sort":{"s":1}}`, "SORT FETCH IXSCAN", 20, 20, 20, ""},
		{`{"find":"c","filter":{"$or":[{"b":3},{"a":1}]}}`, "SUBPLAN FETCH OR [IXSCAN, IXSCAN]", 11, 11, 11, ""},
		{`{"find":"c","filter":{"tags":"t1"}}`, "FETCH IXSCAN", 33, 33, 33, `{ tags: [ "["t1", "t1"]" ] }`},
		{`{"find":"c","filter":{"s":"s1"}}`, "COLLSCAN", 0, 100, 15, ""},
		{`{"find":"c","filter":{"s":"s1","a":7}}`, "", -1, -1, 1, ""},
		{`{"find":"c","filter":{"s":{"$regex":"^s[12]"},"a":{"$gt":6}},"hint":"s_-1"}`, "FETCH IXSCAN", -1, -1, 9, `{ s: [ "[/^s[12]/, /^s[12]/]", "("t", "s"]" ] }`},
		{`{"find":"c","filter":{},"sort":{"b":1}}`, "FETCH IXSCAN", 100, 100, 100, ""},
		{`{"find":"none","filter":{"a":1}}`, "EOF", 0, 0, 0, ""},
		{`{"count":"c","query":{"a":3}}`, "COUNT COUNT_SCAN", 11, 0, 0, ""},
		{`{"count":"c"}`, "RECORD_STORE_FAST_COUNT", 0, 0, 0, ""},
		{`{"update":"c","updates":[{"q":{"a":3},"u":{"$set":{"z":1}},"multi":true}]}`, "UPDATE FETCH IXSCAN", 10, 10, 0, ""},
		{`{"delete":"c","deletes":[{"q":{"a":3},"limit":0}]}`, "BATCHED_DELETE FETCH IXSCAN", 10, 10, 0, ""},
		{`{"delete":"c","deletes":[{"q":{"a":3},"limit":1}]}`, "DELETE FETCH IXSCAN", 1, 1, 0, ""},
		{`{"delete":"c","deletes":[{"q":{"_id":3},"limit":0}]}`, "EXPRESS_DELETE", 1, 1, 0, ""},
		{`{"update":"c","updates":[{"q":{"_id":3},"u":{"$set":{"z":1}}}]}`, "EXPRESS_UPDATE", 1, 1, 0, ""},
		{`{"update":"c","updates":[{"q":{"b":3},"u":{"$set":{"z":1}}}]}`, "UPDATE FETCH IXSCAN", 1, 1, 0, ""},
		{`{"findAndModify":"c","query":{"_id":3},"update":{"$set":{"z":1}}}`, "UPDATE IDHACK", 1, 1, 1, ""},
		{`{"findAndModify":"c","query":{"_id":3},"remove":true,"fields":{"a":0}}`, "PROJECTION_DEFAULT DELETE IDHACK", 1, 1, 1, ""},
		{`{"find":"c","filter":{"_id":3},"projection":{"x":{"$add":["$a",1]}}}`, "PROJECTION_DEFAULT IDHACK", 1, 1, 1, ""},
		{`{"find":"c","filter":{"_id":3},"sort":{"a":1}}`, "IDHACK", 1, 1, 1, ""},
		{`{"find":"c","projection":{"_id":0,"b":1}}`, "PROJECTION_SIMPLE COLLSCAN", 0, 100, 100, ""},
		{`{"find":"c","filter":{"a":{"$gt":7}},"projection":{"_id":0,"b":1},"sort":{"b":-1}}`, "SORT PROJECTION_COVERED IXSCAN", 20, 0, 20, ""},
		{`{"find":"c","filter":{"a":3},"sort":{"s":1},"limit":2,"skip":1}`, "SKIP SORT FETCH IXSCAN", 10, 10, 2, ""},
		{`{"distinct":"c","key":"a"}`, "PROJECTION_COVERED DISTINCT_SCAN", 10, 0, 10, `{ a: [ "[MinKey, MaxKey]" ], b: [ "[MinKey, MaxKey]" ] }`},
		{`{"distinct":"c","key":"a","query":{"a":{"$gt":4}}}`, "PROJECTION_COVERED DISTINCT_SCAN", 5, 0, 5, `{ a: [ "(4, inf.0]" ], b: [ "[MinKey, MaxKey]" ] }`},
		{`{"distinct":"c","key":"b","query":{"a":3}}`, "PROJECTION_COVERED DISTINCT_SCAN", 10, 0, 10, ""},
		{`{"distinct":"c","key":"s"}`, "PROJECTION_SIMPLE COLLSCAN", 0, 100, 100, ""},
		{`{"aggregate":"c","pipeline":[{"$match":{"a":3}}],"cursor":{}}`, "FETCH IXSCAN", 10, 10, 10, ""},
		{`{"aggregate":"c","pipeline":[{"$match":{"a":3}},{"$project":{"_id":0,"b":1}}],"cursor":{}}`, "PROJECTION_COVERED IXSCAN", 10, 0, 10, ""},
		{`{"aggregate":"c","pipeline":[{"$sort":{"b":-1}},{"$limit":3},{"$project":{"a":1}}],"cursor":{}}`, "LIMIT PROJECTION_SIMPLE FETCH IXSCAN", 3, 3, 3, ""},
	} {
		out := d.run(`{"explain":` + c.cmd + `,"verbosity":"allPlansExecution"}`)
		plan := out.Path("queryPlanner.winningPlan").Doc()
		if got := stagesOf(plan); got != c.stages && c.stages != "" {
			t.Errorf("%s: stages %s, want %s", c.cmd, got, c.stages)
		}
		stats := out.Get("executionStats").Doc()
		keys, docs, n := stats.Get("totalKeysExamined").Long(), stats.Get("totalDocsExamined").Long(), stats.Get("nReturned").Long()
		if c.keys >= 0 && (keys != c.keys || docs != c.docs) || n != c.result {
			t.Errorf("%s: %d keys, %d documents, %d returned; want %d, %d, %d", c.cmd, keys, docs, n, c.keys, c.docs, c.result)
		}
		for v := plan; c.bounds != "" && v != nil; v = v.Get("inputStage").Doc() {
			if b := v.Get("indexBounds"); !b.IsMissing() && strings.ReplaceAll(b.String(), `\"`, `"`) != c.bounds {
				t.Errorf("%s: bounds %s, want %s", c.cmd, b, c.bounds)
			}
		}
	}
	out := d.run(`{"explain":{"delete":"c","deletes":[{"q":{"_id":3},"limit":1}]},"verbosity":"executionStats"}`)
	if got := out.Path("executionStats.executionStages").String(); got != `{ isCached: false, stage: "EXPRESS_DELETE", keyPattern: "{ _id: 1 }", indexName: "_id_", keysExamined: 1, docsExamined: 1, nReturned: 0, nWouldDelete: 1 }` {
		t.Error(got)
	}
	if n := d.run(`{"count":"c","query":{"z":1}}`).Get("n").Long(); n != 0 {
		t.Errorf("an explained update changed %d documents", n)
	}
}

func TestAHintThatIsNoIndexIsRefused(t *testing.T) {
	d := seeded(t)
	out := d.try(`{"find":"c","filter":{"a":1},"hint":{"zz":1}}`)
	if out.Get("code").Long() != 2 || !strings.Contains(out.Get("errmsg").Str(), "hint provided does not correspond to an existing index") {
		t.Error(out)
	}
	if got := stagesOf(d.run(`{"explain":{"find":"c","filter":{"a":1},"hint":{"$natural":-1}},"verbosity":"queryPlanner"}`).Path("queryPlanner.winningPlan").Doc()); got != "COLLSCAN" {
		t.Error(got)
	}
}

// What a pipeline leaves for its stages stands beside the cursor's plan.
func TestExplainOfAPipelineTellsItsStages(t *testing.T) {
	d := seeded(t)
	for _, c := range []struct {
		pipeline, cursor, stages string
		keys, docs               int64
	}{
		{`[{"$match":{"a":3}},{"$group":{"_id":"$b","n":{"$sum":1}}}]`, "PROJECTION_COVERED IXSCAN", "$group 10", 10, 0},
		{`[{"$match":{"a":3}},{"$group":{"_id":"$s","n":{"$sum":1}}}]`, "PROJECTION_SIMPLE FETCH IXSCAN", "$group 7", 10, 10},
		{`[{"$match":{"a":3}},{"$count":"n"}]`, "COUNT_SCAN", "$group 1, $project 1", 11, 0},
		{`[{"$group":{"_id":"$a"}}]`, "PROJECTION_COVERED DISTINCT_SCAN", "$groupByDistinctScan 10", 10, 0},
		{`[{"$sort":{"a":1,"b":1}},{"$group":{"_id":"$a","least":{"$first":"$s"}}}]`, "FETCH DISTINCT_SCAN", "$groupByDistinctScan 10", 10, 10},
		{`[{"$sort":{"a":1,"b":-1}},{"$group":{"_id":"$a","most":{"$first":"$b"}}}]`, "SORT PROJECTION_SIMPLE COLLSCAN", "$group 10", 0, 100},
		{`[{"$group":{"_id":"$a","n":{"$sum":"$b"}}},{"$sort":{"n":-1}},{"$limit":2}]`, "PROJECTION_SIMPLE COLLSCAN", "$group 10, $sort 2", 0, 100},
		{`[{"$match":{"b":{"$lt":4}}},{"$lookup":{"from":"c","localField":"b","foreignField":"a","as":"m"}},{"$unwind":"$m"}]`, "FETCH IXSCAN", "$lookup 4, $unwind 40", 4, 4},
	} {
		out := d.run(`{"explain":{"aggregate":"c","pipeline":` + c.pipeline + `,"cursor":{}},"verbosity":"executionStats"}`)
		cursor := out.Path("stages.0.$cursor").Doc()
		var stages []string
		for v := range out.Get("stages").Doc().Values() {
			if name := v.Doc().First().Name; name != "$cursor" {
				stages = append(stages, name+" "+v.Doc().Get("nReturned").String())
			}
		}
		if got := stagesOf(cursor.Path("queryPlanner.winningPlan").Doc()); got != c.cursor && !strings.HasPrefix(c.cursor, "SORT") {
			t.Errorf("%s: %s, want %s", c.pipeline, got, c.cursor)
		}
		if got := strings.Join(stages, ", "); got != c.stages {
			t.Errorf("%s: stages %s, want %s", c.pipeline, got, c.stages)
		}
		stats := cursor.Get("executionStats").Doc()
		if keys, docs := stats.Get("totalKeysExamined").Long(), stats.Get("totalDocsExamined").Long(); keys != c.keys || docs != c.docs {
			t.Errorf("%s: %d keys and %d documents, want %d and %d", c.pipeline, keys, docs, c.keys, c.docs)
		}
	}
	out := d.run(`{"explain":{"aggregate":"c","pipeline":[{"$match":{"b":{"$lt":4}}},{"$lookup":{"from":"c","localField":"b","foreignField":"a","as":"m"}}],"cursor":{}},"verbosity":"executionStats"}`)
	if l := out.Path("stages.1").Doc(); l.Get("indexesUsed").String() != `[ "a_1_b_1" ]` || l.Get("totalKeysExamined").Long() != 40 || l.Get("totalDocsExamined").Long() != 40 {
		t.Error(l)
	}
	out = d.run(`{"explain":{"aggregate":"c","pipeline":[{"$group":{"_id":"$a","n":{"$sum":"$b"}}},{"$sort":{"n":-1}},{"$limit":2}],"cursor":{}},"verbosity":"queryPlanner"}`)
	if got := out.Path("stages.2").String(); got != "{ $sort: { sortKey: { n: -1 }, limit: 2 } }" {
		t.Error(got)
	}
}

// What the plan does of a pipeline is no stage, and a stage that writes writes nothing.
func TestExplainOfAPipelineThatIsAllPlan(t *testing.T) {
	d := seeded(t)
	for pipeline, want := range map[string]string{
		`[{"$match":{"a":3}}]`: "FETCH IXSCAN",
		`[{"$match":{"a":3}},{"$project":{"x":{"$add":["$b",1]}}}]`:     "PROJECTION_DEFAULT FETCH IXSCAN",
		`[{"$set":{"x":{"$add":["$b",1]}}},{"$match":{"a":3}}]`:         "",
		`[{"$project":{"b":0}}]`:                                        "",
		`[{"$sort":{"a":1}},{"$limit":2},{"$project":{"a":1,"_id":0}}]`: "LIMIT PROJECTION_COVERED IXSCAN",
	} {
		out := d.run(`{"explain":{"aggregate":"c","pipeline":` + pipeline + `,"cursor":{}},"verbosity":"executionStats"}`)
		if got := stagesOf(out.Path("queryPlanner.winningPlan").Doc()); want != "" && (got != want || !out.Path("queryPlanner.optimizedPipeline").Truth()) {
			t.Errorf("%s: %s, want %s", pipeline, got, want)
		}
		if stages := out.Get("stages"); stages.IsMissing() != (want != "") {
			t.Errorf("%s: stages %s", pipeline, stages)
		}
	}
	out := d.run(`{"explain":{"aggregate":"c","pipeline":[{"$set":{"x":1}},{"$match":{"a":3}},{"$merge":{"into":"target"}}],"cursor":{}},"verbosity":"executionStats"}`)
	if got := stagesOf(out.Path("stages.0.$cursor.queryPlanner.winningPlan").Doc()); got != "FETCH IXSCAN" {
		t.Error(got)
	}
	if got := out.Path("stages.2.$merge").String(); !strings.Contains(got, `on: "_id", whenMatched: "merge", whenNotMatched: "insert"`) {
		t.Error(got)
	}
	if n := d.run(`{"count":"target"}`).Get("n").Long(); n != 0 {
		t.Errorf("an explained $merge wrote %d documents", n)
	}
}

// Two indexes on one value each may be read together; that this plan was tried stands
// among the rejected ones.
func TestTwoIndexesMayBeIntersected(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"},{"key":{"b":1},"name":"b_1"}]}`)
	d.run(`{"insert":"c","documents":[{"a":1,"b":1},{"a":1,"b":2},{"a":2,"b":1},{"a":1,"b":1}]}`)
	out := d.run(`{"explain":{"find":"c","filter":{"a":1,"b":1}},"verbosity":"executionStats"}`)
	if n := out.Path("executionStats.nReturned").Long(); n != 2 {
		t.Error(n)
	}
	var rejected []string
	for v := range out.Path("queryPlanner.rejectedPlans").Doc().Values() {
		rejected = append(rejected, stagesOf(v.Doc()))
	}
	if got := strings.Join(rejected, ", "); got != "FETCH IXSCAN, FETCH AND_SORTED [IXSCAN, IXSCAN]" {
		t.Error(got)
	}
}

// What fails while the plan runs is told, what can't be asked is refused.
func TestExplainOfWhatFails(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"s":"x"}]}`)
	for cmd, want := range map[string]int64{
		`{"update":"c","updates":[{"q":{"_id":1},"u":{"_id":2}}]}`:                     66,
		`{"update":"c","updates":[{"q":{"_id":1},"u":{"$inc":{"s":1}}}]}`:              14,
		`{"find":"c","filter":{"$expr":{"$add":["$s",1]}}}`:                            14,
		`{"findAndModify":"c","query":{"_id":1},"update":{"$inc":{"s":1}},"new":true}`: 14,
	} {
		out := d.run(`{"explain":` + cmd + `,"verbosity":"executionStats"}`).Get("executionStats").Doc()
		if out.Get("executionSuccess").Truth() || out.Get("errorCode").Long() != want || out.Get("errorMessage").Str() == "" {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	for cmd, want := range map[string]int64{
		`{"update":"c","updates":[{"q":{"_id":1},"u":{"$nope":{"s":1}}}]}`:   9,
		`{"aggregate":"c","pipeline":[],"cursor":{},"writeConcern":{"w":1}}`: 9,
	} {
		for _, verbosity := range []string{"queryPlanner", "executionStats"} {
			if out := d.try(`{"explain":` + cmd + `,"verbosity":"` + verbosity + `"}`); out.Get("code").Long() != want {
				t.Errorf("%s: %s", cmd, out)
			}
		}
	}
}
