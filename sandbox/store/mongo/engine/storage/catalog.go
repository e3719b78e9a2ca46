package storage

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Create makes a collection or a view. uuid nil means a new one. Indexes are not made,
// not even the one on _id.
func (tx *Tx) Create(ns NS, options bsonval.Doc, uuid *[16]byte) (*Collection, error) {
	if tx.cur.Collection(ns) != nil {
		return nil, mongoerr.New(mongoerr.NamespaceExists, "Collection %s already exists.", ns)
	}
	if err := tx.store.mayCreate(tx.cur); err != nil {
		return nil, err
	}
	c := &Collection{NS: ns, ID: tx.cur.nextID, Options: options, next: 1}
	if uuid != nil {
		c.UUID = *uuid
	} else {
		c.UUID = newUUID()
	}
	tx.cur.nextID++
	tx.put(c)
	tx.ops = append(tx.ops, Op{Kind: Create, NS: ns, UUID: c.UUID, Coll: c.ID, After: options})
	return c, nil
}

// Drop removes a collection with its indexes.
func (tx *Tx) Drop(ns NS) error {
	c := tx.cur.Collection(ns)
	if c == nil {
		return missing(ns)
	}
	tx.remove(c)
	tx.ops = append(tx.ops, Op{Kind: Drop, NS: ns, UUID: c.UUID, Coll: c.ID, Before: c.Options})
	return nil
}

func (tx *Tx) remove(c *Collection) {
	tx.cur.colls.Delete(c.NS.key())
	delete(tx.owned, c.NS.key())
	tx.cur.Bytes -= c.total()
}

// total is what the collection counts for in State.Bytes.
func (c *Collection) total() int64 {
	n := c.Bytes + int64(c.records.Len())*recordOverhead
	for _, ix := range c.Indexes {
		n += ix.Bytes
	}
	return n
}

// MarkDropped notes for change streams that a whole database was dropped.
func (tx *Tx) MarkDropped(db string) {
	tx.ops = append(tx.ops, Op{Kind: DropDatabase, NS: NS{DB: db}})
}

// MarkNote puts a message into the log.
func (tx *Tx) MarkNote(message bsonval.Doc) {
	tx.ops = append(tx.ops, Op{Kind: Note, After: message})
}

// MarkModified notes for change streams what collMod was asked for, and what was there
// before. Its changes have been made before.
func (tx *Tx) MarkModified(c *Collection, before, request bsonval.Doc) {
	tx.ops = append(tx.ops, Op{Kind: Modify, NS: c.NS, UUID: c.UUID, Coll: c.ID, Before: before, After: request})
}

// ForTransaction notes the session and the number of the transaction that the changes
// are of, for change streams.
func (tx *Tx) ForTransaction(lsid bsonval.Doc, number int64) { tx.session, tx.number = lsid, number }

// Rename gives a collection another name; the new one must be free.
func (tx *Tx) Rename(from, to NS) error {
	c := tx.own(from)
	if c == nil {
		return missing(from)
	}
	if tx.cur.Collection(to) != nil {
		return mongoerr.New(mongoerr.NamespaceExists, "target namespace exists")
	}
	tx.cur.colls.Delete(from.key())
	delete(tx.owned, from.key())
	c.NS = to
	tx.put(c)
	tx.ops = append(tx.ops, Op{Kind: Rename, NS: from, UUID: c.UUID, Coll: c.ID, To: to})
	return nil
}

// SetOptions replaces a collection's options.
func (tx *Tx) SetOptions(ns NS, options bsonval.Doc) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	before := c.Options
	c.Options = options
	tx.ops = append(tx.ops, Op{Kind: SetOptions, NS: ns, UUID: c.UUID, Coll: c.ID, Before: before, After: options})
	return nil
}

// ReplaceIndexDef changes an index's definition where its keys stay the same: hidden,
// expireAfterSeconds.
func (tx *Tx) ReplaceIndexDef(ns NS, def *index.Def) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	ix := c.Index(def.Name)
	if ix == nil {
		return mongoerr.New(mongoerr.IndexNotFound, "index not found with name [%s]", def.Name)
	}
	ix.Def = def
	tx.ops = append(tx.ops, Op{Kind: CreateIndex, NS: ns, UUID: c.UUID, Coll: c.ID, After: def.Spec, Name: def.Name})
	return nil
}

// DropIndex removes an index.
func (tx *Tx) DropIndex(ns NS, name string) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	for i, ix := range c.Indexes {
		if ix.Def.Name == name {
			c.Indexes = append(c.Indexes[:i:i], c.Indexes[i+1:]...)
			tx.cur.Bytes -= ix.Bytes
			tx.ops = append(tx.ops, Op{Kind: DropIndex, NS: ns, UUID: c.UUID, Coll: c.ID, Name: name, Before: ix.Def.Spec})
			return nil
		}
	}
	return mongoerr.New(mongoerr.IndexNotFound, "index not found with name [%s]", name)
}
