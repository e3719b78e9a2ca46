package command

import (
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/session"
)

// diskUse tells whether the command's stages may hold more than the server lets them
// hold in memory: find and aggregate, unless they say allowDiskUse: false.
func (s *Server) diskUse(r *Request) bool {
	switch r.Spec.Name {
	case "find", "aggregate", "explain":
	default:
		return false
	}
	if v := r.Body.Get("allowDiskUse"); !v.IsMissing() {
		return v.Truth()
	}
	return s.Parameter("allowDiskUseByDefault").Truth()
}

// relieve ends the cursors and transactions that read states so old that what they keep
// alive is more than may be, as the server does when its cache is full of such.
func (s *Server) relieve() {
	limit, now := s.opts.WorkMemory, s.store.State().Garbage
	if now-s.relieved.Load() < limit/8 {
		return
	}
	s.relieved.Store(now)
	s.cursors.KillWhere(func(c *cursor.Cursor) bool { return !c.Tailable && now-c.Garbage > limit })
	s.abortTransactions(func(t *transaction) bool { return now-t.tx.Base().Garbage > limit })
}

// abortTransactions aborts open transactions, but for those that a command works in.
func (s *Server) abortTransactions(which func(*transaction) bool) {
	for _, sess := range s.sessions.All() {
		s.abortIf(sess, which)
	}
}

func (s *Server) abortIf(sess *session.Session, which func(*transaction) bool) {
	release, ok := sess.TryCheckout()
	if !ok {
		return
	}
	defer release()
	if t, ok := sess.Txn.(*transaction); ok && t.phase == open && which(t) {
		t.end(aborted)
	}
}

// WorkMemory is how much operations and open cursors hold now, in bytes.
func (s *Server) WorkMemory() int64 { return s.pool.Used() }
