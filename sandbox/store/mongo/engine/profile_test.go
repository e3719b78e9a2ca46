package engine

import (
	"net"
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/wire"
)

// system.profile tells how a command went, with the stages that it ran.
func TestTheProfilerTellsTheStages(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1,"b":1},{"_id":2,"a":1,"b":2},{"_id":3,"a":2,"b":1}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"},{"key":{"b":1},"name":"b_1"}]}`)
	d.run(`{"profile":2}`)
	id := d.run(`{"find":"c","filter":{"a":1,"b":{"$gt":0}},"comment":"find","batchSize":1}`).Path("cursor.id").String()
	d.run(`{"getMore":{"$numberLong":"` + id + `"},"collection":"c"}`)
	d.run(`{"update":"c","updates":[{"q":{"a":1},"u":{"$set":{"n":1}},"multi":true}]}`)
	d.run(`{"update":"c","updates":[{"q":{"_id":9},"u":{"$set":{"n":1}},"upsert":true}]}`)
	d.run(`{"delete":"c","deletes":[{"q":{"a":2},"limit":1}]}`)
	d.run(`{"insert":"c","documents":[{"_id":4}]}`)
	d.try(`{"find":"c","filter":{"$nope":1}}`)
	entry := func(filter string) bsonval.Doc {
		t.Helper()
		list := d.run(`{"find":"system.profile","filter":` + filter + `}`).Path("cursor.firstBatch").Doc()
		if list.Len() != 1 {
			t.Fatalf("%s: %s", filter, list)
		}
		return list.At(0).Doc()
	}
	for filter, fields := range map[string]map[string]string{
		`{"op":"query","ok":{"$exists":false}}`: {"command.comment": `"find"`, "cursorid": id, "fromMultiPlanner": "true", "queryFramework": `"classic"`, "nreturned": "1",
			"execStats.stage": `"FETCH"`, "execStats.inputStage.stage": `"IXSCAN"`, "planSummary": `"IXSCAN { a: 1 }"`, "allUsers": "[]"},
		`{"op":"getmore"}`: {"cursorid": id, "originatingCommand.comment": `"find"`, "cursorExhausted": "true", "nreturned": "1"},
		`{"op":"update","nUpserted":0}`: {"command": `{ q: { a: 1 }, u: { $set: { n: 1 } }, multi: true, upsert: false }`, "nMatched": "2", "nModified": "2",
			"execStats.stage": `"UPDATE"`, "execStats.nMatched": "2", "execStats.inputStage.stage": `"FETCH"`, "execStats.inputStage.nReturned": "2"},
		`{"op":"update","nUpserted":1}`:        {"nMatched": "0", "nModified": "0"},
		`{"op":"remove"}`:                      {"command": `{ q: { a: 2 }, limit: 1 }`, "ndeleted": "1", "execStats.stage": `"DELETE"`, "execStats.nWouldDelete": "1"},
		`{"op":"insert"}`:                      {"ninserted": "1", "command.documents": bsonval.Value{}.String(), "command.insert": `"c"`},
		`{"op":"query","ok":{"$exists":true}}`: {"ok": "0.0", "errCode": "2", "errName": `"BadValue"`},
	} {
		e := entry(filter)
		for path, want := range fields {
			if got := e.Path(path).String(); got != want {
				t.Errorf("%s: %s is %s, want %s in %s", filter, path, got, want, e)
			}
		}
		for _, field := range strings.Fields("op ns command numYield locks flowControl storage responseLength protocol millis ts client appName allUsers user") {
			if e.Get(field).IsMissing() {
				t.Errorf("%s: no %s in %s", filter, field, e)
			}
		}
	}
}

// With notablescan a query must use an index, unless it asks for all.
func TestNoTableScanNeedsAnIndex(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	d.adm(`{"setParameter":1,"notablescan":true}`)
	scan, natural := "No indexed plans available, and running with 'notablescan'", "hint $natural is not allowed, because 'notablescan' is enabled"
	for cmd, want := range map[string]string{
		`{"find":"c","filter":{"a":1}}`:                                      scan,
		`{"count":"c","query":{"a":1}}`:                                      scan,
		`{"distinct":"c","key":"a","query":{"a":1}}`:                         scan,
		`{"aggregate":"c","pipeline":[{"$match":{"a":1}}],"cursor":{}}`:      scan,
		`{"update":"c","updates":[{"q":{"a":1},"u":{"$set":{"b":1}}}]}`:      scan,
		`{"delete":"c","deletes":[{"q":{"a":1},"limit":0}]}`:                 scan,
		`{"explain":{"find":"c","filter":{"a":1}}}`:                          scan,
		`{"find":"c","filter":{"a":1},"hint":{"$natural":1}}`:                natural,
		`{"find":"c","filter":{"_id":1}}`:                                    "",
		`{"find":"c"}`:                                                       "",
		`{"aggregate":"c","pipeline":[{"$group":{"_id":null}}],"cursor":{}}`: "",
		`{"find":"nowhere","filter":{"a":1}}`:                                "",
	} {
		out := d.try(cmd)
		text := out.Get("errmsg").String() + out.Path("writeErrors.0.errmsg").String()
		code := max(out.Get("code").Long(), out.Path("writeErrors.0.code").Long())
		if want == "" && code != 0 || want != "" && (code != 291 || !strings.Contains(text, want)) {
			t.Errorf("%s: %s", cmd, out)
		}
	}
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a_1"}]}`)
	d.run(`{"find":"c","filter":{"a":1,"b":1}}`)
	d.adm(`{"setParameter":1,"notablescan":false}`)
	d.run(`{"find":"c","filter":{"b":1}}`)
}

// A message that says a thing twice is answered with the server's code.
func TestMessagesThatRepeatThemselvesAreRefused(t *testing.T) {
	body := string(parseJSON(t, `{"insert":"c","documents":[{}],"nested":{"x":1},"$db":"test"}`))
	plain := string(parseJSON(t, `{"insert":"c","$db":"test"}`))
	sequence := func(name string) string {
		doc := string(parseJSON(t, `{"_id":1}`))
		n := 4 + len(name) + 1 + len(doc)
		return "\x01" + string([]byte{byte(n), 0, 0, 0}) + name + "\x00" + doc
	}
	for sections, code := range map[string]int64{
		"\x00" + body + sequence("documents"):                          40433,
		"\x00" + body + sequence("nested.x"):                           40433,
		"\x00" + plain + sequence("documents") + sequence("documents"): 40431,
		"\x00" + plain + sequence("a") + sequence("b") + sequence("c"): 233,
		"\x00" + plain + "\x00" + plain:                                40430,
		sequence("documents"):                                          40587,
		"\x00" + plain + "\x02":                                        40432,
	} {
		d := newDB(t, Options{})
		c := dialPipe(t, d.e)
		n := 16 + 4 + len(sections)
		msg := append([]byte{byte(n), byte(n >> 8), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0}, sections...)
		if _, err := c.Write(msg); err != nil {
			t.Fatal(err)
		}
		reply, err := wire.Read(c)
		if err != nil || reply.Body.Get("code").Long() != code {
			t.Errorf("%q: %v %v, want %d", sections, reply, err, code)
		}
	}
}

// dialPipe is a connection to the engine, which ends with the test.
func dialPipe(t *testing.T, e *Engine) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	go e.ServeConn(t.Context(), server, "localhost:27017") //nolint:errcheck // it ends by the test
	t.Cleanup(func() { client.Close() })
	return client
}
