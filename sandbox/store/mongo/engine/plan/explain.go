package plan

import (
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// Explain writes queryPlanner, and executionStats when the plan has been run, into b.
// verbosity is queryPlanner, executionStats or allPlansExecution.
func (p *Plan) Explain(b *bsonval.Builder, verbosity string) {
	b.SetDoc("queryPlanner", p.queryPlanner())
	if verbosity != "queryPlanner" {
		b.SetDoc("executionStats", p.executionStats(verbosity == "allPlansExecution"))
	}
}

// Fail lets explain tell that the plan, or what was to be done with its rows, failed.
func (p *Plan) Fail(err error) { p.failed = err }

// Wrap puts a stage on top of the plan for explain: UPDATE, DELETE …. extra writes its
// own fields, done says whether the plan has been run. An express plan becomes one that
// writes.
func (p *Plan) Wrap(kind string, extra func(b *bsonval.Builder, done bool)) {
	if p.root.express() {
		p.root.writes = "EXPRESS_" + strings.TrimPrefix(kind, "BATCHED_")
		p.root.extra = extra
		return
	}
	p.root = &node{kind: kind, kids: []*node{p.root}, extra: extra, run: pass{p.root}}
}

// Answers tells explain how many documents the wrapped plan answers, and through which
// projection; nil for none.
func (p *Plan) Answers(n int64, fields bsonval.Doc) {
	p.root.gives = n
	if len(fields) <= 5 {
		return
	}
	p.root = &node{kind: "PROJECTION_DEFAULT", kids: []*node{p.root}, spec: fields, answer: true, gives: n, run: pass{p.root}}
}

// express tells the stages that are a whole plan.
func (n *node) express() bool {
	return n.kind == "EXPRESS_IXSCAN" || n.kind == "EXPRESS_CLUSTERED_IXSCAN"
}

func (p *Plan) namespace() string {
	if p.coll == nil {
		return ""
	}
	return p.coll.NS.String()
}

func (p *Plan) queryPlanner() bsonval.Doc {
	b := bsonval.NewBuilder(1024)
	if p.coll != nil {
		b.Str("namespace", p.namespace())
	} else {
		b.Str("namespace", p.query.NS)
	}
	b.SetDoc("parsedQuery", p.cond.document())
	if doc := p.collation(); doc != nil {
		b.SetDoc("collation", doc)
	}
	b.Bool("indexFilterSet", p.filter != nil)
	hash := p.QueryHash()
	b.Str("queryHash", hash).Str("planCacheShapeHash", hash).Str("planCacheKey", p.PlanKey())
	b.Number("optimizationTimeMillis", p.planning.Milliseconds())
	if p.pipeline {
		b.Bool("optimizedPipeline", true)
	}
	b.Bool("maxIndexedOrSolutionsReached", false).Bool("maxIndexedAndSolutionsReached", false)
	b.Bool("maxScansToExplodeReached", false).Bool("prunedSimilarIndexes", false)
	b.SetDoc("winningPlan", withCached(p.root.describe(false), p.cached))
	b.OpenArray("rejectedPlans")
	for _, c := range p.rejected {
		b.ItemDoc(withCached(c.root.describe(false), false))
	}
	b.Close()
	return b.Doc()
}

func withCached(d bsonval.Doc, cached bool) bsonval.Doc {
	return bsonval.NewBuilder(len(d)+16).Bool("isCached", cached).Fields(d).Doc()
}

func (p *Plan) executionStats(all bool) bsonval.Doc {
	b := bsonval.NewBuilder(2048)
	keys, docs := p.root.examined()
	b.Bool("executionSuccess", p.failed == nil)
	if p.failed != nil {
		e := mongoerr.From(p.failed)
		b.Str("errorMessage", e.Message).Int32("errorCode", int32(e.Code))
	}
	b.Number("nReturned", p.root.returned())
	b.Number("executionTimeMillis", time.Since(p.began).Milliseconds())
	b.Number("totalKeysExamined", keys).Number("totalDocsExamined", docs)
	b.SetDoc("executionStages", withCached(p.root.describe(true), p.cached))
	if !all {
		return b.Doc()
	}
	b.OpenArray("allPlansExecution")
	if p.winner != nil {
		for _, c := range append([]*candidate{p.winner}, p.rejected...) {
			b.ItemDoc(c.trialStats())
		}
	}
	b.Close()
	return b.Doc()
}

// returned is how many rows came out; none of a count, whose result is a number.
func (n *node) returned() int64 {
	switch n.kind {
	case "COUNT", "RECORD_STORE_FAST_COUNT", "UPDATE", "DELETE", "BATCHED_DELETE":
		return n.gives
	}
	if n.writes != "" || n.answer {
		return n.gives
	}
	return n.stats.advanced
}

func (c *candidate) trialStats() bsonval.Doc {
	b := bsonval.NewBuilder(1024)
	b.Number("nReturned", int64(len(c.rows))).Int32("executionTimeMillisEstimate", 0)
	b.Number("totalKeysExamined", c.tried.KeysExamined).Number("totalDocsExamined", c.tried.DocsExamined)
	b.Double("score", c.score).SetDoc("executionStages", c.stages)
	return b.Doc()
}

// describe is the stage and those below it as explain shows them, with what they have
// done when done is set.
func (n *node) describe(done bool) bsonval.Doc {
	b := bsonval.NewBuilder(512)
	if n.writes != "" {
		b.Str("stage", n.writes)
	} else {
		b.Str("stage", n.kind)
	}
	if n.express() {
		n.describeExpress(b, done)
		return b.Doc()
	}
	if n.filter != nil {
		b.SetDoc("filter", n.filter.document())
	}
	if done {
		n.describeWork(b)
	}
	n.describeOwn(b, done)
	switch {
	case len(n.kids) == 1 && n.kind != "OR" && n.kind != "SORT_MERGE":
		b.SetDoc("inputStage", n.kids[0].describe(done))
	case len(n.kids) > 0:
		b.OpenArray("inputStages")
		for _, k := range n.kids {
			b.ItemDoc(k.describe(done))
		}
		b.Close()
	}
	return b.Doc()
}

func (n *node) describeExpress(b *bsonval.Builder, done bool) {
	d := n.scan.ix.Def
	if !d.Clustered {
		b.Str("keyPattern", d.Pattern.String()).Str("indexName", d.Name)
	}
	if done {
		b.Number("keysExamined", n.stats.keys).Number("docsExamined", n.stats.docs).Number("nReturned", n.returned())
	}
	if n.extra != nil {
		n.extra(b, done)
	}
}

func (n *node) describeWork(b *bsonval.Builder) {
	s := &n.stats
	b.Number("nReturned", n.returned()).Int32("executionTimeMillisEstimate", 0)
	b.Number("works", s.works).Number("advanced", s.advanced).Number("needTime", s.needTime)
	b.Int32("needYield", 0).Int32("saveState", 0).Int32("restoreState", 0).Int32("isEOF", int32(bit(s.eof)))
}

// describeOwn writes what only stages of that kind have.
func (n *node) describeOwn(b *bsonval.Builder, done bool) {
	s := &n.stats
	number := func(name string, v int64) {
		if done {
			b.Number(name, v)
		}
	}
	switch n.kind {
	case "COLLSCAN":
		b.Str("direction", direction(n.back))
		number("docsExamined", s.docs)
	case clusteredScan:
		n.describeCluster(b)
		number("docsExamined", s.docs)
	case "IDHACK":
		number("keysExamined", s.keys)
		number("docsExamined", s.docs)
	case "DISTINCT_SCAN":
		n.scan.describe(b)
		number("keysExamined", s.keys)
	case "IXSCAN":
		n.scan.describe(b)
		number("keysExamined", s.keys)
		number("seeks", s.seeks)
		number("dupsTested", s.dupsTested)
		number("dupsDropped", s.dupsDropped)
	case "COUNT_SCAN":
		n.scan.describeCount(b)
		number("keysExamined", s.keys)
	case "FETCH":
		number("docsExamined", s.docs)
		number("alreadyHasObj", s.hadAlready)
	case "OR":
		number("dupsTested", s.dupsTested)
		number("dupsDropped", s.dupsDropped)
	case "SORT_MERGE":
		b.SetDoc("sortPattern", n.sort.spec)
		number("dupsTested", s.dupsTested)
		number("dupsDropped", s.dupsDropped)
	case "SORT":
		n.describeSort(b, done)
	case "LIMIT":
		b.Number("limitAmount", n.n)
	case "SKIP":
		b.Number("skipAmount", n.n)
	case "COUNT", "RECORD_STORE_FAST_COUNT":
		number("nCounted", s.counted)
		number("nSkipped", s.skipped)
	case "PROJECTION_SIMPLE", "PROJECTION_COVERED", "PROJECTION_DEFAULT":
		b.SetDoc("transformBy", n.spec)
	}
	if n.extra != nil {
		n.extra(b, done)
	}
}

func (n *node) describeSort(b *bsonval.Builder, done bool) {
	b.SetDoc("sortPattern", n.sort.spec).Number("memLimit", sortMemory)
	if n.n > 0 {
		b.Number("limitAmount", n.n)
	}
	kind := "simple"
	if n.keysOnly || !n.sort.plain {
		kind = "default"
	}
	b.Str("type", kind)
	if done {
		b.Number("totalDataSizeSorted", n.stats.sorted).Bool("usedDisk", false).Int32("spills", 0)
		b.Int32("spilledRecords", 0).Int32("spilledBytes", 0).Int32("spilledDataStorageSize", 0)
	}
}

// sortMemory is the limit that explain shows.
const sortMemory = opctx.DefaultMemory

func direction(back bool) string {
	if back {
		return "backward"
	}
	return "forward"
}

// describe writes the index and the bounds.
func (s *scan) describe(b *bsonval.Builder) {
	s.describeIndex(b)
	b.Str("direction", direction(s.back))
	b.OpenDoc("indexBounds")
	if s.limits || s.unbound {
		b.Close()
		return
	}
	for _, f := range s.fields {
		b.OpenArray(f.path)
		for i := range f.bounds {
			at, turned := i, f.desc != s.back
			if turned {
				at = len(f.bounds) - 1 - i
			}
			b.ItemStr(f.boundText(at, turned))
		}
		b.Close()
	}
	b.Close()
}

func (f scanField) boundText(i int, turned bool) string {
	v := f.bounds[i]
	if f.hashed && v.lo.Type() != bsonval.MinKey {
		h := hashed(v.lo, f.coll)
		v = interval{h, h, true, true}
	}
	return v.text(turned, f.coll)
}

func (s *scan) describeIndex(b *bsonval.Builder) {
	d := s.ix.Def
	b.OpenDoc("keyPattern")
	for _, f := range s.fields {
		b.Set(f.path, f.order(d.Pattern))
	}
	b.Close()
	b.Str("indexName", d.Name)
	if v := d.Spec.Get("collation"); !v.IsMissing() {
		b.Set("collation", v)
	}
	many := false
	for _, f := range s.fields {
		many = many || f.many
	}
	b.Bool("isMultiKey", many)
	b.OpenDoc("multiKeyPaths")
	for _, f := range s.fields {
		b.OpenArray(f.path)
		for _, p := range s.arrays(f) {
			b.ItemStr(p)
		}
		b.Close()
	}
	b.Close()
	b.Bool("isUnique", d.Unique || d.Name == "_id_").Bool("isSparse", d.Sparse).Bool("isPartial", d.Filter != nil)
	b.Int32("indexVersion", 2)
}
