package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const places = `{"insert":"p","documents":[
	{"_id":"park","loc":{"type":"Point","coordinates":[-73.9654,40.7829]},"k":1},
	{"_id":"times","loc":{"type":"Point","coordinates":[-73.9855,40.7580]},"k":2},
	{"_id":"bridge","loc":{"type":"LineString","coordinates":[[-73.9969,40.7061],[-73.9903,40.7019]]},"k":1},
	{"_id":"liberty","loc":{"type":"Polygon","coordinates":[[[-74.0465,40.6885],[-74.0435,40.6885],[-74.0435,40.6905],[-74.0465,40.6905],[-74.0465,40.6885]]]},"k":2},
	{"_id":"legacy","loc":[-73.98,40.75],"k":1},{"_id":"none","k":1}]}`

func TestGeospatialQueriesOnTheSphere(t *testing.T) {
	d := newDB(t, Options{})
	d.run(places)
	const near = `{"find":"p","filter":{"loc":{"$near":{"$geometry":{"type":"Point","coordinates":[-73.9855,40.7580]},"$maxDistance":4000}}},"projection":{"_id":1}}`
	if out := d.try(near); out.Get("code").Long() != 291 {
		t.Error(out)
	}
	box := `{"type":"Polygon","coordinates":[[[-74.05,40.68],[-73.97,40.68],[-73.97,40.76],[-74.05,40.76],[-74.05,40.68]]]}`
	queries := map[string]string{
		`{"loc":{"$geoWithin":{"$geometry":` + box + `}}}`:                                                                           `[ { _id: "bridge" }, { _id: "legacy" }, { _id: "liberty" }, { _id: "times" } ]`,
		`{"loc":{"$geoWithin":{"$centerSphere":[[-73.98,40.75],0.0003]}}}`:                                                           `[ { _id: "legacy" }, { _id: "times" } ]`,
		`{"loc":{"$geoIntersects":{"$geometry":{"type":"Point","coordinates":[-74.045,40.689]}}}}`:                                   `[ { _id: "liberty" } ]`,
		`{"loc":{"$geoIntersects":{"$geometry":{"type":"LineString","coordinates":[[-73.9969,40.7019],[-73.9903,40.7061]]}}},"k":1}`: `[ { _id: "bridge" } ]`,
		`{"loc":{"$geoWithin":{"$box":[[-73.99,40.74],[-73.97,40.76]]}}}`:                                                            `[ { _id: "legacy" }, { _id: "times" } ]`,
	}
	check := func() {
		for q, want := range queries {
			if got := d.docs(`{"find":"p","filter":` + q + `,"sort":{"_id":1},"projection":{"_id":1}}`); got != want {
				t.Errorf("%s: %s", q, got)
			}
		}
	}
	check()
	d.run(`{"createIndexes":"p","indexes":[{"key":{"loc":"2dsphere","k":1},"name":"loc_2dsphere"}]}`)
	check()
	if got := d.docs(near); got != `[ { _id: "times" }, { _id: "legacy" }, { _id: "park" } ]` {
		t.Error(got)
	}
	out := d.run(`{"explain":` + near + `,"verbosity":"executionStats"}`)
	if got := stagesOf(out.Path("queryPlanner.winningPlan").Doc()); got != "PROJECTION_SIMPLE GEO_NEAR_2DSPHERE FETCH IXSCAN" {
		t.Error(got)
	}
	got := d.docs(`{"aggregate":"p","pipeline":[{"$geoNear":{"near":{"type":"Point","coordinates":[-73.9855,40.7580]},"distanceField":"d","query":{"k":2},"maxDistance":100}},{"$project":{"d":1}}],"cursor":{}}`)
	if got != `[ { _id: "times", d: 0.0 } ]` {
		t.Error(got)
	}
	got = d.docs(`{"aggregate":"p","pipeline":[{"$geoNear":{"near":{"type":"Point","coordinates":[-73.9855,40.7580]},"distanceField":"d"}},{"$match":{"_id":"park"}},{"$project":{"d":{"$round":["$d"]}}}],"cursor":{}}`)
	if got != `[ { _id: "park", d: 3249.0 } ]` {
		t.Error(got)
	}
	if out := d.try(`{"insert":"p","documents":[{"loc":{"type":"Point","coordinates":[200,10]}}]}`); out.Path("writeErrors.0.code").Long() != 16755 {
		t.Error(out)
	}
}

