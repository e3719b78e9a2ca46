package expr_test

import "testing"

// Corners where an obvious way of doing it gives another answer than the server.

func TestVariablesKeepTheirSlots(t *testing.T) {
	check(t, `{"rows":[[1,2],[3]]}`, []row{
		{`{"$let":{"vars":{"x":1},"in":{"$let":{"vars":{"y":"$$x","x":5},"in":["$$x","$$y"]}}}}`, `[5,1]`},
		{`{"$reduce":{"input":"$rows","initialValue":[],"in":{"$let":{"vars":{"sofar":"$$value","row":"$$this"},"in":{"$concatArrays":["$$sofar","$$row"]}}}}}`, `[1,2,3]`},
		{`{"a":1,"b":"$$REMOVE"}`, `{"a":1}`}, {`["$$REMOVE",2]`, `[null,2]`}, {`{"a":{"$literal":"$x"}}`, `{"a":"$x"}`},
	})
}

func TestRefFieldsAreNames(t *testing.T) {
	check(t, `{"link":{"$ref":"shops","$id":7}}`, []row{
		{`"$a\u0000b"`, `error 16411`}, {`"$$NOPE"`, `error 17276`}, {`"$$_x"`, `error 9`}, {`"$$a-b"`, `error 9`},
		{`"$link.$id"`, `7`}, {`{"$concat":["$link.$ref","!"]}`, `"shops!"`}, {`"$link.$other"`, `error 16410`},
	})
}

func TestNumbersAtTheEdge(t *testing.T) {
	check(t, `{"i":8,"l":{"$numberLong":"8"},"nan":{"$numberDecimal":"NaN"}}`, []row{
		{`{"$mod":["$i",3.0]}`, `2`}, {`{"$mod":["$l",3.0]}`, `{"$numberLong":"2"}`}, {`{"$mod":["$i",3.25]}`, `1.5`}, {`{"$mod":[8.5,3]}`, `2.5`},
		{`{"$ln":"$nan"}`, `{"$numberDouble":"NaN"}`}, {`{"$log10":"$nan"}`, `{"$numberDouble":"NaN"}`}, {`{"$log":["$nan",10]}`, `{"$numberDouble":"NaN"}`}, {`{"$sqrt":"$nan"}`, `{"$numberDecimal":"NaN"}`},
		{`{"$stdDevPop":[1,{"$numberDouble":"NaN"}]}`, `{"$numberDouble":"NaN"}`},
		{`{"$sqrt":{"$numberDecimal":"0"}}`, `{"$numberDecimal":"0"}`}, {`{"$sqrt":{"$numberDecimal":"4.00"}}`, `{"$numberDecimal":"2.0"}`},
		{`{"$pow":[{"$numberDecimal":"10"},-1]}`, `{"$numberDecimal":"0.1000000000000000000000000000000000"}`},
		{`{"$round":[{"$numberDecimal":"1.5"},3]}`, `{"$numberDecimal":"1.500"}`}, {`{"$trunc":[{"$numberDecimal":"2.5"},90]}`, `{"$numberDecimal":"2.500000000000000000000000000000000"}`},
	})
}

func TestMatchesAfterMatches(t *testing.T) {
	check(t, `{"s":"abab","w":"no one"}`, []row{
		{`{"$regexFindAll":{"input":"$s","regex":"x?"}}`, `[{"match":"","idx":0,"captures":[]},{"match":"","idx":1,"captures":[]},{"match":"","idx":2,"captures":[]},{"match":"","idx":3,"captures":[]}]`},
		{`{"$regexFindAll":{"input":"$s","regex":"(ab)?"}}`, `[{"match":"ab","idx":0,"captures":["ab"]},{"match":"ab","idx":2,"captures":["ab"]}]`},
		{`{"$regexFindAll":{"input":"aba","regex":"a|"}}`, `[{"match":"a","idx":0,"captures":[]},{"match":"","idx":1,"captures":[]},{"match":"a","idx":2,"captures":[]}]`},
		{`{"$regexFindAll":{"input":"$w","regex":"\\b[no]"}}`, `[{"match":"n","idx":0,"captures":[]},{"match":"o","idx":3,"captures":[]}]`},
		{`{"$regexFindAll":{"input":"aa","regex":"^a"}}`, `[{"match":"a","idx":0,"captures":[]}]`}, {`{"$regexMatch":{"input":"é","regex":"(*UTF8)^.$"}}`, `true`}, {`{"$regexMatch":{"input":"é","regex":"(*CR)x"}}`, `error 51111`},
	})
}

