package agg_test

import "testing"

// cakes are the manual's example for $setWindowFields.
const cakes = `{"c":[
 {"_id":0,"type":"chocolate","date":{"$date":"2020-05-18T14:10:30Z"},"state":"CA","price":13,"n":120},
 {"_id":1,"type":"chocolate","date":{"$date":"2021-03-20T11:30:05Z"},"state":"WA","price":14,"n":140},
 {"_id":2,"type":"vanilla","date":{"$date":"2021-01-11T06:31:15Z"},"state":"CA","price":12,"n":145},
 {"_id":3,"type":"vanilla","date":{"$date":"2020-02-08T13:13:23Z"},"state":"WA","price":13,"n":104},
 {"_id":4,"type":"strawberry","date":{"$date":"2019-05-18T16:09:01Z"},"state":"CA","price":41,"n":162},
 {"_id":5,"type":"strawberry","date":{"$date":"2019-01-08T06:12:03Z"},"state":"WA","price":43,"n":134}]}`

func window(spec, keep string) string {
	return `[{"$setWindowFields":` + spec + `},{"$project":{` + keep + `}}]`
}

func TestWindows(t *testing.T) {
	check(t, cakes, []row{
		{window(`{"partitionBy":"$state","sortBy":{"date":1},"output":{"c":{"$sum":"$n","window":{"documents":["unbounded","current"]}}}}`, `"c":1`),
			`[{"_id":4,"c":162},{"_id":0,"c":282},{"_id":2,"c":427},{"_id":5,"c":134},{"_id":3,"c":238},{"_id":1,"c":378}]`},
		{window(`{"partitionBy":{"$year":"$date"},"sortBy":{"date":1},"output":{"a":{"$avg":"$n","window":{"documents":[-1,0]}},"m":{"$max":"$n","window":{"documents":["unbounded","unbounded"]}}}}`, `"a":1,"m":1`),
			`[{"_id":5,"a":134.0,"m":162},{"_id":4,"a":148.0,"m":162},{"_id":3,"a":104.0,"m":120},{"_id":0,"a":112.0,"m":120},{"_id":2,"a":145.0,"m":145},{"_id":1,"a":142.5,"m":145}]`},
		{window(`{"partitionBy":"$state","sortBy":{"price":1},"output":{"q":{"$sum":"$n","window":{"range":[-10,10]}}}}`, `"q":1`),
			`[{"_id":2,"q":265},{"_id":0,"q":265},{"_id":4,"q":162},{"_id":3,"q":244},{"_id":1,"q":244},{"_id":5,"q":134}]`},
		{window(`{"partitionBy":"$state","sortBy":{"date":1},"output":{"r":{"$push":"$_id","window":{"range":["unbounded",10],"unit":"month"}}}}`, `"r":1`),
			`[{"_id":4,"r":[4]},{"_id":0,"r":[4,0,2]},{"_id":2,"r":[4,0,2]},{"_id":5,"r":[5]},{"_id":3,"r":[5,3]},{"_id":1,"r":[5,3,1]}]`},
		{window(`{"sortBy":{"price":1},"output":{"r":{"$rank":{}},"d":{"$denseRank":{}},"k":{"$documentNumber":{}},"s":{"$shift":{"output":"$price","by":-1,"default":"none"}},"next":{"$shift":{"output":"$price","by":1}}}}`, `"r":1,"d":1,"k":1,"s":1,"next":1`),
			`[{"_id":2,"r":1,"d":1,"k":1,"s":"none","next":13},{"_id":0,"r":2,"d":2,"k":2,"s":12,"next":13},{"_id":3,"r":2,"d":2,"k":3,"s":13,"next":14},{"_id":1,"r":4,"d":3,"k":4,"s":13,"next":41},{"_id":4,"r":5,"d":4,"k":5,"s":14,"next":43},{"_id":5,"r":6,"d":5,"k":6,"s":41,"next":null}]`},
		{window(`{"sortBy":{"_id":1},"output":{"e":{"$expMovingAvg":{"input":"$price","N":3}},"a":{"$expMovingAvg":{"input":"$price","alpha":0.75}}}}`, `"e":1,"a":1`),
			`[{"_id":0,"e":13,"a":13},{"_id":1,"e":13.5,"a":13.75},{"_id":2,"e":12.75,"a":12.4375},{"_id":3,"e":12.875,"a":12.859375},{"_id":4,"e":26.9375,"a":33.96484375},{"_id":5,"e":34.96875,"a":40.7412109375}]`},
		{window(`{"sortBy":{"_id":1},"output":{"c":{"$covariancePop":["$_id","$price"],"window":{"documents":["unbounded","current"]}},"s":{"$covarianceSamp":["$_id","$price"],"window":{"documents":[-1,0]}}}}`, `"c":1,"s":1`),
			`[{"_id":0,"c":0.0,"s":null},{"_id":1,"c":0.25,"s":0.5},{"_id":2,"c":-0.3333333333333333,"s":-1.0},{"_id":3,"c":-0.25,"s":0.5},{"_id":4,"c":11.0,"s":14.0},{"_id":5,"c":19.333333333333332,"s":1.0}]`},
		{window(`{"sortBy":{"date":1},"output":{"x":{"$sum":1,"window":{"range":[1,2]}}}}`, `"x":1`), `error 5429513`}, {window(`{"output":{"x":{"$rank":{}}}}`, `"x":1`), `error 5371602`},
		{window(`{"output":{"x":{"$nope":{}}}}`, `"x":1`), `error 9 Unrecognized window function, $nope`}, {window(`{"output":{"x":{"$sum":1,"window":{"documents":[-1,0]}}}}`, `"x":1`), `error 5339901`}, {window(`{"sortBy":{"a":1},"output":{"x":{"$sum":1,"window":{"documents":[1,0]}}}}`, `"x":1`), `error 5339900`},
	})
}

