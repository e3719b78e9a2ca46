package expr_test

import "testing"

func TestDateParts(t *testing.T) {
	check(t, `{"d":{"$date":"2017-01-01T00:30:15.123Z"},"id":{"$oid":"58c7cba47bbadf523cf2c313"},"n":null}`, []row{
		{`{"$year":"$d"}`, `2017`}, {`{"$month":"$d"}`, `1`}, {`{"$dayOfMonth":["$d"]}`, `1`}, {`{"$hour":{"date":"$d","timezone":"America/New_York"}}`, `19`}, {`{"$year":{"date":"$d","timezone":"-0500"}}`, `2016`},
		{`{"$dayOfWeek":"$d"}`, `1`}, {`{"$dayOfYear":"$d"}`, `1`}, {`{"$week":"$d"}`, `1`}, {`{"$isoWeek":"$d"}`, `52`}, {`{"$isoWeekYear":"$d"}`, `{"$numberLong":"2016"}`}, {`{"$isoDayOfWeek":"$d"}`, `7`},
		{`{"$minute":"$d"}`, `30`}, {`{"$second":"$d"}`, `15`}, {`{"$millisecond":"$d"}`, `123`}, {`{"$year":"$id"}`, `2017`}, {`{"$year":"$n"}`, `null`}, {`{"$year":"x"}`, `error 16006 can't convert from BSON type string to Date`},
		{`{"$year":{"date":"$d","timezone":"Nowhere/City"}}`, `error 40485 unrecognized time zone identifier: "Nowhere/City"`}, {`{"$year":{"date":"$d","zone":1}}`, `error 40535`},
		{`{"$dateToParts":{"date":"$d","timezone":"America/New_York"}}`, `{"year":2016,"month":12,"day":31,"hour":19,"minute":30,"second":15,"millisecond":123}`},
		{`{"$dateToParts":{"date":"$d","iso8601":true}}`, `{"isoWeekYear":2016,"isoWeek":52,"isoDayOfWeek":7,"hour":0,"minute":30,"second":15,"millisecond":123}`},
		{`{"$dateFromParts":{"year":2017,"month":2,"day":8,"hour":12}}`, `{"$date":"2017-02-08T12:00:00Z"}`}, {`{"$dateFromParts":{"isoWeekYear":2017,"isoWeek":6,"isoDayOfWeek":3,"hour":12}}`, `{"$date":"2017-02-08T12:00:00Z"}`},
		{`{"$dateFromParts":{"year":2016,"month":12,"day":31,"hour":23,"minute":46,"second":12,"timezone":"America/New_York"}}`, `{"$date":"2017-01-01T04:46:12Z"}`},
		{`{"$dateFromParts":{"year":2017,"month":14,"day":1,"hour":12}}`, `{"$date":"2018-02-01T12:00:00Z"}`}, {`{"$dateFromParts":{"year":2017,"month":0,"day":1,"hour":12}}`, `{"$date":"2016-12-01T12:00:00Z"}`},
		{`{"$dateFromParts":{"year":0}}`, `error 40523`}, {`{"$dateFromParts":{"month":1}}`, `error 40516`}, {`{"$dateFromParts":{"year":"x"}}`, `error 40515`},
	})
}

func TestDateStrings(t *testing.T) {
	check(t, `{"d":{"$date":"2014-01-01T08:15:39.736Z"},"n":null}`, []row{
		{`{"$dateToString":{"date":"$d","format":"%Y-%m-%d"}}`, `"2014-01-01"`}, {`{"$dateToString":{"date":"$d"}}`, `"2014-01-01T08:15:39.736Z"`}, {`{"$dateToString":{"date":"$d","timezone":"America/New_York"}}`, `"2014-01-01T03:15:39.736"`},
		{`{"$dateToString":{"format":"%H:%M:%S:%L%z","date":"$d","timezone":"America/New_York"}}`, `"03:15:39:736-0500"`}, {`{"$dateToString":{"format":"%H:%M:%S:%L%z","date":"$d","timezone":"+04:30"}}`, `"12:45:39:736+0430"`},
		{`{"$dateToString":{"format":"%j %d %B %b %u %w %U %V %G %Z %%","date":"$d"}}`, `"001 01 January Jan 3 4 00 01 2014 0 %"`},
		{`{"$dateToString":{"date":"$n","onNull":"none"}}`, `"none"`}, {`{"$dateToString":{"date":"$n"}}`, `null`}, {`{"$dateToString":{"date":"$d","format":"%q"}}`, `error 18536`}, {`{"$dateToString":{"format":"%Y"}}`, `error 18628`},
		{`{"$dateFromString":{"dateString":"2017-02-08T12:10:40.787"}}`, `{"$date":"2017-02-08T12:10:40.787Z"}`}, {`{"$dateFromString":{"dateString":"2017-02-08T12:10:40.787","timezone":"America/New_York"}}`, `{"$date":"2017-02-08T17:10:40.787Z"}`},
		{`{"$dateFromString":{"dateString":"2017-02-08"}}`, `{"$date":"2017-02-08T00:00:00Z"}`}, {`{"$dateFromString":{"dateString":"06-15-2018","format":"%m-%d-%Y"}}`, `{"$date":"2018-06-15T00:00:00Z"}`}, {`{"$dateFromString":{"dateString":"15-06-2018","format":"%d-%m-%Y"}}`, `{"$date":"2018-06-15T00:00:00Z"}`},
		{`{"$dateFromString":{"dateString":"2018-06-15T00:00:00+02:00"}}`, `{"$date":"2018-06-14T22:00:00Z"}`}, {`{"$dateFromString":{"dateString":"July 4th, 2017"}}`, `{"$date":"2017-07-04T00:00:00Z"}`}, {`{"$dateFromString":{"dateString":"04 Jul 2017 11:56:02 CEST"}}`, `{"$date":"2017-07-04T09:56:02Z"}`},
		{`{"$dateFromString":{"dateString":"07/04/2017 3:05 pm"}}`, `{"$date":"2017-07-04T15:05:00Z"}`}, {`{"$dateFromString":{"dateString":"2018-W01-4"}}`, `{"$date":"2018-01-04T00:00:00Z"}`},
		{`{"$dateFromString":{"dateString":"not a date"}}`, `error 241 Error parsing date string 'not a date'`}, {`{"$dateFromString":{"dateString":"2017-13-40","onError":"bad"}}`, `"bad"`}, {`{"$dateFromString":{"dateString":5}}`, `error 241`}, {`{"$dateFromString":{"dateString":null,"onNull":1}}`, `1`},
	})
}

