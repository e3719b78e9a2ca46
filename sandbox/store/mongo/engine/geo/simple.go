package geo

import (
	"fmt"
	"slices"

	"github.com/golang/geo/s2"
)

// simpleLoop refuses rings that visit a place twice or cross themselves, which
// s2.Loop.Validate doesn't look for.
func simpleLoop(ps []s2.Point) error {
	seen := make(map[s2.Point]int, len(ps))
	for i, p := range ps {
		if j, ok := seen[p]; ok {
			return fmt.Errorf("Duplicate vertices: %d and %d", j, i)
		}
		seen[p] = i
	}
	l := s2.LoopFromPoints(ps)
	if i, j, ok := crossing(l, l); ok {
		return fmt.Errorf("Edges %d and %d cross. Edge locations in degrees: %s and %s", i, j, degrees(l.Edge(i)), degrees(l.Edge(j)))
	}
	return nil
}

func degrees(e s2.Edge) string {
	a, b := s2.LatLngFromPoint(e.V0), s2.LatLngFromPoint(e.V1)
	return fmt.Sprintf("[%.6f, %.6f]-[%.6f, %.6f]", a.Lat.Degrees(), a.Lng.Degrees(), b.Lat.Degrees(), b.Lng.Degrees())
}

// crossing finds edges of two shapes that cross at a point inside of both.
func crossing(a, b s2.Shape) (i, j int, ok bool) {
	if a.NumEdges()*b.NumEdges() < 4096 { // an index costs more than it saves
		for i := range a.NumEdges() {
			e := a.Edge(i)
			for j := range b.NumEdges() {
				if f := b.Edge(j); s2.CrossingSign(e.V0, e.V1, f.V0, f.V1) == s2.Cross {
					return i, j, true
				}
			}
		}
		return 0, 0, false
	}
	ix := s2.NewShapeIndex()
	ix.Add(b)
	q := s2.NewCrossingEdgeQuery(ix)
	for i := range a.NumEdges() {
		e := a.Edge(i)
		if found := q.Crossings(e.V0, e.V1, b, s2.CrossingTypeInterior); len(found) > 0 {
			return i, slices.Min(found), true
		}
	}
	return 0, 0, false
}

// apart refuses rings that share an edge or cross each other.
func apart(loops []*s2.Loop) error {
	type place struct{ loop, edge int }
	edges := map[s2.Edge]place{}
	for n, l := range loops {
		for i := range l.NumEdges() {
			e := l.Edge(i)
			if at, ok := edges[e]; ok {
				return fmt.Errorf("Duplicate edge: loop %d, edge %d and loop %d, edge %d", at.loop, at.edge, n, i)
			}
			edges[e] = place{n, i}
		}
	}
	for n, l := range loops {
		for m := range n {
			if _, _, ok := crossing(loops[m], l); ok {
				return fmt.Errorf("Loop %d crosses loop %d", m, n)
			}
		}
	}
	return nil
}
