package expr_test

import "testing"

func TestStrings(t *testing.T) {
	check(t, `{"s":"Hello","u":"héllo","n":null,"i":5}`, []row{
		{`{"$concat":["$s"," ","x"]}`, `"Hello x"`}, {`{"$concat":["$s","$n"]}`, `null`}, {`{"$concat":["$s","$i"]}`, `error 16702 $concat only supports strings, not int`},
		{`{"$toUpper":"$u"}`, `"HéLLO"`}, {`{"$toLower":"$n"}`, `""`}, {`{"$toUpper":1.5}`, `"1.5"`},
		{`{"$strLenBytes":"$u"}`, `6`}, {`{"$strLenCP":"$u"}`, `5`}, {`{"$strLenCP":"$n"}`, `error 34471 $strLenCP requires a string argument, found: null`},
		{`{"$substrBytes":["$s",1,3]}`, `"ell"`}, {`{"$substr":["$s",2,-1]}`, `"llo"`}, {`{"$substrBytes":["$u",2,1]}`, `error 28656`}, {`{"$substrBytes":["$u",0,2]}`, `error 28657`},
		{`{"$substrCP":["$u",1,2]}`, `"él"`}, {`{"$substrCP":["$u",9,2]}`, `""`}, {`{"$substrCP":["$u",-1,2]}`, `error 34455`}, {`{"$substr":["$i",0,1]}`, `"5"`},
		{`{"$split":["a-b-c","-"]}`, `["a","b","c"]`}, {`{"$split":["abc",""]}`, `error 40087`}, {`{"$split":["$n","-"]}`, `null`},
		{`{"$trim":{"input":"  x \n"}}`, `"x"`}, {`{"$ltrim":{"input":"xxay","chars":"x"}}`, `"ay"`}, {`{"$rtrim":{"input":" y "}}`, `" y"`}, {`{"$trim":{"chars":"x"}}`, `error 50695`}, {`{"$trim":{"input":1}}`, `error 50699`},
		{`{"$replaceOne":{"input":"aa","find":"a","replacement":"b"}}`, `"ba"`}, {`{"$replaceAll":{"input":"aa","find":"a","replacement":"b"}}`, `"bb"`}, {`{"$replaceAll":{"input":"aa","find":null,"replacement":"b"}}`, `null`},
		{`{"$replaceOne":{"input":1,"find":"a","replacement":"b"}}`, `error 51746`}, {`{"$replaceOne":{"input":"a","find":"a"}}`, `error 51747`},
		{`{"$indexOfBytes":["$u","l"]}`, `3`}, {`{"$indexOfCP":["$u","l"]}`, `2`}, {`{"$indexOfCP":["$u","l",3]}`, `3`}, {`{"$indexOfCP":["$u","l",3,3]}`, `-1`}, {`{"$indexOfBytes":["$n","l"]}`, `null`}, {`{"$indexOfBytes":["$s",1]}`, `error 40092`},
		{`{"$strcasecmp":["HELLO","$s"]}`, `0`}, {`{"$strcasecmp":["a","B"]}`, `-1`},
		{`{"$regexMatch":{"input":"$s","regex":"^h","options":"i"}}`, `true`}, {`{"$regexMatch":{"input":"$n","regex":"x"}}`, `false`},
		{`{"$regexFind":{"input":"ééab12","regex":"([a-z])([0-9])?(z)?"}}`, `{"match":"a","idx":2,"captures":["a",null,null]}`},
		{`{"$regexFindAll":{"input":"a1é2","regex":"\\d"}}`, `[{"match":"1","idx":1,"captures":[]},{"match":"2","idx":3,"captures":[]}]`},
		{`{"$regexFind":{"input":"x","regex":"y"}}`, `null`}, {`{"$regexFind":{"input":1,"regex":"y"}}`, `error 51104`}, {`{"$regexFind":{"input":"x"}}`, `error 31023`},
	})
}

