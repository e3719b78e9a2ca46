package crud

import "storeroom/sandbox/store/mongo/engine/storage"

// cap deletes the oldest documents of a capped collection that holds too much. The
// newest stays, whatever its size.
func (w *Writer) cap(ns storage.NS) error {
	c := w.Tx.Collection(ns)
	if !c.Options.Get("capped").Truth() {
		return nil
	}
	size, most := c.Options.Get("size").Long(), c.Options.Get("max").Long()
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
