package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// worded fills a collection whose text index takes a while.
func worded(t *testing.T, n int) db {
	d := newDB(t, Options{})
	words := make([]string, 150)
	docs := make([]string, n)
	for i := range docs {
		for j := range words {
			words[j] = fmt.Sprint("word", (i*31+j*17)%5000)
		}
		docs[i] = fmt.Sprintf(`{"_id":%d,"u":%d,"w":"%s"}`, i, i, strings.Join(words, " "))
	}
	d.run(`{"insert":"c","documents":[` + strings.Join(docs, ",") + `]}`)
	return d
}

// builds are the operations that tell of the progress of an index build.
func (d db) builds() []bsonval.Value {
	d.t.Helper()
	return d.adm(`{"currentOp":1,"msg":{"$regex":"^Index Build"}}`).Get("inprog").Doc().Slice()
}

// building waits for an index build to begin and answers its operation.
func (d db) building() bsonval.Doc {
	d.t.Helper()
	for range 20_000 {
		if found := d.builds(); len(found) > 0 {
			return found[0].Doc()
		}
		time.Sleep(time.Millisecond)
	}
	d.t.Fatal("no index build was seen")
	return nil
}

// An index is built while others write, tells how far it is, and has in the end the keys
// of what they wrote; one that is killed leaves nothing behind.
func TestAnIndexIsBuiltBesideWriters(t *testing.T) {
	d := worded(t, 800)
	text := parseJSON(t, `{"createIndexes":"c","indexes":[{"key":{"w":"text"},"name":"w"},{"key":{"u":1},"name":"u","unique":true}]}`)
	build := func() (wait func() bsonval.Doc) {
		done := make(chan bsonval.Doc, 1)
		go func() {
			out, _ := d.e.Run(context.Background(), "test", text)
			done <- out
		}()
		return func() bsonval.Doc { return <-done }
	}
	wait := build()
	op := d.building()
	if op.Path("progress.total").Long() != 800 || op.Path("command.createIndexes").Str() != "c" {
		t.Error(op)
	}
	d.adm(`{"killOp":1,"op":` + op.Get("opid").String() + `}`)
	if out := wait(); out.Get("code").Long() != 11601 {
		t.Errorf("a killed build: %s", out)
	}
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch").Doc().Len(); got != 1 {
		t.Errorf("%d indexes after a killed build", got)
	}

	wait = build()
	d.building()
	wrote := 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for ; len(d.builds()) > 0; wrote++ { // a unique value wanders from one document to another
			d.run(fmt.Sprintf(`{"delete":"c","deletes":[{"q":{"u":%d},"limit":1}]}`, wrote))
			d.run(fmt.Sprintf(`{"insert":"c","documents":[{"u":%d,"w":"fresh words %d"}]}`, wrote, wrote))
			time.Sleep(time.Millisecond)
			d.run(fmt.Sprintf(`{"update":"c","updates":[{"q":{"_id":%d},"u":{"$set":{"w":"changed"}}}]}`, 799-wrote))
		}
	})
	out := wait()
	wg.Wait()
	if out.Get("ok").Double() != 1 || wrote == 0 {
		t.Fatalf("%s after %d writes", out, wrote)
	}
	if got := d.run(`{"validate":"c","full":true}`); !got.Get("valid").Truth() {
		t.Error(got)
	}
	if got := d.run(`{"count":"c","query":{"$text":{"$search":"fresh"}}}`).Get("n").Long(); got != int64(wrote) {
		t.Errorf("%d of %d new documents are in the index", got, wrote)
	}
	if got := d.try(`{"insert":"c","documents":[{"u":0}]}`); got.Path("writeErrors.0.code").Long() != 11000 {
		t.Error("the unique index is none:", got)
	}
}

// A build fails by a duplicate, also one that came in while it ran, and by the end of its
// collection.
func TestAnIndexBuildThatFailsLeavesNothing(t *testing.T) {
	d := worded(t, 600)
	d.run(`{"insert":"c","documents":[{"u":7}]}`)
	if out := d.try(`{"createIndexes":"c","indexes":[{"key":{"u":1},"name":"u","unique":true}]}`); out.Get("code").Long() != 11000 {
		t.Error(out)
	}
	if got := d.run(`{"listIndexes":"c"}`).Path("cursor.firstBatch").Doc().Len(); got != 1 {
		t.Errorf("%d indexes", got)
	}
}
