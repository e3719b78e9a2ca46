package engine_test

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine"
)

// What the server refuses is refused with its code, in a database with the view v on c
// and the role b, which has the role a.
func TestTheServersRefusals(t *testing.T) {
	e := memory(t, engine.Options{})
	run := func(json string) bson.M {
		var cmd bson.D
		if err := bson.UnmarshalExtJSON([]byte(json), false, &cmd); err != nil {
			t.Fatalf("%s: %v", json, err)
		}
		return command(t, e, "d", cmd)
	}
	for _, json := range []string{
		`{"insert":"c","documents":[{"_id":1,"s":"a"}]}`,
		`{"create":"v","viewOn":"c","pipeline":[{"$match":{"s":"A"}}],"collation":{"locale":"en","strength":2}}`,
		`{"find":"v","collation":{"strength":2,"locale":"en"}}`,
		`{"createRole":"a","privileges":[],"roles":[]}`,
		`{"createRole":"b","privileges":[],"roles":["a"]}`,
		`{"find":"c","readConcern":{"afterClusterTime":{"$timestamp":{"t":1,"i":1}}}}`,
	} {
		if got := run(json); got["ok"] != 1.0 {
			t.Errorf("%s: %v", json, got)
		}
	}
	for json, code := range map[string]int32{
		`{"find":"v","collation":{"locale":"fr"}}`:                                              167,
		`{"aggregate":"v","pipeline":[],"cursor":{},"collation":{"locale":"simple"}}`:           167,
		`{"create":"w","viewOn":"c","pipeline":[{"$out":"x"}]}`:                                 167,
		`{"create":"w","viewOn":"c","pipeline":[{"$nope":1}]}`:                                  40324,
		`{"collMod":"v","viewOn":"c","pipeline":[{"$merge":"x"}]}`:                              167,
		`{"grantRolesToRole":"a","roles":["b"]}`:                                                49,
		`{"grantRolesToRole":"a","roles":["a"]}`:                                                49,
		`{"find":"c","readConcern":{"afterClusterTime":{"$timestamp":{"t":4294967295,"i":1}}}}`: 72,
		`{"aggregate":"c","pipeline":[{"$documents":[{"a":1}]}],"cursor":{}}`:                   73,
		`{"find":"c","filter":{"$expr":{"$regexMatch":{"input":"$s","regex":"("}}}}`:            51111,
		`{"find":"c","filter":{"s":{"$regex":"("}}}`:                                            51091,
	} {
		if got := run(json); got["code"] != code {
			t.Errorf("%s: %v %v, want %d", json, got["code"], got["errmsg"], code)
		}
	}
}
