package engine_test

import (
	"context"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// killOp ends a getMore that works for long, whose work is the cursor's operation.
func TestKillOpEndsAGetMore(t *testing.T) {
	e := memory(t, engine.Options{})
	run := func(db, json string) bson.M {
		var cmd bson.D
		if err := bson.UnmarshalExtJSON([]byte(json), false, &cmd); err != nil {
			t.Fatal(err)
		}
		return command(t, e, db, cmd)
	}
	docs := bson.A{}
	for i := range 2000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i}})
	}
	command(t, e, "d", bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: docs}})
	slow := run("d", `{"aggregate":"c","cursor":{"batchSize":0},"pipeline":[{"$lookup":{"from":"c","pipeline":[],"as":"x"}},{"$unwind":"$x"},{"$lookup":{"from":"c","pipeline":[],"as":"y"}},{"$match":{"y.none":1}}]}`)
	raw, err := bson.Marshal(bson.D{{Key: "getMore", Value: slow["cursor"].(bson.D)[1].Value}, {Key: "collection", Value: "c"}})
	if err != nil {
		t.Fatal(err)
	}
	reply := make(chan bson.M, 1)
	go func() {
		var out bson.M
		if doc, err := e.Run(context.Background(), "d", bsonval.Doc(raw)); err == nil {
			bson.Unmarshal(doc, &out) //nolint:errcheck // what is missing fails the test
		}
		reply <- out
	}()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, op := range run("admin", `{"currentOp":1}`)["inprog"].(bson.A) {
			for _, f := range op.(bson.D) {
				if m, _ := bson.Marshal(op); f.Key == "op" && f.Value == "getmore" {
					if got, _ := bson.Raw(m).Lookup("planSummary").StringValueOK(); got != "COLLSCAN" {
						t.Errorf("planSummary %q", got)
					}
					command(t, e, "admin", bson.D{{Key: "killOp", Value: 1}, {Key: "op", Value: bson.Raw(m).Lookup("opid").AsInt64()}})
				}
			}
		}
		select {
		case got := <-reply:
			if got["codeName"] != "Interrupted" {
				t.Fatalf("answered %v", got)
			}
			return
		default:
		}
	}
	t.Fatal("the getMore goes on")
}
