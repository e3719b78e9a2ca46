package storage

import (
	"context"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage/ptree"
)

// Retry is what is remembered of a session's newest retryable write or transaction, so
// that it is done once however often it is asked for. It is committed with the write:
// one is never there without the other, also after the process was killed.
type Retry struct {
	Session string // who it is, in package session's words
	Number  int64  // the txnNumber
	Txn     bool   // a transaction, which was committed; else a retryable write
	Wall    int64  // when, in milliseconds since 1970
	Replies []Reply
}

// Reply is what the statements First to Last were answered, each of them.
type Reply struct {
	First, Last int32
	Doc         bsonval.Doc
}

// Reply answers what a statement was answered, nil when it was not done.
func (x *Retry) Reply(stmt int32) bsonval.Doc {
	for _, r := range x.Replies {
		if r.First <= stmt && stmt <= r.Last {
			return r.Doc
		}
	}
	return nil
}

// What is remembered is bounded: the oldest sessions are forgotten first.
const (
	maxRetries    = 10_000
	retryOverhead = 160
	retryShare    = 16       // of the quota, one part in so many
	leastRetries  = 64 << 10 // bytes, however small the quota
	freeRetries   = 16 << 20 // bytes without a quota
)

func retryLimit(quota int64) int64 {
	if quota == 0 {
		return freeRetries
	}
	return max(quota/retryShare, leastRetries)
}

// retries are those of all sessions, in the order in which they were last written.
type retries struct {
	all   ptree.Tree[string, *retained]
	turns ptree.Tree[uint64, string]
	next  uint64
	bytes int64
}

type retained struct {
	Retry
	turn  uint64
	bytes int64
}

func (r *retries) snapshot() retries {
	c := *r
	c.all, c.turns = r.all.Snapshot(), r.turns.Snapshot()
	return c
}

// put remembers x in the place of what its session had; of the same number it adds to.
func (r *retries) put(x Retry, limit int64) {
	if old, ok := r.all.Get(x.Session); ok && old.Number == x.Number && !x.Txn {
		x.Replies = append(old.Replies[:len(old.Replies):len(old.Replies)], x.Replies...)
	}
	r.remove(x.Session)
	e := &retained{Retry: x, turn: r.next, bytes: retryOverhead}
	for _, reply := range x.Replies {
		e.bytes += int64(len(reply.Doc)) + 32
	}
	r.next++
	r.all.Set(x.Session, e)
	r.turns.Set(e.turn, x.Session)
	r.bytes += e.bytes
	for r.all.Len() > 1 && (r.bytes > limit || r.all.Len() > maxRetries) {
		oldest := r.turns.Cursor()
		oldest.First()
		r.remove(oldest.Value())
	}
}

func (r *retries) remove(session string) {
	old, ok := r.all.Get(session)
	if !ok {
		return
	}
	r.all.Delete(session)
	r.turns.Delete(old.turn)
	r.bytes -= old.bytes
}

// Retry answers what is remembered of a session, nil for nothing.
func (s *State) Retry(session string) *Retry {
	if e, ok := s.retries.all.Get(session); ok {
		return &e.Retry
	}
	return nil
}

// Remember keeps x with what the Tx has written. A Tx that wrote nothing keeps nothing:
// it may be done again.
func (tx *Tx) Remember(x Retry) {
	if len(tx.ops) == 0 {
		return
	}
	tx.remember(x)
	tx.ops = append(tx.ops, Op{Kind: remember, Retry: &x})
}

func (tx *Tx) remember(x Retry) {
	before := tx.cur.retries.bytes
	tx.cur.retries.put(x, tx.store.retryLimit)
	tx.cur.Bytes += tx.cur.retries.bytes - before
}

func (tx *Tx) forget(session string) {
	before := tx.cur.retries.bytes
	tx.cur.retries.remove(session)
	tx.cur.Bytes += tx.cur.retries.bytes - before
	tx.ops = append(tx.ops, Op{Kind: forget, Name: session})
}

// Forget drops what is remembered of sessions that have ended.
func (s *Store) Forget(ctx context.Context, sessions []string) error {
	state := s.State()
	known := sessions[:0:0]
	for _, id := range sessions {
		if state.Retry(id) != nil {
			known = append(known, id)
		}
	}
	if len(known) == 0 {
		return nil
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, id := range known {
		tx.forget(id)
	}
	return tx.Commit()
}

// ForgetBefore drops what was written before a time, in milliseconds since 1970, of the
// sessions that keep doesn't tell to be in use.
func (s *Store) ForgetBefore(ctx context.Context, wall int64, keep func(session string) bool) error {
	var old []string
	state := s.State()
	cur := state.retries.turns.Cursor()
	for ok := cur.First(); ok; ok = cur.Next() {
		x := state.Retry(cur.Value())
		if x.Wall >= wall {
			break
		}
		if !keep(x.Session) {
			old = append(old, x.Session)
		}
	}
	return s.Forget(ctx, old)
}

// shown are the operations that change what clients see.
func shown(ops []Op) []Op {
	for len(ops) > 0 && (ops[len(ops)-1].Kind == remember || ops[len(ops)-1].Kind == forget) {
		ops = ops[:len(ops)-1]
	}
	return ops
}

func appendRetry(dst []byte, x *Retry) []byte {
	dst = appendString(dst, x.Session)
	dst = appendVarints(dst, x.Number, x.Wall, boolInt(x.Txn), int64(len(x.Replies)))
	for _, r := range x.Replies {
		dst = append(appendVarints(dst, int64(r.First), int64(r.Last)), r.Doc...)
	}
	return dst
}

func (r *reader) retry() *Retry {
	x := &Retry{Session: r.string(), Number: r.varint(), Wall: r.varint(), Txn: r.varint() != 0}
	for n := r.varint(); n > 0 && r.err == nil; n-- {
		x.Replies = append(x.Replies, Reply{int32(r.varint()), int32(r.varint()), r.doc()})
	}
	return x
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
