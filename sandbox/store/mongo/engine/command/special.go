package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Special implements agg.Source: the stages that speak of the server.
func (src *source) Special(op *opctx.Op, db, coll, stage string, arg bsonval.Value) (stream.Iterator, bool, error) {
	s := src.r.Server
	ns := storage.NS{DB: db, Coll: coll}
	var docs []bsonval.Doc
	var err error
	switch stage {
	case "$collStats":
		docs, err = s.collStatsStage(src.r, src.snapshot(), ns, arg)
	case "$indexStats":
		docs, err = s.indexStatsStage(src.r, src.snapshot(), ns, arg)
	case "$currentOp":
		docs, err = s.currentOpStage(src.r, arg)
	case "$listLocalSessions", "$listSessions":
		docs, err = s.listSessions(src.r, stage, arg)
	case "$listCatalog":
		docs, err = s.listCatalog(src.snapshot(), ns, arg)
	case "$planCacheStats":
		docs, err = s.planCacheStage(src.snapshot(), ns)
	default:
		return nil, false, nil
	}
	return stream.Docs(docs), true, err
}

func (s *Server) currentOpStage(r *Request, arg bsonval.Value) ([]bsonval.Doc, error) {
	show, err := parseShownOps(arg)
	show.user = r.Conn.userName()
	return s.currentOps(show), err
}

func (s *Server) collStatsStage(r *Request, state *storage.State, ns storage.NS, arg bsonval.Value) ([]bsonval.Doc, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(5447000, "$collStats must take a nested object but found: $collStats: %s", arg)
	}
	c := state.Collection(ns)
	var b bsonval.Builder
	shown := ns
	if series, ok := crud.SeriesNS(ns); ok {
		shown = series
	}
	b.Str("ns", shown.String()).Str("host", r.Conn.Addr).Set("localTime", bsonval.TimeValue(s.opts.Clock()))
	for name, v := range arg.Doc().All() {
		if v.Type() != bsonval.Object {
			return nil, wrongType("$collStats."+name, v, "object")
		}
		switch name {
		case "latencyStats":
			u := s.usageOf(shown)
			b.OpenDoc(name)
			u.write(&b, v.Doc().Get("histograms").Truth())
			b.Close()
		case "storageStats":
			if err := storedAs(c, ns, name); err != nil {
				return nil, err
			}
			scale := int64(1)
			if f := v.Doc().Get("scale"); f.IsNumber() {
				scale = max(1, f.Long())
			}
			b.OpenDoc(name)
			s.storageStats(&b, c, scale)
			b.Close()
		case "count":
			if err := storedAs(c, ns, name); err != nil {
				return nil, err
			}
			b.Number(name, int64(c.Count()))
		case "queryExecStats":
			u := s.usageOf(shown)
			b.OpenDoc(name).OpenDoc("collectionScans").Int64("total", u.scans).Int64("nonTailable", u.ending).Close().Close()
		default:
			return nil, unknownField("$collStats." + name)
		}
	}
	return []bsonval.Doc{b.Doc()}, nil
}

// storedAs refuses to tell of the documents of what has none.
func storedAs(c *storage.Collection, ns storage.NS, field string) error {
	switch {
	case c == nil:
		return mongoerr.New(mongoerr.NamespaceNotFound, "Unable to retrieve %s in $collStats stage :: caused by :: Collection [%s] not found.", field, ns)
	case c.IsView():
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Unable to retrieve %s in $collStats stage :: caused by :: Namespace %s is a view, not a collection", field, ns)
	}
	return nil
}

// storageStats writes what collStats and the stage tell of a collection.
func (s *Server) storageStats(b *bsonval.Builder, c *storage.Collection, scale int64) {
	n := int64(c.Count())
	b.Number("size", c.Bytes/scale)
	if _, ok := crud.Buckets(c); ok {
		s.seriesStats(b, c)
	} else {
		b.Number("count", n)
		if n > 0 {
			b.Number("avgObjSize", c.Bytes/n)
		}
	}
	b.Int32("numOrphanDocs", 0).Number("storageSize", c.Bytes/scale).Int32("freeStorageSize", 0)
	b.Bool("capped", c.Options.Get("capped").Truth())
	if c.Options.Get("capped").Truth() {
		b.Number("max", c.Options.Get("max").Long()).Number("maxSize", c.Options.Get("size").Long()/scale)
	}
	if c.Clustered() != nil {
		b.Bool("clustered", true)
	}
	indexes := secondary(c)
	b.Int32("nindexes", int32(len(indexes))).OpenArray("indexBuilds").Close()
	total := int64(0)
	for _, ix := range indexes {
		total += ix.Bytes
	}
	b.Number("totalIndexSize", total/scale).Number("totalSize", (total+c.Bytes)/scale)
	b.OpenDoc("indexSizes")
	for _, ix := range indexes {
		b.Number(ix.Def.Name, ix.Bytes/scale)
	}
	b.Close()
	b.Number("scaleFactor", scale)
}

func (s *Server) indexStatsStage(r *Request, state *storage.State, ns storage.NS, arg bsonval.Value) ([]bsonval.Doc, error) {
	if arg.Type() != bsonval.Object || !arg.Doc().IsEmpty() {
		return nil, mongoerr.New(28803, "The $indexStats stage specification must be an empty object")
	}
	c := state.Collection(ns)
	if c == nil {
		return nil, nil
	}
	var docs []bsonval.Doc
	for _, ix := range secondary(c) {
		var b bsonval.Builder
		b.Str("name", ix.Def.Name).SetDoc("key", ix.Def.Pattern).Str("host", r.Conn.Addr)
		b.OpenDoc("accesses").Int64("ops", ix.Uses()).Set("since", bsonval.TimeValue(s.started)).Close()
		b.SetDoc("spec", ix.Def.Spec)
		docs = append(docs, b.Doc())
	}
	return docs, nil
}
