package command

import (
	"bytes"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/changestream"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// openChangeStream starts a pipeline that begins with $changeStream and sets c's Rows,
// Tailable, Await and PostBatch.
func (s *Server) openChangeStream(r *Request, ns storage.NS, stages bsonval.Doc, c *cursor.Cursor) error {
	if r.inTransaction {
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Operation not permitted in transaction :: caused by :: Aggregation stage $changeStream cannot run within a multi-document transaction")
	}
	if ns.Coll == "$cmd.aggregate" {
		ns.Coll = ""
	}
	if coll := r.State().Collection(ns); coll != nil && coll.IsView() {
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Cannot run $changeStream on a view: %s", ns)
	}
	spec, err := changestream.Parse(stages.At(0).Doc().First().Value, ns)
	if err != nil {
		return err
	}
	if ns.Coll == "" && spec.NS == ns && (ns.DB == "admin" || ns.DB == "config" || ns.DB == "local") {
		return mongoerr.New(mongoerr.InvalidNamespace, "$changeStream may not be opened on the internal %s database", ns.DB)
	}
	var rest bsonval.Builder
	for i, st := range stages.Slice() {
		if i == 0 {
			continue
		}
		if err := mayFollow(st); err != nil {
			return err
		}
		rest.Item(st)
	}
	events, err := changestream.Open(r.Op, s.store, spec)
	if err != nil {
		return err
	}
	pipe, err := agg.Compile(rest.Doc(), &agg.Env{Op: r.Op, DB: ns.DB, Coll: ns.Coll, Geo: geoTest, Source: &source{r: r}, Scope: expr.NewScope(r.Op.Let), Frame: expr.NewFrame(r.Op)})
	if err != nil {
		return err
	}
	it, err := pipe.Over(events)
	if err != nil {
		return err
	}
	c.Rows = &changes{Iterator: it, events: events, c: c}
	c.Tailable, c.Await, c.PostBatch = true, true, events.Token
	return nil
}

// mayFollow tells whether a stage may stand after $changeStream.
func mayFollow(st bsonval.Value) error {
	if st.Type() != bsonval.Object {
		return nil // the compiler says what is wrong
	}
	switch name := st.Doc().First().Name; name {
	case "$addFields", "$match", "$project", "$replaceRoot", "$replaceWith", "$redact", "$set", "$unset", "$changeStreamSplitLargeEvent":
		return nil
	default:
		return mongoerr.New(mongoerr.IllegalOperation, "%s is not permitted in a $changeStream pipeline", name)
	}
}

// changes ends the cursor after an invalidation, and keeps resume tokens as they are.
type changes struct {
	stream.Iterator
	events *changestream.Stream
	c      *cursor.Cursor
}

// Next implements stream.Iterator.
func (s *changes) Next() (stream.Row, bool, error) {
	row, ok, err := s.Iterator.Next()
	if s.events.Invalid {
		s.c.Tailable = false
	}
	if err != nil || !ok {
		return row, ok, err
	}
	want := s.events.Token()
	if got := row.Doc.Get("_id"); got.Type() != bsonval.Object || !bytes.Equal(got.Bytes(), want.Bytes()) {
		return row, false, mongoerr.New(mongoerr.ChangeStreamFatalError, "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed. Expected: { _id: %s } but found: { _id: %s }", want, got).Labelled("NonResumableChangeStreamError")
	}
	return row, true, nil
}
