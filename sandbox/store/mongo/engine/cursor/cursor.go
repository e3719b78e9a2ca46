// Package cursor keeps the cursors that clients have open between one batch and the
// next. Package command makes and reads them.
package cursor

import (
	"math/rand/v2"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Timeout is how long a cursor lives without being used.
const Timeout = 10 * time.Minute

// maxOpen bounds the cursors open at once.
const maxOpen = 10_000

// cursorCost is about what an open cursor takes beside its command, in bytes.
const cursorCost = 4 << 10

// Cursor is an open cursor. Only who has it checked out may touch it.
type Cursor struct {
	ID        int64
	NS        string
	Op        *opctx.Op
	Rows      stream.Iterator
	Held      []bsonval.Doc // read and not sent: they didn't fit the last batch
	Sent      bsonval.Doc   // the last one of the last batch, where Held has some
	Session   *session.ID   // nil: none
	Txn       int64         // the transaction that it was opened in; -1: none
	Left      time.Duration // of the command's maxTimeMS, for all batches together; 0: no limit
	NoTimeout bool
	Tailable  bool
	Await     bool
	Command   bsonval.Doc // that opened it, for currentOp
	Garbage   int64       // that of the state which it reads
	User      string      // who opened it, as in session ids
	Docs      int64       // that it has given
	Batches   int64
	UUID      [16]byte             // of the collection without which the cursor ends; zero: none
	Last      int64                // the record id of the row read last
	PostBatch func() bsonval.Value // change streams: the resume token; nil: none

	created time.Time
	lastUse time.Time
	busy    bool
	killed  bool
}

// Registry holds a server's cursors.
type Registry struct {
	clock func() time.Time
	mu    sync.Mutex
	all   map[int64]*Cursor
}

// NewRegistry makes an empty registry.
func NewRegistry(clock func() time.Time) *Registry {
	return &Registry{clock: clock, all: map[int64]*Cursor{}}
}

// Add keeps a cursor and gives it its id.
func (r *Registry) Add(c *Cursor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) >= maxOpen {
		return mongoerr.New(mongoerr.ExceededMemoryLimit, "there are %d cursors open already; close some, or iterate them to their end", maxOpen)
	}
	if err := c.Op.Reserve(cursorCost + int64(len(c.Command))); err != nil {
		return err
	}
	c.Op.Kept = true
	for c.ID == 0 || r.all[c.ID] != nil {
		c.ID = rand.Int64()
	}
	c.lastUse = r.clock()
	c.created = c.lastUse
	r.all[c.ID] = c
	return nil
}

// Checkout answers the cursor for one getMore, to be given back by Return.
func (r *Registry) Checkout(id int64) (*Cursor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[id]
	switch {
	case c == nil:
		return nil, mongoerr.New(mongoerr.CursorNotFound, "cursor id %d not found", id)
	case c.busy:
		return nil, mongoerr.New(mongoerr.CursorInUse, "cursor id %d is already in use", id)
	}
	c.busy = true
	return c, nil
}

// Return gives a cursor back; done closes it. A cursor that was killed meanwhile is
// closed too.
func (r *Registry) Return(c *Cursor, done bool) {
	r.mu.Lock()
	c.busy = false
	c.lastUse = r.clock()
	gone := done || c.killed
	if gone {
		delete(r.all, c.ID)
	}
	r.mu.Unlock()
	if gone {
		c.close()
	}
}

// Kill closes a cursor, now or when its getMore ends, and tells whether it was there.
func (r *Registry) Kill(id int64) bool {
	r.mu.Lock()
	c := r.all[id]
	if c == nil || c.killed {
		r.mu.Unlock()
		return false
	}
	c.killed = true
	busy := c.busy
	if busy {
		c.Op.Kill(mongoerr.New(mongoerr.CursorKilled, "cursor was killed"))
	} else {
		delete(r.all, id)
	}
	r.mu.Unlock()
	if !busy {
		c.close()
	}
	return true
}

func (c *Cursor) close() {
	c.Rows.Close()
	c.Op.Release()
}

// KillWhere kills the cursors that hit tells and answers how many.
func (r *Registry) KillWhere(hit func(*Cursor) bool) int {
	r.mu.Lock()
	var ids []int64
	for id, c := range r.all {
		if hit(c) {
			ids = append(ids, id)
		}
	}
	r.mu.Unlock()
	n := 0
	for _, id := range ids {
		if r.Kill(id) {
			n++
		}
	}
	return n
}

// Expire closes the cursors that were not used for so long.
func (r *Registry) Expire(unused time.Duration) int {
	before := r.clock().Add(-unused)
	return r.KillWhere(func(c *Cursor) bool { return !c.busy && !c.NoTimeout && c.lastUse.Before(before) })
}

// Created is when the cursor was opened, LastUse when it gave its last batch.
func (c *Cursor) Created() time.Time { return c.created }
func (c *Cursor) LastUse() time.Time { return c.lastUse }

// Idle shows the cursors that wait for their clients, to be looked at only until see
// returns.
func (r *Registry) Idle(see func(*Cursor)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.all {
		if !c.busy {
			see(c)
		}
	}
}

// NS answers the namespace of an open cursor.
func (r *Registry) NS(id int64) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[id]
	if c == nil {
		return "", false
	}
	return c.NS, true
}

// Owner is who opened a cursor, as in session ids; not ok for one that isn't there.
func (r *Registry) Owner(id int64) (user string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.all[id]
	if c == nil {
		return "", false
	}
	return c.User, true
}

// Counts answers how many are open, and how many of them never time out.
func (r *Registry) Counts() (open, noTimeout int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.all {
		if c.NoTimeout {
			noTimeout++
		}
	}
	return len(r.all), noTimeout
}
