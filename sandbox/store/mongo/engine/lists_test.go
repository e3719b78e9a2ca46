package engine

import (
	"fmt"
	"strings"
	"testing"
)

func TestSchemasThatTheServerRefuses(t *testing.T) {
	d := newDB(t, Options{})
	for schema, code := range map[string]int64{
		`{"additionalItems":1}`:                               14,
		`{"items":1}`:                                         14,
		`{"additionalProperties":1}`:                          14,
		`{"properties":{"a":{"type":"double"}}}`:              2,
		`{"type":[]}`:                                         9,
		`{"type":["string","string"]}`:                        9,
		`{"type":"string","bsonType":"string"}`:               9,
		`{"minimum":1,"minimum":2}`:                           9,
		`{"enum":[{"a":1,"b":2},{"b":2,"a":1}]}`:              9,
		`{"enum":1}`:                                          14,
		`{"required":["a","a"]}`:                              9,
		`{"multipleOf":"1"}`:                                  14,
		`{"allOf":1}`:                                         14,
		`{"properties":{"a":{"items":[{}],"uniqueItems":1}}}`: 14,
	} {
		if out := d.try(`{"find":"c","filter":{"$jsonSchema":` + schema + `}}`); out.Get("code").Long() != code {
			t.Errorf("%s: %s", schema, out)
		}
	}
	d.run(`{"insert":"c","documents":[{"_id":1,"a":[{"x":1,"y":[{"p":1,"q":2}]},{"y":[{"q":2,"p":1}],"x":1}]},{"_id":2,"a":{"y":2,"x":1}}]}`)
	for schema, want := range map[string]string{
		`{"properties":{"a":{"uniqueItems":true}}}`:     `[ { _id: 2 } ]`,
		`{"properties":{"a":{"enum":[{"x":1,"y":2}]}}}`: `[ { _id: 2 } ]`,
	} {
		if got := d.docs(`{"find":"c","filter":{"$jsonSchema":` + schema + `},"projection":{"_id":1}}`); got != want {
			t.Errorf("%s: %s", schema, got)
		}
	}
}

// A replacement without _id is a change even where it changes nothing: it is validated
// and counted.
func TestAReplacementWithoutIDIsAlwaysAChange(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	for u, modified := range map[string]int64{`{"_id":1,"a":1}`: 0, `{"a":1}`: 1, `{"$set":{"a":1}}`: 0} {
		if out := d.run(`{"update":"c","updates":[{"q":{"_id":1},"u":` + u + `}]}`); out.Get("nModified").Long() != modified {
			t.Errorf("%s: %s", u, out)
		}
	}
	d.run(`{"collMod":"c","validator":{"b":1}}`)
	if out := d.try(`{"update":"c","updates":[{"q":{"_id":1},"u":{"a":1}}]}`); !strings.Contains(out.String(), "code: 121") {
		t.Errorf("%s", out)
	}
}

func TestHintsThatCanNotBe(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a"},{"key":{"a":1},"name":"sparse","sparse":true},{"key":{"b":1},"name":"b"},{"key":{"h":"hashed"},"name":"h"}]}`)
	for rest, code := range map[string]int64{
		`"hint":{"b":1},"sort":{"$natural":1}`:                   2,
		`"hint":{"$natural":1},"sort":{"$natural":-1}`:           2,
		`"hint":{"$natural":1},"sort":{"$natural":1}`:            0,
		`"hint":{"$natural":1,"b":1}`:                            2,
		`"hint":{"b":1,"$natural":1}`:                            2,
		`"hint":{"a":1}`:                                         2, // two indexes have the key
		`"hint":"a"`:                                             0,
		`"min":{"b":1},"max":{"c":1},"hint":"b"`:                 51176,
		`"min":{"b":1,"c":1},"hint":"b"`:                         51174,
		`"min":{"b":1},"hint":{"$natural":1}`:                    291,
		`"min":{"h":{"$minKey":1}},"max":{"h":5e300},"hint":"h"`: 0,
	} {
		if out := d.try(`{"find":"c","filter":{},` + rest + `}`); out.Get("code").Long() != code && (code != 0 || out.Get("ok").Float() != 1) {
			t.Errorf("%s: %s", rest, out)
		}
	}
}

