package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// explainAggregate is aggregate with explain: true.
func (s *Server) explainAggregate(r *Request, ns storage.NS, stages bsonval.Doc, verbosity string) (bsonval.Doc, error) {
	if err := r.collate(r.Body, r.State().Collection(ns)); err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(4096)
	b.Str("explainVersion", "1")
	if err := s.explainStages(r, b, ns, stages, verbosity); err != nil {
		return nil, err
	}
	r.explainEnd(b, r.Body)
	return b.Doc(), nil
}

// unconcerned refuses a write concern with the explanation of a pipeline.
func (r *Request) unconcerned() error {
	if r.Body.Get("writeConcern").IsMissing() {
		return nil
	}
	return mongoerr.New(mongoerr.FailedToParse, "Aggregation explain does not support the 'writeConcern' option")
}

func (s *Server) explainPipeline(r *Request, b *bsonval.Builder, verbosity string) error {
	if err := r.unconcerned(); err != nil {
		return err
	}
	v := r.Body.Get("pipeline")
	if v.Type() != bsonval.Array {
		return mongoerr.New(mongoerr.TypeMismatch, "'pipeline' option must be specified as an array")
	}
	ns, err := r.aggregateNS()
	if err != nil {
		return err
	}
	if err := r.collate(r.Body, r.State().Collection(ns)); err != nil {
		return err
	}
	if err := r.let(); err != nil {
		return err
	}
	return s.explainStages(r, b, ns, v.Doc(), verbosity)
}

// explainStages explains a pipeline: what the collection is asked for as a plan, then
// the stages over it. A pipeline that the plan does wholly looks like a find.
func (s *Server) explainStages(r *Request, b *bsonval.Builder, ns storage.NS, stages bsonval.Doc, verbosity string) error {
	src := &source{r: r}
	hint, err := src.bucketHint(ns, r.Body.Get("hint"))
	if err != nil {
		return err
	}
	view, ns, err := src.resolve(ns)
	if err != nil {
		return err
	}
	if view != nil {
		stages = concat(view, stages)
	}
	env := &agg.Env{Op: r.Op, DB: ns.DB, Coll: ns.Coll, Geo: geo.Condition, Source: src, Scope: expr.NewScope(r.Op.Let), Frame: expr.NewFrame(r.Op), Hint: hint}
	pipe, err := agg.Compile(stages, env)
	if err != nil {
		return err
	}
	q, rest := pipe.Leading()
	first := *rest // the projection that the plan does
	if spec, ok := rest.LeadingProject(); ok {
		q.Projection = spec
		first.Stages, rest.Stages = rest.Stages[:1], rest.Stages[1:]
	} else {
		first.Stages = nil
	}
	p, err := src.plan(r.Op, ns, q, true)
	if err != nil {
		return err
	}
	if len(rest.Stages) == 0 {
		p.WholePipeline()
		return r.written(p, b, verbosity)
	}
	return r.writtenStages(p, &first, rest, b, verbosity)
}

// writtenStages runs the plan and the stages, each counted, and writes all of them.
// Nothing is written: a stage that would gets its rows, and that is all.
func (r *Request) writtenStages(p *plan.Plan, first, rest *agg.Pipeline, b *bsonval.Builder, verbosity string) error {
	counts := make([]*counted, len(rest.Stages)+1)
	if verbosity != "queryPlanner" {
		it, err := p.Run(r.Op)
		if err != nil {
			return err
		}
		if it, err = first.Over(it); err != nil {
			return err
		}
		counts[0] = &counted{Iterator: it, op: r.Op, main: p}
		for i := range rest.Stages {
			one := *rest
			one.Stages = rest.Stages[i : i+1]
			if one.Writes() {
				counts[i+1] = &counted{Iterator: stream.Docs(nil), op: r.Op, main: p, below: counts[i]}
				if err := drain(counts[i]); err != nil {
					return err
				}
				continue
			}
			if it, err = one.Over(counts[i]); err != nil {
				return err
			}
			counts[i+1] = &counted{Iterator: it, op: r.Op, main: p, below: counts[i]}
		}
		if err := drain(counts[len(counts)-1]); err != nil {
			return err
		}
	}
	b.OpenArray("stages")
	b.OpenItem().OpenDoc("$cursor")
	p.Explain(b, verbosity)
	b.Close()
	counts[0].write(b, "$cursor")
	b.Close()
	shown := rest.Explained(p.Distinct())
	for i := 0; i < len(shown); i++ {
		if shown[i].Name == "" { // it is part of the stage before it
			continue
		}
		end := i + 1
		for end < len(shown) && shown[end].Name == "" {
			end++
		}
		for _, stage := range agg.Desugared(shown[i]) {
			b.OpenItem()
			if m := stage.Filter(); m != nil {
				b.SetDoc(stage.Name, plan.Normal(m, r.Op.Collator))
			} else {
				b.Set(stage.Name, stage.Arg)
			}
			counts[end].write(b, stage.Name)
			b.Close()
		}
	}
	b.Close()
	return nil
}

// counted counts the rows that pass, and what was examined to make them.
type counted struct {
	stream.Iterator
	op         *opctx.Op
	main       *plan.Plan // the pipeline's own
	below      *counted   // nil: the cursor
	n, size    int64
	keys, docs int64 // with those of the stages below
	last       opctx.Plan
	scans      int64
	indexes    []string
}

func (c *counted) Next() (stream.Row, bool, error) {
	before := c.op.Work
	row, ok, err := c.Iterator.Next()
	c.keys += c.op.Work.KeysExamined - before.KeysExamined
	c.docs += c.op.Work.DocsExamined - before.DocsExamined
	c.notice()
	if ok {
		c.n++
		c.size += int64(len(row.Doc))
	}
	return row, ok, err
}

// notice tells what the plans of other collections read.
func (c *counted) notice() {
	p, ok := c.op.Plan.(*plan.Plan)
	if !ok || p == c.main || c.op.Plan == c.last {
		return
	}
	c.last = p
	names := p.Indexes()
	if len(names) == 0 {
		c.scans++
	}
	for _, name := range names {
		if !slices.Contains(c.indexes, name) {
			c.indexes = append(c.indexes, name)
		}
	}
}

// write writes what explain shows of a stage's work.
func (c *counted) write(b *bsonval.Builder, stage string) {
	if c == nil {
		return
	}
	switch stage {
	case "$lookup":
		b.Int64("totalDocsExamined", c.docs-c.below.docs).Int64("totalKeysExamined", c.keys-c.below.keys).Int64("collectionScans", c.scans)
		b.OpenArray("indexesUsed")
		for _, name := range c.indexes {
			b.ItemStr(name)
		}
		b.Close()
	case "$group":
		b.Int64("totalOutputDataSizeBytes", c.size).Bool("usedDisk", false).Int64("spills", 0)
	case "$sort":
		b.Int64("totalDataSizeSortedBytesEstimate", c.below.size).Bool("usedDisk", false).Int64("spills", 0)
	}
	b.Int64("nReturned", c.n).Int64("executionTimeMillisEstimate", 0)
}

func drain(it stream.Iterator) error {
	defer it.Close()
	for {
		if _, ok, err := it.Next(); err != nil || !ok {
			return err
		}
	}
}
