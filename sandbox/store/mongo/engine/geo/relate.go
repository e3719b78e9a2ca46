package geo

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// region is what a query asks whether shapes are within: polygons, or a cap.
type region struct {
	polygons []*s2.Polygon
	cap      *s2.Cap
}

// holds tells whether all of the shape is in the region.
func (r *region) holds(s *Shape) bool {
	for _, p := range s.points {
		if !r.point(p) {
			return false
		}
	}
	for _, l := range s.lines {
		if !r.line(l) {
			return false
		}
	}
	for _, p := range s.polygons {
		if !r.polygon(p) {
			return false
		}
	}
	return true
}

func (r *region) point(p s2.Point) bool {
	if r.cap != nil {
		return r.cap.ContainsPoint(p)
	}
	for _, q := range r.polygons {
		if q.ContainsPoint(p) {
			return true
		}
	}
	return false
}

func (r *region) line(l *s2.Polyline) bool {
	for _, p := range *l {
		if !r.point(p) {
			return false
		}
	}
	for _, q := range r.polygons {
		if crosses(l, q) {
			return false
		}
	}
	return true
}

func (r *region) polygon(p *s2.Polygon) bool {
	if r.cap != nil {
		for i := range p.NumEdges() {
			if !r.cap.ContainsPoint(p.Edge(i).V0) {
				return false
			}
		}
		return true
	}
	for _, q := range r.polygons {
		if q.Contains(p) {
			return true
		}
	}
	return false
}

// crosses tells whether a line crosses a polygon's border.
func crosses(l *s2.Polyline, p *s2.Polygon) bool {
	for i := range l.NumEdges() {
		e := l.Edge(i)
		for j := range p.NumEdges() {
			f := p.Edge(j)
			if s2.CrossingSign(e.V0, e.V1, f.V0, f.V1) == s2.Cross {
				return true
			}
		}
	}
	return false
}

// meets tells whether the two shapes have anything in common.
func (s *Shape) meets(t *Shape) bool {
	for _, p := range s.points {
		if t.touches(p) {
			return true
		}
	}
	for _, p := range t.points {
		if s.touches(p) {
			return true
		}
	}
	for _, l := range s.lines {
		if t.meetsLine(l) {
			return true
		}
	}
	for _, p := range s.polygons {
		for _, l := range t.lines {
			if lineMeets(l, p) {
				return true
			}
		}
		for _, q := range t.polygons {
			if p.Intersects(q) {
				return true
			}
		}
	}
	return false
}

// tolerance is how near, in radians, counts as being on a line.
const tolerance = 1e-15

func (s *Shape) touches(p s2.Point) bool {
	for _, q := range s.points {
		if p == q {
			return true
		}
	}
	for _, l := range s.lines {
		if edgeDistance(l, p) <= tolerance {
			return true
		}
	}
	for _, q := range s.polygons {
		if q.ContainsPoint(p) || edgeDistance(q, p) <= tolerance {
			return true
		}
	}
	return false
}

func (s *Shape) meetsLine(l *s2.Polyline) bool {
	for _, m := range s.lines {
		for i := range l.NumEdges() {
			e := l.Edge(i)
			for j := range m.NumEdges() {
				f := m.Edge(j)
				if s2.CrossingSign(e.V0, e.V1, f.V0, f.V1) != s2.DoNotCross {
					return true
				}
			}
		}
	}
	for _, p := range s.polygons {
		if lineMeets(l, p) {
			return true
		}
	}
	return false
}

func lineMeets(l *s2.Polyline, p *s2.Polygon) bool {
	for _, v := range *l {
		if p.ContainsPoint(v) {
			return true
		}
	}
	return crosses(l, p)
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
