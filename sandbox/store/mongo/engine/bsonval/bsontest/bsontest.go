// Package bsontest gives tests documents that are written as extended JSON. Production
// code never imports it.
package bsontest

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Doc is the document of a relaxed extended JSON text: 1 is an int, 1.0 a double.
func Doc(t testing.TB, json string) bsonval.Doc {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(json), false, &raw); err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return bsonval.Doc(raw)
}
