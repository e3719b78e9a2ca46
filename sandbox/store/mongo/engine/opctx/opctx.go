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
	User        string    // "user@db", or empty
	Roles       bsonval.Value
	Collator    bsonval.Collator // nil: binary order
	Let         bsonval.Doc      // the command's let variables, already evaluated
	MaxMemory   int64            // bytes that one blocking stage may hold; 0: DefaultMemory
	DiskUse     bool             // stages that could spill to disk aren't bound by that
	Pool        *Pool            // that all operations share; nil: no bound

	ctx      context.Context
	done     <-chan struct{}
	steps    int
	Kept     bool  // by a cursor, beyond its command
	held     int64 // bytes
	taken    int64 // of them from the pool, rounded up
	killed   atomic.Pointer[mongoerr.Error]
	lent     atomic.Pointer[Op] // whose work it runs
	progress atomic.Pointer[progress]
	Work     Work // what has been examined, for explain and the profiler
	Plan     Plan // the last one chosen, for the profiler; nil: none
}

// Plan is what the profiler tells of a plan.
type Plan interface {
	Summary() string // IXSCAN { a: 1 }
	Sorts() bool     // it has a stage that sorts
	QueryHash() string
	PlanKey() string
}

// Work counts what the operation did.
type Work struct {
	KeysExamined, DocsExamined, Returned int64
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
