// Package opctx is one running operation: its context, clock, limits and what may
// interrupt it. Package command makes one per command; everything that loops takes it
// and calls Check, and everything that gathers data reserves memory from it.
package opctx

import (
	"context"
	"sync/atomic"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Op is one operation. It belongs to one goroutine, but Kill may be called from any.
type Op struct {
	ID          int32     // opid, for currentOp and killOp
	Now         time.Time // $$NOW: one time for the whole operation
	ClusterTime uint64    // $$CLUSTER_TIME: seconds<<32 | increment
	DB          string    // the database that the command runs on
	Roles       bsonval.Value
	Collator    bsonval.Collator // nil: binary order
	// CollatorInherited says that Collator is the collection's own, which the command
	// did not name.
	CollatorInherited bool
	Let               bsonval.Doc // the command's let variables, already evaluated
	MaxMemory         int64       // bytes that one blocking stage may hold; 0: DefaultMemory
	NoTableScan       bool        // queries must use an index, but for those that ask for all
	DiskUse           bool        // stages that could spill to disk aren't bound by that
	Pool              *Pool       // that all operations share; nil: no bound

	ctx      context.Context
	done     <-chan struct{}
	steps    int
	Kept     bool  // by a cursor, beyond its command
	held     int64 // bytes
	taken    int64 // of them from the pool, rounded up
	killed   atomic.Pointer[mongoerr.Error]
	lent     atomic.Pointer[Op] // whose work it runs
	progress atomic.Pointer[progress]
	waits    atomic.Bool  // for a transaction to end that uses a collection
	clashes  atomic.Int64 // how often a write met an open transaction's
	Work     Work         // what has been examined, for explain and the profiler
	Plan     Plan         // the last one chosen, for the profiler; nil: none
	chosen   atomic.Value
}

// Plan is what the profiler tells of a plan.
type Plan interface {
	Summary() string // IXSCAN { a: 1 }
	ScansAll() bool  // it reads the whole collection
	Sorts() bool     // it has a stage that sorts
	QueryHash() string
	PlanKey() string
	ExecStats() bsonval.Doc // the stages with what they have done so far
	MultiPlanned() bool     // it won a trial against others
	PlanningTime() time.Duration
}

// Chosen shows a plan to others when it is ready. Of several the first counts, which is
// the one of the command's own collection. All plans must be of one type.
func (o *Op) Chosen(p Plan) { o.chosen.CompareAndSwap(nil, p) }

// First is the plan that was chosen first, nil for none.
func (o *Op) First() Plan {
	p, _ := o.chosen.Load().(Plan)
	return p
}

// PlanSummary is the summary of the plan that runs, empty for none. It may be asked by
// any goroutine.
func (o *Op) PlanSummary() string {
	if other := o.lent.Load(); other != nil {
		return other.PlanSummary()
	}
	if p := o.First(); p != nil {
		return p.Summary()
	}
	return ""
}

// Work counts what the operation did.
type Work struct {
	KeysExamined, DocsExamined, Returned int64
}

// Since is what was done after a count of before.
func (w Work) Since(before Work) Work {
	return Work{w.KeysExamined - before.KeysExamined, w.DocsExamined - before.DocsExamined, w.Returned - before.Returned}
}

// checkEvery is how many Checks pass between looks at the context, which cost ten times
// as much as those at the kill.
const checkEvery = 4

// New makes an operation that ends with ctx.
func New(ctx context.Context, now time.Time) *Op { return &Op{ctx: ctx, done: ctx.Done(), Now: now} }

// Context is the operation's context.
func (o *Op) Context() context.Context { return o.ctx }

// WithContext replaces the context: a cursor's next batch runs under another command's.
func (o *Op) WithContext(ctx context.Context) { o.ctx, o.done = ctx, ctx.Done() }

// Check is to be called in every loop over documents, array elements or keys: it
// answers an error when the operation was killed, its connection went or its time is
// up. A step may take long, so few pass between two looks.
func (o *Op) Check() error {
	if e := o.killed.Load(); e != nil {
		return e
	}
	if o.steps++; o.steps%checkEvery != 0 {
		return nil
	}
	select {
	case <-o.done:
		return mongoerr.From(context.Cause(o.ctx))
	default:
		return nil
	}
}

// Killed tells whether Kill was called.
func (o *Op) Killed() bool { return o.killed.Load() != nil }

// Kill makes the next Check answer an error.
func (o *Op) Kill(e *mongoerr.Error) {
	o.killed.Store(e)
	if other := o.lent.Load(); other != nil {
		other.Kill(e)
	}
}

// Run says that o runs the work of other, a cursor's operation, until done is called:
// who kills o meanwhile kills that too.
func (o *Op) Run(other *Op) (done func()) {
	o.lent.Store(other)
	return func() { o.lent.Store(nil) }
}
