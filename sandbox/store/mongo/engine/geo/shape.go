// Package geo is geometry as the server's geospatial queries and indexes know it:
// GeoJSON on the sphere by Google's S2 (github.com/golang/geo), and legacy points on
// a plane. Packages match and plan ask it, package index makes keys of its cells.
package geo

import (
	"math"

	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// EarthRadius turns radians into the server's meters.
const EarthRadius = 6378100.0

// Shape is one geometry: any number of points, lines and polygons.
type Shape struct {
	points   []s2.Point
	lines    []*s2.Polyline
	polygons []*s2.Polygon
	flat     *Flat // the plane's coordinates of a single point
}

// Flat is a point on the plane.
type Flat struct{ X, Y float64 }

func bad(format string, args ...any) error {
	return mongoerr.New(mongoerr.BadValue, format, args...)
}

// ParseShape reads a GeoJSON object, or a legacy point: an array or an object of two
// numbers.
func ParseShape(v bsonval.Value) (*Shape, error) {
	if v.Type() == bsonval.Object && v.Doc().Get("type").Type() == bsonval.String {
		return parseJSON(v.Doc(), 0)
	}
	p, err := parseFlat(v)
	if err != nil {
		return nil, err
	}
	return p.shape()
}

func (p Flat) shape() (*Shape, error) {
	at, err := p.sphere()
	if err != nil {
		return nil, err
	}
	return &Shape{points: []s2.Point{at}, flat: &p}, nil
}

// sphere is the point with X as longitude and Y as latitude.
func (p Flat) sphere() (s2.Point, error) {
	if !(math.Abs(p.X) <= 180 && math.Abs(p.Y) <= 90) {
		return s2.Point{}, bad("longitude/latitude is out of bounds, lng: %s lat: %s", number(p.X), number(p.Y))
	}
	return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Y, p.X)), nil
}

func number(f float64) string { return bsonval.DoubleValue(f).String() }

// parseFlat reads two numbers. An object's names don't matter.
func parseFlat(v bsonval.Value) (Flat, error) {
	if v.Type() != bsonval.Array && v.Type() != bsonval.Object {
		return Flat{}, bad("Point must be an array or object, instead got type %s", v.Type())
	}
	x, y := v.Doc().At(0), v.Doc().At(1)
	if !x.IsNumber() || !y.IsNumber() {
		return Flat{}, bad("Point must only contain numeric elements")
	}
	if x.IsNaN() || y.IsNaN() || x.IsInf() || y.IsInf() {
		return Flat{}, bad("Point coordinates must be finite numbers")
	}
	return Flat{x.Float(), y.Float()}, nil
}

// maxNested bounds collections within collections.
const maxNested = 20

func parseJSON(d bsonval.Doc, depth int) (*Shape, error) {
	if crs := d.Path("crs.properties.name"); crs.Type() == bsonval.String {
		switch crs.Str() {
		case "EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84":
		default:
			return nil, mongoerr.New(mongoerr.NotImplemented, "the coordinate reference system %s is not supported", crs.Str())
		}
	}
	s := &Shape{}
	c := d.Get("coordinates")
	kind := d.Get("type").Str()
	if kind == "GeometryCollection" {
		return parseCollection(d, depth)
	}
	if c.Type() != bsonval.Array {
		return nil, bad("%s coordinates must be an array", kind)
	}
	return s, s.add(kind, c)
}

func parseCollection(d bsonval.Doc, depth int) (*Shape, error) {
	list := d.Get("geometries")
	if list.Type() != bsonval.Array || depth > maxNested {
		return nil, bad("GeometryCollection geometries must be an array")
	}
	all := &Shape{}
	for v := range list.Doc().Values() {
		if v.Type() != bsonval.Object {
			return nil, bad("Element of geometries must be an object")
		}
		s, err := parseJSON(v.Doc(), depth+1)
		if err != nil {
			return nil, err
		}
		all.points = append(all.points, s.points...)
		all.lines = append(all.lines, s.lines...)
		all.polygons = append(all.polygons, s.polygons...)
	}
	return all, nil
}

func (s *Shape) add(kind string, c bsonval.Value) error {
	switch kind {
	case "Point":
		p, err := parseFlat(c)
		if err != nil {
			return err
		}
		one, err := p.shape()
		if err == nil {
			s.points, s.flat = append(s.points, one.points...), &p
		}
		return err
	case "LineString":
		return s.line(c)
	case "Polygon":
		return s.polygon(c)
	case "MultiPoint", "MultiLineString", "MultiPolygon":
		if c.Doc().IsEmpty() {
			return bad("%s coordinates must have at least 1 element", kind)
		}
		for v := range c.Doc().Values() {
			if err := s.add(kind[len("Multi"):], v); err != nil {
				return err
			}
		}
		s.flat = nil
		return nil
	}
	return bad("unknown GeoJSON type: %s", kind)
}

// vertices reads an array of positions.
func vertices(c bsonval.Value) ([]s2.Point, error) {
	if c.Type() != bsonval.Array {
		return nil, bad("GeoJSON coordinates must be an array of coordinates")
	}
	var out []s2.Point
	for v := range c.Doc().Values() {
		p, err := parseFlat(v)
		if err != nil {
			return nil, err
		}
		at, err := p.sphere()
		if err != nil {
			return nil, err
		}
		if n := len(out); n == 0 || out[n-1] != at {
			out = append(out, at)
		}
	}
	return out, nil
}

func (s *Shape) line(c bsonval.Value) error {
	ps, err := vertices(c)
	if err != nil {
		return err
	}
	if len(ps) < 2 {
		return bad("GeoJSON LineString must have at least 2 vertices: %s", c)
	}
	l := s2.Polyline(ps)
	s.lines = append(s.lines, &l)
	return nil
}

// polygon reads rings, the outer one first. Each ring is taken to go around the
// smaller side of the sphere.
func (s *Shape) polygon(c bsonval.Value) error {
	if c.Type() != bsonval.Array || c.Doc().IsEmpty() {
		return bad("Polygon has no loops.")
	}
	var loops []*s2.Loop
	for ring := range c.Doc().Values() {
		ps, err := vertices(ring)
		if err != nil {
			return err
		}
		switch {
		case len(ps) < 4:
			return bad("Loop must have at least 3 different vertices: %s", ring)
		case ps[0] != ps[len(ps)-1]:
			return bad("Loop is not closed: %s", ring)
		}
		l := s2.LoopFromPoints(ps[:len(ps)-1])
		if err := l.Validate(); err != nil {
			return bad("Loop is not valid: %s %s", ring, err)
		}
		l.Normalize()
		loops = append(loops, l)
	}
	p := s2.PolygonFromLoops(loops)
	if err := p.Validate(); err != nil {
		return bad("Polygon isn't valid: %s %s", err, c)
	}
	s.polygons = append(s.polygons, p)
	return nil
}
