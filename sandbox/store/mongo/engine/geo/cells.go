package geo

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
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

// Cells are the S2 cells that stand for a value in a 2dsphere index: a point's own, or
// some that cover the shape.
func Cells(v bsonval.Value) ([]int64, error) {
	s, err := ParseShape(v)
	if err != nil {
		return nil, err
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
	case q.in != nil && q.in.cap != nil:
		return ranges([]s2.Region{*q.in.cap}), true
	case q.in != nil:
		var rs []s2.Region
		for _, p := range q.in.polygons {
			rs = append(rs, p)
		}
		return ranges(rs), true
	case q.shape != nil:
		var rs []s2.Region
		for _, p := range q.shape.points {
			rs = append(rs, capOf(p, 1e-9))
		}
		for _, l := range q.shape.lines {
			rs = append(rs, l)
		}
		for _, p := range q.shape.polygons {
			rs = append(rs, p)
		}
		return ranges(rs), true
	}
	return nil, false
}

// Cover answers the cells around the point, as far as the search goes.
func (n *Near) Cover() ([]Range, bool) {
	at, err := n.at.sphere()
	if err != nil || !n.Spherical {
		return nil, false
	}
	far := n.Max
	if n.Meters {
		far /= EarthRadius
	}
	if far >= math.Pi {
		return []Range{{math.MinInt64, math.MaxInt64}}, true
	}
	return ranges([]s2.Region{capOf(at, far*(1+1e-9)+float64(s1.Angle(1e-12)))}), true
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

// Grid is a 2d index's plane: the square from Min to Max.
type Grid struct{ Min, Max float64 }

// gridBits are the bits of each coordinate in a cell.
const gridBits = 26

// Cell is the cell of a legacy point.
func (g Grid) Cell(v bsonval.Value) (int64, error) {
	p, ok := flatOf(v)
	if !ok {
		_, err := parseFlat(v)
		if err == nil {
			err = bad("location object expected, location array not in correct format")
		}
		return 0, err
	}
	for _, c := range []float64{p.X, p.Y} {
		if !(c >= g.Min && c < g.Max) {
			return 0, mongoerr.New(13027, "point not in interval of [ %s, %s )", number(g.Min), number(g.Max))
		}
	}
	return interleave(g.scale(p.X), g.scale(p.Y)), nil
}

func (g Grid) scale(c float64) uint32 {
	u := (c - g.Min) / (g.Max - g.Min) * (1 << gridBits)
	return uint32(math.Max(0, math.Min(u, 1<<gridBits-1)))
}

func interleave(x, y uint32) int64 {
	out := int64(0)
	for i := gridBits - 1; i >= 0; i-- {
		out = out<<2 | int64(x>>i&1)<<1 | int64(y>>i&1)
	}
	return out
}

// CoverFlat answers the grid's cells that points may have which satisfy the query.
func (q *Query) CoverFlat(g Grid) ([]Range, bool) {
	var lo, hi Flat
	switch {
	case q.area != nil:
		lo, hi = q.area.box()
	case q.Near != nil && !q.Near.Spherical:
		return q.Near.CoverFlat(g)
	default:
		return nil, false
	}
	return g.cover(lo, hi), true
}

// CoverFlat answers the cells around the point.
func (n *Near) CoverFlat(g Grid) ([]Range, bool) {
	if n.Spherical {
		return nil, false
	}
	return g.cover(Flat{n.at.X - n.Max, n.at.Y - n.Max}, Flat{n.at.X + n.Max, n.at.Y + n.Max}), true
}

// cover divides the square until the parts that meet the box are many enough.
func (g Grid) cover(lo, hi Flat) []Range {
	x0, x1, y0, y1 := g.scale(lo.X), g.scale(hi.X), g.scale(lo.Y), g.scale(hi.Y)
	type square struct {
		x, y uint32
		bits int // of its side
	}
	level := []square{{0, 0, gridBits}}
	for level[0].bits > 0 {
		var next []square
		for _, s := range level {
			half := uint32(1) << (s.bits - 1)
			for _, q := range [4]square{{s.x, s.y, s.bits - 1}, {s.x, s.y + half, s.bits - 1}, {s.x + half, s.y, s.bits - 1}, {s.x + half, s.y + half, s.bits - 1}} {
				if q.x <= x1 && q.x+half-1 >= x0 && q.y <= y1 && q.y+half-1 >= y0 {
					next = append(next, q)
				}
			}
		}
		if len(next) > queryCells || len(next) == 0 {
			break
		}
		level = next
	}
	var out []Range
	for _, s := range level {
		from := interleave(s.x, s.y)
		out = append(out, Range{from, from + int64(1)<<(2*s.bits) - 1})
	}
	return out
}
