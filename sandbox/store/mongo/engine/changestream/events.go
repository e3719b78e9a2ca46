package changestream

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Stream gives change events as they come. It never ends by itself but for an
// invalidation.
type Stream struct {
	op      *opctx.Op
	store   *storage.Store
	spec    *Spec
	at      position
	commits []storage.Commit  // read, and not yet given
	queue   []event           // of the first commit
	images  map[[16]byte]bool // collections that keep pre- and post-images
	Invalid bool              // the collection went: nothing more comes
	Lacks   error             // what the event that Next gave last should have and has not

	lacking error // of the event that is being made
}

type event struct {
	at    position
	doc   bsonval.Doc
	lacks error
}

// Open begins a stream. It fails when the place to begin at is no longer known.
func Open(op *opctx.Op, store *storage.Store, spec *Spec) (*Stream, error) {
	state := store.State()
	s := &Stream{op: op, store: store, spec: spec, at: afterCommit(state.TS), images: map[[16]byte]bool{}}
	for _, c := range state.Collections(spec.NS.DB) {
		s.images[c.UUID] = keepsImages(c.Options)
	}
	if spec.start != nil {
		s.at = *spec.start
		if s.at.fragment > 0 { // the event comes again, for its other fragments
			s.at.kind, s.at.fragment = before, 0
		}
		if _, lost := store.After(s.from()); lost {
			return nil, lostHistory()
		}
	}
	return s, nil
}

func lostHistory() error {
	return mongoerr.New(mongoerr.ChangeStreamHistoryLost, "Resume of change stream was not possible, as the resume point may no longer be in the oplog.").Labelled("NonResumableChangeStreamError")
}

// Token is the place that the stream has come to.
func (s *Stream) Token() bsonval.Value { return s.at.token() }

// Close implements stream.Iterator.
func (s *Stream) Close() {}

// Next answers the next event; not ok means that there is none yet.
func (s *Stream) Next() (stream.Row, bool, error) {
	for !s.Invalid {
		if err := s.op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		if len(s.queue) > 0 {
			e := s.queue[0]
			s.queue = s.queue[1:]
			if e.at.compare(s.at) <= 0 {
				continue
			}
			s.at, s.Lacks = e.at, e.lacks
			s.Invalid = e.at.kind == ofInvalidate
			return stream.Row{Doc: e.doc}, true, nil
		}
		if more, err := s.read(); err != nil || !more {
			return stream.Row{}, false, err
		}
	}
	return stream.Row{}, false, nil
}

// from is the cluster time after which the commits are needed: with the one that the
// last event was of, unless all of that has been read.
func (s *Stream) from() uint64 {
	if s.at.kind != ofCommit {
		return s.at.ts - 1
	}
	return s.at.ts
}

// read takes the next commit into the queue.
func (s *Stream) read() (bool, error) {
	if len(s.commits) == 0 {
		newest := s.store.State().TS
		commits, lost := s.store.After(s.from())
		if lost {
			return false, lostHistory()
		}
		if len(commits) == 0 {
			if newest > s.at.ts {
				s.at = afterCommit(newest)
			}
			return false, nil
		}
		s.commits = commits
	}
	c := s.commits[0]
	s.commits = s.commits[1:]
	for i := range c.Ops {
		s.take(&c, i)
	}
	if len(s.queue) == 0 {
		s.at = afterCommit(c.TS)
	}
	if end := afterCommit(c.TS); len(s.commits) == 0 && len(s.queue) > 0 && s.queue[len(s.queue)-1].at.compare(s.at) <= 0 {
		s.at, s.queue = end, nil
	}
	return true, nil
}

// take makes the events of one operation: itself, and an invalidation where it ends
// what the stream is on.
func (s *Stream) take(c *storage.Commit, i int) {
	op := &c.Ops[i]
	if op.Kind == storage.Create || op.Kind == storage.SetOptions {
		s.images[op.UUID] = keepsImages(op.After)
	}
	at := position{ts: c.TS, index: uint32(i), kind: ofEvent}
	if at.compare(s.at) > 0 && s.concerns(op) && !partOfAnother(c, i) {
		s.lacking = nil
		if doc := s.event(c, i, at); doc != nil {
			s.queue = append(s.queue, event{at, doc, s.lacking})
		}
	}
	if s.ends(op) && !partOfAnother(c, i) {
		at.kind = ofInvalidate
		b := s.begin("invalidate", c, nil, at)
		s.queue = append(s.queue, event{at: at, doc: b.Doc()})
	}
}

// partOfAnother tells an operation that the commit's next or last one stands for: the
// drop of a rename's target, and what collMod did.
func partOfAnother(c *storage.Commit, i int) bool {
	last := &c.Ops[len(c.Ops)-1]
	switch op := &c.Ops[i]; op.Kind {
	case storage.Drop:
		return replacedBy(c, i+1) || last.Kind == storage.DropDatabase && ofView(op)
	case storage.SetOptions:
		return last.Kind == storage.Modify && !ofView(op)
	case storage.Modify:
		return ofView(op)
	case storage.CreateIndex:
		return last.Kind == storage.Modify || i > 0 && builtTogether(&c.Ops[i-1], op)
	case storage.DropIndex:
		return last.Kind == storage.Modify
	}
	return false
}

