package command

import (
	"context"
	"math"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// ttlBatch is how many documents one transaction of the TTL pass deletes, so that
// others get their turn to write.
const ttlBatch = 1000

// expireDocuments deletes what TTL indexes say is too old.
func (s *Server) expireDocuments(ctx context.Context) {
	s.counters.ttlPasses.Add(1)
	for _, c := range s.store.State().Collections("") {
		if _, ok := crud.Buckets(c); ok {
			s.expireAll(c.NS, "_id_", func() (int, error) { return s.expireBuckets(ctx, c.NS) })
		}
		for _, ix := range c.Indexes {
			if expireAfter(c, ix) < 0 || ix.Def.Kind != index.Ordered {
				continue
			}
			s.expireAll(c.NS, ix.Def.Name, func() (int, error) { return s.expireSome(ctx, c.NS, ix.Def) })
		}
	}
}

// expireAll calls some until it has deleted less than a batch.
func (s *Server) expireAll(ns storage.NS, by string, some func() (int, error)) {
	for {
		n, err := some()
		s.counters.ttlDeleted.Add(int64(n))
		if err != nil {
			s.opts.Logger.Warn("expired documents could not be deleted", "ns", ns.String(), "index", by, "error", err)
		}
		if n < ttlBatch || err != nil {
			return
		}
	}
}

// expireSome deletes up to a batch of the documents whose date at the index's field,
// or whose least date in an array there, is too long ago.
func (s *Server) expireSome(ctx context.Context, ns storage.NS, def *index.Def) (int, error) {
	tx, err := s.store.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	c := tx.Collection(ns)
	if c == nil || c.Index(def.Name) == nil {
		return 0, nil
	}
	ix := c.Index(def.Name)
	records := expired(ix, expireAfter(c, ix), s.opts.Clock())
	op := opctx.New(ctx, s.opts.Clock())
	w := &crud.Writer{Op: op, Store: s.store, Tx: tx, IDs: s.ids, Match: s.matchEnv}
	n := 0
	for _, record := range records {
		if s.store.Claimed(c, record) {
			continue // an open transaction has it: the next pass comes
		}
		if err := w.Tx.Delete(ns, record); err != nil {
			return n, err
		}
		n++
	}
	return n, tx.Commit()
}

// expireAfter is how many seconds after the index's dates documents expire; -1: never.
// An index that a collection is clustered by has it from the collection's options.
func expireAfter(c *storage.Collection, ix *storage.Index) int64 {
	if o, ok := crud.Buckets(c); ok { // by the date that a bucket begins with
		if ix.Def.Clustered || ix.Def.Expire < 0 {
			return -1 // expireBuckets
		}
		return ix.Def.Expire + o.MaxSpan
	}
	if v := c.Options.Get("expireAfterSeconds"); ix.Def.Clustered && v.IsNumber() {
		return v.Long()
	}
	return ix.Def.Expire
}

// expired are the records of dates up to now less the index's seconds.
func expired(ix *storage.Index, seconds int64, now time.Time) []int64 {
	def := ix.Def
	until := bsonval.DateValue(now.UnixMilli() - seconds*1000)
	first := string(def.AppendField(nil, 0, bsonval.DateValue(math.MinInt64)))
	last := string(def.AppendField(nil, 0, until))
	if def.Fields[0].Desc {
		first, last = last, first
	}
	var out []int64
	seen := map[int64]bool{}
	cur := ix.Keys()
	for ok := cur.Seek(first); ok && len(out) < ttlBatch; ok = cur.Next() {
		key, record := index.SplitEntry(cur.Key())
		if key > last {
			break
		}
		if !seen[record] {
			seen[record] = true
			out = append(out, record)
		}
	}
	return out
}