func TestArrays(t *testing.T) {
	check(t, `{"a":[1,2,3],"n":null,"o":[{"k":"x","v":1},{"k":"y","v":2}]}`, []row{
		{`{"$arrayElemAt":["$a",-1]}`, `3`}, {`{"$arrayElemAt":["$a",5]}`, `missing`}, {`{"$arrayElemAt":["$n",0]}`, `null`}, {`{"$arrayElemAt":[1,0]}`, `error 28689 $arrayElemAt's first argument must be an array, but is int`},
		{`{"$first":"$a"}`, `1`}, {`{"$last":"$a"}`, `3`}, {`{"$first":[[]]}`, `missing`}, {`{"$first":1}`, `error 28689`},
		{`{"$concatArrays":["$a",[4]]}`, `[1,2,3,4]`}, {`{"$concatArrays":["$a","$n"]}`, `null`}, {`{"$concatArrays":[1]}`, `error 28664`},
		{`{"$in":[2.0,"$a"]}`, `true`}, {`{"$in":[2,1]}`, `error 40081`}, {`{"$indexOfArray":["$a",3]}`, `2`}, {`{"$indexOfArray":["$a",1,1]}`, `-1`},
		{`{"$isArray":["$a"]}`, `true`}, {`{"$isArray":[[1]]}`, `true`}, {`{"$range":[0,10,4]}`, `[0,4,8]`}, {`{"$range":[3,0,-1]}`, `[3,2,1]`}, {`{"$range":[0,1,0]}`, `error 34449`}, {`{"$range":["x",1]}`, `error 34443`},
		{`{"$range":[0,2147483647]}`, `error 146`},
		{`{"$reverseArray":"$a"}`, `[3,2,1]`}, {`{"$size":"$a"}`, `3`}, {`{"$size":"$zz"}`, `error 17124 The argument to $size must be an array, but was of type: missing`},
		{`{"$slice":["$a",2]}`, `[1,2]`}, {`{"$slice":["$a",-2]}`, `[2,3]`}, {`{"$slice":["$a",1,5]}`, `[2,3]`}, {`{"$slice":["$a",-9,2]}`, `[1,2]`}, {`{"$slice":["$a",1,0]}`, `error 28729`}, {`{"$slice":["$a",9,1]}`, `[]`},
		{`{"$zip":{"inputs":["$a",["x"]]}}`, `[[1,"x"]]`}, {`{"$zip":{"inputs":["$a",["x"]],"useLongestLength":true,"defaults":[0,"-"]}}`, `[[1,"x"],[2,"-"],[3,"-"]]`}, {`{"$zip":{"inputs":["$n",[1]]}}`, `null`},
		{`{"$map":{"input":"$a","in":{"$multiply":["$$this",2]}}}`, `[2,4,6]`}, {`{"$map":{"input":"$o","as":"e","in":"$$e.k"}}`, `["x","y"]`}, {`{"$map":{"input":1,"in":1}}`, `error 16883`}, {`{"$map":{"input":"$a"}}`, `error 16882`},
		{`{"$map":{"input":"$a","as":"x","in":{"$map":{"input":"$a","as":"y","in":{"$add":["$$x","$$y"]}}}}}`, `[[2,3,4],[3,4,5],[4,5,6]]`},
		{`{"$filter":{"input":"$a","as":"x","cond":{"$gt":["$$x",1]},"limit":1}}`, `[2]`}, {`{"$filter":{"input":"$n","cond":1}}`, `null`}, {`{"$filter":{"input":"$a","cond":1,"limit":0}}`, `error 327392`},
		{`{"$reduce":{"input":"$a","initialValue":0,"in":{"$add":["$$value","$$this"]}}}`, `6`}, {`{"$reduce":{"input":"$a","initialValue":0}}`, `error 40079`},
		{`{"$sortArray":{"input":[3,1,2],"sortBy":-1}}`, `[3,2,1]`}, {`{"$sortArray":{"input":"$o","sortBy":{"v":-1}}}`, `[{"k":"y","v":2},{"k":"x","v":1}]`},
		{`{"$let":{"vars":{"a":1,"b":"$a"},"in":{"$concatArrays":["$$b",["$$a"]]}}}`, `[1,2,3,1]`}, {`{"$let":{"vars":{"A":1},"in":1}}`, `error 9 'A' starts with an invalid character for a user variable name`},
		{`{"$let":{"vars":{"x":{"$let":{"vars":{"p":1},"in":"$$p"}},"y":{"$let":{"vars":{"q":2},"in":"$$q"}}},"in":["$$x","$$y"]}}`, `[1,2]`},
		{`{"$let":{"vars":{"o":1},"in":{"$let":{"vars":{"x":{"$let":{"vars":{"p":2},"in":["$$o","$$p"]}}},"in":"$$x"}}}}`, `[1,2]`},
		{`{"$arrayToObject":"$o"}`, `{"x":1,"y":2}`}, {`{"$arrayToObject":[[["a",1],["b",2],["a",3]]]}`, `{"a":3,"b":2}`}, {`{"$arrayToObject":[[1]]}`, `error 40398`},
		{`{"$maxN":{"n":2,"input":"$a"}}`, `[3,2]`}, {`{"$minN":{"n":2,"input":[3,null,1]}}`, `[1,3]`}, {`{"$firstN":{"n":2,"input":"$a"}}`, `[1,2]`}, {`{"$lastN":{"n":9,"input":"$a"}}`, `[1,2,3]`}, {`{"$lastN":{"n":0,"input":"$a"}}`, `error 5787908`},
	})
}

