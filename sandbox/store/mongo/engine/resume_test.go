package engine

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

func openDB(t *testing.T, dir string, opts Options) db {
	t.Helper()
	e, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return db{t, e}
}

// A resume token is as good after a restart as before it: the events after it come, the
// same ones, and from then on the new ones.
func TestAChangeStreamIsResumedAfterARestart(t *testing.T) {
	dir := t.TempDir()
	d := openDB(t, dir, Options{})
	d.run(`{"create":"c","changeStreamPreAndPostImages":{"enabled":true}}`)
	const options = `"fullDocumentBeforeChange":"whenAvailable"`
	id := d.watch(`"c"`, `{`+options+`}`, "")
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1,"l":[1,2]},{"_id":2}]}`)
	d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"a":2,"s.x":5},"$push":{"l":4}}}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{"_id":2},"limit":1}]}`)
	batch := d.more(id, "c")
	token := batch.Path("cursor.nextBatch.0._id._data").Str()
	all := batch.Path("cursor.nextBatch").Doc()
	var rest bsonval.Builder
	for i, v := range all.Slice() {
		if i > 0 {
			rest.Item(v)
		}
	}
	end := batch.Path("cursor.postBatchResumeToken._data").Str()
	for range 2 {
		if err := d.e.Close(); err != nil {
			t.Fatal(err)
		}
		d = openDB(t, dir, Options{})
		again := d.run(`{"aggregate":"c","pipeline":[{"$changeStream":{"resumeAfter":{"_data":"` + token + `"},` + options + `}}],"cursor":{}}`)
		if got, want := again.Path("cursor.firstBatch").String(), rest.Array().String(); got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
	}
	d.run(`{"insert":"c","documents":[{"_id":3}]}`)
	again := d.run(`{"aggregate":"c","pipeline":[{"$changeStream":{"resumeAfter":{"_data":"` + end + `"}}}],"cursor":{}}`)
	if got := events(d, again, "firstBatch"); strings.Count(got, "operationType") != 1 || !strings.Contains(got, "_id: 3") {
		t.Error(got)
	}
}

// A token of what the history no longer holds is refused, never answered with what is
// left: that of an engine that is gone, and one that too much happened after.
func TestAResumeOutOfHistoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	resume := func(d db, token string) int64 {
		return d.try(`{"aggregate":1,"pipeline":[{"$changeStream":{"resumeAfter":{"_data":"` + token + `"}}}],"cursor":{}}`).Get("code").Long()
	}
	d := openDB(t, dir, Options{MemoryLimit: 8 << 20})
	id := d.watch(`1`, `{}`, "")
	d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2}]}`)
	batch := d.more(id, "$cmd.aggregate")
	token := batch.Path("cursor.nextBatch.0._id._data").Str()
	if code := resume(d, token); code != 0 {
		t.Fatal(code)
	}
	began := d.run(`{"hello":1}`).Get("operationTime")
	pad := strings.Repeat("x", 100_000)
	for range 12 {
		d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"p":"` + pad + `"}}}]}`)
		d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$unset":{"p":1}}}]}`)
	}
	for range 2 {
		if code := resume(d, token); code != 286 {
			t.Errorf("code %d, want 286", code)
		}
		var b bsonval.Builder
		b.OpenArray("pipeline").OpenItem().OpenDoc("$changeStream").Set("startAtOperationTime", began).Close().Close().Close()
		cmd := bsonval.D(bsonval.E("aggregate", bsonval.IntValue(1)), bsonval.E("pipeline", b.Doc().Get("pipeline")), bsonval.E("cursor", bsonval.DocValue(bsonval.EmptyDoc())))
		out, err := d.e.Run(t.Context(), "test", cmd)
		if err != nil || out.Get("code").Long() != 286 {
			t.Errorf("startAtOperationTime: %s %v", out, err)
		}
		if err := d.e.Close(); err != nil {
			t.Fatal(err)
		}
		d = openDB(t, dir, Options{MemoryLimit: 8 << 20})
	}
}

// A stream may begin at the time that the server told before anything had happened.
func TestAChangeStreamBeginsAtTheFirstOperationTime(t *testing.T) {
	d := newDB(t, Options{})
	id := d.watch(`1`, `{}`, "")
	first := d.more(id, "$cmd.aggregate").Path("cursor.postBatchResumeToken._data").Str()
	at := d.run(`{"hello":1}`).Get("operationTime").Timestamp()
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	for _, start := range []string{
		`"resumeAfter":{"_data":"` + first + `"}`,
		`"startAtOperationTime":{"$timestamp":{"t":` + bsonval.LongValue(int64(at>>32)).String() + `,"i":` + bsonval.LongValue(int64(uint32(at))).String() + `}}`,
	} {
		out := d.run(`{"aggregate":1,"pipeline":[{"$changeStream":{` + start + `}}],"cursor":{}}`)
		if got := events(d, out, "firstBatch"); strings.Count(got, "insert") != 1 {
			t.Error(start, got)
		}
	}
}
