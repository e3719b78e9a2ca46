package engine

import (
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func clustered(t *testing.T) db {
	d := newDB(t, Options{})
	d.run(`{"create":"c","clusteredIndex":{"key":{"_id":1},"unique":true,"name":"products clustered key"}}`)
	var b strings.Builder
	for i := range 100 {
		b.WriteString(`{"_id":` + itoa((i*37)%100) + `,"a":` + itoa(i%10) + `},`)
	}
	d.run(`{"insert":"c","documents":[` + b.String() + `{"_id":null,"a":-1},{"_id":"foo","a":-1}]}`)
	return d
}

func TestAClusteredCollectionIsListedAsTheServerDoes(t *testing.T) {
	d := clustered(t)
	info := d.run(`{"listCollections":1}`).Path("cursor.firstBatch.0").Doc()
	if got := info.Get("options").String(); got != `{ clusteredIndex: { v: 2, key: { _id: 1 }, name: "products clustered key", unique: true } }` || !info.Get("idIndex").IsMissing() {
		t.Error(info)
	}
	if got := d.docs(`{"listIndexes":"c"}`); got != `[ { v: 2, key: { _id: 1 }, name: "products clustered key", unique: true, clustered: true } ]` {
		t.Error(got)
	}
	d.run(`{"create":"c","clusteredIndex":{"key":{"_id":1},"unique":true,"name":"products clustered key"}}`)
	stats := d.run(`{"collStats":"c"}`)
	if stats.Get("nindexes").Long() != 0 || !stats.Get("clustered").Truth() {
		t.Error(stats)
	}
	out := d.try(`{"insert":"c","documents":[{"_id":5.0}]}`)
	if e := out.Path("writeErrors.0").Doc(); e.Get("code").Long() != 11000 || !strings.Contains(e.Get("errmsg").Str(), "dup key: { _id: 5") {
		t.Error(out)
	}
}

func TestAClusteredCollectionIsInTheOrderOfID(t *testing.T) {
	d := clustered(t)
	for _, c := range []struct{ cmd, want string }{
		{`{"find":"c","limit":3,"projection":{"_id":1}}`, "[ { _id: null }, { _id: 0 }, { _id: 1 } ]"},
		{`{"find":"c","limit":2,"hint":{"$natural":-1},"projection":{"_id":1}}`, `[ { _id: "foo" }, { _id: 99 } ]`},
		{`{"find":"c","filter":{"_id":{"$gte":98}},"sort":{"_id":-1}}`, "[ { _id: 99, a: 7 }, { _id: 98, a: 4 } ]"},
		{`{"find":"c","filter":{"_id":{"$in":[7,"foo",3,1000]}},"projection":{"_id":1}}`, `[ { _id: 3 }, { _id: 7 }, { _id: "foo" } ]`},
		{`{"find":"c","min":{"_id":97},"max":{"_id":99},"hint":{"_id":1},"projection":{"_id":1}}`, "[ { _id: 97 }, { _id: 98 } ]"},
		{`{"find":"c","filter":{"$or":[{"_id":4},{"_id":{"$gt":98}}]},"sort":{"_id":1},"projection":{"_id":1}}`, "[ { _id: 4 }, { _id: 99 } ]"},
		{`{"aggregate":"c","cursor":{},"pipeline":[{"$match":{"_id":{"$lt":2}}},{"$project":{"_id":1}}]}`, "[ { _id: 0 }, { _id: 1 } ]"},
	} {
		if got := d.docs(c.cmd); got != c.want {
			t.Errorf("%s: %s", c.cmd, got)
		}
	}
	d.run(`{"update":"c","updates":[{"q":{"_id":{"$lt":3}},"u":{"$set":{"b":1}},"multi":true}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{"_id":{"$gte":50}},"limit":0}]}`)
	if n := d.run(`{"count":"c","query":{"_id":{"$gte":0}}}`).Get("n").Long(); n != 50 {
		t.Error(n)
	}
	if n := d.run(`{"count":"c","query":{"b":1}}`).Get("n").Long(); n != 3 {
		t.Error(n)
	}
}

func TestExplainTellsOfAClusteredScan(t *testing.T) {
	d := clustered(t)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"}]}`)
	for _, c := range []struct {
		cmd, stages, min, max, direction string
		docs                             int64
	}{
		{`{"find":"c","filter":{"_id":5}}`, "EXPRESS_CLUSTERED_IXSCAN", "", "", "", 1},
		{`{"find":"c","filter":{"_id":5},"hint":{"_id":1}}`, "CLUSTERED_IXSCAN", "5", "5", "forward", 2},
		{`{"find":"c","filter":{"_id":{"$lt":10}}}`, "CLUSTERED_IXSCAN", "nan", "10", "forward", 11},
		{`{"find":"c","filter":{"_id":{"$gt":89}}}`, "CLUSTERED_IXSCAN", "89", "inf", "forward", 11},
		{`{"find":"c","filter":{"_id":{"$gte":20,"$lte":40}}}`, "CLUSTERED_IXSCAN", "20", "40", "forward", 22},
		{`{"find":"c","filter":{"_id":{"$gt":20,"$lt":40}}}`, "CLUSTERED_IXSCAN", "20", "40", "forward", 20},
		{`{"find":"c","filter":{"_id":{"$in":[10,30,20]}}}`, "CLUSTERED_IXSCAN", "10", "30", "forward", 22},
		{`{"find":"c","filter":{"_id":{"$gte":20,"$lte":40}},"sort":{"_id":-1}}`, "CLUSTERED_IXSCAN", "20", "40", "backward", 22},
		{`{"find":"c","filter":{"_id":{"$gte":20,"$lte":40}},"hint":{"$natural":-1}}`, "CLUSTERED_IXSCAN", "20", "40", "backward", 22},
		{`{"find":"c","hint":"products clustered key"}`, "COLLSCAN", "", "", "forward", 102},
		{`{"find":"c","sort":{"_id":1}}`, "COLLSCAN", "", "", "forward", 102},
		{`{"find":"c","filter":{"b":1},"sort":{"_id":-1}}`, "COLLSCAN", "", "", "backward", 102},
		{`{"find":"c","sort":{"b":1}}`, "SORT COLLSCAN", "", "", "", 102},
		{`{"find":"c","filter":{"a":3}}`, "FETCH IXSCAN", "", "", "", 10},
		{`{"update":"c","updates":[{"q":{"_id":3},"u":{"$inc":{"a":1}},"hint":{"_id":1}}]}`, "UPDATE CLUSTERED_IXSCAN", "", "", "", 1},
	} {
		out := d.run(`{"explain":` + c.cmd + `,"verbosity":"executionStats"}`)
		plan, stats := out.Path("queryPlanner.winningPlan").Doc(), out.Get("executionStats").Doc()
		if got := stagesOf(plan); got != c.stages {
			t.Errorf("%s: %s", c.cmd, got)
		}
		show := func(v bsonval.Value) string {
			if v.IsMissing() {
				return ""
			}
			return strings.Trim(v.String(), `"`)
		}
		if c.min != "" && (show(plan.Get("minRecord")) != c.min || show(plan.Get("maxRecord")) != c.max) {
			t.Errorf("%s: %s", c.cmd, plan)
		}
		if c.direction != "" && plan.Get("direction").Str() != c.direction {
			t.Errorf("%s: %s", c.cmd, plan)
		}
		if n := stats.Get("totalDocsExamined").Long(); n != c.docs {
			t.Errorf("%s: %d documents examined, not %d", c.cmd, n, c.docs)
		}
	}
	if out := d.try(`{"find":"c","hint":{"_id":-1}}`); out.Get("code").Long() != 2 {
		t.Error(out)
	}
}

func TestARecordIDOfAClusteredCollectionIsItsKey(t *testing.T) {
	d := clustered(t)
	const want = `BinData(0, 2B0A04)` // 5, as the server encodes keys
	if got := d.docs(`{"find":"c","filter":{"_id":5},"projection":{"_id":1},"showRecordId":true}`); got != `[ { _id: 5, $recordId: `+want+` } ]` {
		t.Error(got)
	}
	if got := d.docs(`{"find":"c","filter":{"_id":{"$gt":4}},"limit":1,"projection":{"_id":0,"r":{"$meta":"recordId"}}}`); got != `[ { a: 5, r: `+want+` } ]` {
		t.Error(got)
	}
	if got := d.docs(`{"aggregate":"c","pipeline":[{"$match":{"_id":5}},{"$project":{"_id":0,"r":{"$meta":"recordId"}}}],"cursor":{}}`); got != `[ { r: `+want+` } ]` {
		t.Error(got)
	}
}

func TestWhatAClusteredCollectionRefuses(t *testing.T) {
	d := clustered(t)
	d.run(`{"create":"plain","clusteredIndex":false}`)
	for _, c := range []struct {
		cmd  string
		code int64
	}{
		{`{"create":"x","clusteredIndex":true}`, 5979703},
		{`{"create":"x","clusteredIndex":5}`, 14},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1}}}`, 40414},
		{`{"create":"x","clusteredIndex":{"unique":true}}`, 40414},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":false}}`, 5979700},
		{`{"create":"x","clusteredIndex":{"key":{"a":1},"unique":true}}`, 197},
		{`{"create":"x","clusteredIndex":{"key":{"_id":-1},"unique":true}}`, 197},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true,"v":12345}}`, 5979704},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true,"other":1}}`, 40415},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"capped":true,"size":10}`, 6049200},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"capped":true,"max":10}`, 6049204},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"capped":true}`, 6127800},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"viewOn":"c"}`, 6026500},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"autoIndexId":false}`, 6026501},
		{`{"create":"x","clusteredIndex":{"key":{"_id":1},"unique":true},"expireAfterSeconds":-10}`, 72},
		{`{"create":"x","expireAfterSeconds":10}`, 72},
		{`{"create":"x","clusteredIndex":false,"expireAfterSeconds":10}`, 72},
		{`{"dropIndexes":"c","index":"products clustered key"}`, 5979800},
		{`{"dropIndexes":"c","index":{"_id":1}}`, 5979800},
		{`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1","clustered":true,"unique":true}]}`, 6243700},
		{`{"createIndexes":"plain","indexes":[{"key":{"_id":1},"name":"x","clustered":true,"unique":true}]}`, 6243700},
		{`{"createIndexes":"none","indexes":[{"key":{"_id":1},"name":"x","clustered":true,"unique":true}]}`, 6100900},
	} {
		if out := d.try(c.cmd); out.Get("code").Long() != c.code {
			t.Errorf("%s: %s", c.cmd, out)
		}
	}
	d.run(`{"createIndexes":"c","indexes":[{"key":{"_id":1},"name":"another"}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"_id":1},"name":"x","clustered":true,"unique":true}]}`)
	d.run(`{"dropIndexes":"c","index":"*"}`)
	if got := d.docs(`{"listIndexes":"c"}`); strings.Count(got, "clustered: true") != 1 || strings.Count(got, "key:") != 1 {
		t.Error(got)
	}
}

