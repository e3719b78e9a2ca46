package command

import (
	"crypto/rand"
	"slices"
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
		{Name: "killAllSessionsByPattern", Run: s.killByPattern, NoSession: true},
	}
}

// enter brings a request into its session: it waits for others that work on it with a
// transaction number, joins its transaction, or finds that it is a retried write.
func (s *Server) enter(r *Request) (release func(), err error) {
	none := func() {}
	if r.started && !r.inTransaction {
		return none, mongoerr.New(mongoerr.InvalidOptions, "'startTransaction' field requires 'autocommit' field to also be specified")
	}
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
	if t, ok := r.Session.Txn.(*transaction); err == nil && ok && t.number == r.txnNumber {
		err = mongoerr.New(mongoerr.IncompleteTransactionHistory, "Incomplete history detected for transaction %d: it is no retryable write's", r.txnNumber)
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

// lsids reads an array of session ids. Who may kill any session may name another
// user's, by the digest uid.
func (r *Request) lsids() ([]session.ID, error) {
	name := r.Spec.Name
	list := r.Body.First().Value
	if list.Type() != bsonval.Array {
		return nil, wrongType(r.field(name), list, "array")
	}
	var out []session.ID
	for v := range list.Doc().Values() {
		if v.Type() != bsonval.Object {
			return nil, wrongType(r.field(name), v, "object")
		}
		id, err := readUUID(v.Doc(), r.field(name)+".id")
		if err != nil {
			return nil, err
		}
		user := r.Conn.userName()
		if uid := v.Doc().Get("uid"); uid.Type() == bsonval.Binary {
			if user, err = r.sessionUser(uid); err != nil {
				return nil, err
			}
		}
		out = append(out, session.ID{UUID: id, User: user})
	}
	return out, nil
}

func readUUID(d bsonval.Doc, field string) (id [16]byte, err error) {
	v := d.Get("id")
	if v.Type() != bsonval.Binary {
		return id, required(field)
	}
	return uuidOf(v)
}

// sessionUser is whose sessions have a digest; somebody's whom no session has for a
// digest that isn't known.
func (r *Request) sessionUser(uid bsonval.Value) (string, error) {
	_, digest := uid.Binary()
	if own := session.Digest(r.Conn.userName()); string(digest) == string(own) {
		return r.Conn.userName(), nil
	}
	if !r.may(need{action: "killAnySession"}) && !r.may(need{action: "impersonate"}) {
		return "", mongoerr.New(mongoerr.Unauthorized, "Not authorized to set user digest in LogicalSessionId")
	}
	for _, sess := range r.Server.sessions.All() {
		if string(session.Digest(sess.ID.User)) == string(digest) {
			return sess.ID.User, nil
		}
	}
	return "\x00" + string(digest), nil
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

// killSessions ends what goes on in the user's own sessions, or in those that it names.
func (s *Server) killSessions(r *Request) (bsonval.Doc, error) {
	ids, err := r.lsids()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		s.killSession(id)
	}
	if len(ids) == 0 {
		s.killWhere(func(id session.ID) bool { return !s.opts.Auth && r.Conn.User == nil || id.User == r.Conn.userName() })
	}
	return nil, nil
}

// killSession ends what goes on in a session, which stays.
func (s *Server) killSession(id session.ID) {
	s.killOps(func(o *running) bool { return o.session != nil && *o.session == id })
	if sess := s.sessions.Find(id); sess != nil {
		release := sess.Checkout()
		s.abandon(sess)
		release()
	}
	s.cursors.KillWhere(func(c *cursor.Cursor) bool { return c.Session != nil && *c.Session == id })
}

// killWhere does so in all sessions of a kind.
func (s *Server) killWhere(which func(session.ID) bool) {
	for _, sess := range s.sessions.All() {
		if which(sess.ID) {
			s.killSession(sess.ID)
		}
	}
	s.cursors.KillWhere(func(c *cursor.Cursor) bool { return c.Session != nil && which(*c.Session) })
}

// killAllSessions ends what goes on in everybody's sessions, or in those of the users
// that it names.
func (s *Server) killAllSessions(r *Request) (bsonval.Doc, error) {
	list, err := r.Docs("killAllSessions")
	if err != nil {
		return nil, err
	}
	users := map[string]bool{}
	for _, d := range list {
		for _, field := range [...]string{"user", "db"} {
			switch v := d.Get(field); v.Type() {
			case bsonval.String:
			case bsonval.Missing:
				return nil, required("killAllSessions.killAllSessions." + field)
			default:
				return nil, wrongType("killAllSessions.killAllSessions."+field, v, "string")
			}
		}
		name, db := d.Get("user").Str(), d.Get("db").Str()
		if s.findUser(name, db) == nil {
			return nil, mongoerr.New(mongoerr.UserNotFound, "Could not find user \"%s\" for db \"%s\"", name, db)
		}
		users[name+"@"+db] = true
	}
	s.killWhere(func(id session.ID) bool { return len(list) == 0 || users[id.User] })
	return nil, nil
}

// killByPattern is killAllSessionsByPattern: a session is meant by its id, or by the
// digest of its user. users and roles name whom a router asks for, which takes the right
// to speak for others, and means no session by itself.
func (s *Server) killByPattern(r *Request) (bsonval.Doc, error) {
	const field = "killAllSessionsByPattern.killAllSessionsByPattern"
	patterns, err := r.Docs("killAllSessionsByPattern")
	if err != nil {
		return nil, err
	}
	var tests []func(session.ID) bool
	for _, p := range patterns {
		test, err := r.pattern(p, field)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	s.killWhere(func(id session.ID) bool {
		return len(tests) == 0 || slices.ContainsFunc(tests, func(test func(session.ID) bool) bool { return test(id) })
	})
	return nil, nil
}

func (r *Request) pattern(p bsonval.Doc, field string) (func(session.ID) bool, error) {
	var id, uid []byte
	for name, v := range p.All() {
		switch name {
		case "lsid":
			if v.Type() != bsonval.Object {
				return nil, wrongType(field+".lsid", v, "object")
			}
			uuid, err := readUUID(v.Doc(), field+".lsid.id")
			if err != nil {
				return nil, err
			}
			if id, uid = uuid[:], binaryOf(v.Doc().Get("uid")); uid == nil {
				return nil, required(field + ".lsid.uid")
			}
		case "uid":
			if uid = binaryOf(v); uid == nil {
				return nil, wrongType(field+".uid", v, "binData")
			}
		case "users", "roles":
			if v.Type() != bsonval.Array {
				return nil, wrongType(field+"."+name, v, "array")
			}
			if !r.may(need{action: "impersonate"}) {
				return nil, mongoerr.New(mongoerr.Unauthorized, "Not authorized to impersonate in killAllSessionsByPattern")
			}
		default:
			return nil, unknownField(field + "." + name)
		}
	}
	return func(at session.ID) bool {
		return (id == nil || string(id) == string(at.UUID[:])) && (uid == nil || string(uid) == string(session.Digest(at.User)))
	}, nil
}

func binaryOf(v bsonval.Value) []byte {
	if v.Type() != bsonval.Binary {
		return nil
	}
	_, data := v.Binary()
	return data
}

// listSessions is $listSessions and $listLocalSessions: the user's own sessions, those
// of users that it names, or all.
func (s *Server) listSessions(r *Request, stage string, arg bsonval.Value) ([]bsonval.Doc, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "%s options must be specified in an object, but found: %s", stage, arg.Type())
	}
	all, users := false, map[string]bool{r.Conn.userName(): true}
	for name, v := range arg.Doc().All() {
		switch {
		case name == "allUsers":
			all = v.Truth()
		case name != "users":
			return nil, unknownField(stage + "." + name)
		case v.Type() != bsonval.Array:
			return nil, wrongType(stage+".users", v, "array")
		default:
			users = map[string]bool{}
			for e := range v.Doc().Values() {
				if e.Type() != bsonval.Object {
					return nil, wrongType(stage+".users", e, "object")
				}
				users[stringOr(e.Doc().Get("user"), "")+"@"+stringOr(e.Doc().Get("db"), "")] = true
			}
		}
	}
	if all && !arg.Doc().Get("users").IsMissing() {
		return nil, mongoerr.New(mongoerr.UnsupportedFormat, "%s may not specify {allUsers:true} and {users:[...]} at the same time", stage)
	}
	var docs []bsonval.Doc
	for _, sess := range s.sessions.All() {
		if !all && !users[sess.ID.User] {
			continue
		}
		b := bsonval.NewBuilder(128)
		b.SetDoc("_id", sess.ID.Doc()).Set("lastUse", bsonval.TimeValue(sess.LastUse()))
		if sess.ID.User != "" {
			b.Str("user", sess.ID.User)
		}
		docs = append(docs, b.Doc())
	}
	return docs, nil
}