func TestDateArithmetic(t *testing.T) {
	check(t, `{"d":{"$date":"2020-11-30T12:10:05Z"},"e":{"$date":"2021-03-14T03:30:00Z"},"ts":{"$timestamp":{"t":5,"i":7}},"n":null}`, []row{
		{`{"$dateAdd":{"startDate":"$d","unit":"month","amount":3}}`, `{"$date":"2021-02-28T12:10:05Z"}`}, {`{"$dateSubtract":{"startDate":"$d","unit":"hour","amount":13}}`, `{"$date":"2020-11-29T23:10:05Z"}`}, {`{"$dateAdd":{"startDate":"$d","unit":"quarter","amount":-1}}`, `{"$date":"2020-08-30T12:10:05Z"}`},
		{`{"$dateAdd":{"startDate":"$e","unit":"day","amount":1,"timezone":"America/New_York"}}`, `{"$date":"2021-03-15T02:30:00Z"}`}, {`{"$dateAdd":{"startDate":"$e","unit":"week","amount":{"$numberLong":"1"}}}`, `{"$date":"2021-03-21T03:30:00Z"}`},
		{`{"$dateAdd":{"startDate":"$d","unit":"eon","amount":1}}`, `error 9 unknown time unit value: eon`}, {`{"$dateAdd":{"startDate":"$d","unit":"day","amount":1.5}}`, `error 5166405`}, {`{"$dateAdd":{"startDate":"$d","unit":"day"}}`, `error 5166402`}, {`{"$dateAdd":{"startDate":"$n","unit":"day","amount":1}}`, `null`},
		{`{"$dateDiff":{"startDate":"$d","endDate":"$e","unit":"day"}}`, `{"$numberLong":"104"}`}, {`{"$dateDiff":{"startDate":"$d","endDate":"$e","unit":"month"}}`, `{"$numberLong":"4"}`}, {`{"$dateDiff":{"startDate":"$d","endDate":"$e","unit":"year"}}`, `{"$numberLong":"1"}`},
		{`{"$dateDiff":{"startDate":"$d","endDate":"$e","unit":"week"}}`, `{"$numberLong":"15"}`}, {`{"$dateDiff":{"startDate":"$d","endDate":"$e","unit":"week","startOfWeek":"monday"}}`, `{"$numberLong":"14"}`}, {`{"$dateDiff":{"startDate":"$e","endDate":"$d","unit":"hour"}}`, `{"$numberLong":"-2487"}`},
		{`{"$dateTrunc":{"date":"$d","unit":"month"}}`, `{"$date":"2020-11-01T00:00:00Z"}`}, {`{"$dateTrunc":{"date":"$d","unit":"hour","binSize":5}}`, `{"$date":"2020-11-30T09:00:00Z"}`}, {`{"$dateTrunc":{"date":"$d","unit":"week","startOfWeek":"Monday"}}`, `{"$date":"2020-11-30T00:00:00Z"}`},
		{`{"$dateTrunc":{"date":"$d","unit":"week"}}`, `{"$date":"2020-11-29T00:00:00Z"}`}, {`{"$dateTrunc":{"date":{"$date":"2021-03-20T11:30:05Z"},"unit":"week","binSize":2,"timezone":"America/Los_Angeles","startOfWeek":"Monday"}}`, `{"$date":"2021-03-15T07:00:00Z"}`},
		{`{"$dateTrunc":{"date":"$d","unit":"quarter","binSize":2}}`, `{"$date":"2020-07-01T00:00:00Z"}`}, {`{"$dateTrunc":{"date":"$d","unit":"day","binSize":0}}`, `error 5439018`}, {`{"$dateTrunc":{"date":"x","unit":"day"}}`, `error 5439012`},
		{`{"$tsSecond":"$ts"}`, `{"$numberLong":"5"}`}, {`{"$tsIncrement":"$ts"}`, `{"$numberLong":"7"}`}, {`{"$tsSecond":1}`, `error 5687301`},
	})
}
