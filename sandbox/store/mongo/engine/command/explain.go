package command

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// explainCommands tell how a command would be run.
func (s *Server) explainCommands() []Spec {
	return []Spec{
		{Name: "explain", Fields: "verbosity", Run: s.explain},
	}
}

// explain runs the planner, and but for the least verbosity the plan, of the command
// that it holds, and changes nothing.
func (s *Server) explain(r *Request) (bsonval.Doc, error) {
	v := r.Body.First().Value
	if v.Type() != bsonval.Object {
		return nil, wrongType("explain.explain", v, "object")
	}
	verbosity := "allPlansExecution"
	if w := r.Body.Get("verbosity"); !w.IsMissing() {
		if w.Type() != bsonval.String {
			return nil, wrongType("explain.verbosity", w, "string")
		}
		verbosity = w.Str()
	}
	switch verbosity {
	case "queryPlanner", "executionStats", "allPlansExecution":
	default:
		return nil, mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field 'verbosity' is not a valid value.", verbosity)
	}
	inner, err := r.inner(v.Doc())
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(4096)
	b.Str("explainVersion", "1")
	if err := s.explainInto(inner, b, verbosity); err != nil {
		return nil, err
	}
	r.explainEnd(b, inner.Body)
	return b.Doc(), nil
}

// inner is the request of the command that is explained.
func (r *Request) inner(body bsonval.Doc) (*Request, error) {
	name := body.First().Name
	spec := r.Server.specs[name]
	if spec == nil {
		return nil, mongoerr.New(mongoerr.CommandNotFound, "Explain failed due to unknown command: %s", name)
	}
	if db := body.Get("$db"); db.Type() == bsonval.String && db.Str() != r.DB {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Mismatched $db in explain command. Expected %s but got %s", r.DB, db.Str())
	} else if db.IsMissing() {
		body = bsonval.BuilderOf(body).Str("$db", r.DB).Doc()
	}
	in := *r
	in.Body, in.Spec = body, spec
	return &in, r.Server.authorize(&in)
}

func (s *Server) explainInto(r *Request, b *bsonval.Builder, verbosity string) error {
	switch r.Spec.Name {
	case "find":
		return s.explainFind(r, b, verbosity)
	case "count":
		return s.explainCount(r, b, verbosity)
	case "distinct":
		return s.explainDistinct(r, b, verbosity)
	case "aggregate":
		return s.explainPipeline(r, b, verbosity)
	case "update", "delete", "findAndModify":
		return s.explainWrite(r, b, verbosity)
	}
	return mongoerr.New(mongoerr.IllegalOperation, "Cannot explain cmd: %s", r.Spec.Name)
}

// explainEnd writes what every explain ends with.
func (r *Request) explainEnd(b *bsonval.Builder, body bsonval.Doc) {
	switch body.First().Name {
	case "find", "aggregate", "distinct":
		b.Str("queryShapeHash", queryShape(r.DB, body))
	}
	b.SetDoc("command", body)
	host, port := hostPort(r.Conn.Addr)
	b.OpenDoc("serverInfo").Str("host", host).Int32("port", port).Str("version", Version).Str("gitVersion", "storeroom").Close()
	b.OpenDoc("serverParameters")
	for _, name := range []string{"internalQueryFacetBufferSizeBytes", "internalQueryFacetMaxOutputDocSizeBytes", "internalLookupStageIntermediateDocumentMaxSizeBytes",
		"internalDocumentSourceGroupMaxMemoryBytes", "internalQueryMaxBlockingSortMemoryUsageBytes"} {
		b.Number(name, r.Op.Memory())
	}
	b.Int32("internalQueryProhibitBlockingMergeOnMongoS", 0).Number("internalQueryMaxAddToSetBytes", r.Op.Memory())
	b.Number("internalDocumentSourceSetWindowFieldsMaxMemoryBytes", r.Op.Memory())
	b.Str("internalQueryFrameworkControl", "forceClassicEngine").Int32("internalQueryPlannerIgnoreIndexWithCollationForRegex", 1)
	b.Close()
}

