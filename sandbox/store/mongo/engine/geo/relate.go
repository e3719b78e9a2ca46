package geo

import (
	"math"
	"slices"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// A point is asked by the smallest cell that it is in, about a centimetre wide, so that
// points on a border belong to both sides, as in the server.

// contains tells whether all of the shape is in the query's.
func (q *Query) contains(s *Shape) bool {
	for _, p := range s.points {
		if !q.holdsPoint(p) {
			return false
		}
	}
	for _, l := range s.lines {
		if !q.holdsLine(l) {
			return false
		}
	}
	for _, p := range s.polygons {
		if !q.holdsPolygon(p) {
			return false
		}
	}
	return true
}

func (q *Query) holdsPoint(p s2.Point) bool {
	if q.cap != nil {
		return q.cap.IntersectsCell(s2.CellFromPoint(p))
	}
	return q.shape.inside(p)
}

// inside tells whether a point is in one of the shape's polygons or on its border.
func (s *Shape) inside(p s2.Point) bool {
	if s.strict != nil {
		return covers(s.strict, p)
	}
	return slices.ContainsFunc(s.polygons, func(q *s2.Polygon) bool { return covers(q, p) })
}

func (q *Query) holdsLine(l *s2.Polyline) bool {
	if q.cap != nil {
		return !q.outside(edgeDistance(l, q.opposite()))
	}
	if b := q.shape.strict; b != nil {
		return holdsLine(b, l)
	}
	for _, p := range q.shape.polygons {
		if holdsLine(p, l) {
			return true
		}
	}
	return false
}

// opposite is the point farthest from the cap's centre.
func (q *Query) opposite() s2.Point { return s2.Point{Vector: q.cap.Center().Mul(-1)} }

// outside tells whether what comes as near to the opposite point as this, in radians,
// leaves the cap.
func (q *Query) outside(distance float64) bool {
	return distance < math.Pi-float64(q.cap.Radius())
}

// surface is what s2.Polygon and s2.Loop have in common.
type surface interface {
	s2.Shape
	s2.Region
}

// holdsLine tells whether no part of the line is out of the surface. Between two
// crossings with corners a line may leave it, so each piece is asked by its middle.
func holdsLine(p surface, l *s2.Polyline) bool {
	if _, _, ok := crossing(l, p); ok {
		return false
	}
	for _, v := range *l {
		if !covers(p, v) {
			return false
		}
	}
	for i := range l.NumEdges() {
		e := l.Edge(i)
		cuts := []float64{0, 1}
		for j := range p.NumEdges() {
			v := p.Edge(j).V0
			if v != e.V0 && v != e.V1 && float64(s2.DistanceFromSegment(v, e.V0, e.V1)) <= tolerance {
				cuts = append(cuts, s2.DistanceFraction(v, e.V0, e.V1))
			}
		}
		if !coversPieces(p, e, cuts) {
			return false
		}
	}
	return true
}

// tolerance is how near, in radians, a corner counts as being on a line.
const tolerance = 1e-15

// coversPieces asks the middle of each piece that the cuts, from 0 to 1, make of an
// edge.
func coversPieces(p surface, e s2.Edge, cuts []float64) bool {
	slices.Sort(cuts)
	for i := 1; i < len(cuts); i++ {
		if !covers(p, s2.Interpolate((cuts[i-1]+cuts[i])/2, e.V0, e.V1)) {
			return false
		}
	}
	return true
}

func covers(p surface, v s2.Point) bool {
	return p.ContainsPoint(v) || p.IntersectsCell(s2.CellFromPoint(v))
}

// meets tells whether the two shapes have anything in common.
func (s *Shape) meets(t *Shape) bool {
	for _, p := range t.points {
		if s.touches(p) {
			return true
		}
	}
	for _, p := range s.points {
		if t.touches(p) {
			return true
		}
	}
	for _, l := range t.lines {
		if s.meetsLine(l) {
			return true
		}
	}
	for _, p := range t.polygons {
		if s.meetsPolygon(p) {
			return true
		}
	}
	return false
}

func (s *Shape) touches(p s2.Point) bool {
	cell := s2.CellFromPoint(p)
	for _, q := range s.points {
		if cell.ContainsPoint(q) {
			return true
		}
	}
	for _, l := range s.lines {
		if l.IntersectsCell(cell) {
			return true
		}
	}
	return s.inside(p)
}

func (s *Shape) meetsLine(l *s2.Polyline) bool {
	for _, m := range s.lines {
		if m.Intersects(l) {
			return true
		}
	}
	for _, p := range s.polygons {
		if lineMeets(l, p) {
			return true
		}
	}
	return s.strict != nil && lineMeets(l, s.strict)
}

func lineMeets(l *s2.Polyline, p surface) bool {
	for _, v := range *l {
		if p.ContainsPoint(v) {
			return true
		}
	}
	_, _, ok := crossing(l, p)
	return ok
}

func (s *Shape) meetsPolygon(p *s2.Polygon) bool {
	for _, l := range s.lines {
		if lineMeets(l, p) {
			return true
		}
	}
	for _, q := range s.polygons {
		if p.Intersects(q) {
			return true
		}
	}
	if s.strict == nil {
		return false
	}
	// A polygon is less than a half of the sphere, so who meets it meets its outer ring,
	// unless it is all in a hole.
	return s.strict.Intersects(p.Loop(0)) && !inHole(s.strict, p)
}

// complement is the other side of a loop.
func complement(l *s2.Loop) *s2.Loop {
	ps := slices.Clone(l.Vertices())
	slices.Reverse(ps)
	return s2.LoopFromPoints(ps)
}

// inHole tells whether the loop is within one of the polygon's holes.
func inHole(l *s2.Loop, p *s2.Polygon) bool {
	for i := 1; i < p.NumLoops(); i++ {
		if p.Loop(i).Contains(l) {
			return true
		}
	}
	return false
}

func (q *Query) holdsPolygon(p *s2.Polygon) bool {
	if q.cap != nil {
		far := q.opposite()
		if p.ContainsPoint(far) {
			return !q.outside(0)
		}
		return !q.outside(edgeDistance(p, far))
	}
	if b := q.shape.strict; b != nil {
		return b.Contains(p.Loop(0)) || inHole(complement(b), p)
	}
	for _, o := range q.shape.polygons {
		if o.Contains(p) {
			return true
		}
	}
	return false
}

// distance is the angle from p to the nearest part of the shape, in radians.
func (s *Shape) distance(p s2.Point) float64 {
	best := math.Inf(1)
	for _, q := range s.points {
		best = math.Min(best, float64(p.Distance(q)))
	}
	for _, l := range s.lines {
		best = math.Min(best, edgeDistance(l, p))
	}
	for _, q := range s.polygons {
		if q.ContainsPoint(p) {
			return 0
		}
		best = math.Min(best, edgeDistance(q, p))
	}
	return best
}

// edgeDistance is from a point to the nearest edge of a line or of a polygon's border.
func edgeDistance(s s2.Shape, p s2.Point) float64 {
	best := math.Inf(1)
	for i := range s.NumEdges() {
		e := s.Edge(i)
		best = math.Min(best, float64(s2.DistanceFromSegment(p, e.V0, e.V1)))
	}
	return best
}

// capOf is the part of the sphere within an angle around a point.
func capOf(p s2.Point, radians float64) s2.Cap {
	return s2.CapFromCenterAngle(p, s1.Angle(math.Min(radians, math.Pi)))
}
