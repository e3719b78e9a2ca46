package engine

import (
	"fmt"
	"strings"
	"testing"
)

// TestA2dsphereIndexOnMeasurements asks the same of two time series, one with the index
// and one without, whose buckets hold places all over the world.
func TestA2dsphereIndexOnMeasurements(t *testing.T) {
	d := newDB(t, Options{})
	var docs []string
	for i := range 60 {
		loc := fmt.Sprintf(`"loc":{"type":"Point","coordinates":[%d,%d]},`, i*6-180, i*2-60)
		switch {
		case i%9 == 0:
			loc = `` // no place at all
		case i%9 == 1:
			loc = fmt.Sprintf(`"loc":[%d,%d],`, i*6-180, i*2-60)
		}
		docs = append(docs, fmt.Sprintf(`{%s"_id":%d,"m":%d,"t":{"$date":"2024-01-16T20:48:%02dZ"},"at":{"p":{"type":"Point","coordinates":[%d,%d]}}}`, loc, i, i/4, i, i*6-180, i*2-60))
	}
	for _, name := range []string{"bare", "indexed"} {
		d.run(`{"create":"` + name + `","timeseries":{"timeField":"t","metaField":"m"}}`)
		if name == "indexed" { // one before the measurements and one after
			d.run(`{"createIndexes":"indexed","indexes":[{"key":{"loc":"2dsphere"},"name":"loc_2dsphere"}]}`)
		}
		d.run(`{"insert":"` + name + `","documents":[` + strings.Join(docs, ",") + `]}`)
	}
	d.run(`{"createIndexes":"indexed","indexes":[{"key":{"m":1,"at.p":"2dsphere"},"name":"deep"}]}`)
	for _, where := range []string{
		`{"loc":{"$geoWithin":{"$centerSphere":[[0,0],0.3]}}}`,
		`{"loc":{"$geoWithin":{"$geometry":{"type":"Polygon","coordinates":[[[-100,-50],[-20,-50],[-20,20],[-100,20],[-100,-50]]]}}}}`,
		`{"loc":{"$geoIntersects":{"$geometry":{"type":"Point","coordinates":[-168,-56]}}}}`,
		`{"loc":{"$geoIntersects":{"$geometry":{"type":"LineString","coordinates":[[-168,-56],[-156,-52]]}}},"m":0}`,
		`{"at.p":{"$geoWithin":{"$centerSphere":[[-174,-58],0.2]}},"m":0}`,
		`{"at.p":{"$geoWithin":{"$centerSphere":[[10,10],0.5]}},"m":{"$gte":3}}`,
		`{"$or":[{"loc":{"$geoWithin":{"$centerSphere":[[0,0],0.2]}}},{"m":3}]}`,
		`{"loc":{"$not":{"$geoWithin":{"$centerSphere":[[0,0],0.5]}}}}`,
		`{"$nor":[{"loc":{"$geoWithin":{"$centerSphere":[[0,0],0.5]}}}]}`,
	} {
		ask := func(name string) string {
			return d.docs(`{"find":"` + name + `","filter":` + where + `,"sort":{"_id":1},"projection":{"_id":1}}`)
		}
		bare, indexed := ask("bare"), ask("indexed")
		if bare != indexed || bare == "[  ]" || bare == "[]" {
			t.Errorf("%s:\n %s\n %s", where, bare, indexed)
		}
	}

	explained := func(where string) string {
		return d.run(`{"explain":{"aggregate":"indexed","pipeline":[{"$match":` + where + `}],"cursor":{}},"verbosity":"executionStats"}`).String()
	}
	got := explained(`{"loc":{"$geoWithin":{"$centerSphere":[[-168,-56],0.02]}}}`)
	for _, part := range []string{`stage: "IXSCAN"`, `keyPattern: { data.loc: "2dsphere_bucket" }`, `$_internalBucketGeoWithin: { withinRegion: { $centerSphere:`, `field: "loc" }`, `totalDocsExamined: 1,`} {
		if !strings.Contains(got, part) {
			t.Errorf("%s is missing of %s", part, got)
		}
	}
	if got := explained(`{"m":2,"at.p":{"$geoWithin":{"$centerSphere":[[-174,-58],0.2]}}}`); !strings.Contains(got, `keyPattern: { meta: 1, data.at.p: "2dsphere_bucket" }`) {
		t.Error(got)
	}
	if got := explained(`{"loc":{"$not":{"$geoWithin":{"$centerSphere":[[0,0],0.5]}}}}`); strings.Contains(got, `IXSCAN`) {
		t.Error(got)
	}

	got = d.docs(`{"listIndexes":"indexed"}`)
	if !strings.Contains(got, `key: { loc: "2dsphere" }, name: "loc_2dsphere" }`) {
		t.Error(got)
	}
	if got := d.docs(`{"listIndexes":"system.buckets.indexed"}`); !strings.Contains(got, `key: { data.loc: "2dsphere_bucket" }`) {
		t.Error(got)
	}

	// The index leaves out the buckets without any place, so it can't answer alone.
	d.run(`{"insert":"indexed","documents":[{"_id":77,"m":77,"t":{"$date":"2024-01-16T20:48:01Z"}}]}`)
	if n := d.run(`{"count":"indexed","query":{"m":77}}`).Get("n").Long(); n != 1 {
		t.Error(n)
	}

	// What is deleted is found no more, and what is no place cannot come in.
	d.run(`{"delete":"indexed","deletes":[{"q":{"loc":{"$geoWithin":{"$centerSphere":[[-168,-56],0.02]}}},"limit":0}]}`)
	if got := d.docs(`{"find":"indexed","filter":{"loc":{"$geoWithin":{"$centerSphere":[[-168,-56],0.02]}}}}`); got != "[]" && got != "[  ]" {
		t.Error(got)
	}
	out := d.try(`{"insert":"indexed","documents":[{"_id":99,"m":9,"t":{"$date":"2024-01-16T20:48:01Z"},"loc":{"type":"Point","coordinates":["x",1]}}]}`)
	if code := out.Path("writeErrors.0.code").Long(); code != 16755 {
		t.Error(out)
	}
	if out := d.run(`{"count":"indexed","query":{"_id":99}}`); out.Get("n").Long() != 0 {
		t.Error(out)
	}

	d.run(`{"dropIndexes":"indexed","index":{"loc":"2dsphere"}}`)
	for index, code := range map[string]int64{
		`{"key":{"t":"2dsphere"},"name":"x"}`:               67,
		`{"key":{"loc":"2dsphere_bucket"},"name":"x"}`:      67,
		`{"key":{"loc":"2d"},"name":"x"}`:                   67,
		`{"key":{"data.loc":"2dsphere_bucket"},"name":"x"}`: 67,
	} {
		if out := d.try(`{"createIndexes":"indexed","indexes":[` + index + `]}`); out.Get("code").Long() != code {
			t.Error(index, out)
		}
	}
	d.run(`{"create":"plain"}`)
	if out := d.try(`{"createIndexes":"plain","indexes":[{"key":{"data.loc":"2dsphere_bucket"},"name":"x"}]}`); out.Get("code").Long() != 67 {
		t.Error(out)
	}
}

