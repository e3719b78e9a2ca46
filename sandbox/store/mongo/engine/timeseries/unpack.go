package timeseries

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/timeseries/column"
)

// Reader takes a bucket apart, a measurement at a time.
type Reader struct {
	timeField, metaField string
	meta                 bsonval.Value
	dates                *reading // nil: there are none
	columns              []*reading
	compressed           bool
	budget               int64
	row                  int
	size                 int
}

// reading is where a column's reader stands.
type reading struct {
	name string
	it   bsonval.Iter
	dec  *column.Decoder // of a compressed column; nil for a plain one
	row  int             // the measurement that v is of; -1: no more
	v    bsonval.Value
}

// Read begins with a bucket. Fields that hold what isn't a bucket are the server's
// errors.
func Read(timeField, metaField string, bucket bsonval.Doc) (*Reader, error) {
	data := bucket.Get("data")
	if data.Type() != bsonval.Object {
		return nil, mongoerr.New(5346510, "The %s stage requires the data field to be an object", Unpack)
	}
	r := &Reader{timeField: timeField, metaField: metaField, compressed: compressed(bucket), budget: maxUnfolded}
	if v := bucket.Path("control.version"); v.IsNumber() && v.Long() != plainColumns && !r.compressed {
		return nil, mongoerr.New(5346517, "Invalid bucket version: %s", v)
	}
	if metaField != "" {
		r.meta = bucket.Get("meta")
	}
	for name, v := range data.Doc().All() {
		c, err := r.column(name, v)
		if err != nil {
			return nil, err
		}
		if name == timeField {
			r.dates = c
			continue
		}
		if err := c.next(); err != nil {
			return nil, err
		}
		r.columns = append(r.columns, c)
	}
	return r, nil
}

func (r *Reader) column(name string, v bsonval.Value) (*reading, error) {
	c := &reading{name: name, row: -1}
	if r.compressed {
		var ok bool
		if c.dec, ok = decoder(v, &r.budget); !ok {
			return nil, mongoerr.New(mongoerr.NonConformantBSON, "the column of '%s' is not compressed", name)
		}
		return c, nil
	}
	if v.Type() != bsonval.Object {
		return nil, mongoerr.New(5346510, "The %s stage requires each column of data to be an object", Unpack)
	}
	c.it = v.Doc().Iter()
	return c, nil
}

// value goes to the column's next value; ok is false when there is none.
func (c *reading) value() (ok bool, err error) {
	if c.dec == nil {
		if ok = c.it.Next(); ok {
			c.v = c.it.Value()
		}
		return ok, nil
	}
	c.v, ok, err = c.dec.Next()
	return ok, columnError(c.name, err)
}

// next goes to the column's next value and the measurement that it is of.
func (c *reading) next() error {
	ok, err := c.value()
	switch {
	case !ok:
		c.row = -1
	case c.dec != nil:
		c.row++
	default:
		if c.row, ok = bsonval.ArrayIndex(c.it.Name()); !ok {
			c.row = -1
		}
	}
	return err
}

// date is the next measurement's date; ok is false when there is none. The names in a
// plain column of dates don't matter.
func (r *Reader) date() (v bsonval.Value, ok bool, err error) {
	if r.dates == nil {
		return v, false, nil
	}
	ok, err = r.dates.value()
	return r.dates.v, ok, err
}

// Next answers the next measurement: its date, its source, then the rest.
func (r *Reader) Next() (bsonval.Doc, bool, error) {
	date, ok, err := r.date()
	if !ok || err != nil {
		return nil, false, err
	}
	b := bsonval.NewBuilder(max(r.size, 64) + 32)
	b.Set(r.timeField, date).Set(r.metaField, r.meta)
	for _, c := range r.columns {
		for c.row >= 0 && c.row < r.row && c.dec == nil { // not in order: no bucket of ours
			if err := c.next(); err != nil {
				return nil, false, err
			}
		}
		if c.row == r.row {
			b.Set(c.name, c.v)
			if err := c.next(); err != nil {
				return nil, false, err
			}
		} else if r.compressed {
			return nil, false, mongoerr.New(6067601, "Bucket unexpectedly contained fewer values than count")
		}
	}
	r.row++
	d := b.Doc()
	r.size = len(d)
	return d, true, nil
}

// Measurements are all of a bucket.
func (o Options) Measurements(bucket bsonval.Doc) ([]bsonval.Doc, error) {
	r, err := Read(o.Time, o.Meta, bucket)
	if err != nil {
		return nil, err
	}
	var out []bsonval.Doc
	size := 0
	for {
		d, ok, err := r.Next()
		if !ok || err != nil {
			return out, err
		}
		if size += len(d) - r.meta.Size(); size > maxUnfolded {
			return nil, columnError("", column.ErrTooLarge)
		}
		out = append(out, d)
	}
}

// Column are the values of one field of a bucket's measurements, of those that have it.
func Column(bucket bsonval.Doc, field string) ([]bsonval.Value, error) {
	v := bucket.Path("data").Doc().Get(field)
	if v.IsMissing() {
		return nil, nil
	}
	r := &Reader{compressed: compressed(bucket), budget: maxUnfolded}
	c, err := r.column(field, v)
	if err != nil {
		return nil, err
	}
	var out []bsonval.Value
	for {
		if err := c.next(); err != nil || c.row < 0 {
			return out, err
		}
		if !c.v.IsMissing() {
			out = append(out, c.v)
		}
	}
}

// Count is how many measurements a bucket has.
func (o Options) Count(bucket bsonval.Doc) int64 {
	if compressed(bucket) {
		return bucket.Path("control.count").Long()
	}
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
