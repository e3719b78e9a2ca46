// Package storage keeps collections and their indexes in memory as persistent trees,
// and what was acknowledged in an append-only log.
//
// A State is the whole database at one moment. It never changes: readers take the
// newest one and are done with locking, snapshots are free. Writers work on a Tx,
// which becomes the next State when it commits. Packages crud and command write,
// package plan reads; nothing here knows of queries.
package storage

import (
	"strings"
	"sync/atomic"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage/ptree"
)

// NS names a collection.
type NS struct{ DB, Coll string }

// String is the dotted name.
func (n NS) String() string { return n.DB + "." + n.Coll }

// key orders by database, then collection.
func (n NS) key() string { return n.DB + "\x00" + n.Coll }

// ParseNS cuts a dotted name at its first dot.
func ParseNS(s string) (NS, bool) {
	db, coll, ok := strings.Cut(s, ".")
	return NS{db, coll}, ok && db != "" && coll != ""
}

// State is the database at one moment. It is immutable.
type State struct {
	TS     uint64 // cluster time of its last commit: seconds<<32 | increment
	Seq    uint64 // commits so far
	Bytes  int64  // of documents, index keys and what is remembered of retryable writes
	colls  ptree.Tree[string, *Collection]
	nextID uint64 // of the next collection

	Garbage int64 // bytes overwritten so far, about: see Pin

	retries retries
	store   *Store // that it is a state of
}

// Collection is a collection, or a view, at one moment. It is immutable outside the
// transaction that made it.
type Collection struct {
	NS      NS
	ID      uint64 // within the log; UUID is what clients see
	UUID    [16]byte
	Options bsonval.Doc // as create took them, without the name
	Indexes []*Index    // the one on _id first
	Bytes   int64       // of documents
	records ptree.Tree[int64, bsonval.Doc]
	next    int64 // the next record id
}

// Index is an index's keys at one moment.
type Index struct {
	Def      *index.Def
	Multikey uint64          // bit i: field i has been an array in some document
	Arrays   map[string]bool // the paths that were, in wildcard indexes
	Bytes    int64
	keys     ptree.Tree[string, struct{}]
	uses     *atomic.Int64 // shared by all its states
}

// Collection answers the collection, nil where there is none.
func (s *State) Collection(ns NS) *Collection {
	c, _ := s.colls.Get(ns.key())
	return c
}

// ByUUID answers the collection with that UUID, nil where there is none.
func (s *State) ByUUID(id [16]byte) *Collection {
	c := s.colls.Cursor()
	for ok := c.First(); ok; ok = c.Next() {
		if c.Value().UUID == id {
			return c.Value()
		}
	}
	return nil
}

// Collections answers the collections of a database by name; all of them for "".
func (s *State) Collections(db string) []*Collection {
	var out []*Collection
	c := s.colls.Cursor()
	start := db
	if db != "" {
		start += "\x00"
	}
	for ok := c.Seek(start); ok && strings.HasPrefix(c.Key(), start); ok = c.Next() {
		out = append(out, c.Value())
	}
	return out
}

// Databases answers the names of the databases that hold a collection, in order.
func (s *State) Databases() []string {
	var out []string
	c := s.colls.Cursor()
	for ok := c.First(); ok; {
		db := c.Value().NS.DB
		out = append(out, db)
		ok = c.Seek(db + "\x01")
	}
	return out
}

// IsView tells a view, whose Options hold viewOn and pipeline.
func (c *Collection) IsView() bool { return !c.Options.Get("viewOn").IsMissing() }

// Count is the number of documents.
func (c *Collection) Count() int { return c.records.Len() }

// Get answers the document of a record id.
func (c *Collection) Get(record int64) (bsonval.Doc, bool) { return c.records.Get(record) }

// Records is a cursor over the documents by record id: in the order of insertion.
func (c *Collection) Records() ptree.Cursor[int64, bsonval.Doc] { return c.records.Cursor() }

// Index answers the index with that name, nil where there is none.
func (c *Collection) Index(name string) *Index {
	for _, ix := range c.Indexes {
		if ix.Def.Name == name {
			return ix
		}
	}
	return nil
}

// ByID answers the record of the document with that _id.
func (c *Collection) ByID(id bsonval.Value) (record int64, ok bool) {
	if len(c.Indexes) == 0 {
		return 0, false
	}
	var buf [64]byte
	return c.Indexes[0].find(string(c.Indexes[0].Def.AppendField(buf[:0], 0, id)))
}

// Keys is a cursor over the index's entries in order; index.SplitEntry reads them.
func (ix *Index) Keys() ptree.Cursor[string, struct{}] { return ix.keys.Cursor() }

// Used notes that a query read the index; Uses tells how many have.
func (ix *Index) Used()       { ix.uses.Add(1) }
func (ix *Index) Uses() int64 { return ix.uses.Load() }

// Len is the number of entries.
func (ix *Index) Len() int { return ix.keys.Len() }

// find answers the first record with exactly that key.
func (ix *Index) find(key string) (int64, bool) {
	c := ix.keys.Cursor()
	if !c.Seek(key) {
		return 0, false
	}
	k, record := index.SplitEntry(c.Key())
	return record, k == key
}

// What a document and a key cost besides their bytes, for the accounting.
const (
	recordOverhead = 48
	keyOverhead    = 32
)
