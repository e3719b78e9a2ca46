package command

import (
	"crypto/rand"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) userCommands() []Spec {
	const fields = "pwd customData roles mechanisms digestPassword authenticationRestrictions"
	return []Spec{
		{Name: "createUser", Fields: fields, Run: s.createUser},
		{Name: "updateUser", Fields: fields, Run: s.updateUser},
		{Name: "dropUser", Run: s.dropUser},
		{Name: "dropAllUsersFromDatabase", Run: s.dropAllUsers},
		{Name: "usersInfo", Fields: "showCredentials showCustomData showPrivileges showAuthenticationRestrictions filter", Run: s.usersInfo},
		{Name: "grantRolesToUser", Fields: "roles", Run: s.grantRoles},
		{Name: "revokeRolesFromUser", Fields: "roles", Run: s.grantRoles},
	}
}

// Users and roles are documents of collections as in the server.
func usersNS() storage.NS { return storage.NS{DB: "admin", Coll: "system.users"} }
func rolesNS() storage.NS { return storage.NS{DB: "admin", Coll: "system.roles"} }

func (s *Server) lookupID(ns storage.NS, id string) bsonval.Doc {
	c := s.store.State().Collection(ns)
	if c == nil {
		return nil
	}
	record, ok := c.ByID(bsonval.StringValue(id))
	if !ok {
		return nil
	}
	doc, _ := c.Get(record)
	return doc
}

func (s *Server) findUser(user, db string) bsonval.Doc { return s.lookupID(usersNS(), db+"."+user) }
func (s *Server) findRole(role, db string) bsonval.Doc { return s.lookupID(rolesNS(), db+"."+role) }

func (s *Server) hasUsers() bool {
	c := s.store.State().Collection(usersNS())
	return c != nil && c.Count() > 0
}

// rolesOf is $$USER_ROLES: the roles of the connection's user, and those they inherit.
func (s *Server) rolesOf(c *Conn) bsonval.Value {
	if c.User == nil {
		return bsonval.ArrayOf()
	}
	u := s.findUser(c.User.User, c.User.DB)
	if u == nil {
		return bsonval.ArrayOf()
	}
	var b bsonval.Builder
	for v := range s.inherited(u.Get("roles").Doc()).Values() {
		name, db := roleOf(v, "")
		b.OpenItem().Str("_id", db+"."+name).Str("role", name).Str("db", db).Close()
	}
	return b.Array()
}

// put stores a user or role document in the place of the one with its _id.
func (r *Request) put(ns storage.NS, doc bsonval.Doc) error {
	id := doc.Get("_id")
	return r.write(func(w *crud.Writer) error {
		if err := putAuthSchema(w); err != nil {
			return err
		}
		c, err := w.Collection(ns)
		if err != nil {
			return err
		}
		if record, ok := c.ByID(id); ok {
			return w.Tx.Update(ns, record, doc, storage.Replace)
		}
		_, err = w.Insert(ns, doc)
		return err
	})
}

// authSchema is the version of the form that users are kept in: the one of SCRAM.
const authSchema = 5

// putAuthSchema notes it where mongodump and mongorestore look for it.
func putAuthSchema(w *crud.Writer) error {
	ns, id := storage.NS{DB: "admin", Coll: "system.version"}, bsonval.StringValue("authSchema")
	c, err := w.Collection(ns)
	if err != nil {
		return err
	}
	if _, ok := c.ByID(id); ok {
		return nil
	}
	_, err = w.Insert(ns, bsonval.D(bsonval.E("_id", id), bsonval.E("currentVersion", bsonval.IntValue(authSchema))))
	return err
}

func (r *Request) remove(ns storage.NS, id string) error {
	return r.write(func(w *crud.Writer) error {
		c := w.Tx.Collection(ns)
		if c == nil {
			return nil
		}
		record, ok := c.ByID(bsonval.StringValue(id))
		if !ok {
			return nil
		}
		return w.Tx.Delete(ns, record)
	})
}

// unrestricted refuses addresses that a user or a role would be bound to: to keep them
// and let anybody in would be worse.
func unrestricted(r *Request) error {
	if v := r.Body.Get("authenticationRestrictions"); v.Type() == bsonval.Array && !v.Doc().IsEmpty() {
		return mongoerr.New(mongoerr.NotImplemented, "authenticationRestrictions are not supported")
	}
	return nil
}

