package engine_test

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// command runs one command in-process and answers the reply.
func command(t testing.TB, e *engine.Engine, db string, cmd bson.D) bson.M {
	t.Helper()
	raw, err := bson.Marshal(cmd)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := e.Run(context.Background(), db, bsonval.Doc(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out bson.M
	if err := bson.Unmarshal(reply, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
