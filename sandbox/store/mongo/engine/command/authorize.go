package command

import (
	"net/netip"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// need is one action that a command does.
type need struct {
	action  string
	ns      storage.NS // without a collection: on the database; empty: on the cluster
	normal  bool       // on every collection of every database, in place of ns
	refusal string     // the server's words for who may not, "" for those that most commands have
}

// authorize tells whether the connection may run the command. Without the option Auth
// a connection that hasn't authenticated may do everything, as with a server that was
// started without --auth; one that has may do what its roles allow.
func (s *Server) authorize(r *Request) error {
	c := r.Conn
	if c.Internal || r.Spec.NoAuth {
		return nil
	}
	if c.User == nil {
		if !s.opts.Auth || r.makesFirstUser() {
			return nil
		}
		return mongoerr.New(mongoerr.Unauthorized, "Command %s requires authentication", r.Spec.Name)
	}
	granted, known := s.granted(c)
	if !known {
		return mongoerr.New(mongoerr.Unauthorized, "Command %s requires authentication", r.Spec.Name)
	}
	for _, n := range s.needs(r) {
		switch {
		case allowed(granted, n):
		case n.refusal != "":
			return mongoerr.New(mongoerr.Unauthorized, "%s", n.refusal)
		default:
			return mongoerr.New(mongoerr.Unauthorized, "not authorized on %s to execute command %s", r.DB, r.Body)
		}
	}
	return nil
}

// grants is what a user may do, as long as nobody changes users or roles.
type grants struct {
	user         Identity
	users, roles *storage.Collection // that it was found in
	list         []privilege
	named        bsonval.Value // its roles and those that they inherit, as {_id, role, db}
}

// grantsOf are those of the connection's user, nil when the user is gone.
func (s *Server) grantsOf(c *Conn) *grants {
	state := s.store.State()
	users, roles := state.Collection(usersNS()), state.Collection(rolesNS())
	if g := c.grants.Load(); g != nil && g.user == *c.User && g.users == users && g.roles == roles {
		return g
	}
	u := s.findUser(c.User.User, c.User.DB)
	if u == nil {
		return nil
	}
	own := u.Get("roles").Doc()
	var b bsonval.Builder
	for v := range s.inherited(own).Values() {
		name, db := roleOf(v, "")
		b.OpenItem().Str("_id", db+"."+name).Str("role", name).Str("db", db).Close()
	}
	g := &grants{*c.User, users, roles, s.privilegesOf(own), b.Array()}
	c.grants.Store(g)
	return g
}

// granted is what the connection's user may do; not known when the user is gone.
func (s *Server) granted(c *Conn) (p []privilege, known bool) {
	if g := s.grantsOf(c); g != nil {
		return g.list, true
	}
	return nil, false
}

// rolesOf is $$USER_ROLES: the roles of the connection's user, and those they inherit.
func (s *Server) rolesOf(c *Conn) bsonval.Value {
	if c.User != nil {
		if g := s.grantsOf(c); g != nil {
			return g.named
		}
	}
	return bsonval.ArrayValue(bsonval.EmptyDoc())
}

// may tells whether the connection may do something, for commands that look by
// themselves.
func (r *Request) may(n need) bool {
	if r.Conn.Internal || r.Conn.User == nil {
		return true
	}
	granted, _ := r.Server.granted(r.Conn)
	return allowed(granted, n)
}

// sees tells whether a list shows a database (of which coll is empty) or collection to
// the connection: to a user it shows those on which there is anything that the user may
// do, and with all everything to one who may list everything.
func (r *Request) sees(all bool) func(ns storage.NS) bool {
	if r.Conn.Internal || r.Conn.User == nil {
		return func(storage.NS) bool { return true }
	}
	granted, _ := r.Server.granted(r.Conn)
	return func(ns storage.NS) bool {
		list := need{action: "listDatabases"}
		if ns.Coll != "" {
			list = need{action: "listCollections", ns: storage.NS{DB: ns.DB}}
		}
		if all && allowed(granted, list) {
			return true
		}
		for _, p := range granted {
			if p.any || !p.cluster && (p.db == "" || p.db == ns.DB) && (ns.Coll == "" || p.covers(ns)) {
				return true
			}
		}
		return false
	}
}

// makesFirstUser tells what a server without users lets anybody on this machine do, the
// server's localhost exception.
func (r *Request) makesFirstUser() bool {
	return (r.Spec.Name == "createUser" || r.Spec.Name == "createRole") && r.DB == "admin" && r.Conn.local() && !r.Server.hasUsers()
}

// local tells whether the client is on this machine.
func (c *Conn) local() bool {
	at, err := netip.ParseAddrPort(c.Remote)
	return err != nil || at.Addr().Unmap().IsLoopback() // what has no such address is in this process
}

func allowed(granted []privilege, n need) bool {
	for _, p := range granted {
		if n.normal && (p.any || !p.cluster && !p.buckets && p.db == "" && p.coll == "") && p.has(n.action) {
			return true
		}
		if !n.normal && p.allows(n.action, n.ns) {
			return true
		}
	}
	return false
}
