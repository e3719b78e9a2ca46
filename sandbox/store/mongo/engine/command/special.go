package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
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
		docs, err = s.collStatsStage(src.snapshot(), ns, arg)
	case "$indexStats":
		docs, err = s.indexStatsStage(src.snapshot(), ns, arg)
	case "$currentOp":
		docs, err = s.currentOps(arg)
	case "$listLocalSessions", "$listSessions":
		docs, err = s.listSessions(arg)
	case "$planCacheStats":
		docs, err = s.planCacheStage(src.snapshot(), ns)
	default:
		return nil, false, nil
	}
	return stream.Docs(docs), true, err
}

func (s *Server) collStatsStage(state *storage.State, ns storage.NS, arg bsonval.Value) ([]bsonval.Doc, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(5447000, "$collStats must take a nested object but found: $collStats: %s", arg)
	}
	c := state.Collection(ns)
	var b bsonval.Builder
	b.Str("ns", ns.String()).Str("host", s.opts.SetName).Set("localTime", bsonval.TimeValue(s.opts.Clock()))
	for name, v := range arg.Doc().All() {
		switch name {
		case "latencyStats":
			b.OpenDoc(name)
			for _, kind := range []string{"reads", "writes", "commands", "transactions"} {
				b.OpenDoc(kind).Int64("latency", 0).Int64("ops", 0).Close()
			}
			b.Close()
		case "storageStats":
			if c == nil {
				return nil, mongoerr.New(mongoerr.NamespaceNotFound, "Collection [%s] not found.", ns)
			}
			scale := int64(1)
			if v.Type() == bsonval.Object {
				if f := v.Doc().Get("scale"); f.IsNumber() {
					scale = max(1, f.Long())
				}
			}
			b.OpenDoc(name)
			storageStats(&b, c, scale)
			b.Close()
		case "count":
			if c == nil {
				return nil, mongoerr.New(mongoerr.NamespaceNotFound, "Collection [%s] not found.", ns)
			}
			b.Number(name, int64(c.Count()))
		case "queryExecStats":
			b.OpenDoc(name).OpenDoc("collectionScans").Int64("total", 0).Int64("nonTailable", 0).Close().Close()
		default:
			return nil, mongoerr.New(40415, "BSON field '$collStats.%s' is an unknown field.", name)
		}
	}
	return []bsonval.Doc{b.Doc()}, nil
}

// storageStats writes what collStats and the stage tell of a collection.
func storageStats(b *bsonval.Builder, c *storage.Collection, scale int64) {
	n := int64(c.Count())
	b.Number("size", c.Bytes/scale).Number("count", n)
	if n > 0 {
		b.Number("avgObjSize", c.Bytes/n)
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

func (s *Server) indexStatsStage(state *storage.State, ns storage.NS, arg bsonval.Value) ([]bsonval.Doc, error) {
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
		b.Str("name", ix.Def.Name).SetDoc("key", ix.Def.Pattern).Str("host", s.opts.SetName)
		b.OpenDoc("accesses").Int64("ops", ix.Uses()).Set("since", bsonval.TimeValue(s.started)).Close()
		b.SetDoc("spec", ix.Def.Spec)
		docs = append(docs, b.Doc())
	}
	return docs, nil
}
