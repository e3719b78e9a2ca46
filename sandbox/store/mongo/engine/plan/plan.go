// Package plan chooses how a query reads a collection, by which index and in which
// order, and runs that plan.
//
// It reads collections as package storage keeps them and never changes them.
package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Query is what a plan is to answer.
type Query struct {
	Filter       *match.Matcher // nil: all
	Sort         bsonval.Doc
	Projection   bsonval.Doc // only looked at, to tell covered queries; not applied
	Skip, Limit  int64       // Limit 0: all
	Hint         bsonval.Value
	Min, Max     bsonval.Doc
	ReturnKey    bool
	ShowRecordID bool
	Frame        *expr.Frame  // variables for $expr; nil: a new one
	Near         *bsonval.Doc // $geoNear's argument
}

// Plan is a chosen plan. It reads the collection as it was when it was chosen.
type Plan struct {
	coll  *storage.Collection // nil: there is none, the plan answers nothing
	query Query
	scan  *indexScan // nil: the whole collection
	order bool       // the scan's order is the sort's
	back  bool
}

// Choose picks a plan for q. coll may be nil: a collection that isn't there is empty.
func Choose(op *opctx.Op, coll *storage.Collection, q Query) (*Plan, error) {
	p := &Plan{coll: coll, query: q}
	if coll == nil || q.Filter == nil {
		return p, nil
	}
	best := 0
	for _, ix := range coll.Indexes {
		s, score := boundsFor(op, ix, q.Filter)
		if score > best {
			p.scan, best = s, score
		}
	}
	return p, nil
}

// Run starts the plan.
func (p *Plan) Run(op *opctx.Op) (stream.Iterator, error) {
	if p.coll == nil {
		return stream.Docs(nil), nil
	}
	var it stream.Iterator
	if p.scan != nil {
		it = p.scan.run(op, p.coll)
	} else {
		it = collectionScan(op, p.coll)
	}
	if p.query.Filter != nil && !p.query.Filter.Source.IsEmpty() {
		frame := p.query.Frame
		if frame == nil {
			frame = expr.NewFrame(op)
		}
		it = &filter{it, p.query.Filter, frame}
	}
	if len(p.query.Sort) > 5 {
		sorted, err := sortRows(op, it, p.query.Sort, p.query.Skip+p.query.Limit, p.query.Limit > 0)
		if err != nil {
			return nil, err
		}
		it = sorted
	}
	if p.query.Skip > 0 || p.query.Limit > 0 {
		it = &window{it, p.query.Skip, p.query.Limit, p.query.Limit > 0}
	}
	return it, nil
}

func collectionScan(op *opctx.Op, c *storage.Collection) stream.Iterator {
	cur := c.Records()
	begun := false
	return stream.Func(func() (stream.Row, bool, error) {
		if err := op.Check(); err != nil {
			return stream.Row{}, false, err
		}
		ok := false
		if begun {
			ok = cur.Next()
		} else {
			begun, ok = true, cur.First()
		}
		if !ok {
			return stream.Row{}, false, nil
		}
		op.Work.DocsExamined++
		return stream.Row{Doc: cur.Value(), Record: cur.Key()}, true, nil
	})
}

type filter struct {
	stream.Iterator
	m     *match.Matcher
	frame *expr.Frame
}

func (f *filter) Next() (stream.Row, bool, error) {
	for {
		r, ok, err := f.Iterator.Next()
		if !ok || err != nil {
			return r, false, err
		}
		if ok, err := f.m.MatchIn(f.frame, r); err != nil || ok {
			return r, ok, err
		}
	}
}

type window struct {
	stream.Iterator
	skip, limit int64
	limited     bool
}

func (w *window) Next() (stream.Row, bool, error) {
	for ; w.skip > 0; w.skip-- {
		if r, ok, err := w.Iterator.Next(); !ok || err != nil {
			return r, false, err
		}
	}
	if w.limited {
		if w.limit == 0 {
			return stream.Row{}, false, nil
		}
		w.limit--
	}
	return w.Iterator.Next()
}
