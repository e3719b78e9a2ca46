// Package index is what an index is and which keys a document has in it. The keys'
// trees are kept by package storage, bounds over them are made by package plan.
//
// Each kind of index is one file with one function that answers a document's keys.
package index

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
)

// Kind is how a field of an index makes keys.
type Kind string

// A field's kind is the string in the key pattern; ascending and descending ones are
// Ordered.
const (
	Ordered  Kind = ""
	Text     Kind = "text"
	Sphere   Kind = "2dsphere"
	Flat     Kind = "2d"
	Hashed   Kind = "hashed"
	Wildcard Kind = "wildcard"
)

// Field is one field of an index's key pattern.
type Field struct {
	Path string
	Desc bool
	Kind Kind
}

// Def is an index as it was asked for. It is immutable.
type Def struct {
	Name    string
	Pattern bsonval.Doc // the key pattern as given: { a: 1, b: -1 }
	Spec    bsonval.Doc // what listIndexes answers: v, key, name and the options
	Fields  []Field
	Kind    Kind // the special kind of the fields, Ordered if none has one
	Unique  bool
	// PrepareUnique refuses new duplicates and leaves those that are there.
	PrepareUnique bool
	Sparse        bool
	Hidden        bool
	Clustered     bool             // the documents themselves are in its order
	Expire        int64            // expireAfterSeconds; -1: none
	Filter        *match.Matcher   // partialFilterExpression; nil: every document
	Collator      bsonval.Collator // nil: binary
	Binary        bool             // the specification says so, whatever the collection's collation is
	Extra         any              // what the kind's own file keeps: weights, projections, bits
	Buckets       bool             // a 2dsphere index on the measurements within time series buckets
	ofSeries      bool             // the specification names the one it was made from, on a time series
}

// Keys are a document's keys in one index.
type Keys struct {
	Keys     []string // encoded, without the record id, sorted, each once
	Multikey uint64   // bit i: field i's path crossed an array
	Arrays   []string // the paths that did, for wildcard indexes
}

// For answers the keys that doc has in the index, by the kind's own rules; none when
// a partial or sparse index leaves the document out.
func (d *Def) For(doc bsonval.Doc) (Keys, error) {
	if d.Filter != nil {
		if ok, err := d.Filter.MatchPartial(doc, d.Collator); err != nil || !ok {
			return Keys{}, err
		}
	}
	if keys := d.special(); keys != nil {
		return keys(d, doc)
	}
	return d.ordered(doc)
}

// special is the key function of the index's kind; nil for ordered ones.
func (d *Def) special() func(*Def, bsonval.Doc) (Keys, error) {
	switch d.Kind {
	case Wildcard:
		return (*Def).wildcard
	case Text:
		return (*Def).words
	case Sphere, Flat:
		return (*Def).cells
	case Hashed:
		return (*Def).hashed
		// each kind's file adds its line here
	}
	return nil
}
