package engine

import (
	"strings"
	"testing"
	"time"
)

func TestATTLIndexDeletesWhatIsTooOldByTheEnginesClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	d := newDB(t, Options{Clock: func() time.Time { return now }})
	d.run(`{"createIndexes":"s","indexes":[{"key":{"at":1},"name":"at_1","expireAfterSeconds":3600}]}`)
	d.run(`{"insert":"s","documents":[{"_id":1,"at":{"$date":"2026-01-01T10:59:00Z"}},{"_id":2,"at":{"$date":"2026-01-01T11:30:00Z"}},
		{"_id":3,"at":"yesterday"},{"_id":4},{"_id":5,"at":[{"$date":"2027-01-01T00:00:00Z"},{"$date":"2020-01-01T00:00:00Z"}]}]}`)
	d.e.Sweep(t.Context())
	if got := d.docs(`{"find":"s","projection":{"_id":1}}`); got != "[ { _id: 2 }, { _id: 3 }, { _id: 4 } ]" {
		t.Error(got)
	}
	now = now.Add(31 * time.Minute)
	d.e.Sweep(t.Context())
	if got := d.docs(`{"find":"s","projection":{"_id":1}}`); got != "[ { _id: 3 }, { _id: 4 } ]" {
		t.Error(got)
	}
}

func TestACappedCollectionLosesItsOldest(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"log","capped":true,"size":100000,"max":3}`)
	for i := range 5 {
		d.run(`{"insert":"log","documents":[{"_id":` + itoa(i) + `}]}`)
	}
	if got := d.docs(`{"find":"log"}`); got != "[ { _id: 2 }, { _id: 3 }, { _id: 4 } ]" {
		t.Error(got)
	}
	if got := d.docs(`{"find":"log","sort":{"$natural":-1},"limit":1}`); got != "[ { _id: 4 } ]" {
		t.Error(got)
	}
	d.run(`{"update":"log","updates":[{"q":{"_id":4},"u":{"$set":{"x":1}}}]}`)
	d.run(`{"collMod":"log","cappedMax":2,"cappedSize":100}`)
	d.run(`{"insert":"log","documents":[{"_id":5}]}`)
	if got := d.docs(`{"find":"log"}`); got != "[ { _id: 4, x: 1 }, { _id: 5 } ]" {
		t.Error(got)
	}
	d.run(`{"collMod":"log","cappedMax":0,"cappedSize":10}`)
	d.run(`{"insert":"log","documents":[{"_id":6}]}`)
	if got := d.docs(`{"find":"log"}`); got != "[ { _id: 6 } ]" {
		t.Error(got)
	}
}

func TestATailableCursorGoesOnAfterTheEnd(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"log","capped":true,"size":100000}`)
	d.run(`{"insert":"log","documents":[{"_id":1}]}`)
	first := d.run(`{"find":"log","tailable":true}`)
	id := first.Path("cursor.id").String()
	if id == "0" {
		t.Fatal("the cursor is closed")
	}
	d.run(`{"insert":"log","documents":[{"_id":2}]}`)
	next := d.run(`{"getMore":{"$numberLong":"` + id + `"},"collection":"log"}`)
	if got := next.Path("cursor.nextBatch").String(); got != "[ { _id: 2 } ]" {
		t.Error(next)
	}
	if out := d.run(`{"find":"plain","tailable":true,"awaitData":true}`); out.Path("cursor.id").Long() != 0 {
		t.Errorf("on a collection that isn't there: %s", out)
	}
	d.run(`{"create":"plain"}`)
	if out := d.try(`{"find":"plain","tailable":true}`); out.Get("ok").Double() != 0 {
		t.Error(out)
	}
}

