package geo

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Query is a compiled geospatial condition.
type Query struct {
	Near  *Near   // of $near and its like
	shape *Shape  // $geoIntersects
	in    *region // $geoWithin on the sphere
	area  area    // $geoWithin on the plane
}

// area is a part of the plane.
type area interface {
	holds(Flat) bool
	box() (lo, hi Flat)
}

// Near is a search for what is nearest.
type Near struct {
	Spherical bool
	Meters    bool // distances are meters, else radians or the plane's units
	at        Flat
	Min, Max  float64
}

// Compile reads the argument of $geoWithin, $geoIntersects, $near and $nearSphere. Of
// the last two it is the whole object that they stand in, with $maxDistance.
func Compile(op string, arg bsonval.Value) (*Query, error) {
	switch op {
	case "$near", "$nearSphere", "$geoNear":
		n, err := compileNear(op, arg.Doc())
		return &Query{Near: n}, err
	case "$geoIntersects":
		g := geometry(arg)
		if g.Type() != bsonval.Object {
			return nil, bad("$geoIntersects not supported with provided geometry: %s", arg)
		}
		s, err := ParseShape(g)
		return &Query{shape: s}, err
	}
	if arg.Type() != bsonval.Object || arg.Doc().IsEmpty() {
		return nil, bad("$within not supported with provided geometry: %s", arg)
	}
	return compileWithin(arg)
}

func geometry(arg bsonval.Value) bsonval.Value {
	if arg.Type() != bsonval.Object {
		return bsonval.Value{}
	}
	return arg.Doc().Get("$geometry")
}

func compileWithin(arg bsonval.Value) (*Query, error) {
	for name, v := range arg.Doc().All() {
		switch name {
		case "$geometry":
			s, err := ParseShape(v)
			if err != nil {
				return nil, err
			}
			if len(s.polygons) == 0 {
				return nil, bad("$within not supported with provided geometry: %s", arg)
			}
			return &Query{in: &region{polygons: s.polygons}}, nil
		case "$centerSphere":
			c, r, err := circle(v)
			if err != nil {
				return nil, err
			}
			at, err := c.sphere()
			if err != nil {
				return nil, err
			}
			cap := capOf(at, r)
			return &Query{in: &region{cap: &cap}}, nil
		case "$center":
			c, r, err := circle(v)
			return &Query{area: disc{c, r}}, err
		case "$box":
			ps, err := flats(v)
			if err == nil && len(ps) < 2 {
				err = bad("Box must have two points")
			}
			if err != nil {
				return nil, err
			}
			return &Query{area: boxOf(ps[:2])}, nil
		case "$polygon":
			ps, err := flats(v)
			if err == nil && len(ps) < 3 {
				err = bad("Polygon must have at least 3 points")
			}
			return &Query{area: polygon(ps)}, err
		case "$uniqueDocs":
		default:
			return nil, bad("unknown geo specifier: %s: %s", name, v)
		}
	}
	return nil, bad("$within not supported with provided geometry: %s", arg)
}

func circle(v bsonval.Value) (Flat, float64, error) {
	if v.Type() != bsonval.Array {
		return Flat{}, 0, bad("Only 2 fields allowed for circular region")
	}
	c, err := parseFlat(v.Doc().At(0))
	r := v.Doc().At(1)
	if err == nil && (!r.IsNumber() || !(r.Float() >= 0)) {
		err = bad("radius must be a non-negative number")
	}
	return c, r.Float(), err
}