// builtTogether tells indexes that one command has built over documents: they have one
// event. On an empty collection each has its own.
func builtTogether(a, b *storage.Op) bool {
	return a.Kind == storage.CreateIndex && b.Kind == storage.CreateIndex && a.UUID == b.UUID && b.Record > 0
}

// ofView tells an operation on a view, a time series being one too.
func ofView(op *storage.Op) bool {
	of := op.After
	switch op.Kind {
	case storage.Drop:
		of = op.Before
	case storage.Modify:
		return !op.Before.Path("collectionOptions.viewOn").IsMissing()
	case storage.Create, storage.SetOptions:
	default:
		return false
	}
	return !of.Get("viewOn").IsMissing()
}

// replacedBy tells whether operation i is a rename onto what the one before dropped.
func replacedBy(c *storage.Commit, i int) bool {
	return i > 0 && i < len(c.Ops) && c.Ops[i].Kind == storage.Rename && c.Ops[i-1].Kind == storage.Drop && c.Ops[i-1].NS == c.Ops[i].To
}

// concerns tells whether the operation is on what the stream watches.
func (s *Stream) concerns(op *storage.Op) bool {
	w := s.spec.NS
	switch {
	case op.Kind == storage.Note:
		return false
	case strings.HasPrefix(op.NS.Coll, systemPrefix) && !s.spec.system && op.NS != w:
		return false
	case ofView(op) && (w.Coll != "" || !s.spec.expanded):
		return false
	}
	switch {
	case w.DB == "":
		return op.NS.DB != "admin" && op.NS.DB != "config" && op.NS.DB != "local"
	case w.Coll == "":
		return op.NS.DB == w.DB
	case op.Kind == storage.Rename:
		return op.NS == w || op.To == w
	case op.Kind == storage.DropDatabase:
		return false
	}
	return op.NS == w
}

// ends tells an operation after which the stream can't go on.
func (s *Stream) ends(op *storage.Op) bool {
	w := s.spec.NS
	switch op.Kind {
	case storage.Drop:
		return w.Coll != "" && op.NS == w && !ofView(op)
	case storage.Rename:
		return w.Coll != "" && (op.NS == w || op.To == w)
	case storage.DropDatabase:
		return w.Coll == "" && w.DB != "" && op.NS.DB == w.DB
	}
	return false
}

// begin writes what all events have. op nil is for those that are of no collection.
func (s *Stream) begin(kind string, c *storage.Commit, op *storage.Op, at position) *bsonval.Builder {
	b := bsonval.NewBuilder(512)
	if c.Session != nil {
		b.Int64("txnNumber", c.Number).SetDoc("lsid", c.Session)
	}
	if op != nil && op.Kind == storage.Rename {
		writeNS(b, "to", op.To)
	}
	b.Set("_id", at.token()).Str("operationType", kind)
	b.Set("clusterTime", bsonval.TimestampOf(c.TS))
	if s.spec.expanded && op != nil && !ofView(op) {
		b.Set("collectionUUID", bsonval.BinaryValue(4, op.UUID[:]))
	}
	return b.Set("wallTime", bsonval.TimeValue(c.Wall))
}

// writeNS writes a collection's database and name.
func writeNS(b *bsonval.Builder, field string, ns storage.NS) *bsonval.Builder {
	return b.OpenDoc(field).Str("db", ns.DB).Str("coll", ns.Coll).Close()
}

// event is the event of the commit's i-th operation; nil for what only expanded events
// show.
func (s *Stream) event(c *storage.Commit, i int, at position) bsonval.Doc {
	op := &c.Ops[i]
	switch op.Kind {
	case storage.Insert, storage.Update, storage.Replace, storage.Delete:
		return s.change(c, op, at)
	case storage.Drop:
		return s.onCollection("drop", c, op, at).Doc()
	case storage.DropDatabase:
		b := s.begin("dropDatabase", c, nil, at)
		return b.OpenDoc("ns").Str("db", op.NS.DB).Close().Doc()
	case storage.Rename:
		b := s.onCollection("rename", c, op, at)
		if s.spec.expanded {
			writeNS(b.OpenDoc("operationDescription"), "to", op.To)
			if replacedBy(c, i) {
				b.Set("dropTarget", bsonval.BinaryValue(4, c.Ops[i-1].UUID[:]))
			}
			b.Close()
		}
		return b.Doc()
	}
	if !s.spec.expanded {
		return nil
	}
	return s.catalogue(c, i, at)
}

func (s *Stream) onCollection(kind string, c *storage.Commit, op *storage.Op, at position) *bsonval.Builder {
	return writeNS(s.begin(kind, c, op, at), "ns", op.NS)
}
