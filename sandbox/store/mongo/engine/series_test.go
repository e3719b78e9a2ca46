package engine

import (
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// weather is the manual's own example, with two sources.
func weather(t *testing.T, opts Options) db {
	d := newDB(t, opts)
	d.run(`{"create":"weather","timeseries":{"timeField":"timestamp","metaField":"metadata"}}`)
	d.run(`{"insert":"weather","documents":[` + weatherDocs + `]}`)
	return d
}

const weatherDocs = `{"metadata":{"type":"temperature","sensorId":5578},"timestamp":{"$date":"2021-05-18T00:00:00Z"},"temp":12,"_id":1},
	{"metadata":{"sensorId":5578,"type":"temperature"},"timestamp":{"$date":"2021-05-18T00:20:10.5Z"},"temp":11,"_id":2},
	{"metadata":{"sensorId":5578,"type":"temperature"},"timestamp":{"$date":"2021-05-18T04:00:00Z"},"temp":11.5,"_id":3,"wind":{"speed":3,"from":"N"}},
	{"metadata":{"sensorId":77,"type":"temperature"},"timestamp":{"$date":"2021-05-18T00:00:30Z"},"temp":15,"_id":4},
	{"metadata":{"sensorId":77,"type":"temperature"},"timestamp":{"$date":"2021-05-18T00:10:30Z"},"_id":5,"wind":{"speed":9,"from":"S"}}`

func TestATimeSeriesIsListedAsTheServerDoes(t *testing.T) {
	d := newDB(t, Options{})
	const create = `{"create":"weather","timeseries":{"timeField":"ts","metaField":"m","granularity":"minutes"},"expireAfterSeconds":86400}`
	d.run(create)
	d.run(create)
	out := d.run(`{"listCollections":1}`).Path("cursor.firstBatch").Doc()
	buckets, series := out.At(0).Doc(), out.At(2).Doc() // between them system.views
	if got := series.String(); got != `{ name: "weather", type: "timeseries", options: { timeseries: { timeField: "ts", metaField: "m", granularity: "minutes", bucketMaxSpanSeconds: 86400 }, expireAfterSeconds: 86400 }, info: { readOnly: false } }` {
		t.Error(got)
	}
	options := buckets.Get("options").Doc()
	if buckets.Get("name").Str() != "system.buckets.weather" || buckets.Get("type").Str() != "collection" || !buckets.Get("idIndex").IsMissing() {
		t.Error(buckets)
	}
	if options.Path("validator.$jsonSchema.properties.control.properties.min.required.0").Str() != "ts" || !options.Get("clusteredIndex").Truth() || options.Path("timeseries.metaField").Str() != "m" || options.Get("expireAfterSeconds").Long() != 86400 {
		t.Error(options)
	}
	if got := d.docs(`{"listIndexes":"weather"}`); got != `[ { v: 2, key: { m: 1, ts: 1 }, name: "m_1_ts_1" } ]` {
		t.Error(got)
	}
	if got := d.docs(`{"listIndexes":"system.buckets.weather"}`); got != `[ { v: 2, key: { meta: 1, control.min.ts: 1, control.max.ts: 1 }, name: "m_1_ts_1" } ]` {
		t.Error(got)
	}
	if out := d.try(`{"create":"weather","timeseries":{"timeField":"ts"}}`); out.Get("code").Long() != 48 {
		t.Error(out)
	}
	d.run(`{"drop":"weather"}`)
	if got := d.run(`{"listCollections":1}`).Path("cursor.firstBatch").Doc().Len(); got != 0 {
		t.Error(got, "collections are left")
	}
}

func TestMeasurementsLieInBuckets(t *testing.T) {
	d := weather(t, Options{})
	got := d.docs(`{"find":"system.buckets.weather","filter":{"meta.sensorId":5578},"sort":{"control.min.timestamp":1},"projection":{"_id":0}}`)
	want := `[ { control: { version: 1, min: { timestamp: 2021-05-18T00:00:00.000Z, temp: 11, _id: 1 }, max: { timestamp: 2021-05-18T00:20:10.500Z, temp: 12, _id: 2 } }, meta: { sensorId: 5578, type: "temperature" }, ` +
		`data: { timestamp: { 0: 2021-05-18T00:00:00.000Z, 1: 2021-05-18T00:20:10.500Z }, temp: { 0: 12, 1: 11 }, _id: { 0: 1, 1: 2 } } }, ` +
		`{ control: { version: 1, min: { timestamp: 2021-05-18T04:00:00.000Z, temp: 11.5, _id: 3, wind: { speed: 3, from: "N" } }, max: { timestamp: 2021-05-18T04:00:00.000Z, temp: 11.5, _id: 3, wind: { speed: 3, from: "N" } } }, meta: { sensorId: 5578, type: "temperature" }, ` +
		`data: { timestamp: { 0: 2021-05-18T04:00:00.000Z }, temp: { 0: 11.5 }, _id: { 0: 3 }, wind: { 0: { speed: 3, from: "N" } } } } ]`
	if strings.NewReplacer("new Date(1621296000000)", "2021-05-18T00:00:00.000Z", "new Date(1621297210500)", "2021-05-18T00:20:10.500Z", "new Date(1621310400000)", "2021-05-18T04:00:00.000Z").Replace(got) != want {
		t.Errorf("%s\n%s", got, want)
	}
	// Later commands go on with the buckets that are there.
	d.run(`{"insert":"weather","documents":[{"metadata":{"type":"temperature","sensorId":77},"timestamp":{"$date":"2021-05-18T00:59:00Z"},"temp":1,"_id":6}]}`)
	if n := d.run(`{"count":"system.buckets.weather"}`).Get("n").Long(); n != 3 {
		t.Error(n, "buckets")
	}
	// Another type in a column, and a date before the bucket's, begin another bucket.
	d.run(`{"insert":"weather","documents":[{"metadata":{"type":"temperature","sensorId":77},"timestamp":{"$date":"2021-05-18T00:59:00Z"},"temp":"cold","_id":7},
		{"metadata":{"type":"temperature","sensorId":77},"timestamp":{"$date":"1969-12-31T23:59:58Z"},"temp":1,"_id":8}]}`)
	if n := d.run(`{"count":"system.buckets.weather"}`).Get("n").Long(); n != 5 {
		t.Error(n, "buckets")
	}
	if n := d.run(`{"count":"weather"}`).Get("n").Long(); n != 8 {
		t.Error(n, "measurements")
	}
}

func TestATimeSeriesIsReadLikeACollection(t *testing.T) {
	d := weather(t, Options{})
	for _, c := range []struct{ cmd, want string }{
		{`{"find":"weather","filter":{"timestamp":{"$date":"2021-05-18T00:00:00Z"}},"projection":{"timestamp":0}}`, `[ { metadata: { sensorId: 5578, type: "temperature" }, temp: 12, _id: 1 } ]`},
		{`{"find":"weather","filter":{"timestamp":{"$gte":{"$date":"2021-05-18T00:20:00Z"}}},"sort":{"timestamp":-1},"projection":{"_id":1}}`, "[ { _id: 3 }, { _id: 2 } ]"},
		{`{"find":"weather","filter":{"timestamp":{"$gt":{"$date":"2021-05-18T00:00:00Z"},"$lt":{"$date":"2021-05-18T00:20:00Z"}}},"sort":{"_id":1},"projection":{"_id":1}}`, "[ { _id: 4 }, { _id: 5 } ]"},
		{`{"find":"weather","filter":{"timestamp":{"$in":[{"$date":"2021-05-18T00:00:30Z"},{"$date":"2021-05-18T04:00:00Z"}]}},"sort":{"_id":1},"projection":{"_id":1}}`, "[ { _id: 3 }, { _id: 4 } ]"},
		{`{"find":"weather","filter":{"metadata.sensorId":77,"temp":{"$gt":3}},"projection":{"_id":1}}`, "[ { _id: 4 } ]"},
		{`{"find":"weather","filter":{"$or":[{"metadata.sensorId":77},{"temp":12}]},"sort":{"_id":1},"projection":{"_id":1}}`, "[ { _id: 1 }, { _id: 4 }, { _id: 5 } ]"},
		{`{"find":"weather","filter":{"$or":[{"metadata.sensorId":77},{"metadata.sensorId":78}],"wind":{"$exists":true}},"projection":{"_id":1}}`, "[ { _id: 5 } ]"},
		{`{"find":"weather","filter":{"metadata":{"$exists":false}}}`, "[]"},
		{`{"find":"weather","filter":{"$expr":{"$eq":["$metadata.sensorId",77]}},"sort":{"_id":-1},"limit":1,"projection":{"_id":1}}`, "[ { _id: 5 } ]"},
		{`{"find":"weather","sort":{"_id":1},"skip":1,"limit":2,"projection":{"_id":1}}`, "[ { _id: 2 }, { _id: 3 } ]"},
		{`{"find":"weather","hint":{"metadata":1,"timestamp":1},"filter":{"temp":15},"projection":{"_id":1}}`, "[ { _id: 4 } ]"},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$match":{"metadata.sensorId":5578}},{"$group":{"_id":"$metadata.sensorId","avg":{"$avg":"$temp"},"n":{"$sum":1}}}]}`, "[ { _id: 5578, avg: 11.5, n: 3 } ]"},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$setWindowFields":{"partitionBy":"$metadata.sensorId","sortBy":{"timestamp":1},"output":{"sum":{"$sum":"$temp","window":{"documents":["unbounded","current"]}}}}},{"$match":{"_id":3}},{"$project":{"sum":1}}]}`, "[ { _id: 3, sum: 34.5 } ]"},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$densify":{"field":"timestamp","partitionByFields":["metadata"],"range":{"step":1,"unit":"hour","bounds":"partition"}}},{"$match":{"metadata.sensorId":5578}},{"$count":"n"}]}`, "[ { n: 6 } ]"},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$sort":{"_id":1}},{"$limit":1},{"$lookup":{"from":"weather","localField":"temp","foreignField":"temp","as":"same"}},{"$project":{"n":{"$size":"$same"}}}]}`, "[ { _id: 1, n: 1 } ]"},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$project":{"_id":1}},{"$unionWith":{"coll":"weather","pipeline":[{"$match":{"metadata.sensorId":77}}]}},{"$count":"n"}]}`, "[ { n: 7 } ]"},
	} {
		if got := d.docs(c.cmd); got != c.want {
			t.Errorf("%s:\n%s", c.cmd, got)
		}
	}
	if got := d.run(`{"distinct":"weather","key":"metadata.sensorId"}`).Get("values").String(); got != "[ 5578, 77 ]" && got != "[ 77, 5578 ]" {
		t.Error(got)
	}
	if n := d.run(`{"count":"weather","query":{"wind.speed":{"$gte":9}}}`).Get("n").Long(); n != 1 {
		t.Error(n)
	}
	d.run(`{"create":"cold","viewOn":"weather","pipeline":[{"$match":{"temp":{"$lt":12}}}]}`)
	if got := d.docs(`{"find":"cold","sort":{"_id":1},"projection":{"_id":1}}`); got != "[ { _id: 2 }, { _id: 3 } ]" {
		t.Error(got)
	}
}

func TestCollStatsCountsWhatWasDoneWithBuckets(t *testing.T) {
	d := weather(t, Options{})
	const reopen = `{"metadata":{"sensorId":77,"type":"temperature"},"timestamp":{"$date":"2021-05-18T00:11:00Z"},"temp":`
	d.run(`{"insert":"weather","documents":[` + reopen + `1,"_id":6}]}`)
	d.run(`{"insert":"weather","documents":[` + reopen + `"warm","_id":7}]}`)
	d.run(`{"insert":"weather","documents":[{"metadata":{"sensorId":77,"type":"temperature"},"timestamp":{"$date":"2021-05-17T00:11:00Z"},"_id":8}]}`)
	want := map[string]int64{
		"bucketCount": 5, "numBucketInserts": 5, "numBucketUpdates": 1, "numBucketsOpenedDueToMetadata": 2, "numBucketsClosedDueToSchemaChange": 1, "numBucketsClosedDueToTimeForward": 1,
		"numBucketsArchivedDueToTimeBackward": 1, "numBucketsReopened": 1, "numMeasurementsCommitted": 8, "numCommits": 6, "avgNumMeasurementsPerCommit": 1, "numBucketsClosedDueToCount": 0,
	}
	for _, got := range []bsonval.Doc{
		d.run(`{"collStats":"weather"}`).Get("timeseries").Doc(),
		d.run(`{"aggregate":"weather","pipeline":[{"$collStats":{"storageStats":{}}}],"cursor":{}}`).Path("cursor.firstBatch.0.storageStats.timeseries").Doc(),
	} {
		for name, n := range want {
			if v := got.Get(name); !v.IsNumber() || v.Long() != n {
				t.Errorf("%s is %s, not %d: %s", name, v, n, got)
			}
		}
	}
}

func shown(v bsonval.Value) string {
	if v.IsMissing() {
		return ""
	}
	return v.String()
}

func TestAnUpdateOfATimeSeriesChangesSourcesAlone(t *testing.T) {
	d := weather(t, Options{})
	for _, c := range []struct {
		update string
		why    string
	}{
		{`{"q":{"metadata.sensorId":77},"u":{"$set":{"metadata.a":1}}}`, "Cannot perform a non-multi update on a time-series collection"},
		{`{"q":{"metadata.sensorId":77},"u":{"$set":{"metadata.a":1}},"multi":true,"upsert":true}`, "Cannot perform an upsert on a time-series collection"},
		{`{"q":{"temp":15},"u":{"$set":{"metadata.a":1}},"multi":true}`, "Cannot perform an update or delete on a time-series collection when querying on a field that is not the metaField 'metadata'"},
		{`{"q":{"$expr":{"$eq":[1,1]}},"u":{"$set":{"metadata.a":1}},"multi":true}`, "Cannot use $expr when performing an update or delete on a time-series collection"},
		{`{"q":{},"u":{"$set":{"temp":1}},"multi":true}`, "Cannot perform an update on a time-series collection which updates a field that is not the metaField 'metadata'"},
		{`{"q":{},"u":[{"$set":{"metadata":1}}],"multi":true}`, "Cannot perform an update on a time-series collection using a pipeline update"},
		{`{"q":{},"u":{"metadata":1},"multi":true}`, "Cannot perform an update on a time-series collection using a replacement document"},
		{`{"q":{},"u":{"$rename":{"metadata.sensorId":"sensor"}},"multi":true}`, "Cannot perform an update on a time-series collection which updates a field that is not the metaField 'metadata'"},
	} {
		out := d.try(`{"update":"weather","updates":[` + c.update + `]}`)
		if e := out.Path("writeErrors.0").Doc(); e.Get("code").Long() != 72 || e.Get("errmsg").Str() != c.why {
			t.Errorf("%s: %s", c.update, out)
		}
	}
	out := d.run(`{"update":"weather","updates":[{"q":{"$and":[{"metadata.sensorId":77}]},"u":{"$set":{"metadata.place":"roof"},"$rename":{"metadata.type":"metadata.kind"}},"multi":true}]}`)
	if out.Get("n").Long() != 2 || out.Get("nModified").Long() != 2 {
		t.Error(out)
	}
	if got := d.docs(`{"find":"weather","filter":{"metadata.place":"roof"},"sort":{"_id":1},"projection":{"metadata":1}}`); got != `[ { metadata: { kind: "temperature", place: "roof", sensorId: 77 }, _id: 4 }, { metadata: { kind: "temperature", place: "roof", sensorId: 77 }, _id: 5 } ]` {
		t.Error(got)
	}
	d.run(`{"create":"bare","timeseries":{"timeField":"t"}}`)
	out = d.try(`{"update":"bare","updates":[{"q":{},"u":{"$set":{"a":1}},"multi":true}]}`)
	if got := out.Path("writeErrors.0.errmsg").Str(); got != "Cannot perform an update on a time-series collection that does not have a metaField" {
		t.Error(got)
	}
}

func TestMeasurementsAreDeletedByAnyFilter(t *testing.T) {
	d := weather(t, Options{})
	left := func(want string) {
		t.Helper()
		if got := d.docs(`{"find":"weather","sort":{"_id":1},"projection":{"_id":1}}`); got != want {
			t.Error(got)
		}
	}
	if out := d.run(`{"delete":"weather","deletes":[{"q":{"temp":{"$gte":12}},"limit":0}]}`); out.Get("n").Long() != 2 {
		t.Error(out)
	}
	left("[ { _id: 2 }, { _id: 3 }, { _id: 5 } ]")
	got := d.docs(`{"find":"system.buckets.weather","filter":{"control.max._id":2},"projection":{"control.min":1,"data":1,"_id":0}}`)
	if !strings.Contains(got, "temp: { 0: 11 }") || !strings.Contains(got, "min: { timestamp: new Date(1621296000000)") {
		t.Error(got)
	}
	if out := d.run(`{"delete":"weather","deletes":[{"q":{"metadata.type":"temperature"},"limit":1}]}`); out.Get("n").Long() != 1 {
		t.Error(out)
	}
	if n := d.run(`{"count":"weather"}`).Get("n").Long(); n != 2 {
		t.Error(n)
	}
	out := d.run(`{"findAndModify":"weather","query":{"_id":3},"remove":true}`)
	if out.Path("value.temp").Double() != 11.5 && out.Path("value._id").Long() != 0 {
		t.Error(out)
	}
	d.run(`{"delete":"weather","deletes":[{"q":{},"limit":0}]}`)
	left("[]")
	if n := d.run(`{"count":"system.buckets.weather"}`).Get("n").Long(); n != 0 {
		t.Error(n, "empty buckets are left")
	}
	if out := d.run(`{"validate":"weather"}`); !out.Get("valid").Truth() {
		t.Error(out)
	}
}

func TestWhatATimeSeriesRefuses(t *testing.T) {
	d := weather(t, Options{})
	d.run(`{"insert":"plain","documents":[{"_id":1}]}`)
	for _, c := range []struct {
		cmd  string
		code int64
	}{
		{`{"create":"x","timeseries":""}`, 14},
		{`{"create":"x","timeseries":{}}`, 40414},
		{`{"create":"x","timeseries":{"timeField":100}}`, 14},
		{`{"create":"x","timeseries":{"timeField":"t","other":1}}`, 40415},
		{`{"create":"x","timeseries":{"timeField":"a.b"}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","metaField":"a.b"}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","metaField":"t"}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","metaField":"_id"}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","granularity":"days"}}`, 2},
		{`{"create":"x","timeseries":{"timeField":"t","granularity":"seconds","bucketMaxSpanSeconds":10}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","granularity":"seconds","bucketRoundingSeconds":60}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","bucketMaxSpanSeconds":100}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","bucketMaxSpanSeconds":100,"bucketRoundingSeconds":50}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t","bucketMaxSpanSeconds":-1,"bucketRoundingSeconds":-1}}`, 2},
		{`{"create":"x","timeseries":{"timeField":"t","bucketMaxSpanSeconds":31536001,"bucketRoundingSeconds":31536001}}`, 2},
		{`{"create":"x","timeseries":{"timeField":"t"},"capped":true,"size":100}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t"},"validator":{}}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t"},"viewOn":"plain"}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t"},"clusteredIndex":true}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t"},"expireAfterSeconds":-1}`, 72},
		{`{"create":"x","timeseries":{"timeField":"t"},"expireAfterSeconds":"1"}`, 14},
		{`{"create":"system.buckets.x","timeseries":{"timeField":"t"}}`, 73},
		{`{"insert":"system.buckets.none","documents":[{}]}`, 73},
		{`{"createIndexes":"weather","indexes":[{"key":{"metadata":1},"name":"i","unique":true}]}`, 72},
		{`{"createIndexes":"weather","indexes":[{"key":{"metadata":"text"},"name":"i"}]}`, 72},
		{`{"createIndexes":"weather","indexes":[{"key":{"temp":"hashed"},"name":"i"}]}`, 67},
		{`{"createIndexes":"weather","indexes":[{"key":{"temp":1},"name":"i","sparse":true}]}`, 72},
		{`{"createIndexes":"weather","indexes":[{"key":{"timestamp":1},"name":"i","expireAfterSeconds":10}]}`, 72},
		{`{"createIndexes":"weather","indexes":[{"key":{"$**":1},"name":"i"}]}`, 67},
		{`{"dropIndexes":"weather","index":"_id_"}`, 5979800},
		{`{"dropIndexes":"weather","index":"none"}`, 27},
		{`{"find":"weather","hint":{"temp":1}}`, 2},
		{`{"convertToCapped":"weather","size":100}`, 166},
		{`{"collMod":"weather","validator":{}}`, 72},
		{`{"collMod":"weather","viewOn":"plain","pipeline":[]}`, 72},
		{`{"collMod":"weather","timeseries":{"bucketMaxSpanSeconds":100}}`, 72},
		{`{"collMod":"weather","index":{"name":"_id_","hidden":true}}`, 27},
		{`{"collMod":"weather","index":{"name":"metadata_1_timestamp_1","expireAfterSeconds":10}}`, 72},
		{`{"collMod":"system.buckets.weather","validator":{}}`, 73},
		{`{"collMod":"plain","timeseries":{"granularity":"hours"}}`, 72},
		{`{"collMod":"plain","expireAfterSeconds":10}`, 72},
		{`{"findAndModify":"weather","query":{},"update":{"$set":{"metadata":1}}}`, 72},
		{`{"findAndModify":"weather","query":{},"remove":true,"sort":{"temp":1}}`, 72},
		{`{"aggregate":"plain","cursor":{},"pipeline":[{"$merge":"weather"}]}`, 166},
		{`{"aggregate":"weather","cursor":{},"pipeline":[{"$changeStream":{}}]}`, 166},
		{`{"aggregate":"plain","cursor":{},"pipeline":[{"$out":{"db":"test","coll":"plain","timeseries":{"timeField":"t"}}}]}`, 7268700},
		{`{"aggregate":"plain","cursor":{},"pipeline":[{"$out":{"db":"test","coll":"weather","timeseries":{"timeField":"t"}}}]}`, 7406103},
	} {
		out := d.try(c.cmd)
		code := out.Get("code").Long()
		if e := out.Path("writeErrors.0.code"); !e.IsMissing() {
			code = e.Long()
		}
		if code != c.code {
			t.Errorf("%s: %s", c.cmd, out)
		}
	}
	if out, err := d.e.Run(t.Context(), "admin", parseJSON(t, `{"renameCollection":"test.weather","to":"test.w"}`)); err != nil || out.Get("code").Long() != 166 {
		t.Error(out, err)
	}
	for _, doc := range []string{`{"x":1}`, `{"timestamp":5}`, `{"timestamp":null}`, `{"timestamp":[{"$date":"2021-05-18T00:00:00Z"}]}`} {
		out := d.try(`{"insert":"weather","documents":[` + doc + `,{"timestamp":{"$date":"2022-05-18T00:00:00Z"}}],"ordered":false}`)
		e := out.Path("writeErrors.0").Doc()
		if out.Get("n").Long() != 1 || e.Get("code").Long() != 2 || e.Get("errmsg").Str() != "'timestamp' must be present and contain a valid BSON UTC datetime value" {
			t.Error(doc, out)
		}
	}
}

func TestATimeSeriesExpires(t *testing.T) {
	now := time.Date(2021, 5, 18, 6, 0, 0, 0, time.UTC)
	d := weather(t, Options{Clock: func() time.Time { return now }})
	d.run(`{"collMod":"weather","expireAfterSeconds":3600}`)
	d.e.Sweep(t.Context())
	if got := d.docs(`{"find":"weather","projection":{"_id":1}}`); got != "[ { _id: 3 } ]" {
		t.Error(got)
	}
	d.run(`{"collMod":"weather","expireAfterSeconds":"off"}`)
	now = now.Add(24 * time.Hour)
	d.e.Sweep(t.Context())
	if n := d.run(`{"count":"weather"}`).Get("n").Long(); n != 1 {
		t.Error("it expires without being asked to")
	}
	d.run(`{"insert":"weather","documents":[` + weatherDocs + `]}`)
	d.run(`{"createIndexes":"weather","indexes":[{"key":{"timestamp":1},"name":"ttl","expireAfterSeconds":60,"partialFilterExpression":{"metadata.sensorId":77}}]}`)
	d.e.Sweep(t.Context())
	if n := d.run(`{"count":"weather","query":{"metadata.sensorId":77}}`).Get("n").Long(); n != 0 {
		t.Error(n)
	}
	if n := d.run(`{"count":"weather"}`).Get("n").Long(); n != 4 {
		t.Error(n)
	}
}

func TestGranularityOnlyGrows(t *testing.T) {
	d := weather(t, Options{})
	d.run(`{"collMod":"weather","timeseries":{"granularity":"hours"}}`)
	if out := d.try(`{"collMod":"weather","timeseries":{"granularity":"minutes"}}`); out.Get("code").Long() != 72 {
		t.Error(out)
	}
	for _, name := range []string{"weather", "system.buckets.weather"} {
		out := d.run(`{"listCollections":1,"filter":{"name":"` + name + `"}}`)
		if got := out.Path("cursor.firstBatch.0.options.timeseries").String(); got != `{ timeField: "timestamp", metaField: "metadata", granularity: "hours", bucketMaxSpanSeconds: 2592000 }` {
			t.Error(got)
		}
	}
	d.run(`{"insert":"weather","documents":[{"metadata":{"sensorId":5578,"type":"temperature"},"timestamp":{"$date":"2021-06-01T00:00:00Z"},"temp":1,"_id":9}]}`)
	if got := d.docs(`{"find":"weather","filter":{"timestamp":{"$gte":{"$date":"2021-05-18T00:10:00Z"}}},"sort":{"_id":1},"projection":{"_id":1}}`); got != "[ { _id: 2 }, { _id: 3 }, { _id: 5 }, { _id: 9 } ]" {
		t.Error(got)
	}
	d.run(`{"collMod":"weather","timeseries":{"bucketMaxSpanSeconds":31536000,"bucketRoundingSeconds":31536000}}`)
	if got := d.run(`{"listCollections":1,"filter":{"name":"weather"}}`).Path("cursor.firstBatch.0.options.timeseries").String(); got != `{ timeField: "timestamp", metaField: "metadata", bucketRoundingSeconds: 31536000, bucketMaxSpanSeconds: 31536000 }` {
		t.Error(got)
	}
}

func TestABucketHoldsAThousandMeasurements(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	insert := func(from, to int) {
		var b strings.Builder
		for i := from; i < to; i++ {
			if i > from {
				b.WriteByte(',')
			}
			b.WriteString(`{"t":{"$date":{"$numberLong":"` + itoa(1_600_000_000_000+i) + `"}},"m":` + itoa(i%2) + `,"v":` + itoa(i) + `}`)
		}
		d.run(`{"insert":"s","documents":[` + b.String() + `]}`)
	}
	insert(0, 3500)
	for i := 3500; i < 3520; i++ {
		insert(i, i+1)
	}
	got := d.docs(`{"aggregate":"system.buckets.s","cursor":{},"pipeline":[{"$project":{"meta":1,"n":{"$size":{"$objectToArray":"$data.v"}}}},{"$group":{"_id":"$meta","n":{"$push":"$n"}}},{"$sort":{"_id":1}}]}`)
	if got != "[ { _id: 0, n: [ 1000, 760 ] }, { _id: 1, n: [ 1000, 760 ] } ]" {
		t.Error(got)
	}
	if got := d.docs(`{"aggregate":"s","cursor":{},"pipeline":[{"$group":{"_id":null,"n":{"$sum":1},"v":{"$sum":"$v"}}}]}`); got != "[ { _id: null, n: 3520, v: "+itoa(3520*3519/2)+" } ]" {
		t.Error(got)
	}
	stats := d.run(`{"collStats":"s"}`)
	if stats.Get("ns").Str() != "test.s" || stats.Path("timeseries.bucketsNs").Str() != "test.system.buckets.s" || stats.Path("timeseries.bucketCount").Long() != 4 {
		t.Error(stats)
	}
	if got := d.docs(`{"aggregate":"s","cursor":{},"pipeline":[{"$collStats":{"storageStats":{}}}]}`); !strings.Contains(got, "bucketCount: 4") {
		t.Error(got)
	}
}

func TestOutMakesATimeSeries(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"raw","documents":[{"_id":1,"t":{"$date":"2021-05-18T00:00:00Z"},"v":1},{"_id":2,"t":{"$date":"2021-05-18T00:01:00Z"},"v":2}]}`)
	const out = `{"aggregate":"raw","cursor":{},"pipeline":[{"$out":{"db":"test","coll":"series","timeseries":{"timeField":"t"}}}]}`
	d.run(out)
	d.run(out)
	d.run(`{"aggregate":"raw","cursor":{},"pipeline":[{"$match":{"v":2}},{"$out":"series"}]}`)
	if got := d.docs(`{"find":"series","projection":{"t":0}}`); got != "[ { _id: 2, v: 2 } ]" {
		t.Error(got)
	}
	if got := d.run(`{"listCollections":1,"filter":{"name":"series"}}`).Path("cursor.firstBatch.0.type").Str(); got != "timeseries" {
		t.Error(got)
	}
	d.run(`{"insert":"raw","documents":[{"_id":3}]}`)
	if res := d.try(out); res.Get("ok").Double() != 0 {
		t.Error(res)
	}
	if n := d.run(`{"count":"series"}`).Get("n").Long(); n != 1 {
		t.Error("a failed $out has changed the collection")
	}
}