func (s *Server) createUser(r *Request) (bsonval.Doc, error) {
	if err := unrestricted(r); err != nil {
		return nil, err
	}
	name, err := r.Str("createUser")
	if err != nil {
		return nil, err
	}
	switch {
	case name == "":
		return nil, mongoerr.New(mongoerr.BadValue, "User document needs 'user' field to be non-empty")
	case r.Body.Get("roles").IsMissing():
		return nil, required("createUser.roles")
	case s.findUser(name, r.DB) != nil:
		return nil, mongoerr.New(51003, "User \"%s@%s\" already exists", name, r.DB)
	}
	pwd := r.Body.Get("pwd")
	if r.DB != "$external" && pwd.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.BadValue, "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db")
	}
	roles, err := s.readRoles(r, r.Body.Get("roles"))
	if err != nil {
		return nil, err
	}
	credentials, err := r.credentials(name)
	if err != nil {
		return nil, err
	}
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	var b bsonval.Builder
	b.Str("_id", r.DB+"."+name).Set("userId", bsonval.BinaryValue(4, id[:])).Str("user", name).Str("db", r.DB)
	b.SetDoc("credentials", credentials).Set("customData", r.Body.Get("customData")).Set("roles", roles)
	return nil, r.put(usersNS(), b.Doc())
}

// credentials makes what is stored of the password, for the mechanisms asked for.
func (r *Request) credentials(name string) (bsonval.Doc, error) {
	mechanisms := []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}
	if v := r.Body.Get("mechanisms"); v.Type() == bsonval.Array {
		mechanisms = nil
		for m := range v.Doc().Values() {
			mechanisms = append(mechanisms, stringOr(m, ""))
		}
	}
	var b bsonval.Builder
	for _, m := range mechanisms {
		mech := scramNamed(m)
		if mech == nil {
			return nil, mongoerr.New(mongoerr.BadValue, "Unknown auth mechanism '%s'", m)
		}
		c, err := mech.credential(name, r.Body.Get("pwd").Str())
		if err != nil {
			return nil, err
		}
		b.SetDoc(m, c)
	}
	return b.Doc(), nil
}

// readRoles checks a list of roles and answers it as {role, db} each.
func (s *Server) readRoles(r *Request, v bsonval.Value) (bsonval.Value, error) {
	if v.Type() != bsonval.Array {
		return v, wrongType(r.field("roles"), v, "array")
	}
	var b bsonval.Builder
	for e := range v.Doc().Values() {
		name, db := roleOf(e, r.DB)
		if name == "" {
			return v, mongoerr.New(mongoerr.BadValue, "Role names must be either strings or objects")
		}
		if _, ok := builtinRole(name, db); !ok && s.findRole(name, db) == nil {
			return v, mongoerr.New(mongoerr.RoleNotFound, "Could not find role: %s@%s", name, db)
		}
		b.OpenItem().Str("role", name).Str("db", db).Close()
	}
	return b.Array(), nil
}

// existing reads the user that the command's first field names.
func (s *Server) existing(r *Request) (string, bsonval.Doc, error) {
	name, err := r.Str(r.Body.First().Name)
	if err != nil {
		return "", nil, err
	}
	u := s.findUser(name, r.DB)
	if u == nil {
		return "", nil, mongoerr.New(mongoerr.UserNotFound, "User '%s@%s' not found", name, r.DB)
	}
	return name, u, nil
}

func (s *Server) updateUser(r *Request) (bsonval.Doc, error) {
	if err := unrestricted(r); err != nil {
		return nil, err
	}
	name, u, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	set := map[string]bsonval.Value{}
	if v := r.Body.Get("pwd"); v.Type() == bsonval.String {
		c, err := r.credentials(name)
		if err != nil {
			return nil, err
		}
		set["credentials"] = bsonval.DocValue(c)
	}
	if v := r.Body.Get("roles"); !v.IsMissing() {
		if set["roles"], err = s.readRoles(r, v); err != nil {
			return nil, err
		}
	}
	if v := r.Body.Get("customData"); !v.IsMissing() {
		set["customData"] = v
	}
	return nil, r.put(usersNS(), replaced(u, set))
}

