// Package geo is geometry as the server's geospatial queries and indexes know it:
// GeoJSON on the sphere by Google's S2 (github.com/golang/geo), and legacy points on
// a plane. Package match asks it by way of package command, package plan searches with
// it, package index makes keys of its cells.
package geo

import (
	"math"

	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// earthRadius turns radians into the server's meters.
const earthRadius = 6378100.0

// Shape is one geometry: any number of points, lines and polygons on the sphere, or a
// legacy point.
type Shape struct {
	points   []s2.Point
	lines    []*s2.Polyline
	polygons []*s2.Polygon
	strict   *s2.Loop // a polygon whose winding says which side is its inside
	flat     *Flat    // the plane's coordinates of a single point
	legacy   bool     // flat was given as numbers alone; the sphere may not have it
	simple   bool     // a point, a line or a polygon
}

// Flat is a point on the plane.
type Flat struct{ X, Y float64 }

func bad(format string, args ...any) error {
	return mongoerr.New(mongoerr.BadValue, format, args...)
}

// parseShape reads a stored geometry: GeoJSON, or a legacy point, which is an array or
// an object that begins with two numbers.
func parseShape(v bsonval.Value) (*Shape, error) {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return nil, bad("geo element must be an array or object: %s", v)
	}
	if isLegacy(v) {
		p, err := parseFlat(v, true)
		if err != nil {
			return nil, err
		}
		return p.legacy(), nil
	}
	return parseJSON(v.Doc())
}

// isLegacy tells a legacy point from GeoJSON.
func isLegacy(v bsonval.Value) bool {
	return v.Type() == bsonval.Array || v.Doc().At(0).IsNumber()
}

func (p Flat) legacy() *Shape {
	s := &Shape{flat: &p, legacy: true, simple: true}
	if at, err := p.sphere(); err == nil {
		s.points = []s2.Point{at}
	}
	return s
}

// sphere is the point with X as longitude and Y as latitude.
func (p Flat) sphere() (s2.Point, error) {
	if !(math.Abs(p.X) <= 180 && math.Abs(p.Y) <= 90) {
		return s2.Point{}, bad("longitude/latitude is out of bounds, lng: %s lat: %s", number(p.X), number(p.Y))
	}
	return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Y, p.X)), nil
}

func number(f float64) string { return bsonval.DoubleValue(f).String() }

// parseFlat reads two numbers. An object's names don't matter, nor what follows the
// two when more is allowed.
func parseFlat(v bsonval.Value, more bool) (Flat, error) {
	if v.Type() != bsonval.Array && v.Type() != bsonval.Object {
		return Flat{}, bad("Point must be an array or object, instead got type %s", v.Type())
	}
	x, y := v.Doc().At(0), v.Doc().At(1)
	switch {
	case !x.IsNumber() || !y.IsNumber():
		if x.IsNumber() {
			x = y
		}
		return Flat{}, bad("Point must only contain numeric elements, instead got type %s", x.Type())
	case !more && !v.Doc().At(2).IsMissing():
		return Flat{}, bad("Point must only contain two numeric elements")
	case x.IsNaN() || y.IsNaN() || x.IsInf() || y.IsInf():
		return Flat{}, bad("Point coordinates must be finite numbers")
	}
	return Flat{x.Float(), y.Float()}, nil
}

// parseJSON reads a GeoJSON object (RFC 7946, with the crs member of its forerunner).
func parseJSON(d bsonval.Doc) (*Shape, error) {
	kind := d.Get("type")
	s := &Shape{}
	if kind.Type() == bsonval.String {
		switch kind.Str() {
		case "Point", "LineString", "Polygon":
			s.simple = true
			return s, s.single(kind.Str(), d)
		case "MultiPoint", "MultiLineString", "MultiPolygon":
			return s, s.several(kind.Str(), d)
		case "GeometryCollection":
			return s, s.collection(d)
		}
	}
	return nil, bad("unknown GeoJSON type: %s", d)
}