func TestDatesThatPeopleWrite(t *testing.T) {
	check(t, `{"n":null}`, []row{
		{`{"$dateFromString":{"dateString":"2020-02-03T04.05.06"}}`, `{"$date":"2020-02-03T04:05:06Z"}`}, {`{"$dateFromString":{"dateString":"2/3/20"}}`, `{"$date":"2020-02-03T00:00:00Z"}`}, {`{"$dateFromString":{"dateString":"2/3/99"}}`, `{"$date":"1999-02-03T00:00:00Z"}`},
		{`{"$dateFromString":{"dateString":"2020-Feb-03 noon"}}`, `{"$date":"2020-02-03T12:00:00Z"}`}, {`{"$dateFromString":{"dateString":"Feb 3rd, 2020 7pm"}}`, `{"$date":"2020-02-03T19:00:00Z"}`}, {`{"$dateFromString":{"dateString":"2020-02-03T04:05:06 B"}}`, `{"$date":"2020-02-03T02:05:06Z"}`},
		{`{"$dateFromString":{"dateString":"2020-02-03 GMT+02","format":"%Y-%m-%d%z"}}`, `{"$date":"2020-02-02T22:00:00Z"}`}, {`{"$dateFromString":{"dateString":"Feb 3rd, 20201"}}`, `error 241`}, {`{"$dateFromString":{"dateString":"Feb 3rd"}}`, `error 241 an incomplete date/time string has been found, with elements missing: "Feb 3rd"`},
		{`{"$dateFromString":{"dateString":"5 2020","format":"%V %Y"}}`, `error 241`}, {`{"$dateFromString":{"dateString":"5","format":"%V"}}`, `error 241`}, {`{"$dateFromString":{"dateString":"$n","format":"%U"}}`, `error 18536`}, {`{"$dateFromString":{"dateString":"x","zone":1}}`, `error 40541 Unrecognized argument to $dateFromString: zone`},
		{`{"$dateFromParts":{"year":1970,"millisecond":{"$numberLong":"1600000000123"}}}`, `{"$date":"2020-09-13T12:26:40.123Z"}`}, {`{"$dateFromParts":{"year":1970,"second":{"$numberLong":"10000000000000000"}}}`, `error 159`}, {`{"$dateFromParts":{"isoWeekYear":0}}`, `error 31095`}, {`{"$dateFromParts":{"year":1970,"hour":40000}}`, `error 31034`},
		{`{"$dateToParts":{"date":"$n","iso8601":3}}`, `error 40521`}, {`{"$dateToString":{"date":"x","timezone":"$n","onNull":1}}`, `null`},
	})
}

func TestConversionsOfBytes(t *testing.T) {
	check(t, `{"b":{"$binary":{"base64":"AQI=","subType":"00"}}}`, []row{
		{`{"$convert":{"input":"0102","to":{"type":"binData","subtype":0},"format":"hex"}}`, `{"$binary":{"base64":"AQI=","subType":"00"}}`}, {`{"$convert":{"input":"$b","to":"string","format":"hex"}}`, `"0102"`},
		{`{"$convert":{"input":"$b","to":"string"}}`, `error 4341115`}, {`{"$convert":{"input":"x","to":"binData","format":"wood"}}`, `error 4341125`}, {`{"$convert":{"input":"x","to":"binData","format":1}}`, `error 4341114`},
		{`{"$convert":{"input":"0102","to":{"type":"binData","subtype":100},"format":"hex"}}`, `error 4341107`}, {`{"$convert":{"input":"0102","to":{"type":"binData","subtype":4},"format":"hex","onError":"no"}}`, `"no"`}, {`{"$toString":"$b"}`, `"AQI="`},
		{`{"$setField":{"field":"$x","input":{},"value":1}}`, `error 4161108`}, {`{"$setField":{"field":{"x":1},"input":{},"value":1}}`, `error 4161106`}, {`{"$setField":{"field":"x"}}`, `error 4161103`},
		{`{"$percentile":{"input":[1,2,3],"p":[{"$add":[0.25,0.25]}],"method":"approximate"}}`, `[2.0]`}, {`{"$percentile":{"input":[1],"p":{"$concatArrays":[["x"]]},"method":"approximate"}}`, `error 7750302`}, {`{"$percentile":{"input":[1],"p":["$x"],"method":"approximate"}}`, `error 7750300`},
	})
}