func TestAClusteredCollectionExpiresByItsID(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	folder := t.TempDir()
	e, err := Open(folder, Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	d := db{t, e}
	d.run(`{"create":"s","clusteredIndex":{"key":{"_id":1},"unique":true},"expireAfterSeconds":3600}`)
	if got := d.docs(`{"listIndexes":"s"}`); got != `[ { v: 2, key: { _id: 1 }, name: "_id_", unique: true, expireAfterSeconds: 3600, clustered: true } ]` {
		t.Error(got)
	}
	d.run(`{"insert":"s","documents":[{"_id":{"$date":"2026-01-01T11:30:00Z"}},{"_id":{"$date":"2026-01-01T10:59:00Z"}},{"_id":7}]}`)
	d.e.Sweep(t.Context())
	if got := d.docs(`{"find":"s","projection":{"x":0}}`); strings.Count(got, "_id") != 2 || strings.Contains(got, "10:59") {
		t.Error(got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = Open(folder, Options{Clock: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d.e = e
	now = now.Add(31 * time.Minute)
	e.Sweep(t.Context())
	if got := d.docs(`{"find":"s"}`); got != "[ { _id: 7 } ]" {
		t.Error(got)
	}
	d.run(`{"insert":"s","documents":[{"_id":3}]}`)
	if got := d.docs(`{"find":"s"}`); got != "[ { _id: 3 }, { _id: 7 } ]" {
		t.Error(got)
	}
}