func flats(v bsonval.Value) ([]Flat, error) {
	if v.Type() != bsonval.Array && v.Type() != bsonval.Object {
		return nil, bad("Point must be an array or object, instead got type %s", v.Type())
	}
	var out []Flat
	for e := range v.Doc().Values() {
		p, err := parseFlat(e)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// compileNear reads { $near: …, $maxDistance: … }; a GeoJSON point has its distances
// within.
func compileNear(op string, d bsonval.Doc) (*Near, error) {
	n := &Near{Spherical: op == "$nearSphere", Max: math.Inf(1)}
	v := d.Get(op)
	if g := geometry(v); !g.IsMissing() {
		s, err := ParseShape(g)
		if err != nil || s.flat == nil || len(s.points) != 1 {
			return nil, bad("invalid point in geo near query $geometry argument: %s", v)
		}
		n.at, n.Spherical, n.Meters = *s.flat, true, true
		d = v.Doc()
	} else {
		p, err := parseFlat(v)
		if err != nil {
			return nil, bad("invalid argument in geo near query: %s", v)
		}
		if max := v.Doc().At(2); max.IsNumber() {
			n.Max = max.Float()
		}
		n.at = p
	}
	return n, n.limits(d, "$minDistance", "$maxDistance")
}

func (n *Near) limits(d bsonval.Doc, min, max string) error {
	for name, to := range map[string]*float64{min: &n.Min, max: &n.Max} {
		v := d.Get(name)
		if v.IsMissing() {
			continue
		}
		if !v.IsNumber() || !(v.Float() >= 0) {
			return mongoerr.New(mongoerr.BadValue, "%s must be non-negative", name)
		}
		*to = v.Float()
	}
	return nil
}

// ParseNear reads the argument of the stage $geoNear.
func ParseNear(d bsonval.Doc) (*Near, error) {
	n := &Near{Spherical: d.Get("spherical").Truth(), Max: math.Inf(1)}
	v := d.Get("near")
	if v.Type() == bsonval.Object && v.Doc().Get("type").Type() == bsonval.String {
		s, err := ParseShape(v)
		if err != nil || s.flat == nil {
			return nil, bad("$geoNear requires a GeoJSON Point: %s", v)
		}
		n.at, n.Spherical, n.Meters = *s.flat, true, true
	} else {
		p, err := parseFlat(v)
		if err != nil {
			return nil, err
		}
		n.at = p
	}
	return n, n.limits(d, "minDistance", "maxDistance")
}

// Test asks the condition of a value. What is no geometry doesn't satisfy it.
func (q *Query) Test(v bsonval.Value) (bool, error) {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return false, nil
	}
	if q.area != nil {
		p, ok := flatOf(v)
		return ok && q.area.holds(p), nil
	}
	if q.Near != nil {
		_, ok := q.Near.Distance(v)
		return ok, nil
	}
	s, err := ParseShape(v)
	if err != nil {
		return false, nil //nolint:nilerr // no geometry
	}
	if q.shape != nil {
		return q.shape.meets(s), nil
	}
	return q.in.holds(s), nil
}

// flatOf is the place on the plane of a legacy point or a GeoJSON one.
func flatOf(v bsonval.Value) (Flat, bool) {
	if v.Type() == bsonval.Object && v.Doc().Get("type").Type() == bsonval.String {
		if v.Doc().Get("type").Str() != "Point" {
			return Flat{}, false
		}
		v = v.Doc().Get("coordinates")
	}
	p, err := parseFlat(v)
	return p, err == nil
}

// Distance is how far a value is from the point asked for. ok is false for what is no
// geometry or too near or too far.
func (n *Near) Distance(v bsonval.Value) (d float64, ok bool) {
	if !n.Spherical {
		p, ok := flatOf(v)
		d = math.Hypot(p.X-n.at.X, p.Y-n.at.Y)
		return d, ok && d >= n.Min && d <= n.Max
	}
	s, err := ParseShape(v)
	at, bad := n.at.sphere()
	if err != nil || bad != nil {
		return 0, false
	}
	d = s.distance(at)
	if n.Meters {
		d *= EarthRadius
	}
	return d, d >= n.Min && d <= n.Max
}

// Spherical areas and flat ones.

type disc struct {
	c Flat
	r float64
}

func (a disc) holds(p Flat) bool { return math.Hypot(p.X-a.c.X, p.Y-a.c.Y) <= a.r }
func (a disc) box() (lo, hi Flat) {
	return Flat{a.c.X - a.r, a.c.Y - a.r}, Flat{a.c.X + a.r, a.c.Y + a.r}
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

// holds counts the edges to the right of the point; a point on an edge is inside.
func (a polygon) holds(p Flat) bool {
	in := false
	for i := range a {
		s, t := a[i], a[(i+1)%len(a)]
		cross := (t.X-s.X)*(p.Y-s.Y) - (t.Y-s.Y)*(p.X-s.X)
		if cross == 0 && boxOf([]Flat{s, t}).holds(p) {
			return true
		}
		if (s.Y > p.Y) != (t.Y > p.Y) && p.X < (t.X-s.X)*(p.Y-s.Y)/(t.Y-s.Y)+s.X {
			in = !in
		}
	}
	return in
}
