package index

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// What an index on a time series' measurements can't have in it is asked for when
// measurements come in and when the index is made, and not by For: what was taken once
// can be read again.

// Measurement checks that a measurement can go into a bucket that the index is on.
func (d *Def) Measurement(doc bsonval.Doc) error {
	for _, f := range d.Fields {
		switch path, extreme := d.measured(f); {
		case path == "":
		case !extreme:
			if _, err := d.spherePlaces(doc, path); err != nil {
				return err
			}
		case arrayOn(doc, path):
			return arrayMeasured()
		}
	}
	return nil
}

// Bucket checks the same of all of a bucket's measurements.
func (d *Def) Bucket(bucket bsonval.Doc) error {
	done := ""
	for _, f := range d.Fields {
		path, extreme := d.measured(f)
		if !extreme || path == done || scalars(bucket, path) {
			continue
		}
		done = path
		name, _, _ := strings.Cut(path, ".")
		values, err := timeseries.Column(bucket, name)
		if err != nil {
			return err
		}
		for _, v := range values {
			if arrayOn(bsonval.D(bsonval.E(name, v)), path) {
				return arrayMeasured()
			}
		}
	}
	return nil
}

// measured is the path within measurements that a field is on; extreme says that it has
// the least or the greatest of a bucket's values there.
func (d *Def) measured(f Field) (path string, extreme bool) {
	switch {
	case d.Buckets && f.Kind == Sphere:
		return strings.TrimPrefix(f.Path, "data."), false
	case !d.ofSeries || f.Kind != Ordered:
		return "", false
	}
	for _, prefix := range [...]string{"control.min.", "control.max."} {
		if path, ok := strings.CutPrefix(f.Path, prefix); ok {
			return path, true
		}
	}
	return "", false
}

// scalars says that a bucket's values are between two of one type that is no array.
func scalars(bucket bsonval.Doc, path string) bool {
	name, _, _ := strings.Cut(path, ".")
	least, most := bucket.Path("control.min").Doc().Get(name), bucket.Path("control.max").Doc().Get(name)
	return least.Type() == most.Type() && least.Type() != bsonval.Object && least.Type() != bsonval.Array
}

func arrayOn(doc bsonval.Doc, path string) bool {
	_, array := throughDocuments(doc, path)
	return array != ""
}

func arrayMeasured() error {
	return mongoerr.New(5930501, "Indexed measurement field contains an array value")
}
