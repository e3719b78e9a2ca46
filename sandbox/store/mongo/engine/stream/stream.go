// Package stream is how documents flow from storage through plans and aggregation
// stages to cursors: a Row at a time, pulled.
package stream

import "storeroom/sandbox/store/mongo/engine/bsonval"

// Row is a document on its way, with what is known about it beside its fields.
type Row struct {
	Doc    bsonval.Doc
	Record int64 // record id in its collection; 0: none
	Meta   *Meta // nil: none
}

// Meta is what $meta reads.
type Meta struct {
	TextScore   bsonval.Value // double
	GeoDistance bsonval.Value // double
	GeoPoint    bsonval.Value
	SortKey     bsonval.Value // array
	IndexKey    bsonval.Value // object
	Random      bsonval.Value // $sample
	Extra       map[string]bsonval.Value
	RecordID    func(bsonval.Doc) bsonval.Value // of a clustered collection's document; nil: the row's Record
}

// Iterator gives rows. It belongs to one goroutine at a time.
type Iterator interface {
	// Next answers the next row. ok is false when there is none now; for all but
	// tailable sources that is the end.
	Next() (row Row, ok bool, err error)
	// Close releases what the iterator holds. It may be called twice.
	Close()
}

// Slice iterates over rows that are there already.
func Slice(rows []Row) Iterator { return &slice{rows: rows} }

// Docs iterates over documents that are there already.
func Docs(docs []bsonval.Doc) Iterator {
	rows := make([]Row, len(docs))
	for i, d := range docs {
		rows[i].Doc = d
	}
	return Slice(rows)
}

type slice struct{ rows []Row }

func (s *slice) Next() (Row, bool, error) {
	if len(s.rows) == 0 {
		return Row{}, false, nil
	}
	r := s.rows[0]
	s.rows = s.rows[1:]
	return r, true, nil
}

func (s *slice) Close() { s.rows = nil }

// Func is an Iterator of a function, with nothing to close.
type Func func() (Row, bool, error)

func (f Func) Next() (Row, bool, error) { return f() }
func (f Func) Close()                   {}