func TestCalculus(t *testing.T) {
	data := `{"c":[{"_id":1,"t":{"$date":"2020-05-18T14:10:30Z"},"m":1295.1,"kw":2.95},{"_id":2,"t":{"$date":"2020-05-18T14:11:00Z"},"m":1295.63,"kw":2.7},{"_id":3,"t":{"$date":"2020-05-18T14:11:30Z"},"m":1296.25,"kw":2.6},{"_id":4,"t":{"$date":"2020-05-18T14:12:00Z"},"m":1296.76,"kw":2.98}]}`
	check(t, data, []row{
		{`[{"$setWindowFields":{"sortBy":{"t":1},"output":{"mph":{"$derivative":{"input":"$m","unit":"hour"},"window":{"range":[-30,0],"unit":"second"}}}}},{"$project":{"mph":{"$round":["$mph",6]}}}]`, `[{"_id":1,"mph":null},{"_id":2,"mph":63.6},{"_id":3,"mph":74.4},{"_id":4,"mph":61.2}]`},
		{`[{"$setWindowFields":{"sortBy":{"t":1},"output":{"e":{"$integral":{"input":"$kw","unit":"hour"},"window":{"range":["unbounded","current"],"unit":"hour"}}}}},{"$project":{"e":{"$round":["$e",8]}}}]`, `[{"_id":1,"e":0.0},{"_id":2,"e":0.02354167},{"_id":3,"e":0.045625},{"_id":4,"e":0.068875}]`},
		{`[{"$setWindowFields":{"sortBy":{"t":1},"output":{"x":{"$derivative":{"input":"$m"},"window":{"documents":[-1,0]}}}}}]`, `error 5624901`},
	})
}

