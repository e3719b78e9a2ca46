package engine

import (
	"fmt"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// content is all that a client can see of the database test.
func (d db) content() string {
	d.t.Helper()
	var b strings.Builder
	list := d.run(`{"listCollections":1}`).Path("cursor.firstBatch").Doc()
	for v := range list.Values() {
		name := v.Doc().Get("name").Str()
		fmt.Fprintln(&b, v, d.docs(`{"find":"`+name+`","sort":{"_id":1},"batchSize":1000}`), d.docs(`{"listIndexes":"`+name+`"}`))
		if out := d.run(`{"validate":"` + name + `","full":true}`); !out.Get("valid").Truth() {
			d.t.Error(out)
		}
	}
	out := d.run(`{"dbStats":1}`)
	for _, f := range []string{"collections", "objects", "dataSize", "indexes", "indexSize"} {
		fmt.Fprint(&b, f, out.Get(f), " ")
	}
	return b.String()
}

// Undo brings back what every client saw at the snapshot, in memory and on a folder,
// however often, and after a restart; the quota counts each document once.
func TestUndo(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		opts := Options{MemoryLimit: 2 << 20}
		d := openDB(t, dir, opts)
		d.run(`{"create":"c","validator":{"n":{"$gte":0}}}`)
		d.run(`{"createIndexes":"c","indexes":[{"key":{"n":1},"name":"n","unique":true},{"key":{"$**":"text"},"name":"t"}]}`)
		pad := strings.Repeat("x", 1000)
		for i := range 300 {
			d.run(fmt.Sprintf(`{"insert":"c","documents":[{"_id":%d,"n":%d,"p":"%s"}]}`, i, i, pad))
		}
		snapshot, want, used := d.e.Snapshot(), d.content(), d.e.Snapshot().Bytes
		for range 8 { // more than the quota would hold if it were counted twice
			d.run(`{"update":"c","updates":[{"q":{},"u":{"$set":{"p":"` + strings.Repeat("y", 1100) + `"}},"multi":true}]}`)
			d.run(`{"dropIndexes":"c","index":"*"}`)
			d.adm(`{"renameCollection":"test.c","to":"test.moved"}`)
			d.run(`{"insert":"new","documents":[{"_id":1}]}`)
			if err := d.e.Restore(t.Context(), snapshot); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.content(); got != want {
			t.Errorf("%.400s\nwant %.400s", got, want)
		}
		if got := d.e.Snapshot().Bytes; got != used {
			t.Errorf("%d bytes counted, %d at the snapshot", got, used)
		}
		if out := d.try(`{"insert":"c","documents":[{"n":5}]}`); out.Path("writeErrors.0.code").Long() != 11000 {
			t.Error("the unique index is none:", out)
		}
		if dir != "" {
			if err := d.e.Close(); err != nil {
				t.Fatal(err)
			}
			if d = openDB(t, dir, opts); d.content() != want {
				t.Errorf("after a restart: %.400s", d.content())
			}
		}
	}
}

// One database goes back, the others stay.
func TestUndoOfOneDatabase(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	snapshot, want := d.e.Snapshot(), d.content()
	d.run(`{"dropDatabase":1}`)
	d.run(`{"insert":"other","documents":[{"_id":1}]}`)
	d.adm(`{"insert":"kept","documents":[{"_id":1}]}`)
	if err := d.e.RestoreDatabase(t.Context(), snapshot, "test"); err != nil {
		t.Fatal(err)
	}
	if got := d.content(); got != want || d.adm(`{"count":"kept"}`).Get("n").Long() != 1 {
		t.Errorf("%s\nwant %s", got, want)
	}
	if d.e.RestoreDatabase(t.Context(), snapshot, "") == nil {
		t.Error("no database was named, and no error came")
	}
}

// Who works meanwhile isn't disturbed: an open cursor goes on over what it began with; a
// transaction commits, unless what it wrote was undone; a change stream is told that it
// has lost its place; a write that was undone and is tried again is not done again.
func TestUndoAmongOthers(t *testing.T) {
	d := newDB(t, Options{})
	session := func(n int, more string) string {
		return fmt.Sprintf(`"lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAA%cA==","subType":"04"}}},"txnNumber":{"$numberLong":"1"}%s`, 'A'+n, more)
	}
	d.run(`{"insert":"c","documents":[{"_id":1,"n":1},{"_id":2,"n":1},{"_id":3,"n":1}]}`)
	snapshot := d.e.Snapshot()
	stream := d.watch(`"c"`, `{}`, "")
	retried := `{"update":"c","updates":[{"q":{"_id":1},"u":{"$inc":{"n":10}}}],` + session(0, "") + `}`
	d.run(retried)
	d.run(`{"update":"c","updates":[{"q":{},"u":{"$set":{"seen":true}},"multi":true}]}`)
	cursor := d.run(`{"find":"c","batchSize":1}`).Path("cursor.id").String()
	txn := func(n, id int) {
		d.run(fmt.Sprintf(`{"update":"c","updates":[{"q":{"_id":%d},"u":{"$inc":{"n":5}}}],%s}`, id, session(n, `,"startTransaction":true,"autocommit":false`)))
	}
	txn(1, 2) // of a document that the restore changes
	d.run(`{"insert":"d","documents":[{"_id":1}]}`)
	if err := d.e.Restore(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	txn(2, 3) // begun after it
	if got := d.run(`{"getMore":{"$numberLong":"` + cursor + `"},"collection":"c"}`).Path("cursor.nextBatch").String(); strings.Count(got, "seen") != 2 {
		t.Error("the cursor:", got)
	}
	commit := func(n int) bsonval.Doc {
		out, err := d.e.Run(t.Context(), "admin", parseJSON(t, `{"commitTransaction":1,`+session(n, `,"autocommit":false`)+`}`))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := commit(1); out.Get("code").Long() != 112 {
		t.Error("a transaction over what was undone:", out)
	}
	if out := commit(2); out.Get("ok").Double() != 1 {
		t.Error("a transaction begun after the restore:", out)
	}
	if out := d.try(`{"getMore":{"$numberLong":"` + stream + `"},"collection":"c","maxTimeMS":50}`); out.Get("code").Long() != 286 {
		t.Error("the change stream:", out)
	}
	if out := d.run(retried); out.Get("nModified").Long() != 1 {
		t.Error(out)
	}
	if got := d.docs(`{"find":"c","sort":{"_id":1}}`); got != `[ { _id: 1, n: 1 }, { _id: 2, n: 1 }, { _id: 3, n: 6 } ]` {
		t.Error(got)
	}
}
