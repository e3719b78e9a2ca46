// Package plan chooses how a query reads a collection: it makes the candidates that
// the indexes allow, lets them run against each other for a while as the server does,
// keeps the winner in a cache, runs it, and tells what it did (explain).
//
// It reads collections as package storage keeps them and never changes them.
package plan

import (
	"slices"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Query is what a plan is to answer.
type Query struct {
	NS           string         // what explain shows where there is no collection
	Filter       *match.Matcher // nil: all
	Sort         bsonval.Doc
	Projection   bsonval.Doc // only looked at, to tell covered queries; not applied
	Skip, Limit  int64       // Limit 0: all
	Hint         bsonval.Value
	Min, Max     bsonval.Doc
	ReturnKey    bool
	ShowRecordID bool
	Count        bool         // only how many: Plan.Count is called in Run's place
	First        bool         // only the first row is wanted: an update or a delete of one
	Distinct     string       // one row for each value of this field will do, the first in Sort's order
	CountOnly    bool         // nothing of the rows is looked at
	Grouped      bool         // exactly one for each, and one for null and for what has no such field
	Whole        bool         // and more of the row than that field is wanted
	Last         bool         // and the last of each in Sort's order
	Write        Write        // what the rows are for
	Frame        *expr.Frame  // variables for $expr; nil: a new one
	Near         *bsonval.Doc // $geoNear's argument
	Tailable     bool         // the cursor goes on at the end
	Score        bool         // text scores are wanted, though neither Sort nor Projection asks for them
	Metas        []string     // what else is wanted by {$meta: …}, in a projection that is applied later
	IndexKey     bool         // {$meta: "indexKey"} is read, though not by Projection
	Cache        *Cache       // nil: every time anew
	Explain      bool         // the cache is neither asked nor filled
}

// Write is what is done with the documents that a query finds.
type Write int

// Update and Delete are those of an update and a delete command, Modify that of
// findAndModify, which answers the document.
const (
	Read Write = iota
	Update
	Delete
	Modify
)

// Plan is a chosen plan. It reads the collection as it was when it was chosen, once.
type Plan struct {
	coll     *storage.Collection // nil: there is none, the plan answers nothing
	query    Query
	cond     *condition
	root     *node
	x        *execution
	ahead    []member // rows that the trial has found already
	over     bool     // the trial came to the end
	rejected []*candidate
	winner   *candidate
	cached   bool
	failed   error // what explain tells instead of the end
	began    time.Time
	planning time.Duration
	entry    *entry       // of the cache, to be checked while running
	ids      *stream.Meta // of rows of a clustered collection; nil for any other
	filter   *IndexFilter // nil: any index may serve the query
	pipeline bool         // it does all of an aggregation, which explain says
}

// WholePipeline tells the plan that no stage of its aggregation is left.
func (p *Plan) WholePipeline() { p.pipeline = true }

// Choose picks a plan for q. coll may be nil: a collection that isn't there is empty.
func Choose(op *opctx.Op, coll *storage.Collection, q Query) (*Plan, error) {
	p := &Plan{coll: coll, query: q, began: time.Now()}
	op.Plan = p
	if q.Frame == nil {
		q.Frame = expr.NewFrame(op)
		p.query.Frame = q.Frame
	}
	p.x = &execution{op: op, coll: coll, frame: q.Frame, tally: &op.Work}
	metas := expr.Metas(bsonval.DocValue(q.Projection))
	var err error
	if p.x.asked, err = q.asks(metas); err != nil {
		return nil, err
	}
	if q.Filter != nil {
		p.cond = normalize(q.Filter.Root, op.Collator)
	} else {
		p.cond = &condition{rank: rankAnd, node: &match.And{}}
	}
	if err := p.query.valid(p.cond, metas); err != nil {
		return nil, err
	}
	if coll == nil {
		if len(texts(p.cond, nil)) > 0 {
			return nil, mongoerr.New(mongoerr.IndexNotFound, "text index required for $text query (no such collection '%s')", q.NS)
		}
		p.root = (&planner{query: &p.query, cond: p.cond}).empty()
		return p, nil
	}
	if ix := coll.Clustered(); ix != nil {
		c := ix.Def.Collator
		p.ids = &stream.Meta{RecordID: func(d bsonval.Doc) bsonval.Value { return index.RecordID(d.Get("_id"), c) }}
	}
	p.filter = p.indexFilter()
	pl := &planner{op: op, coll: coll, query: &p.query, cond: p.cond, filter: p.filter}
	all, err := pl.candidates()
	if err != nil {
		return nil, err
	}
	err = p.pick(all)
	p.planning = time.Since(p.began)
	return p, err
}

// Run starts the plan. The rows see the collection as it was at Choose.
func (p *Plan) Run(op *opctx.Op) (stream.Iterator, error) {
	if p.winner == nil {
		p.x.start(p.root)
	}
	p.x.op = op
	p.countUse()
	return &rows{p: p}, nil
}

// countUse counts the query at each index that the plan reads, once; explain is no use.
func (p *Plan) countUse() {
	if p.query.Explain {
		return
	}
	var seen []*storage.Index
	p.root.walk(func(n *node) {
		if n.scan != nil && !slices.Contains(seen, n.scan.ix) {
			seen = append(seen, n.scan.ix)
			n.scan.ix.Used()
		}
	})
}

// rows gives what the plan's root gives.
type rows struct {
	p *Plan
	m member
}

func (r *rows) Next() (stream.Row, bool, error) {
	p := r.p
	if len(p.ahead) > 0 {
		m := p.ahead[0]
		p.ahead = p.ahead[1:]
		return p.row(&m), true, nil
	}
	for !p.over {
		r.m = member{}
		st, err := p.root.work(&r.m)
		if err != nil {
			return stream.Row{}, false, err
		}
		switch st {
		case advanced:
			return p.row(&r.m), true, nil
		case ended:
			p.over = true
			p.learn()
		}
	}
	return stream.Row{}, false, nil
}

// row is what the query gets of m.
func (p *Plan) row(m *member) stream.Row {
	if p.query.ReturnKey { // the document is the key already
		p.x.doc(m)
		return p.identified(m.row)
	}
	return p.identified(p.x.told(m))
}

// identified is the row with what makes its record id, in a clustered collection.
func (p *Plan) identified(row stream.Row) stream.Row {
	if p.ids == nil {
		return row
	}
	if row.Meta != nil {
		m := *row.Meta
		m.RecordID, row.Meta = p.ids.RecordID, &m
		return row
	}
	row.Meta = p.ids
	return row
}

func (r *rows) Close() { r.p.over, r.p.ahead = true, nil }

// Count runs a plan of a Query with Count to its end.
func (p *Plan) Count(op *opctx.Op) (int64, error) {
	it, err := p.Run(op)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	for {
		if _, ok, err := it.Next(); err != nil || !ok {
			return p.root.total(), err
		}
	}
}

// total is what a COUNT has counted.
func (n *node) total() int64 {
	if n.kind == "EOF" {
		return 0
	}
	return n.stats.counted
}

// Drain runs the plan to its end for explain, without keeping rows.
func (p *Plan) Drain(op *opctx.Op) error {
	it, err := p.Run(op)
	if err != nil {
		return err
	}
	defer it.Close()
	for {
		if _, ok, err := it.Next(); err != nil || !ok || p.query.First {
			return err
		}
	}
}

// Summary is the plan in a word, as the profiler shows it: IXSCAN { a: 1 }.
func (p *Plan) Summary() string {
	out := ""
	if p.root == nil {
		return out
	}
	p.root.walk(func(n *node) {
		if len(n.kids) > 0 {
			return
		}
		if out != "" {
			out += ", "
		}
		out += n.kind
		if n.scan != nil {
			out += " " + n.scan.ix.Def.Pattern.String()
		}
	})
	return out
}

// Indexes are the names of the indexes that the plan reads.
func (p *Plan) Indexes() []string {
	var out []string
	p.root.walk(func(n *node) {
		if n.scan != nil && !slices.Contains(out, n.scan.ix.Def.Name) {
			out = append(out, n.scan.ix.Def.Name)
		}
	})
	return out
}

// Sorts tells whether the plan has a stage that sorts.
func (p *Plan) Sorts() bool {
	found := false
	if p.root != nil {
		p.root.walk(func(n *node) { found = found || n.kind == "SORT" })
	}
	return found
}