// strictWinding is the name of the server's own reference system.
const strictWinding = "urn:x-mongodb:crs:strictwinding:EPSG:4326"

// strictCRS reads the reference system, and tells whether it is the one of strict
// winding.
func strictCRS(d bsonval.Doc) (bool, error) {
	crs := d.Get("crs")
	if crs.IsMissing() {
		return false, nil
	}
	if crs.Type() != bsonval.Object {
		return false, bad("GeoJSON CRS must be an object, instead got type %s", crs.Type())
	}
	if t := crs.Doc().Get("type"); t.Type() != bsonval.String || t.Str() != "name" {
		return false, bad(`GeoJSON CRS must have field "type": "name"`)
	}
	p := crs.Doc().Get("properties")
	if p.Type() != bsonval.Object {
		return false, bad(`CRS must have field "properties" which is an object, instead got type %s`, p.Type())
	}
	name := p.Doc().Get("name")
	if name.Type() != bsonval.String {
		return false, bad(`In CRS, "properties.name" must be a string, instead got type %s`, name.Type())
	}
	switch name.Str() {
	case "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84":
		return false, nil
	case strictWinding:
		return true, nil
	}
	return false, bad("Unknown CRS name: %s", name.Str())
}

// usualCRS refuses the reference system of strict winding, and what is none.
func usualCRS(d bsonval.Doc) error {
	strict, err := strictCRS(d)
	if strict {
		return strictOnly()
	}
	return err
}

func strictOnly() error { return bad("Strict winding order is only supported by polygon") }

func (s *Shape) single(kind string, d bsonval.Doc) error {
	strict, err := strictCRS(d)
	if err != nil {
		return err
	}
	c := d.Get("coordinates")
	if strict && kind != "Polygon" {
		return strictOnly()
	}
	switch {
	case kind == "Point":
		p, err := parseFlat(c, true)
		if err != nil {
			return err
		}
		at, err := p.sphere()
		if err == nil {
			s.points, s.flat = append(s.points, at), &p
		}
		return err
	case kind == "LineString":
		return s.line(c)
	case strict:
		s.strict, err = strictLoop(c)
		return err
	}
	return s.polygon(c)
}

func (s *Shape) several(kind string, d bsonval.Doc) error {
	if err := usualCRS(d); err != nil {
		return err
	}
	c := d.Get("coordinates")
	if c.Type() != bsonval.Array {
		return bad("%s coordinates must be an array, instead got type %s", kind, c.Type())
	}
	if c.Doc().IsEmpty() {
		return bad("%s coordinates must have at least 1 element", kind)
	}
	if kind == "MultiPoint" {
		ps, err := vertices(c)
		s.points = append(s.points, ps...)
		return err
	}
	for v := range c.Doc().Values() {
		add := s.line
		if kind == "MultiPolygon" {
			add = s.polygon
		}
		if err := add(v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shape) collection(d bsonval.Doc) error {
	list := d.Get("geometries")
	if list.Type() != bsonval.Array {
		return bad("GeometryCollection geometries must be an array, instead got type %s", list.Type())
	}
	if list.Doc().IsEmpty() {
		return bad("GeometryCollection geometries must have at least 1 element")
	}
	for i, v := range list.Doc().Slice() {
		if v.Type() != bsonval.Object {
			return bad(`Element %d of "geometries" must be an object, instead got type %s: %s`, i, v.Type(), v)
		}
		if t := v.Doc().Get("type"); t.Type() == bsonval.String && t.Str() == "GeometryCollection" {
			return bad("GeometryCollections cannot be nested: %s", v)
		}
		one, err := parseJSON(v.Doc())
		if err != nil {
			return err
		}
		if one.strict != nil {
			return strictOnly()
		}
		s.points = append(s.points, one.points...)
		s.lines = append(s.lines, one.lines...)
		s.polygons = append(s.polygons, one.polygons...)
	}
	return nil
}
