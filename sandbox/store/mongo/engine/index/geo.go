package index

import (
	"math"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// Grid is the plane of a 2d index.
func (d *Def) Grid() geo.Grid {
	g, _ := d.Extra.(geo.Grid)
	return g
}

// parseGeo checks a 2dsphere or 2d index.
func (d *Def) parseGeo(spec bsonval.Doc) error {
	for _, f := range d.Fields {
		if f.Kind != Ordered && f.Kind != d.Kind {
			return mongoerr.New(mongoerr.CannotCreateIndex, "Can't use more than one index plugin for a single index.")
		}
	}
	if d.Expire >= 0 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "%s indexes cannot expire documents", d.Kind)
	}
	if d.Kind == Sphere {
		return d.parseSphere(spec)
	}
	if d.Collator != nil {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type '2d' does not support collation: %s", d.Pattern)
	}
	for i, f := range d.Fields {
		switch {
		case i == 0 && f.Kind != Flat:
			return mongoerr.New(16801, "2d has to be first in index")
		case i > 0 && f.Kind == Flat:
			return mongoerr.New(16800, "can't have 2 geo fields")
		}
	}
	return d.parseGrid(spec)
}

// oldest is the version of a 2dsphere index that holds documents without a place too.
const oldest = sphereVersion(1)

// sphereVersion is kept as a 2dsphere index's Extra.
type sphereVersion int

// parseSphere checks the options of a 2dsphere index.
func (d *Def) parseSphere(spec bsonval.Doc) error {
	opts := map[string]int64{"2dsphereIndexVersion": 3, "coarsestIndexedLevel": 0, "finestIndexedLevel": 23, "maxCellsInCovering": 50}
	for name := range opts {
		v := spec.Get(name)
		switch {
		case v.IsMissing():
		case !v.IsNumber():
			return mongoerr.New(mongoerr.TypeMismatch, "\"%s\" had the wrong type. Expected number, found %s", name, v.Type())
		case v.Float() != math.Trunc(v.Float()):
			return mongoerr.New(mongoerr.BadValue, "Expected field \"%s\" to have a value exactly representable as a 64-bit integer, but found %s: %s", name, name, v)
		default:
			opts[name] = v.Long()
		}
	}
	coarse, fine, version := opts["coarsestIndexedLevel"], opts["finestIndexedLevel"], opts["2dsphereIndexVersion"]
	switch {
	case coarse < 0:
		return mongoerr.New(16747, "coarsestIndexedLevel must be >= 0")
	case fine > 30:
		return mongoerr.New(16748, "finestIndexedLevel must be <= 30")
	case fine < coarse:
		return mongoerr.New(16749, "finestIndexedLevel must be >= coarsestIndexedLevel")
	case version < 1 || version > 3:
		return mongoerr.New(mongoerr.CannotCreateIndex, "unsupported geo index version { 2dsphereIndexVersion : %d }, only support versions: [1,2,3]", version)
	}
	d.Extra = sphereVersion(version)
	return nil
}

// HoldsAll tells whether documents without a place are in a geospatial index too.
func (d *Def) HoldsAll() bool { return d.Kind == Sphere && d.Extra == oldest }

// parseGrid reads the plane of a 2d index.
func (d *Def) parseGrid(spec bsonval.Doc) error {
	g := geo.Grid{Min: -180, Max: 180}
	bits := 26.0
	for name, to := range map[string]*float64{"min": &g.Min, "max": &g.Max, "bits": &bits} {
		v := spec.Get(name)
		if v.IsNumber() {
			*to = v.Float()
		} else if !v.IsMissing() {
			return mongoerr.New(mongoerr.InvalidOptions, "wrong type for '%s' field, expected number, found %s", name, v)
		}
	}
	span := g.Max - g.Min
	switch {
	case math.Trunc(bits) < 1 || math.Trunc(bits) > 32:
		return mongoerr.New(mongoerr.InvalidOptions, "bits for hash must be > 0 and <= 32, but %v bits were specified", math.Trunc(bits))
	case !(g.Min < g.Max) || math.IsInf(g.Min, 0) || math.IsInf(g.Max, 0):
		return mongoerr.New(mongoerr.InvalidOptions, "region for hash must be valid and have positive area, but [%v, %v] was specified", g.Min, g.Max)
	case math.IsInf(1<<32/span, 0) || 1<<32/span <= 0:
		return mongoerr.New(mongoerr.InvalidOptions, "range [%v, %v] is too small.", g.Min, g.Max)
	}
	d.Extra = g
	return nil
}

// cells answers the keys of a 2dsphere or 2d index: each cell of the document's
// geometry, with each value of the other fields. Documents without geometry have none.
func (d *Def) cells(doc bsonval.Doc) (Keys, error) {
	keys := []string{""}
	var out Keys
	present := false
	for i, f := range d.Fields {
		parts, found, err := d.parts(i, f, doc)
		if err != nil {
			return Keys{}, err
		}
		present = present || found
		if len(parts) > 1 {
			out.Multikey |= 1 << i
		}
		next := make([]string, 0, len(keys)*len(parts))
		for _, k := range keys {
			for _, p := range parts {
				next = append(next, k+p)
			}
		}
		keys = next
	}
	if !present && !d.HoldsAll() {
		return Keys{}, nil
	}
	slices.Sort(keys)
	out.Keys = slices.Compact(keys)
	return out, nil
}

