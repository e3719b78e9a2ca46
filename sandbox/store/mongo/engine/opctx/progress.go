package opctx

import "sync/atomic"

// progress is how far an operation has come, for currentOp.
type progress struct {
	msg   string
	total int64
	done  atomic.Int64
}

// Begin tells what the operation does now, in so many steps; "" when that is over.
func (o *Op) Begin(msg string, total int64) {
	if msg == "" {
		o.progress.Store(nil)
		return
	}
	o.progress.Store(&progress{msg: msg, total: total})
}

// Step counts one step of it.
func (o *Op) Step() {
	if p := o.progress.Load(); p != nil {
		p.done.Add(1)
	}
}

// Await says that the operation waits for other transactions, or no more.
func (o *Op) Await(waits bool) { o.waits.Store(waits) }

// Awaits tells whether it waits. Any goroutine may ask.
func (o *Op) Awaits() bool { return o.waits.Load() }

// Clash counts a write that met a transaction's; Clashes are those counted.
func (o *Op) Clash()         { o.clashes.Add(1) }
func (o *Op) Clashes() int64 { return o.clashes.Load() }

// Progress answers what Begin told and how far it is; "" for nothing. It may be asked
// from any goroutine.
func (o *Op) Progress() (msg string, done, total int64) {
	p := o.progress.Load()
	if p == nil {
		return "", 0, 0
	}
	return p.msg, p.done.Load(), p.total
}