// queryShape is a hash of what commands have in common that differ in their values
// alone.
func queryShape(db string, body bsonval.Doc) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s.%s", db, body.First().Value)
	for _, name := range []string{"filter", "query", "key", "sort", "projection", "pipeline", "hint", "min", "max", "collation", "let"} {
		if v := body.Get(name); !v.IsMissing() {
			fmt.Fprintf(h, " %s:", name)
			writeShape(h, v, name == "sort" || name == "hint" || name == "key" || name == "collation")
		}
	}
	return strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}

// writeShape writes a value without its literals, unless they are part of the shape.
func writeShape(w io.Writer, v bsonval.Value, literals bool) {
	switch {
	case v.Type() == bsonval.Object:
		fmt.Fprint(w, "{")
		for name, x := range v.Doc().All() {
			fmt.Fprintf(w, "%q:", name)
			writeShape(w, x, literals || name == "$sort")
		}
		fmt.Fprint(w, "}")
	case v.Type() == bsonval.Array:
		fmt.Fprint(w, "[")
		for x := range v.Doc().Values() {
			writeShape(w, x, literals)
		}
		fmt.Fprint(w, "]")
	case literals, v.Type() == bsonval.String && strings.HasPrefix(v.Str(), "$"):
		fmt.Fprint(w, v)
	default:
		fmt.Fprint(w, v.Type())
	}
}

func hostPort(addr string) (string, int32) {
	host, port, _ := strings.Cut(addr, ":")
	n := int32(0)
	for _, c := range port {
		if c >= '0' && c <= '9' {
			n = n*10 + c - '0'
		}
	}
	return host, n
}

// written runs the plan where the verbosity asks for it, and writes what it did.
func (r *Request) written(p *plan.Plan, b *bsonval.Builder, verbosity string) error {
	if verbosity != "queryPlanner" {
		if err := p.Drain(r.Op); err != nil {
			if r.Op.Check() != nil {
				return err
			}
			p.Fail(err)
		}
	}
	p.Explain(b, verbosity)
	return nil
}

func (s *Server) explainFind(r *Request, b *bsonval.Builder, verbosity string) error {
	f, err := r.parseFind()
	if err != nil {
		return err
	}
	coll := r.State().Collection(f.ns)
	if err := r.collate(r.Body, coll); err != nil {
		return err
	}
	if err := r.let(); err != nil {
		return err
	}
	if coll != nil && coll.IsView() {
		return s.explainStages(r, b, f.ns, f.stages(), verbosity)
	}
	f.query.Explain = true
	p, _, err := s.planFind(r, f, coll)
	if err != nil {
		return err
	}
	return r.written(p, b, verbosity)
}

// stages is the find as a pipeline, for one on a view.
func (f *finding) stages() bsonval.Doc {
	b := bsonval.NewBuilder(256)
	stage := func(name string, v bsonval.Value) { b.ItemDoc(bsonval.D(bsonval.E(name, v))) }
	if len(f.filter) > 5 {
		stage("$match", bsonval.DocValue(f.filter))
	}
	if len(f.query.Sort) > 5 {
		stage("$sort", bsonval.DocValue(f.query.Sort))
	}
	if f.query.Skip > 0 {
		stage("$skip", bsonval.LongValue(f.query.Skip))
	}
	if f.query.Limit > 0 {
		stage("$limit", bsonval.LongValue(f.query.Limit))
	}
	if len(f.projection) > 5 {
		stage("$project", bsonval.DocValue(f.projection))
	}
	return b.Doc()
}

func (s *Server) explainCount(r *Request, b *bsonval.Builder, verbosity string) error {
	f, err := r.parseCount()
	if err != nil {
		return err
	}
	f.query.Count, f.query.Explain = true, true
	return s.explainQuery(r, f, b, verbosity)
}

func (s *Server) explainDistinct(r *Request, b *bsonval.Builder, verbosity string) error {
	f, _, err := r.parseDistinct()
	if err != nil {
		return err
	}
	f.query.Explain = true
	return s.explainQuery(r, f, b, verbosity)
}

func (s *Server) explainQuery(r *Request, f finding, b *bsonval.Builder, verbosity string) error {
	coll := r.State().Collection(f.ns)
	if err := r.collate(r.Body, coll); err != nil {
		return err
	}
	if coll != nil && coll.IsView() {
		return s.explainStages(r, b, f.ns, f.stages(), verbosity)
	}
	p, _, err := s.planFind(r, f, coll)
	if err != nil {
		return err
	}
	return r.written(p, b, verbosity)
}

