package crud

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// The least a capped collection holds, and what its size is rounded up to, in bytes.
const (
	minCapped  = 4096
	cappedStep = 256
)

// CappedSize is how many bytes of documents a capped collection of that size holds.
func CappedSize(size int64) int64 {
	size = max(size, minCapped)
	return (size + cappedStep - 1) / cappedStep * cappedStep
}

// fixedSize refuses a change that gives a document of a capped collection another size.
func fixedSize(c *storage.Collection, before, after bsonval.Doc) error {
	if before == nil || len(before) == len(after) || !c.Options.Get("capped").Truth() {
		return nil
	}
	return mongoerr.New(10003, "Cannot change the size of a document in a capped collection: %d != %d", len(before), len(after))
}

// cap deletes the oldest documents of a capped collection that holds too much.
func (w *Writer) cap(ns storage.NS) error {
	c := w.Tx.Collection(ns)
	if !c.Options.Get("capped").Truth() {
		return nil
	}
	size, most := CappedSize(c.Options.Get("size").Long()), c.Options.Get("max").Long()
	for c.Count() > 1 && (c.Bytes > size || most > 0 && int64(c.Count()) > most) {
		cur := c.Records()
		if !cur.First() {
			return nil
		}
		if err := w.Tx.Delete(ns, cur.Key()); err != nil {
			return err
		}
		c = w.Tx.Collection(ns)
	}
	return nil
}
