package geo

import (
	"strings"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

// square is a ring around the origin, each side 2·r long.
func square(r string) string {
	return strings.ReplaceAll(`[[-r,-r],[r,-r],[r,r],[-r,r],[-r,-r]]`, "r", r)
}

func polygonOf(rings ...string) string {
	return `{"type":"Polygon","coordinates":[` + strings.Join(rings, ",") + `]}`
}

const strict = `"crs":{"type":"name","properties":{"name":"urn:x-mongodb:crs:strictwinding:EPSG:4326"}}`

func TestConditions(t *testing.T) {
	ring := polygonOf(square("5"), square("2"))
	clockwise := `{"type":"Polygon","coordinates":[[[-5,-5],[-5,5],[5,5],[5,-5],[-5,-5]]],` + strict + `}`
	for _, c := range []struct{ op, query, yes, no string }{
		{"$geoWithin", `{"$box":[[0,0],[2,1]]}`, `[2,1]|{"x":0,"y":0}|[1,1,9]|{"type":"Point","coordinates":[1,1]}`, `[2.1,1]|[1]|{"type":"LineString","coordinates":[[0,0],[1,1]]}`},
		{"$geoWithin", `{"$center":[[54,0],0.001]}`, `[54.001,0]`, `[54.0011,0]`},
		{"$geoWithin", `{"$polygon":[[0,0],[4,0],[4,4],[0,4]]}`, `[0,0]|[0,2]|[4,2]|[2,4]|[2,2]`, `[5,2]|[2,5]`},
		{"$geoWithin", `{"$polygon":[[0,0],[2,2],[4,0]]}`, `[3,1]|[2,2]|[2,0]`, `[1,1]`}, // a slanted edge on the left isn't inside
		{"$geoWithin", `{"$geometry":` + ring + `}`, `[3,3]|[2,0]|[5,0]|{"type":"LineString","coordinates":[[3,-3],[3,3]]}`, `[0,0]|{"type":"LineString","coordinates":[[-3,0],[3,0]]}|` + polygonOf(square("3"))},
		{"$geoWithin", `{"$geometry":` + clockwise + `}`, `[10,10]|[180,0]|{"type":"LineString","coordinates":[[10,0],[20,0]]}|` + polygonOf(square("20"), square("10")), `[0,0]|{"type":"LineString","coordinates":[[0,0],[20,0]]}|` + polygonOf(square("1")) + `|[200,0]`},
		{"$geoIntersects", `{"$geometry":` + clockwise + `}`, `[10,10]|` + polygonOf(square("20")), `[0,0]|` + polygonOf(square("1"))},
		{"$geoWithin", `{"$centerSphere":[[0,0],0.1]}`, `[5,0]|{"type":"LineString","coordinates":[[-5,0],[5,0]]}|` + polygonOf(square("2")), `[6,0]|{"type":"LineString","coordinates":[[0,0],[6,0]]}|` + polygonOf(square("20"))},
		{"$geoWithin", `{"$centerSphere":[[0,0],3]}`, `[160,0]`, `[179,0]|{"type":"LineString","coordinates":[[170,0],[-170,0]]}`},
		{"$geoIntersects", `{"$geometry":[0,0]}`, `[0,0]|{"type":"LineString","coordinates":[[-5,0],[5,0]]}`, `[0,1]|` + ring},
		{"$geoIntersects", `{"$geometry":` + ring + `}`, polygonOf(square("3")) + `|{"type":"MultiPoint","coordinates":[[0,0],[3,3]]}`, polygonOf(square("1"))},
		{"$geoIntersects", `{"$geometry":{"type":"LineString","coordinates":[[-9,0],[9,0]]}}`, ring + `|{"type":"LineString","coordinates":[[0,-1],[0,1]]}`, `{"type":"LineString","coordinates":[[0,1],[0,2]]}`},
	} {
		test, err := Condition(c.op, bsontest.Doc(t, `{"`+c.op+`":`+c.query+`}`))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		for _, shape := range strings.Split(c.yes, "|") {
			if ok, _ := test(bsontest.Doc(t, `{"v":`+shape+`}`).Get("v")); !ok {
				t.Errorf("%s %s: not %s", c.op, c.query, shape)
			}
		}
		for _, shape := range strings.Split(c.no, "|") {
			if ok, _ := test(bsontest.Doc(t, `{"v":`+shape+`}`).Get("v")); ok {
				t.Errorf("%s %s: %s", c.op, c.query, shape)
			}
		}
	}
}

func TestShapesThatAreRefused(t *testing.T) {
	for shape, want := range map[string]string{
		`5`:                                      "must be an array or object",
		`["a",1]`:                                "instead got type string",
		`{"type":"Point","coordinates":[200,0]}`: "out of bounds",
		`{"type":"Point","coordinates":[1,2],"crs":{"type":"name"}}`:                                "instead got type missing",
		`{"type":"Point","coordinates":[1,2],` + strict + `}`:                                       "only supported by polygon",
		`{"type":"Circle","coordinates":[1,2]}`:                                                     "unknown GeoJSON type",
		`{"type":"LineString","coordinates":[[1,2],[1,2]]}`:                                         "at least 2 vertices",
		`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]]]}`:                                    "not closed",
		`{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}`:                                    "2 unique vertices",
		`{"type":"Polygon","coordinates":[[[0,0],[2,2],[2,0],[0,2],[0,0]]]}`:                        "cross",
		`{"type":"Polygon","coordinates":[[[0,0],[2,0],[1,1],[2,2],[0,2],[1,1],[0,0]]]}`:            "Duplicate vertices",
		polygonOf(square("1"), square("2")):                                                         "must be holes",
		polygonOf(square("1"), square("1")):                                                         "Duplicate edge",
		polygonOf(square("9"), square("5"), square("2")):                                            "nested",
		polygonOf(square("5"), `[[-3,-3],[1,-3],[1,1],[-3,1],[-3,-3]]`, square("2")):                "crosses",
		polygonOf(square("5"), `[[-5,-5],[0,-1],[5,-5],[0,1],[-5,-5]]`):                             "more than one vertex",
		`{"type":"MultiPolygon","coordinates":[]}`:                                                  "at least 1 element",
		`{"type":"GeometryCollection","geometries":[5]}`:                                            "must be an object",
		`{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection"}]}`:                "nested",
		`{"type":"Polygon","coordinates":[` + square("1") + `,` + square("2") + `],` + strict + `}`: "2 loops",
	} {
		_, err := parseShape(bsontest.Doc(t, `{"v":`+shape+`}`).Get("v"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", shape, err)
		}
	}
}

func TestSearches(t *testing.T) {
	for query, want := range map[string]string{ // of the point [0,1] and of [0,80]
		`{"$near":[0,0]}`: "1 80",
		`{"$near":[0,0],"$maxDistance":1,"$minDistance":1}`: "1 -",
		`{"$near":[0,0,2]}`:                              "1 -",
		`{"$nearSphere":[0,0],"$minDistance":1}`:         "- 1.39626",
		`{"$near":{"type":"Point","coordinates":[0,0]}}`: "111318.8 8905507",
		`{"$nearSphere":{"$geometry":{"type":"Point","coordinates":[0,0]},"$maxDistance":111319}}`: "111318.8 -",
	} {
		d := bsontest.Doc(t, query)
		n, err := compileNear(d.First().Name, d)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		for i, place := range []string{`[0,1]`, `{"type":"Point","coordinates":[0,80]}`} {
			got := "-"
			if far, ok := n.Distance(bsontest.Doc(t, `{"v":`+place+`}`).Get("v")); ok {
				got = number(far)
			}
			w := strings.Fields(want)[i]
			if w == "-" && got != w || !strings.HasPrefix(got, w) {
				t.Errorf("%s %s: %s", query, place, got)
			}
		}
	}
	for query, want := range map[string]string{
		`{"$near":5}`:                       "not an object",
		`{"$near":[0,0],"$maxDistance":-1}`: "must be non-negative",
		`{"$near":[0,0],"k":1}`:             "invalid argument in geo near query: k",
		`{"$near":{"$geometry":[0,0]}}`:     "requires geojson point",
		`{"$near":{"$geometry":{"type":"Point","coordinates":[0,0]}},"$maxDistance":1}`: "accepts just one argument",
		`{"$near":{"$maxDistance":1}}`: "$geometry is required",
		`{"$nearSphere":[0,91]}`:       "out of bounds",
	} {
		d := bsontest.Doc(t, query)
		if _, err := compileNear(d.First().Name, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// What an index leaves out must not satisfy the query.
func TestCoversHoldWhatSatisfies(t *testing.T) {
	g := Grid{Min: -180, Max: 180}
	for _, query := range []string{`{"$geoWithin":{"$center":[[10,10],25]}}`, `{"$geoWithin":{"$centerSphere":[[175,10],0.3]}}`, `{"$geoWithin":{"$box":[[170,-90],[180,90]]}}`, `{"$geoWithin":{"$geometry":` + polygonOf(square("40"), square("10")) + `}}`} {
		q, err := Compile("$geoWithin", bsontest.Doc(t, query))
		if err != nil {
			t.Fatal(err)
		}
		flat, onPlane := q.CoverFlat(g)
		round, onSphere := q.Cover()
		for x := -180.0; x <= 180; x += 7.5 {
			for y := -90.0; y <= 90; y += 7.5 {
				v := bsonval.ArrayOf(bsonval.DoubleValue(x), bsonval.DoubleValue(y))
				if ok, _ := q.Test(v); !ok {
					continue
				}
				if c, err := g.Cell(v, nil); onPlane && (err != nil || !within(flat, c)) {
					t.Errorf("%s: the plane's cells lack %s %v", query, v, err)
				}
				if c, err := Cells(v, 3); onSphere && (err != nil || !within(round, c[0])) {
					t.Errorf("%s: the sphere's cells lack %s %v", query, v, err)
				}
			}
		}
	}
}

func within(rs []Range, c int64) bool {
	for _, r := range rs {
		if c >= r.Lo && c <= r.Hi {
			return true
		}
	}
	return false
}
