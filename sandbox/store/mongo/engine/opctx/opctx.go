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

	ctx    context.Context
	steps  int
	killed atomic.Pointer[mongoerr.Error]
	Work   Work // what has been examined, for explain and the profiler
	Plan   Plan // the last one chosen, for the profiler; nil: none
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

// DefaultMemory is how much one sort, group or the like may hold, in bytes.
const DefaultMemory = 100 << 20

// checkEvery is how many Checks pass between looks at the context.
const checkEvery = 64

// New makes an operation that ends with ctx.
func New(ctx context.Context, now time.Time) *Op { return &Op{ctx: ctx, Now: now} }

// Context is the operation's context.
func (o *Op) Context() context.Context { return o.ctx }

// WithContext replaces the context: a cursor's next batch runs under another command's.
func (o *Op) WithContext(ctx context.Context) { o.ctx = ctx }

// Check is to be called in every loop over documents, array elements or keys: it
// answers an error when the operation was killed, its connection went or its time is up.
func (o *Op) Check() error {
	if o.steps++; o.steps%checkEvery != 0 {
		return nil
	}
	return o.CheckNow()
}

// CheckNow is Check that looks each time.
func (o *Op) CheckNow() error {
	if e := o.killed.Load(); e != nil {
		return e
	}
	if err := o.ctx.Err(); err != nil {
		return mongoerr.From(context.Cause(o.ctx))
	}
	return nil
}

// Kill makes the next Check answer an error.
func (o *Op) Kill(e *mongoerr.Error) { o.killed.Store(e) }

// Memory is how much one blocking stage may hold, in bytes.
func (o *Op) Memory() int64 {
	if o.MaxMemory > 0 {
		return o.MaxMemory
	}
	return DefaultMemory
}
