package timeseries

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Reader takes a bucket apart, a measurement at a time.
type Reader struct {
	timeField, metaField string
	meta                 bsonval.Value
	dates                bsonval.Iter
	columns              []reading
	row                  int
	size                 int
}

// reading is where a column's reader stands.
type reading struct {
	name string
	it   bsonval.Iter
	row  int // the measurement that the value at it is of; -1: no more
}

// Read begins with a bucket. Fields that hold what isn't a bucket are the server's
// errors.
func Read(timeField, metaField string, bucket bsonval.Doc) (*Reader, error) {
	data := bucket.Get("data")
	if data.Type() != bsonval.Object {
		return nil, mongoerr.New(5346510, "The %s stage requires the data field to be an object", Unpack)
	}
	if v := bucket.Path("control.version"); v.IsNumber() && v.Long() != 1 {
		return nil, mongoerr.New(mongoerr.NotImplemented, "compressed buckets (control.version other than 1) are not implemented")
	}
	r := &Reader{timeField: timeField, metaField: metaField, dates: bsonval.EmptyDoc().Iter()}
	if metaField != "" {
		r.meta = bucket.Get("meta")
	}
	for name, v := range data.Doc().All() {
		if v.Type() != bsonval.Object {
			return nil, mongoerr.New(5346510, "The %s stage requires each column of data to be an object", Unpack)
		}
		if name == timeField {
			r.dates = v.Doc().Iter()
			continue
		}
		c := reading{name: name, it: v.Doc().Iter()}
		c.next()
		r.columns = append(r.columns, c)
	}
	return r, nil
}

func (c *reading) next() {
	c.row = -1
	if c.it.Next() {
		if i, ok := bsonval.ArrayIndex(c.it.Name()); ok {
			c.row = i
		}
	}
}

// Next answers the next measurement: its date, its source, then the rest.
func (r *Reader) Next() (bsonval.Doc, bool) {
	if !r.dates.Next() {
		return nil, false
	}
	b := bsonval.NewBuilder(max(r.size, 64) + 32)
	b.Set(r.timeField, r.dates.Value()).Set(r.metaField, r.meta)
	for i := range r.columns {
		c := &r.columns[i]
		for c.row >= 0 && c.row < r.row { // not in order: no bucket of ours
			c.next()
		}
		if c.row == r.row {
			b.Set(c.name, c.it.Value())
			c.next()
		}
	}
	r.row++
	d := b.Doc()
	r.size = len(d)
	return d, true
}

// Measurements are all of a bucket.
func (o Options) Measurements(bucket bsonval.Doc) ([]bsonval.Doc, error) {
	r, err := Read(o.Time, o.Meta, bucket)
	if err != nil {
		return nil, err
	}
	var out []bsonval.Doc
	for d, ok := r.Next(); ok; d, ok = r.Next() {
		out = append(out, d)
	}
	return out, nil
}

// Count is how many measurements a bucket has.
func (o Options) Count(bucket bsonval.Doc) int64 {
	data := bucket.Get("data")
	if data.Type() != bsonval.Object {
		return 0
	}
	dates := data.Doc().Get(o.Time)
	if dates.Type() != bsonval.Object {
		return 0
	}
	return int64(dates.Doc().Len())
}
