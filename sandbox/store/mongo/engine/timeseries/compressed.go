package timeseries

import (
	"errors"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/timeseries/column"
)

// Versions of buckets: with plain columns, with compressed ones whose measurements are
// in the order of their dates, and with compressed ones in no order.
const (
	plainColumns = 1
	sorted       = 2
	unsorted     = 3
)

// maxUnfolded is what one compressed bucket may hold when it is taken apart, in bytes:
// far more than what the server puts into one.
const maxUnfolded = 64 << 20

// compressed tells a bucket whose columns aren't plain.
func compressed(bucket bsonval.Doc) bool {
	v := bucket.Path("control.version")
	return v.IsNumber() && (v.Long() == sorted || v.Long() == unsorted)
}

// decoder reads a column of a compressed bucket.
func decoder(v bsonval.Value, budget *int64) (*column.Decoder, bool) {
	if v.Type() != bsonval.Binary {
		return nil, false
	}
	subtype, data := v.Binary()
	if subtype != column.Subtype {
		return nil, false
	}
	return column.New(data, budget), true
}

// columnError is a decoder's error as the server's.
func columnError(name string, err error) error {
	var b *column.Broken
	switch {
	case err == nil:
		return nil
	case errors.As(err, &b):
		return mongoerr.New(mongoerr.NonConformantBSON, "the column of '%s' can't be read: %s", name, b)
	}
	return mongoerr.New(mongoerr.ExceededMemoryLimit, "a compressed bucket unfolds to more than %d bytes", maxUnfolded)
}

// checkCompressed tells what is wrong with the columns of a compressed bucket: each must
// be readable and have a value, or the lack of one, for each of its count measurements.
func (o Options) checkCompressed(d bsonval.Doc, from, to int64, bad func(string) error) error {
	count := d.Path("control.count")
	if !count.IsNumber() || count.Long() < 1 {
		return bad("a compressed bucket must have control.count")
	}
	budget := int64(maxUnfolded)
	seen := map[string]bool{}
	for name, v := range d.Get("data").Doc().All() {
		dec, ok := decoder(v, &budget)
		if !ok || seen[name] || name == o.Meta && name != "" {
			return bad("data must have one compressed column a field")
		}
		seen[name] = true
		n := int64(0)
		for {
			v, ok, err := dec.Next()
			if err != nil {
				return columnError(name, err)
			}
			if !ok {
				break
			}
			n++
			if name == o.Time && (v.Type() != bsonval.Date || v.Int64() < from || v.Int64() > to) {
				return bad("its dates must lie between control.min and control.max")
			}
		}
		if n != count.Long() {
			return bad("control.count must be the number of its measurements")
		}
	}
	if !seen[o.Time] {
		return bad("data has no column of dates")
	}
	return nil
}
