package command

import (
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// transactionCommands end transactions.
func (s *Server) transactionCommands() []Spec {
	return []Spec{
		{Name: "commitTransaction", Fields: "recoveryToken coordinator", Run: s.commitTransaction, InTxn: true, Admin: true},
		{Name: "abortTransaction", Fields: "recoveryToken", Run: s.abortTransaction, InTxn: true, Admin: true},
	}
}

// phase is where a transaction stands.
type phase int

const (
	open phase = iota
	committed
	aborted
)

// transaction is a session's newest transaction.
type transaction struct {
	number int64
	phase  phase
	tx     *storage.Tx
	began  time.Time
	level  string // of its read concern; "": not named
	pool   *opctx.Pool
	counts *counters
	held   int64 // bytes of the pool
}

// end gives up what an open transaction holds.
func (t *transaction) end(p phase) {
	if t.phase == open {
		t.tx.Rollback()
		if p == committed {
			t.counts.txnCommitted.Add(1)
		} else {
			t.counts.txnAborted.Add(1)
		}
	}
	t.phase, t.tx = p, nil
	if t.held > 0 {
		t.pool.Give(t.held)
		t.held = 0
	}
}

// hold counts what the transaction has written as held until it ends.
func (t *transaction) hold() error {
	if t.phase != open || t.tx.Bytes() <= t.held {
		return nil
	}
	more := t.tx.Bytes() - t.held
	if err := t.pool.Take(more); err != nil {
		return err
	}
	t.held += more
	return nil
}

func (r *Request) endsTransaction() bool {
	return r.Spec.Name == "commitTransaction" || r.Spec.Name == "abortTransaction"
}

// joinTransaction starts, or goes on with, the transaction that the request names, and
// sets r.Tx. The session is checked out.
func (s *Server) joinTransaction(r *Request) error {
	if !r.Spec.InTxn {
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot run '%s' in a multi-document transaction.", r.Spec.Name)
	}
	if err := r.mayInTransaction(); err != nil {
		return err
	}
	if r.started {
		return s.startTransaction(r)
	}
	t, _ := r.Session.Txn.(*transaction)
	newest := r.Session.Number()
	switch {
	case r.txnNumber < newest:
		_, err := r.Session.Advance(r.txnNumber)
		return err
	case t == nil && s.wasCommitted(r):
		if r.Spec.Name != "commitTransaction" {
			return mongoerr.New(mongoerr.TransactionCommitted, "Transaction with { txnNumber: %d } has been committed.", r.txnNumber)
		}
		r.Session.Txn = &transaction{number: r.txnNumber, phase: committed}
		return nil
	case t == nil || t.number != r.txnNumber:
		return mongoerr.New(mongoerr.NoSuchTransaction, "Given transaction number %d does not match any in-progress transactions. The active transaction number is %d", r.txnNumber, newest)
	case t.phase == committed && r.Spec.Name != "commitTransaction":
		return mongoerr.New(mongoerr.TransactionCommitted, "Transaction with { txnNumber: %d } has been committed.", t.number)
	case t.phase == aborted:
		return mongoerr.New(mongoerr.NoSuchTransaction, "Transaction with { txnNumber: %d } has been aborted.", t.number)
	case !r.Body.Get("readConcern").IsMissing() && !r.endsTransaction():
		return mongoerr.New(mongoerr.InvalidOptions, "Only the first command in a transaction may specify a readConcern")
	}
	r.join(t)
	return nil
}

// mayInTransaction refuses what the server keeps for itself, and its own databases.
func (r *Request) mayInTransaction() error {
	ns := r.target()
	switch name := r.Spec.Name; {
	case r.endsTransaction():
		return nil
	case r.DB == "local" || r.DB == "config":
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot run command against the '%s' database in a transaction.", r.DB)
	case name == "killCursors" && r.started:
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot run 'killCursors' as the first operation in a transaction.")
	case ns.Coll == "system.profile":
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Operations on the profile collection are not allowed in a transaction")
	case !strings.HasPrefix(ns.Coll, "system."):
		return nil
	case name == "create" || name == "createIndexes":
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create system collection %s within a transaction.", ns)
	case name == "findAndModify":
		return mongoerr.New(50781, "Cannot write to system collection %s within a transaction.", ns)
	case r.Spec.Write:
		return mongoerr.New(50791, "Cannot write to system collection %s within a transaction.", ns)
	case ns.Coll == "system.views":
		return mongoerr.New(51071, "Cannot read from system.views in a transaction")
	}
	return nil
}

// mayCreate refuses to make a collection or an index in a transaction of a read concern
// other than local.
func (r *Request) mayCreate() error {
	if !r.inTransaction {
		return nil
	}
	if t, ok := r.Session.Txn.(*transaction); ok && t.level != "" && t.level != "local" {
		return mongoerr.New(mongoerr.InvalidOptions, "Command %s does not support { readConcern: { level: \"%s\" } } in a transaction; start it with the level \"local\"", r.Spec.Name, t.level)
	}
	return nil
}

// join makes the request one of the transaction, which uses its collection from now on.
func (r *Request) join(t *transaction) {
	r.Tx = t.tx
	if ns := r.target(); ns.Coll != "" && t.phase == open && !r.endsTransaction() {
		t.tx.Uses(ns)
	}
}

func (s *Server) startTransaction(r *Request) error {
	if r.endsTransaction() {
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot run '%s' as the first command of a transaction", r.Spec.Name)
	}
	fresh, err := r.Session.Advance(r.txnNumber)
	if err != nil {
		return err
	}
	if !fresh {
		return mongoerr.New(mongoerr.ConflictingOperationInProgress, "Only servers in a sharded cluster can start a new transaction at the active transaction number")
	}
	s.abandon(r.Session)
	base := s.store.State()
	if r.atTime != 0 {
		if base, err = s.store.At(r.atTime); err != nil {
			return err
		}
	}
	t := &transaction{number: r.txnNumber, tx: s.store.BeginAt(base), began: s.opts.Clock(), pool: s.pool, counts: &s.counters, level: r.level}
	s.counters.txnStarted.Add(1)
	t.tx.ForTransaction(r.Session.ID.Doc(), r.txnNumber)
	r.Session.Txn = t
	r.join(t)
	return nil
}

// leaveTransaction is called after a command in a transaction: an error ends it.
func (s *Server) leaveTransaction(r *Request, doc bsonval.Doc, err error) (bsonval.Doc, error) {
	t, ok := r.Session.Txn.(*transaction)
	if ok && err == nil && !r.endsTransaction() {
		err = t.hold()
	}
	if ok && t.phase == open && !r.endsTransaction() && (err != nil || r.abortAfter) {
		t.end(aborted)
		s.killTransactionCursors(r)
	}
	return doc, err
}

func (s *Server) commitTransaction(r *Request) (bsonval.Doc, error) {
	t, err := s.ending(r)
	if err != nil || t.phase == committed {
		return nil, err
	}
	t.tx.Remember(storage.Retry{Session: r.Session.ID.Key(), Number: t.number, Txn: true, Wall: r.Op.Now.UnixMilli()})
	err = t.tx.Commit()
	s.relieve()
	if err != nil {
		t.end(aborted)
	} else {
		t.end(committed)
	}
	s.killTransactionCursors(r)
	return nil, err
}

func (s *Server) abortTransaction(r *Request) (bsonval.Doc, error) {
	t, err := s.ending(r)
	if err != nil {
		return nil, err
	}
	t.end(aborted)
	s.killTransactionCursors(r)
	return nil, nil
}

// ending is the transaction that a commit or an abort speaks of.
func (s *Server) ending(r *Request) (*transaction, error) {
	if !r.inTransaction {
		return nil, mongoerr.New(mongoerr.CommandFailed, "Must specify autocommit=false on all operations of a multi-statement transaction.")
	}
	t, ok := r.Session.Txn.(*transaction)
	if !ok {
		return nil, mongoerr.New(mongoerr.NoSuchTransaction, "Transaction isn't in progress")
	}
	return t, nil
}

func (s *Server) killTransactionCursors(r *Request) {
	s.cursors.KillWhere(func(c *cursor.Cursor) bool {
		return c.Session != nil && *c.Session == r.Session.ID && c.Txn == r.txnNumber
	})
}

// abandon ends the session's open transaction, if there is one. The session is
// checked out.
func (s *Server) abandon(sess *session.Session) {
	if t, ok := sess.Txn.(*transaction); ok {
		t.end(aborted)
	}
	sess.Txn = nil
}

// expireTransactions aborts those that are open for longer than the server allows.
func (s *Server) expireTransactions() {
	limit := time.Duration(s.Parameter("transactionLifetimeLimitSeconds").Long()) * time.Second
	s.abortTransactions(func(t *transaction) bool { return s.opts.Clock().Sub(t.began) > limit })
}

// labelled adds the error labels that drivers retry by, as the server does.
func (s *Server) labelled(r *Request, err error) error {
	e := mongoerr.From(err)
	switch {
	case len(e.Labels) > 0 || r.txnNumber < 0:
		return err
	case r.inTransaction && transient(e.Code, r.endsTransaction()):
		return e.Labelled("TransientTransactionError")
	case (r.endsTransaction() || !r.inTransaction && r.Spec.Write) && retryableWrite(e.Code):
		return e.Labelled("RetryableWriteError")
	}
	return err
}

// transient tells the errors after which a whole transaction may be tried again.
func transient(c mongoerr.Code, ending bool) bool {
	switch c {
	case mongoerr.WriteConflict, mongoerr.LockTimeout, mongoerr.PreparedTransactionInProgress, mongoerr.SnapshotTooOld,
		mongoerr.SnapshotUnavailable, mongoerr.NoSuchTransaction:
		return true
	}
	return !ending && retryableWrite(c)
}