func TestACursorEndsWithTheIndexThatItReads(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1},{"_id":2,"a":2},{"_id":3,"a":3}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1},"name":"a"},{"key":{"b":1},"name":"b"}]}`)
	for index, code := range map[string]int64{"b": 0, "a": 175} {
		id := d.run(`{"find":"c","filter":{"a":{"$gt":0}},"hint":{"a":1},"batchSize":1}`).Path("cursor.id").Long()
		d.run(`{"dropIndexes":"c","index":"` + index + `"}`)
		if out := d.try(fmt.Sprintf(`{"getMore":{"$numberLong":"%d"},"collection":"c"}`, id)); out.Get("code").Long() != code && code != 0 {
			t.Errorf("%s: %s", index, out)
		}
		d.run(`{"createIndexes":"c","indexes":[{"key":{"` + index + `":1},"name":"` + index + `"}]}`)
	}
}

func TestCountersCountWhatWasTried(t *testing.T) {
	d := newDB(t, Options{})
	count := func(path string) int64 { return d.run(`{"serverStatus":1}`).Path(path).Long() }
	insert, more, unknown := count("opcounters.insert"), count("opcounters.getmore"), count("metrics.commands.<UNKNOWN>")
	d.try(`{"insert":"c","documents":[{"_id":1},{"_id":1},{"_id":2}]}`)
	d.try(`{"insert":"c","documents":[{"_id":5},{"_id":5},{"_id":6}],"ordered":false}`)
	d.try(`{"getMore":{"$numberLong":"123"},"collection":"c"}`)
	d.try(`{"nonsense":1}`)
	if a, b, c := count("opcounters.insert")-insert, count("opcounters.getmore")-more, count("metrics.commands.<UNKNOWN>")-unknown; a != 5 || b != 1 || c != 1 {
		t.Errorf("%d inserts, %d getMores, %d unknown commands", a, b, c)
	}
}

func TestListDatabasesAddsUpWhatItLists(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1}]}`)
	if out := d.admin(`{"listDatabases":1,"filter":{"name":"nope"}}`); out.Get("totalSize").Long() != 0 {
		t.Errorf("%s", out)
	}
	for _, filter := range []string{`{"$text":{"$search":"x"}}`, `{"a":{"$near":[0,0]}}`} {
		if out := d.admin(`{"listDatabases":1,"filter":` + filter + `}`); out.Get("code").Long() != 2 {
			t.Errorf("%s", out)
		}
	}
	d.try(`{"insert":"none","documents":[{"_id":[1]}]}`)
	if got := d.docs(`{"listCollections":1,"nameOnly":true,"filter":{"name":"none"}}`); got != `[ ]` && got != `[]` {
		t.Errorf("a document that can't be has made a collection: %s", got)
	}
}

// The fields that a schema requires are conditions that indexes can serve.
func TestAnIndexServesWhatASchemaRequires(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1,"p":[5,5]},{"_id":2,"p":[5,6]},{"_id":3,"a":"x","p":[5,7]},{"_id":4,"a":null}]}`)
	d.run(`{"createIndexes":"c","indexes":[{"key":{"a":1,"p":"2dsphere"},"name":"ap"},{"key":{"a":1},"name":"a"}]}`)
	for filter, want := range map[string]string{
		`{"$jsonSchema":{"required":["a"]}}`:                                                                          `[ { _id: 1 }, { _id: 3 }, { _id: 4 } ]`,
		`{"$jsonSchema":{"required":["a"],"properties":{"a":{"type":"number"}}}}`:                                     `[ { _id: 1 } ]`,
		`{"$nor":[{"$jsonSchema":{"required":["a","p"]}}]}`:                                                           `[ { _id: 2 }, { _id: 4 } ]`,
		`{"$or":[{"$jsonSchema":{"required":["a.b"]}},{"_id":2}]}`:                                                    `[ { _id: 2 } ]`,
		`{"$jsonSchema":{"required":["a"]},"p":{"$near":{"$geometry":{"type":"Point","coordinates":[5,5]}}},"_id":1}`: `[ { _id: 1 } ]`,
	} {
		if got := d.docs(`{"find":"c","filter":` + filter + `,"projection":{"_id":1},"sort":{"_id":1}}`); got != want {
			t.Errorf("%s: %s", filter, got)
		}
	}
}
