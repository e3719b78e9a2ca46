package engine_test

import (
	"fmt"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// txn makes a command one of the transaction of session id.
func txn(cmd bson.D, id byte, number int64, start bool) bson.D {
	out := append(cmd, bson.E{Key: "lsid", Value: bson.D{{Key: "id", Value: bson.Binary{Subtype: 4, Data: append(make([]byte, 15), id)}}}},
		bson.E{Key: "txnNumber", Value: number}, bson.E{Key: "autocommit", Value: false})
	if start {
		out = append(out, bson.E{Key: "startTransaction", Value: true})
	}
	return out
}

func insertOf(coll string, doc bson.D) bson.D {
	return bson.D{{Key: "insert", Value: coll}, {Key: "documents", Value: bson.A{doc}}}
}

func codeOf(got bson.M) any {
	if list, ok := got["writeErrors"].(bson.A); ok {
		for _, e := range list[0].(bson.D) {
			if e.Key == "code" {
				return e.Value
			}
		}
	}
	return got["code"]
}

// The first to put a key into a unique index has it until its transaction ends: another
// transaction fails at once, a command of its own waits.
func TestAUniqueKeyIsATransactionsUntilItEnds(t *testing.T) {
	e := memory(t, engine.Options{})
	command(t, e, "d", extended(t, `{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x","unique":true}]}`))
	if got := command(t, e, "d", txn(insertOf("c", bson.D{{Key: "_id", Value: 1}, {Key: "x", Value: 1}}), 1, 1, true)); got["ok"] != 1.0 {
		t.Fatal(got)
	}
	if got := command(t, e, "d", txn(insertOf("c", bson.D{{Key: "_id", Value: 2}, {Key: "x", Value: 1}}), 2, 1, true)); codeOf(got) != int32(112) {
		t.Errorf("in another transaction: %v", got)
	}
	single := insertOf("c", bson.D{{Key: "_id", Value: 3}, {Key: "x", Value: 1}})
	if got := command(t, e, "d", append(single[:2:2], bson.E{Key: "maxTimeMS", Value: 50})); codeOf(got) != int32(50) {
		t.Errorf("with a time limit: %v", got)
	}
	done := make(chan bson.M)
	go func() { done <- command(t, e, "d", single) }()
	time.Sleep(20 * time.Millisecond)
	if got := command(t, e, "admin", txn(bson.D{{Key: "commitTransaction", Value: 1}}, 1, 1, false)); got["ok"] != 1.0 {
		t.Errorf("commit: %v", got)
	}
	if got := <-done; codeOf(got) != int32(11000) {
		t.Errorf("after the commit: %v", got)
	}
}

// Two transactions that make a collection each don't meet.
func TestTransactionsThatMakeCollections(t *testing.T) {
	e := memory(t, engine.Options{})
	for id := range byte(2) {
		coll := fmt.Sprint("c", id)
		for i, cmd := range []bson.D{{{Key: "create", Value: coll}}, insertOf(coll, bson.D{{Key: "_id", Value: 1}}),
			extended(t, `{"update":"`+coll+`","updates":[{"q":{},"u":{"$set":{"a":1}}}]}`)} {
			if got := command(t, e, "d", txn(cmd, id, 1, i == 0)); got["ok"] != 1.0 || codeOf(got) != nil {
				t.Errorf("%v: %v", cmd, got)
			}
		}
	}
	for id := range byte(2) {
		if got := command(t, e, "admin", txn(bson.D{{Key: "commitTransaction", Value: 1}}, id, 1, false)); got["ok"] != 1.0 {
			t.Errorf("commit: %v", got)
		}
	}
}

// What changes a collection's shape waits until no transaction uses it.
func TestDroppingWaitsForTransactions(t *testing.T) {
	e := memory(t, engine.Options{})
	command(t, e, "d", extended(t, `{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x"}]}`))
	command(t, e, "d", txn(bson.D{{Key: "find", Value: "c"}}, 1, 1, true))
	for _, json := range []string{
		`{"drop":"c"}`, `{"dropDatabase":1}`, `{"dropIndexes":"c","index":"x"}`, `{"collMod":"c","validator":{}}`,
		`{"convertToCapped":"c","size":4096}`, `{"createIndexes":"c","indexes":[{"key":{"y":1},"name":"y"}]}`,
	} {
		if got := command(t, e, "d", append(extended(t, json), bson.E{Key: "maxTimeMS", Value: 20})); got["code"] != int32(50) {
			t.Errorf("%s: %v", json, got)
		}
	}
	if got := command(t, e, "d", extended(t, `{"createIndexes":"c","indexes":[{"key":{"x":1},"name":"x"},{"key":{"_id":1},"name":"i"}]}`)); got["ok"] != 1.0 {
		t.Errorf("indexes that are there: %v", got)
	}
	command(t, e, "admin", txn(bson.D{{Key: "abortTransaction", Value: 1}}, 1, 1, false))
	if got := command(t, e, "d", extended(t, `{"drop":"c"}`)); got["ok"] != 1.0 {
		t.Errorf("after the transaction: %v", got)
	}
}

// What can't be done in a transaction ends it with the server's code.
func TestTransactionsRefuse(t *testing.T) {
	e := memory(t, engine.Options{})
	command(t, e, "d", extended(t, `{"create":"capped","capped":true,"size":4096}`))
	command(t, e, "d", extended(t, `{"create":"c"}`))
	for i, c := range []struct {
		db, json string
		code     int32
	}{
		{"d", `{"insert":"capped","documents":[{"_id":1}]}`, 263},
		{"d", `{"find":"system.views"}`, 51071},
		{"d", `{"find":"system.profile"}`, 263},
		{"d", `{"insert":"system.js","documents":[{"_id":"f"}]}`, 50791},
		{"d", `{"create":"system.js"}`, 263},
		{"d", `{"killCursors":"c","cursors":[]}`, 263},
		{"d", `{"find":"c","readConcern":{"level":"available"}}`, 72},
		{"d", `{"create":"x","readConcern":{"level":"snapshot"}}`, 72},
		{"config", `{"find":"c"}`, 263},
		{"local", `{"find":"c"}`, 263},
	} {
		if got := command(t, e, c.db, txn(extended(t, c.json), 9, int64(i), true)); codeOf(got) != c.code {
			t.Errorf("%s: %v", c.json, got)
		}
	}
	start := func(n int64) bson.M { return command(t, e, "d", txn(bson.D{{Key: "find", Value: "c"}}, 8, n, true)) }
	start(1)
	if got := start(1); got["code"] != int32(117) {
		t.Errorf("begun again: %v", got)
	}
	start(2)
	late := txn(extended(t, `{"find":"c","readConcern":{"level":"local"}}`), 8, 2, false)
	if got := command(t, e, "d", late); got["code"] != int32(72) {
		t.Errorf("a later read concern: %v", got)
	}
	plain := insertOf("c", bson.D{{Key: "_id", Value: 1}})
	if got := command(t, e, "d", append(plain, txn(nil, 8, 2, false)[:2]...)); got["code"] != int32(217) {
		t.Errorf("a retryable write with the transaction's number: %v", got)
	}
	if got := command(t, e, "admin", txn(bson.D{{Key: "commitTransaction", Value: 1}}, 8, 2, false)); got["ok"] != 1.0 {
		t.Errorf("the transaction goes on: %v", got)
	}
}
