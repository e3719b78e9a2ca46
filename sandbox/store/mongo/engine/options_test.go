package engine

import (
	"encoding/base64"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// outcome is a command and the code of its error, 0 for none.
type outcome struct {
	json string
	code int64
}

// codes runs commands and compares the codes of their errors.
func (d db) codes(list ...outcome) {
	d.t.Helper()
	for _, c := range list {
		if out := d.try(c.json); out.Get("code").Long() != c.code {
			d.t.Errorf("%s: %s, want the code %d", c.json, out, c.code)
		}
	}
}

func TestWhatCreateChecks(t *testing.T) {
	d := newDB(t, Options{})
	d.codes(
		outcome{`{"create":"c","capped":true}`, 72},
		outcome{`{"create":"c","max":5}`, 72},
		outcome{`{"create":"c","capped":false,"size":5}`, 72},
		outcome{`{"create":"c","capped":true,"size":-1}`, 51024},
		outcome{`{"create":"c","capped":true,"size":1e30}`, 51024},
		outcome{`{"create":"c","capped":true,"size":"1"}`, 14},
		outcome{`{"create":"c","capped":true,"size":10,"max":1e12}`, 2},
		outcome{`{"create":"c","collation":{}}`, 40414},
		outcome{`{"create":"c","storageEngine":{"nope":{}}}`, 72},
		outcome{`{"create":"c","autoIndexId":false}`, 72},
		outcome{`{"create":"c","changeStreamPreAndPostImages":{"enabled":"yes"}}`, 14},
		outcome{`{"create":"c","changeStreamPreAndPostImages":{"on":true}}`, 40415},
		outcome{`{"create":"c","changeStreamPreAndPostImages":true}`, 14},
		outcome{`{"dropDatabase":2}`, 5255100},
		outcome{`{"create":"c","storageEngine":{"wiredTiger":5}}`, 2},
		outcome{`{"create":"c","indexOptionDefaults":{"x":1}}`, 40415},
		outcome{`{"create":"c","validationLevel":"much"}`, 2},
		outcome{`{"create":"c","validationAction":"off"}`, 2},
		outcome{`{"create":"c","validator":{"$or":[{"a":{"$near":[0,0]}}]}}`, 2},
		outcome{`{"create":"c","validator":{"$text":{"$search":"x"}}}`, 2},
		outcome{`{"create":"v","viewOn":"c","idIndex":{"key":{"_id":1},"name":"_id_"}}`, 72},
		outcome{`{"create":"c","idIndex":1}`, 14},
		outcome{`{"create":"c","idIndex":{}}`, 9},
		outcome{`{"create":"c","idIndex":{"key":{"a":1},"name":"_id_"}}`, 2},
		outcome{`{"create":"c","idIndex":{"key":{"_id":1},"sparse":true}}`, 197},
		outcome{`{"create":"c","idIndex":{"key":{"_id":1},"collation":{"locale":"en"}}}`, 2},
		outcome{`{"create":"c","collation":{"locale":"fr"},"idIndex":{"key":{"_id":1},"collation":{"locale":"simple"}}}`, 2},
		outcome{`{"create":"c","collation":{"locale":"en","strength":3},"idIndex":{"key":{"_id":1},"v":1,"collation":{"locale":"en"}}}`, 0},
	)
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch.0.v"); got.Long() != 1 {
		t.Error(got)
	}
	if out := d.admin(`{"create":"c","validator":{"a":1}}`); out.Get("code").Long() != 72 {
		t.Error(out)
	}
}

func TestCreateOfWhatIsThere(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","capped":true,"size":5000,"collation":{"locale":"en"}}`)
	d.run(`{"create":"v","viewOn":"c"}`)
	d.codes(
		outcome{`{"create":"c","collation":{"locale":"en","strength":3},"size":5000.0,"capped":true}`, 0},
		outcome{`{"create":"v","viewOn":"c","pipeline":[]}`, 0},
		outcome{`{"create":"v","viewOn":"c","pipeline":[{"$match":{}}]}`, 48},
		outcome{`{"create":"c","capped":true,"size":5001}`, 48},
		outcome{`{"create":"c"}`, 48},
		outcome{`{"convertToCapped":"c"}`, 40414},
	)
}

