package update_test

import (
	"context"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/update"
)

func apply(t testing.TB, spec, before, filters string, positional int) (bsonval.Doc, error) {
	t.Helper()
	op := opctx.New(context.Background(), time.Unix(1, 0))
	env := update.Env{Op: op, Match: match.Env{Op: op}}
	if filters != "" {
		env.ArrayFilters = bsontest.Doc(t, `{"f":`+filters+`}`).Get("f").Doc()
	}
	u, err := update.Compile(bsontest.Doc(t, spec), env)
	if err != nil {
		return nil, err
	}
	return u.Apply(bsontest.Doc(t, before), positional, false)
}

func TestUpdates(t *testing.T) {
	for _, c := range []struct {
		spec, before, want string
		positional         int
		filters            string
	}{
		{`{"$set":{"a":2,"b.c":3}}`, `{"_id":1,"a":1}`, `{"_id":1,"a":2,"b":{"c":3}}`, -1, ""},
		{`{"$set":{"z":1,"b":2,"a":3}}`, `{}`, `{"a":3,"b":2,"z":1}`, -1, ""},
		{`{"$set":{"a.2":9}}`, `{"a":[1]}`, `{"a":[1,null,9]}`, -1, ""},
		{`{"$unset":{"a":1,"b.c":1,"x.y":1}}`, `{"a":1,"b":{"c":1,"d":2}}`, `{"b":{"d":2}}`, -1, ""},
		{`{"$unset":{"a.0":1}}`, `{"a":[1,2]}`, `{"a":[null,2]}`, -1, ""},
		{`{"$inc":{"a":1,"b":2.5,"c":1}}`, `{"a":1,"b":1}`, `{"a":2,"b":3.5,"c":1}`, -1, ""},
		{`{"$inc":{"a":1}}`, `{"a":2147483647}`, `{"a":{"$numberLong":"2147483648"}}`, -1, ""},
		{`{"$mul":{"a":3,"b":2}}`, `{"a":2}`, `{"a":6,"b":0}`, -1, ""},
		{`{"$min":{"a":1,"b":5},"$max":{"c":9}}`, `{"a":3,"b":2,"c":1}`, `{"a":1,"b":2,"c":9}`, -1, ""},
		{`{"$rename":{"a":"b"}}`, `{"a":1,"c":2}`, `{"c":2,"b":1}`, -1, ""},
		{`{"$rename":{"a.b":"x.y"}}`, `{"a":{"b":1}}`, `{"a":{},"x":{"y":1}}`, -1, ""},
		{`{"$bit":{"a":{"and":12,"or":1}}}`, `{"a":10}`, `{"a":9}`, -1, ""},
		{`{"$push":{"a":1}}`, `{}`, `{"a":[1]}`, -1, ""},
		{`{"$push":{"a":{"$each":[5,1],"$sort":1,"$slice":-2}}}`, `{"a":[3,2]}`, `{"a":[3,5]}`, -1, ""},
		{`{"$push":{"a":{"$each":[9],"$position":0}}}`, `{"a":[1]}`, `{"a":[9,1]}`, -1, ""},
		{`{"$push":{"a":{"$each":[{"n":1}],"$sort":{"n":-1}}}}`, `{"a":[{"n":0},{"n":2}]}`, `{"a":[{"n":2},{"n":1},{"n":0}]}`, -1, ""},
		{`{"$addToSet":{"a":{"$each":[1,2,2]}}}`, `{"a":[1.0]}`, `{"a":[1.0,2]}`, -1, ""},
		{`{"$pop":{"a":-1}}`, `{"a":[1,2]}`, `{"a":[2]}`, -1, ""},
		{`{"$pull":{"a":{"$gte":2}}}`, `{"a":[1,2,3]}`, `{"a":[1]}`, -1, ""},
		{`{"$pull":{"a":{"x":1}}}`, `{"a":[{"x":1,"y":2},{"x":2},1]}`, `{"a":[{"x":2},1]}`, -1, ""},
		{`{"$pull":{"a":1}}`, `{"a":[1,2,1.0,[1]]}`, `{"a":[2]}`, -1, ""},
		{`{"$pullAll":{"a":[1,3]}}`, `{"a":[1,2,3,1]}`, `{"a":[2]}`, -1, ""},
		{`{"$set":{"a.$.x":9}}`, `{"a":[{"x":1},{"x":2}]}`, `{"a":[{"x":1},{"x":9}]}`, 1, ""},
		{`{"$inc":{"a.$[]":1}}`, `{"a":[1,2]}`, `{"a":[2,3]}`, -1, ""},
		{`{"$set":{"a.$[e].x":0}}`, `{"a":[{"x":1},{"x":5}]}`, `{"a":[{"x":1},{"x":0}]}`, -1, `[{"e.x":{"$gt":2}}]`},
		{`{"$set":{"a.$[i].b.$[j]":0}}`, `{"a":[{"n":1,"b":[1,5]},{"n":2,"b":[5]}]}`, `{"a":[{"n":1,"b":[1,0]},{"n":2,"b":[5]}]}`, -1, `[{"i.n":1},{"j":5}]`},
		{`{"x":1}`, `{"_id":7,"a":1}`, `{"_id":7,"x":1}`, -1, ""},
		{`{"$setOnInsert":{"a":1}}`, `{"b":1}`, `{"b":1}`, -1, ""},
		{`{"$set":{"a.$b":1}}`, `{"a":{}}`, `{"a":{"$b":1}}`, -1, ""},
		{`{"$unset":{"a.b.c":1}}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`, -1, ""},
		{`{"$pop":{"a.x.c":1}}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`, -1, ""},
		{`{"$rename":{"f":"a.b.c"}}`, `{"a":1}`, `{"a":1}`, -1, ""},
		{`{"$rename":{"a.3":"b"}}`, `{"a":[1]}`, `{"a":[1]}`, -1, ""},
		{`{"$set":{"a.$[i].x":1,"a.$[j].y":2}}`, `{"a":[{}]}`, `{"a":[{"x":1,"y":2}]}`, -1, `[{"i":{}},{"j":{}}]`},
	} {
		got, err := apply(t, c.spec, c.before, c.filters, c.positional)
		if err != nil {
			t.Errorf("%s on %s: %v", c.spec, c.before, err)
		} else if want := bsontest.Doc(t, c.want); !got.Same(want) {
			t.Errorf("%s on %s:\ngot  %s\nwant %s", c.spec, c.before, got, want)
		}
	}
}

