package command

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/project"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

const findFields = "filter sort projection hint skip limit batchSize singleBatch max min returnKey showRecordId tailable awaitData oplogReplay noCursorTimeout allowPartialResults allowDiskUse collation let options term readOnce allowSpeculativeMajorityRead resumeAfter requestResumeToken runtimeConstants"

func (s *Server) queryCommands() []Spec {
	return []Spec{
		{Name: "find", Fields: findFields, Run: s.find, InTxn: true},
		{Name: "count", Fields: "query limit skip hint collation fields", Run: s.count, InTxn: false},
		{Name: "distinct", Fields: "key query collation hint", Run: s.distinct, InTxn: true},
	}
}

// defaultBatch is how many documents a first batch holds when none is asked for.
const defaultBatch = 101

// finding is a find command, read.
type finding struct {
	ns         storage.NS
	filter     bsonval.Doc
	projection bsonval.Doc
	query      plan.Query
	batch      int64 // -1: the default
	single     bool
	limited    bool
	tailable   bool
	await      bool
	noTimeout  bool
}

func (r *Request) parseFind() (f finding, err error) {
	if f.ns, err = r.findNS(); err != nil {
		return f, err
	}
	if f.filter, err = r.Doc("filter"); err != nil {
		return f, err
	}
	if f.filter == nil {
		f.filter = bsonval.EmptyDoc()
	}
	if f.query.Sort, err = r.Doc("sort"); err != nil {
		return f, err
	}
	if f.projection, err = r.Doc("projection"); err != nil {
		return f, err
	}
	if f.query.Min, err = r.Doc("min"); err != nil {
		return f, err
	}
	if f.query.Max, err = r.Doc("max"); err != nil {
		return f, err
	}
	f.query.Hint = r.Body.Get("hint")
	if err := f.numbers(r); err != nil {
		return f, err
	}
	return f, f.flags(r)
}

// findNS is the collection by name, or by UUID.
func (r *Request) findNS() (storage.NS, error) {
	v := r.Body.First().Value
	if v.Type() == bsonval.Binary {
		if _, data := v.Binary(); len(data) == 16 {
			if c := r.State().ByUUID([16]byte(data)); c != nil && c.NS.DB == r.DB {
				return c.NS, nil
			}
			return storage.NS{}, mongoerr.New(mongoerr.NamespaceNotFound, "Unable to resolve %s", v)
		}
	}
	return r.Collection()
}

func (f *finding) numbers(r *Request) (err error) {
	if f.query.Skip, err = r.Long("skip", 0); err != nil {
		return err
	}
	if f.query.Limit, err = r.Long("limit", 0); err != nil {
		return err
	}
	if f.batch, err = r.Long("batchSize", -1); err != nil {
		return err
	}
	has := !r.Body.Get("batchSize").IsMissing()
	switch {
	case f.query.Skip < 0:
		return mongoerr.New(51024, "BSON field 'skip' value must be >= 0, actual value '%d'", f.query.Skip)
	case f.query.Limit < 0:
		return mongoerr.New(51024, "BSON field 'limit' value must be >= 0, actual value '%d'", f.query.Limit)
	case has && f.batch < 0:
		return mongoerr.New(51024, "BSON field 'batchSize' value must be >= 0, actual value '%d'", f.batch)
	}
	f.limited = f.query.Limit > 0
	return nil
}

func (f *finding) flags(r *Request) (err error) {
	for name, to := range map[string]*bool{
		"singleBatch": &f.single, "tailable": &f.tailable, "awaitData": &f.await, "noCursorTimeout": &f.noTimeout,
		"returnKey": &f.query.ReturnKey, "showRecordId": &f.query.ShowRecordID,
	} {
		if *to, err = r.Bool(name); err != nil {
			return err
		}
	}
	if f.await && !f.tailable {
		return mongoerr.New(mongoerr.FailedToParse, "Cannot set 'awaitData' without also setting 'tailable'")
	}
	return checkSort(f.query.Sort)
}

