package timeseries

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

const (
	minPath = "control.min."
	maxPath = "control.max."
)

// BucketKey is an index's key pattern on measurements as one on buckets.
func (o Options) BucketKey(key bsonval.Doc) (bsonval.Doc, error) {
	b := bsonval.NewBuilder(len(key) + 64)
	if key.IsEmpty() {
		return nil, mongoerr.New(mongoerr.BadValue, "Empty object is not a valid index spec")
	}
	for path, v := range key.All() {
		switch {
		case strings.HasPrefix(path, "$") && path != "$**":
			return nil, mongoerr.New(mongoerr.BadValue, "Invalid index spec for time-series collection: %s. Indexes may not begin with '$'", key)
		case o.root(path):
			b.Set(o.renamed(path), v)
		case v.Type() == bsonval.String && v.Str() == "2dsphere" && path != o.Time:
			b.Str("data."+path, "2dsphere_bucket")
		case !v.IsNumber() || path == "$**":
			return nil, mongoerr.New(mongoerr.BadValue, "Invalid index spec for time-series collection: %s. Indexes on the time field and on measurements must be ascending or descending (numbers only), or 2dsphere on measurements", key)
		case v.Float() < 0:
			b.Set(maxPath+path, v).Set(minPath+path, v)
		default:
			b.Set(minPath+path, v).Set(maxPath+path, v)
		}
	}
	return b.Doc(), nil
}

// onMeasurements tells a key pattern that names a field besides the date and the source.
func (o Options) onMeasurements(key bsonval.Doc) bool {
	for path := range key.All() {
		if path != o.Time && !o.root(path) {
			return true
		}
	}
	return false
}

// BucketIndex is an index specification on measurements as one on buckets, with the
// one that it was made of where that can't be seen from it.
func (o Options) BucketIndex(spec bsonval.Doc) (bsonval.Doc, error) {
	key := spec.Get("key")
	if key.Type() != bsonval.Object {
		return spec, nil // refused by the index's own check
	}
	pattern, err := o.BucketKey(key.Doc())
	if err != nil {
		return nil, mongoerr.New(mongoerr.CannotCreateIndex, "%s", mongoerr.From(err).Message)
	}
	if err := o.checkIndex(spec, key.Doc()); err != nil {
		return nil, err
	}
	keep := o.onMeasurements(key.Doc())
	b := bsonval.NewBuilder(2*len(spec) + 128)
	for name, v := range spec.All() {
		switch name {
		case "key":
			if !spec.Get("expireAfterSeconds").IsMissing() {
				pattern = bsonval.D(bsonval.E(minPath+o.Time, key.Doc().First().Value))
			}
			b.SetDoc(name, pattern)
		case "partialFilterExpression":
			keep = true
			b.SetDoc(name, o.toBucket(v.Doc()))
		default:
			b.Set(name, v)
		}
	}
	if keep {
		b.SetDoc("originalSpec", versioned(spec))
	}
	return b.Doc(), nil
}

// versioned is a specification that begins with its version. ns, which mongorestore
// sends along, is no part of one any more.
func versioned(spec bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(spec) + 16)
	b.Int32("v", 2)
	for name, v := range spec.All() {
		if name != "v" && name != "ns" {
			b.Set(name, v)
		}
	}
	return b.Doc()
}

func (o Options) checkIndex(spec, key bsonval.Doc) error {
	refuse := func(why string) error { return mongoerr.New(mongoerr.InvalidOptions, "%s", why) }
	for _, v := range key.All() {
		if v.Type() == bsonval.String && v.Str() == "text" {
			return refuse("Text indexes are not supported on time-series collections")
		}
	}
	filter := spec.Get("partialFilterExpression")
	partial := false
	if filter.Type() == bsonval.Object {
		if !spec.Get("collation").IsMissing() {
			return mongoerr.New(mongoerr.IndexOptionsConflict, "On a time-series collection, partialFilterExpression and collation arguments are incompatible")
		}
		for name, v := range filter.Doc().All() {
			if !o.ofSource(name, v) {
				return mongoerr.New(mongoerr.NotImplemented, "a partialFilterExpression on a time-series collection may only name the metaField")
			}
		}
		partial = true
	} else if !filter.IsMissing() {
		return mongoerr.New(mongoerr.TypeMismatch, "The field 'partialFilterExpression' must be an object, but got %s", filter.Type())
	}
	switch {
	case spec.Get("unique").Truth():
		return refuse("Unique indexes are not supported on time-series collections")
	case spec.Get("sparse").Truth() && o.onMeasurements(key):
		return refuse("Sparse indexes are not supported on time-series measurements")
	case spec.Get("expireAfterSeconds").IsMissing():
		return nil
	case !partial:
		return refuse("TTL indexes on time-series collections require a partialFilterExpression on the metaField")
	case key.Len() != 1:
		return mongoerr.New(mongoerr.CannotCreateIndex, "TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: %s", key)
	case key.First().Name != o.Time:
		return refuse("TTL indexes on non-time fields are not supported on time-series collections")
	}
	return nil
}

// SeriesIndex is an index specification on buckets as listIndexes shows it for the
// time series; ok is false for one that has no such form.
func (o Options) SeriesIndex(spec bsonval.Doc) (out bsonval.Doc, ok bool) {
	if was := spec.Get("originalSpec"); was.Type() == bsonval.Object {
		b := bsonval.NewBuilder(len(was.Doc()) + 16)
		for name, v := range was.Doc().All() {
			if name != "hidden" { // which collMod changes
				b.Set(name, v)
			}
		}
		return b.Set("hidden", spec.Get("hidden")).Doc(), true
	}
	key, ok := o.seriesKey(spec.Get("key").Doc())
	if !ok {
		return nil, false
	}
	b := bsonval.NewBuilder(len(spec) + 16)
	for name, v := range spec.All() {
		if name == "key" {
			v = bsonval.DocValue(key)
		}
		b.Set(name, v)
	}
	return b.Doc(), true
}

func (o Options) seriesKey(key bsonval.Doc) (bsonval.Doc, bool) {
	b := bsonval.NewBuilder(len(key))
	fields := key.Elements()
	for i := 0; i < len(fields); i++ {
		f := fields[i]
		switch {
		case o.Meta != "" && f.Name == "meta":
			b.Set(o.Meta, f.Value)
		case o.Meta != "" && strings.HasPrefix(f.Name, "meta."):
			b.Set(o.Meta+f.Name[len("meta"):], f.Value)
		case i+1 < len(fields) && o.pair(f.Name, fields[i+1].Name) && bsonval.Equal(f.Value, fields[i+1].Value):
			b.Set(o.Time, f.Value)
			i++
		default:
			return nil, false
		}
	}
	return b.Doc(), true
}

func (o Options) pair(a, b string) bool {
	least, most := minPath+o.Time, maxPath+o.Time
	return a == least && b == most || a == most && b == least
}

// DefaultIndex is the index that a time series with a source is made with.
func (o Options) DefaultIndex() bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.Int32("v", 2).OpenDoc("key").Int32("meta", 1).Int32(minPath+o.Time, 1).Int32(maxPath+o.Time, 1).Close()
	return b.Str("name", o.Meta+"_1_"+o.Time+"_1").Doc()
}
