package engine_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// message sends a command as OP_MSG and answers the reply; io.EOF when the server went
// instead.
func message(t *testing.T, conn net.Conn, cmd bson.D) (bson.M, error) {
	t.Helper()
	if _, err := conn.Write(request(t, 1, cmd)); err != nil {
		return nil, io.EOF
	}
	var head [21]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, io.EOF
	}
	raw := make([]byte, binary.LittleEndian.Uint32(head[:])-21)
	if _, err := io.ReadFull(conn, raw); err != nil {
		t.Fatal(err)
	}
	var out bson.M
	return out, bson.Unmarshal(raw, &out)
}

func d(pairs ...any) bson.D {
	out := bson.D{}
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return out
}

// A write whose reply never came, because the process was killed between the two, is
// not done a second time when the client tries again; it is answered as it was.
func TestARetryAfterAKillHasNoSecondEffect(t *testing.T) {
	session := d("id", bson.Binary{Subtype: 4, Data: make([]byte, 16)})
	retryable := func(pairs ...any) bson.D {
		return append(d(pairs...), d("lsid", session, "txnNumber", int64(5), "$db", "d")...)
	}
	inc := d("$inc", d("n", 1))
	inTxn := func(pairs ...any) bson.D { return append(retryable(pairs...), d("autocommit", false)...) }
	for name, c := range map[string]struct {
		cmds  []bson.D // the last one loses its reply
		docs  int32    // and what is there after it was tried again
		n     int32
		reply bson.M
	}{
		"insert": {[]bson.D{retryable("insert", "c", "documents", bson.A{d("n", 7), d("n", 7), d("n", 7)})}, 4, 1, bson.M{"n": int32(3)}},
		"update": {[]bson.D{retryable("update", "c", "updates", bson.A{d("q", d(), "u", inc), d("q", d(), "u", inc)})}, 1, 3, bson.M{"n": int32(2), "nModified": int32(2)}},
		"upsert": {[]bson.D{retryable("update", "c", "updates", bson.A{d("q", d("x", 1), "u", inc, "upsert", true)})}, 2, 1, bson.M{"n": int32(1), "nModified": int32(0)}},
		"delete": {[]bson.D{retryable("delete", "c", "deletes", bson.A{d("q", d("n", 1), "limit", 1)})}, 0, 0, bson.M{"n": int32(1)}},
		"findAndModify": {[]bson.D{retryable("findAndModify", "c", "query", d(), "update", inc, "new", true)}, 1, 2,
			bson.M{"value": d("_id", int32(1), "n", int32(2))}},
		"bulkWrite": {[]bson.D{append(retryable("bulkWrite", 1, "ops", bson.A{d("insert", 0, "document", d("n", 9)), d("update", 0, "filter", d("_id", 1), "updateMods", inc)},
			"nsInfo", bson.A{d("ns", "d.c")})[:5:5], d("$db", "admin")...)}, 2, 2, bson.M{"nInserted": int32(1), "nModified": int32(1), "nMatched": int32(1)}},
		"transaction": {[]bson.D{
			append(inTxn("update", "c", "updates", bson.A{d("q", d(), "u", inc)}), d("startTransaction", true)...),
			append(inTxn("commitTransaction", 1)[:3:3], d("autocommit", false, "$db", "admin")...)}, 1, 2, bson.M{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, err := engine.Open(dir, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			command(t, e, "d", d("insert", "c", "documents", bson.A{d("_id", 1, "n", 1)}))
			e.Close()
			if _, err := tryAll(t, dir, len(c.cmds), c.cmds); !errors.Is(err, io.EOF) {
				t.Fatalf("the process lived: %v", err)
			}
			for range 2 {
				reply, err := tryAll(t, dir, 0, c.cmds[len(c.cmds)-1:])
				if err != nil || reply["ok"] != 1.0 {
					t.Fatal(reply, err)
				}
				for field, want := range c.reply {
					if got, _ := bson.MarshalExtJSON(bson.M{"": reply[field]}, true, false); string(got) != extJSON(want) {
						t.Errorf("%s: %s, want %s", field, got, extJSON(want))
					}
				}
			}
			if e, err = engine.Open(dir, engine.Options{}); err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if got := command(t, e, "d", d("count", "c"))["n"]; got != c.docs {
				t.Errorf("%v documents, want %d", got, c.docs)
			}
			if got := command(t, e, "d", d("count", "c", "query", d("_id", 1, "n", c.n)))["n"]; c.docs > 0 && got != int32(1) {
				t.Errorf("the document's n is not %d", c.n)
			}
		})
	}
}

func extJSON(v any) string {
	b, _ := bson.MarshalExtJSON(bson.M{"": v}, true, false)
	return string(b)
}

// tryAll sends the commands to a process of their own and answers the last reply.
func tryAll(t *testing.T, dir string, killAt int, cmds []bson.D) (reply bson.M, err error) {
	t.Helper()
	cmd, addr := child(t, dir, killAt)
	defer cmd.Wait()         //nolint:errcheck // it was killed
	defer cmd.Process.Kill() //nolint:errcheck // it may be dead
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range cmds {
		if reply, err = message(t, conn, c); err != nil {
			return nil, err
		}
		if reply["ok"] != 1.0 {
			t.Fatal(reply)
		}
	}
	return reply, nil
}

// Each statement is remembered by itself: what failed is tried again, and a command may
// carry statements that were done and others that weren't.
func TestRetriesGoByStatement(t *testing.T) {
	e := memory(t, engine.Options{})
	session := d("id", bson.Binary{Subtype: 4, Data: make([]byte, 16)})
	insert := func(more bson.D, ids ...int) bson.M {
		docs := bson.A{}
		for _, id := range ids {
			docs = append(docs, d("_id", id))
		}
		return command(t, e, "d", append(d("insert", "c", "documents", docs, "lsid", session, "txnNumber", int64(1)), more...))
	}
	if got := insert(d("stmtId", int32(10)), 1, 2); got["n"] != int32(2) || got["retriedStmtIds"] != nil {
		t.Error(got)
	}
	got := insert(d("stmtIds", bson.A{int32(11), int32(12)}), 2, 3)
	if got["n"] != int32(2) || extJSON(got["retriedStmtIds"]) != extJSON(bson.A{int32(11)}) || got["writeErrors"] != nil {
		t.Error(got)
	}
	if got := insert(d("stmtId", int32(10), "ordered", false), 1, 2, 3, 3); got["n"] != int32(3) || len(got["writeErrors"].(bson.A)) != 1 {
		t.Error(got)
	}
	many := command(t, e, "d", d("update", "c", "updates", bson.A{d("q", d(), "u", d("$set", d("a", 1)), "multi", true)}, "lsid", session, "txnNumber", int64(2)))
	if errs, ok := many["writeErrors"].(bson.A); !ok || len(errs) != 1 {
		t.Error("a retryable write of many documents:", many)
	}
}
