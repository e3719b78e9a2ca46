package agg_test

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

const people = `{"c":[
 {"_id":1,"name":"ann","age":30,"tags":["a","b"],"city":{"zip":"1"}},
 {"_id":2,"name":"bob","age":20,"tags":[],"city":{"zip":"2"}},
 {"_id":3,"name":"cid","age":30,"tags":["b"]},
 {"_id":4,"name":"dan","age":25}]}`

func TestRowStages(t *testing.T) {
	check(t, people, []row{
		{`[{"$match":{"age":30}},{"$project":{"name":1,"_id":0}}]`, `[{"name":"ann"},{"name":"cid"}]`},
		{`[{"$sort":{"age":1,"name":-1}},{"$project":{"_id":1}}]`, `[{"_id":2},{"_id":4},{"_id":3},{"_id":1}]`},
		{`[{"$project":{"_id":1}},{"$sort":{"_id":-1}},{"$skip":1},{"$limit":2}]`, `[{"_id":3},{"_id":2}]`},
		{`[{"$match":{"_id":1}},{"$addFields":{"age":{"$add":["$age",1]},"city.name":"x","new":"$nope","z":{"y":"$name"}}},{"$unset":["tags","name"]}]`, `[{"_id":1,"age":31,"city":{"zip":"1","name":"x"},"z":{"y":"ann"}}]`},
		{`[{"$match":{"_id":1}},{"$set":{"tags.x":1,"age.y":"$_id"}},{"$project":{"tags":1,"age":1}}]`, `[{"_id":1,"age":{"y":1},"tags":[{"x":1},{"x":1}]}]`},
		{`[{"$match":{"_id":1}},{"$set":{"name":"$$REMOVE"}},{"$project":{"name":1}}]`, `[{"_id":1}]`},
		{`[{"$match":{"_id":1}},{"$replaceRoot":{"newRoot":"$city"}}]`, `[{"zip":"1"}]`},
		{`[{"$match":{"_id":2}},{"$replaceWith":{"$mergeObjects":[{"d":1},"$city"]}}]`, `[{"d":1,"zip":"2"}]`},
		{`[{"$replaceRoot":{"newRoot":"$city"}}]`, `error 40228 PlanExecutor error during aggregation :: caused by :: 'newRoot' expression  must evaluate to an object, but resulting value was: MISSING`},
		{`[{"$count":"n"}]`, `[{"n":4}]`}, {`[{"$match":{"_id":9}},{"$count":"n"}]`, `[]`},
		{`[{"$match":{"_id":1}},{"$unwind":"$tags"},{"$project":{"tags":1}}]`, `[{"_id":1,"tags":"a"},{"_id":1,"tags":"b"}]`},
		{`[{"$unwind":{"path":"$tags","preserveNullAndEmptyArrays":true,"includeArrayIndex":"i"}},{"$project":{"tags":1,"i":1}}]`, `[{"_id":1,"tags":"a","i":{"$numberLong":"0"}},{"_id":1,"tags":"b","i":{"$numberLong":"1"}},{"_id":2,"i":null},{"_id":3,"tags":"b","i":{"$numberLong":"0"}},{"_id":4,"i":null}]`},
		{`[{"$sortByCount":"$age"}]`, `[{"_id":30,"count":2},{"_id":20,"count":1},{"_id":25,"count":1}]`},
		{`[{"$redact":{"$cond":[{"$eq":["$zip","1"]},"$$PRUNE","$$DESCEND"]}},{"$match":{"_id":{"$lt":3}}},{"$project":{"city":1}}]`, `[{"_id":1},{"_id":2,"city":{"zip":"2"}}]`},
		{`[{"$sample":{"size":10}},{"$count":"n"}]`, `[{"n":4}]`},
	})
}

