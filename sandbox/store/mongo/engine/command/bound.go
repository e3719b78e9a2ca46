package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// bind notes what a find's cursor ends with: its collection, unless it reads a snapshot
// by the client's wish, and in a capped one the document that it stands on, and the indexes that it reads.
func (r *Request) bind(c *cursor.Cursor, coll *storage.Collection) {
	if coll == nil || coll.IsView() || r.inTransaction || r.at != nil || r.DB == "local" || c.Tailable {
		return
	}
	c.UUID = coll.UUID
	first := r.Op.First()
	c.Capped = coll.Options.Get("capped").Truth() && first != nil && first.Summary() == "COLLSCAN" && !first.Sorts()
	if p, ok := first.(*plan.Plan); ok {
		c.Indexes = p.Indexes()
	}
}

// alive tells whether what the cursor was bound to is still there.
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
	for _, name := range c.Indexes {
		if !slices.ContainsFunc(coll.Indexes, func(ix *storage.Index) bool { return ix.Def.Name == name }) {
			return mongoerr.New(mongoerr.QueryPlanKilled, "query plan killed :: index '%s' dropped", name)
		}
	}
	if _, there := coll.Get(c.Last); c.Capped && c.Last > 0 && !there {
		return mongoerr.New(mongoerr.CappedPositionLost, "CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(%d)", c.Last)
	}
	return nil
}
