package command

import (
	"crypto/rand"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/session"
)

func (s *Server) sessionCommands() []Spec {
	return []Spec{
		{Name: "startSession", Run: s.startSession, NoSession: true},
		{Name: "endSessions", Run: s.endSessions, NoSession: true},
		{Name: "refreshSessions", Run: s.refreshSessions, NoSession: true},
		{Name: "killSessions", Run: s.killSessions, NoSession: true},
		{Name: "killAllSessions", Run: s.killAllSessions, NoSession: true},
		{Name: "killAllSessionsByPattern", Run: s.killAllSessions, NoSession: true},
	}
}

// enter brings a request into its session: it waits for others that work on it with a
// transaction number, joins its transaction, or finds that it is a retried write.
func (s *Server) enter(r *Request) (release func(), err error) {
	none := func() {}
	if r.txnNumber < 0 {
		if r.inTransaction || r.started {
			return none, mongoerr.New(mongoerr.InvalidOptions, "'autocommit' field requires a transaction number to also be specified")
		}
		return none, nil
	}
	if r.Session == nil {
		return none, mongoerr.New(mongoerr.InvalidOptions, "Transaction number requires a session ID to also be specified")
	}
	if r.txnNumber < 0 {
		return none, mongoerr.New(mongoerr.InvalidOptions, "Transaction number cannot be negative")
	}
	release = r.Session.Checkout()
	s.recall(r.Session)
	if r.inTransaction {
		if err := s.joinTransaction(r); err != nil {
			release()
			return none, err
		}
		return release, nil
	}
	if !r.Spec.Write {
		release()
		return none, mongoerr.New(mongoerr.NotARetryableWriteCommand, "txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and %s is not a retryable write command.", r.Spec.Name)
	}
	fresh, err := r.Session.Advance(r.txnNumber)
	if err == nil && fresh {
		s.abandon(r.Session)
	}
	if err != nil {
		release()
		return none, err
	}
	if err := r.retries(); err != nil {
		release()
		return none, err
	}
	return release, nil
}

func (s *Server) startSession(r *Request) (bsonval.Doc, error) {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	s.sessions.Get(session.ID{UUID: id, User: r.Conn.userName()})
	var b bsonval.Builder
	b.OpenDoc("id").Set("id", bsonval.BinaryValue(4, id[:])).Close()
	b.Int32("timeoutMinutes", int32(session.Timeout/time.Minute))
	return b.Doc(), nil
}

// lsids reads an array of session ids.
func (r *Request) lsids() ([]session.ID, error) {
	list := r.Body.First().Value
	if list.Type() != bsonval.Array {
		return nil, wrongType(r.field(r.Spec.Name), list, "array")
	}
	var out []session.ID
	for v := range list.Doc().Values() {
		if v.Type() != bsonval.Object {
			return nil, wrongType(r.field(r.Spec.Name), v, "object")
		}
		id := v.Doc().Get("id")
		if id.Type() != bsonval.Binary {
			return nil, required(r.field(r.Spec.Name) + ".id")
		}
		_, data := id.Binary()
		if len(data) != 16 {
			return nil, mongoerr.New(mongoerr.InvalidUUID, "uuid must be a 16-byte binary field with UUID (4) subtype")
		}
		out = append(out, session.ID{UUID: [16]byte(data), User: r.Conn.userName()})
	}
	return out, nil
}

func (s *Server) endSessions(r *Request) (bsonval.Doc, error) {
	ids, err := r.lsids()
	for _, id := range ids {
		s.endSession(id)
	}
	s.forget(r.Op.Context(), ids)
	return nil, err
}

// endSession forgets a session with its transaction and its cursors.
func (s *Server) endSession(id session.ID) {
	if sess := s.sessions.Remove(id); sess != nil {
		release := sess.Checkout()
		s.abandon(sess)
		release()
	}
	s.cursors.KillWhere(func(c *cursor.Cursor) bool { return c.Session != nil && *c.Session == id })
}

func (s *Server) refreshSessions(r *Request) (bsonval.Doc, error) {
	ids, err := r.lsids()
	for _, id := range ids {
		s.sessions.Get(id)
	}
	return nil, err
}

func (s *Server) killSessions(r *Request) (bsonval.Doc, error) {
	ids, err := r.lsids()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return s.killAllSessions(r)
	}
	for _, id := range ids {
		s.killSession(id)
	}
	return nil, nil
}

// killSession ends what goes on in a session, which stays.
func (s *Server) killSession(id session.ID) {
	if sess := s.sessions.Find(id); sess != nil {
		release := sess.Checkout()
		s.abandon(sess)
		release()
	}
	s.cursors.KillWhere(func(c *cursor.Cursor) bool { return c.Session != nil && *c.Session == id })
}

func (s *Server) killAllSessions(*Request) (bsonval.Doc, error) {
	for _, sess := range s.sessions.All() {
		s.killSession(sess.ID)
	}
	return nil, nil
}

func (s *Server) listSessions(bsonval.Value) ([]bsonval.Doc, error) {
	var docs []bsonval.Doc
	for _, sess := range s.sessions.All() {
		var b bsonval.Builder
		b.SetDoc("_id", sess.ID.Doc()).Set("lastUse", bsonval.TimeValue(sess.LastUse()))
		docs = append(docs, b.Doc())
	}
	return docs, nil
}