func TestGroup(t *testing.T) {
	check(t, people, []row{
		{`[{"$group":{"_id":"$age","n":{"$sum":1},"names":{"$push":"$name"},"first":{"$first":"$name"},"last":{"$last":"$tags"}}}]`,
			`[{"_id":30,"n":2,"names":["ann","cid"],"first":"ann","last":["b"]},{"_id":20,"n":1,"names":["bob"],"first":"bob","last":[]},{"_id":25,"n":1,"names":["dan"],"first":"dan","last":null}]`},
		{`[{"$group":{"_id":null,"avg":{"$avg":"$age"},"min":{"$min":"$age"},"max":{"$max":"$name"},"pop":{"$stdDevPop":"$age"},"set":{"$addToSet":"$age"},"c":{"$count":{}}}}]`,
			`[{"_id":null,"avg":26.25,"min":20,"max":"dan","pop":4.145780987944249,"set":[30,20,25],"c":4}]`},
		{`[{"$group":{"_id":{"z":"$city.zip"},"n":{"$sum":1}}}]`, `[{"_id":{"z":"1"},"n":1},{"_id":{"z":"2"},"n":1},{"_id":{},"n":2}]`},
		{`[{"$group":{"_id":"$nope"}}]`, `[{"_id":null}]`},
		{`[{"$group":{"_id":1,"t":{"$topN":{"n":2,"sortBy":{"age":-1,"_id":-1},"output":"$name"}},"b":{"$bottom":{"sortBy":{"age":-1},"output":["$name","$age"]}},"bn":{"$bottomN":{"n":2,"sortBy":{"_id":1},"output":"$_id"}},"mx":{"$maxN":{"n":2,"input":"$age"}},"f":{"$firstN":{"n":2,"input":"$city"}},"l":{"$lastN":{"n":2,"input":"$_id"}}}}]`,
			`[{"_id":1,"t":["cid","ann"],"b":["bob",20],"bn":[3,4],"mx":[30,30],"f":[{"zip":"1"},{"zip":"2"}],"l":[3,4]}]`},
		{`[{"$group":{"_id":1,"m":{"$median":{"input":"$age","method":"approximate"}},"p":{"$percentile":{"input":"$age","p":[0.95,0.5],"method":"approximate"}},"o":{"$mergeObjects":"$city"}}}]`, `[{"_id":1,"m":25.0,"p":[30.0,25.0],"o":{"zip":"2"}}]`},
		{`[{"$group":{"_id":{"g":"$age"},"v":{"$firstN":{"n":{"$cond":[{"$eq":["$g",30]},2,1]},"input":"$_id"}}}},{"$match":{"_id.g":30}}]`, `[{"_id":{"g":30},"v":[1,3]}]`},
		{`[{"$group":{"n":{"$sum":1}}}]`, `error 15955 a group specification must include an _id`}, {`[{"$group":1}]`, `error 15947`}, {`[{"$group":{"_id":1,"x":1}}]`, `error 40234 The field 'x' must be an accumulator object`},
		{`[{"$group":{"_id":1,"x":{"$foo":1}}}]`, `error 15952 unknown group operator '$foo'`}, {`[{"$group":{"_id":1,"x.y":{"$sum":1}}}]`, `error 40235`}, {`[{"$group":{"_id":1,"x":{"$sum":[1,2]}}}]`, `error 40237`}, {`[{"$group":{"_id":1,"x":{"$sum":1,"$avg":1}}}]`, `error 40238`},
		{`[{"$bucket":{"groupBy":"$age","boundaries":[20,25,30],"default":"other"}}]`, `[{"_id":20,"count":1},{"_id":25,"count":1},{"_id":"other","count":2}]`},
		{`[{"$bucket":{"groupBy":"$age","boundaries":[20,30]}}]`, `error 40066`}, {`[{"$bucket":{"groupBy":"$age","boundaries":[30,20]}}]`, `error 40194`},
		{`[{"$bucketAuto":{"groupBy":"$_id","buckets":2,"output":{"s":{"$sum":"$_id"}}}}]`, `[{"_id":{"min":1,"max":3},"s":3},{"_id":{"min":3,"max":4},"s":7}]`},
	})
	price := `{"c":[{"price":199},{"price":280},{"price":76},{"price":167},{"price":483},{"price":385},{"price":159},{"price":118}]}`
	check(t, price, []row{
		{`[{"$bucketAuto":{"groupBy":"$price","buckets":4}}]`, `[{"_id":{"min":76,"max":159},"count":2},{"_id":{"min":159,"max":199},"count":2},{"_id":{"min":199,"max":385},"count":2},{"_id":{"min":385,"max":483},"count":2}]`},
	})
}

