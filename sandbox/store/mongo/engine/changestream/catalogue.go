package changestream

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// catalogue are the events that showExpandedEvents adds; nil for an operation that has
// none.
func (s *Stream) catalogue(c *storage.Commit, i int, at position) bsonval.Doc {
	op := &c.Ops[i]
	switch op.Kind {
	case storage.Create:
		return s.onCollection("create", c, op, at).SetDoc("operationDescription", created(op.After)).Doc()
	case storage.SetOptions:
		if ofView(op) {
			return s.onCollection("modify", c, op, at).SetDoc("operationDescription", created(op.After)).Doc()
		}
	case storage.CreateIndex:
		if spec := op.After; spec.Get("name").Type() == bsonval.String && spec.Get("name").Str() == "_id_" {
			return nil
		}
		b := s.onCollection("createIndexes", c, op, at)
		b.OpenDoc("operationDescription").OpenArray("indexes").ItemDoc(op.After)
		for i++; i < len(c.Ops) && builtTogether(&c.Ops[i-1], &c.Ops[i]); i++ {
			b.ItemDoc(c.Ops[i].After)
		}
		return b.Close().Close().Doc()
	case storage.DropIndex:
		b := s.onCollection("dropIndexes", c, op, at)
		return b.OpenDoc("operationDescription").OpenArray("indexes").ItemDoc(op.Before).Close().Close().Doc()
	case storage.Modify:
		return s.onCollection("modify", c, op, at).SetDoc("operationDescription", op.After).SetDoc("stateBeforeChange", op.Before).Doc()
	}
	return nil
}

// created are a collection's options as the event of its creation has them: with its
// index on _id, and of a view what it shows.
func created(options bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(options) + 128)
	if on := options.Get("viewOn"); !on.IsMissing() {
		b.Set("viewOn", on).Set("pipeline", options.Get("pipeline"))
		if c := options.Get("collation"); !c.IsMissing() {
			b.Set("collation", c)
		}
		return b.Doc()
	}
	if len(options) > 0 {
		b.Fields(options)
	}
	if options.Get("clusteredIndex").IsMissing() {
		WriteIDIndex(b, options)
	}
	return b.Doc()
}

// WriteIDIndex adds the index on _id that a collection with these options has, as the
// oplog and the events of its creation tell it.
func WriteIDIndex(b *bsonval.Builder, options bsonval.Doc) {
	b.OpenDoc("idIndex").Int32("v", 2).OpenDoc("key").Int32("_id", 1).Close().Str("name", "_id_")
	if c := options.Get("collation"); !c.IsMissing() {
		b.Set("collation", c)
	}
	b.Close()
}
