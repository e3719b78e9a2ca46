package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/project"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// source is the database as a request's pipeline sees it.
type source struct {
	r     *Request
	state *storage.State // one snapshot for the whole pipeline
	depth int
}

// maxViewDepth is how deep views may stand on views.
const maxViewDepth = 20

func (src *source) snapshot() *storage.State {
	if src.state == nil {
		src.state = src.r.State()
	}
	return src.state
}

// resolve answers a view's pipeline and the collection below all views; nil when ns
// is none.
func (src *source) resolve(ns storage.NS) (pipeline bsonval.Doc, under storage.NS, err error) {
	for depth := 0; ; depth++ {
		c := src.snapshot().Collection(ns)
		if c == nil || !c.IsView() {
			return pipeline, ns, nil
		}
		if depth == maxViewDepth {
			return nil, ns, mongoerr.New(mongoerr.ViewDepthLimitExceeded, "View depth too deep or view cycle detected; maximum depth is %d", maxViewDepth)
		}
		own := bsonval.EmptyDoc()
		if v := c.Options.Get("pipeline"); v.Type() == bsonval.Array {
			own = v.Doc()
		}
		if pipeline == nil {
			pipeline = bsonval.EmptyDoc()
		}
		pipeline = concat(own, pipeline)
		ns = storage.NS{DB: ns.DB, Coll: c.Options.Get("viewOn").Str()}
		if firstStage(pipeline) == "$collStats" {
			return pipeline, ns, nil // of the view itself
		}
	}
}

// Find implements agg.Source.
func (src *source) Find(op *opctx.Op, db, coll string, q agg.Query) (stream.Iterator, error) {
	if coll == "" {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "{aggregate: 1} is not valid for this pipeline; a collection must be named")
	}
	view, ns, err := src.resolve(storage.NS{DB: db, Coll: coll})
	if err != nil {
		return nil, err
	}
	if view != nil {
		if err := src.viewCollation(op, storage.NS{DB: db, Coll: coll}); err != nil {
			return nil, err
		}
		if q.Hint, err = src.bucketHint(storage.NS{DB: db, Coll: coll}, q.Hint); err != nil {
			return nil, err
		}
		return src.findOnView(op, ns, view, q)
	}
	p, err := src.plan(op, ns, q, false)
	if err != nil {
		return nil, err
	}
	return p.Run(op)
}

// viewCollation refuses to read a view under another collation than its own.
func (src *source) viewCollation(op *opctx.Op, ns storage.NS) error {
	var own bsonval.Collator
	if v := src.snapshot().Collection(ns).Options.Get("collation"); v.Type() == bsonval.Object && !v.Doc().IsEmpty() {
		var err error
		if own, err = collation.Parse(v.Doc()); err != nil {
			return err
		}
	}
	if !plan.SameCollation(own, op.Collator) {
		return mongoerr.New(mongoerr.OptionNotSupportedOnView, "Cannot override default collation of view %s", ns)
	}
	return nil
}

// plan chooses how a collection is read.
func (src *source) plan(op *opctx.Op, ns storage.NS, q agg.Query, explain bool) (*plan.Plan, error) {
	c := src.snapshot().Collection(ns)
	filter := q.Filter
	if filter == nil {
		filter = bsonval.EmptyDoc()
	}
	s := src.r.Server
	env := s.matchEnv(op, c)
	env.Scope = q.Let
	m, err := match.Compile(filter, env)
	if err != nil {
		return nil, err
	}
	return plan.Choose(op, c, plan.Query{
		NS: ns.String(), Filter: m, Sort: q.Sort, Skip: q.Skip, Limit: q.Limit, Hint: q.Hint, Frame: q.Frame, Near: q.Near, Score: q.Score, IndexKey: q.IndexKey,
		Projection: q.Projection, CountOnly: q.Projection != nil && q.Projection.IsEmpty(), Distinct: q.Distinct, Grouped: true, Whole: q.Whole, Last: q.Last,
		Cache: s.plans, Explain: explain,
	})
}

