package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// BucketGeo is $_internalBucketGeoWithin, which the server asks of a time series' buckets
// in the place of a geospatial condition on their measurements. It holds for every
// bucket; an index on the measurements' places knows better.
type BucketGeo struct {
	Geo
	Arg bsonval.Doc
}

// bucketGeo compiles {withinRegion: {$geometry: ...}, field: "loc"}.
func (c *compiler) bucketGeo(v bsonval.Value) (Node, error) {
	if v.Type() != bsonval.Object {
		return nil, bad("$_internalBucketGeoWithin must be an object")
	}
	region, field := v.Doc().Get("withinRegion"), v.Doc().Get("field")
	if region.Type() != bsonval.Object || field.Type() != bsonval.String || field.Str() == "" {
		return nil, bad("$_internalBucketGeoWithin must have a withinRegion and a field")
	}
	op := "$geoWithin"
	if !region.Doc().Get("$geometry").IsMissing() {
		op = "$geoIntersects"
	}
	p, err := c.geo(op, bsonval.D(bsonval.E(op, region)))
	if err != nil {
		return nil, err
	}
	return NewField("data."+field.Str(), &BucketGeo{Geo: *p.(*Geo), Arg: v.Doc()}), nil
}

func (*BucketGeo) accepts(*run, bsonval.Value) (bool, error) { return true, nil }