func TestAValidatorTellsWhatIsWrong(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"p","validator":{"$and":[{"age":{"$gte":18}},{"name":{"$type":"string"}}]}}`)
	out := d.try(`{"insert":"p","documents":[{"_id":1,"age":5,"name":7}]}`)
	e := out.Path("writeErrors.0").Doc()
	if e.Get("code").Long() != 121 || e.Get("errmsg").Str() != "Document failed validation" {
		t.Fatal(out)
	}
	want := `{ failingDocumentId: 1, details: { operatorName: "$and", clausesNotSatisfied: [ ` +
		`{ index: 0, details: { operatorName: "$gte", specifiedAs: { age: { $gte: 18 } }, reason: "comparison failed", consideredValue: 5 } }, ` +
		`{ index: 1, details: { operatorName: "$type", specifiedAs: { name: { $type: "string" } }, reason: "type did not match", consideredValue: 7, consideredType: "int" } } ] } }`
	if got := e.Get("errInfo").String(); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	d.run(`{"insert":"p","documents":[{"age":18,"name":"x"}]}`)
}

func TestACollationOrdersComparesAndBelongsToAnIndex(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"w","documents":[{"_id":1,"s":"b"},{"_id":2,"s":"A"},{"_id":3,"s":"a"},{"_id":4,"s":"é"},{"_id":5,"s":"f"},{"_id":6,"s":"10"},{"_id":7,"s":"9"}]}`)
	if got := d.docs(`{"find":"w","sort":{"s":1,"_id":1},"collation":{"locale":"en","numericOrdering":true},"projection":{"_id":1}}`); got != "[ { _id: 7 }, { _id: 6 }, { _id: 3 }, { _id: 2 }, { _id: 1 }, { _id: 4 }, { _id: 5 } ]" {
		t.Error(got)
	}
	const find = `{"find":"w","filter":{"s":"a"},"collation":{"locale":"en","strength":2},"sort":{"_id":1},"projection":{"_id":1}}`
	for range 2 {
		if got := d.docs(find); got != "[ { _id: 2 }, { _id: 3 } ]" {
			t.Error(got)
		}
		d.run(`{"createIndexes":"w","indexes":[{"key":{"s":1},"name":"s_1","collation":{"locale":"en","strength":2}}]}`)
	}
	if got := stagesOf(d.run(`{"explain":` + find + `}`).Path("queryPlanner.winningPlan").Doc()); !strings.Contains(got, "IXSCAN") {
		t.Error(got)
	}
	if got := stagesOf(d.run(`{"explain":{"find":"w","filter":{"s":"a"}}}`).Path("queryPlanner.winningPlan").Doc()); got != "COLLSCAN" {
		t.Error("an index with a collation serves a query without: " + got)
	}
	if out := d.try(`{"find":"w","collation":{"locale":"xx"}}`); out.Get("code").Long() != 2 {
		t.Error(out)
	}
}

func TestTheProfilerNotesCommandsWithTheirPlans(t *testing.T) {
	d := seeded(t)
	d.run(`{"profile":2}`)
	d.run(`{"find":"c","filter":{"a":3},"sort":{"s":1}}`)
	d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"z":1}}}]}`)
	if out := d.run(`{"profile":0}`); out.Get("was").Long() != 2 || out.Get("slowms").Long() != 100 {
		t.Error(out)
	}
	d.run(`{"find":"c","filter":{"a":4}}`)
	got := d.docs(`{"find":"system.profile","filter":{"ns":"test.c"},"projection":{"op":1,"keysExamined":1,"docsExamined":1,"hasSortStage":1,"nreturned":1,"nModified":1,"planSummary":1,"_id":0}}`)
	if got != `[ { op: "query", keysExamined: 10, docsExamined: 10, hasSortStage: true, nreturned: 10, planSummary: "IXSCAN { a: 1, b: 1 }" }, { op: "update", keysExamined: 1, docsExamined: 1, nModified: 1, planSummary: "EXPRESS_IXSCAN { _id: 1 }" } ]` {
		t.Error(got)
	}
}

func TestConvertToCappedKeepsTheNewest(t *testing.T) {
	d := seeded(t)
	d.run(`{"convertToCapped":"c","size":4096}`)
	got := d.docs(`{"find":"c","sort":{"$natural":-1},"limit":1,"projection":{"_id":1}}`)
	if n := d.run(`{"count":"c"}`).Get("n").Long(); got != "[ { _id: 99 } ]" || n < 10 || n > 90 {
		t.Error(got, n)
	}
}
