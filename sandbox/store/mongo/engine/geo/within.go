package geo

import (
	"math"

	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Query is a compiled geospatial condition.
type Query struct {
	Near  *Near   // of $near and its like
	meets bool    // $geoIntersects, else $geoWithin
	shape *Shape  // on the sphere
	cap   *s2.Cap // $centerSphere
	disc  disc    // its circle, in degrees
	area  area    // on the plane
}

// area is a part of the plane.
type area interface {
	holds(Flat) bool
	box() (lo, hi Flat)
}

// Condition compiles an operator for package match.
func Condition(op string, d bsonval.Doc) (func(bsonval.Value) (bool, error), error) {
	q, err := Compile(op, d)
	if err != nil {
		return nil, err
	}
	return q.Test, nil
}

// Compile reads the whole object that an operator stands in: { $geoWithin: … } or
// { $near: …, $maxDistance: … }.
func Compile(op string, d bsonval.Doc) (*Query, error) {
	switch op {
	case "$near", "$nearSphere", "$geoNear":
		n, err := compileNear(op, d)
		return &Query{Near: n}, err
	}
	if es := d.Elements(); len(es) > 1 {
		return nil, bad("can't parse extra field: %s: %s", es[1].Name, es[1].Value)
	}
	arg := d.Get(op)
	if arg.Type() != bsonval.Object {
		return nil, bad("geometry must be an object")
	}
	q := &Query{meets: op == "$geoIntersects"}
	found := false
	for name, v := range arg.Doc().All() {
		if found && op == "$geoWithin" {
			return nil, bad("$geoWithin doesn't accept multiple shapes %s: %s", op, arg)
		}
		if name == "$uniqueDocs" {
			continue
		}
		found = true
		if err := q.specifier(name, v); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, bad("geo query doesn't have any geometry")
	}
	return q, q.supported(d)
}

// specifier reads one shape of a query; a later one counts in place of an earlier.
func (q *Query) specifier(name string, v bsonval.Value) error {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return bad("unknown geo specifier: %s: %s", name, v)
	}
	q.shape, q.cap, q.area = nil, nil, nil
	switch name {
	case "$geometry":
		return q.geometry(v)
	case "$centerSphere":
		c, err := circle(v)
		if err != nil {
			return err
		}
		at, err := c.c.sphere()
		if err != nil {
			return err
		}
		cap := capOf(at, c.r)
		q.cap, q.disc = &cap, c
		return nil
	case "$center":
		c, err := circle(v)
		q.area = c
		return err
	case "$box":
		return q.box(v)
	case "$polygon":
		return q.outline(v)
	}
	return bad("unknown geo specifier: %s: %s", name, v)
}

func (q *Query) geometry(v bsonval.Value) (err error) {
	if !isLegacy(v) {
		q.shape, err = parseJSON(v.Doc())
		return err
	}
	p, err := parseFlat(v, false)
	if err == nil {
		q.shape = p.legacy()
	}
	return err
}

func (q *Query) box(v bsonval.Value) error {
	lo, err := parseFlat(v.Doc().At(0), false)
	if err != nil {
		return err
	}
	hi, err := parseFlat(v.Doc().At(1), false)
	q.area = boxOf([]Flat{lo, hi})
	return err
}

func (q *Query) outline(v bsonval.Value) error {
	var ps []Flat
	for e := range v.Doc().Values() {
		p, err := parseFlat(e, false)
		if err != nil {
			return err
		}
		ps = append(ps, p)
	}
	if len(ps) < 3 {
		return bad("Polygon must have at least 3 points")
	}
	q.area = polygon(ps)
	return nil
}

// supported refuses shapes that the operator can't ask about.
func (q *Query) supported(d bsonval.Doc) error {
	if q.meets {
		if q.shape == nil || len(q.shape.points) == 0 && q.shape.legacy {
			return bad("$geoIntersect not supported with provided geometry: %s", d)
		}
		return nil
	}
	if q.shape != nil && len(q.shape.polygons) == 0 && q.shape.strict == nil {
		return bad("$within not supported with provided geometry: %s", d)
	}
	return nil
}

