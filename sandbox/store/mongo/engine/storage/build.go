package storage

import (
	"sync/atomic"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// Build is an index in the making, beside those who write: it is made over a snapshot,
// and a Tx brings it up to what was changed meanwhile when it takes it in.
type Build struct {
	store *Store
	bytes int64 // of the store when it began
	base  *Collection
	ix    *Index
}

// BeginBuild begins an index on a collection as it is in the state.
func (s *Store) BeginBuild(state *State, ns NS, def *index.Def) *Build {
	return &Build{store: s, bytes: state.Bytes, base: state.Collection(ns), ix: &Index{Def: def, uses: new(atomic.Int64)}}
}

// Run reads the documents. It takes long, and tells of its progress through op, which
// may interrupt it. A violated unique index is an error.
func (b *Build) Run(op *opctx.Op) error {
	op.Begin("Index Build: scanning collection", int64(b.base.Count()))
	defer op.Begin("", 0)
	cur := b.base.records.Cursor()
	for ok := cur.First(); ok; ok = cur.Next() {
		if err := op.Check(); err != nil {
			return err
		}
		if err := b.add(cur.Key(), cur.Value()); err != nil {
			return err
		}
		if err := b.store.room(b.bytes, b.ix.Bytes); err != nil {
			return err
		}
		op.Step()
	}
	return nil
}

func (b *Build) add(record int64, doc bsonval.Doc) error {
	if err := b.ix.Def.Bucket(doc); err != nil {
		return err
	}
	return b.ix.add(b.base.NS, record, doc)
}

func (ix *Index) add(ns NS, record int64, doc bsonval.Doc) error {
	keys, err := ix.Def.For(doc)
	if err != nil {
		return err
	}
	if err := ix.checkUnique(ns, record, keys.Keys, doc); err != nil {
		return err
	}
	ix.replace(nil, keys, record)
	return nil
}

// TakeIndex adds a finished Build to its collection. What fails leaves nothing behind.
func (tx *Tx) TakeIndex(op *opctx.Op, b *Build) error {
	ns := b.base.NS
	c := tx.own(ns)
	if c == nil || c.ID != b.base.ID {
		return mongoerr.New(mongoerr.IndexBuildAborted, "Index build failed: collection %s was dropped or replaced", ns)
	}
	if err := b.catchUp(op, c); err != nil {
		return err
	}
	return tx.addIndex(c, b.ix)
}

// catchUp brings the index from the snapshot to c. The old keys go first: a unique one
// may have gone from one document to another.
func (b *Build) catchUp(op *opctx.Op, c *Collection) error {
	type change struct {
		record int64
		doc    bsonval.Doc
	}
	var added []change
	was, is := b.base.records.Cursor(), c.records.Cursor()
	okWas, okIs := was.First(), is.First()
	for okWas || okIs {
		if err := op.Check(); err != nil {
			return err
		}
		switch {
		case !okWas || okIs && is.Key() < was.Key():
			added = append(added, change{is.Key(), is.Value()})
			okIs = is.Next()
			continue
		case !okIs || was.Key() < is.Key():
			b.remove(was.Key(), was.Value())
			okWas = was.Next()
			continue
		case &was.Value()[0] != &is.Value()[0]:
			b.remove(was.Key(), was.Value())
			added = append(added, change{is.Key(), is.Value()})
		}
		okWas, okIs = was.Next(), is.Next()
	}
	for _, a := range added {
		if err := b.add(a.record, a.doc); err != nil {
			return err
		}
	}
	return nil
}

func (b *Build) remove(record int64, doc bsonval.Doc) {
	if keys, err := b.ix.Def.For(doc); err == nil {
		b.ix.replace(keys.Keys, index.Keys{}, record)
	}
}

// CreateIndex builds an index over all documents. A violated unique index, or a
// document that can't be indexed, leaves nothing behind. op may interrupt it.
func (tx *Tx) CreateIndex(op *opctx.Op, ns NS, def *index.Def) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	ix := &Index{Def: def, uses: new(atomic.Int64)}
	cur := c.records.Cursor()
	for ok := cur.First(); ok; ok = cur.Next() {
		if op != nil { // not what is read again from the journal
			if err := op.Check(); err != nil {
				return err
			}
			if err := def.Bucket(cur.Value()); err != nil {
				return err
			}
		}
		if err := ix.add(ns, cur.Key(), cur.Value()); err != nil {
			return err
		}
		if err := tx.store.room(tx.cur.Bytes, ix.Bytes); err != nil {
			return err
		}
	}
	return tx.addIndex(c, ix)
}

func (tx *Tx) addIndex(c *Collection, ix *Index) error {
	if err := tx.store.room(tx.cur.Bytes, ix.Bytes); err != nil {
		return err
	}
	c.Indexes = append(c.Indexes, ix)
	tx.cur.Bytes += ix.Bytes
	op := Op{Kind: CreateIndex, NS: c.NS, UUID: c.UUID, Coll: c.ID, After: ix.Def.Spec}
	if c.Count() > 0 {
		op.Record = 1
	}
	tx.ops = append(tx.ops, op)
	return nil
}
