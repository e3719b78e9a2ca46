package command

import (
	"bytes"
	"context"
	"errors"
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// A retryable write is done once however often it comes: what each of its statements was
// answered is committed with what it wrote, and found there by the session, the txnNumber
// and the statement's number. Statements that failed or changed nothing may run again.

// recall gives a session that is new to this process the number that it had reached.
func (s *Server) recall(sess *session.Session) {
	if sess.Number() >= 0 {
		return
	}
	if x := s.store.State().Retry(sess.ID.Key()); x != nil {
		_, _ = sess.Advance(x.Number) // it had none: this can't go back
	}
}

// retries makes the request a retryable write: it looks for earlier tries, and reads the
// numbers of a retryable write's statements.
func (r *Request) retries() error {
	r.retry = true
	if x := r.Server.store.State().Retry(r.Session.ID.Key()); x != nil && !x.Txn && x.Number == r.txnNumber {
		r.earlier = x
	}
	first, list := r.Body.Get("stmtId"), r.Body.Get("stmtIds")
	switch {
	case !first.IsMissing() && !list.IsMissing():
		return mongoerr.New(mongoerr.InvalidOptions, "May not specify both stmtId and stmtIds in a write command")
	case list.Type() == bsonval.Array:
		r.stmts = []int32{}
		for v := range list.Doc().Values() {
			if v.Type() != bsonval.Int32 {
				return wrongType(r.field("stmtIds"), v, "int")
			}
			r.stmts = append(r.stmts, v.Int32())
		}
	case first.Type() == bsonval.Int32:
		r.firstStmt = first.Int32()
	case !first.IsMissing():
		return wrongType(r.field("stmtId"), first, "int")
	case !list.IsMissing():
		return wrongType(r.field("stmtIds"), list, "array")
	}
	return nil
}

// stmt is the number of the i-th statement.
func (r *Request) stmt(i int) int32 {
	switch {
	case r.stmts == nil:
		return int32(min(int64(r.firstStmt)+int64(i), math.MaxInt32))
	case i < len(r.stmts):
		return r.stmts[i]
	}
	return int32(i)
}

// answered is what an earlier try of the statement was answered, nil for none.
func (r *Request) answered(i int) bsonval.Doc {
	if r.earlier == nil {
		return nil
	}
	answer := r.earlier.Reply(r.stmt(i))
	if answer != nil {
		r.retried = append(r.retried, r.stmt(i))
	}
	return answer
}

// remember commits the answers of a retryable write with what it wrote.
func (r *Request) remember(tx *storage.Tx) {
	if !r.retry {
		return
	}
	x := storage.Retry{Session: r.Session.ID.Key(), Number: r.txnNumber, Wall: r.Op.Now.UnixMilli()}
	again := map[int32]bool{}
	for _, stmt := range r.retried {
		again[stmt] = true
	}
	for i, a := range r.answers {
		stmt := r.stmt(i)
		if a == nil || again[stmt] {
			continue
		}
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Last+1 == stmt && bytes.Equal(x.Replies[n-1].Doc, a) {
			x.Replies[n-1].Last = stmt
			continue
		}
		x.Replies = append(x.Replies, storage.Reply{First: stmt, Last: stmt, Doc: a})
	}
	tx.Remember(x)
}

// writeRetried tells which statements had been done before.
func (r *Request) writeRetried(b *bsonval.Builder) {
	if len(r.retried) == 0 {
		return
	}
	b.OpenArray("retriedStmtIds")
	for _, stmt := range r.retried {
		b.Item(bsonval.IntValue(stmt))
	}
	b.Close()
}

// mayRetry refuses a retryable write of many documents.
func (r *Request) mayRetry(many bool, how string) error {
	if r.retry && many {
		return mongoerr.New(mongoerr.InvalidOptions, "Cannot use retryable writes with %s", how)
	}
	return nil
}

// wasCommitted tells whether the request's transaction was committed by an earlier
// process.
func (s *Server) wasCommitted(r *Request) bool {
	x := s.store.State().Retry(r.Session.ID.Key())
	return x != nil && x.Txn && x.Number == r.txnNumber
}

func (s *Server) forget(ctx context.Context, ids []session.ID) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = id.Key()
	}
	s.logForget(s.store.Forget(ctx, keys))
}

// forgetOld drops the answers of sessions that have expired.
func (s *Server) forgetOld(ctx context.Context) {
	inUse := map[string]bool{}
	for _, sess := range s.sessions.All() {
		inUse[sess.ID.Key()] = true
	}
	before := s.opts.Clock().Add(-session.Timeout).UnixMilli()
	s.logForget(s.store.ForgetBefore(ctx, before, func(key string) bool { return inUse[key] }))
}

func (s *Server) logForget(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.opts.Logger.Warn("ended sessions could not be forgotten", "error", err)
	}
}

// answer is that of a statement that wrote n documents.
func answer(n int64) bsonval.Doc {
	return bsonval.D(bsonval.E("n", bsonval.IntValue(int32(n))))
}

func updateAnswer(res crud.Result) bsonval.Doc {
	n := upsertedCount(res)
	b := bsonval.NewBuilder(64)
	b.Int32("n", int32(res.Matched+n)).Int32("nModified", int32(res.Modified))
	if n > 0 {
		b.OpenDoc("upserted").Set("_id", res.Upserted).Close()
	}
	return b.Doc()
}

// total adds up a field of all answers.
func total(answers []bsonval.Doc, field string) int64 {
	n := int64(0)
	for _, a := range answers {
		n += a.Get(field).Long()
	}
	return n
}
