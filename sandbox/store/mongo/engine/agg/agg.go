// Package agg compiles and runs aggregation pipelines. Each stage is one file with one
// compile function, listed in stages; a compiled Pipeline is then started over an
// iterator of rows.
//
// It reads and writes collections only through Source, which package command
// implements over storage and plan.
package agg

import (
	"bytes"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Source is the database as stages see it. A collection that isn't there is empty; a
// view is its pipeline's result.
type Source interface {
	// Find answers the rows of db.coll that match q, in q's order, by an index where
	// one serves. The iterator sees the collection as it is now and never changes.
	Find(op *opctx.Op, db, coll string, q Query) (stream.Iterator, error)
	// Merge and out write through this: it applies one statement as the update
	// command does ({q, u, c, upsert, multi}) and answers how many matched.
	Update(op *opctx.Op, db, coll string, statement bsonval.Doc) (matched int, err error)
	// Insert adds documents as the insert command does.
	Insert(op *opctx.Op, db, coll string, docs []bsonval.Doc) error
	// Replace puts a collection with these documents in the place of db.coll,
	// keeping its indexes and options ($out). series makes it a time series; nil: as
	// it is.
	Replace(op *opctx.Op, db, coll string, docs []bsonval.Doc, series bsonval.Doc) error
	// Special answers the rows of a stage that speaks of the server or a collection
	// and stands first: $collStats, $indexStats, $currentOp, $changeStream,
	// $listSessions, $planCacheStats …. ok is false when the stage isn't known.
	Special(op *opctx.Op, db, coll, stage string, arg bsonval.Value) (it stream.Iterator, ok bool, err error)
	// UniqueKey tells whether a unique index of db.coll has exactly these fields
	// ($merge's on).
	UniqueKey(op *opctx.Op, db, coll string, fields []string) bool
}

// Query is what a pipeline's leading stages ask of a collection.
type Query struct {
	Filter bsonval.Doc // nil: all
	Sort   bsonval.Doc // nil: any order
	Skip   int64
	Limit  int64 // 0: all
	Hint   bsonval.Value
	Let    *expr.Scope  // variables that Filter's $expr may use; nil: none
	Frame  *expr.Frame  // and their values; nil: none
	Near   *bsonval.Doc // $geoNear's argument
	Score  bool         // the rows' text scores are wanted
	// IndexKey says that the keys are, by which an index found the rows.
	IndexKey bool
	// Projection names what is read of the rows, for the planner; nil: all of them.
	// Empty: nothing, they are only counted.
	Projection bsonval.Doc
	// Distinct is a field for each of whose values one row will do, the first in Sort's
	// order; "" for none. Whole says that more than that field is read of it, Last that
	// it must be the last.
	Distinct    string
	Whole, Last bool
}

// Env is what a pipeline is compiled and run in.
type Env struct {
	Op     *opctx.Op
	DB     string
	Coll   string // "" for a pipeline on the database (aggregate: 1)
	Source Source
	Scope  *expr.Scope   // the let variables
	Frame  *expr.Frame   // nil at the top: a new one. In $lookup: the outer one
	Depth  int           // how many pipelines this one is nested in
	Hint   bsonval.Value // for Coll alone, not for the collections that stages join
	// Geo compiles geospatial operators in filters; nil: they are refused.
	Geo func(op string, arg bsonval.Doc) (func(bsonval.Value) (bool, error), error)

	within   nesting // what kind of stage holds this pipeline
	sortKeys bool    // {$meta: "sortKey"} is asked for
	scores   bool    // {$meta: "textScore"} is
	keys     bool    // {$meta: "indexKey"} is
}

// Stage is one compiled stage.
type Stage interface {
	// Start answers the stage's output over the rows of in. It owns in and closes
	// it. Blocking stages do their work at the first Next.
	Start(env *Env, in stream.Iterator) (stream.Iterator, error)
}

// Pipeline is a compiled pipeline.
type Pipeline struct {
	Stages []Named
	env    *Env
}

// Named is a stage with its name and argument, for explain and the optimizer.
type Named struct {
	Name  string
	Arg   bsonval.Value
	Stage Stage
}

// compiler compiles one stage.
type compiler func(env *Env, name string, arg bsonval.Value) (Stage, error)

// stages answers a stage's compiler, nil for a name that is none.
func stages(name string) compiler {
	for _, family := range [...]func(string) compiler{
		filterStages, bucketStages, transformStages, spreadStages, groupStages, orderStages, nestedStages, windowStages, writeStages, firstStages,
	} {
		if c := family(name); c != nil {
			return c
		}
	}
	return nil
}

// maxDepth bounds pipelines within pipelines, maxStages the stages of one.
const (
	maxDepth  = 20
	maxStages = 1000
)

// Compile checks and compiles a pipeline, an array of stages.
func Compile(pipeline bsonval.Doc, env *Env) (*Pipeline, error) {
	if env.Depth > maxDepth {
		return nil, mongoerr.New(mongoerr.MaxSubPipelineDepthExceeded, "Maximum number of nested sub-pipelines exceeded. Limit is %d", maxDepth)
	}
	if env.Scope == nil {
		env.Scope = expr.NewScope(env.Op.Let)
	}
	if env.Frame == nil {
		env.Frame = expr.NewFrame(env.Op)
	}
	env.sortKeys = bytes.Contains(pipeline, []byte("sortKey\x00"))
	env.keys = bytes.Contains(pipeline, []byte("indexKey\x00"))
	env.scores = bytes.Contains(pipeline, []byte("textScore\x00"))
	p := &Pipeline{env: env}
	for v := range pipeline.Values() {
		if v.Type() != bsonval.Object {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		if len(p.Stages) == maxStages {
			return nil, mongoerr.New(mongoerr.FailedToParse, "Pipeline length must be no longer than %d stages.", maxStages)
		}
		s, err := compileStage(env, v.Doc())
		if err != nil {
			return nil, err
		}
		p.Stages = append(p.Stages, s)
	}
	if err := p.checkPlaces(); err != nil {
		return nil, err
	}
	if err := p.checkMetas(); err != nil {
		return nil, err
	}
	if err := p.raiseMatches(); err != nil {
		return nil, err
	}
	p.raiseLimits()
	p.joinSortLimit()
	return p, nil
}

// Known tells whether a stage with that name exists.
func Known(name string) bool { return stages(name) != nil && strings.HasPrefix(name, "$") }

func compileStage(env *Env, d bsonval.Doc) (Named, error) {
	if d.Len() != 1 {
		return Named{}, mongoerr.New(40323, "A pipeline stage specification object must contain exactly one field.")
	}
	first := d.First()
	c := stages(first.Name)
	if !Known(first.Name) {
		return Named{}, mongoerr.New(40324, "Unrecognized pipeline stage name: '%s'", first.Name)
	}
	s, err := c(env, first.Name, first.Value)
	return Named{first.Name, first.Value, s}, err
}
