package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// $currentOp shows as asked the operations, the cursors and the transactions that wait.
func TestCurrentOpShowsWhatWaits(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1},{"_id":2},{"_id":3}]}`)
	id := d.run(`{"find":"c","batchSize":2,"comment":"mine"}`).Path("cursor.id").String()
	d.run(`{"find":"c","lsid":{"id":{"$binary":{"base64":"AAAAAAAAAAAAAAAAAAAAAA==","subType":"04"}}},"txnNumber":{"$numberLong":"4"},"startTransaction":true,"autocommit":false}`)
	show := func(options, match string) string {
		return d.adm(`{"aggregate":1,"pipeline":[{"$currentOp":` + options + `},{"$match":` + match + `}],"cursor":{}}`).Path("cursor.firstBatch").String()
	}
	if got := show(`{"idleCursors":true}`, `{"type":"idleCursor"}`); !strings.Contains(got, "cursorId: "+id) || !strings.Contains(got, `comment: "mine"`) || !strings.Contains(got, "nDocsReturned: 2,") || !strings.Contains(got, `planSummary: "COLLSCAN"`) {
		t.Error(got)
	}
	if got := show(`{}`, `{"type":"idleSession"}`); !strings.Contains(got, "txnNumber: 4") {
		t.Error(got)
	}
	if got := show(`{"idleSessions":false}`, `{"type":{"$ne":"op"}}`); got != "[]" {
		t.Error(got)
	}
	if got := show(`{}`, `{"active":true}`); !strings.Contains(got, "$currentOp") {
		t.Error(got)
	}
	for cmd, code := range map[string]int64{
		`{"aggregate":1,"pipeline":[{"$currentOp":{"nope":true}}],"cursor":{}}`: 73, // the wrong database is said first
		`{"aggregate":"c","pipeline":[{"$currentOp":{}}],"cursor":{}}`:          73,
		`{"compact":"nope"}`: 26,
	} {
		if out := d.try(cmd); out.Get("code").Long() != code {
			t.Errorf("%s: %s", cmd, out)
		}
	}
}

// compact makes the folder smaller, and loses nothing, history included.
func TestCompactFreesTheFolder(t *testing.T) {
	dir := t.TempDir()
	opts := Options{MemoryLimit: 8 << 20}
	d := openDB(t, dir, opts)
	size := func() (n int64) {
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				n += info.Size()
			}
		}
		return n
	}
	for i := range 1000 {
		d.run(fmt.Sprintf(`{"insert":"x","documents":[{"_id":%d,"p":"%s"}],"writeConcern":{"w":1}}`, i, strings.Repeat("p", 2000)))
	}
	d.run(`{"drop":"x"}`)
	stream := d.watch(`"c"`, `{}`, "")
	token := d.more(stream, "c").Path("cursor.postBatchResumeToken._data").Str()
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	for i := range 3000 { // the history forgets x
		d.run(fmt.Sprintf(`{"update":"c","updates":[{"q":{"_id":1},"u":{"$set":{"n":%d}}}]}`, i))
	}
	before := size()
	freed := d.run(`{"compact":"c"}`).Get("bytesFreed").Long()
	if after := size(); freed <= 0 || before-after != freed {
		t.Errorf("%d bytes before, %d after, %d said to be freed", before, after, freed)
	}
	if err := d.e.Close(); err != nil {
		t.Fatal(err)
	}
	d = openDB(t, dir, opts)
	if got := d.docs(`{"find":"c"}`); got != "[ { _id: 1, n: 2999 } ]" {
		t.Error(got)
	}
	out := d.run(`{"aggregate":"c","pipeline":[{"$changeStream":{"resumeAfter":{"_data":"` + token + `"}}}],"cursor":{"batchSize":1}}`)
	if got := events(d, out, "firstBatch"); !strings.Contains(got, "insert") {
		t.Error("the history is lost:", got)
	}
}

// Parameters do what they say, and take only what they may be.
func TestParametersHaveEffect(t *testing.T) {
	now := time.Now()
	d := newDB(t, Options{Clock: func() time.Time { return now }})
	set := func(s string) int64 {
		out, err := d.e.Run(t.Context(), "admin", parseJSON(t, `{"setParameter":1,`+s+`}`))
		if err != nil {
			t.Fatal(err)
		}
		return out.Get("code").Long()
	}
	for s, code := range map[string]int64{
		`"enableTestCommands":true`: 20, `"featureCompatibilityVersion":"7.0"`: 20, `"cursorTimeoutMillis":"soon"`: 2,
		`"ttlMonitorEnabled":3`: 2, `"transactionLifetimeLimitSeconds":-1`: 2, `"nope":1`: 72, `"cursorTimeoutMillis":1000`: 0, `"ttlMonitorEnabled":false`: 0,
	} {
		if got := set(s); got != code {
			t.Errorf("%s: code %d, want %d", s, got, code)
		}
	}
	d.run(`{"createIndexes":"c","indexes":[{"key":{"t":1},"name":"t","expireAfterSeconds":1}]}`)
	d.run(`{"insert":"c","documents":[{"_id":1,"t":{"$date":{"$numberLong":"0"}}},{"_id":2}]}`)
	id := d.run(`{"find":"c","batchSize":1}`).Path("cursor.id").String()
	now = now.Add(2 * time.Second)
	d.e.Sweep(t.Context())
	if n := d.run(`{"count":"c"}`).Get("n").Long(); n != 2 {
		t.Errorf("%d documents: the TTL monitor ran", n)
	}
	if out := d.try(`{"getMore":{"$numberLong":"` + id + `"},"collection":"c"}`); out.Get("code").Long() != 43 {
		t.Errorf("the cursor outlived its time: %s", out)
	}
	if set(`"ttlMonitorEnabled":true`) != 0 {
		t.Error("it can't be enabled again")
	}
	d.e.Sweep(t.Context())
	if n := d.run(`{"count":"c"}`).Get("n").Long(); n != 1 {
		t.Errorf("%d documents: the TTL monitor did not run", n)
	}
}
