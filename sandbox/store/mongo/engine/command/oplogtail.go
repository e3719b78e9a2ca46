package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// oplogTail follows the oplog: what is known of it, and then each commit as it comes.
type oplogTail struct {
	s       *Server
	m       *match.Matcher
	frame   *expr.Frame
	skip    int64
	last    uint64 // the cluster time up to which all has been read
	pending []bsonval.Doc
}

func (s *Server) tailOplog(r *Request, f finding, m *match.Matcher) (stream.Iterator, error) {
	if f.ns != crud.OplogNS() {
		return nil, mongoerr.New(mongoerr.BadValue, "error processing query: ns=%sTree: %s planner returned error :: caused by :: tailable cursor requested on non capped collection", f.ns, f.filter)
	}
	t := &oplogTail{s: s, m: m, frame: expr.NewFrame(r.Op), skip: f.query.Skip, last: s.store.State().TS}
	known := s.store.History()
	t.take(known)
	if len(known) == 0 {
		t.pending = []bsonval.Doc{s.initiation(r)}
	}
	return t, nil
}

func (t *oplogTail) take(commits []storage.Commit) {
	for _, c := range commits {
		t.last = max(t.last, c.TS)
		if e := oplogEntry(c); e != nil {
			t.pending = append(t.pending, e)
		}
	}
}

// Next implements stream.Iterator. Not ok means that there is nothing more yet.
func (t *oplogTail) Next() (stream.Row, bool, error) {
	if len(t.pending) == 0 {
		commits, lost := t.s.store.After(t.last)
		if lost {
			return stream.Row{}, false, mongoerr.New(mongoerr.CappedPositionLost, "CollectionScan died due to position in capped collection being deleted.")
		}
		t.take(commits)
	}
	for len(t.pending) > 0 {
		if err := t.frame.Op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		row := stream.Row{Doc: t.pending[0]}
		t.pending = t.pending[1:]
		t.frame.Op.Work.DocsExamined++
		hit, err := t.m.MatchIn(t.frame, row)
		switch {
		case err != nil:
			return row, false, err
		case hit && t.skip > 0:
			t.skip--
		case hit:
			return row, true, nil
		}
	}
	return stream.Row{}, false, nil
}

// Close implements stream.Iterator.
func (t *oplogTail) Close() { t.pending = nil }

// initiation is the entry that an oplog begins with.
func (s *Server) initiation(r *Request) bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.Str("op", "n").Str("ns", "").OpenDoc("o").Str("msg", "initiating set").Close()
	return b.Set("ts", s.now()).Int64("t", -1).Int64("v", 2).Set("wall", bsonval.TimeValue(r.Op.Now)).Doc()
}
