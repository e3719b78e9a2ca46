package index

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
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
	if d.Unique || d.Expire >= 0 {
		return mongoerr.New(mongoerr.CannotCreateIndex, "%s indexes cannot be unique or expire documents", d.Kind)
	}
	if d.Kind == Sphere {
		if d.Collator != nil {
			return mongoerr.New(mongoerr.NotImplemented, "a collation on a 2dsphere index is not supported")
		}
		if v := spec.Get("2dsphereIndexVersion"); v.IsNumber() && (v.Long() < 1 || v.Long() > 3) {
			return mongoerr.New(mongoerr.CannotCreateIndex, "unsupported geo index version { 2dsphereIndexVersion : %d }, only support versions: [1,2,3]", v.Long())
		}
		return nil
	}
	if d.Collator != nil {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type '2d' does not support collation: %s", d.Pattern)
	}
	if d.Fields[0].Kind != Flat {
		return mongoerr.New(16801, "2d has to be first in index")
	}
	g := geo.Grid{Min: -180, Max: 180}
	for name, to := range map[string]*float64{"min": &g.Min, "max": &g.Max} {
		if v := spec.Get(name); v.IsNumber() {
			*to = v.Float()
		}
	}
	if g.Min >= g.Max {
		return mongoerr.New(16804, "region for hash must be valid and have positive area")
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
	if !present {
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
	for _, v := range geometries(bsonval.DocValue(doc), f.Path) {
		var cells []int64
		if d.Kind == Flat {
			var c int64
			c, err = d.Grid().Cell(v)
			cells = []int64{c}
		} else {
			cells, err = geo.Cells(v)
		}
		if err != nil {
			e := mongoerr.From(err)
			if e.Code == mongoerr.BadValue {
				e = mongoerr.New(16755, "Can't extract geo keys: %s  %s", doc, e.Message)
			}
			return nil, false, e
		}
		for _, c := range cells {
			parts = append(parts, string(d.AppendField(nil, i, bsonval.LongValue(c))))
		}
	}
	if parts == nil {
		return []string{string(d.AppendField(nil, i, bsonval.NullValue()))}, false, nil
	}
	return parts, true, nil
}

// geometries are the values at path that are to be geometries: an array of numbers is
// one, any other array holds several.
func geometries(v bsonval.Value, path string) []bsonval.Value {
	var out []bsonval.Value
	Spread(v, path, func(v bsonval.Value) {
		switch {
		case v.IsNullish():
		case v.Type() == bsonval.Array && !v.Doc().At(0).IsNumber():
			for e := range v.Doc().Values() {
				if !e.IsNullish() {
					out = append(out, e)
				}
			}
		default:
			out = append(out, v)
		}
	})
	return out
}

// Spread yields what stands at path, through arrays on the way; an array at its end is
// one value.
func Spread(v bsonval.Value, path string, yield func(bsonval.Value)) {
	for at := 0; ; at++ {
		if at < len(path) && path[at] != '.' {
			continue
		}
		switch v.Type() {
		case bsonval.Object:
			v = v.Doc().Get(path[:at])
			if at == len(path) {
				yield(v)
			} else {
				Spread(v, path[at+1:], yield)
			}
		case bsonval.Array:
			for e := range v.Doc().Values() {
				if e.Type() == bsonval.Object {
					Spread(e, path, yield)
				}
			}
		}
		return
	}
}