// explainWrite explains the first statement of a write. The changes are made in a
// transaction that is rolled back.
func (s *Server) explainWrite(r *Request, b *bsonval.Builder, verbosity string) error {
	ns, err := r.Collection()
	if err != nil {
		return err
	}
	if err := r.let(); err != nil {
		return err
	}
	stage, ch, m, err := r.parseExplained()
	if err != nil {
		return err
	}
	coll := r.State().Collection(ns)
	if err := r.collate(r.changing(), coll); err != nil {
		return err
	}
	if o, ok := crud.Series(coll); ok {
		return s.explainSeriesWrite(r, b, coll, o, stage, ch, verbosity)
	}
	env := s.matchEnv(r.Op, coll)
	env.NoExpr = ch.Upsert
	filter, err := match.Compile(ch.Filter, env)
	if err != nil {
		return err
	}
	if stage == "UPDATE" {
		w := &crud.Writer{Op: r.Op, Store: s.store, IDs: s.ids, Match: s.matchEnv}
		if err := w.Check(ch, coll); err != nil {
			return err
		}
	}
	q := plan.Query{NS: ns.String(), Filter: filter, Sort: ch.Sort, Hint: ch.Hint, Frame: expr.NewFrame(r.Op), Explain: true}
	q.First = !ch.Multi
	q.Write = map[string]plan.Write{"update": plan.Update, "delete": plan.Delete, "findAndModify": plan.Modify}[r.Spec.Name]
	p, err := plan.Choose(r.Op, coll, q)
	if err != nil {
		return err
	}
	var res crud.Result
	if verbosity != "queryPlanner" {
		var failed error
		if res, failed = r.tryChange(ns, stage, ch); r.Op.Check() != nil {
			return failed
		}
		p.Fail(failed)
	}
	if stage == "DELETE" && ch.Multi {
		stage = "BATCHED_DELETE"
	}
	p.Wrap(stage, func(b *bsonval.Builder, done bool) { describeChange(b, stage, ch, res, done) })
	if m != nil {
		p.Answers(m.answers(res), m.fields)
	}
	return r.written(p, b, verbosity)
}

func describeChange(b *bsonval.Builder, stage string, ch crud.Change, res crud.Result, done bool) {
	switch {
	case !done:
	case stage == "DELETE" || stage == "BATCHED_DELETE":
		b.Number("nWouldDelete", res.Matched)
	default:
		b.Number("nMatched", res.Matched).Number("nWouldModify", res.Modified).Number("nWouldUpsert", upsertedCount(res))
	}
}

// changing is the document that holds the explained write's options: the one statement of
// an update or a delete.
func (r *Request) changing() bsonval.Doc {
	if docs, _, err := r.statements(r.Spec.Name + "s"); err == nil && len(docs) == 1 {
		return docs[0]
	}
	return r.Body
}

// parseExplained reads the one change that update, delete or findAndModify ask for; m
// is nil but for the last.
func (r *Request) parseExplained() (stage string, ch crud.Change, m *modification, err error) {
	if r.Spec.Name == "findAndModify" {
		m, err := r.parseModification()
		if m.remove {
			return "DELETE", m.change, &m, err
		}
		return "UPDATE", m.change, &m, err
	}
	docs, _, err := r.statements(r.Spec.Name + "s")
	if err != nil {
		return "", ch, nil, err
	}
	if len(docs) != 1 {
		return "", ch, nil, mongoerr.New(mongoerr.InvalidLength, "explained write batches must be of size 1")
	}
	if r.Spec.Name == "delete" {
		ch, err := parseDelete(docs[0])
		return "DELETE", ch, nil, err
	}
	ch, err = parseUpdate(docs[0])
	return "UPDATE", ch, nil, err
}

// tryChange makes the change and takes it back.
func (r *Request) tryChange(ns storage.NS, stage string, ch crud.Change) (res crud.Result, err error) {
	s := r.Server
	tx := s.store.BeginAt(r.State())
	defer tx.Rollback()
	work := r.Op.Work
	defer func() { r.Op.Work = work }()
	w := &crud.Writer{Op: r.Op, Store: s.store, Tx: tx, IDs: s.ids, Match: s.matchEnv}
	if stage == "DELETE" {
		return w.Delete(ns, ch)
	}
	return w.Update(ns, ch)
}
