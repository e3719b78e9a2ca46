package engine_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// What was made before a restart holds after it: documents, unique keys, options.
func TestRestartKeepsIndexesAndOptions(t *testing.T) {
	dir := t.TempDir()
	open := func() *engine.Engine {
		e, err := engine.Open(dir, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	insert := func(e *engine.Engine, doc bson.D) any {
		return command(t, e, "d", bson.D{{Key: "insert", Value: "c"}, {Key: "documents", Value: bson.A{doc}}})["writeErrors"]
	}
	e := open()
	command(t, e, "d", bson.D{{Key: "create", Value: "c"}, {Key: "validator", Value: bson.D{{Key: "n", Value: bson.D{{Key: "$gte", Value: 0}}}}}})
	command(t, e, "d", bson.D{{Key: "createIndexes", Value: "c"}, {Key: "indexes", Value: bson.A{
		bson.D{{Key: "key", Value: bson.D{{Key: "n", Value: 1}}}, {Key: "name", Value: "n_1"}, {Key: "unique", Value: true}}}}})
	if got := insert(e, bson.D{{Key: "_id", Value: 1}, {Key: "n", Value: 1}}); got != nil {
		t.Fatal(got)
	}
	for range 2 {
		if insert(e, bson.D{{Key: "_id", Value: 1}, {Key: "n", Value: 2}}) == nil {
			t.Error("a second document with the same _id came in")
		}
		if insert(e, bson.D{{Key: "_id", Value: 2}, {Key: "n", Value: 1}}) == nil {
			t.Error("a second document with the same unique key came in")
		}
		if insert(e, bson.D{{Key: "_id", Value: 3}, {Key: "n", Value: -1}}) == nil {
			t.Error("an invalid document came in")
		}
		if got := command(t, e, "d", bson.D{{Key: "count", Value: "c"}})["n"]; got != int32(1) {
			t.Errorf("%v documents, want 1", got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = open()
	}
	e.Close()
}
