package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// Identity is who a connection has authenticated as.
type Identity struct{ User, DB string }

func (s *Server) authCommands() []Spec {
	return []Spec{
		{Name: "saslStart", Fields: "mechanism payload autoAuthorize options", Run: s.saslStart, NoAuth: true},
		{Name: "saslContinue", Fields: "conversationId payload", Run: s.saslContinue, NoAuth: true},
		{Name: "authenticate", Fields: "*", Run: s.authenticate, NoAuth: true},
		{Name: "logout", Run: s.logout, NoAuth: true},
		{Name: "connectionStatus", Fields: "showPrivileges", Run: s.connectionStatus, NoAuth: true},
	}
}

// authenticate is the command of before SASL, left for certificates alone.
func (s *Server) authenticate(r *Request) (bsonval.Doc, error) {
	if mech := r.Body.Get("mechanism"); mech.Type() == bsonval.String && mech.Str() == "MONGODB-X509" {
		return nil, mongoerr.New(mongoerr.AuthenticationFailed, "SSL support is required for the MONGODB-X509 mechanism.")
	}
	return nil, mongoerr.New(mongoerr.BadValue, "Unsupported authentication mechanism: log in with saslStart and SCRAM-SHA-256")
}

// identify sets who the connection is; currentOp may look at it meanwhile.
func (s *Server) identify(c *Conn, id *Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.User = id
}

// userName is "name@db" of who is logged in, empty for nobody.
func (c *Conn) userName() string { return c.User.name() }

func (id *Identity) name() string {
	if id == nil {
		return ""
	}
	return id.User + "@" + id.DB
}

// admit ends a login that has succeeded.
func (s *Server) admit(c *Conn, l *login) {
	c.auth = nil
	s.counters.loggedIn[l.mech.index()].Add(1)
	s.identify(c, &Identity{l.user, l.db})
}

func (s *Server) saslStart(r *Request) (bsonval.Doc, error) { return s.startLogin(r, r.Body, r.DB) }

// startLogin is saslStart, as a command or within hello.
func (s *Server) startLogin(r *Request, cmd bsonval.Doc, db string) (bsonval.Doc, error) {
	name := cmd.Get("mechanism")
	if name.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.BadValue, "Missing expected field \"mechanism\"")
	}
	mech := scramNamed(name.Str())
	if mech == nil {
		return nil, mongoerr.New(mongoerr.MechanismUnavailable, "Received authentication for mechanism %s which is unknown or not enabled", name.Str())
	}
	payload, err := saslPayload(cmd)
	if err != nil {
		return nil, err
	}
	s.counters.logins[mech.index()].Add(1)
	l := &login{mech: mech, db: db}
	if opts := cmd.Get("options"); opts.Type() == bsonval.Object {
		l.skipEmpty = opts.Doc().Get("skipEmptyExchange").Truth()
	}
	challenge, err := l.begin(s, payload)
	if err != nil {
		return nil, err
	}
	r.Conn.auth = l
	return saslReply(challenge, false), nil
}

func saslPayload(cmd bsonval.Doc) (string, error) {
	switch v := cmd.Get("payload"); v.Type() {
	case bsonval.Binary:
		_, data := v.Binary()
		return string(data), nil
	case bsonval.String:
		return v.Str(), nil
	default:
		return "", wrongType("saslStart.payload", v, "binData")
	}
}

func saslReply(payload string, done bool) bsonval.Doc {
	var b bsonval.Builder
	b.Int32("conversationId", 1).Bool("done", done).Set("payload", bsonval.BinaryValue(0, []byte(payload)))
	return b.Doc()
}

func (s *Server) saslContinue(r *Request) (bsonval.Doc, error) {
	l := r.Conn.auth
	if l == nil {
		return nil, mongoerr.New(mongoerr.ProtocolError, "No SASL session state found")
	}
	payload, err := saslPayload(r.Body)
	if err != nil {
		return nil, err
	}
	if l.step == 1 { // the empty exchange at the end
		s.admit(r.Conn, l)
		return saslReply("", true), nil
	}
	signature, err := l.prove(payload)
	if u := s.findUser(l.user, l.db); err == nil && (u == nil || !s.mayEnter(r.Conn, u)) {
		err = errAuth()
	}
	s.logLogin(r.Conn, l, err)
	if err != nil {
		r.Conn.auth = nil
		return nil, err
	}
	l.step++
	if l.skipEmpty {
		s.admit(r.Conn, l)
	}
	return saslReply(signature, l.skipEmpty), nil
}

// helloAuth answers which mechanisms a user has, and starts an authentication that
// came along with the handshake.
func (s *Server) helloAuth(r *Request, b *bsonval.Builder) error {
	if v := r.Body.Get("saslSupportedMechs"); v.Type() == bsonval.String {
		if ns, ok := storage.ParseNS(v.Str()); ok {
			if u := s.findUser(ns.Coll, ns.DB); u != nil {
				b.OpenArray("saslSupportedMechs")
				for name := range u.Get("credentials").Doc().All() {
					b.ItemStr(name)
				}
				b.Close()
			}
		}
	}
	spec := r.Body.Get("speculativeAuthenticate")
	if spec.Type() != bsonval.Object || spec.Doc().First().Name != "saslStart" {
		return nil
	}
	db := spec.Doc().Get("db")
	if db.Type() != bsonval.String {
		return nil
	}
	// A failure here is no error of hello: the client tries again by itself.
	if reply, err := s.startLogin(r, spec.Doc(), db.Str()); err == nil {
		b.SetDoc("speculativeAuthenticate", reply)
	}
	return nil
}

// logout forgets who logged in on the request's database; a user of another one stays.
func (s *Server) logout(r *Request) (bsonval.Doc, error) {
	if u := r.Conn.User; u != nil && u.DB != r.DB {
		return nil, nil
	}
	r.Conn.auth = nil
	s.identify(r.Conn, nil)
	return nil, nil
}

func (s *Server) connectionStatus(r *Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenDoc("authInfo").OpenArray("authenticatedUsers")
	u := r.Conn.User
	if u != nil {
		b.OpenItem().Str("user", u.User).Str("db", u.DB).Close()
	}
	b.Close()
	var granted []privilege
	b.OpenArray("authenticatedUserRoles")
	if u != nil {
		if doc := s.findUser(u.User, u.DB); doc != nil {
			for v := range s.inherited(doc.Get("roles").Doc()).Values() {
				b.Item(v)
			}
			granted = s.privilegesOf(doc.Get("roles").Doc())
		}
	}
	b.Close()
	if r.Body.Get("showPrivileges").Truth() {
		b.OpenArray("authenticatedUserPrivileges")
		for _, p := range granted {
			p.write(&b)
		}
		b.Close()
	}
	return b.Doc(), nil
}