// replaced is a document with some fields changed, or added at the end.
func replaced(d bsonval.Doc, set map[string]bsonval.Value) bsonval.Doc {
	var b bsonval.Builder
	for name, v := range d.All() {
		if next, ok := set[name]; ok {
			v = next
			delete(set, name)
		}
		b.Set(name, v)
	}
	for name, v := range set {
		b.Set(name, v)
	}
	return b.Doc()
}

func (s *Server) dropUser(r *Request) (bsonval.Doc, error) {
	name, _, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	return nil, r.remove(usersNS(), r.DB+"."+name)
}

func (s *Server) dropAllUsers(r *Request) (bsonval.Doc, error) {
	n := int32(0)
	for _, u := range s.documentsOf(usersNS(), r.DB) {
		if err := r.remove(usersNS(), u.Get("_id").Str()); err != nil {
			return nil, err
		}
		n++
	}
	return bsonval.D(bsonval.E("n", bsonval.IntValue(n))), nil
}

// documentsOf are the users or roles of a database, of all of them for "".
func (s *Server) documentsOf(ns storage.NS, db string) []bsonval.Doc {
	c := s.store.State().Collection(ns)
	if c == nil {
		return nil
	}
	var out []bsonval.Doc
	cur := c.Records()
	for ok := cur.First(); ok; ok = cur.Next() {
		if db == "" || strings.HasPrefix(cur.Value().Get("_id").Str(), db+".") {
			out = append(out, cur.Value())
		}
	}
	return out
}

func (s *Server) grantRoles(r *Request) (bsonval.Doc, error) {
	_, u, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	given, err := s.readRoles(r, r.Body.Get("roles"))
	if err != nil {
		return nil, err
	}
	roles := without(u.Get("roles").Doc(), given.Doc())
	if r.Spec.Name == "grantRolesToUser" {
		roles = concat(u.Get("roles").Doc(), without(given.Doc(), u.Get("roles").Doc()))
	}
	return nil, r.put(usersNS(), replaced(u, map[string]bsonval.Value{"roles": bsonval.ArrayValue(roles)}))
}

// without is a list without the items of another.
func without(list, gone bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	for v := range list.Values() {
		if !slices.ContainsFunc(gone.Slice(), func(g bsonval.Value) bool { return bsonval.Equal(v, g) }) {
			b.Item(v)
		}
	}
	return b.Doc()
}

func (s *Server) usersInfo(r *Request) (bsonval.Doc, error) {
	var found []bsonval.Doc
	one := func(name, db string) {
		if u := s.findUser(name, db); u != nil {
			found = append(found, u)
		}
	}
	var read func(v bsonval.Value)
	read = func(v bsonval.Value) {
		switch v.Type() {
		case bsonval.String:
			one(v.Str(), r.DB)
		case bsonval.Object:
			if v.Doc().Get("forAllDBs").Truth() {
				found = append(found, s.documentsOf(usersNS(), "")...)
				return
			}
			one(stringOr(v.Doc().Get("user"), ""), stringOr(v.Doc().Get("db"), r.DB))
		case bsonval.Array:
			for e := range v.Doc().Values() {
				read(e)
			}
		default:
			found = append(found, s.documentsOf(usersNS(), r.DB)...)
		}
	}
	read(r.Body.First().Value)
	var b bsonval.Builder
	b.OpenArray("users")
	for _, u := range found {
		b.OpenItem()
		for name, v := range u.All() {
			if name == "credentials" && !r.Body.Get("showCredentials").Truth() {
				continue
			}
			b.Set(name, v)
		}
		b.OpenArray("mechanisms")
		for name := range u.Get("credentials").Doc().All() {
			b.ItemStr(name)
		}
		b.Close()
		if r.Body.Get("showPrivileges").Truth() {
			b.OpenArray("inheritedPrivileges")
			for _, p := range s.privilegesOf(u.Get("roles").Doc()) {
				p.write(&b)
			}
			b.Close()
		}
		b.Close()
	}
	return b.Doc(), nil
}
