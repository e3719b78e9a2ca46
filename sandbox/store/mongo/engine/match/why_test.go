package match

import (
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// A validator's error shows the conditions as they were written.
func TestWhy(t *testing.T) {
	op := opctx.New(t.Context(), time.Unix(0, 0))
	for _, c := range []struct{ filter, doc, want string }{
		{`{"a":1}`, `{"a":2}`, `{ operatorName: "$eq", specifiedAs: { a: 1 }, reason: "comparison failed", consideredValue: 2 }`},
		{`{"a":{"$gt":1}}`, `{}`, `{ operatorName: "$gt", specifiedAs: { a: { $gt: 1 } }, reason: "field was missing" }`},
		{`{"a":{"$ne":2}}`, `{"a":2}`, `{ operatorName: "$ne", specifiedAs: { a: { $ne: 2 } }, reason: "comparison succeeded", consideredValue: 2 }`},
		{`{"a":{"$nin":[2]}}`, `{"a":[1,2]}`, `{ operatorName: "$nin", specifiedAs: { a: { $nin: [ 2 ] } }, reason: "matching value found in array", consideredValues: [ 1, 2 ] }`},
		{`{"a":{"$exists":false}}`, `{"a":2}`, `{ operatorName: "$exists", specifiedAs: { a: { $exists: false } }, reason: "path does exist" }`},
		{`{"a":{"$not":{"$lt":5}}}`, `{"a":2}`, `{ operatorName: "$not", details: { operatorName: "$lt", specifiedAs: { a: { $lt: 5 } }, reason: "comparison succeeded", consideredValue: 2 } }`},
		{`{"a":{"$type":"string"}}`, `{"a":[1,true]}`, `{ operatorName: "$type", specifiedAs: { a: { $type: "string" } }, reason: "type did not match", consideredValues: [ 1, true ], consideredTypes: [ "bool", "int" ] }`},
		{`{"a":{"$regex":"^x","$options":"i"}}`, `{"a":5}`, `{ operatorName: "$regex", specifiedAs: { a: { $regex: "^x", $options: "i" } }, reason: "type did not match", consideredType: "int", expectedTypes: [ "regex", "string", "symbol" ], consideredValue: 5 }`},
		{`{"a":{"$all":[1,2]}}`, `{"a":[1]}`, `{ operatorName: "$all", specifiedAs: { a: { $all: [ 1, 2 ] } }, reason: "array did not contain all specified values", consideredValue: [ 1 ] }`},
		{`{"a":{"$size":2}}`, `{"a":1}`, `{ operatorName: "$size", specifiedAs: { a: { $size: 2 } }, reason: "type did not match", consideredType: "int", expectedType: "array", consideredValue: 1 }`},
		{`{"a.b":1}`, `{"a":[{"b":2},{"b":3},5]}`, `{ operatorName: "$eq", specifiedAs: { a.b: 1 }, reason: "comparison failed", consideredValues: [ 2, 3 ] }`},
		{`{"a":{"$gt":1,"$lt":5},"b":1}`, `{"a":7,"b":1}`, `{ operatorName: "$and", clausesNotSatisfied: [ { index: 1, details: { operatorName: "$lt", specifiedAs: { a: { $lt: 5 } }, reason: "comparison failed", consideredValue: 7 } } ] }`},
		{`{"$nor":[{"a":1},{"b":1}]}`, `{"b":1}`, `{ operatorName: "$nor", clausesSatisfied: [ { index: 1, details: { operatorName: "$eq", specifiedAs: { b: 1 }, reason: "comparison succeeded", consideredValue: 1 } } ] }`},
		{`{"$expr":{"$gt":["$a",1]}}`, `{"a":1}`, `{ operatorName: "$expr", specifiedAs: { $expr: { $gt: [ "$a", 1 ] } }, reason: "expression did not match", expressionResult: false }`},
		{`{"$jsonSchema":{"required":["b"],"properties":{"a":{"uniqueItems":true}}}}`, `{"a":[1,1]}`,
			`{ operatorName: "$jsonSchema", schemaRulesNotSatisfied: [ { operatorName: "properties", propertiesNotSatisfied: [ { propertyName: "a", details: [ { operatorName: "uniqueItems", specifiedAs: { uniqueItems: true }, reason: "found a duplicate item", consideredValue: [ 1, 1 ], duplicatedValue: 1 } ] } ] }, { operatorName: "required", specifiedAs: { required: [ "b" ] }, missingProperties: [ "b" ] } ] }`},
	} {
		m, err := Compile(bsontest.Doc(t, c.filter), Env{Op: op})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Why(op, bsontest.Doc(t, c.doc)).String(); got != c.want {
			t.Errorf("%s of %s:\n%s\nwant\n%s", c.filter, c.doc, got, c.want)
		}
	}
}
