package engine

import (
	"fmt"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// events are the next batch of a change stream without what differs from run to run.
func events(d db, reply bsonval.Doc, batch string) string {
	var out []string
	for v := range reply.Path("cursor." + batch).Doc().Values() {
		var b bsonval.Builder
		for name, v := range v.Doc().All() {
			if name != "_id" && name != "clusterTime" && name != "wallTime" {
				b.Set(name, v)
			}
		}
		out = append(out, b.Doc().String())
	}
	return strings.Join(out, "\n")
}

func (d db) watch(on, options, pipeline string) (id string) {
	out := d.run(`{"aggregate":` + on + `,"pipeline":[{"$changeStream":` + options + `}` + pipeline + `],"cursor":{}}`)
	return out.Path("cursor.id").String()
}

func (d db) more(id, coll string) bsonval.Doc {
	return d.run(`{"getMore":{"$numberLong":"` + id + `"},"collection":"` + coll + `","maxTimeMS":50}`)
}

func TestAChangeStreamTellsEveryChange(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","changeStreamPreAndPostImages":{"enabled":true}}`)
	id := d.watch(`"c"`, `{"fullDocument":"updateLookup","fullDocumentBeforeChange":"whenAvailable"}`, "")
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1,"s":{"x":1,"y":2},"l":[1,2,3]}]}`)
	d.run(`{"insert":"other","documents":[{"_id":9}]}`)
	d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"a":2,"s.x":5},"$unset":{"s.y":1},"$push":{"l":4}}}]}`)
	d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"b":1}}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{},"limit":0}]}`)
	d.run(`{"drop":"c"}`)
	reply := d.more(id, "c")
	want := `{ operationType: "insert", fullDocument: { _id: 1, a: 1, s: { x: 1, y: 2 }, l: [ 1, 2, 3 ] }, ns: { db: "test", coll: "c" }, documentKey: { _id: 1 } }
{ operationType: "update", fullDocument: null, ns: { db: "test", coll: "c" }, documentKey: { _id: 1 }, updateDescription: { updatedFields: { a: 2, s.x: 5, l.3: 4 }, removedFields: [ "s.y" ], truncatedArrays: [] }, fullDocumentBeforeChange: { _id: 1, a: 1, s: { x: 1, y: 2 }, l: [ 1, 2, 3 ] } }
{ operationType: "replace", fullDocument: { _id: 1, b: 1 }, ns: { db: "test", coll: "c" }, documentKey: { _id: 1 }, fullDocumentBeforeChange: { _id: 1, a: 2, s: { x: 5 }, l: [ 1, 2, 3, 4 ] } }
{ operationType: "delete", ns: { db: "test", coll: "c" }, documentKey: { _id: 1 }, fullDocumentBeforeChange: { _id: 1, b: 1 } }
{ operationType: "drop", ns: { db: "test", coll: "c" } }
{ operationType: "invalidate" }`
	if got := events(d, reply, "nextBatch"); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if reply.Path("cursor.id").Long() != 0 {
		t.Error("the cursor lives on after an invalidation")
	}
}

func TestAChangeStreamIsResumedByItsToken(t *testing.T) {
	d := newDB(t, Options{})
	id := d.watch("1", `{}`, `,{"$match":{"operationType":"insert"}}`)
	d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2},{"_id":3}]}`)
	first := d.more(id, "$cmd.aggregate")
	if got := strings.Count(events(d, first, "nextBatch"), "insert"); got != 3 {
		t.Fatal(first)
	}
	token := first.Path("cursor.nextBatch.0._id._data").Str()
	again := d.run(`{"aggregate":1,"pipeline":[{"$changeStream":{"resumeAfter":{"_data":"` + token + `"}}}],"cursor":{}}`)
	if got := events(d, again, "firstBatch"); strings.Count(got, "insert") != 2 || strings.Contains(got, "_id: 1 }") {
		t.Error(got)
	}
	d.run(`{"insert":"c","documents":[{"_id":4}]}`)
	if got := events(d, d.more(again.Path("cursor.id").String(), "$cmd.aggregate"), "nextBatch"); !strings.Contains(got, "_id: 4") {
		t.Error(got)
	}
	out := d.try(`{"aggregate":1,"pipeline":[{"$changeStream":{"resumeAfter":{"_data":"zz"}}}],"cursor":{}}`)
	if out.Get("code").Long() != 260 {
		t.Error(out)
	}
	out = d.try(`{"aggregate":"c","pipeline":[{"$changeStream":{}},{"$group":{"_id":1}}],"cursor":{}}`)
	if out.Get("code").Long() != 20 {
		t.Error(out)
	}
}

