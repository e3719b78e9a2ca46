package command

import (
	"crypto/sha256"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// viewsNS is the collection in which the server keeps a database's views. Here they are
// kept with the collections; it is made for the commands that look at it.
func viewsNS(db string) storage.NS { return storage.NS{DB: db, Coll: "system.views"} }

// withViews is the state with that collection, where there are views.
func (r *Request) withViews(base *storage.State) *storage.State {
	if r.ns().Coll != "system.views" && r.Spec.Name != "listCollections" && r.Spec.Name != "dbStats" {
		return base
	}
	ns := viewsNS(r.DB)
	var docs []bsonval.Doc
	for _, c := range base.Collections(r.DB) {
		if c.IsView() {
			docs = append(docs, viewDoc(c))
		}
	}
	if docs == nil {
		return base
	}
	id := sha256.Sum256([]byte(ns.String()))
	uuid := [16]byte(id[:16])
	uuid[6], uuid[8] = uuid[6]&0x0f|0x40, uuid[8]&0x3f|0x80
	return base.With(storage.Made(ns, uuid, nil, docs))
}

// viewDoc is a view as system.views has it.
func viewDoc(c *storage.Collection) bsonval.Doc {
	b := bsonval.NewBuilder(256)
	b.Str("_id", c.NS.String()).Set("viewOn", c.Options.Get("viewOn"))
	if pipeline := c.Options.Get("pipeline"); pipeline.Type() == bsonval.Array {
		b.Set("pipeline", pipeline)
	} else {
		b.OpenArray("pipeline").Close()
	}
	return b.Set("collation", c.Options.Get("collation")).Doc()
}

// dropViews drops system.views, which is all of a database's views.
func dropViews(w *crud.Writer, db string, b *bsonval.Builder) error {
	var views []*storage.Collection
	for _, c := range w.Tx.View().Collections(db) {
		if _, ok := crud.Series(c); ok {
			return mongoerr.New(mongoerr.CommandFailed, "cannot drop collection %s when time-series collections are present", viewsNS(db))
		}
		if c.IsView() {
			views = append(views, c)
		}
	}
	for _, c := range views {
		if err := crud.Drop(w.Tx, c); err != nil {
			return err
		}
	}
	if views != nil {
		b.Int32("nIndexesWas", 1).Str("ns", viewsNS(db).String())
	}
	return nil
}
