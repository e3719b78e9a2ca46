package agg_test

import "testing"

func TestFieldsThatAreSetToEmptyObjects(t *testing.T) {
	check(t, `{"c":[{"_id":1,"a":2,"o":{"p":1}}]}`, []row{
		{`[{"$addFields":{}}]`, `[{"_id":1,"a":2,"o":{"p":1}}]`},
		{`[{"$set":{"a":{},"o.q":{},"new":{"x":{}}}}]`, `[{"_id":1,"a":{},"o":{"p":1,"q":{}},"new":{"x":{}}}]`},
		{`[{"$set":{"a":{"$ref":"x"}}},{"$project":{"_id":0,"r":"$a.$ref"}}]`, `[{"r":"x"}]`},
		{`[{"$project":{"a":{"$nope":1}}}]`, `error 31325`}, {`[{"$project":{"a":{"$elemMatch":{}}}}]`, `error 168`},
	})
}

func TestUndefinedSortsBeforeNull(t *testing.T) {
	check(t, `{"c":[{"_id":1,"a":null},{"_id":2},{"_id":3,"a":{"$undefined":true}},{"_id":4,"a":[]}]}`, []row{
		{`[{"$sort":{"a":1,"_id":1}},{"$project":{"_id":1}}]`, `[{"_id":3},{"_id":4},{"_id":1},{"_id":2}]`},
	})
}
