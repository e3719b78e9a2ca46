package engine

import (
	"strings"
	"testing"
)

// A database's views are documents of its system.views, which lists show while there
// are views, and which nobody changes.
func TestViewsAreSeenInSystemViews(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	names := func() string {
		var out []string
		for v := range d.run(`{"listCollections":1}`).Path("cursor.firstBatch").Doc().Values() {
			out = append(out, v.Doc().Get("name").Str()+" "+v.Doc().Get("type").Str())
		}
		return strings.Join(out, ", ")
	}
	if got := d.docs(`{"find":"system.views"}`) + names(); got != "[]c collection" {
		t.Error(got)
	}
	d.run(`{"create":"v","viewOn":"c","pipeline":[{"$match":{"_id":1}}],"collation":{"locale":"de"}}`)
	d.run(`{"create":"w","viewOn":"x"}`)
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	if got := names(); got != "c collection, s timeseries, system.buckets.s collection, system.views collection, v view, w view" {
		t.Error(got)
	}
	if got := d.docs(`{"find":"system.views","filter":{"_id":"test.w"}}`); got != `[ { _id: "test.w", viewOn: "x", pipeline: [] } ]` {
		t.Error(got)
	}
	got := d.docs(`{"find":"system.views","filter":{"viewOn":"c"}}`)
	if !strings.HasPrefix(got, `[ { _id: "test.v", viewOn: "c", pipeline: [ { $match: { _id: 1 } } ], collation: { locale: "de", `) {
		t.Error(got)
	}
	if got := d.docs(`{"aggregate":"system.views","pipeline":[{"$match":{"_id":"test.s"}},{"$project":{"viewOn":1,"pipeline":1}}],"cursor":{}}`); !strings.Contains(got, `viewOn: "system.buckets.s", pipeline: [ { $_internalUnpackBucket: { timeField: "t", metaField: "m"`) {
		t.Error(got)
	}
	if n := d.run(`{"count":"system.views"}`).Get("n").Long(); n != 3 {
		t.Errorf("%d views", n)
	}
	if info := d.run(`{"listCollections":1,"filter":{"name":"system.views"}}`).Path("cursor.firstBatch.0").Doc(); info.Path("info.uuid").IsMissing() || info.Path("idIndex.name").Str() != "_id_" || info.Path("info.readOnly").Truth() {
		t.Errorf("%s", info)
	}
	if out := d.try(`{"insert":"system.views","documents":[{"_id":"test.x","viewOn":"c","pipeline":[]}]}`); out.Get("ok").Double() == 1 && out.Get("writeErrors").IsMissing() {
		t.Errorf("a view was made by an insert: %s", out)
	}
	if got := d.docs(`{"listIndexes":"system.views"}`); got != `[ { v: 2, key: { _id: 1 }, name: "_id_" } ]` {
		t.Error(got)
	}
	if out := d.try(`{"drop":"system.views"}`); out.Get("code").Long() != 125 {
		t.Errorf("dropped with a time series: %s", out)
	}
	d.run(`{"drop":"s"}`)
	if out := d.run(`{"drop":"system.views"}`); out.Get("ns").Str() != "test.system.views" {
		t.Errorf("%s", out)
	}
	if got := d.docs(`{"find":"system.views"}`) + names(); got != "[]c collection" {
		t.Error(got)
	}
}

