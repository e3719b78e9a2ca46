package timeseries

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// What a bucket holds at most, as in the server: so many measurements, and so many
// bytes once it has a few.
const (
	maxCount = 1000
	minCount = 10
	maxBytes = 128_000
	// hardBytes keeps a bucket of large measurements below the limit of a document.
	hardBytes = 7 << 20
)

// MaxMeasurement is the largest a measurement may be, in bytes: its bucket holds it up
// to three times.
const MaxMeasurement = 4 << 20

// Bucket is a bucket in the making. What was given to it must stay as it is until Doc.
type Bucket struct {
	opts     Options
	id       [12]byte
	from     int64 // its least date, rounded, in milliseconds
	closed   bool
	full     bool          // compressed: nothing is added
	meta     bsonval.Value // Missing: none
	n        int
	bytes    int
	min, max *extremes
	columns  []plainColumn
	at       map[string]int
}

// plainColumn is one field of the measurements, by their numbers.
type plainColumn struct {
	name string
	data *bsonval.Builder
}

// NewBucket makes a bucket for measurements from a date on. id gives the last 8 bytes
// of its _id, the rest is the date.
func NewBucket(o Options, id [12]byte, meta bsonval.Value, ms int64) *Bucket {
	b := &Bucket{opts: o, id: id, from: o.Round(ms), meta: meta, min: newExtremes(1, nil), max: newExtremes(-1, nil), at: map[string]int{}}
	binary.BigEndian.PutUint32(b.id[:], idSeconds(b.from))
	return b
}

// idSeconds is the date in a bucket's _id: seconds since 1970, and for dates outside of
// what it can say the nearest that it can. So the order of _id is that of the dates.
func idSeconds(ms int64) uint32 {
	return uint32(min(max(floorSeconds(ms), 0), math.MaxUint32))
}

func floorSeconds(ms int64) int64 {
	if s := ms / 1000; s*1000 > ms {
		return s - 1
	}
	return ms / 1000
}

// Open goes on with a bucket as it is stored, which must be one (Check). A compressed one
// takes nothing more, and neither does one that has lost its first measurements.
func Open(o Options, d bsonval.Doc) *Bucket {
	control := d.Get("control").Doc()
	b := &Bucket{
		opts: o, id: d.Get("_id").ObjectID(), closed: control.Get("closed").Truth(), meta: d.Get("meta"), bytes: len(d), at: map[string]int{},
		min: newExtremes(1, control.Get("min").Doc()), max: newExtremes(-1, control.Get("max").Doc()),
	}
	b.from = control.Get("min").Doc().Get(o.Time).Int64()
	oid := d.Get("_id").ObjectID()
	if b.full = compressed(d) || binary.BigEndian.Uint32(oid[:]) != idSeconds(b.from); b.full {
		return b
	}
	for name, v := range d.Get("data").Doc().All() {
		b.at[name] = len(b.columns)
		b.columns = append(b.columns, plainColumn{name, bsonval.BuilderOf(v.Doc())})
		if name == o.Time {
			b.n = v.Doc().Len()
		}
	}
	return b
}

// Len is the number of measurements.
func (b *Bucket) Len() int { return b.n }

// Covers tells whether a measurement of that date may lie in the bucket.
func (b *Bucket) Covers(ms int64) bool {
	return ms >= b.from && uint64(ms)-uint64(b.from) < uint64(b.opts.MaxSpan)*1000
}

// Reason is why a measurement may not come into a bucket.
type Reason int

// Takes: it may. The others are the server's reasons to close a bucket.
const (
	Takes Reason = iota
	IsClosed
	TimeForward
	TimeBackward
	Count
	Size
	Schema
)

// Takes tells whether the measurement, whose source is the bucket's, may come into it.
func (b *Bucket) Takes(doc bsonval.Doc, ms int64) Reason {
	size := b.bytes + len(doc)
	switch {
	case b.closed || b.full:
		return IsClosed
	case ms < b.from:
		return TimeBackward
	case !b.Covers(ms):
		return TimeForward
	case b.n >= maxCount:
		return Count
	case size > maxBytes && b.n >= minCount || size > hardBytes:
		return Size
	}
	for name, v := range doc.All() {
		if i, ok := b.min.at[name]; ok && !alike(b.min.fields[i].Value, v) {
			return Schema
		}
	}
	return Takes
}

// Add puts a measurement in.
func (b *Bucket) Add(doc bsonval.Doc) {
	row := strconv.Itoa(b.n)
	for name, v := range doc.All() {
		if name == b.opts.Meta && name != "" {
			continue
		}
		i, ok := b.at[name]
		if !ok {
			i = len(b.columns)
			b.at[name] = i
			b.columns = append(b.columns, plainColumn{name, bsonval.NewBuilder(64)})
		}
		b.columns[i].data.Set(row, v)
		b.bytes += v.Size() + len(row) + 2
		b.max.add(name, v)
		if name == b.opts.Time {
			v = bsonval.DateValue(b.from)
		}
		b.min.add(name, v)
	}
	b.n++
}

// Doc is the bucket as it is stored. Nothing can be added after that.
func (b *Bucket) Doc() bsonval.Doc {
	out := bsonval.NewBuilder(b.bytes + 512)
	out.Set("_id", bsonval.ObjectIDValue(b.id)).OpenDoc("control").Int32("version", plainColumns)
	out.SetDoc("min", b.min.doc()).SetDoc("max", b.max.doc())
	if b.closed {
		out.Bool("closed", true)
	}
	out.Close().Set("meta", b.meta).OpenDoc("data")
	for _, c := range b.columns {
		out.Set(c.name, c.data.Value())
	}
	return out.Doc()
}

