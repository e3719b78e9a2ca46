package timeseries

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// UpdateFilter is an update's filter, which may name the source alone, as one on
// buckets.
func (o Options) UpdateFilter(filter bsonval.Doc) (bsonval.Doc, error) {
	if err := o.checkUpdateFilter(filter); err != nil {
		return nil, err
	}
	return o.toBucket(filter), nil
}

func (o Options) checkUpdateFilter(filter bsonval.Doc) error {
	for name, v := range filter.All() {
		switch {
		case name == "$expr" || name == "$where":
			return mongoerr.New(mongoerr.InvalidOptions, "Cannot use %s when performing an update or delete on a time-series collection", name)
		case (name == "$and" || name == "$or" || name == "$nor") && allObjects(v):
			for part := range v.Doc().Values() {
				if err := o.checkUpdateFilter(part.Doc()); err != nil {
					return err
				}
			}
		case !o.root(name):
			return mongoerr.New(mongoerr.InvalidOptions, "Cannot perform an update or delete on a time-series collection when querying on a field that is not the metaField '%s'", o.Meta)
		}
	}
	return nil
}

// Update is an update document on the source as one on buckets. The server allows no
// other updates of measurements.
func (o Options) Update(v bsonval.Value) (bsonval.Doc, error) {
	refuse := func(format string, args ...any) (bsonval.Doc, error) {
		return nil, mongoerr.New(mongoerr.InvalidOptions, format, args...)
	}
	switch {
	case v.Type() == bsonval.Array:
		return refuse("Cannot perform an update on a time-series collection using a pipeline update")
	case v.Type() != bsonval.Object:
		return nil, mongoerr.New(mongoerr.FailedToParse, "Update argument must be either an object or an array")
	case !strings.HasPrefix(v.Doc().First().Name, "$"):
		return refuse("Cannot perform an update on a time-series collection using a replacement document")
	}
	b := bsonval.NewBuilder(len(v.Doc()) + 32)
	for op, fields := range v.Doc().All() {
		if fields.Type() != bsonval.Object {
			b.Set(op, fields) // refused by the update's own check
			continue
		}
		b.OpenDoc(op)
		for path, x := range fields.Doc().All() {
			to := x.Type() == bsonval.String && o.root(x.Str())
			switch {
			case !o.root(path) || op == "$rename" && !to:
				return refuse("Cannot perform an update on a time-series collection which updates a field that is not the metaField '%s'", o.Meta)
			case op == "$rename":
				x = bsonval.StringValue(o.renamed(x.Str()))
			}
			b.Set(o.renamed(path), x)
		}
		b.Close()
	}
	return b.Doc(), nil
}