func checkSort(sort bsonval.Doc) error {
	natural := sort.Get("$natural")
	switch {
	case sort.IsEmpty():
		return nil
	case natural.IsMissing():
	case sort.Len() > 1:
		return mongoerr.New(mongoerr.BadValue, "Cannot include '$natural' in compound sort: %s", sort)
	case !natural.IsNumber() || natural.Float() != 1 && natural.Float() != -1:
		return mongoerr.New(mongoerr.BadValue, "$natural sort cannot be set to a value other than -1 or 1.")
	default:
		return nil
	}
	_, err := expr.ParseOrder(sort)
	return err
}

func (s *Server) find(r *Request) (bsonval.Doc, error) {
	f, err := r.parseFind()
	if err != nil {
		return nil, err
	}
	s.counters.query.Add(1)
	coll := r.State().Collection(f.ns)
	if coll == nil {
		f.tailable, f.await = false, false // there is nothing to wait for
	}
	it, err := s.open(r, f, coll)
	if err != nil {
		return nil, err
	}
	c := &cursor.Cursor{NS: f.ns.String(), Op: r.Op, Rows: it, NoTimeout: f.noTimeout, Tailable: f.tailable, Await: f.await, Command: r.Body}
	r.bind(c, coll)
	return s.firstBatch(r, c, f.batch, f.single, f.query.Limit)
}

// open plans and starts a find; on a view it becomes a pipeline.
func (s *Server) open(r *Request, f finding, coll *storage.Collection) (stream.Iterator, error) {
	if err := r.collate(r.Body, coll); err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	if coll != nil && coll.IsView() {
		return s.findOnView(r, f)
	}
	p, proj, err := s.planFind(r, f, coll)
	if err != nil {
		return nil, err
	}
	var it stream.Iterator
	if f.tailable {
		it, err = s.openTail(r, f, coll)
	} else {
		it, err = p.Run(r.Op)
	}
	if err != nil {
		return nil, err
	}
	if f.query.ShowRecordID && !f.query.ReturnKey {
		return &projected{it, proj, expr.NewFrame(r.Op), true}, nil
	}
	if proj == nil {
		return it, nil
	}
	return &projected{it, proj, expr.NewFrame(r.Op), false}, nil
}

// planFind chooses find's plan and compiles its projection, nil for none.
func (s *Server) planFind(r *Request, f finding, coll *storage.Collection) (*plan.Plan, *project.Projection, error) {
	env := s.matchEnv(r.Op, coll)
	m, err := match.Compile(f.filter, env)
	if err != nil {
		return nil, nil, err
	}
	var proj *project.Projection
	if len(f.projection) > 5 && !f.query.ReturnKey {
		proj, err = project.Compile(f.projection, project.Env{Scope: expr.NewScope(r.Op.Let), Match: env, Query: m, Find: true})
		if err != nil {
			return nil, nil, err
		}
	}
	f.query.Filter, f.query.Projection = m, f.projection
	if f.query.Distinct != "" { // the values are taken from the rows that the plan gives
		f.query.Projection = bsonval.D(bsonval.E(f.query.Distinct, bsonval.IntValue(1)), bsonval.E("_id", bsonval.IntValue(0)))
	}
	f.query.Frame = expr.NewFrame(r.Op)
	f.query.NS, f.query.Cache, f.query.Tailable = f.ns.String(), s.plans, f.tailable
	p, err := plan.Choose(r.Op, coll, f.query)
	return p, proj, err
}

// projected applies a projection to rows.
type projected struct {
	stream.Iterator
	p     *project.Projection // nil: none
	frame *expr.Frame
	ids   bool // showRecordId
}

func (p *projected) Next() (stream.Row, bool, error) {
	row, ok, err := p.Iterator.Next()
	if !ok || err != nil {
		return row, false, err
	}
	id := bsonval.LongValue(row.Record)
	if p.ids && row.Meta != nil && row.Meta.RecordID != nil {
		id = row.Meta.RecordID(row.Doc)
	}
	if p.p != nil {
		row.Doc, err = p.p.Apply(p.frame, row)
	}
	if p.ids && err == nil {
		row.Doc = bsonval.BuilderOf(row.Doc).Set("$recordId", id).Doc()
	}
	return row, err == nil, err
}