func TestSets(t *testing.T) {
	check(t, `{}`, []row{
		{`{"$setUnion":[[1,2],[2.0,3]]}`, `[1,2,3]`}, {`{"$setUnion":[[1],null]}`, `null`}, {`{"$setIntersection":[[1,2,2],[2,3]]}`, `[2]`}, {`{"$setDifference":[[1,2,1],[2]]}`, `[1]`},
		{`{"$setEquals":[[1,2],[2,1,1]]}`, `true`}, {`{"$setEquals":[[1],[2]]}`, `false`}, {`{"$setEquals":[[1]]}`, `error 17045`}, {`{"$setIsSubset":[[1],[1,2]]}`, `true`}, {`{"$setIsSubset":[1,[1]]}`, `error 17046`},
		{`{"$allElementsTrue":[[1,true]]}`, `true`}, {`{"$anyElementTrue":[[0,null]]}`, `false`}, {`{"$allElementsTrue":[[]]}`, `true`}, {`{"$anyElementTrue":[[]]}`, `false`}, {`{"$allElementsTrue":[null]}`, `error 17040`},
	})
}

func TestObjects(t *testing.T) {
	check(t, `{"o":{"a":1,"b":{"c":2}},"$x":3}`, []row{
		{`{"$mergeObjects":["$o",{"a":9},null]}`, `{"a":9,"b":{"c":2}}`}, {`{"$mergeObjects":[1]}`, `error 40400 $mergeObjects requires object inputs, but input 1 is of type int`}, {`{"$mergeObjects":[]}`, `{}`},
		{`{"$objectToArray":"$o"}`, `[{"k":"a","v":1},{"k":"b","v":{"c":2}}]`}, {`{"$objectToArray":1}`, `error 40390`},
		{`{"$getField":"o"}`, `{"a":1,"b":{"c":2}}`}, {`{"$getField":{"field":"a","input":"$o"}}`, `1`}, {`{"$getField":{"$literal":"$x"}}`, `3`}, {`{"$getField":{"field":1,"input":"$o"}}`, `error 5654602`},
		{`{"$setField":{"field":"a","input":"$o","value":7}}`, `{"a":7,"b":{"c":2}}`}, {`{"$setField":{"field":"a","input":"$o","value":"$$REMOVE"}}`, `{"b":{"c":2}}`}, {`{"$unsetField":{"field":"b","input":"$o"}}`, `{"a":1}`},
		{`{"$setField":{"field":"n","input":"$o","value":1}}`, `{"a":1,"b":{"c":2},"n":1}`}, {`{"$bsonSize":"$o"}`, `27`}, {`{"$binarySize":"héllo"}`, `6`},
	})
}

func TestAccumulatorExpressions(t *testing.T) {
	check(t, `{"a":[1,2,3,"x"],"test01":62,"test02":81,"test03":80}`, []row{
		{`{"$sum":"$a"}`, `6`}, {`{"$sum":["$a",5]}`, `5`}, {`{"$avg":"$a"}`, `2.0`}, {`{"$avg":[]}`, `null`}, {`{"$min":["$a"]}`, `1`}, {`{"$max":[1,null,2.5]}`, `2.5`}, {`{"$stdDevPop":[1,3]}`, `1.0`}, {`{"$stdDevSamp":[1]}`, `null`},
		{`{"$median":{"input":["$test01","$test02","$test03"],"method":"approximate"}}`, `80.0`},
		{`{"$percentile":{"input":[53,72,81,82,83],"p":[0.5,0.75,0.9,0.95],"method":"approximate"}}`, `[81.0,82.0,83.0,83.0]`},
		{`{"$median":{"input":[1],"method":"exact"}}`, `error 2`}, {`{"$percentile":{"input":[1],"p":[2],"method":"approximate"}}`, `error 7750303`},
	})
}

