package engine

import (
	"strings"
	"testing"
)

func TestAFilterOnTheSourceOrTheDateReachesOnlySomeBuckets(t *testing.T) {
	d := weather(t, Options{})
	for _, c := range []struct {
		filter, stages string
		buckets        int64
		events, whole  string
	}{
		{`{"metadata":{"sensorId":77,"type":"temperature"}}`, "FETCH IXSCAN", 1, "", ""},
		{`{"timestamp":{"$lt":{"$date":"2021-05-18T01:00:00Z"}}}`, "CLUSTERED_IXSCAN", 2, `{ timestamp: { $lt: new Date(1621299600000) } }`, `{ control.max.timestamp: { $lt: new Date(1621299600000) } }`},
		{`{"temp":3}`, "COLLSCAN", 0, `{ temp: { $eq: 3 } }`, ""},
		{`{"temp":{"$gt":11.7,"$lt":20}}`, "COLLSCAN", 2, `{ $and: [ { temp: { $gt: 11.7 } }, { temp: { $lt: 20 } } ] }`, ""},
		{`{"metadata.sensorId":5578,"wind.speed":{"$in":[3,7]}}`, "COLLSCAN", 1, `{ wind.speed: { $in: [ 3, 7 ] } }`, ""},
	} {
		out := d.run(`{"explain":{"find":"weather","filter":` + c.filter + `},"verbosity":"executionStats"}`)
		cursor := out.Path("stages.0.$cursor").Doc()
		if got := stagesOf(cursor.Path("queryPlanner.winningPlan").Doc()); got != c.stages {
			t.Errorf("%s: %s", c.filter, got)
		}
		if got := cursor.Path("executionStats.nReturned").Long(); got != c.buckets {
			t.Errorf("%s: %d buckets", c.filter, got)
		}
		v := out.Path("stages.1.$_internalUnpackBucket").Doc()
		if v.Get("timeField").Str() != "timestamp" || !v.Get("assumeNoMixedSchemaData").Truth() || out.Get("stages").Doc().Len() != 2 || shown(v.Get("eventFilter")) != c.events || shown(v.Get("wholeBucketFilter")) != c.whole {
			t.Error(out.Get("stages"))
		}
	}
	if got := d.run(`{"explain":{"delete":"weather","deletes":[{"q":{"temp":12},"limit":0}]},"verbosity":"executionStats"}`); stagesOf(got.Path("queryPlanner.winningPlan").Doc()) != "TS_MODIFY COLLSCAN" || got.Path("executionStats.executionStages.nMeasurementsDeleted").Long() != 1 {
		t.Error(got)
	}
	if n := d.run(`{"count":"weather"}`).Get("n").Long(); n != 5 {
		t.Error("explain has deleted")
	}
}

func TestAFilterOnMeasurementsUsesTheirIndex(t *testing.T) {
	d := weather(t, Options{})
	d.run(`{"createIndexes":"weather","indexes":[{"key":{"temp":1},"name":"v"},{"key":{"metadata.sensorId":1,"wind.speed":-1},"name":"w"},{"key":{"timestamp":1},"name":"t"}]}`)
	for _, c := range []struct{ filter, index, bounds string }{
		{`{"temp":{"$gt":12}}`, "v", `{ control.min.temp: [ "[MinKey, MaxKey]" ], control.max.temp: [ "[MinKey, MaxKey]" ] }`}, // its first field isn't asked
		{`{"temp":15}`, "v", `{ control.min.temp: [ "[MinKey, 15]" ], control.max.temp: [ "[15, MaxKey]" ] }`},
		{`{"metadata.sensorId":77,"wind.speed":{"$lt":10}}`, "w", `{ meta.sensorId: [ "[77, 77]" ], control.max.wind.speed: [ "[MaxKey, MinKey]" ], control.min.wind.speed: [ "(10, MinKey]" ] }`},
	} {
		out := d.run(`{"explain":{"find":"weather","filter":` + c.filter + `,"hint":"` + c.index + `"},"verbosity":"executionStats"}`)
		scan := out.Path("stages.0.$cursor.queryPlanner.winningPlan.inputStage").Doc()
		if scan.Get("indexName").Str() != c.index || scan.Get("indexBounds").String() != c.bounds {
			t.Errorf("%s: %s", c.filter, scan)
		}
		indexed, whole := d.docs(`{"find":"weather","filter":`+c.filter+`,"hint":"`+c.index+`","sort":{"_id":1}}`), d.docs(`{"find":"weather","filter":`+c.filter+`,"hint":{"$natural":1},"sort":{"_id":1}}`)
		if indexed != whole || indexed == "[]" {
			t.Errorf("%s: %s; %s", c.filter, indexed, whole)
		}
	}
	out := d.run(`{"explain":{"find":"weather","filter":{"temp":{"$lt":11.2}}},"verbosity":"executionStats"}`)
	if scan := out.Path("stages.0.$cursor.queryPlanner.winningPlan.inputStage").Doc(); scan.Get("indexName").Str() != "v" || out.Path("stages.0.$cursor.executionStats.totalDocsExamined").Long() != 1 {
		t.Error(out)
	}
	if n := len(out.Path("stages").Doc().Slice()); n != 2 {
		t.Error(n, "stages")
	}
}