// parseCount reads a count command. A negative limit counts as a positive one.
func (r *Request) parseCount() (f finding, err error) {
	if f.ns, err = r.findNS(); err != nil {
		return f, err
	}
	if f.filter, err = r.Doc("query"); err != nil {
		return f, err
	}
	if f.query.Limit, err = r.Long("limit", 0); err != nil {
		return f, err
	}
	if f.query.Skip, err = r.Long("skip", 0); err != nil {
		return f, err
	}
	if f.query.Skip < 0 {
		return f, mongoerr.New(51024, "BSON field 'skip' value must be >= 0, actual value '%d'", f.query.Skip)
	}
	f.query.Limit = max(f.query.Limit, -f.query.Limit)
	if f.filter == nil {
		f.filter = bsonval.EmptyDoc()
	}
	f.query.Hint = r.Body.Get("hint")
	return f, nil
}

func (s *Server) count(r *Request) (bsonval.Doc, error) {
	f, err := r.parseCount()
	if err != nil {
		return nil, err
	}
	coll := r.State().Collection(f.ns)
	n := int64(0)
	if coll != nil && coll.IsView() {
		n, err = s.countRows(r, f, coll)
	} else {
		n, err = s.countPlan(r, f, coll)
	}
	return bsonval.D(bsonval.E("n", bsonval.NumberValue(n))), err
}

func (s *Server) countPlan(r *Request, f finding, coll *storage.Collection) (int64, error) {
	if err := r.collate(r.Body, coll); err != nil {
		return 0, err
	}
	f.query.Count = true
	p, _, err := s.planFind(r, f, coll)
	if err != nil {
		return 0, err
	}
	return p.Count(r.Op)
}

// countRows counts a view's documents.
func (s *Server) countRows(r *Request, f finding, coll *storage.Collection) (int64, error) {
	it, err := s.open(r, f, coll)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	for n := int64(0); ; n++ {
		if _, ok, err := it.Next(); err != nil || !ok {
			return n, err
		}
	}
}

// parseDistinct reads a distinct command and the field that it asks for.
func (r *Request) parseDistinct() (f finding, key string, err error) {
	if f.ns, err = r.findNS(); err != nil {
		return f, "", err
	}
	v := r.Body.Get("key")
	if v.IsMissing() {
		return f, "", required("distinct.key")
	}
	if v.Type() != bsonval.String {
		return f, "", wrongType("distinct.key", v, "string")
	}
	if strings.Contains(v.Str(), "\x00") {
		return f, "", mongoerr.New(31032, "Key field cannot contain an embedded null byte")
	}
	if f.filter, err = r.Doc("query"); err != nil {
		return f, "", err
	}
	if f.filter == nil {
		f.filter = bsonval.EmptyDoc()
	}
	f.query.Hint, f.query.Distinct = r.Body.Get("hint"), v.Str()
	return f, v.Str(), nil
}

func (s *Server) distinct(r *Request) (bsonval.Doc, error) {
	f, key, err := r.parseDistinct()
	if err != nil {
		return nil, err
	}
	it, err := s.open(r, f, r.State().Collection(f.ns))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	return r.distinctValues(it, key)
}

func (r *Request) distinctValues(it stream.Iterator, path string) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenArray("values")
	seen := map[string]bool{}
	for {
		row, ok, err := it.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			b.Close()
			r.atClusterTime(&b)
			return b.Doc(), nil
		}
		match.Values(row.Doc, path, func(v bsonval.Value) {
			k := string(bsonval.AppendKey(nil, v, r.Op.Collator))
			if !seen[k] {
				seen[k] = true
				b.Item(v)
			}
		})
		if b.Len() > bsonval.MaxDocument {
			return nil, mongoerr.New(17217, "distinct too big, 16mb cap")
		}
	}
}
