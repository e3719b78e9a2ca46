package geo

import (
	"math"

	"github.com/golang/geo/s2"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Near is a search for what is nearest.
type Near struct {
	Spherical bool // distances are measured on the sphere
	Meters    bool // the point is GeoJSON: distances are meters, and go around the world
	Min, Max  float64
	at        Flat
	point     s2.Point // of spherical ones
}

// compileNear reads { $near: …, $maxDistance: … }, with a legacy point or GeoJSON, or
// { $near: { $geometry: …, $maxDistance: … } }.
func compileNear(op string, d bsonval.Doc) (*Near, error) {
	n := &Near{Max: math.Inf(1)}
	found, err := n.legacy(d)
	if err != nil {
		return nil, err
	}
	if !found {
		*n = Near{Max: math.Inf(1)}
		return n, n.modern(d)
	}
	if op != "$nearSphere" || n.Meters {
		return n, nil
	}
	if n.point, err = n.at.sphere(); err != nil {
		return nil, bad("Legacy point is out of bounds for spherical query")
	}
	n.Spherical = true
	return n, nil
}

// legacy reads the form with distances beside the point. It answers false when there is
// no point of that form.
func (n *Near) legacy(d bsonval.Doc) (found bool, err error) {
	for name, v := range d.All() {
		switch name {
		case "$near", "$nearSphere", "$geoNear":
			if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
				return false, nil
			}
			if n.queryPoint(v) != nil && !n.triple(v) {
				continue
			}
			if n.Max < 0 {
				return false, mongoerr.New(18522, "max distance must be non-negative")
			}
			found = true
		case "$minDistance":
			n.Min, err = distance(name, v, 16893, 16894)
		case "$maxDistance":
			n.Max, err = distance(name, v, 16895, 16896)
		case "$uniqueDocs":
		default:
			err = mongoerr.New(34413, "invalid argument in geo near query: %s", name)
		}
		if err != nil {
			return false, err
		}
	}
	return found, nil
}

func distance(name string, v bsonval.Value, notNumber, negative mongoerr.Code) (float64, error) {
	if !v.IsNumber() {
		return 0, mongoerr.New(notNumber, "%s must be a number", name)
	}
	if !(v.Float() >= 0) {
		return 0, mongoerr.New(negative, "%s must be non-negative", name)
	}
	return v.Float(), nil
}

// queryPoint reads a legacy point or a GeoJSON one.
func (n *Near) queryPoint(v bsonval.Value) error {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return bad("Point must be an array or object")
	}
	if isLegacy(v) {
		p, err := parseFlat(v, false)
		if err == nil {
			n.at = p
		}
		return err
	}
	if err := usualCRS(v.Doc()); err != nil {
		return err
	}
	p, err := parseFlat(v.Doc().Get("coordinates"), true)
	if err != nil {
		return err
	}
	at, err := p.sphere()
	if err == nil {
		n.at, n.point, n.Spherical, n.Meters = p, at, true, true
	}
	return err
}

// triple reads [ x, y, maxDistance ].
func (n *Near) triple(v bsonval.Value) bool {
	d := v.Doc().Slice()
	if len(d) != 3 || !d[0].IsNumber() || !d[1].IsNumber() || !d[2].IsNumber() {
		return false
	}
	n.at, n.Max = Flat{d[0].Float(), d[1].Float()}, d[2].Float()
	return true
}

// modern reads the form with all within.
func (n *Near) modern(d bsonval.Doc) error {
	es := d.Elements()
	if len(es) > 1 {
		return bad("geo near accepts just one argument when querying for a GeoJSON point. Extra field found: %s: %s", es[1].Name, es[1].Value)
	}
	if t := es[0].Value.Type(); t != bsonval.Object && t != bsonval.Array {
		return bad("geo near query argument is not an object")
	}
	found := false
	for name, v := range es[0].Value.Doc().All() {
		var err error
		switch name {
		case "$geometry":
			if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
				continue
			}
			if err := n.queryPoint(v); err != nil {
				return bad("invalid point in geo near query $geometry argument: %s  %s", v, mongoerr.From(err).Message)
			}
			if !n.Meters {
				return bad("$near requires geojson point, given %s", v)
			}
			found = true
		case "$minDistance":
			n.Min, err = distance(name, v, mongoerr.BadValue, mongoerr.BadValue)
		case "$maxDistance":
			n.Max, err = distance(name, v, mongoerr.BadValue, mongoerr.BadValue)
			if err == nil && math.IsInf(n.Max, 0) {
				err = bad("$maxDistance must be non-negative")
			}
		default:
			err = bad("invalid argument in geo near query: %s", name)
		}
		if err != nil {
			return err
		}
	}
	if !found {
		return bad("$geometry is required for geo near query")
	}
	return nil
}

// ParseNear reads the argument of the stage $geoNear.
func ParseNear(d bsonval.Doc) (*Near, error) {
	op := "$near"
	if d.Get("spherical").Truth() {
		op = "$nearSphere"
	}
	near := d.Get("near")
	if near.Type() != bsonval.Object && near.Type() != bsonval.Array {
		return nil, mongoerr.New(5860401, "$geoNear requires near argument to be a GeoJSON object or a legacy point(array)")
	}
	b := bsonval.NewBuilder(len(d))
	b.Set(op, near)
	for _, name := range []string{"minDistance", "maxDistance"} {
		v := d.Get(name)
		switch {
		case v.IsMissing():
		case !v.IsNumber():
			return nil, mongoerr.New(mongoerr.TypeMismatch, "$geoNear requires $%s to evaluate to a number", name)
		case !(v.Float() >= 0):
			return nil, bad("%s must be nonnegative", name)
		default:
			b.Set("$"+name, v)
		}
	}
	return compileNear(op, b.Doc())
}

// Wraps tells whether the search goes around the world, which a plane's index can't.
func (n *Near) Wraps() bool { return n.Meters }

// In refuses a point that isn't on the plane of the index.
func (n *Near) In(g Grid) error {
	for _, c := range []float64{n.at.X, n.at.Y} {
		if !(c >= g.Min && c <= g.Max) {
			return mongoerr.New(16433, "point not in interval of [ %s, %s ] :: caused by :: [ %s, %s ]", number(g.Min), number(g.Max), number(n.at.X), number(n.at.Y))
		}
	}
	return nil
}

// Distance is how far a value is from the point asked for. ok is false for what is no
// geometry or too near or too far.
func (n *Near) Distance(v bsonval.Value) (d float64, ok bool) {
	s, err := parseShape(v)
	if err != nil || s.strict != nil {
		return 0, false
	}
	if !n.Spherical {
		if s.flat == nil {
			return 0, false
		}
		return apartBy(*s.flat, n.at), beyond(*s.flat, n.at, n.Min) >= 0 && beyond(*s.flat, n.at, n.Max) <= 0
	}
	if s.legacy && len(s.points) == 0 {
		return 0, false
	}
	// Limits are compared in meters, where the server rounds.
	d = s.distance(n.point) * earthRadius
	min, max := n.Min, n.Max
	if !n.Meters {
		min, max = min*earthRadius, max*earthRadius
	}
	ok = d >= min && d <= max
	if !n.Meters {
		d /= earthRadius
	}
	return d, ok
}