func TestBadUpdatesAreTheServersErrors(t *testing.T) {
	for _, c := range []struct{ spec, before, want string }{
		{`{"$foo":{"a":1}}`, `{}`, "Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update specified as an array"},
		{`{"$set":{"a":1},"$inc":{"a":1}}`, `{}`, "Updating the path 'a' would create a conflict at 'a'"},
		{`{"$set":{"a":1,"a.b":1}}`, `{}`, "Updating the path 'a.b' would create a conflict at 'a'"},
		{`{"$set":{"_id":2}}`, `{"_id":1}`, "Performing an update on the path '_id' would modify the immutable field '_id'"},
		{`{"_id":2}`, `{"_id":1}`, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2"},
		{`{"$inc":{"a":"x"}}`, `{}`, `Cannot increment with non-numeric argument: {a: "x"}`},
		{`{"$inc":{"a":1}}`, `{"_id":1,"a":"x"}`, "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string"},
		{`{"$set":{"a.b":1}}`, `{"a":5}`, "Cannot create field 'b' in element {a: 5}"},
		{`{"$push":{"a":1}}`, `{"_id":1,"a":5}`, "The field 'a' must be an array but is of type int in document {_id: 1}"},
		{`{"$set":{"a.$":1}}`, `{"a":[1]}`, "The positional operator did not find the match needed from the query."},
		{`{"$set":{"a.$[x]":1}}`, `{"a":[1]}`, "No array filter found for identifier 'x' in path 'a.$[x]'"},
		{`{"$set":1}`, `{}`, `Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 1}`},
		{`{"$rename":{"a":"\u0000b"}}`, `{"a":1}`, "The 'to' field for $rename cannot contain an embedded null byte"},
		{`{"$pop":{"a":3}}`, `{}`, "$pop expects 1 or -1, found: 3"},
		{`{"$set":{"$b":1}}`, `{}`, "The dollar ($) prefixed field '$b' in '$b' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith."},
		{`{"$pop":{"a.b.c":1}}`, `{"a":{"b":1}}`, "Cannot use the part (c) of (a.b.c) to traverse the element ({b: 1})"},
		{`{"$pull":{"a.b":1}}`, `{"a":[1]}`, "Cannot use the part (b) of (a.b) to traverse the element ({a: [ 1 ]})"},
		{`{"$rename":{"f":"d.0.e"}}`, `{"_id":1,"d":[{"e":3}],"f":4}`, "The destination field cannot be an array element, 'd.0.e' in doc with _id: 1 has an array field called 'd'"},
		{`{"$rename":{"d.0":"f"}}`, `{"_id":1,"d":[{"e":3}]}`, "The source field cannot be an array element, 'd.0' in doc with _id: 1 has an array field called 'd'"},
		{`{"$rename":{"f.g":"a"}}`, `{"f":4}`, "Cannot use the part (g) of (f.g) to traverse the element ({f: 4})"},
		{`{"$rename":{"a.$":"b"}}`, `{}`, "The source field for $rename may not be dynamic: a.$"},
	} {
		if _, err := apply(t, c.spec, c.before, "", -1); err == nil || err.Error() != c.want {
			t.Errorf("%s on %s:\ngot  %v\nwant %s", c.spec, c.before, err, c.want)
		}
	}
}

func TestArrayFiltersThatMeetAreRefused(t *testing.T) {
	for _, c := range []struct{ spec, filters, want string }{
		{`{"$set":{"a.$[i]":1,"a.0":2}}`, `[{"i":1}]`, "Updating the path 'a.0' would create a conflict at 'a'"},
		{`{"$set":{"a.$[i]":1,"a.$[j]":2}}`, `[{"i":1},{"j":1}]`, "Update created a conflict at 'a.0'"},
		{`{"$set":{"a.$[i]":1}}`, `[{"$text":{"$search":"x"}}]`, "Error parsing array filter :: caused by :: $text is not allowed in this context"},
		{`{"$set":{"a.$[i]":1}}`, `[{"$expr":true}]`, "Error parsing array filter :: caused by :: $expr is not allowed in this context"},
	} {
		if _, err := apply(t, c.spec, `{"a":[1]}`, c.filters, 0); err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.spec, err, c.want)
		}
	}
}

// Any update compiles or fails, and its result is a valid document.
func FuzzUpdate(f *testing.F) {
	for _, s := range []string{`{"$set":{"a.b":1}}`, `{"$push":{"a":{"$each":[1],"$sort":-1}}}`, `{"$rename":{"a":"b.c"}}`, `{"$pull":{"a":{"$in":[1]}}}`, `{"$inc":{"a.$[]":1}}`, `{"x":1}`} {
		f.Add([]byte(bsontest.Doc(f, s)), []byte(bsontest.Doc(f, `{"_id":1,"a":[1,{"b":2}],"c":{"d":3}}`)))
	}
	f.Fuzz(func(t *testing.T, spec, before []byte) {
		if bsonval.Validate(spec) != nil || bsonval.Validate(before) != nil || len(spec) > 2000 {
			return
		}
		op := opctx.New(context.Background(), time.Unix(1, 0))
		u, err := update.Compile(spec, update.Env{Op: op, Match: match.Env{Op: op}})
		if err != nil {
			return
		}
		got, err := u.Apply(before, 0, false)
		if err == nil {
			if err := bsonval.Validate(got); err != nil && err != bsonval.ErrTooDeep {
				t.Fatal(err)
			}
		}
	})
}
