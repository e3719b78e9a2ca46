package crud

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// lookBack bounds how many stored buckets are tried for a measurement, newest first,
// before a new one is begun.
const lookBack = 4

// stored finds a bucket that takes the measurement among those that are stored in c, nil
// for no collection. It is nil when there is none. why becomes the reason of the newest
// one that doesn't.
func stored(c *storage.Collection, o timeseries.Options, opened []*openBucket, meta bsonval.Value, doc bsonval.Doc, ms int64, why *timeseries.Reason) *openBucket {
	if c == nil {
		return nil
	}
	var found *openBucket
	tried := 0
	try := func(record int64) bool {
		bucket, _ := c.Get(record)
		if !sameSource(bucket.Get("meta"), meta) || isOpened(opened, record) {
			return true
		}
		b := timeseries.Open(o, bucket)
		no := b.Takes(doc, ms)
		if no == timeseries.Takes {
			found = &openBucket{record: record, was: bucket, bucket: b}
			return false
		}
		if *why == timeseries.Takes {
			*why = no
		}
		tried++
		return tried < lookBack
	}
	if ix := bySource(c, o); ix != nil && meta.Type() != bsonval.Array {
		backFrom(ix, meta, ms, try)
		if tried == 0 && found == nil && *why == timeseries.Takes {
			backFrom(ix, meta, math.MaxInt64, func(int64) bool { // one that begins later
				*why = timeseries.TimeBackward
				return false
			})
		}
	} else {
		backOverIDs(c, o, ms, try)
	}
	return found
}

func sameSource(a, b bsonval.Value) bool { return a.Same(b) }

func isOpened(all []*openBucket, record int64) bool {
	for _, b := range all {
		if b.record == record {
			return true
		}
	}
	return false
}

// bySource is an index whose entries of one source are in the order of the dates.
func bySource(c *storage.Collection, o timeseries.Options) *storage.Index {
	for _, ix := range c.Indexes {
		d := ix.Def
		if d.Kind == index.Ordered && d.Collator == nil && d.Filter == nil && !d.Sparse && len(d.Fields) > 1 &&
			d.Fields[0].Path == "meta" && !d.Fields[0].Desc && d.Fields[1].Path == "control.min."+o.Time && !d.Fields[1].Desc {
			return ix
		}
	}
	return nil
}

// backFrom calls try for a source's buckets from the last that begins at ms or before.
func backFrom(ix *storage.Index, meta bsonval.Value, ms int64, try func(int64) bool) {
	if meta.IsMissing() {
		meta = bsonval.NullValue() // as the index has it
	}
	prefix := ix.Def.AppendField(nil, 0, meta)
	cur := ix.Keys()
	top := string(ix.Def.AppendField(append([]byte(nil), prefix...), 1, bsonval.DateValue(ms))) + "\xff"
	for ok := cur.SeekBelow(top); ok; ok = cur.Prev() {
		key, record := index.SplitEntry(cur.Key())
		if len(key) < len(prefix) || key[:len(prefix)] != string(prefix) || !try(record) {
			return
		}
	}
}

// backOverIDs calls try for all buckets that may span ms, from the last one.
func backOverIDs(c *storage.Collection, o timeseries.Options, ms int64, try func(int64) bool) {
	ix := c.Clustered()
	if ix == nil {
		return
	}
	lo, hi := o.IDRange(ms, ms)
	from, to := string(ix.Def.AppendField(nil, 0, lo)), string(ix.Def.AppendField(nil, 0, hi))+"\xff"
	cur := ix.Keys()
	for ok := cur.SeekBelow(to); ok && cur.Key() >= from; ok = cur.Prev() {
		if _, record := index.SplitEntry(cur.Key()); !try(record) {
			return
		}
	}
}