func TestA2dIndexFindsOnThePlane(t *testing.T) {
	d := newDB(t, Options{})
	r := rand.New(rand.NewPCG(1, 2))
	var docs []string
	for i := range 300 {
		docs = append(docs, fmt.Sprintf(`{"_id":%d,"at":[%d,%d]}`, i, r.IntN(100)-50, r.IntN(100)-50))
	}
	d.run(`{"insert":"q","documents":[` + strings.Join(docs, ",") + `]}`)
	queries := []string{`{"$box":[[-10,-10],[20,5]]}`, `{"$center":[[3,4],12]}`, `{"$polygon":[[0,0],[30,0],[0,40]]}`}
	ask := func() (out []string) {
		for _, q := range queries {
			out = append(out, d.docs(`{"find":"q","filter":{"at":{"$geoWithin":`+q+`}},"sort":{"_id":1}}`))
		}
		return out
	}
	before := ask()
	d.run(`{"createIndexes":"q","indexes":[{"key":{"at":"2d"},"name":"at_2d"}]}`)
	for i, got := range ask() {
		if got != before[i] || got == "[]" {
			t.Errorf("%s: %s without an index, %s with", queries[i], before[i], got)
		}
	}
	if got := stagesOf(d.run(`{"explain":{"find":"q","filter":{"at":{"$geoWithin":{"$center":[[3,4],12]}}}}}`).Path("queryPlanner.winningPlan").Doc()); got != "FETCH IXSCAN" {
		t.Error(got)
	}
	near := d.run(`{"find":"q","filter":{"at":{"$near":[0,0],"$maxDistance":10}}}`).Path("cursor.firstBatch").Doc()
	last, n := 0.0, 0
	for v := range near.Values() {
		x, y := v.Doc().Path("at.0").Float(), v.Doc().Path("at.1").Float()
		if dist := x*x + y*y; dist < last || dist > 100 {
			t.Errorf("%s is not in its place", v)
		} else {
			last = dist
		}
		n++
	}
	if n == 0 {
		t.Error("nothing is near")
	}
}

func TestA2dsphereIndexFindsWhatNoIndexFinds(t *testing.T) {
	d := newDB(t, Options{})
	r := rand.New(rand.NewPCG(3, 4))
	point := func(spread float64) string {
		return fmt.Sprintf("[%.4f,%.4f]", 160+r.Float64()*spread, -5+r.Float64()*spread)
	}
	var docs []string
	for i := range 400 {
		switch i % 3 {
		case 0:
			docs = append(docs, fmt.Sprintf(`{"_id":%d,"g":{"type":"Point","coordinates":%s}}`, i, point(10)))
		case 1:
			docs = append(docs, fmt.Sprintf(`{"_id":%d,"g":{"type":"LineString","coordinates":[%s,%s]}}`, i, point(10), point(10)))
		default:
			x, y := 160+r.Float64()*9, -5+r.Float64()*9
			docs = append(docs, fmt.Sprintf(`{"_id":%d,"g":%s}`, i, square(x, y, r.Float64())))
		}
	}
	d.run(`{"insert":"q","documents":[` + strings.Join(docs, ",") + `]}`)
	var queries []string
	for range 8 {
		x, y, side := 160+r.Float64()*9, -5+r.Float64()*9, r.Float64()*4
		queries = append(queries, `{"$geoWithin":{"$geometry":`+square(x, y, side)+`}}`, `{"$geoIntersects":{"$geometry":`+square(x, y, side)+`}}`,
			fmt.Sprintf(`{"$geoWithin":{"$centerSphere":[%s,%f]}}`, point(10), r.Float64()*0.05),
			`{"$geoIntersects":{"$geometry":{"type":"LineString","coordinates":[`+point(10)+`,`+point(10)+`]}}}`)
	}
	ask := func(q string) string {
		return d.docs(`{"find":"q","filter":{"g":` + q + `},"sort":{"_id":1},"projection":{"_id":1},"batchSize":1000}`)
	}
	var before []string
	for _, q := range queries {
		before = append(before, ask(q))
	}
	d.run(`{"createIndexes":"q","indexes":[{"key":{"g":"2dsphere"},"name":"g_2dsphere"}]}`)
	for i, q := range queries {
		if got := ask(q); got != before[i] {
			t.Errorf("%s: %s without an index, %s with", q, before[i], got)
		}
	}
}

func square(x, y, side float64) string {
	return fmt.Sprintf(`{"type":"Polygon","coordinates":[[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]]}`, x, y, x+side, y, x+side, y+side, x, y+side, x, y)
}

