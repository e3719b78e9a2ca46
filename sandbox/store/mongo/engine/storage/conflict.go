package storage

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// claims are the records that open transactions have changed, and the keys that they
// have put into unique indexes: the first one holds them until it ends, as in the
// server.
type claims struct {
	mu   sync.Mutex
	held map[claim]*Tx
	keys map[string]*Tx      // by collection and index
	used map[NS]map[*Tx]bool // the collections that they read or write
	open atomic.Int64        // how many keys are held
}

type claim struct {
	ns     NS // two transactions may make collections that get one id
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
	for k, t := range c.keys {
		if t == tx {
			delete(c.keys, k)
			c.open.Add(-1)
		}
	}
	for ns, by := range c.used {
		if delete(by, tx); len(by) == 0 {
			delete(c.used, ns)
		}
	}
}

// Uses notes that a transaction of many commands reads or writes a collection.
func (tx *Tx) Uses(ns NS) {
	c := &tx.store.claims
	c.mu.Lock()
	defer c.mu.Unlock()
	if tx.done || tx.writer || c.used[ns][tx] {
		return
	}
	if c.used == nil {
		c.used = map[NS]map[*Tx]bool{}
	}
	if c.used[ns] == nil {
		c.used[ns] = map[*Tx]bool{}
	}
	c.used[ns][tx] = true
}

// Busy tells whether an open transaction uses a collection, with an empty name any of
// the database.
func (s *Store) Busy(ns NS) bool {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	if ns.Coll != "" {
		return len(s.claims.used[ns]) > 0
	}
	for used := range s.claims.used {
		if used.DB == ns.DB {
			return true
		}
	}
	return false
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
	k := claim{c.NS, c.ID, record}
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

// claimKeys takes the keys that a change puts into a unique index. It fails with
// WriteConflict when an open transaction has put one of them there, or when somebody
// did since this one began, which it can't see. What is read from the log is
// sure.
func (tx *Tx) claimKeys(c *Collection, ix *Index, old, keys []string) error {
	if !ix.Def.Unique || tx.store.State() == nil || tx.writer && tx.store.claims.open.Load() == 0 {
		return nil
	}
	for _, k := range keys {
		if slices.Contains(old, k) {
			continue
		}
		if !tx.store.claims.key(tx, c.NS.key()+"\x00"+ix.Def.Name+"\x00"+k) || !tx.writer && tx.taken(c.NS, ix.Def.Name, k) {
			return conflict()
		}
	}
	return nil
}

// taken tells whether the newest state has the key by a document that the transaction
// doesn't see.
func (tx *Tx) taken(ns NS, name, key string) bool {
	is := tx.store.State().Collection(ns)
	if is == nil {
		return false
	}
	ix := is.Index(name)
	if ix == nil {
		return false
	}
	record, there := ix.find(key)
	if !there {
		return false
	}
	was := tx.base.Collection(ns)
	if was == nil {
		return true
	}
	a, seen := was.records.Get(record) // seen: the transaction itself has taken it away
	b, _ := is.records.Get(record)
	return !seen || &a[0] != &b[0]
}

// key notes the key for tx and tells whether no other transaction has it. A command of
// its own only asks.
func (c *claims) key(tx *Tx, key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if holder := c.keys[key]; holder != nil {
		return holder == tx || holder == tx.redoes
	}
	if tx.writer {
		return true
	}
	if c.keys == nil {
		c.keys = map[string]*Tx{}
	}
	c.keys[key] = tx
	c.open.Add(1)
	return true
}

// Claimed tells whether an open transaction of many commands holds the record: a
// single command that wants to change it waits for that.
func (s *Store) Claimed(c *Collection, record int64) bool {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s.claims.held[claim{c.NS, c.ID, record}] != nil
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
	w.session, w.number, w.redoes = tx.session, tx.number, tx
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
	if to, ok := moved[claim{op.NS, op.Coll, record}]; ok {
		record = to
	} else if op.Kind == Update || op.Kind == Replace || op.Kind == Delete {
		if !tx.unchanged(w.base, op.Coll, op.NS, record) {
			return conflict()
		}
	}
	switch op.Kind {
	case Insert:
		to, err := w.Insert(op.NS, op.After)
		moved[claim{op.NS, op.Coll, record}] = to
		return err
	case Update, Replace:
		return w.Update(op.NS, record, op.After, op.Kind, op.Edits...)
	case Delete:
		return w.Delete(op.NS, record)
	}
	return w.apply(op)
}
