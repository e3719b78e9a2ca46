package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/project"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// modification is what findAndModify asks for.
type modification struct {
	change      crud.Change
	remove, new bool
	fields      bsonval.Doc
}

func (r *Request) parseModification() (m modification, err error) {
	d := r.Body
	ch := &m.change
	if ch.Filter, err = r.Doc("query"); err != nil {
		return m, err
	}
	if ch.Sort, err = r.Doc("sort"); err != nil {
		return m, err
	}
	if m.fields, err = r.Doc("fields"); err != nil {
		return m, err
	}
	if m.remove, err = r.Bool("remove"); err != nil {
		return m, err
	}
	if m.new, err = r.Bool("new"); err != nil {
		return m, err
	}
	if ch.Upsert, err = r.Bool("upsert"); err != nil {
		return m, err
	}
	if ch.ArrayFilters, err = arrayField(d, "arrayFilters", r.field("arrayFilters")); err != nil {
		return m, err
	}
	if ch.Filter == nil {
		ch.Filter = bsonval.EmptyDoc()
	}
	ch.Update, ch.Hint, ch.Metas = d.Get("update"), d.Get("hint"), expr.Metas(bsonval.DocValue(m.fields))
	return m, m.check()
}

func (m *modification) check() error {
	hasUpdate := !m.change.Update.IsMissing()
	switch {
	case m.remove && hasUpdate:
		return mongoerr.New(mongoerr.FailedToParse, "Cannot specify both an update and remove=true")
	case m.remove && m.change.Upsert:
		return mongoerr.New(mongoerr.FailedToParse, "Cannot specify both upsert=true and remove=true ")
	case m.remove && m.new:
		return mongoerr.New(mongoerr.FailedToParse, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
	case m.remove && len(m.change.ArrayFilters) > 5:
		return mongoerr.New(mongoerr.FailedToParse, "Cannot specify arrayFilters and remove=true")
	case slices.Contains(m.change.Metas, "sortKey"):
		return mongoerr.New(mongoerr.BadValue, "Cannot use a $meta sortKey projection in findAndModify commands.")
	case !m.remove && !hasUpdate:
		return mongoerr.New(mongoerr.FailedToParse, "Either an update or remove=true must be specified")
	}
	return nil
}

func (s *Server) findAndModify(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := r.mayWrite(ns); err != nil {
		return nil, err
	}
	m, err := r.parseModification()
	if err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	if _, ok := crud.Series(r.State().Collection(ns)); ok {
		if err := r.modifiesSeries(m); err != nil {
			return nil, err
		}
	}
	s.counters.update.Add(1)
	s.counters.modifies.count(m.change)
	if old := r.answered(0); old != nil {
		return bsonval.BuilderOf(old).Int32("retriedStmtId", r.stmt(0)).Doc(), nil
	}
	err = r.write(func(w *crud.Writer) error {
		reply, err := m.run(r, w, ns)
		r.answers = []bsonval.Doc{reply}
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.answers[0], nil
}

// run does it and answers the reply.
func (m *modification) run(r *Request, w *crud.Writer, ns storage.NS) (bsonval.Doc, error) {
	coll := w.Tx.Collection(ns)
	if err := r.collate(r.Body, coll); err != nil {
		return nil, err
	}
	proj, err := m.projection(r, r.Server.matchEnv(r.Op, coll))
	if err != nil {
		return nil, err
	}
	var res crud.Result
	if m.remove {
		res, err = w.Delete(ns, m.change)
	} else {
		res, err = w.Update(ns, m.change)
	}
	if err != nil {
		return nil, err
	}
	value, err := m.value(r, proj, res)
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(256)
	b.OpenDoc("lastErrorObject").Int32("n", int32(min(1, res.Matched+upsertedCount(res))))
	if !m.remove {
		b.Bool("updatedExisting", res.Matched > 0).Set("upserted", res.Upserted)
	}
	b.Close()
	b.Set("value", value)
	return b.Doc(), nil
}

// modifiesSeries refuses what findAndModify can't do on a time series.
func (r *Request) modifiesSeries(m modification) error {
	code := mongoerr.Code(7314600)
	if m.remove {
		code = 7308305
	}
	switch {
	case r.retry:
		return mongoerr.New(code, "Retryable findAndModify on a timeseries is not supported")
	case len(m.change.Sort) > 5:
		return mongoerr.New(mongoerr.InvalidOptions, "Cannot perform findAndModify with sort on a time-series collection")
	}
	return nil
}

func upsertedCount(res crud.Result) int64 {
	if res.Upserted.IsMissing() {
		return 0
	}
	return 1
}

// projection compiles fields, before anything is changed; nil for none.
func (m *modification) projection(r *Request, env match.Env) (*project.Projection, error) {
	if len(m.fields) <= 5 {
		return nil, nil
	}
	q, err := match.Compile(m.change.Filter, env)
	if err != nil {
		return nil, err
	}
	p, err := project.Compile(m.fields, project.Env{Match: env, Query: q, Find: true, Scope: expr.NewScope(r.Op.Let)})
	if err == nil && m.new && p.Positional() {
		err = mongoerr.New(mongoerr.BadValue, "cannot use a positional projection and return the new document")
	}
	return p, err
}

// answers is how many documents the change gives back: one or none.
func (m *modification) answers(res crud.Result) int64 {
	if m.new {
		return min(1, res.Matched+upsertedCount(res))
	}
	return min(1, res.Matched)
}

// value is the document before, or after, with the projection applied.
func (m *modification) value(r *Request, p *project.Projection, res crud.Result) (bsonval.Value, error) {
	doc := res.Before
	if m.new {
		doc = res.After
	}
	if doc == nil {
		return bsonval.NullValue(), nil
	}
	if p == nil {
		return bsonval.DocValue(doc), nil
	}
	out, err := p.Apply(expr.NewFrame(r.Op), stream.Row{Doc: doc, Meta: res.Meta})
	return bsonval.DocValue(out), err
}

// let evaluates the command's let variables, which may use those before them.
func (r *Request) let() error {
	d, err := r.Doc("let")
	if err != nil || d == nil {
		return err
	}
	var b bsonval.Builder
	scope := expr.NewScope(nil)
	frame := expr.NewFrame(r.Op)
	frame.ResetDoc(bsonval.EmptyDoc())
	for name, v := range d.All() {
		if agg.ReadsDocument(v) {
			return mongoerr.New(4890500, "Command let Expression tried to access a field, but this is not allowed because Command let Expressions run before the query examines any documents.")
		}
		e, err := expr.Compile(v, scope)
		if err != nil {
			return err
		}
		got, err := e.Eval(frame)
		if err != nil {
			return err
		}
		var slot int
		scope, slot = scope.Define(name)
		frame.Set(slot, got)
		if got.IsMissing() {
			got = bsonval.UndefinedValue() // which a frame takes for missing
		}
		b.Set(name, got)
	}
	r.Op.Let = b.Doc()
	return nil
}
