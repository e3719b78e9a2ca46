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
{ operationType: "update", fullDocument: null, ns: { db: "test", coll: "c" }, documentKey: { _id: 1 }, updateDescription: { updatedFields: { a: 2, l.3: 4, s.x: 5 }, removedFields: [ "s.y" ], truncatedArrays: [] }, fullDocumentBeforeChange: { _id: 1, a: 1, s: { x: 1, y: 2 }, l: [ 1, 2, 3 ] } }
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
}

func TestAChangeStreamThatCantBeOpenedIsRefused(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"v","viewOn":"c","pipeline":[]}`)
	token := d.run(`{"aggregate":1,"pipeline":[{"$changeStream":{}}],"cursor":{}}`).Path("cursor.postBatchResumeToken").String()
	token = strings.ReplaceAll(token, "_data", `"_data"`)
	for _, c := range []struct {
		on, stages string
		code       int64
	}{
		{`"c"`, `{"$changeStream":{}},{"$group":{"_id":1}}`, 20},
		{`"c"`, `{"$match":{}},{"$changeStream":{}}`, 40602},
		{`"v"`, `{"$changeStream":{}}`, 166},
		{`"system.users"`, `{"$changeStream":{}}`, 73},
		{`"c"`, `{"$changeStream":1}`, 50808},
		{`"c"`, `{"$changeStream":{"x":1}}`, 40415},
		{`"c"`, `{"$changeStream":{"showExpandedEvents":1}}`, 14},
		{`"c"`, `{"$changeStream":{"fullDocument":"x"}}`, 2},
		{`"c"`, `{"$changeStream":{"allChangesForCluster":true}}`, 72},
		{`"c"`, `{"$changeStream":{"resumeAfter":1}}`, 14},
		{`"c"`, `{"$changeStream":{"resumeAfter":{}}}`, 40647},
		{`"c"`, `{"$changeStream":{"resumeAfter":{"_data":"zz"}}}`, 9},
		{`"c"`, `{"$changeStream":{"resumeAfter":{"_data":""}}}`, 40649},
		{`"c"`, `{"$changeStream":{"startAfter":{"_data":"82"}}}`, 260},
		{`"c"`, `{"$changeStream":{"startAfter":` + token + `,"resumeAfter":` + token + `}}`, 50865},
		{`"c"`, `{"$changeStream":{"startAfter":` + token + `,"startAtOperationTime":{"$timestamp":{"t":1,"i":1}}}}`, 40674},
		{`"c"`, `{"$changeStreamSplitLargeEvent":{}}`, 20},
		{`"c"`, `{"$changeStreamSplitLargeEvent":1}`, 7182800},
		{`"c"`, `{"$changeStream":{}},{"$changeStreamSplitLargeEvent":1}`, 7182800},
		{`"c"`, `{"$changeStream":{}},{"$changeStreamSplitLargeEvent":{}},{"$changeStreamSplitLargeEvent":{}}`, 7182802},
		{`"c"`, `{"$changeStream":{}},{"$changeStreamSplitLargeEvent":{}},{"$match":{}}`, 7182802},
	} {
		out := d.try(`{"aggregate":` + c.on + `,"pipeline":[` + c.stages + `],"cursor":{}}`)
		if out.Get("code").Long() != c.code {
			t.Errorf("%s: %s, want %d", c.stages, out, c.code)
		}
	}
}

// Views and time series have events in streams of whole databases alone.
func TestViewsHaveEventsInTheStreamOfTheirDatabase(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"base"}`)
	all := d.watch("1", `{"showExpandedEvents":true}`, `,{"$project":{"collectionUUID":0}}`)
	plain := d.watch("1", `{}`, "")
	one := d.watch(`"view"`, `{"showExpandedEvents":true}`, `,{"$project":{"collectionUUID":0}}`)
	d.run(`{"create":"view","viewOn":"base","pipeline":[{"$match":{"a":2}}]}`)
	d.run(`{"collMod":"view","viewOn":"base","pipeline":[{"$match":{"a":1}}]}`)
	d.run(`{"drop":"view"}`)
	d.run(`{"create":"view","capped":true,"size":4096}`)
	d.run(`{"create":"ts","timeseries":{"timeField":"t"}}`)
	d.run(`{"collMod":"ts","timeseries":{"granularity":"minutes"}}`)
	d.run(`{"drop":"ts"}`)
	create := `{ operationType: "create", ns: { db: "test", coll: "view" }, operationDescription: { capped: true, size: 4096, idIndex: { v: 2, key: { _id: 1 }, name: "_id_" } } }`
	want := `{ operationType: "create", ns: { db: "test", coll: "view" }, operationDescription: { viewOn: "base", pipeline: [ { $match: { a: 2 } } ] } }
{ operationType: "modify", ns: { db: "test", coll: "view" }, operationDescription: { viewOn: "base", pipeline: [ { $match: { a: 1 } } ] } }
{ operationType: "drop", ns: { db: "test", coll: "view" } }
` + create + `
{ operationType: "create", ns: { db: "test", coll: "ts" }, operationDescription: { viewOn: "system.buckets.ts", pipeline: [ { $_internalUnpackBucket: { timeField: "t", bucketMaxSpanSeconds: 3600 } } ] } }
{ operationType: "modify", ns: { db: "test", coll: "ts" }, operationDescription: { viewOn: "system.buckets.ts", pipeline: [ { $_internalUnpackBucket: { timeField: "t", bucketMaxSpanSeconds: 86400 } } ] } }
{ operationType: "drop", ns: { db: "test", coll: "ts" } }`
	if got := events(d, d.more(all, "$cmd.aggregate"), "nextBatch"); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if got := events(d, d.more(plain, "$cmd.aggregate"), "nextBatch"); got != "" {
		t.Errorf("without showExpandedEvents: %s", got)
	}
	if got := events(d, d.more(one, "view"), "nextBatch"); got != create {
		t.Errorf("on the one collection: %s", got)
	}
}