// $listCatalog tells the catalogue, of one collection or of all.
func TestListCatalog(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"a":[1,2]}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"}]}`)
	d.run(`{"create":"v","viewOn":"c","pipeline":[]}`)
	one := d.run(`{"aggregate":"c","pipeline":[{"$listCatalog":{}}],"cursor":{}}`).Path("cursor.firstBatch").Doc()
	if got := one.At(0).Doc(); one.Len() != 1 || got.Path("md.indexes.1.spec.name").Str() != "a_1" || !got.Path("md.indexes.1.multikey").Truth() || got.Path("md.options.uuid").IsMissing() || got.Get("ns").Str() != "test.c" {
		t.Errorf("%s", one)
	}
	all := d.adm(`{"aggregate":1,"pipeline":[{"$listCatalog":{}},{"$match":{"db":"test"}},{"$project":{"_id":0,"name":1,"type":1,"viewOn":1}}],"cursor":{}}`).Path("cursor.firstBatch").String()
	if all != `[ { name: "c", type: "collection" }, { name: "v", type: "view", viewOn: "c" } ]` {
		t.Error(all)
	}
	for cmd, code := range map[string]int64{
		`{"aggregate":1,"pipeline":[{"$listCatalog":{}}],"cursor":{}}`:        73,
		`{"aggregate":"c","pipeline":[{"$listCatalog":{"x":1}}],"cursor":{}}`: 6200600,
		`{"aggregate":1,"pipeline":[{"$queryStats":{}}],"cursor":{}}`:         115,
		`{"aggregate":1,"pipeline":[{"$listSampledQueries":{}}],"cursor":{}}`: 115,
	} {
		if out := d.try(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}

// A note stands in the oplog, also after the server has been away, and is no event.
func TestAnOplogNoteStaysAndIsNoEvent(t *testing.T) {
	dir := t.TempDir()
	d := openDB(t, dir, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	stream := d.watch(`1`, `{}`, "")
	d.adm(`{"appendOplogNote":1,"data":{"msg":"hello"}}`)
	d.run(`{"insert":"c","documents":[{"_id":2}]}`)
	if got := d.more(stream, "$cmd.aggregate").Path("cursor.nextBatch").Doc(); got.Len() != 1 || got.Path("0.fullDocument._id").Long() != 2 {
		t.Errorf("%s", got)
	}
	const notes = `{"find":"oplog.rs","filter":{"op":"n","o.msg":"hello"},"projection":{"_id":0,"op":1,"ns":1,"o":1}}`
	want := `[ { op: "n", ns: "", o: { msg: "hello" } } ]`
	if got := d.local(notes).Path("cursor.firstBatch").String(); got != want {
		t.Error(got)
	}
	if err := d.e.Close(); err != nil {
		t.Fatal(err)
	}
	d = openDB(t, dir, Options{})
	if got := d.local(notes).Path("cursor.firstBatch").String(); got != want {
		t.Error(got)
	}
	for cmd, code := range map[string]int64{
		`{"appendOplogNote":1}`:          4,
		`{"appendOplogNote":1,"data":5}`: 14,
		`{"appendOplogNote":1,"data":{},"maxClusterTime":{"$timestamp":{"t":1,"i":1}}}`: 209,
	} {
		if out := d.admin(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}

// The cluster's parameters are known, kept, and checked.
func TestClusterParameters(t *testing.T) {
	dir := t.TempDir()
	d := openDB(t, dir, Options{})
	if got := d.admin(`{"getClusterParameter":"*"}`).Get("clusterParameters").String(); got != `[ { _id: "changeStreamOptions", clusterParameterTime: Timestamp(0, 0), preAndPostImages: { expireAfterSeconds: "off" } }, { _id: "defaultMaxTimeMS", clusterParameterTime: Timestamp(0, 0), readOperations: 0 } ]` {
		t.Error(got)
	}
	for cmd, code := range map[string]int64{
		`{"getClusterParameter":"nope"}`:                                                                4,
		`{"getClusterParameter":[]}`:                                                                    2,
		`{"setClusterParameter":{"nope":{"x":1}}}`:                                                      4,
		`{"setClusterParameter":{"defaultMaxTimeMS":{"readOperations":-1}}}`:                            2,
		`{"setClusterParameter":{"defaultMaxTimeMS":{"x":1}}}`:                                          40415,
		`{"setClusterParameter":{"changeStreamOptions":{"preAndPostImages":{"expireAfterSeconds":5}}}}`: 115,
		`{"setClusterParameter":{}}`:                                                                    72,
		`{"autoCompact":true}`:                                                                          0, `{"autoCompact":1}`: 14, `{"autoCompact":true,"freeSpaceTargetMB":0}`: 51024,
	} {
		if out := d.admin(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	d.adm(`{"setClusterParameter":{"defaultMaxTimeMS":{"readOperations":5000}}}`)
	if err := d.e.Close(); err != nil {
		t.Fatal(err)
	}
	d = openDB(t, dir, Options{})
	if got := d.adm(`{"getClusterParameter":["defaultMaxTimeMS"]}`).Path("clusterParameters.0.readOperations").Long(); got != 5000 {
		t.Errorf("%d ms", got)
	}
}

// Small commands of an administrator's answer as the server's do.
func TestAnAdministratorsSmallCommands(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"log","capped":true,"size":4096}`)
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	d.run(`{"profile":2}`)
	if out := d.try(`{"drop":"system.profile"}`); out.Get("code").Long() != 20 {
		t.Errorf("dropped while it is written: %s", out)
	}
	d.run(`{"profile":0,"filter":{"op":"query"}}`)
	d.run(`{"drop":"system.profile"}`)
	if out := d.run(`{"profile":-1}`); !strings.HasPrefix(out.Get("note").String(), `"When a filter expression is set`) {
		t.Errorf("%s", out)
	}
	d.run(`{"profile":1,"filter":"unset"}`)
	hash := d.run(`{"dbHash":1}`)
	if hash.Get("capped").String() != `[ "log" ]` || hash.Path("uuids.c").IsMissing() || hash.Get("collections").Doc().Len() != 2 {
		t.Errorf("%s", hash)
	}
	if one := d.run(`{"dbHash":1,"collections":["c"]}`); one.Get("collections").Doc().Len() != 1 || one.Path("collections.c").String() != hash.Path("collections.c").String() {
		t.Errorf("%s", one)
	}
	status := d.adm(`{"replSetGetStatus":1}`)
	for _, path := range []string{"optimes.writtenOpTime", "optimes.lastWrittenWallTime", "electionCandidateMetrics.lastElectionReason", "members.0.lastWrittenWallTime"} {
		if status.Path(path).IsMissing() {
			t.Errorf("replSetGetStatus: no %s", path)
		}
	}
	for cmd, code := range map[string]int64{
		`{"invalidateUserCache":1}`: 0, `{"connPoolSync":1}`: 0, `{"replSetGetRBID":1}`: 0, `{"dropConnections":1,"hostAndPort":["a:1"]}`: 0, `{"dropConnections":1}`: 40414,
		`{"replSetResizeOplog":1,"size":990}`: 115, `{"dbCheck":1}`: 115, `{"analyzeShardKey":"a.b","key":{"x":1}}`: 115, `{"listShards":1}`: 59,
	} {
		if out := d.admin(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}
