package command

import (
	"cmp"
	"strings"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

func (s *Server) aggregateCommands() []Spec {
	return []Spec{
		{Name: "aggregate", Fields: "pipeline explain allowDiskUse cursor bypassDocumentValidation collation hint let isMapReduceCommand fromMongos needsMerge exchange runtimeConstants",
			Run: s.aggregate, InTxn: true},
	}
}

func streamDocs(docs []bsonval.Doc) stream.Iterator { return stream.Docs(docs) }

func (s *Server) aggregate(r *Request) (bsonval.Doc, error) {
	pipeline := r.Body.Get("pipeline")
	switch pipeline.Type() {
	case bsonval.Array:
	case bsonval.Missing:
		return nil, required("aggregate.pipeline")
	default:
		return nil, mongoerr.New(mongoerr.TypeMismatch, "'pipeline' option must be specified as an array")
	}
	for v := range pipeline.Doc().Values() {
		if v.Type() != bsonval.Object {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
	}
	ns, err := r.aggregateNS()
	if err != nil {
		return nil, err
	}
	if v := r.Body.Get("explain"); v.Truth() {
		if err := r.unconcerned(); err != nil {
			return nil, err
		}
		return s.explainAggregate(r, ns, pipeline.Doc(), "queryPlanner")
	}
	if err := r.stageConcern(pipeline.Doc()); err != nil {
		return nil, err
	}
	opts, err := r.Doc("cursor")
	if err != nil {
		return nil, err
	}
	if opts == nil {
		return nil, mongoerr.New(mongoerr.FailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
	}
	size := int64(-1)
	if v := opts.Get("batchSize"); !v.IsMissing() {
		if !v.IsNumber() {
			return nil, wrongType("cursor.batchSize", v, "number")
		}
		if size = v.Long(); size < 0 {
			return nil, mongoerr.New(mongoerr.BadValue, "BSON field 'batchSize' value must be >= 0, actual value '%d'", size)
		}
	}
	c, err := s.startPipeline(r, ns, pipeline.Doc())
	if err != nil {
		return nil, err
	}
	return s.firstBatch(r, c, size, false, 0)
}

// stageConcern refuses read concerns that a pipeline's stages can't have.
func (r *Request) stageConcern(stages bsonval.Doc) error {
	level := r.level
	if level == "" {
		return nil
	}
	for v := range stages.Values() {
		if v.Type() != bsonval.Object {
			continue
		}
		name := v.Doc().First().Name
		writes := name == "$out" || name == "$merge"
		if name == "$changeStream" && level != "majority" || writes && (level == "linearizable" || level == "snapshot") {
			return mongoerr.New(mongoerr.InvalidOptions, "%s cannot be used with a '%s' read concern level", name, level)
		}
	}
	return nil
}

func (r *Request) aggregateNS() (storage.NS, error) {
	v := r.Body.First().Value
	if v.IsNumber() && v.Long() == 1 {
		return storage.NS{DB: r.DB, Coll: "$cmd.aggregate"}, nil
	}
	if v.IsNumber() {
		return storage.NS{}, mongoerr.New(mongoerr.FailedToParse, "Invalid command format: the 'aggregate' field must specify a collection name or 1")
	}
	return r.Collection()
}

// startPipeline compiles and starts a pipeline and answers its cursor, not yet kept.
func (s *Server) startPipeline(r *Request, ns storage.NS, stages bsonval.Doc) (*cursor.Cursor, error) {
	coll := r.State().Collection(ns)
	if firstStage(stages) == "$changeStream" {
		coll = nil // strings in events have the simple order, unless the command has another
	}
	if err := r.collate(r.Body, coll); err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	if err := cmp.Or(r.joinsFit(ns, stages), r.stagesInTransaction(stages)); err != nil {
		return nil, err
	}
	c := &cursor.Cursor{NS: ns.String(), Op: r.Op, Command: r.Body}
	if first := firstStage(stages); first == "$changeStream" {
		return c, s.openChangeStream(r, ns, stages, c)
	}
	it, err := s.runPipeline(r, ns, stages)
	c.Rows = it
	return c, err
}

// stagesInTransaction refuses the stages that a transaction may not have.
func (r *Request) stagesInTransaction(stages bsonval.Doc) error {
	if !r.inTransaction {
		return nil
	}
	for v := range stages.Values() {
		if v.Type() != bsonval.Object {
			continue
		}
		switch name := v.Doc().First().Name; name {
		case "$out", "$merge", "$collStats", "$currentOp", "$indexStats", "$listSessions", "$listLocalSessions", "$planCacheStats", "$changeStream":
			return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Operation not permitted in transaction :: caused by :: Aggregation stage %s cannot run within a multi-document transaction", name)
		}
	}
	return nil
}

func firstStage(stages bsonval.Doc) string {
	v := stages.At(0)
	if v.Type() != bsonval.Object {
		return ""
	}
	return v.Doc().First().Name
}

func (s *Server) runPipeline(r *Request, ns storage.NS, stages bsonval.Doc) (stream.Iterator, error) {
	src := &source{r: r}
	view, under, err := src.resolve(ns)
	if err != nil {
		return nil, err
	}
	hint, err := src.bucketHint(ns, r.Body.Get("hint"))
	if err != nil {
		return nil, err
	}
	if readsBuckets(src.snapshot().Collection(ns), stages) {
		ns = under
	} else if view != nil && firstStage(stages) != "$collStats" { // which tells of the view itself
		ns, stages = under, concat(view, stages)
	}
	coll := ns.Coll
	if strings.HasPrefix(coll, "$cmd") {
		coll = ""
	}
	env := &agg.Env{Op: r.Op, DB: ns.DB, Coll: coll, Geo: geo.Condition, Source: src, Scope: expr.NewScope(r.Op.Let), Frame: expr.NewFrame(r.Op), Hint: hint}
	p, err := agg.Compile(stages, env)
	if err != nil {
		return nil, err
	}
	return p.Run()
}

func concat(a, b bsonval.Doc) bsonval.Doc {
	var out bsonval.Builder
	for v := range a.Values() {
		out.Item(v)
	}
	for v := range b.Values() {
		out.Item(v)
	}
	return out.Doc()
}
