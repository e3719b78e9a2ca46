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
		"i test.c { _id: 1, a: 1 }", "u test.c { $v: 2, diff: { u: { a: 2 } } }",
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
	d.run(`{"create": "c"}`)
	id := d.local(`{"find": "oplog.rs", "filter": {"op": "i"}, "tailable": true, "awaitData": true, "skip": 1}`).Path("cursor.id").String()
	d.run(`{"insert": "c", "documents": [{"_id": 4}]}`)
	if out := d.local(`{"getMore": {"$numberLong": "` + id + `"}, "collection": "oplog.rs"}`); out.Path("cursor.nextBatch.0.o._id").Long() != 4 {
		t.Errorf("the followed oplog: %s", out)
	}
	if out := d.local(`{"find": "system.replset", "tailable": true}`); out.Get("code").Long() != 2 {
		t.Errorf("followed the configuration: %s", out)
	}
	if out := d.run(`{"find": "oplog.rs"}`); out.Path("cursor.firstBatch").Doc().Len() != 0 {
		t.Error("the oplog is in another database")
	}
}

// An oplog that is done again elsewhere makes the same database, UUIDs and all.
func TestAnOplogDoneAgainMakesTheSame(t *testing.T) {
	from, to := newDB(t, Options{}), newDB(t, Options{})
	for _, cmd := range []string{
		`{"create": "log", "capped": true, "size": 4096}`,
		`{"insert": "c", "documents": [{"_id": 1, "a": 1}, {"_id": 2}, {"_id": 3}]}`,
		`{"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a"}, {"key": {"b": 1}, "name": "b"}]}`,
		`{"update": "c", "updates": [{"q": {}, "u": {"$set": {"a": 2}}, "multi": true}]}`,
		`{"delete": "c", "deletes": [{"q": {"_id": 2}, "limit": 1}]}`,
		`{"dropIndexes": "c", "index": "b"}`,
		`{"insert": "gone", "documents": [{"_id": 1}]}`,
		`{"drop": "gone"}`,
		`{"create": "view", "viewOn": "c", "pipeline": []}`,
		`{"collMod": "c", "validator": {"a": 3}}`,
		`{"collMod": "c", "index": {"name": "a", "hidden": true}}`,
	} {
		from.run(cmd)
	}
	if out := from.admin(`{"renameCollection": "test.c", "to": "test.d"}`); out.Get("ok").Double() != 1 {
		t.Fatal(out)
	}
	for e := range from.local(`{"find": "oplog.rs"}`).Path("cursor.firstBatch").Doc().Values() {
		out, err := to.e.Run(t.Context(), "admin", bsonval.D(bsonval.E("applyOps", bsonval.ArrayOf(e))))
		if err != nil || out.Get("ok").Double() != 1 {
			t.Fatalf("%s: %s %v", e, out, err)
		}
	}
	if line, wanted := differ(inventory(t, to.e), inventory(t, from.e)); line != wanted {
		t.Errorf("%s\nwant %s", line, wanted)
	}
	for _, c := range from.e.Snapshot().Collections("test") {
		if other := to.e.Snapshot().Collection(c.NS); !c.IsView() && other.UUID != c.UUID {
			t.Errorf("%s has another UUID", c.NS)
		}
	}
	if out := to.admin(`{"applyOps": [{"op": "d", "ns": "test.none", "o": {"_id": 1}}]}`); out.Get("ok").Double() != 1 {
		t.Errorf("a delete where there is no collection: %s", out)
	}
	for entry, code := range map[string]int64{
		`{"op": "u", "ns": "test.d", "o": {"$v": 2, "diff": {}}, "o2": {"_id": 1}}`:               4770500,
		`{"op": "u", "ns": "test.d", "o": {"$v": 2, "diff": 1}, "o2": {"_id": 1}}`:                4772601,
		`{"op": "u", "ns": "test.d", "o": {"$set": {"a": 1}}, "o2": {"_id": 1}}`:                  4772600,
		`{"op": "u", "ns": "test.d", "o": {"_id": 1}}`:                                            4,
		`{"op": "u", "ns": "test.none", "o": {"_id": 1}, "o2": {"_id": 1}}`:                       26,
		`{"op": "d", "ns": "test.d", "o": {"a": 1}}`:                                              4,
		`{"op": "i", "ns": "test.d", "o": {"a": 1}}`:                                              4,
		`{"op": "i", "ns": "test.view", "o": {"_id": 1}}`:                                         166,
		`{"op": "x", "ns": "test.d", "o": {}}`:                                                    2,
		`{"op": "i", "ns": "local.oplog.rs", "o": {"_id": 1}}`:                                    20,
		`{"op": "c", "ns": "admin.$cmd", "o": {"shutdown": 1}}`:                                   115,
		`{"op": "c", "ns": "test.$cmd", "o": {"dropDatabase": 1}}, {"op": "n"}`:                   6275900,
		`{"op": "c", "ns": "a.$cmd", "o": {"applyOps": [{"op": "c", "o": {"dropDatabase": 1}}]}}`: 9585500,
	} {
		if out := to.admin(`{"applyOps": [` + entry + `]}`); out.Get("code").Long() != code {
			t.Errorf("%s: %s", entry, out)
		}
	}
}