// The server's rules of which documents are in a geospatial index, and which index
// serves which search.
func TestGeospatialIndexesAndSearches(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"createIndexes":"s","indexes":[{"key":{"l":"2dsphere"},"name":"l"}]}`)
	d.run(`{"createIndexes":"f","indexes":[{"key":{"l":"2d"},"name":"l","bits":20}]}`)
	for doc, codes := range map[string][2]int64{
		`{"l":[1,2]}`: {0, 0}, `{"l":[180,90]}`: {0, 0}, `{"l":[180,91]}`: {16755, 0}, `{"l":[181,0]}`: {16755, 13027}, `{"l":[]}`: {0, 0}, `{"l":null}`: {0, 0}, `{}`: {0, 0},
		`{"l":"x"}`: {16755, 0}, `{"l":[1]}`: {16755, 13068}, `{"l":["x","y"]}`: {16755, 16804}, `{"l":[1,"y"]}`: {16755, 13026}, `{"l":{"x":1,"y":2,"z":"w"}}`: {0, 0},
		`{"l":[[1,2],[3,4]]}`: {16755, 0}, `{"l":{"type":"Point","coordinates":[1,2]}}`: {0, 16804}, `{"l":[{"type":"Point","coordinates":[1,2]}]}`: {16755, 13026},
		`{"l":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]],"crs":{"type":"name","properties":{"name":"urn:x-mongodb:crs:strictwinding:EPSG:4326"}}}}`: {16755, 16804},
	} {
		for i, coll := range []string{"s", "f"} {
			out := d.try(`{"insert":"` + coll + `","documents":[` + doc + `]}`)
			code := int64(0)
			if v := out.Path("writeErrors.0.code"); !v.IsMissing() {
				code = v.Long()
			}
			if code != codes[i] {
				t.Errorf("%s %s: %d", coll, doc, code)
			}
		}
	}
	for cmd, want := range map[string]int64{
		`{"createIndexes":"e","indexes":[{"key":{"l":"2d"},"name":"l","bits":33}]}`:                                                         72,
		`{"createIndexes":"e","indexes":[{"key":{"l":"2d"},"name":"l","min":"x"}]}`:                                                         14,
		`{"createIndexes":"e","indexes":[{"key":{"l":"2dsphere"},"name":"l","2dsphereIndexVersion":4}]}`:                                    67,
		`{"createIndexes":"e","indexes":[{"key":{"l":"2dsphere"},"name":"l","finestIndexedLevel":31}]}`:                                     16748,
		`{"createIndexes":"s","indexes":[{"key":{"l":"2dsphere"},"name":"l","2dsphereIndexVersion":2}]}`:                                    0, // the same index
		`{"find":"f","filter":{"l":{"$near":{"$geometry":{"type":"Point","coordinates":[0,0]}}}}}`:                                          291,
		`{"find":"f","filter":{"l":{"$nearSphere":[0,0]}}}`:                                                                                 0,
		`{"find":"f","filter":{"l":{"$near":[999,0]}}}`:                                                                                     16433,
		`{"find":"s","filter":{"l":{"$near":[0,0]}}}`:                                                                                       291,
		`{"find":"s","filter":{"l":{"$near":{"type":"Point","coordinates":[0,0]}}}}`:                                                        0,
		`{"find":"s","filter":{"$or":[{"l":{"$nearSphere":[0,0]}}]}}`:                                                                       0,
		`{"find":"s","filter":{"$or":[{"l":{"$nearSphere":[0,0]}},{"a":1}]}}`:                                                               2,
		`{"find":"s","filter":{"l":{"$nearSphere":[0,0]}},"sort":{"$natural":1}}`:                                                           2,
		`{"find":"none","filter":{"l":{"$nearSphere":[0,0]},"m":{"$nearSphere":[0,0]}}}`:                                                    2,
		`{"find":"s","filter":{"l":{"$geoWithin":{"$box":[[0,0],[1,1]],"$center":[[0,0],1]}}}}`:                                             2,
		`{"find":"s","filter":{"l":{"$maxDistance":1,"$near":[0,0]}}}`:                                                                      2,
		`{"aggregate":"s","pipeline":[{"$match":{}},{"$geoNear":{"near":[0,0]}}],"cursor":{}}`:                                              40603,
		`{"aggregate":"s","pipeline":[{"$geoNear":{"near":"$x"}}],"cursor":{}}`:                                                             5860402,
		`{"aggregate":"s","pipeline":[{"$geoNear":{"near":[0,0],"spherical":true,"zzz":1}}],"cursor":{}}`:                                   2,
		`{"aggregate":"s","pipeline":[{"$geoNear":{"near":[0,0],"spherical":true,"key":"no"}}],"cursor":{}}`:                                291,
		`{"aggregate":"e","pipeline":[{"$geoNear":{"near":[0,0]}}],"cursor":{}}`:                                                            0, // nothing is there
		`{"aggregate":"s","pipeline":[{"$geoNear":{"near":"$$p","spherical":true}}],"cursor":{},"let":{"p":[1,2]}}`:                         0,
		`{"createIndexes":"g","indexes":[{"key":{"a":1},"name":"a","partialFilterExpression":{"l":{"$geoWithin":{"$center":[[0,0],1]}}}}]}`: 0,
	} {
		code := int64(0)
		if out := d.try(cmd); !out.Get("code").IsMissing() {
			code = out.Get("code").Long()
		}
		if code != want {
			t.Errorf("%s: %d", cmd, code)
		}
	}
	// A version 1 index holds documents without a place, and so serves the fields before it.
	d.run(`{"insert":"v","documents":[{"_id":1,"a":1},{"_id":2,"a":1,"l":[1,1]}]}`)
	d.run(`{"createIndexes":"v","indexes":[{"key":{"a":1,"l":"2dsphere"},"name":"al","2dsphereIndexVersion":1}]}`)
	if got := d.docs(`{"find":"v","filter":{"a":1},"projection":{"_id":1},"hint":"al","sort":{"_id":1}}`); got != `[ { _id: 1 }, { _id: 2 } ]` {
		t.Error(got)
	}
	if out := d.try(`{"find":"v","filter":{"l":{"$nearSphere":[0,0]}}}`); out.Get("code").Long() != 291 {
		t.Error(out) // nothing is asked of the field before
	}
	if got := d.docs(`{"find":"v","filter":{"a":1,"l":{"$nearSphere":[0,0]}},"projection":{"_id":1}}`); got != `[ { _id: 2 } ]` {
		t.Error(got)
	}
}

func TestGeospatialIndexOfAPlaceInAnArray(t *testing.T) {
	for _, kind := range []string{"2dsphere", "2d"} {
		d := newDB(t, Options{})
		d.run(`{"createIndexes":"c","indexes":[{"key":{"a.0":"` + kind + `"},"name":"a0"}]}`)
		d.run(`{"insert":"c","documents":[{"_id":1,"a":[[2,2],"x"]},{"_id":2,"a":{"0":[1,1]}},{"_id":3,"a":[]}]}`)
		if got := d.docs(`{"find":"c","filter":{"a.0":{"$nearSphere":[0,0]}},"projection":{"_id":1}}`); got != `[ { _id: 2 }, { _id: 1 } ]` {
			t.Error(kind, got)
		}
	}
}

// A unique index is one of cells, or of words with their scores.
func TestUniqueIndexesOfPlacesAndWords(t *testing.T) {
	for key, docs := range map[string][4]string{
		`{"l":"2dsphere"}`:   {`{"l":[1,1]}`, `{"l":[1,1]}`, `{"l":[1,2]}`, "dup key: { l: 1153277837650709461 }"},
		`{"l":"2d"}`:         {`{"l":[[1,1],[2,2]]}`, `{"l":[2,2]}`, `{"l":[3,3]}`, "dup key: { l: "},
		`{"a":1,"l":"text"}`: {`{"a":1,"l":"x"}`, `{"a":1,"l":"x"}`, `{"a":2,"l":"x"}`, `dup key: { a: 1, _fts: "x", _ftsx: 1.1 }`},
	} {
		d := newDB(t, Options{})
		d.run(`{"createIndexes":"c","indexes":[{"key":` + key + `,"name":"u","unique":true}]}`)
		d.run(`{"insert":"c","documents":[{},{},` + docs[0] + `]}`)
		out := d.try(`{"insert":"c","documents":[` + docs[1] + `]}`)
		if out.Path("writeErrors.0.code").Long() != 11000 || !strings.Contains(out.Path("writeErrors.0.errmsg").Str(), docs[3]) {
			t.Error(key, out)
		}
		if out := d.try(`{"insert":"c","documents":[` + docs[2] + `]}`); !out.Get("writeErrors").IsMissing() {
			t.Error(key, out)
		}
	}
}