// parts are the keys of one field; found says that it is a geometry that is there.
func (d *Def) parts(i int, f Field, doc bsonval.Doc) (parts []string, found bool, err error) {
	if f.Kind == Ordered {
		one := &Def{Fields: []Field{f}, Collator: d.Collator}
		keys, err := one.ordered(doc)
		if keys.Multikey != 0 && len(keys.Keys) == 1 {
			keys.Keys = append(keys.Keys, keys.Keys[0]) // also an array of one makes the index multikey
		}
		return keys.Keys, false, err
	}
	cells, err := d.places(doc, f.Path)
	if err != nil {
		return nil, false, err
	}
	for _, c := range cells {
		parts = append(parts, string(d.AppendField(nil, i, bsonval.LongValue(c))))
	}
	if parts == nil {
		return []string{string(d.AppendField(nil, i, bsonval.NullValue()))}, false, nil
	}
	return parts, true, nil
}

// places are the cells of the document's geometries.
func (d *Def) places(doc bsonval.Doc, path string) (cells []int64, err error) {
	if d.Kind == Flat {
		return d.flatPlaces(doc, path)
	}
	if d.Buckets {
		return d.bucketPlaces(doc, path)
	}
	return d.spherePlaces(doc, path)
}

// sphereOfBuckets is what stands in the key pattern of an index on measurements' places.
const sphereOfBuckets Kind = "2dsphere_bucket"

// bucketPlaces are the cells of all of a bucket's measurements; path begins with "data".
func (d *Def) bucketPlaces(bucket bsonval.Doc, path string) (cells []int64, err error) {
	path = strings.TrimPrefix(path, "data.")
	name, _, _ := strings.Cut(path, ".")
	values, err := timeseries.Column(bucket, name)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		more, err := d.spherePlaces(bsonval.D(bsonval.E(name, v)), path)
		if err != nil {
			return nil, err
		}
		cells = append(cells, more...)
	}
	return cells, nil
}

func (d *Def) spherePlaces(doc bsonval.Doc, path string) (cells []int64, err error) {
	var found []bsonval.Value
	Spread(bsonval.DocValue(doc), path, func(v bsonval.Value) {
		if !v.IsMissing() {
			found = append(found, v)
		}
	})
	version, _ := d.Extra.(sphereVersion)
	if len(found) == 1 && version != oldest {
		v := found[0]
		if v.IsNullish() || (v.Type() == bsonval.Object || v.Type() == bsonval.Array) && v.Doc().IsEmpty() {
			return nil, nil
		}
	}
	for _, v := range found {
		cs, err := geo.Cells(v, int(version))
		if err != nil {
			return nil, mongoerr.New(16755, "Can't extract geo keys: %s  %s", doc, mongoerr.From(err).Message)
		}
		cells = append(cells, cs...)
	}
	return cells, nil
}

// flatPlaces are the cells of a 2d index: what is no object or array is passed over,
// and so are empty ones.
func (d *Def) flatPlaces(doc bsonval.Doc, path string) (cells []int64, err error) {
	add := func(v bsonval.Value) {
		if err != nil || v.Doc().IsEmpty() {
			return
		}
		var c int64
		c, err = d.Grid().Cell(v, doc)
		cells = append(cells, c)
	}
	Spread(bsonval.DocValue(doc), path, func(v bsonval.Value) {
		if v.Type() != bsonval.Array && v.Type() != bsonval.Object {
			return
		}
		if v.Doc().At(0).IsNumber() {
			add(v)
			return
		}
		for e := range v.Doc().Values() {
			if e.Type() != bsonval.Array && e.Type() != bsonval.Object {
				err = mongoerr.New(16804, "location object expected, location array not in correct format")
				return
			}
			add(e)
		}
	})
	return cells, err
}

// Spread yields what stands at path, through arrays on the way, which the path may also
// name places of; an array at its end is one value.
func Spread(v bsonval.Value, path string, yield func(bsonval.Value)) {
	if v.Type() != bsonval.Object && v.Type() != bsonval.Array {
		return
	}
	if at := v.Doc().Get(path); !at.IsMissing() {
		yield(at)
		return
	}
	part, rest, more := strings.Cut(path, ".")
	if !more {
		return
	}
	v = v.Doc().Get(part)
	if v.Type() != bsonval.Array || isPlace(rest) {
		Spread(v, rest, yield)
		return
	}
	for e := range v.Doc().Values() {
		Spread(e, rest, yield)
	}
}

// isPlace tells a path that begins with a place in an array.
func isPlace(path string) bool {
	part, _, _ := strings.Cut(path, ".")
	return part != "" && strings.Trim(part, "0123456789") == ""
}