func TestExpandedEventsTellTheCatalogue(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c"}`)
	d.run(`{"create":"to"}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x"}]}`)
	id := d.watch("1", `{"showExpandedEvents":true}`, `,{"$project":{"collectionUUID":0,"stateBeforeChange.collectionOptions":0,"operationDescription.dropTarget":0}}`)
	d.run(`{"collMod":"c"}`)
	d.run(`{"collMod":"c","index":{"name":"x","hidden":true}}`)
	d.run(`{"collMod":"c","validator":{"a":1}}`)
	rename := parseJSON(t, `{"renameCollection":"test.c","to":"test.to","dropTarget":true}`)
	if out, err := d.e.Run(t.Context(), "admin", rename); err != nil || out.Get("ok").Double() != 1 {
		t.Fatal(out, err)
	}
	want := `{ operationType: "modify", ns: { db: "test", coll: "c" }, operationDescription: {}, stateBeforeChange: {} }
{ operationType: "modify", ns: { db: "test", coll: "c" }, operationDescription: { index: { name: "x", hidden: true } }, stateBeforeChange: { indexOptions: { hidden: false } } }
{ operationType: "modify", ns: { db: "test", coll: "c" }, operationDescription: { validator: { a: 1 } }, stateBeforeChange: {} }
{ operationType: "rename", ns: { db: "test", coll: "c" }, to: { db: "test", coll: "to" }, operationDescription: { to: { db: "test", coll: "to" } } }`
	if got := events(d, d.more(id, "$cmd.aggregate"), "nextBatch"); got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

func TestALargeEventIsSplit(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","changeStreamPreAndPostImages":{"enabled":true}}`)
	long := strings.Repeat("x", 10<<20)
	d.run(`{"insert":"c","documents":[{"_id":1,"v":"` + long + `"}]}`)
	const watch = `{"aggregate":"c","cursor":{},"pipeline":[{"$changeStream":{"fullDocument":"whenAvailable","fullDocumentBeforeChange":"required"%s}},{"$unset":"updateDescription"}%s]}`
	id := d.run(fmt.Sprintf(watch, "", `,{"$changeStreamSplitLargeEvent":{}}`)).Path("cursor.id").String()
	whole := d.run(fmt.Sprintf(watch, "", "")).Path("cursor.id").String()
	d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"n":1}}}]}`)

	first := d.more(id, "c")
	if got := first.Path("cursor.nextBatch.0.splitEvent").String(); got != "{ fragment: 1, of: 2 }" {
		t.Fatal(got)
	}
	token := first.Path("cursor.nextBatch.0._id").Doc()
	if got := first.Path("cursor.postBatchResumeToken"); !got.Doc().Same(token) {
		t.Error("the batch's token is not that of its last fragment:", got, token)
	}
	resumed := `,"resumeAfter":{"_data":"` + token.Get("_data").Str() + `"}`
	again := d.run(fmt.Sprintf(watch, resumed, `,{"$changeStreamSplitLargeEvent":{}}`)).Path("cursor.firstBatch")
	if got := again.Doc().Path("0.splitEvent").String(); got != "{ fragment: 2, of: 2 }" {
		t.Error(got)
	}
	if out := d.try(fmt.Sprintf(watch, resumed, "")); out.Get("code").Long() != 280 {
		t.Error("a split event is resumed without the stage that splits:", out)
	}
	if out := d.try(`{"getMore":{"$numberLong":"` + whole + `"},"collection":"c","maxTimeMS":50}`); out.Get("code").Long() != 10334 {
		t.Error("an event over 16 MB is sent whole:", out.Get("code"))
	}
}

// The stage of change streams is one of several that a transaction may not have.
func TestATransactionRefusesStagesThatLeaveIt(t *testing.T) {
	d := newDB(t, Options{})
	for i, stage := range []string{`{"$out":"o"}`, `{"$merge":"o"}`, `{"$indexStats":{}}`, `{"$changeStream":{}}`} {
		out := d.try(fmt.Sprintf(`{"aggregate":"c","pipeline":[%s],"cursor":{},"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"%d"},"startTransaction":true,"autocommit":false}`, stage, i+1))
		if out.Get("code").Long() != 263 {
			t.Errorf("%s: %s", stage, out)
		}
	}
}