// findOnView runs a view's pipeline and then what was asked of the view.
func (src *source) findOnView(op *opctx.Op, ns storage.NS, view bsonval.Doc, q agg.Query) (stream.Iterator, error) {
	b := bsonval.NewBuilder(len(view) + 256)
	for v := range view.Values() {
		b.Item(v)
	}
	stage := func(name string, v bsonval.Value) { b.ItemDoc(bsonval.D(bsonval.E(name, v))) }
	if len(q.Filter) > 5 {
		stage("$match", bsonval.DocValue(q.Filter))
	}
	if len(q.Sort) > 5 {
		stage("$sort", bsonval.DocValue(q.Sort))
	}
	if q.Skip > 0 {
		stage("$skip", bsonval.LongValue(q.Skip))
	}
	if q.Limit > 0 {
		stage("$limit", bsonval.LongValue(q.Limit))
	}
	scope, frame := q.Let, q.Frame
	if scope == nil {
		scope = expr.NewScope(op.Let)
	}
	p, err := agg.Compile(b.Doc(), &agg.Env{Op: op, DB: ns.DB, Coll: ns.Coll, Geo: geo.Condition, Source: src, Scope: scope, Frame: frame, Hint: q.Hint})
	if err != nil {
		return nil, err
	}
	return p.Run()
}

// findOnView is find on a view.
func (s *Server) findOnView(r *Request, f finding) (stream.Iterator, error) {
	src := &source{r: r}
	for _, option := range [...]string{"min", "max", "returnKey", "showRecordId", "tailable", "readOnce"} {
		if v := r.Body.Get(option); v.Truth() {
			return nil, mongoerr.New(mongoerr.InvalidPipelineOperator, "Option %s not supported in aggregation.", option)
		}
	}
	if by := f.query.Sort.Get("$natural"); !by.IsMissing() {
		f.query.Sort, f.query.Hint = nil, bsonval.DocValue(f.query.Sort)
	}
	q := agg.Query{Filter: f.filter, Sort: f.query.Sort, Skip: f.query.Skip, Limit: f.query.Limit, Hint: f.query.Hint}
	it, err := src.Find(r.Op, f.ns.DB, f.ns.Coll, q)
	if err != nil || len(f.projection) <= 5 {
		return it, err
	}
	proj, err := project.Compile(f.projection, project.Env{Scope: expr.NewScope(r.Op.Let)}) // as $project has it
	if err != nil {
		it.Close()
		return nil, err
	}
	return &projected{it, proj, expr.NewFrame(r.Op), false}, nil
}

// Update implements agg.Source.
func (src *source) Update(op *opctx.Op, db, coll string, statement bsonval.Doc) (int, error) {
	ch, err := parseUpdate(statement)
	if err != nil {
		return 0, err
	}
	n := 0
	err = src.r.write(func(w *crud.Writer) error {
		if err := mayMerge(w, storage.NS{DB: db, Coll: coll}); err != nil {
			return err
		}
		res, err := w.Update(storage.NS{DB: db, Coll: coll}, ch)
		n = int(res.Matched + upsertedCount(res))
		return err
	})
	return n, err
}

// mayMerge refuses a time series as $merge's target.
func mayMerge(w *crud.Writer, ns storage.NS) error {
	if _, ok := crud.Series(w.Tx.Collection(ns)); ok {
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a timeseries collection", ns)
	}
	return nil
}

