package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) cappedCommands() []Spec {
	return []Spec{
		{Name: "convertToCapped", Fields: "size", Run: s.convertToCapped},
		{Name: "cloneCollectionAsCapped", Fields: "toCollection size temp", Run: s.cloneAsCapped},
	}
}

// convertToCapped puts a capped collection with the newest documents in the place of
// one that isn't. Its other indexes are lost, as in the server.
func (s *Server) convertToCapped(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := r.alone(ns); err != nil {
		return nil, err
	}
	return nil, r.write(func(w *crud.Writer) error {
		c := w.Tx.View().Collection(ns)
		if err := r.mayCap(c, ns); err != nil {
			return err
		}
		if err := w.Tx.Drop(ns); err != nil {
			return err
		}
		return r.fillCapped(w, c, ns)
	})
}

func (s *Server) cloneAsCapped(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	name, err := r.Str("toCollection")
	if err != nil {
		return nil, err
	}
	to := storage.NS{DB: r.DB, Coll: name}
	return nil, r.write(func(w *crud.Writer) error {
		c := w.Tx.View().Collection(ns)
		if err := r.mayCap(c, ns); err != nil {
			return err
		}
		if w.Tx.Collection(to) != nil {
			return mongoerr.New(mongoerr.NamespaceExists, "cloneCollectionAsCapped failed - destination collection %s already exists. source collection: %s", to, ns)
		}
		return r.fillCapped(w, c, to)
	})
}

func (r *Request) mayCap(c *storage.Collection, ns storage.NS) error {
	size := r.Body.Get("size")
	switch {
	case size.IsMissing():
		return required(r.field("size"))
	case !size.IsNumber() || size.Long() <= 0:
		return mongoerr.New(mongoerr.InvalidOptions, "Capped collection size must be greater than zero")
	case size.Long() > maxCapped:
		return mongoerr.New(mongoerr.BadValue, "Capped collection size must be at most %d bytes", int64(maxCapped))
	case c == nil:
		return mongoerr.New(mongoerr.NamespaceNotFound, "source collection %s does not exist", ns)
	case c.Clustered() != nil:
		return mongoerr.New(mongoerr.InvalidOptions, "cannot convert a clustered collection to a capped one: %s", ns)
	case c.IsView():
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "cannot convert a view to a capped collection: %s", ns)
	}
	return nil
}

// fillCapped makes the capped collection and copies the documents in their order.
func (r *Request) fillCapped(w *crud.Writer, from *storage.Collection, to storage.NS) error {
	b := bsonval.NewBuilder(128)
	b.Bool("capped", true).Set("size", bsonval.LongValue(r.Body.Get("size").Long()))
	for name, v := range from.Options.All() {
		if name != "capped" && name != "size" && name != "max" {
			b.Set(name, v)
		}
	}
	if _, err := crud.Create(r.Op, w.Tx, to, b.Doc()); err != nil {
		return err
	}
	bypass := *w
	bypass.Bypass = true
	cur := from.Natural()
	for ok := cur.First(); ok; ok = cur.Next() {
		if err := r.Op.Check(); err != nil {
			return err
		}
		if _, err := bypass.Insert(to, cur.Value()); err != nil {
			return err
		}
	}
	return nil
}
