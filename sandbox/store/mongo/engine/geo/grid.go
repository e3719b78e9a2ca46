package geo

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Grid is a 2d index's plane: the square from Min to Max.
type Grid struct{ Min, Max float64 }

// gridBits are the bits of each coordinate in a cell.
const gridBits = 26

// Cell is the cell of a point of the document src.
func (g Grid) Cell(v bsonval.Value, src bsonval.Doc) (int64, error) {
	d := v.Doc()
	x, y := d.At(0), d.At(1)
	if y.IsMissing() {
		return 0, mongoerr.New(13068, "geo field only has 1 element :: caused by :: %s", src)
	}
	if !x.IsNumber() || !y.IsNumber() {
		return 0, mongoerr.New(13026, "geo values must be 'legacy coordinate pairs' for 2d indexes :: caused by :: %s", src)
	}
	for _, c := range []float64{x.Float(), y.Float()} {
		if !(c >= g.Min && c <= g.Max) {
			return 0, mongoerr.New(13027, "point not in interval of [ %s, %s ] :: caused by :: %s", number(g.Min), number(g.Max), src)
		}
	}
	return interleave(g.scale(x.Float()), g.scale(y.Float())), nil
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
	switch {
	case q.Near != nil:
		return q.Near.CoverFlat(g)
	case q.area != nil:
		lo, hi := q.area.box()
		return g.cover(lo, hi), true
	case q.cap != nil:
		return g.around(q.disc.c, q.disc.r, false), true
	}
	return nil, false
}

// CoverFlat answers the cells around the point.
func (n *Near) CoverFlat(g Grid) ([]Range, bool) {
	switch {
	case n.Wraps():
		return nil, false
	case n.Spherical:
		return g.around(n.at, n.Max, true), true
	}
	return g.cover(Flat{n.at.X - n.Max, n.at.Y - n.Max}, Flat{n.at.X + n.Max, n.at.Y + n.Max}), true
}

// around answers the cells within an angle, in radians, of a place in degrees. A search
// doesn't cross the date line; a circle does, then it is the whole plane.
func (g Grid) around(c Flat, radians float64, search bool) []Range {
	dy := radians*180/math.Pi + 1e-6
	lat := math.Min(89, math.Max(math.Abs(c.Y-dy), math.Abs(c.Y+dy)))
	dx := dy/math.Cos(lat*math.Pi/180) + 1e-6
	if !search && (c.X-dx < -180 || c.X+dx > 180) {
		return g.cover(Flat{g.Min, g.Min}, Flat{g.Max, g.Max})
	}
	return g.cover(Flat{c.X - dx, c.Y - dy}, Flat{c.X + dx, c.Y + dy})
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