// With is the bucket with these measurements, at least one, in the place of its own. Its
// least date stays, as its _id does.
func With(o Options, d bsonval.Doc, measurements []bsonval.Doc) bsonval.Doc {
	was := Open(o, d)
	b := &Bucket{
		opts: o, id: was.id, from: was.from, closed: was.closed, meta: was.meta,
		min: newExtremes(1, nil), max: newExtremes(-1, nil), at: map[string]int{},
	}
	for _, m := range measurements {
		b.Add(m)
	}
	return b.Doc()
}

// WithMeta is the bucket with another source.
func WithMeta(d bsonval.Doc, meta bsonval.Value) bsonval.Doc {
	b := bsonval.NewBuilder(len(d) + 64)
	for it := d.Iter(); it.Next(); {
		switch it.Name() {
		case "meta":
		case "data":
			b.Set("meta", meta).Raw(it.Raw())
		default:
			b.Raw(it.Raw())
		}
	}
	return b.Doc()
}

// IDRange are the _ids between which all buckets lie that may hold measurements from
// one date to another, both in milliseconds and inclusive.
func (o Options) IDRange(from, to int64) (lo, hi bsonval.Value) {
	if least := from - o.MaxSpan*1000; least < from {
		from = least
	} else {
		from = math.MinInt64
	}
	return idAt(from, 0), idAt(to, 0xff)
}

// idAt is an _id that begins with a date in milliseconds; all its other bytes are rest.
func idAt(ms int64, rest byte) bsonval.Value {
	id := [12]byte(bytes.Repeat([]byte{rest}, 12))
	binary.BigEndian.PutUint32(id[:], idSeconds(ms))
	return bsonval.ObjectIDValue(id)
}

// Date is the measurement's date in milliseconds, or the server's error.
func (o Options) Date(measurement bsonval.Doc) (int64, error) {
	v := measurement.Get(o.Time)
	if v.Type() != bsonval.Date {
		return 0, mongoerr.New(mongoerr.BadValue, "'%s' must be present and contain a valid BSON UTC datetime value", o.Time)
	}
	return v.Int64(), nil
}

// Check tells what is wrong with a document that is to be a bucket. Everything that
// the rest of the package relies on is asked here.
func (o Options) Check(d bsonval.Doc) error {
	bad := func(what string) error {
		return mongoerr.New(mongoerr.BadValue, "not a bucket of the time series: %s", what)
	}
	id, control, data := d.Get("_id"), d.Get("control"), d.Get("data")
	if id.Type() != bsonval.ObjectID || control.Type() != bsonval.Object || data.Type() != bsonval.Object {
		return bad("_id must be an ObjectId, control and data objects")
	}
	if v := control.Doc().Get("version"); !v.IsNumber() || v.Long() < plainColumns || v.Long() > unsorted {
		return bad("control.version must be 1, 2 or 3")
	}
	least, most := control.Doc().Get("min"), control.Doc().Get("max")
	if least.Type() != bsonval.Object || most.Type() != bsonval.Object || least.Doc().Get(o.Time).Type() != bsonval.Date || most.Doc().Get(o.Time).Type() != bsonval.Date {
		return bad("control.min and control.max must have the dates")
	}
	from, to := least.Doc().Get(o.Time).Int64(), most.Doc().Get(o.Time).Int64()
	oid := id.ObjectID()
	begin := int64(binary.BigEndian.Uint32(oid[:]))
	switch {
	case from%1000 != 0:
		return bad("control.min must have a date of whole seconds")
	case uint32(begin) > idSeconds(from), uint32(begin) < idSeconds(from) && to-begin*1000 >= o.MaxSpan*1000:
		return bad("_id must begin with the date of control.min")
	case to < from || uint64(to)-uint64(from) >= uint64(o.MaxSpan)*1000:
		return bad("its dates are further apart than bucketMaxSpanSeconds")
	}
	var err error
	if compressed(d) {
		err = o.checkCompressed(d, from, to, bad)
	} else {
		err = o.checkColumns(data.Doc(), from, to, bad)
	}
	if err != nil {
		return err
	}
	return o.checkExtremes(d, bad)
}

func (o Options) checkColumns(data bsonval.Doc, from, to int64, bad func(string) error) error {
	dates := data.Get(o.Time)
	if dates.Type() != bsonval.Object || dates.Doc().IsEmpty() {
		return bad("data has no column of dates")
	}
	n := 0
	for name, v := range dates.Doc().All() {
		if name != strconv.Itoa(n) || v.Type() != bsonval.Date || v.Int64() < from || v.Int64() > to {
			return bad("its dates must be numbered from 0 and lie between control.min and control.max")
		}
		n++
	}
	seen := map[string]bool{}
	for name, v := range data.All() {
		if seen[name] || v.Type() != bsonval.Object || name == o.Meta && name != "" {
			return bad("data must have one column a field")
		}
		seen[name] = true
		last := -1
		for key := range v.Doc().All() {
			row, ok := bsonval.ArrayIndex(key)
			if !ok || row <= last || row >= n {
				return bad("a column's values must be numbered as the dates are")
			}
			last = row
		}
	}
	return nil
}
