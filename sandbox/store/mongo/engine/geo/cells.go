package geo

import (
	"math"

	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Range is a range of cells, both ends included, as an index has them.
type Range struct{ Lo, Hi int64 }

// How many cells stand for a document's shape, how small they are at most, and how many
// a query looks at.
const (
	docCells   = 50
	finest     = 23
	queryCells = 20
)

// Cells are the S2 cells that stand for a value in a 2dsphere index of a version: a
// point's own, or some that cover the shape.
func Cells(v bsonval.Value, version int) ([]int64, error) {
	s, err := parseShape(v)
	switch {
	case err != nil:
		return nil, err
	case s.strict != nil:
		return nil, bad("can't index geometry with strict winding order")
	case version == 1 && !s.simple:
		return nil, bad("given geometry can't be indexed in the old index format")
	case s.legacy && len(s.points) == 0:
		return nil, bad("can't project geometry into spherical CRS: %s", v)
	}
	var out []int64
	for _, p := range s.points {
		out = append(out, int64(s2.CellFromPoint(p).ID()))
	}
	cover := s2.RegionCoverer{MaxLevel: finest, MaxCells: docCells, LevelMod: 1}
	for _, l := range s.lines {
		out = appendCells(out, cover.Covering(l))
	}
	for _, p := range s.polygons {
		out = appendCells(out, cover.Covering(p))
	}
	return out, nil
}

func appendCells(out []int64, cells s2.CellUnion) []int64 {
	for _, c := range cells {
		out = append(out, int64(c))
	}
	return out
}

// Cover answers the cells of a 2dsphere index that documents may have which satisfy
// the query. ok is false when the index can't serve it.
func (q *Query) Cover() (out []Range, ok bool) {
	switch {
	case q.Near != nil:
		return q.Near.Cover()
	case q.cap != nil:
		return ranges([]s2.Region{*q.cap}), true
	case q.shape != nil && !(q.shape.legacy && len(q.shape.points) == 0):
		return ranges(q.shape.regions()), true
	}
	return nil, false
}

// regions are the shape's parts, a point with what is next to it.
func (s *Shape) regions() (out []s2.Region) {
	for _, p := range s.points {
		out = append(out, capOf(p, 1e-9))
	}
	for _, l := range s.lines {
		out = append(out, l)
	}
	for _, p := range s.polygons {
		out = append(out, p)
	}
	if s.strict != nil {
		out = append(out, s.strict)
	}
	return out
}

// Cover answers the cells around the point, as far as the search goes.
func (n *Near) Cover() ([]Range, bool) {
	if !n.Spherical {
		return nil, false
	}
	far := n.Max
	if n.Meters {
		far /= earthRadius
	}
	if far >= math.Pi {
		return []Range{{math.MinInt64, math.MaxInt64}}, true
	}
	return ranges([]s2.Region{capOf(n.point, far*(1+1e-9)+1e-12)}), true
}

// ranges are the cells within a covering of the regions, and those around them.
func ranges(regions []s2.Region) []Range {
	cover := s2.RegionCoverer{MaxLevel: finest, MaxCells: queryCells, LevelMod: 1}
	var out []Range
	above := map[s2.CellID]bool{}
	for _, r := range regions {
		for _, c := range cover.Covering(r) {
			out = append(out, Range{int64(c.RangeMin()), int64(c.RangeMax())})
			for level := c.Level() - 1; level >= 0; level-- {
				p := c.Parent(level)
				if above[p] {
					break
				}
				above[p] = true
				out = append(out, Range{int64(p), int64(p)})
			}
		}
	}
	return out
}
