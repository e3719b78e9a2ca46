package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Identity is who a connection has authenticated as.
type Identity struct {
	User, DB string
}

// login is an authentication that is going on.
type login struct{}

func (s *Server) userCommands() []Spec { return nil }

func (s *Server) authCommands() []Spec {
	return []Spec{
		{Name: "connectionStatus", Fields: "showPrivileges", Run: s.connectionStatus, NoAuth: true},
		{Name: "logout", Run: s.logout, NoAuth: true},
	}
}

// userName is "name@db" of who is logged in, empty for nobody.
func (c *Conn) userName() string {
	if c.User == nil {
		return ""
	}
	return c.User.User + "@" + c.User.DB
}

// roles is $$USER_ROLES.
func (c *Conn) roles() bsonval.Value { return bsonval.ArrayOf() }

// authorize tells whether the connection may run the command.
func (s *Server) authorize(r *Request) error {
	if s.opts.Auth && r.Conn.User == nil && !r.Conn.Internal && !r.Spec.NoAuth {
		return mongoerr.New(mongoerr.Unauthorized, "Command %s requires authentication", r.Spec.Name)
	}
	return nil
}

func (s *Server) helloAuth(*Request, *bsonval.Builder) error { return nil }

func (s *Server) connectionStatus(r *Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenDoc("authInfo").OpenArray("authenticatedUsers")
	if u := r.Conn.User; u != nil {
		b.OpenItem().Str("user", u.User).Str("db", u.DB).Close()
	}
	b.Close().OpenArray("authenticatedUserRoles").Close()
	if r.Body.Get("showPrivileges").Truth() {
		b.OpenArray("authenticatedUserPrivileges").Close()
	}
	b.Close()
	return b.Doc(), nil
}

func (s *Server) logout(r *Request) (bsonval.Doc, error) {
	r.Conn.User = nil
	return nil, nil
}
