package archive

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// source is a collection as the archive shows it: a time series has the options and
// indexes that its users see, and the documents of its buckets.
type source struct {
	ns      storage.NS
	kind    string
	options bsonval.Doc
	indexes []bsonval.Doc
	uuid    *[16]byte           // nil: it has none
	data    *storage.Collection // whose documents are written, by its own name
}

func sourceOf(s *storage.State, c *storage.Collection) source {
	out := source{ns: c.NS, kind: "collection", options: c.Options, data: c}
	if o, ok := timeseries.Of(c.Options); ok && c.IsView() {
		out.kind, out.options = "timeseries", timeseries.Shown(c.Options)
		if b := s.Collection(storage.NS{DB: c.NS.DB, Coll: timeseries.Prefix + c.NS.Coll}); b != nil {
			out.data = b
			out.indexes = seriesIndexes(o, b)
		}
		return out
	}
	for _, ix := range c.Indexes {
		out.indexes = append(out.indexes, ix.Def.Spec)
	}
	if c.IsView() {
		out.kind = "view"
	} else {
		out.uuid = &c.UUID
	}
	return out
}

func seriesIndexes(o timeseries.Options, buckets *storage.Collection) []bsonval.Doc {
	var out []bsonval.Doc
	for _, ix := range buckets.Indexes {
		if ix.Def.Clustered {
			continue
		}
		if spec, ok := o.SeriesIndex(ix.Def.Spec); ok {
			out = append(out, spec)
		}
	}
	return out
}
