package crud

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// BucketsNS is where a time series has its buckets.
func BucketsNS(ns storage.NS) storage.NS {
	return storage.NS{DB: ns.DB, Coll: timeseries.Prefix + ns.Coll}
}

// SeriesNS is the time series that a collection of buckets belongs to; ok is false for
// the name of any other collection.
func SeriesNS(ns storage.NS) (series storage.NS, ok bool) {
	name, ok := strings.CutPrefix(ns.Coll, timeseries.Prefix)
	return storage.NS{DB: ns.DB, Coll: name}, ok && name != ""
}

// Series answers the options of a time series, and whether c is one. It is a view on
// its buckets.
func Series(c *storage.Collection) (timeseries.Options, bool) {
	if c == nil || !c.IsView() {
		return timeseries.Options{}, false
	}
	return timeseries.Of(c.Options)
}

// Buckets answers the options of the time series whose buckets c holds.
func Buckets(c *storage.Collection) (timeseries.Options, bool) {
	if c == nil || c.IsView() {
		return timeseries.Options{}, false
	}
	return timeseries.Of(c.Options)
}

// SeriesOptions are the options of a time series as they are kept: those of create, and
// how its measurements are made of buckets.
func SeriesOptions(ns storage.NS, options bsonval.Doc, o timeseries.Options) bsonval.Doc {
	b := bsonval.NewBuilder(len(options) + 256)
	for name, v := range options.All() {
		switch name {
		case "timeseries":
			v = bsonval.DocValue(o.Doc())
		case "viewOn", "pipeline":
			continue
		}
		b.Set(name, v)
	}
	return b.Str("viewOn", BucketsNS(ns).Coll).SetArray("pipeline", o.Pipeline()).Doc()
}

// BucketsOptions are the options of the collection with the buckets, from those of the
// time series.
func BucketsOptions(series bsonval.Doc, o timeseries.Options) bsonval.Doc {
	b := bsonval.NewBuilder(len(series) + 512)
	b.SetDoc("validator", o.Validator())
	for name, v := range series.All() {
		switch name {
		case "viewOn", "pipeline", "timeseries":
		default:
			b.Set(name, v)
		}
	}
	return b.Bool("clusteredIndex", true).SetDoc("timeseries", o.Doc()).Doc()
}

// CreateSeries makes a time series with SeriesOptions, its buckets, and the index that
// one with a source begins with.
func CreateSeries(op *opctx.Op, tx *storage.Tx, ns storage.NS, options bsonval.Doc) error {
	o, _ := timeseries.Of(options)
	buckets := BucketsNS(ns)
	if err := CheckNS(buckets); err != nil {
		return err
	}
	if _, err := Create(op, tx, ns, options); err != nil {
		return err
	}
	if _, err := Create(op, tx, buckets, BucketsOptions(options, o)); err != nil {
		return err
	}
	if o.Meta == "" {
		return nil
	}
	spec := o.DefaultIndex()
	if v := options.Get("collation"); v.Type() == bsonval.Object {
		spec = bsonval.BuilderOf(spec).Set("collation", v).Doc()
	}
	def, err := index.Parse(spec)
	if err != nil {
		return err
	}
	return tx.CreateIndex(op, buckets, def)
}

// Drop removes a collection; a time series with its buckets, and either of the two with
// the other.
func Drop(tx *storage.Tx, c *storage.Collection) error {
	other := storage.NS{}
	if _, ok := Series(c); ok {
		other = BucketsNS(c.NS)
	} else if ns, ok := SeriesNS(c.NS); ok {
		other = ns
	}
	if other.Coll != "" && tx.Collection(other) != nil {
		if err := tx.Drop(other); err != nil {
			return err
		}
	}
	return tx.Drop(c.NS)
}

// openBucket is a bucket that a command's measurements go into.
type openBucket struct {
	record int64       // 0: a new one
	was    bsonval.Doc // as it is stored
	bucket *timeseries.Bucket
}