// Insert implements agg.Source.
func (src *source) Insert(op *opctx.Op, db, coll string, docs []bsonval.Doc) error {
	return src.r.write(func(w *crud.Writer) error {
		if err := mayMerge(w, storage.NS{DB: db, Coll: coll}); err != nil {
			return err
		}
		for _, d := range docs {
			if _, err := w.Insert(storage.NS{DB: db, Coll: coll}, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// Replace implements agg.Source.
func (src *source) Replace(op *opctx.Op, db, coll string, docs []bsonval.Doc, series bsonval.Doc) error {
	ns := storage.NS{DB: db, Coll: coll}
	if err := crud.CheckNS(ns); err != nil {
		return err
	}
	return src.r.write(func(w *crud.Writer) error {
		if o, ok := crud.Series(w.Tx.Collection(ns)); ok || series != nil {
			return src.replaceSeries(w, ns, o, docs, series)
		}
		var options bsonval.Doc
		var indexes []*storage.Index
		if old := w.Tx.Collection(ns); old != nil {
			if old.Options.Get("capped").Truth() {
				return mongoerr.New(17152, "namespace '%s' is capped so it can't be used for $out", ns)
			}
			options, indexes = old.Options, slices.Clone(old.Indexes)
			if err := w.Tx.Drop(ns); err != nil {
				return err
			}
		}
		if _, err := crud.Create(op, w.Tx, ns, options); err != nil {
			return err
		}
		for _, ix := range indexes {
			if ix.Def.Name == "_id_" || ix.Def.Clustered {
				continue
			}
			if err := w.Tx.CreateIndex(op, ns, ix.Def); err != nil {
				return err
			}
		}
		for _, d := range docs {
			if _, err := w.Insert(ns, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// replaceSeries puts a time series in the place of one, or of nothing. found are the
// options of the one that is there.
func (src *source) replaceSeries(w *crud.Writer, ns storage.NS, found timeseries.Options, docs []bsonval.Doc, series bsonval.Doc) error {
	old := w.Tx.Collection(ns)
	options := bsonval.D(bsonval.E("timeseries", bsonval.DocValue(series)))
	var indexes []*storage.Index
	if old == nil {
		o, err := timeseries.Parse(series, "$out.timeseries.")
		if err == nil {
			err = o.CheckNames(ns.String())
		}
		if err != nil {
			return err
		}
		options = crud.SeriesOptions(ns, options, o)
	} else {
		if err := mayReplace(found, series); err != nil {
			return err
		}
		options, indexes = old.Options, slices.Clone(bucketsOf(w.Tx.Collection, old).Indexes)
		if err := crud.Drop(w.Tx, old); err != nil {
			return err
		}
	}
	if err := crud.CreateSeries(w.Op, w.Tx, ns, options); err != nil {
		return err
	}
	for _, ix := range indexes {
		if w.Tx.Collection(crud.BucketsNS(ns)).Index(ix.Def.Name) != nil {
			continue
		}
		if err := w.Tx.CreateIndex(w.Op, crud.BucketsNS(ns), ix.Def); err != nil {
			return err
		}
	}
	for _, d := range docs {
		if _, err := w.Insert(ns, d); err != nil {
			return err
		}
	}
	return nil
}

// mayReplace tells whether $out's timeseries, nil for none, fits what is there.
func mayReplace(found timeseries.Options, series bsonval.Doc) error {
	if found.Time == "" {
		return mongoerr.New(7268700, "Cannot create a time-series collection from a non time-series collection or view.")
	}
	if series == nil {
		return nil
	}
	if o, err := timeseries.Parse(series, "$out.timeseries."); err != nil || o != found {
		return mongoerr.New(7406103, "Time-series options inputted must match the existing time-series collection. Received: %sFound: %s", series, found.Doc())
	}
	return nil
}

// UniqueKey implements agg.Source.
func (src *source) UniqueKey(op *opctx.Op, db, coll string, fields []string) bool {
	c := src.snapshot().Collection(storage.NS{DB: db, Coll: coll})
	if c == nil {
		return slices.Equal(fields, []string{"_id"})
	}
	if slices.Equal(fields, []string{"_id"}) {
		return true
	}
	want := slices.Sorted(slices.Values(fields))
	for _, ix := range c.Indexes {
		if !ix.Def.Unique || ix.Def.Filter != nil || ix.Def.Kind != index.Ordered || !plan.SameCollation(ix.Def.Collator, op.Collator) {
			continue
		}
		var have []string
		for _, f := range ix.Def.Fields {
			have = append(have, f.Path)
		}
		slices.Sort(have)
		if slices.Equal(have, want) {
			return true
		}
	}
	return false
}

// Indexed implements agg.Indexed: an index begins with that field.
func (src *source) Indexed(op *opctx.Op, db, coll, field string) bool {
	c := src.snapshot().Collection(storage.NS{DB: db, Coll: coll})
	if c == nil {
		return false
	}
	for _, ix := range c.Indexes {
		d := ix.Def
		if d.Fields[0].Path == field && d.Kind == index.Ordered && !d.Hidden && !d.Sparse && d.Filter == nil && d.Collator == nil && op.Collator == nil {
			return true
		}
	}
	return false
}