func TestNestedStages(t *testing.T) {
	data := `{"c":[{"_id":1,"item":"a","q":2},{"_id":2,"item":"b","q":1},{"_id":3},{"_id":4,"item":["a","c"],"q":9}],
	 "inv":[{"_id":1,"sku":"a","stock":120},{"_id":2,"sku":"b","stock":80},{"_id":3,"sku":["c","a"]},{"_id":4,"sku":null},{"_id":5}],
	 "emp":[{"_id":1,"name":"dev"},{"_id":2,"name":"eliot","boss":"dev"},{"_id":3,"name":"ron","boss":"eliot"},{"_id":4,"name":"asya","boss":"ron"}]}`
	check(t, data, []row{
		{`[{"$lookup":{"from":"inv","localField":"item","foreignField":"sku","as":"d"}},{"$project":{"ids":"$d._id"}}]`, `[{"_id":1,"ids":[1,3]},{"_id":2,"ids":[2]},{"_id":3,"ids":[4,5]},{"_id":4,"ids":[1,3]}]`},
		{`[{"$match":{"_id":1}},{"$lookup":{"from":"inv","let":{"i":"$item"},"pipeline":[{"$match":{"$expr":{"$eq":["$sku","$$i"]}}},{"$project":{"_id":0,"stock":1}}],"as":"x.d"}}]`, `[{"_id":1,"item":"a","q":2,"x":{"d":[{"stock":120}]}}]`},
		{`[{"$match":{"_id":{"$lt":3}}},{"$lookup":{"from":"inv","localField":"item","foreignField":"sku","let":{"q":"$q"},"pipeline":[{"$match":{"$expr":{"$gt":["$_id","$$q"]}}},{"$project":{"_id":1}}],"as":"d"}},{"$project":{"d":1}}]`, `[{"_id":1,"d":[{"_id":3}]},{"_id":2,"d":[{"_id":2}]}]`},
		{`[{"$match":{"_id":2}},{"$lookup":{"from":"inv","pipeline":[{"$limit":1}],"as":"d"}},{"$project":{"d._id":1}}]`, `[{"_id":2,"d":[{"_id":1}]}]`},
		{`[{"$match":{"_id":1}},{"$lookup":{"from":"none","localField":"item","foreignField":"x","as":"item"}}]`, `[{"_id":1,"item":[],"q":2}]`},
		{`[{"$limit":1},{"$lookup":{"from":"inv","let":{"a":1},"pipeline":[{"$limit":1},{"$lookup":{"from":"emp","let":{"b":2},"pipeline":[{"$limit":1},{"$project":{"_id":0,"s":{"$add":["$$a","$$b"]}}}],"as":"e"}}],"as":"d"}},{"$project":{"d.e":1}}]`, `[{"_id":1,"d":[{"e":[{"s":3}]}]}]`},
		{`[{"$lookup":{"from":"inv","as":"d"}}]`, `error 9`}, {`[{"$lookup":{"from":"inv","localField":"a","as":"d"}}]`, `error 9`}, {`[{"$lookup":{"from":"inv","nope":1}}]`, `error 9 unknown argument to $lookup: nope`},
		{`[{"$lookup":{"from":"inv","pipeline":[{"$out":"x"}],"as":"d"}}]`, `error 51047 $out is not allowed within a $lookup's sub-pipeline`},
		{`[{"$limit":1},{"$graphLookup":{"from":"emp","startWith":"asya","connectFromField":"boss","connectToField":"name","as":"h","depthField":"d"}},{"$project":{"_id":0,"h.name":1,"h.d":1}}]`, `[{"h":[{"name":"asya","d":{"$numberLong":"0"}},{"name":"ron","d":{"$numberLong":"1"}},{"name":"eliot","d":{"$numberLong":"2"}},{"name":"dev","d":{"$numberLong":"3"}}]}]`},
		{`[{"$limit":1},{"$graphLookup":{"from":"emp","startWith":"asya","connectFromField":"boss","connectToField":"name","as":"h","maxDepth":1,"restrictSearchWithMatch":{"name":{"$ne":"ron"}}}},{"$project":{"_id":0,"h.name":1}}]`, `[{"h":[{"name":"asya"}]}]`},
		{`[{"$facet":{"n":[{"$count":"c"}],"two":[{"$limit":2},{"$project":{"_id":1}}]}}]`, `[{"n":[{"c":4}],"two":[{"_id":1},{"_id":2}]}]`}, {`[{"$facet":{"n":[{"$out":"x"}]}}]`, `error 40600 $out is not allowed to be used within a $facet stage`}, {`[{"$facet":{}}]`, `error 40169`},
		{`[{"$project":{"_id":1}},{"$unionWith":{"coll":"emp","pipeline":[{"$match":{"_id":4}},{"$project":{"name":1}}]}}]`, `[{"_id":1},{"_id":2},{"_id":3},{"_id":4},{"_id":4,"name":"asya"}]`},
		{`[{"$limit":1},{"$project":{"_id":1}},{"$unionWith":{"pipeline":[{"$documents":[{"x":1}]}]}}]`, `[{"_id":1},{"x":1}]`},
	})
	check(t, `{}`, []row{
		{`[{"$documents":[{"a":1},{"a":{"$add":[1,1]}}]},{"$match":{"a":2}}]`, `[{"a":2}]`}, {`[{"$documents":5}]`, `error 5858203`}, {`[{"$listLocalSessions":{}}]`, `[{}]`}, {`[{"$match":{}}]`, `error 73 {aggregate: 1} is not valid for '$match'; a collection is required.`},
	})
}

