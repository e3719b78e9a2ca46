package collation

import (
	"bytes"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func sign(n int) int { return min(max(n, -1), 1) }

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		json, a, b string
		want       int
	}{
		{`{"locale":"en"}`, "a-b", "ab", -1},
		{`{"locale":"en","alternate":"shifted"}`, "a-b", "ab", 0},
		{`{"locale":"en","alternate":"shifted"}`, "a b", "a-b", 0},
		{`{"locale":"en","alternate":"shifted"}`, "9", "1-0", 1},
		{`{"locale":"en","alternate":"shifted"}`, "a-b", "A-B", -1},
		{`{"locale":"en","alternate":"shifted","strength":1}`, "a-b", "ÄB", 0},
		{`{"locale":"en","alternate":"shifted","strength":1}`, "a", "b", -1},
		{`{"locale":"en","alternate":"shifted","maxVariable":"space"}`, "a b", "ab", 0},
		{`{"locale":"en","alternate":"shifted","maxVariable":"space"}`, "a-b", "ab", -1},
		{`{"locale":"en","alternate":"shifted"}`, "-\u0301", "", 0},
		{`{"locale":"en","alternate":"shifted"}`, "$", "", 1},
		{`{"locale":"fr"}`, "coté", "côte", -1},
		{`{"locale":"fr","backwards":true}`, "coté", "côte", 1},
		{`{"locale":"fr_CA"}`, "coté", "côte", 1},
		{`{"locale":"fr_CA","backwards":false}`, "coté", "côte", -1},
	} {
		coll, err := Parse(document(t, c.json))
		if err != nil {
			t.Fatalf("%s: %v", c.json, err)
		}
		if got := sign(coll.Compare(c.a, c.b)); got != c.want {
			t.Errorf("%s: %q to %q is %d, want %d", c.json, c.a, c.b, got, c.want)
		}
		if got := bytes.Compare(coll.AppendKey(nil, c.a), coll.AppendKey(nil, c.b)); got != c.want {
			t.Errorf("%s: keys of %q to %q are %d, want %d", c.json, c.a, c.b, got, c.want)
		}
	}
}

func TestShiftedIsRefusedWhereItsFourthLevelWouldCount(t *testing.T) {
	_, err := Parse(document(t, `{"locale":"en","alternate":"shifted","strength":4}`))
	if !mongoerr.Is(err, mongoerr.NotImplemented) {
		t.Fatalf("got %v, want NotImplemented", err)
	}
}

func document(t *testing.T, json string) bsonval.Doc {
	t.Helper()
	var raw bson.Raw
	if err := bson.UnmarshalExtJSON([]byte(json), false, &raw); err != nil {
		t.Fatal(err)
	}
	return bsonval.Doc(raw)
}