// TestCompressedPlacesAreIndexed builds the index over buckets as a real server keeps them.
func TestCompressedPlacesAreIndexed(t *testing.T) {
	d := compressedSeries(t)
	d.run(`{"createIndexes":"s","indexes":[{"key":{"where":"2dsphere"},"name":"where"}]}`)
	d.run(`{"insert":"s","documents":[{"_id":1,"t":{"$date":"2024-01-16T20:48:50Z"},"m":{"sensorId":4},"where":{"type":"Point","coordinates":[1,2]}}]}`)
	if n := d.run(`{"count":"s","query":{"where":{"$geoWithin":{"$centerSphere":[[1,2],0.01]}}}}`).Get("n").Long(); n != 1 {
		t.Error(n)
	}
	if out := d.try(`{"createIndexes":"s","indexes":[{"key":{"a":"2dsphere"},"name":"a"}]}`); out.Get("code").Long() != 16755 { // numbers are no places
		t.Error(out)
	}
}

// TestIndexedMeasurementsAreNoArrays: the least and the greatest of arrays don't bound
// what is in them.
func TestIndexedMeasurementsAreNoArrays(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"create":"s","timeseries":{"timeField":"t","metaField":"m"}}`)
	d.run(`{"createIndexes":"s","indexes":[{"key":{"a":1},"name":"a"},{"key":{"m.x":1,"b.c":-1},"name":"bc"}]}`)
	const at = `"t":{"$date":"2024-01-16T20:48:01Z"}`
	out := d.try(`{"insert":"s","ordered":false,"documents":[{"_id":0,` + at + `,"a":1,"z":[1]},{"_id":1,` + at + `,"a":[1]},{"_id":2,` + at + `,"b":[{"c":1}]},
		{"_id":3,` + at + `,"b":{"c":[]}},{"_id":4,` + at + `,"b":{"c":{"d":[1]}}},{"_id":5,` + at + `,"b":5,"m":{"x":[1,2]}}]}`)
	if out.Get("n").Long() != 3 || out.Get("writeErrors").Doc().Len() != 3 {
		t.Error(out)
	}
	for i := range 3 {
		if e := out.Get("writeErrors").Doc().Path(string(rune('0' + i))).Doc(); e.Get("code").Long() != 5930501 || e.Get("index").Long() != int64(i+1) {
			t.Error(e)
		}
	}
	if got := d.docs(`{"find":"s","projection":{"_id":1},"sort":{"_id":1}}`); got != `[ { _id: 0 }, { _id: 4 }, { _id: 5 } ]` {
		t.Error(got)
	}
	for key, code := range map[string]int64{`{"z":1}`: 5930501, `{"a":1,"b.c.d":1}`: 5930501, `{"b.c.e":1}`: 0, `{"b":-1}`: 0} {
		if out := d.try(`{"createIndexes":"s","indexes":[{"key":` + key + `,"name":"new"}]}`); out.Get("code").Long() != code {
			t.Error(key, out)
		}
		d.try(`{"dropIndexes":"s","index":"new"}`)
	}
}
