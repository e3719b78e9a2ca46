package command

import (
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// tail follows a capped collection: after its end it goes on with what has been
// inserted since.
type tail struct {
	s     *Server
	ns    storage.NS
	uuid  [16]byte
	m     *match.Matcher
	frame *expr.Frame
	skip  int64 // matches that are still to be left out
	last  int64 // the record that was read last
	state *storage.State
}

// openTail starts a tailable find.
func (s *Server) openTail(r *Request, f finding, coll *storage.Collection) (stream.Iterator, error) {
	switch {
	case !coll.Options.Get("capped").Truth():
		return nil, mongoerr.New(mongoerr.BadValue, "error processing query: ns=%sTree: %s planner returned error :: caused by :: tailable cursor requested on non capped collection", f.ns, f.filter)
	case len(f.query.Sort) > 5:
		return nil, mongoerr.New(mongoerr.BadValue, "tailable cursors can only be used with a sort of {$natural: 1}")
	}
	m, err := match.Compile(f.filter, s.matchEnv(r.Op, coll))
	if err != nil {
		return nil, err
	}
	if isLocal(f.ns) {
		return s.tailOplog(r, f, m)
	}
	return &tail{s: s, skip: f.query.Skip, ns: f.ns, uuid: coll.UUID, m: m, frame: expr.NewFrame(r.Op), state: r.State()}, nil
}

// Next implements stream.Iterator. Not ok means that there is nothing more yet.
func (t *tail) Next() (stream.Row, bool, error) {
	for {
		row, ok, err := t.step()
		if err != nil || ok {
			return row, ok, err
		}
		newest := t.s.store.State()
		if newest.Seq == t.state.Seq {
			return row, false, nil
		}
		t.state = newest
	}
}

// step reads on in the state at hand.
func (t *tail) step() (stream.Row, bool, error) {
	c := t.state.Collection(t.ns)
	if c == nil || c.UUID != t.uuid {
		return stream.Row{}, false, mongoerr.New(mongoerr.QueryPlanKilled, "collection dropped or renamed")
	}
	cur := c.Records()
	if t.last > 0 {
		if _, there := c.Get(t.last); !there && c.Count() > 0 {
			return stream.Row{}, false, mongoerr.New(mongoerr.CappedPositionLost, "CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(%d)", t.last)
		}
	}
	for ok := cur.Seek(t.last + 1); ok; ok = cur.Next() {
		if err := t.frame.Op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		t.last = cur.Key()
		t.frame.Op.Work.DocsExamined++
		row := stream.Row{Doc: cur.Value(), Record: cur.Key()}
		hit, err := t.m.MatchIn(t.frame, row)
		if hit && t.skip > 0 {
			t.skip--
			continue
		}
		if err != nil || hit {
			return row, hit, err
		}
	}
	return stream.Row{}, false, nil
}

// Close implements stream.Iterator.
func (t *tail) Close() {}
