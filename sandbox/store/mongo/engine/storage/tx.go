package storage

import (
	"crypto/rand"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Tx is a State in the making. One goroutine uses it, and ends it with Commit or
// Rollback.
type Tx struct {
	store  *Store
	base   *State
	cur    *State
	owned  map[string]*Collection // those of cur that are this Tx's own to change
	ops    []Op
	bytes  int64 // written so far
	writer bool  // holds the store's writer lock
	redoes *Tx   // whose changes this one makes on the newest state; nil: its own
	done   bool

	session bsonval.Doc // the lsid of a transaction's session; nil: none
	number  int64       // the transaction's
}

// Kind is what an Op did.
type Kind byte

const (
	Insert Kind = iota + 1
	Update
	Replace
	Delete
	Create
	Drop
	Rename
	SetOptions
	CreateIndex
	DropIndex
	DropDatabase // a mark for change streams; the drops of its collections come before
	Modify       // a mark for change streams; what collMod did comes before

	// Those below are the log's own.
	remember    // a Retry
	forget      // a Retry, by its session in Name
	stamp       // the commit's wall clock
	horizon     // the cluster time up to which the history is not known
	past        // a commit of the history
	undo        // the state of number Record is there again, or its database Name
	edits       // of the update before it
	transaction // the commit is a transaction's: its session in After, its number in Record

	// Note is a message in After for who reads the log; it changes nothing.
	Note
)

// Op is one change that a commit made.
type Op struct {
	Kind          Kind
	NS            NS
	UUID          [16]byte
	Coll          uint64      // Collection.ID
	Record        int64       // CreateIndex: 1 where documents were there already, else 0
	Before, After bsonval.Doc // documents; for Create and SetOptions the options; for indexes the spec
	To            NS          // Rename
	Name          string      // DropIndex
	Edits         []diff.Edit // Update by operators: what they touch; nil: by a pipeline
	Retry         *Retry      // remember
}

// Delta is what an Update changed in its document.
func (op *Op) Delta() *diff.Delta {
	if op.Edits == nil {
		return diff.Between(op.Before, op.After)
	}
	return diff.Edited(op.Before, op.After, op.Edits)
}

// View freezes what the Tx has done so far and answers it. It may be read while the
// Tx goes on.
func (tx *Tx) View() *State {
	v := tx.cur
	tx.cur = v.copy()
	tx.owned = nil
	return v
}

// Base is the state that the Tx began with.
func (tx *Tx) Base() *State { return tx.base }

// Bytes is about how much the Tx has written, which it holds until it ends.
func (tx *Tx) Bytes() int64 { return tx.bytes }

// Ops are the changes so far.
func (tx *Tx) Ops() []Op { return tx.ops }

func (s *State) copy() *State {
	c := *s
	c.colls, c.retries = s.colls.Snapshot(), s.retries.snapshot()
	return &c
}

// Collection answers the collection as the Tx sees it now. It changes with the Tx.
func (tx *Tx) Collection(ns NS) *Collection { return tx.cur.Collection(ns) }

// own answers a collection that the Tx may change, nil where there is none.
func (tx *Tx) own(ns NS) *Collection {
	key := ns.key()
	if c, ok := tx.owned[key]; ok {
		return c
	}
	old, ok := tx.cur.colls.Get(key)
	if !ok {
		return nil
	}
	c := *old
	c.records = old.records.Snapshot()
	c.Indexes = make([]*Index, len(old.Indexes))
	for i, ix := range old.Indexes {
		c.Indexes[i] = ix.copy()
	}
	tx.put(&c)
	return &c
}

func (ix *Index) copy() *Index {
	c := *ix
	c.keys = ix.keys.Snapshot()
	return &c
}

func (tx *Tx) put(c *Collection) {
	if tx.owned == nil {
		tx.owned = map[string]*Collection{}
	}
	tx.owned[c.NS.key()] = c
	tx.cur.colls.Set(c.NS.key(), c)
}

func missing(ns NS) error {
	return mongoerr.New(mongoerr.NamespaceNotFound, "ns not found: %s", ns)
}

// Insert adds a document, which must have its _id first, and answers its record id.
// DuplicateKey and the quota's error leave nothing behind.
func (tx *Tx) Insert(ns NS, doc bsonval.Doc) (int64, error) {
	c := tx.own(ns)
	if c == nil {
		return 0, missing(ns)
	}
	record := c.next
	if err := prepared(c, record, nil, doc); err != nil {
		return 0, err
	}
	if err := tx.change(c, record, nil, doc); err != nil {
		return 0, err
	}
	c.next++
	tx.ops = append(tx.ops, Op{Kind: Insert, NS: ns, UUID: c.UUID, Coll: c.ID, Record: record, After: doc})
	return record, nil
}

// Update puts doc in the place of the record's document. kind is Update or Replace,
// which change streams tell apart. edits are what update operators touched.
func (tx *Tx) Update(ns NS, record int64, doc bsonval.Doc, kind Kind, edits ...diff.Edit) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	before, ok := c.records.Get(record)
	if !ok {
		return mongoerr.New(mongoerr.WriteConflict, "record is gone")
	}
	if err := prepared(c, record, before, doc); err != nil {
		return err
	}
	if err := tx.change(c, record, before, doc); err != nil {
		return err
	}
	tx.ops = append(tx.ops, Op{Kind: kind, NS: ns, UUID: c.UUID, Coll: c.ID, Record: record, Before: before, After: doc, Edits: edits})
	return nil
}

