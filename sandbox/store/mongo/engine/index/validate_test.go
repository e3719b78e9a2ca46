package index_test

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func TestSpecificationsThatTheServerRefuses(t *testing.T) {
	for _, c := range []struct {
		spec string
		code mongoerr.Code
		want string
	}{
		{`{"key":{"z":0},"name":"z"}`, 67, `Error in specification { key: { z: 0 }, name: "z" } :: caused by :: Values in the index key pattern cannot be 0.`},
		{`{"key":{"u":1},"bogus":true,"name":"u"}`, 197, `Error in specification { key: { u: 1 }, bogus: true, name: "u" } :: caused by :: The field 'bogus' is not valid for an index specification. Specification: { key: { u: 1 }, bogus: true, name: "u" }`},
		{`{"key":{"n":1},"name":""}`, 67, `Error in specification { key: { n: 1 }, name: "", v: 2 } :: caused by :: index name cannot be empty`},
		{`{"key":{"s":1},"name":"*"}`, 2, `The index name '*' is not valid.`},
		{`{"key":{"s":1},"name":"_id_"}`, 2, `The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: { s: 1 }`},
		{`{"key":{"_id":-1},"name":"i"}`, 2, `The field 'key' for an _id index must be {_id: 1}, but got { _id: -1 }`},
		{`{"key":{"_id":1},"name":"_id_","sparse":true}`, 197, `The field 'sparse' is not valid for an _id index specification. Specification: { key: { _id: 1 }, name: "_id_", sparse: true, v: 2 }`},
		{`{"key":{"w":1},"expireAfterSeconds":-1,"name":"w"}`, 67, `. Index spec: { key: { w: 1 }, expireAfterSeconds: -1, name: "w" } :: caused by :: TTL index 'expireAfterSeconds' option cannot be less than 0`},
		{`{"key":{"w":1},"expireAfterSeconds":"1","name":"w"}`, 67, `. Index spec: { key: { w: 1 }, expireAfterSeconds: "1", name: "w" } :: caused by :: TTL index 'expireAfterSeconds' option must be numeric, but received a type of 'string'`},
		{`{"key":{"w":1},"expireAfterSeconds":3000000000,"name":"w"}`, 67, ""},
		{`{"key":{"a":1},"name":5}`, 14, ""},
		{`{"key":5,"name":"a"}`, 14, ""},
		{`{"name":"a"}`, 9, ""},
		{`{"key":{"a":1}}`, 9, ""},
		{`{"key":{"a":1},"name":"a","v":3}`, 67, ""},
		{`{"key":{"a":1},"name":"a","v":1.5}`, 2, ""},
		{`{"key":{"a":1},"name":"a","unique":"yes"}`, 14, ""},
		{`{"key":{"a":1},"name":"a","hidden":1}`, 14, ""},
		{`{"key":{"a":1},"name":"a","collation":{}}`, 2, ""},
		{`{"key":{"a":1},"name":"a","weights":{"a":1}}`, 67, ""},
		{`{"key":{"a":1},"name":"a","unique":true,"prepareUnique":true}`, 67, ""},
		{`{"key":{"a":1,"b":1,"a":1},"name":"a"}`, 2, ""},
		{`{"key":{"a":""},"name":"a"}`, 67, ""},
		{`{"key":{"a":"nope"},"name":"a"}`, 67, ""},
		{`{"key":{"a":"2d","b":"text"},"name":"a"}`, 67, ""},
		{`{"key":{"a..b":1},"name":"a"}`, 67, ""},
		{`{"key":{"a.$**":1},"name":"a","v":1}`, 67, ""},
		{`{"key":{"a.$**.$**":1},"name":"a"}`, 67, ""},
		{`{"key":{"a..$**":1},"name":"a"}`, 67, ""},
		{`{"key":{"$id":1},"name":"a"}`, 67, ""},
		{`{"key":{"a":1},"name":"a\u0000b"}`, 67, ""},
	} {
		_, err := index.Validate(bsontest.Doc(t, c.spec))
		if e := mongoerr.From(err); err == nil || e.Code != c.code || c.want != "" && e.Message != c.want {
			t.Errorf("%s: %v", c.spec, err)
		}
	}
}

func TestTheIndexOnIDHasOneName(t *testing.T) {
	spec, err := index.Validate(bsontest.Doc(t, `{"key":{"_id":1},"name":"mine"}`))
	if err != nil || spec.String() != `{ key: { _id: 1 }, name: "_id_", v: 2 }` {
		t.Errorf("%s, %v", spec, err)
	}
}