func TestCollModChecksWhatItIsAsked(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c"}`)
	d.run(`{"create":"v","viewOn":"c","pipeline":[]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a"},{"key":{"a":1},"name":"fr","collation":{"locale":"fr"}},{"key":{"b":1},"name":"b"},{"key":{"c":1,"d":1},"name":"cd"}]}`)
	d.codes(
		outcome{`{"collMod":"c","index":{"name":"a","keyPattern":{"a":1},"hidden":true}}`, 72},
		outcome{`{"collMod":"c","index":{"hidden":true}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"a"}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"a","sparse":true}}`, 40415},
		outcome{`{"collMod":"c","index":{"name":2,"hidden":true}}`, 14},
		outcome{`{"collMod":"c","index":{"keyPattern":{"a":1},"hidden":true}}`, 181},
		outcome{`{"collMod":"c","index":{"keyPattern":{"z":1},"hidden":true}}`, 27},
		outcome{`{"collMod":"c","index":{"name":"a","expireAfterSeconds":"1"}}`, 14},
		outcome{`{"collMod":"c","index":{"name":"a","expireAfterSeconds":-1}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"cd","expireAfterSeconds":1}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"_id_","expireAfterSeconds":1}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"_id_","hidden":true}}`, 2},
		outcome{`{"collMod":"c","validationLevel":"much"}`, 2},
		outcome{`{"collMod":"c","cappedSize":100}`, 72},
		outcome{`{"collMod":"c","viewOn":"d"}`, 72},
		outcome{`{"collMod":"v","validator":{}}`, 72},
		outcome{`{"collMod":"v","index":{"name":"a","hidden":true}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"b","hidden":true,"unique":true},"dryRun":true}`, 72},
		outcome{`{"collMod":"c","validationLevel":"off","dryRun":true}`, 72},
		outcome{`{"collMod":"c","index":{"name":"b","unique":true}}`, 72},
		outcome{`{"collMod":"c","index":{"name":"b","unique":false}}`, 2},
	)
	if out := d.run(`{"collMod":"c","index":{"name":"b","hidden":false}}`); !out.Get("hidden_old").IsMissing() {
		t.Errorf("hiding what is hidden: %s", out)
	}
}

// An index becomes unique in two steps: the first lets no more duplicates in.
func TestAnIndexBecomesUnique(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1},{"_id":2,"a":1},{"_id":3,"a":2},{"_id":4}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a"}]}`)
	out := d.run(`{"collMod":"c","index":{"name":"a","prepareUnique":true}}`)
	if out.Get("prepareUnique_old").Bool() || !out.Get("prepareUnique_new").Bool() {
		t.Error(out)
	}
	for _, write := range []string{
		`{"insert":"c","documents":[{"_id":5,"a":2}]}`,
		`{"insert":"c","documents":[{"_id":5}]}`,
		`{"update":"c","updates":[{"q":{"_id":3},"u":{"$set":{"a":1}}}]}`,
	} {
		if out := d.try(write); out.Path("writeErrors.0.code").Long() != 11000 {
			t.Errorf("%s: %s", write, out)
		}
	}
	d.run(`{"update":"c","updates":[{"q":{"_id":2},"u":{"$set":{"b":1}}}]}`)
	failed := d.try(`{"collMod":"c","index":{"name":"a","unique":true}}`)
	if got := failed.Get("violations").String(); failed.Get("code").Long() != 359 || got != "[ { ids: [ 1, 2 ] } ]" {
		t.Error(failed)
	}
	d.run(`{"update":"c","updates":[{"q":{"_id":2},"u":{"$set":{"a":9}}}]}`)
	d.run(`{"collMod":"c","index":{"name":"a","unique":true},"dryRun":true}`)
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch.1").String(); strings.Contains(got, "unique: true") {
		t.Errorf("dryRun changed the index: %s", got)
	}
	if out := d.run(`{"collMod":"c","index":{"name":"a","unique":true}}`); !out.Get("unique_new").Bool() {
		t.Error(out)
	}
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch.1").String(); got != `{ v: 2, key: { a: 1 }, name: "a", unique: true }` {
		t.Error(got)
	}
	d.codes(outcome{`{"createIndexes":"c","indexes":[{"key":{"z":1},"name":"z","unique":true,"prepareUnique":true}]}`, 67})
}

// A validator compares in the collection's collation; a schema in none.
func TestAValidatorHasTheCollectionsCollation(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","collation":{"locale":"en","strength":2},"validator":{"a":"xyz"}}`)
	d.run(`{"insert":"c","documents":[{"_id":1,"a":"XYZ"}]}`)
	d.run(`{"update":"c","updates":[{"q":{},"u":{"$set":{"a":"xYz"}},"collation":{"locale":"simple"}}]}`)
	d.run(`{"collMod":"c","validator":{"$jsonSchema":{"properties":{"a":{"enum":["xyz"]}}}}}`)
	if out := d.try(`{"insert":"c","documents":[{"_id":2,"a":"XYZ"}]}`); out.Path("writeErrors.0.code").Long() != 121 {
		t.Error(out)
	}
}

