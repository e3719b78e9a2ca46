package diff

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

func (d *Description) text() string {
	b := bsonval.NewBuilder(256)
	b.SetDoc("u", d.Updated.Doc()).Set("r", d.Removed.Array()).Set("t", d.Truncated.Array()).SetDoc("d", d.Disambiguated.Doc())
	return b.Doc().String()
}

func TestOperatorsAreDescribedByTheirPaths(t *testing.T) {
	for _, c := range []struct{ before, after, edits, want string }{
		{`{"s":{"x":1}}`, `{"s":{"x":2}}`, "s.x", `{ u: { s.x: 2 }, r: [], t: [], d: {} }`},
		{`{"s":{"x":1,"y":2}}`, `{"s":{"x":2,"y":2}}`, "s", `{ u: { s: { x: 2, y: 2 } }, r: [], t: [], d: {} }`},
		{`{"s":{}}`, `{"s":{"x":{"y":1}}}`, "s.x.y", `{ u: { s.x: { y: 1 } }, r: [], t: [], d: {} }`},
		{`{"s":{"x":1}}`, `{"s":{}}`, "s.x", `{ u: {}, r: [ "s.x" ], t: [], d: {} }`},
		{`{"l":[1]}`, `{"l":[1,2,3]}`, "+l", `{ u: { l.1: 2, l.2: 3 }, r: [], t: [], d: {} }`},
		{`{"l":[]}`, `{"l":[1]}`, "+l", `{ u: { l: [ 1 ] }, r: [], t: [], d: {} }`},
		{`{"l":[1,2]}`, `{"l":[1]}`, "l", `{ u: { l: [ 1 ] }, r: [], t: [], d: {} }`},
		{`{"l":[{"n":1},{"n":2}]}`, `{"l":[{"n":1},{"n":3}]}`, "l.$[].n", `{ u: { l.1.n: 3 }, r: [], t: [], d: {} }`},
		{`{"a":{"1":1}}`, `{"a":{"1":2}}`, "a.1", `{ u: { a.1: 2 }, r: [], t: [], d: { a.1: [ "a", "1" ] } }`},
		{`{"a":[{"1":1}]}`, `{"a":[{"1":2}]}`, "a.0.1", `{ u: { a.0.1: 2 }, r: [], t: [], d: { a.0.1: [ "a", 0, "1" ] } }`},
		{`{"a":[1,2]}`, `{"a":[1,3]}`, "a.1", `{ u: { a.1: 3 }, r: [], t: [], d: {} }`},
	} {
		var edits []Edit
		for _, e := range strings.Fields(c.edits) {
			path, more := strings.CutPrefix(e, "+")
			edits = append(edits, Edit{strings.Split(path, "."), more})
		}
		if got := Edited(bsontest.Doc(t, c.before), bsontest.Doc(t, c.after), edits).Description().text(); got != c.want {
			t.Errorf("%s to %s by %s:\n%s\n%s", c.before, c.after, c.edits, got, c.want)
		}
	}
}

func TestAPipelineIsDescribedByItsResult(t *testing.T) {
	long := strings.Repeat("*", 128)
	before := bsontest.Doc(t, `{"_id":1,"s":{"f":"`+long+`","x":1},"l":["`+long+`",1],"gone":1}`)
	after := bsontest.Doc(t, `{"_id":1,"s":{"f":"`+long+`","x":2},"l":["`+long+`"],"new.field":1}`)
	want := `{ u: { new.field: 1, s.x: 2 }, r: [ "gone" ], t: [ { field: "l", newSize: 1 } ], d: { new.field: [ "new.field" ] } }`
	if got := Between(before, after).Description().text(); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	if Replaces(before, after) {
		t.Error("a short difference was taken for a replacement")
	}
	if !Replaces(bsontest.Doc(t, `{"_id":1,"a":1}`), bsontest.Doc(t, `{"_id":1,"a":2}`)) {
		t.Error("a difference longer than the document was not taken for a replacement")
	}
}
