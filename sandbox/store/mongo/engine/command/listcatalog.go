package command

import (
	"strconv"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// listCatalog is the stage $listCatalog: the catalogue's entry of a collection, or of
// all collections and views.
func (s *Server) listCatalog(state *storage.State, ns storage.NS, arg bsonval.Value) ([]bsonval.Doc, error) {
	if arg.Type() != bsonval.Object || !arg.Doc().IsEmpty() {
		return nil, mongoerr.New(6200600, "The $listCatalog stage specification must be an empty object")
	}
	if ns.Coll == "" && ns.DB != "admin" {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Collectionless $listCatalog must be run against the 'admin' database with {aggregate: 1}")
	}
	var docs []bsonval.Doc
	for _, c := range state.Collections("") {
		if ns.Coll == "" || c.NS == ns {
			docs = append(docs, catalogueEntry(c))
		}
	}
	return docs, nil
}

func catalogueEntry(c *storage.Collection) bsonval.Doc {
	b := bsonval.NewBuilder(512)
	kind := "collection"
	if _, ok := crud.Series(c); ok {
		kind = "timeseries"
	} else if c.IsView() {
		kind = "view"
	}
	b.Str("db", c.NS.DB).Str("name", c.NS.Coll).Str("type", kind)
	if c.IsView() {
		view := viewDoc(c)
		b.Set("_id", view.Get("_id")).Set("viewOn", view.Get("viewOn")).Set("pipeline", view.Get("pipeline")).Set("collation", view.Get("collation"))
		return b.Str("ns", c.NS.String()).Doc()
	}
	b.Str("ident", "collection-"+strconv.FormatUint(c.ID, 10)).OpenDoc("md").Str("ns", c.NS.String())
	b.OpenDoc("options").Set("uuid", bsonval.BinaryValue(4, c.UUID[:]))
	if c.Options != nil {
		b.Fields(c.Options)
	}
	b.Close().OpenArray("indexes")
	for _, ix := range c.Indexes {
		if !ix.Def.Clustered {
			b.OpenItem().SetDoc("spec", ix.Def.Spec).Bool("ready", true).Bool("multikey", ix.Multikey != 0).Close()
		}
	}
	return b.Close().Close().Str("ns", c.NS.String()).Doc()
}
