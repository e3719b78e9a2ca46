package command

import (
	"context"
	"encoding/binary"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// seriesOptions checks create's options for a time series and answers them as they are
// kept. options are those that every collection may have, already checked.
func (r *Request) seriesOptions(ns storage.NS, options bsonval.Doc) (bsonval.Doc, error) {
	o, err := timeseries.Parse(r.Body.Get("timeseries").Doc(), "create.timeseries.")
	if err != nil {
		return nil, err
	}
	return crud.SeriesOptions(ns, options, o), nil
}

// checkSeries refuses what can't stand beside create's timeseries.
func (r *Request) checkSeries(ns storage.NS) error {
	v := r.Body.Get("timeseries")
	if v.Type() != bsonval.Object {
		return wrongType("create.timeseries", v, "object")
	}
	o, err := timeseries.Parse(v.Doc(), "create.timeseries.")
	if err != nil {
		return err
	}
	for name, v := range r.Body.All() {
		switch name {
		case "create", "timeseries", "expireAfterSeconds", "collation", "storageEngine", "indexOptionDefaults", "encryptedFields":
		case "capped":
			if v.Truth() {
				return mongoerr.New(mongoerr.InvalidOptions, "%s: 'timeseries' is not allowed with '%s'", ns, name)
			}
		default:
			if containsField(createFields, name) {
				return mongoerr.New(mongoerr.InvalidOptions, "%s: 'timeseries' is not allowed with '%s'", ns, name)
			}
		}
	}
	if r.Tx != nil && !r.Conn.Internal { // a restore is one transaction
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create a time-series collection in a multi-document transaction.")
	}
	return o.CheckNames(ns.String())
}

// bucketsOf is the collection that a command on a time series' storage works on: its
// buckets, and c itself for any other.
func bucketsOf(lookup func(storage.NS) *storage.Collection, c *storage.Collection) *storage.Collection {
	if _, ok := crud.Series(c); !ok {
		return c
	}
	if b := lookup(crud.BucketsNS(c.NS)); b != nil {
		return b
	}
	return c
}

// shownOptions are a collection's options as listCollections shows them: a time series'
// without the view that it is made of.
func shownOptions(c *storage.Collection) bsonval.Doc {
	if c.Options == nil {
		return bsonval.EmptyDoc()
	}
	if _, ok := crud.Series(c); !ok {
		return c.Options
	}
	return timeseries.Shown(c.Options)
}

// shownIndexes are the indexes as listIndexes shows them.
func shownIndexes(c, buckets *storage.Collection) []bsonval.Doc {
	o, series := crud.Series(c)
	var docs []bsonval.Doc
	for _, ix := range visible(buckets) {
		spec := listedSpec(buckets, ix.Def)
		if series {
			var ok bool
			if spec, ok = o.SeriesIndex(spec); !ok {
				continue
			}
		}
		docs = append(docs, spec)
	}
	return docs
}

// bucketHint is a hint on a time series, or on a view of one, as it is for its buckets.
func (src *source) bucketHint(ns storage.NS, hint bsonval.Value) (bsonval.Value, error) {
	if hint.Type() != bsonval.Object || hint.Doc().IsEmpty() || hint.Doc().First().Name == "$natural" {
		return hint, nil
	}
	for range maxViewDepth {
		c := src.snapshot().Collection(ns)
		if o, ok := crud.Series(c); ok {
			key, err := o.BucketKey(hint.Doc())
			return bsonval.DocValue(key), err
		}
		if c == nil || !c.IsView() {
			return hint, nil
		}
		ns.Coll = stringOr(c.Options.Get("viewOn"), "")
	}
	return hint, nil
}

// readsBuckets tells a stage that speaks of how a collection is stored: on a time
// series it is asked of the buckets.
func readsBuckets(c *storage.Collection, stages bsonval.Doc) bool {
	if _, ok := crud.Series(c); !ok {
		return false
	}
	first := firstStage(stages)
	return first == "$collStats" || first == "$indexStats"
}

// seriesStats writes what collStats tells of a time series besides: its buckets, and
// what was done with them since the start. The counts of what this engine never does,
// such as closing a bucket for lack of memory, stay 0.
func (s *Server) seriesStats(b *bsonval.Builder, c *storage.Collection) {
	n := int64(c.Count())
	b.OpenDoc("timeseries").Str("bucketsNs", c.NS.String()).Number("bucketCount", n)
	if n > 0 {
		b.Number("avgBucketSize", c.Bytes/n)
	}
	t := s.series.Of(c)
	commits := t.Inserts + t.Updates
	b.Number("numBucketInserts", t.Inserts).Number("numBucketUpdates", t.Updates).Number("numBucketsOpenedDueToMetadata", t.ForSource)
	b.Number("numBucketsClosedDueToCount", t.Closed[timeseries.Count]).Number("numBucketsClosedDueToSchemaChange", t.Closed[timeseries.Schema])
	b.Number("numBucketsClosedDueToSize", t.Closed[timeseries.Size]).Number("numBucketsClosedDueToTimeForward", t.Closed[timeseries.TimeForward])
	b.Int32("numBucketsClosedDueToTimeBackward", 0).Int32("numBucketsClosedDueToMemoryThreshold", 0)
	b.Number("numCommits", commits).Int32("numWaits", 0).Number("numMeasurementsCommitted", t.Measurements)
	if commits > 0 {
		b.Number("avgNumMeasurementsPerCommit", t.Measurements/commits)
	}
	b.Int32("numBucketsClosedDueToReopening", 0).Int32("numBucketsArchivedDueToMemoryThreshold", 0)
	b.Number("numBucketsArchivedDueToTimeBackward", t.Closed[timeseries.TimeBackward]).Number("numBucketsReopened", t.Reopened)
	for _, never := range []string{"numBucketsKeptOpenDueToLargeMeasurements", "numBucketsClosedDueToCachePressure", "numBucketsFrozen", "numCompressedBucketsConvertedToUnsorted", "numBucketsFetched"} {
		b.Int32(never, 0)
	}
	b.Number("numBucketsQueried", t.Reopened)
	for _, never := range []string{"numBucketFetchesFailed", "numBucketQueriesFailed", "numBucketReopeningsFailed", "numDuplicateBucketsReopened"} {
		b.Int32(never, 0)
	}
	b.Close()
}

// modifySeries is collMod on a time series.
func (r *Request) modifySeries(w *crud.Writer, c *storage.Collection, o timeseries.Options, b *bsonval.Builder) error {
	options, changed := shownOptions(c), false
	for name, v := range r.Body.All() {
		if name == r.Body.First().Name || !containsField(r.Spec.Fields, name) || name == "dryRun" {
			continue
		}
		var err error
		switch name {
		case "index":
			err = modifySeriesIndex(w, c, o, v, b)
		case "expireAfterSeconds":
			changed = true
			options, err = withExpire(options, v)
		case "timeseries":
			if v.Type() != bsonval.Object {
				return wrongType("collMod.timeseries", v, "object")
			}
			changed = true
			o, err = o.Modified(v.Doc())
		default:
			err = mongoerr.New(mongoerr.InvalidOptions, "option not supported on a time-series collection: %s", name)
		}
		if err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	options = crud.SeriesOptions(c.NS, options, o)
	if err := w.Tx.SetOptions(c.NS, options); err != nil {
		return err
	}
	return w.Tx.SetOptions(crud.BucketsNS(c.NS), crud.BucketsOptions(options, o))
}

// withExpire are options with collMod's expireAfterSeconds, a number or "off".
func withExpire(options bsonval.Doc, v bsonval.Value) (bsonval.Doc, error) {
	if v.Type() == bsonval.String {
		if v.Str() != "off" {
			return nil, mongoerr.New(mongoerr.InvalidOptions, "Invalid string value for the 'clusteredIndex::expireAfterSeconds' option. Got: '%s'. Accepted value is 'off'", v.Str())
		}
		v = bsonval.Value{}
	} else {
		var err error
		if v, err = expireOption(v, true, true); err != nil {
			return nil, err
		}
	}
	b := bsonval.NewBuilder(len(options) + 32)
	for name, was := range options.All() {
		if name != "expireAfterSeconds" {
			b.Set(name, was)
		}
	}
	return b.Set("expireAfterSeconds", v).Doc(), nil
}

func modifySeriesIndex(w *crud.Writer, c *storage.Collection, o timeseries.Options, v bsonval.Value, b *bsonval.Builder) error {
	if v.Type() != bsonval.Object {
		return wrongType("collMod.index", v, "object")
	}
	spec := bsonval.NewBuilder(len(v.Doc()) + 64)
	for name, x := range v.Doc().All() {
		if name == "keyPattern" && x.Type() == bsonval.Object {
			key, err := o.BucketKey(x.Doc())
			if err != nil {
				return mongoerr.New(mongoerr.IndexNotFound, "%s", mongoerr.From(err).Message)
			}
			x = bsonval.DocValue(key)
		}
		if name == "unique" || name == "prepareUnique" {
			return mongoerr.New(mongoerr.InvalidOptions, "option not supported on a time-series collection: %s", name)
		}
		spec.Set(name, x)
	}
	want := spec.Doc()
	buckets := w.Tx.Collection(crud.BucketsNS(c.NS))
	ix := findIndex(buckets, want)
	switch {
	case ix == nil || ix.Def.Clustered:
		return mongoerr.New(mongoerr.IndexNotFound, "cannot find index %s for ns %s", want, c.NS)
	case !want.Get("expireAfterSeconds").IsMissing() && ix.Def.Expire < 0:
		return mongoerr.New(mongoerr.InvalidOptions, "TTL indexes are not supported for time-series collections without a partialFilterExpression on the metaField")
	}
	return modifyIndex(w, buckets, want, false, b)
}

// expireBuckets deletes a batch of a time series' buckets whose measurements are all
// too old, whatever part of its span a bucket has used.
func (s *Server) expireBuckets(ctx context.Context, ns storage.NS) (int, error) {
	tx, err := s.store.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	c := tx.Collection(ns)
	o, ok := crud.Buckets(c)
	if !ok || c.Clustered() == nil {
		return 0, nil
	}
	expire := c.Options.Get("expireAfterSeconds")
	if !expire.IsNumber() {
		return 0, nil
	}
	before := s.opts.Clock().Unix() - expire.Long() - o.MaxSpan
	n := 0
	for _, record := range bucketsBefore(c, o, before) {
		if s.store.Claimed(c, record) {
			continue
		}
		if err := tx.Delete(ns, record); err != nil {
			return n, err
		}
		n++
	}
	return n, tx.Commit()
}

// bucketsBefore are up to a batch of the buckets that begin before a second since 1970.
func bucketsBefore(c *storage.Collection, o timeseries.Options, second int64) []int64 {
	var out []int64
	cur := c.Clustered().Keys()
	for ok := cur.First(); ok && len(out) < ttlBatch; ok = cur.Next() {
		_, record := index.SplitEntry(cur.Key())
		doc, _ := c.Get(record)
		id := doc.Get("_id").ObjectID()
		if int64(binary.BigEndian.Uint32(id[:])) >= second {
			break
		}
		if from := doc.Path("control.min." + o.Time); from.Type() == bsonval.Date && from.Int64() < second*1000 {
			out = append(out, record)
		}
	}
	return out
}