// Indexes on documents are built together, on an empty collection each by itself.
func TestIndexesHaveEvents(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c"}`)
	id := d.watch(`"c"`, `{"showExpandedEvents":true}`, `,{"$match":{"operationType":{"$ne":"insert"}}},{"$project":{"collectionUUID":0}}`)
	both := `"indexes":[{"key":{"a":1},"name":"a"},{"key":{"b":1},"name":"b","sparse":true}]`
	d.run(`{"createIndexes":"c",` + both + `}`)
	d.run(`{"dropIndexes":"c","index":["a","b"]}`)
	d.run(`{"insert":"c","documents":[{"a":1}]}`)
	d.run(`{"createIndexes":"c",` + both + `}`)
	event := func(kind, indexes string) string {
		return `{ operationType: "` + kind + `", ns: { db: "test", coll: "c" }, operationDescription: { indexes: [ ` + indexes + ` ] } }`
	}
	const a, b = `{ v: 2, key: { a: 1 }, name: "a" }`, `{ v: 2, key: { b: 1 }, name: "b", sparse: true }`
	want := strings.Join([]string{event("createIndexes", a), event("createIndexes", b), event("dropIndexes", a), event("dropIndexes", b), event("createIndexes", a+", "+b)}, "\n")
	if got := events(d, d.more(id, "c"), "nextBatch"); got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

// An image that must be there is asked for only where the pipeline lets the event through.
func TestRequiredImagesOfOtherCollectionsAreNotMissed(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"with","changeStreamPreAndPostImages":{"enabled":true}}`)
	d.run(`{"insert":"with","documents":[{"_id":1}]}`)
	d.run(`{"insert":"without","documents":[{"_id":1}]}`)
	const required = `{"fullDocument":"required","fullDocumentBeforeChange":"required"}`
	one := d.watch("1", required, `,{"$match":{"ns.coll":"with"}}`)
	all := d.watch("1", required, "")
	for _, name := range []string{"without", "with"} {
		d.run(`{"update":"` + name + `","updates":[{"q":{},"u":{"$set":{"a":1}}}]}`)
	}
	if got := events(d, d.more(one, "$cmd.aggregate"), "nextBatch"); !strings.Contains(got, "fullDocumentBeforeChange: { _id: 1 }") {
		t.Errorf("the collection with images: %s", got)
	}
	out := d.try(`{"getMore":{"$numberLong":"` + all + `"},"collection":"$cmd.aggregate"}`)
	if out.Get("code").Long() != 47 || !strings.Contains(out.Get("errmsg").Str(), `not found for event: { operationType: "update", ns: { db: "test", coll: "without" }, clusterTime: `) {
		t.Errorf("all collections: %s", out)
	}
}

// A collection's own order of strings is not that of its events.
func TestEventsAreComparedByTheCommandsCollation(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","collation":{"locale":"en","strength":2}}`)
	const watch = `{"aggregate":"c","cursor":{},"pipeline":[{"$changeStream":{}},{"$match":{"fullDocument.x":"ABC"}}]%s}`
	plain := d.run(fmt.Sprintf(watch, "")).Path("cursor.id").String()
	loose := d.run(fmt.Sprintf(watch, `,"collation":{"locale":"en","strength":2}`)).Path("cursor.id").String()
	d.run(`{"insert":"c","documents":[{"_id":1,"x":"abc"}]}`)
	if got := events(d, d.more(plain, "c"), "nextBatch"); got != "" {
		t.Errorf("without a collation: %s", got)
	}
	if got := events(d, d.more(loose, "c"), "nextBatch"); got == "" {
		t.Error("the command's collation has no effect")
	}
}

func TestOptionsShowMoreOfEvents(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	raw := d.watch(`"c"`, `{"showRawUpdateDescription":true}`, "")
	system := d.watch("1", `{"showSystemEvents":true}`, "")
	d.run(`{"update":"c","updates":[{"q":{},"u":{"$set":{"b":1}}}]}`)
	d.run(`{"insert":"system.js","documents":[{"_id":"f"}]}`)
	if got, want := events(d, d.more(raw, "c"), "nextBatch"), `{ operationType: "update", ns: { db: "test", coll: "c" }, documentKey: { _id: 1 }, rawUpdateDescription: { $v: 2, diff: { i: { b: 1 } } } }`; got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if got := events(d, d.more(system, "$cmd.aggregate"), "nextBatch"); !strings.Contains(got, "system.js") {
		t.Error(got)
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
{ to: { db: "test", coll: "to" }, operationType: "rename", ns: { db: "test", coll: "c" }, operationDescription: { to: { db: "test", coll: "to" } } }`
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
