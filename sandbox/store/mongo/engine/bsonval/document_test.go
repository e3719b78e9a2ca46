package bsonval

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// rich is a document with a field of every type and names of every length up to 20, as
// the driver writes it.
func rich(t *testing.T) Doc {
	t.Helper()
	var d bson.D
	for i, v := range []any{
		1.5, "text", bson.D{{Key: "a", Value: 1}}, bson.A{1, "two"}, bson.Binary{Subtype: 2, Data: []byte("abc")}, bson.Undefined{},
		bson.ObjectID{1, 2}, true, bson.DateTime(5), nil, bson.Regex{Pattern: "^a", Options: "i"}, bson.DBPointer{DB: "x.y"},
		bson.JavaScript("f()"), bson.Symbol("s"), bson.CodeWithScope{Code: "g()", Scope: bson.D{{Key: "b", Value: 2}}}, int32(7),
		bson.Timestamp{T: 1, I: 2}, int64(8), bson.NewDecimal128(1, 2), bson.MinKey{}, bson.MaxKey{},
	} {
		d = append(d, bson.E{Key: strings.Repeat(string(rune('a'+i)), i), Value: v})
	}
	raw, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return Doc(raw)
}

func TestEveryFieldIsFoundAndWalked(t *testing.T) {
	d := rich(t)
	elements, err := bson.Raw(d).Elements()
	if err != nil {
		t.Fatal(err)
	}
	it := d.Iter()
	for _, e := range elements {
		if !it.Next() || it.Name() != e.Key() || string(it.Raw()) != string(e) {
			t.Fatalf("%q: walked to %q", e.Key(), it.Name())
		}
		want := e.Value()
		if got := d.Get(e.Key()); got.Type() != Type(want.Type) || string(got.Append(nil)) != string(want.Value) {
			t.Errorf("%q: got %s %v", e.Key(), got.Type(), got)
		}
		before, v, after := d.Cut(e.Key())
		if !v.Same(d.Get(e.Key())) || string(before)+string(e)+string(after) != string(d[4:len(d)-1]) {
			t.Errorf("cut at %q: %d bytes, %v, %d bytes", e.Key(), len(before), v, len(after))
		}
	}
	if it.Next() {
		t.Error("walked beyond the end")
	}
	for _, name := range []string{"x", "bb", "bb\x00", "ccc", "c\x00\x03"} {
		before, v, after := d.Cut(name)
		if !d.Get(name).IsMissing() || !v.IsMissing() || string(before) != string(d[4:len(d)-1]) || len(after) > 0 {
			t.Errorf("%q was found", name)
		}
	}
	if !Doc(nil).Get("a").IsMissing() || !EmptyDoc().Get("").IsMissing() {
		t.Error("something was found in nothing")
	}
}