func TestIndexesOnATimeSeriesAreOnItsBuckets(t *testing.T) {
	d := weather(t, Options{})
	d.run(`{"createIndexes":"weather","indexes":[{"key":{"timestamp":-1},"name":"t"},{"key":{"metadata.sensorId":1,"timestamp":1},"name":"s"},{"key":{"temp":1},"name":"temp_1"},
		{"key":{"metadata.type":1},"name":"part","partialFilterExpression":{"metadata.sensorId":{"$gt":100}}}]}`)
	if got := d.docs(`{"listIndexes":"weather"}`); got != `[ { v: 2, key: { metadata: 1, timestamp: 1 }, name: "metadata_1_timestamp_1" }, { v: 2, key: { timestamp: -1 }, name: "t" }, { v: 2, key: { metadata.sensorId: 1, timestamp: 1 }, name: "s" }, `+
		`{ v: 2, key: { temp: 1 }, name: "temp_1" }, { v: 2, key: { metadata.type: 1 }, name: "part", partialFilterExpression: { metadata.sensorId: { $gt: 100 } } } ]` {
		t.Error(got)
	}
	if got := d.docs(`{"listIndexes":"system.buckets.weather"}`); !strings.Contains(got, `key: { control.max.timestamp: -1, control.min.timestamp: -1 }, name: "t"`) || !strings.Contains(got, `key: { control.min.temp: 1, control.max.temp: 1 }, name: "temp_1", originalSpec: { v: 2, key: { temp: 1 }, name: "temp_1" }`) {
		t.Error(got)
	}
	plan := func(cmd string) string {
		t.Helper()
		return d.run(`{"explain":` + cmd + `}`).Path("stages.0.$cursor.queryPlanner.winningPlan").String()
	}
	if got := plan(`{"find":"weather","hint":{"timestamp":-1}}`); !strings.Contains(got, `indexName: "t"`) {
		t.Error(got)
	}
	if got := plan(`{"aggregate":"weather","pipeline":[{"$match":{"metadata.sensorId":77}}],"cursor":{}}`); !strings.Contains(got, `indexName: "s"`) {
		t.Error(got)
	}
	if got := d.docs(`{"find":"weather","filter":{"metadata.type":"temperature","metadata.sensorId":5578},"hint":"part","sort":{"_id":1},"projection":{"_id":1}}`); got != "[ { _id: 1 }, { _id: 2 }, { _id: 3 } ]" {
		t.Error(got)
	}
	d.run(`{"collMod":"weather","index":{"keyPattern":{"temp":1},"hidden":true}}`)
	if got := d.docs(`{"listIndexes":"weather"}`); !strings.Contains(got, `name: "temp_1", hidden: true`) {
		t.Error(got)
	}
	d.run(`{"dropIndexes":"weather","index":{"timestamp":-1}}`)
	d.run(`{"dropIndexes":"weather","index":["s","part"]}`)
	d.run(`{"dropIndexes":"weather","index":"*"}`)
	if got := d.docs(`{"listIndexes":"weather"}`); got != "[]" {
		t.Error(got)
	}
	// Without its index too the buckets that are there are gone on with.
	d.run(`{"insert":"weather","documents":[{"metadata":{"type":"temperature","sensorId":77},"timestamp":{"$date":"2021-05-18T00:59:00Z"},"temp":1,"_id":6}]}`)
	if n := d.run(`{"count":"system.buckets.weather"}`).Get("n").Long(); n != 3 {
		t.Error(n, "buckets")
	}
}
