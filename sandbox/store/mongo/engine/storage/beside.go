package storage

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// History answers the commits that are still known, oldest first.
func (s *Store) History() []Commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history.commits)
}

// HistoryLimit is how many bytes of commits are kept.
func (s *Store) HistoryLimit() int64 { return s.opts.History }

// Made is a collection without indexes that no store holds, for what the server itself
// has to tell as documents.
func Made(ns NS, uuid [16]byte, options bsonval.Doc, docs []bsonval.Doc) *Collection {
	c := &Collection{NS: ns, UUID: uuid, Options: options, next: 1}
	for _, doc := range docs {
		c.records.Set(c.next, doc)
		c.next++
		c.Bytes += int64(len(doc))
	}
	return c
}

// With is a state that has such a collection too. It is for reading alone.
func (s *State) With(c *Collection) *State {
	next := s.copy()
	next.colls.Set(c.NS.key(), c)
	return next
}
