package command

import (
	"bytes"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/changestream"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// openChangeStream starts a pipeline that begins with $changeStream and sets c's Rows,
// Tailable, Await and PostBatch.
func (s *Server) openChangeStream(r *Request, ns storage.NS, stages bsonval.Doc, c *cursor.Cursor) error {
	if ns.Coll == "$cmd.aggregate" {
		ns.Coll = ""
	}
	if coll := r.State().Collection(ns); coll != nil && coll.IsView() {
		if _, ok := crud.Series(coll); ok {
			return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a timeseries collection", ns)
		}
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Cannot run $changeStream on a view: %s", ns)
	}
	spec, err := changestream.Parse(stages.At(0).Doc().First().Value, ns)
	if err != nil {
		return err
	}
	rest, split, err := following(stages.Slice()[1:])
	if err != nil {
		return err
	}
	if spec.Splits() && !split {
		return mongoerr.New(mongoerr.ChangeStreamFatalError, "To resume from a split event, the $changeStream pipeline must include a $changeStreamSplitLargeEvent stage")
	}
	events, err := changestream.Open(r.Op, s.store, spec)
	if err != nil {
		return err
	}
	pipe, err := agg.Compile(rest, &agg.Env{Op: r.Op, DB: ns.DB, Coll: ns.Coll, Geo: geo.Condition, Source: &source{r: r}, Scope: expr.NewScope(r.Op.Let), Frame: expr.NewFrame(r.Op)})
	if err != nil {
		return err
	}
	it, err := pipe.Over(events)
	if err != nil {
		return err
	}
	rows := &changes{Iterator: it, events: events, c: c, split: split}
	c.Rows, c.Tailable, c.Await, c.PostBatch = rows, true, true, rows.token
	return nil
}

// following are the stages after $changeStream, without the one that splits large
// events, which can only be the last.
func following(stages []bsonval.Value) (rest bsonval.Doc, split bool, err error) {
	var b bsonval.Builder
	for i, st := range stages {
		if err := mayFollow(st); err != nil {
			return nil, false, err
		}
		if st.Type() == bsonval.Object && st.Doc().First().Name == splitStage {
			switch arg := st.Doc().First().Value; {
			case arg.Type() != bsonval.Object || !arg.Doc().IsEmpty():
				return nil, false, mongoerr.New(7182800, "%s spec should be an empty object", splitStage)
			case i < len(stages)-1:
				return nil, false, mongoerr.New(7182802, "%s must be the last stage in the pipeline", splitStage)
			}
			split = true
			continue
		}
		b.Item(st)
	}
	return b.Doc(), split, nil
}

const splitStage = "$changeStreamSplitLargeEvent"

// mayFollow tells whether a stage may stand after $changeStream.
func mayFollow(st bsonval.Value) error {
	if st.Type() != bsonval.Object {
		return nil // the compiler says what is wrong
	}
	switch name := st.Doc().First().Name; name {
	case "$addFields", "$match", "$project", "$replaceRoot", "$replaceWith", "$redact", "$set", "$unset", splitStage:
		return nil
	default:
		if !agg.Known(name) {
			return nil // as above
		}
		return mongoerr.New(mongoerr.IllegalOperation, "%s is not permitted in a $changeStream pipeline", name)
	}
}

// changes ends the cursor after an invalidation, keeps resume tokens as they are, and
// splits large events where the pipeline says so.
type changes struct {
	stream.Iterator
	events  *changestream.Stream
	c       *cursor.Cursor
	split   bool
	pending []bsonval.Doc // the fragments of an event that are still to come
	sent    bsonval.Value // the token of the fragment before them
}

// token is the place that the cursor has come to.
func (s *changes) token() bsonval.Value {
	if len(s.pending) > 0 {
		return s.sent
	}
	return s.events.Token()
}

// Next implements stream.Iterator.
func (s *changes) Next() (stream.Row, bool, error) {
	if len(s.pending) > 0 {
		return s.fragment(), true, nil
	}
	row, ok, err := s.Iterator.Next()
	if s.events.Invalid {
		s.c.Tailable = false
	}
	if err != nil || !ok {
		return row, ok, err
	}
	if s.events.Lacks != nil {
		return row, false, s.events.Lacks
	}
	want := s.events.Token()
	if got := row.Doc.Get("_id"); got.Type() != bsonval.Object || !bytes.Equal(got.Bytes(), want.Bytes()) {
		return row, false, mongoerr.New(mongoerr.ChangeStreamFatalError, "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed. Expected: { _id: %s } but found: { _id: %s }", want, got).Labelled("NonResumableChangeStreamError")
	}
	if !s.split {
		row.Doc, err = s.events.Whole(row.Doc)
		return row, err == nil, err
	}
	if s.pending, err = s.events.Split(row.Doc); err != nil {
		return row, false, err
	}
	return s.fragment(), true, nil
}

func (s *changes) fragment() stream.Row {
	doc := s.pending[0]
	s.pending, s.sent = s.pending[1:], doc.Get("_id")
	return stream.Row{Doc: doc}
}
