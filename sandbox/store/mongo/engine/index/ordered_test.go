package index_test

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/index"
)

// A document has the keys that the server gives it: one for each element of an array,
// null where a field is missing.
func TestKeysOfDocuments(t *testing.T) {
	for _, c := range []struct {
		pattern, doc string
		multikey     uint64
		keys         []string // the values of each key, as a document
	}{
		{`{"a":1}`, `{"a":5}`, 0, []string{`{"a":5}`}},
		{`{"a":1}`, `{}`, 0, []string{`{"a":null}`}},
		{`{"a":1}`, `{"a":[1,2,1]}`, 1, []string{`{"a":1}`, `{"a":2}`}},
		{`{"a":1}`, `{"a":[[1,2]]}`, 1, []string{`{"a":[1,2]}`}},
		{`{"a.b":1}`, `{"a":[{"b":1},{"b":2},{}]}`, 1, []string{`{"a.b":null}`, `{"a.b":1}`, `{"a.b":2}`}},
		{`{"a.b":1}`, `{"a":[]}`, 1, []string{`{"a.b":null}`}},
		{`{"a.0":1}`, `{"a":[7,8]}`, 0, []string{`{"a.0":7}`}},
		{`{"a.0":1}`, `{"a":[[7,8]]}`, 1, []string{`{"a.0":7}`, `{"a.0":8}`}},
		{`{"a.0.x":1,"a.b":1}`, `{"a":[{"x":[1,2],"b":3},{"b":4}]}`, 3, []string{`{"a.0.x":1,"a.b":3}`, `{"a.0.x":1,"a.b":4}`, `{"a.0.x":2,"a.b":3}`, `{"a.0.x":2,"a.b":4}`}},
		{`{"a.00":1}`, `{"a":[{"00":1}]}`, 1, []string{`{"a.00":1}`}},
		{`{"a.1":1}`, `{"a":[{"1":1}]}`, 1, []string{`{"a.1":1}`}},
		{`{"a":1,"b":-1}`, `{"a":1,"b":[2,3]}`, 2, []string{`{"a":1,"b":3}`, `{"a":1,"b":2}`}},
		{`{"w":"text","a.0":1}`, `{"a":[5],"w":"x"}`, 0, []string{`{"_fts":"x","_ftsx":1.1,"a.0":5}`}},
		{`{"w":"text","a.00":1}`, `{"a":[5],"w":"x"}`, 0, []string{`{"_fts":"x","_ftsx":1.1,"a.00":null}`}},
		{`{"a.b":1,"a.c":1}`, `{"a":[{"b":1,"c":2},{"b":3}]}`, 3, []string{`{"a.b":1,"a.c":2}`, `{"a.b":3,"a.c":null}`}},
	} {
		d, err := index.Parse(bsonval.D(bsonval.E("key", bsonval.DocValue(bsontest.Doc(t, c.pattern))), bsonval.E("name", bsonval.StringValue("x"))))
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.For(bsontest.Doc(t, c.doc))
		if err != nil || got.Multikey != c.multikey || len(got.Keys) != len(c.keys) {
			t.Errorf("%s of %s: %d keys, multikey %b, %v", c.pattern, c.doc, len(got.Keys), got.Multikey, err)
			continue
		}
		for i, k := range got.Keys {
			if values := d.Values(bsontest.Doc(t, c.doc), k); !values.Same(bsontest.Doc(t, c.keys[i])) {
				t.Errorf("%s of %s: key %d is %s, want %s", c.pattern, c.doc, i, values, c.keys[i])
			}
		}
	}
}

func TestDocumentsThatCanNotBeIndexed(t *testing.T) {
	for _, c := range []struct{ pattern, doc, want string }{
		{`{"a":1,"b":1}`, `{"a":[1],"b":[2]}`, "cannot index parallel arrays [b] [a]"},
		{`{"a.0":1,"b":1}`, `{"a":[1],"b":[2]}`, "cannot index parallel arrays [b] [a]"},
		{`{"a.0":"hashed"}`, `{"a":[1]}`, "hashed indexes do not currently support array values. Found array at path: a"},
		{`{"a.b":1,"w":"text"}`, `{"a":[],"w":"x"}`, "Field 'a.b' of text index contains an array in document: { a: [], w: \"x\" }"},
		{`{"w":"text","a.0":1}`, `{"a":[[1]],"w":"x"}`, "Field 'a.0' of text index contains an array in document: { a: [ [ 1 ] ], w: \"x\" }"},
		{`{"w":"text","a.+0":1}`, `{"a":[1],"w":"x"}`, "Field 'a.+0' of text index contains an array in document: { a: [ 1 ], w: \"x\" }"},
		{`{"a":1,"b":"hashed"}`, `{"a":[]}`, "hashed indexes do not currently support array values. Found array at path: a"},
		{`{"a.0":1}`, `{"a":[{"0":1}]}`, "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '0' for array: [ { 0: 1 } ]"},
		{`{"a.0":1}`, `{"a":[7,{"0":1}]}`, "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '0' for array: [ 7, { 0: 1 } ]"},
		{`{"a.0.0":1}`, `{"a":[[1],{"0":[1]}]}`, "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '0' for array: [ [ 1 ], { 0: [ 1 ] } ]"},
	} {
		d, err := index.Parse(bsonval.D(bsonval.E("key", bsonval.DocValue(bsontest.Doc(t, c.pattern))), bsonval.E("name", bsonval.StringValue("x"))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.For(bsontest.Doc(t, c.doc)); err == nil || err.Error() != c.want {
			t.Errorf("%s of %s: %v", c.pattern, c.doc, err)
		}
	}
}