// A cursor ends with its collection, and in a capped one with the document it stands on.
func TestACursorEndsWithWhatItReads(t *testing.T) {
	d := newDB(t, Options{})
	open := func() string {
		d.try(`{"drop":"other"}`)
		d.try(`{"drop":"c"}`)
		d.run(`{"create":"c","capped":true,"size":10000,"max":3}`)
		d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2},{"_id":3}]}`)
		return d.run(`{"find":"c","batchSize":1}`).Path("cursor.id").String()
	}
	more := func(id string) bsonval.Doc {
		return d.try(`{"getMore":{"$numberLong":"` + id + `"},"collection":"c"}`)
	}
	for command, code := range map[string]int64{
		`{"ping":1}`:                             0,
		`{"drop":"c"}`:                           175,
		`{"convertToCapped":"c","size":10}`:      175,
		`{"insert":"c","documents":[{"_id":4}]}`: 136,
	} {
		id := open()
		d.run(command)
		if out := more(id); out.Get("code").Long() != code {
			t.Errorf("after %s: %s", command, out)
		}
		if out := more(id); out.Get("code").Long() != 43 {
			t.Errorf("the cursor is left: %s", out)
		}
	}
	id := open()
	d.adm(`{"renameCollection":"test.c","to":"test.other"}`)
	if out := more(id); out.Get("code").Long() != 175 {
		t.Error(out)
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"c","collation":{"locale":"fr"}}`)
	d.codes(
		outcome{`{"createIndexes":"c","indexes":[{"key":{"a":"text"},"name":"a"}]}`, 67},
		outcome{`{"createIndexes":"c","indexes":[{"key":{"a":"text"},"name":"a","collation":{"locale":"simple"}}]}`, 0},
		outcome{`{"distinct":"c","key":"a\u0000b"}`, 31032},
		outcome{`{"getMore":{"$numberLong":"5"},"collection":""}`, 73},
		outcome{`{"count":1}`, 73},
		outcome{`{"distinct":"c","key":"a","writeConcern":{"w":1}}`, 72},
		outcome{`{"find":"c","filter":{"$alwaysTrue":0}}`, 9},
		outcome{`{"find":"c","filter":{"a":{"$all":[{"$elemMatch":{"b":1}},5]}}}`, 2},
		outcome{`{"ping":1,"apiStrict":false}`, 4886600},
		outcome{`{"ping":1,"apiVersion":1}`, 14},
		outcome{`{"planCacheSetFilter":"c","query":{"a":1},"collation":{},"indexes":["x"]}`, 2},
	)
	if out := d.admin(`{"bulkWrite":1,"ops":[{"insert":"x","document":{}}],"nsInfo":[{"ns":"test.c"}]}`); out.Get("code").Long() != 14 {
		t.Error(out)
	}
	out, err := d.e.Run(t.Context(), "TEST", parseJSON(t, `{"create":"c"}`))
	if err != nil || out.Get("code").Long() != 13297 {
		t.Error(out, err)
	}
}

// A command that names the UUID of its collection is for that collection alone.
func TestACommandNamesItsCollectionsUUID(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	d.run(`{"insert":"other","documents":[{"_id":1}]}`)
	_, raw := d.run(`{"listCollections":1,"filter":{"name":"c"}}`).Path("cursor.firstBatch.0.info.uuid").Binary()
	uuid := `"collectionUUID":{"$binary":{"base64":"` + base64.StdEncoding.EncodeToString(raw) + `","subType":"04"}}`
	d.codes(
		outcome{`{"find":"c",` + uuid + `}`, 0},
		outcome{`{"collMod":"c",` + uuid + `}`, 0},
		outcome{`{"update":"c","updates":[{"q":{},"u":{"$set":{"a":1}}}],` + uuid + `}`, 0},
		outcome{`{"find":"other",` + uuid + `}`, 361},
		outcome{`{"insert":"gone","documents":[{}],` + uuid + `}`, 361},
		outcome{`{"drop":"other",` + uuid + `}`, 361},
		outcome{`{"count":"c",` + uuid + `}`, 40415},
		outcome{`{"find":"c","collectionUUID":5}`, 14},
	)
	out := d.try(`{"delete":"other","deletes":[{"q":{},"limit":0}],` + uuid + `}`)
	if out.Get("db").Str() != "test" || out.Get("expectedCollection").Str() != "other" || out.Get("actualCollection").Str() != "c" {
		t.Error(out)
	}
	for _, c := range []struct{ from, to string }{{"test.other", "test.x"}, {"nope.c", "nope.d"}} {
		out := d.admin(`{"renameCollection":"` + c.from + `","to":"` + c.to + `",` + uuid + `}`)
		if out.Get("code").Long() != 361 {
			t.Error(out)
		}
	}
}