func TestFill(t *testing.T) {
	data := `{"c":[{"_id":1,"t":0,"p":500},{"_id":2,"t":1},{"_id":3,"t":4,"p":515},{"_id":4,"t":5,"p":null},{"_id":5,"t":9}]}`
	check(t, data, []row{
		{`[{"$fill":{"sortBy":{"t":1},"output":{"p":{"method":"linear"}}}},{"$project":{"p":1}}]`, `[{"_id":1,"p":500},{"_id":2,"p":503.75},{"_id":3,"p":515},{"_id":4,"p":null},{"_id":5,"p":null}]`},
		{`[{"$fill":{"sortBy":{"t":1},"output":{"p":{"method":"locf"}}}},{"$project":{"p":1}}]`, `[{"_id":1,"p":500},{"_id":2,"p":500},{"_id":3,"p":515},{"_id":4,"p":515},{"_id":5,"p":515}]`},
		{`[{"$fill":{"output":{"p":{"value":{"$add":["$t",1]}}}}},{"$project":{"p":1}}]`, `[{"_id":1,"p":500},{"_id":2,"p":2},{"_id":3,"p":515},{"_id":4,"p":6},{"_id":5,"p":10}]`},
		{`[{"$setWindowFields":{"sortBy":{"t":1},"output":{"l":{"$linearFill":"$p"},"f":{"$locf":"$p"}}}},{"$match":{"_id":2}},{"$project":{"l":1,"f":1}}]`, `[{"_id":2,"l":503.75,"f":500}]`},
		{`[{"$fill":{"output":{}}}]`, `error 6050203`}, {`[{"$fill":{"output":{"p":{"method":"x"}}}}]`, `error 6050202`},
	})
}

func TestDensify(t *testing.T) {
	check(t, `{"c":[{"_id":1,"v":"a","alt":600},{"_id":2,"v":"a","alt":750},{"_id":3,"v":"a","alt":950},{"_id":4,"v":"g","alt":1250},{"_id":5,"v":"g","alt":1700},{"_id":6,"v":"g"}]}`, []row{
		{`[{"$densify":{"field":"alt","partitionByFields":["v"],"range":{"bounds":"full","step":200}}},{"$project":{"_id":0,"alt":1,"v":1}}]`,
			`[{"v":"a","alt":600},{"v":"a","alt":750},{"v":"a","alt":800},{"v":"a","alt":950},{"v":"a","alt":1000},{"v":"a","alt":1200},{"v":"a","alt":1400},{"v":"a","alt":1600},{"v":"g"},{"v":"g","alt":600},{"v":"g","alt":800},{"v":"g","alt":1000},{"v":"g","alt":1200},{"v":"g","alt":1250},{"v":"g","alt":1400},{"v":"g","alt":1600},{"v":"g","alt":1700}]`},
		{`[{"$densify":{"field":"alt","partitionByFields":["v"],"range":{"bounds":"partition","step":200}}},{"$project":{"_id":0,"alt":1}}]`,
			`[{"alt":600},{"alt":750},{"alt":800},{"alt":950},{},{"alt":1250},{"alt":1450},{"alt":1650},{"alt":1700}]`},
		{`[{"$match":{"v":"g"}},{"$densify":{"field":"alt","range":{"bounds":[1200,1260],"step":25}}},{"$project":{"_id":0,"alt":1}}]`, `[{},{"alt":1200},{"alt":1225},{"alt":1250},{"alt":1700}]`},
		{`[{"$densify":{"field":"alt","range":{"bounds":"partition","step":1}}}]`, `error 5733408`}, {`[{"$densify":{"field":"alt","range":{"bounds":"full","step":0}}}]`, `error 5733401`}, {`[{"$densify":{"field":"v","range":{"bounds":"full","step":1}}}]`, `error 5733201`},
		{`[{"$densify":{"field":"alt","range":{"bounds":[0,1000000000],"step":1}}}]`, `error 5897900`},
	})
	check(t, `{"c":[{"t":{"$date":"2021-05-18T00:00:00Z"},"x":12},{"t":{"$date":"2021-05-18T08:00:00Z"},"x":11}]}`, []row{
		{`[{"$densify":{"field":"t","range":{"step":4,"unit":"hour","bounds":[{"$date":"2021-05-18T00:00:00Z"},{"$date":"2021-05-18T12:00:00Z"}]}}}]`,
			`[{"t":{"$date":"2021-05-18T00:00:00Z"},"x":12},{"t":{"$date":"2021-05-18T04:00:00Z"}},{"t":{"$date":"2021-05-18T08:00:00Z"},"x":11}]`},
	})
}