// Delete removes a record; one that isn't there is no error.
func (tx *Tx) Delete(ns NS, record int64) error {
	c := tx.own(ns)
	if c == nil {
		return missing(ns)
	}
	before, ok := c.records.Get(record)
	if !ok {
		return nil
	}
	if err := tx.change(c, record, before, nil); err != nil {
		return err
	}
	tx.ops = append(tx.ops, Op{Kind: Delete, NS: ns, UUID: c.UUID, Coll: c.ID, Record: record, Before: before})
	return nil
}

// change takes a record from one document to another, nil for none, in all indexes.
// Everything that can fail is asked first.
func (tx *Tx) change(c *Collection, record int64, before, after bsonval.Doc) error {
	type edit struct{ old, new index.Keys }
	var few [4]edit
	edits := few[:0]
	grow := int64(0)
	for _, ix := range c.Indexes {
		var e edit
		var err error
		if before != nil {
			if e.old, err = ix.Def.For(before); err != nil {
				e.old = index.Keys{} // it had none then
			}
		}
		if after != nil {
			e.new, err = ix.Def.For(after)
			if err == nil {
				err = ix.checkUnique(c.NS, record, e.new.Keys, after)
			}
			if err != nil && tx.replaying() && ix.Def.Name != "_id_" {
				tx.setAside(c, ix.Def.Name, err)
				return tx.change(c, record, before, after)
			}
			if err != nil {
				return err
			}
			if err := tx.claimKeys(c, ix, e.old.Keys, e.new.Keys); err != nil {
				return err
			}
		}
		grow += keyBytes(e.new.Keys) - keyBytes(e.old.Keys)
		edits = append(edits, e)
	}
	tx.bytes += docBytes(after) + recordOverhead
	size := docBytes(after) - docBytes(before)
	if err := tx.store.room(tx.cur.Bytes, grow+size); err != nil {
		return err
	}
	for i, ix := range c.Indexes {
		ix.replace(edits[i].old.Keys, edits[i].new, record)
	}
	if after == nil {
		c.records.Delete(record)
	} else {
		c.records.Set(record, after)
	}
	c.Bytes += int64(len(after) - len(before))
	tx.cur.Bytes += grow + size
	return nil
}

func keyBytes(keys []string) int64 {
	n := int64(len(keys)) * keyOverhead
	for _, k := range keys {
		n += int64(len(k))
	}
	return n
}

func docBytes(d bsonval.Doc) int64 {
	if d == nil {
		return 0
	}
	return int64(len(d)) + recordOverhead
}

func (ix *Index) checkUnique(ns NS, record int64, keys []string, doc bsonval.Doc) error {
	if !ix.Def.Unique {
		return nil
	}
	for _, k := range keys {
		if other, ok := ix.find(k); ok && other != record {
			return DuplicateKey(ns, ix.Def, doc, k)
		}
	}
	return nil
}

// prepared refuses a new duplicate in the indexes that are to become unique. What the
// log has been told is done again without: the duplicates may be older.
func prepared(c *Collection, record int64, before, after bsonval.Doc) error {
	for _, ix := range c.Indexes {
		if !ix.Def.PrepareUnique {
			continue
		}
		var was index.Keys
		if before != nil {
			was, _ = ix.Def.For(before)
		}
		keys, _ := ix.Def.For(after) // what is wrong with it, change tells
		for _, k := range keys.Keys {
			if other, ok := ix.find(k); ok && other != record && !slices.Contains(was.Keys, k) {
				return DuplicateKey(c.NS, ix.Def, after, k)
			}
		}
	}
	return nil
}

// DuplicateKey is the server's error for a key that a unique index has already.
func DuplicateKey(ns NS, d *index.Def, doc bsonval.Doc, key string) error {
	values := d.Values(doc, key)
	var b bsonval.Builder
	b.SetDoc("keyPattern", d.Pattern).SetDoc("keyValue", values)
	return mongoerr.New(mongoerr.DuplicateKey, "E11000 duplicate key error collection: %s index: %s dup key: %s",
		ns, d.Name, values).With(b.Doc())
}

func (ix *Index) replace(old []string, keys index.Keys, record int64) {
	ix.Multikey |= keys.Multikey // also when the keys stay: 5 and [5] have the same
	for _, a := range keys.Arrays {
		if !ix.Arrays[a] {
			ix.Arrays = withPath(ix.Arrays, a)
		}
	}
	if sameKeys(old, keys.Keys) {
		return
	}
	for _, k := range old {
		ix.keys.Delete(index.Entry(k, record))
	}
	for _, k := range keys.Keys {
		ix.keys.Set(index.Entry(k, record), struct{}{})
	}
	ix.Bytes += keyBytes(keys.Keys) - keyBytes(old)
}

func withPath(m map[string]bool, path string) map[string]bool {
	c := map[string]bool{path: true}
	for k := range m {
		c[k] = true
	}
	return c
}

func sameKeys(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func newUUID() (id [16]byte) {
	rand.Read(id[:]) //nolint:errcheck // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}