func TestConversions(t *testing.T) {
	check(t, `{}`, []row{
		{`{"$toInt":"42"}`, `42`}, {`{"$toInt":"4.2"}`, `error 241 Failed to parse number '4.2' in $convert with no onError value`}, {`{"$toInt":3.9}`, `3`}, {`{"$toInt":1e10}`, `error 241 Conversion would overflow target type in $convert with no onError value: 10000000000`},
		{`{"$toInt":true}`, `1`}, {`{"$toInt":"-"}`, `error 241`}, {`{"$toInt":"x1"}`, `error 241 Did not consume any digits`}, {`{"$toLong":{"$date":"1970-01-01T00:00:01Z"}}`, `{"$numberLong":"1000"}`}, {`{"$toDouble":"2.5e1"}`, `25.0`}, {`{"$toDouble":"0x1"}`, `error 241 Illegal hexadecimal input`},
		{`{"$toDecimal":"1.10"}`, `{"$numberDecimal":"1.10"}`}, {`{"$toDecimal":0.1}`, `{"$numberDecimal":"0.100000000000000"}`}, {`{"$toBool":"false"}`, `true`}, {`{"$toBool":0}`, `false`}, {`{"$toString":1.0}`, `"1"`}, {`{"$toString":2.5}`, `"2.5"`},
		{`{"$toString":{"$date":"2018-03-27T16:58:51.538Z"}}`, `"2018-03-27T16:58:51.538Z"`}, {`{"$toString":{"$oid":"5ab9cbfa31c2ab715d42129e"}}`, `"5ab9cbfa31c2ab715d42129e"`},
		{`{"$toObjectId":"5ab9cbfa31c2ab715d42129e"}`, `{"$oid":"5ab9cbfa31c2ab715d42129e"}`}, {`{"$toObjectId":"x"}`, `error 241`}, {`{"$toDate":{"$oid":"5ab9cbfa31c2ab715d42129e"}}`, `{"$date":"2018-03-27T04:43:38Z"}`},
		{`{"$toDate":"2018-03-20 11:00:06 +0500"}`, `{"$date":"2018-03-20T06:00:06Z"}`}, {`{"$toDate":{"$numberLong":"1000"}}`, `{"$date":"1970-01-01T00:00:01Z"}`}, {`{"$toDate":5}`, `error 241 Unsupported conversion from int to date in $convert with no onError value`},
		{`{"$convert":{"input":"x","to":"int","onError":"bad"}}`, `"bad"`}, {`{"$convert":{"input":null,"to":"int","onNull":0}}`, `0`}, {`{"$convert":{"input":"1","to":16}}`, `1`}, {`{"$convert":{"input":"1"}}`, `error 9 Missing 'to' parameter to $convert`}, {`{"$convert":{"input":1,"to":"missing","onError":0}}`, `0`}, {`{"$convert":{"input":"1","to":"nope"}}`, `error 2 Unknown type name: nope`},
		{`{"$type":"$zz"}`, `"missing"`}, {`{"$type":[1]}`, `"int"`}, {`{"$isNumber":"1"}`, `false`}, {`{"$toUUID":"0e3b9063-8abd-4eb3-9f9f-f4c59fd30a60"}`, `{"$uuid":"0e3b9063-8abd-4eb3-9f9f-f4c59fd30a60"}`},
		{`{"$convert":{"input":"aGk=","to":{"type":"binData","subtype":0},"format":"base64"}}`, `{"$binary":{"base64":"aGk=","subType":"00"}}`},
		{`{"$function":{"body":"f","args":[],"lang":"js"}}`, `error 31264`}, {`{"$rand":1}`, `error 3040501`}, {`{"$meta":"nope"}`, `error 17308`}, {`{"$meta":"textScore"}`, `missing`},
	})
}

// The values are those of the server's own hashing (hasher_test.cpp) and manual.
func TestHashedKey(t *testing.T) {
	check(t, `{}`, []row{
		{`{"$toHashedIndexKey":42.123}`, `{"$numberLong":"-944302157085130861"}`}, {`{"$toHashedIndexKey":{"$numberLong":"-1"}}`, `{"$numberLong":"1140205862565771219"}`}, {`{"$toHashedIndexKey":{"$numberDouble":"NaN"}}`, `{"$numberLong":"4854801880128277513"}`},
		{`{"$toHashedIndexKey":1.7976931348623157e308}`, `{"$numberLong":"921523596458303250"}`}, {`{"$toHashedIndexKey":"abc"}`, `{"$numberLong":"8478485326885698097"}`}, {`{"$toHashedIndexKey":{"a":"abc","b":123}}`, `{"$numberLong":"4771603801758380216"}`},
		{`{"$toHashedIndexKey":{}}`, `{"$numberLong":"7980500913326740417"}`}, {`{"$toHashedIndexKey":[["bar","baz","qux"]]}`, `{"$numberLong":"-2938911267422831539"}`}, {`{"$toHashedIndexKey":true}`, `{"$numberLong":"6405873908747105701"}`},
		{`{"$toHashedIndexKey":{"$date":"2013-02-12T22:12:57.211Z"}}`, `{"$numberLong":"-4185544074338741873"}`}, {`{"$toHashedIndexKey":{"$minKey":1}}`, `{"$numberLong":"7961148599568647290"}`}, {`{"$toHashedIndexKey":{"$oid":"010203040506070809101112"}}`, `{"$numberLong":"-5588663249627035708"}`},
	})
}