// open are the buckets of a Writer that aren't stored yet: of each time series the ones
// that were used last, by source.
type open map[storage.NS]map[string][]*openBucket

// measure puts a measurement into a bucket. It is stored by Flush.
func (w *Writer) measure(ns storage.NS, o timeseries.Options, doc bsonval.Doc) (bsonval.Doc, error) {
	if w.Many {
		return nil, mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot insert into a time-series collection in a multi-document transaction: %s", ns)
	}
	ms, err := o.Date(doc)
	if err != nil {
		return nil, err
	}
	if doc, err = w.measurement(doc); err != nil {
		return nil, err
	}
	c := w.Tx.Collection(BucketsNS(ns))
	if c != nil {
		for _, ix := range c.Indexes {
			if err := ix.Def.Measurement(doc); err != nil {
				return nil, err
			}
		}
	}
	meta := bsonval.Value{}
	if o.Meta != "" {
		meta = timeseries.Normalize(doc.Get(o.Meta))
	}
	key := string(append(meta.Clone().Append(nil), byte(meta.Type())))
	if w.buckets == nil {
		w.buckets = open{}
	}
	if w.buckets[ns] == nil {
		w.buckets[ns] = map[string][]*openBucket{}
	}
	all, why := w.buckets[ns][key], timeseries.Takes
	n := w.count(c)
	n.Measurements++
	for i := len(all) - 1; i >= 0; i-- {
		no := all[i].bucket.Takes(doc, ms)
		if no == timeseries.Takes {
			all[i].bucket.Add(doc)
			return doc, nil
		}
		if why == timeseries.Takes {
			why = no
		}
	}
	b := stored(c, o, all, meta, doc, ms, &why)
	switch {
	case b != nil:
		n.Reopened++
	case why == timeseries.Takes:
		n.ForSource++
	default:
		n.Closed[why]++
	}
	if b == nil {
		b = &openBucket{bucket: timeseries.NewBucket(o, w.IDs.New(w.Op.Now), meta, ms)}
	}
	b.bucket.Add(doc)
	w.buckets[ns][key] = append(all, b)
	return doc, nil
}

// measurement is the document as it is taken: with an _id.
func (w *Writer) measurement(doc bsonval.Doc) (bsonval.Doc, error) {
	if len(doc) > timeseries.MaxMeasurement {
		return nil, mongoerr.New(mongoerr.BSONObjectTooLarge, "a measurement of %d bytes is too large for a time-series collection, which takes up to %d", len(doc), timeseries.MaxMeasurement)
	}
	seen := make(map[string]bool, 8)
	for name := range doc.All() {
		if seen[name] {
			return nil, mongoerr.New(mongoerr.BadValue, "a measurement can't have the field '%s' twice", name)
		}
		seen[name] = true
	}
	if seen["_id"] {
		return doc, nil
	}
	return bsonval.NewBuilder(len(doc)+24).Set("_id", bsonval.ObjectIDValue(w.IDs.New(w.Op.Now))).Fields(doc).Doc(), nil
}

// Use makes the Writer work in another transaction, from the beginning.
func (w *Writer) Use(tx *storage.Tx) { w.Tx, w.buckets, w.counts = tx, nil, nil }

// Flush stores the buckets that the command's measurements went into. It must be called
// before the transaction ends, and before buckets are read in it.
func (w *Writer) Flush() error {
	all := w.buckets
	w.buckets = nil
	for ns, sources := range all {
		to := BucketsNS(ns)
		for _, list := range sources {
			for _, b := range list {
				if err := w.store(to, b); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *Writer) store(ns storage.NS, b *openBucket) error {
	c := w.Tx.Collection(ns)
	if b.record == 0 {
		w.count(c).Inserts++
		_, err := w.Tx.Insert(ns, b.bucket.Doc())
		return err
	}
	if err := w.claim(ns, c, b.record); err != nil {
		return err
	}
	w.count(c).Updates++
	return w.Tx.Update(ns, b.record, b.bucket.Doc(), storage.Update)
}
