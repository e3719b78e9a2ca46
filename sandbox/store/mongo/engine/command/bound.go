package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// bind notes the collection that a find's cursor ends with, unless it reads a snapshot by
// the client's wish.
func (r *Request) bind(c *cursor.Cursor, coll *storage.Collection) {
	if coll == nil || coll.IsView() || r.inTransaction || r.at != nil || r.DB == "local" || c.Tailable {
		return
	}
	c.UUID = coll.UUID
}

// alive tells whether what a bound cursor needs is still there: its collection, the
// indexes that it reads, and in a capped collection the document that it stands on.
func (s *Server) alive(c *cursor.Cursor) error {
	if c.UUID == [16]byte{} {
		return nil
	}
	ns, _ := storage.ParseNS(c.NS)
	coll := s.store.State().Collection(ns)
	if coll == nil || coll.UUID != c.UUID {
		id := bsonval.BinaryValue(4, c.UUID[:])
		if to := s.store.State().ByUUID(c.UUID); to != nil {
			return mongoerr.New(mongoerr.QueryPlanKilled, "collection renamed from '%s' to '%s'. UUID %s", ns, to.NS, id)
		}
		return mongoerr.New(mongoerr.QueryPlanKilled, "collection dropped. UUID %s", id)
	}
	p, ok := c.Op.First().(*plan.Plan)
	if !ok {
		return nil
	}
	for _, name := range p.Indexes() {
		if !slices.ContainsFunc(coll.Indexes, func(ix *storage.Index) bool { return ix.Def.Name == name }) {
			return mongoerr.New(mongoerr.QueryPlanKilled, "query plan killed :: index '%s' dropped", name)
		}
	}
	if c.Last > 0 && coll.Options.Get("capped").Truth() && p.ScansAll() && !p.Sorts() {
		if _, there := coll.Get(c.Last); !there {
			return mongoerr.New(mongoerr.CappedPositionLost, "CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(%d)", c.Last)
		}
	}
	return nil
}
