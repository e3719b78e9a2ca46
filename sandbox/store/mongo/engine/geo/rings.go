package geo

import (
	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// vertices reads an array of positions.
func vertices(c bsonval.Value) ([]s2.Point, error) {
	if c.Type() != bsonval.Array {
		return nil, bad("GeoJSON coordinates must be an array of coordinates, instead got type %s", c.Type())
	}
	var out []s2.Point
	for v := range c.Doc().Values() {
		if v.Type() != bsonval.Array {
			return nil, bad("GeoJSON coordinates must be an array, instead got type %s", v.Type())
		}
		p, err := parseFlat(v, true)
		if err != nil {
			return nil, err
		}
		at, err := p.sphere()
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, nil
}

// distinct leaves out what repeats the point before it.
func distinct(ps []s2.Point) []s2.Point {
	out := ps[:0]
	for _, p := range ps {
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

func (s *Shape) line(c bsonval.Value) error {
	ps, err := vertices(c)
	if err != nil {
		return err
	}
	if ps = distinct(ps); len(ps) < 2 {
		return bad("GeoJSON LineString must have at least 2 vertices: %s", c)
	}
	l := s2.Polyline(ps)
	if err := l.Validate(); err != nil {
		return bad("GeoJSON LineString is not valid: %s %s", err, c)
	}
	s.lines = append(s.lines, &l)
	return nil
}

// ring reads a closed loop. whole is what an error shows.
func ring(c, whole bsonval.Value) (*s2.Loop, error) {
	ps, err := vertices(c)
	switch {
	case err != nil:
		return nil, err
	case len(ps) == 0:
		return nil, bad("Loop has no vertices: %s", c)
	case ps[0] != ps[len(ps)-1]:
		return nil, bad("Loop is not closed, first vertex does not equal last vertex: %s", c)
	}
	ps = distinct(ps)
	ps = ps[:len(ps)-1]
	if len(ps) < 3 {
		return nil, bad("Loop must have at least 3 different vertices, %d unique vertices were provided: %s", len(ps), whole)
	}
	if err := simpleLoop(ps); err != nil {
		return nil, bad("Loop is not valid: %s %s", whole, err)
	}
	l := s2.LoopFromPoints(ps)
	if err := l.Validate(); err != nil {
		return nil, bad("Loop is not valid: %s %s", whole, err)
	}
	return l, nil
}

// strictLoop reads the one ring of a polygon with strict winding: what lies to the
// left of its edges is inside, be it more than half of the sphere.
func strictLoop(c bsonval.Value) (*s2.Loop, error) {
	if c.Type() != bsonval.Array {
		return nil, bad("Coordinates of polygon must be an array, instead got type %s", c.Type())
	}
	if c.Doc().IsEmpty() || !c.Doc().At(1).IsMissing() {
		return nil, bad("Only one simple loop is allowed in a big polygon, instead provided %d loops: %s", c.Doc().Len(), c)
	}
	return ring(c.Doc().At(0), c)
}

// polygon reads rings: the outer one, then holes. Each ring is taken to go around the
// smaller side of the sphere.
func (s *Shape) polygon(c bsonval.Value) error {
	if c.Type() != bsonval.Array {
		return bad("Polygon coordinates must be an array, instead got type %s", c.Type())
	}
	var loops []*s2.Loop
	for e := range c.Doc().Values() {
		l, err := ring(e, e)
		if err != nil {
			return err
		}
		l.Normalize()
		if len(loops) > 0 && !loops[0].Contains(l) {
			return bad("Secondary loops not contained by first exterior loop - secondary loops must be holes: %s first loop: %s", e, c.Doc().At(0))
		}
		loops = append(loops, l)
	}
	if len(loops) == 0 {
		return bad("Polygon has no loops.")
	}
	if err := apart(loops); err != nil {
		return bad("Polygon isn't valid: %s %s", err, c)
	}
	p := s2.PolygonFromLoops(loops)
	for i, l := range p.Loops() {
		switch { // s2.Polygon.Parent is wrong in the version at hand
		case i == 0:
		case p.LastDescendant(0) < i:
			return bad("Only one exterior polygon loop is allowed: %s", c)
		case p.LastDescendant(i) > i:
			return bad("Polygon interior loops cannot be nested: %s", c)
		case common(l, p.Loop(0)) > 1:
			return bad("Loop %d shares more than one vertex with its parent loop 0: %s", i, c)
		}
	}
	s.polygons = append(s.polygons, p)
	return nil
}

// common counts the vertices that two loops share.
func common(a, b *s2.Loop) (n int) {
	of := map[s2.Point]bool{}
	for _, p := range a.Vertices() {
		of[p] = true
	}
	for _, p := range b.Vertices() {
		if of[p] {
			n++
		}
	}
	return n
}
