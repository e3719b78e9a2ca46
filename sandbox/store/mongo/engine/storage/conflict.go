package storage

import (
	"context"
	"sync"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// claims are the records that open transactions have changed: the first one to change
// a record holds it until it ends, as in the server.
type claims struct {
	mu   sync.Mutex
	held map[claim]*Tx
	ids  map[string]*Tx // the keys of _ids that they inserted, by collection
}

type claim struct {
	coll   uint64
	record int64
}

func (c *claims) release(tx *Tx) {
	if tx.writer {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, t := range c.held {
		if t == tx {
			delete(c.held, k)
		}
	}
	for k, t := range c.ids {
		if t == tx {
			delete(c.ids, k)
		}
	}
}

func conflict() error {
	return mongoerr.New(mongoerr.WriteConflict, "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.")
}

// Claim takes a record for a transaction of many commands before it changes it. It
// fails with WriteConflict when another one has it, or when it was changed since the
// transaction began.
func (tx *Tx) Claim(ns NS, record int64) error {
	if tx.writer {
		return nil
	}
	c := tx.cur.Collection(ns)
	if c == nil {
		return missing(ns)
	}
	cl := &tx.store.claims
	cl.mu.Lock()
	defer cl.mu.Unlock()
	k := claim{c.ID, record}
	if holder := cl.held[k]; holder != nil && holder != tx {
		return conflict()
	}
	if !tx.unchanged(tx.store.State(), c.ID, ns, record) {
		return conflict()
	}
	if cl.held == nil {
		cl.held = map[claim]*Tx{}
	}
	cl.held[k] = tx
	return nil
}

// ClaimInsert takes an _id for a transaction of many commands that inserts it. It fails
// with WriteConflict when another one inserts it too, or when a document with it came
// in since the transaction began, which it can't see.
func (tx *Tx) ClaimInsert(ns NS, doc bsonval.Doc) error {
	if tx.writer {
		return nil
	}
	if !tx.store.claims.insert(tx, string(bsonval.AppendKey([]byte(ns.key()+"\x00"), doc.Get("_id"), nil))) {
		return conflict()
	}
	is := tx.store.State().Collection(ns)
	if is == nil {
		return nil
	}
	record, there := is.ByID(doc.Get("_id"))
	if !there {
		return nil
	}
	if was := tx.base.Collection(ns); was != nil {
		if _, ok := was.Get(record); ok {
			return nil // seen: it is a duplicate, or the transaction has deleted it
		}
	}
	return conflict()
}

// insert notes the key for tx and tells whether no other transaction has it.
func (c *claims) insert(tx *Tx, key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if holder := c.ids[key]; holder != nil && holder != tx {
		return false
	}
	if c.ids == nil {
		c.ids = map[string]*Tx{}
	}
	c.ids[key] = tx
	return true
}

// Claimed tells whether an open transaction of many commands holds the record: a
// single command that wants to change it waits for that.
func (s *Store) Claimed(c *Collection, record int64) bool {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s.claims.held[claim{c.ID, record}] != nil
}

// unchanged tells whether the record is in latest what it was in the Tx's base.
func (tx *Tx) unchanged(latest *State, id uint64, ns NS, record int64) bool {
	was, is := tx.base.Collection(ns), latest.Collection(ns)
	if was == nil {
		return true // made by the transaction itself
	}
	if is == nil || is.ID != was.ID || was.ID != id {
		return false
	}
	a, okA := was.records.Get(record)
	b, okB := is.records.Get(record)
	if !okA { // the transaction's own insert
		return true
	}
	return okB && &a[0] == &b[0]
}

// rebase commits a Tx that was made over a snapshot: its changes are done again on
// the newest state, after it is sure that nobody else changed the same records.
func (tx *Tx) rebase() error {
	defer tx.Rollback()
	w, err := tx.store.Begin(context.Background())
	if err != nil {
		return err
	}
	defer w.Rollback()
	w.session, w.number = tx.session, tx.number
	moved := map[claim]int64{} // record ids that the inserts get
	for _, op := range tx.ops {
		if err := tx.redo(w, op, moved); err != nil {
			if mongoerr.Is(err, mongoerr.DuplicateKey) || mongoerr.Is(err, mongoerr.NamespaceExists) || mongoerr.Is(err, mongoerr.NamespaceNotFound) {
				return conflict()
			}
			return err
		}
	}
	return w.Commit()
}

func (tx *Tx) redo(w *Tx, op Op, moved map[claim]int64) error {
	record := op.Record
	if to, ok := moved[claim{op.Coll, record}]; ok {
		record = to
	} else if op.Kind == Update || op.Kind == Replace || op.Kind == Delete {
		if !tx.unchanged(w.base, op.Coll, op.NS, record) {
			return conflict()
		}
	}
	switch op.Kind {
	case Insert:
		to, err := w.Insert(op.NS, op.After)
		moved[claim{op.Coll, record}] = to
		return err
	case Update, Replace:
		return w.Update(op.NS, record, op.After, op.Kind, op.Edits...)
	case Delete:
		return w.Delete(op.NS, record)
	}
	return w.apply(op)
}