func TestPipelineErrors(t *testing.T) {
	check(t, people, []row{
		{`[{"$nope":1}]`, `error 40324 Unrecognized pipeline stage name: '$nope'`}, {`[{}]`, `error 40323`}, {`[{"$match":{},"$limit":1}]`, `error 40323`}, {`[5]`, `error 14`},
		{`[{"$out":"x"},{"$limit":1}]`, `error 40601 $out can only be the final stage in the pipeline`}, {`[{"$limit":1},{"$documents":[]}]`, `error 40602`}, {`[{"$limit":0}]`, `error 15958`}, {`[{"$limit":"x"}]`, `error 2107201`}, {`[{"$skip":-1}]`, `error 5107200`},
		{`[{"$sort":{}}]`, `error 15976`}, {`[{"$sort":{"a":2}}]`, `error 15975`}, {`[{"$sort":{"a":"x"}}]`, `error 15974`}, {`[{"$unwind":"tags"}]`, `error 28818`}, {`[{"$unwind":{}}]`, `error 28812`}, {`[{"$count":""}]`, `error 40157`}, {`[{"$count":"a.b"}]`, `error 40160`},
		{`[{"$project":{}}]`, `error 51272 Invalid $project :: caused by :: projection specification must have at least one field`}, {`[{"$project":{"a":1,"b":0}}]`, `error 31254 Invalid $project :: caused by :: Cannot do exclusion on field b in inclusion projection`}, {`[{"$addFields":{"a":1,"a.b":2}}]`, `error 40176`}, {`[{"$set":{"a":{"$nope":1}}}]`, `error 168 Invalid $set :: caused by :: Unrecognized expression '$nope'`},
		{`[{"$project":{"x":{"$add":["$name",1]}}}]`, `error 14 PlanExecutor error during aggregation :: caused by :: $add only supports numeric or date types, not string`}, {`[{"$limit":1},{"$match":{"$text":{"$search":"x"}}}]`, `error 17313`}, {`[{"$match":{"l":{"$near":[1,2]}}}]`, `error 5626500`}, {`[{"$search":{}}]`, `error 31082`}, {`[{"$indexStats":{}}]`, `error 115`},
	})
}

func TestMergeAndOut(t *testing.T) {
	data := `{"c":[{"_id":1,"k":1,"v":1},{"_id":2,"k":2,"v":2}],"t":[{"_id":1,"k":1,"old":true}]}`
	for _, c := range []struct{ pipeline, want string }{
		{`[{"$out":"t"}]`, `[{"_id":1,"k":1,"v":1},{"_id":2,"k":2,"v":2}]`},
		{`[{"$merge":"t"}]`, `[{"_id":1,"k":1,"old":true,"v":1},{"_id":2,"k":2,"v":2}]`},
		{`[{"$merge":{"into":"t","on":"k","whenMatched":"replace","whenNotMatched":"discard"}}]`, `[{"_id":1,"k":1,"v":1}]`},
		{`[{"$merge":{"into":"t","whenMatched":"keepExisting"}}]`, `[{"_id":1,"k":1,"old":true},{"_id":2,"k":2,"v":2}]`},
		{`[{"$merge":{"into":"t","let":{"ten":10},"whenMatched":[{"$set":{"sum":{"$add":["$$new.v","$$ten"]}}}],"whenNotMatched":"discard"}}]`, `[{"_id":1,"k":1,"old":true,"sum":11}]`},
		{`[{"$merge":{"into":"t","whenMatched":[{"$set":{"sum":{"$add":["$$new.v",10]}}}]}}]`, `[{"_id":1,"k":1,"old":true,"sum":11},{"_id":2,"k":2,"v":2}]`},
	} {
		m := open(t, data)
		if v, err := run(t, m, parse(t, c.pipeline).Doc()); err != nil || !v.Doc().IsEmpty() {
			t.Errorf("%s answered %s, %v", c.pipeline, v, err)
		}
		var b bsonval.Builder
		for _, d := range m.colls["t"] {
			b.ItemDoc(d)
		}
		if got := b.Array(); !got.Same(parse(t, c.want)) {
			t.Errorf("%s\n got %s\nwant %s", c.pipeline, got, c.want)
		}
	}
	check(t, data, []row{
		{`[{"$merge":{"into":"t","whenNotMatched":"fail"}}]`, `error 13113`}, {`[{"$merge":{"into":"t","on":"v"}}]`, `error 51183`}, {`[{"$merge":{"into":"t","whenMatched":"fail","whenNotMatched":"discard"}}]`, `error 51181`}, {`[{"$merge":{"into":"t","on":["k","k"]}}]`, `error 31465`}, {`[{"$merge":{"into":"t","on":5}}]`, `error 51186`}, {`[{"$merge":{"into":"t","let":{"new":1},"whenMatched":[]}}]`, `error 51273`}, {`[{"$merge":{"into":"t","whenMatched":"x"}}]`, `error 2`},
	})
}
