package crud

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// mayChangeSeries refuses changes of measurements in transactions, and gives the hint
// the form that it has on buckets.
func (w *Writer) mayChangeSeries(ns storage.NS, o timeseries.Options, ch *Change, what string) error {
	if w.Many {
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot perform a multi-document transaction on a time-series collection: %s of %s", what, ns)
	}
	if ch.Hint.Type() == bsonval.Object && ch.Hint.Doc().First().Name != "$natural" {
		key, err := o.BucketKey(ch.Hint.Doc())
		if err != nil {
			return err
		}
		ch.Hint = bsonval.DocValue(key)
	}
	return w.Flush()
}

// updateSeries changes the source of measurements: the server's only update of a time
// series. It counts measurements.
func (w *Writer) updateSeries(ns storage.NS, o timeseries.Options, ch Change) (Result, error) {
	var res Result
	refuse := func(why string) (Result, error) {
		return res, mongoerr.New(mongoerr.InvalidOptions, "%s", why)
	}
	switch {
	case !ch.Multi:
		return refuse("Cannot perform a non-multi update on a time-series collection")
	case ch.Upsert:
		return refuse("Cannot perform an upsert on a time-series collection")
	case o.Meta == "":
		return refuse("Cannot perform an update on a time-series collection that does not have a metaField")
	}
	if err := w.mayChangeSeries(ns, o, &ch, "update"); err != nil {
		return res, err
	}
	var err error
	if ch.Filter, err = o.UpdateFilter(ch.Filter); err != nil {
		return res, err
	}
	set, err := o.Update(ch.Update)
	if err != nil {
		return res, err
	}
	ch.Update = bsonval.DocValue(set)
	ns = BucketsNS(ns)
	c := w.Tx.Collection(ns)
	m, err := match.Compile(ch.Filter, w.Match(w.Op, c))
	if err != nil {
		return res, err
	}
	mod, err := w.modifier(ch, c)
	if err != nil {
		return res, err
	}
	return res, w.each(ns, m, ch, func(row stream.Row) error { return w.updateBucket(ns, c, o, m, mod, row, &res) })
}

func (w *Writer) updateBucket(ns storage.NS, c *storage.Collection, o timeseries.Options, m *match.Matcher, mod modifier, row stream.Row, res *Result) error {
	if row.Doc.Path("control.closed").Truth() {
		return nil
	}
	next, err := mod.modify(w, row.Doc, m, false)
	if err != nil {
		return err
	}
	n := o.Count(row.Doc)
	res.Matched += n
	if next.Same(row.Doc) {
		return nil
	}
	if err := w.claim(ns, c, row.Record); err != nil {
		return err
	}
	next = timeseries.WithMeta(next, timeseries.Normalize(next.Get("meta")))
	if len(next) > bsonval.MaxDocument {
		return mongoerr.New(mongoerr.BSONObjectTooLarge, "the update makes a bucket of %d bytes, which is too large", len(next))
	}
	res.Modified += n
	return w.Tx.Update(ns, row.Record, next, storage.Update)
}

// deleteSeries removes measurements: whole buckets where the filter asks only what all
// of their measurements share.
func (w *Writer) deleteSeries(ns storage.NS, o timeseries.Options, ch Change) (Result, error) {
	var res Result
	if len(ch.Sort) > 5 {
		return res, mongoerr.New(mongoerr.InvalidOptions, "Cannot perform findAndModify with sort on a time-series collection")
	}
	if err := w.mayChangeSeries(ns, o, &ch, "delete"); err != nil {
		return res, err
	}
	series := w.Tx.Collection(ns)
	all, err := match.Compile(ch.Filter, w.Match(w.Op, series))
	if err != nil {
		return res, err
	}
	bucket, rest := o.Split(ch.Filter, w.Op.Collator != nil)
	ns = BucketsNS(ns)
	c := w.Tx.Collection(ns)
	m, err := match.Compile(bucket, w.Match(w.Op, c))
	if err != nil {
		return res, err
	}
	one := !ch.Multi
	ch.Multi = true // buckets are looked at until one has what is to go
	whole := rest.IsEmpty() && !one
	err = w.each(ns, m, ch, func(row stream.Row) error {
		if one && res.Matched > 0 {
			return nil
		}
		if whole {
			return w.deleteBucket(ns, c, o, row, &res)
		}
		return w.deleteFrom(ns, c, o, all, row, one, &res)
	})
	return res, err
}

func (w *Writer) deleteBucket(ns storage.NS, c *storage.Collection, o timeseries.Options, row stream.Row, res *Result) error {
	if err := w.claim(ns, c, row.Record); err != nil {
		return err
	}
	res.Matched += o.Count(row.Doc)
	return w.Tx.Delete(ns, row.Record)
}

// deleteFrom takes what matches out of one bucket, or the first of it.
func (w *Writer) deleteFrom(ns storage.NS, c *storage.Collection, o timeseries.Options, m *match.Matcher, row stream.Row, one bool, res *Result) error {
	measurements, err := o.Measurements(row.Doc)
	if err != nil {
		return err
	}
	var keep []bsonval.Doc
	for _, d := range measurements {
		gone := false
		if !one || res.Matched == 0 {
			if gone, err = m.Match(w.Op, d); err != nil {
				return err
			}
		}
		if !gone {
			keep = append(keep, d)
			continue
		}
		res.Matched++
		res.Before = d
	}
	if len(keep) == len(measurements) {
		return nil
	}
	if err := w.claim(ns, c, row.Record); err != nil {
		return err
	}
	if len(keep) == 0 {
		return w.Tx.Delete(ns, row.Record)
	}
	return w.Tx.Update(ns, row.Record, timeseries.With(o, row.Doc, keep), storage.Update)
}
