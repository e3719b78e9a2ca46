package storage

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
)

// Aside is an index, or a collection's collation, that a folder tells of and that could
// not be made again: what it is made of, or a key of it, was taken by an earlier version
// and is no more. It is left out, since the documents matter more; whoever wants it makes
// it anew.
type Aside struct {
	NS   NS
	Name string // of the index, or "the collation"
	Why  string
	coll uint64 // Collection.ID, which a rename keeps
}

// Asides are what was left out when the folder was opened.
func (s *Store) Asides() []Aside {
	if s.log == nil {
		return nil
	}
	return s.log.asides
}

// replaying tells whether what is done stands in the folder already.
func (tx *Tx) replaying() bool { return tx.store.log != nil && tx.store.log.names != nil }

// setAside leaves an index of c out, which may have it already.
func (tx *Tx) setAside(c *Collection, name string, why error) {
	c.Indexes = slices.DeleteFunc(slices.Clone(c.Indexes), func(ix *Index) bool {
		if ix.Def.Name == name {
			tx.cur.Bytes -= ix.Bytes
			return true
		}
		return false
	})
	tx.leftOut(c.ID, c.NS, name, why)
}

func (tx *Tx) leftOut(coll uint64, ns NS, what string, why error) {
	l := tx.store.log
	l.asides = append(l.asides, Aside{NS: ns, Name: what, Why: why.Error(), coll: coll})
	tx.store.opts.Logger.Warn("left out", "collection", ns.String(), "index", what, "why", why)
}

// isAside tells whether an index of a collection was left out.
func (tx *Tx) isAside(c *Collection, name string) bool {
	return slices.ContainsFunc(tx.store.log.asides, func(a Aside) bool { return a.coll == c.ID && a.Name == name })
}

// redoIndex makes, changes or drops an index once more.
func (tx *Tx) redoIndex(op Op) error {
	name := op.Name
	if op.Kind == CreateIndex {
		name = op.After.Get("name").Str()
	}
	err := tx.apply(op)
	if err != nil && name == "_id_" && op.Kind == CreateIndex { // nothing goes without it
		op.After = without(op.After, "collation")
		err = tx.apply(op)
	}
	c := tx.own(op.NS)
	switch {
	case err == nil || c == nil:
		return err
	case tx.isAside(c, name):
		return nil
	case op.Kind == CreateIndex:
		tx.setAside(c, name, err)
		return nil
	}
	return err
}

// soundOptions are a collection's, without a collation that can't be had any more: by its
// own bytes the collection can be read.
func (tx *Tx) soundOptions(op Op) bsonval.Doc {
	v := op.After.Get("collation")
	if v.Type() != bsonval.Object {
		return op.After
	}
	_, err := collation.Parse(v.Doc())
	if err == nil {
		return op.After
	}
	tx.leftOut(op.Coll, op.NS, "the collation", err)
	return without(op.After, "collation")
}

func without(d bsonval.Doc, field string) bsonval.Doc {
	var b bsonval.Builder
	for name, v := range d.All() {
		if name != field {
			b.Set(name, v)
		}
	}
	return b.Doc()
}
