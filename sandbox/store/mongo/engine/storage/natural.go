package storage

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage/ptree"
)

// Clustered answers the index that a clustered collection is ordered by, nil for any
// other collection. Its keys lead to record ids as those of other indexes do; only
// what clients see is different.
func (c *Collection) Clustered() *Index {
	if len(c.Indexes) > 0 && c.Indexes[0].Def.Clustered {
		return c.Indexes[0]
	}
	return nil
}

// Natural walks over a collection's documents in its natural order: that of insertion,
// or of _id in a clustered collection.
type Natural struct {
	coll    *Collection
	by      *Index // nil: records
	records ptree.Cursor[int64, bsonval.Doc]
	keys    ptree.Cursor[string, struct{}]
}

// Natural answers a walk that stands nowhere yet.
func (c *Collection) Natural() Natural {
	if by := c.Clustered(); by != nil {
		return Natural{coll: c, by: by, keys: by.Keys()}
	}
	return Natural{coll: c, records: c.Records()}
}

// First, Last, Next and Prev go to a document and tell whether there is one.
func (n *Natural) First() bool {
	if n.by != nil {
		return n.keys.First()
	}
	return n.records.First()
}

func (n *Natural) Last() bool {
	if n.by != nil {
		return n.keys.Last()
	}
	return n.records.Last()
}

func (n *Natural) Next() bool {
	if n.by != nil {
		return n.keys.Next()
	}
	return n.records.Next()
}

func (n *Natural) Prev() bool {
	if n.by != nil {
		return n.keys.Prev()
	}
	return n.records.Prev()
}

// Key is the record id, Value the document.
func (n *Natural) Key() int64 {
	if n.by != nil {
		_, record := index.SplitEntry(n.keys.Key())
		return record
	}
	return n.records.Key()
}

func (n *Natural) Value() bsonval.Doc {
	if n.by != nil {
		doc, _ := n.coll.Get(n.Key())
		return doc
	}
	return n.records.Value()
}