func circle(v bsonval.Value) (disc, error) {
	c, err := parseFlat(v.Doc().At(0), false)
	if err != nil {
		return disc{}, err
	}
	r := v.Doc().At(1)
	if !r.IsNumber() || !(r.Float() >= 0) {
		return disc{}, bad("radius must be a non-negative number")
	}
	if !v.Doc().At(2).IsMissing() {
		return disc{}, bad("Only 2 fields allowed for circular region")
	}
	return disc{c, r.Float()}, nil
}

// Test asks the condition of a value. What is no geometry doesn't satisfy it.
func (q *Query) Test(v bsonval.Value) (bool, error) {
	if q.Near != nil {
		return true, nil // the index's own stage measures
	}
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return false, nil
	}
	s, err := parseShape(v)
	if err != nil || s.strict != nil {
		return false, nil //nolint:nilerr // no geometry
	}
	if q.area != nil {
		return s.flat != nil && q.area.holds(*s.flat), nil
	}
	if s.legacy && len(s.points) == 0 {
		return false, nil // the sphere doesn't have it
	}
	if q.meets {
		return q.shape.meets(s), nil
	}
	return q.contains(s), nil
}

// Parts of the plane.

// disc is a circle; of $centerSphere with its radius in radians.
type disc struct {
	c Flat
	r float64
}

func (a disc) holds(p Flat) bool { return beyond(a.c, p, a.r) <= 0 }
func (a disc) box() (lo, hi Flat) {
	return Flat{a.c.X - a.r, a.c.Y - a.r}, Flat{a.c.X + a.r, a.c.Y + a.r}
}

// beyond is how much farther than r two points are apart. Along an axis nothing is
// lost by rounding.
func beyond(p, q Flat, r float64) float64 {
	switch {
	case p.X == q.X:
		return math.Max(p.Y, q.Y) - (math.Min(p.Y, q.Y) + r)
	case p.Y == q.Y:
		return math.Max(p.X, q.X) - (math.Min(p.X, q.X) + r)
	}
	return apartBy(p, q) - r
}

// apartBy is the distance on the plane.
func apartBy(p, q Flat) float64 {
	dx, dy := p.X-q.X, p.Y-q.Y
	return math.Sqrt(float64(dx*dx) + float64(dy*dy))
}

type box struct{ lo, hi Flat }

func boxOf(ps []Flat) box {
	b := box{ps[0], ps[0]}
	for _, p := range ps {
		b.lo.X, b.lo.Y = math.Min(b.lo.X, p.X), math.Min(b.lo.Y, p.Y)
		b.hi.X, b.hi.Y = math.Max(b.hi.X, p.X), math.Max(b.hi.Y, p.Y)
	}
	return b
}

func (a box) holds(p Flat) bool {
	return p.X >= a.lo.X && p.X <= a.hi.X && p.Y >= a.lo.Y && p.Y <= a.hi.Y
}
func (a box) box() (lo, hi Flat) { return a.lo, a.hi }

type polygon []Flat

func (a polygon) box() (lo, hi Flat) { return boxOf(a).box() }

// holds counts the edges to the right of the point. Corners, level and upright edges
// are inside; of slanted edges, as in the server, those on the right.
func (a polygon) holds(p Flat) bool {
	in := false
	for i := range a {
		s, t := a[i], a[(i+1)%len(a)]
		switch {
		case p == s || p == t:
			return true
		case s.Y == t.Y:
			if p.Y == s.Y && p.X >= math.Min(s.X, t.X) && p.X <= math.Max(s.X, t.X) {
				return true
			}
		case p.Y <= math.Min(s.Y, t.Y) || p.Y > math.Max(s.Y, t.Y) || p.X > math.Max(s.X, t.X):
		case s.X == t.X:
			if p.X == s.X {
				return true
			}
			in = !in
		case p.X <= (p.Y-s.Y)*(t.X-s.X)/(t.Y-s.Y)+s.X:
			in = !in
		}
	}
	return in
}