func TestBucketsThatAreWrittenDirectlyAreChecked(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	bucket := func(id, control, data string) string {
		return `{"insert":"system.buckets.s","documents":[{"_id":{"$oid":"` + id + `"},"control":` + control + `,"meta":1,"data":` + data + `}]}`
	}
	const id, at = "60a30380abcdefabcdefabcd", `{"$date":"2021-05-18T00:00:00Z"}`
	const control, data = `{"version":1,"min":{"t":` + at + `},"max":{"t":` + at + `}}`, `{"t":{"0":` + at + `}}`
	for _, cmd := range []string{
		`{"insert":"system.buckets.s","documents":[{"a":1}]}`,
		bucket("60a30381abcdefabcdefabcd", control, data),
		bucket(id, strings.Replace(control, `"version":1`, `"version":2`, 1), data),
		bucket(id, `{"version":1}`, data),
		bucket(id, control, `{}`),
		bucket(id, control, `{"t":{"1":`+at+`}}`),
		bucket(id, control, `{"t":{"0":`+at+`},"v":{"1":5}}`),
		bucket(id, control, `{"t":{"0":`+at+`},"v":[5]}`),
		bucket(id, control, `{"t":{"0":`+at+`},"m":{"0":5}}`),
	} {
		if out := d.try(cmd); out.Get("n").Long() != 0 {
			t.Error(cmd, out)
		}
	}
	d.run(bucket(id, control, data))
	if got := d.docs(`{"find":"s","projection":{"t":0}}`); got != "[ { m: 1 } ]" {
		t.Error(got)
	}
	d.run(`{"insert":"s","documents":[{"t":{"$date":"2021-05-18T00:10:00Z"},"m":1,"v":5,"_id":1}]}`)
	if n := d.run(`{"count":"system.buckets.s"}`).Get("n").Long(); n != 1 {
		t.Error(n)
	}
	if out := d.try(`{"update":"system.buckets.s","updates":[{"q":{},"u":{"$set":{"data":{}}}}]}`); out.Get("nModified").Long() != 0 {
		t.Error(out)
	}
}
