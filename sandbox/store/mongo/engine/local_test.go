package engine

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// local runs a command on the database local.
func (d db) local(cmd string) bsonval.Doc {
	d.t.Helper()
	out, err := d.e.Run(d.t.Context(), "local", parseJSON(d.t, cmd))
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func TestTheOplogTellsCommits(t *testing.T) {
	d := newDB(t, Options{})
	for _, cmd := range []string{
		`{"create": "c"}`,
		`{"insert": "c", "documents": [{"_id": 1, "a": 1}]}`,
		`{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"a": 2}}}]}`,
		`{"insert": "c", "documents": [{"_id": 2}, {"_id": 3}]}`,
		`{"delete": "c", "deletes": [{"q": {"_id": 1}, "limit": 1}]}`,
		`{"drop": "c"}`,
	} {
		d.run(cmd)
	}
	var got []string
	for e := range d.local(`{"find": "oplog.rs", "sort": {"$natural": 1}}`).Path("cursor.firstBatch").Doc().Values() {
		op := e.Doc()
		if op.Get("ts").Type() != bsonval.Timestamp || op.Get("wall").Type() != bsonval.Date || op.Get("v").Long() != 2 {
			t.Errorf("an entry without its time: %s", op)
		}
		line := op.Get("op").Str() + " " + op.Get("ns").Str()
		if list := op.Path("o.applyOps"); list.Type() == bsonval.Array {
			for e := range list.Doc().Values() {
				line += ", " + e.Doc().Get("op").Str() + " " + e.Doc().Get("ns").Str()
			}
		} else {
			line += " " + op.Get("o").String()
		}
		got = append(got, line)
	}
	want := []string{
		"c admin.$cmd, c test.$cmd, c test.$cmd",
		"i test.c { _id: 1, a: 1 }", "u test.c { _id: 1, a: 2 }",
		"c admin.$cmd, i test.c, i test.c", "d test.c { _id: 1 }", `c test.$cmd { drop: "c" }`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("oplog:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := d.local(`{"find": "system.replset"}`).Path("cursor.firstBatch").Doc().Len(); n != 1 {
		t.Errorf("%d configurations", n)
	}
	if out := d.local(`{"insert": "oplog.rs", "documents": [{"_id": 1}]}`); !strings.Contains(out.String(), "written by the server alone") {
		t.Errorf("written into the oplog: %s", out)
	}
	if out := d.local(`{"find": "oplog.rs", "tailable": true}`); out.Get("code").Long() != 115 {
		t.Errorf("followed the oplog: %s", out)
	}
	if out := d.run(`{"find": "oplog.rs"}`); out.Path("cursor.firstBatch").Doc().Len() != 0 {
		t.Error("the oplog is in another database")
	}
}
