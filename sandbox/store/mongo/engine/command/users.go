package command

import (
	"crypto/rand"
	"maps"
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

func (s *Server) createUser(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("createUser")
	if err != nil {
		return nil, err
	}
	if err := r.newUser(name); err != nil {
		return nil, err
	}
	restrictions, err := r.restrictions()
	if err != nil {
		return nil, err
	}
	roles, err := s.readRoles(r, r.Body.Get("roles"))
	if err != nil {
		return nil, err
	}
	credentials, err := r.credentials(name)
	if err != nil {
		return nil, err
	}
	if s.findUser(name, r.DB) != nil {
		return nil, mongoerr.New(51003, "User \"%s@%s\" already exists", name, r.DB)
	}
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	var b bsonval.Builder
	b.Str("_id", r.DB+"."+name).Set("userId", bsonval.BinaryValue(4, id[:])).Str("user", name).Str("db", r.DB)
	b.SetDoc("credentials", credentials)
	if restrictions.Type() == bsonval.Array && !restrictions.Doc().IsEmpty() {
		b.Set("authenticationRestrictions", restrictions)
	}
	b.Set("customData", r.Body.Get("customData")).Set("roles", roles)
	return nil, r.put(usersNS(), b.Doc())
}

// newUser refuses what no user can be made of.
func (r *Request) newUser(name string) error {
	pwd := r.Body.Get("pwd")
	bad := func(text string) error { return mongoerr.New(mongoerr.BadValue, "%s", text) }
	switch {
	case r.Body.Get("roles").IsMissing():
		return required("createUser.roles")
	case r.DB == "local":
		return bad("Cannot create users in the local database")
	case strings.Contains(name, "\x00"):
		return bad("Username cannot contain NULL characters")
	case name == "":
		return bad("User document needs 'user' field to be non-empty")
	case !pwd.IsMissing() && pwd.Type() != bsonval.String:
		return wrongType("createUser.pwd", pwd, "string")
	case !pwd.IsMissing() && pwd.Str() == "":
		return bad("Password cannot be empty")
	case pwd.IsMissing() && r.DB != "$external":
		return bad("Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db")
	case !pwd.IsMissing() && r.DB == "$external":
		return bad("Cannot set the password for users defined on the '$external' database")
	}
	if v := r.Body.Get("customData"); !v.IsNullish() && v.Type() != bsonval.Object {
		return wrongType("createUser.customData", v, "object")
	}
	return nil
}

// credentials makes what is stored of the password, for the mechanisms asked for.
func (r *Request) credentials(name string) (bsonval.Doc, error) {
	if r.DB == "$external" {
		return bsonval.D(bsonval.E("external", bsonval.BoolValue(true))), nil
	}
	mechanisms, err := r.mechanisms()
	if err != nil {
		return nil, err
	}
	if mechanisms == nil {
		mechanisms = []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}
	}
	digested := r.Body.Get("digestPassword")
	var b bsonval.Builder
	for _, m := range mechanisms {
		mech := scramNamed(m)
		if mech == nil {
			return nil, mongoerr.New(mongoerr.BadValue, "Unknown auth mechanism '%s'", m)
		}
		mech.iterations = int(r.Server.Parameter(mech.parameter()).Long())
		digest := r.Body.Get("pwd").Str() // of old clients, that digest it themselves
		if digested.IsMissing() || digested.Truth() {
			if digest, err = mech.digest(name, digest); err != nil {
				return nil, err
			}
		} else if m == "SCRAM-SHA-256" {
			return nil, mongoerr.New(mongoerr.BadValue, "Use of SCRAM-SHA-256 requires undigested passwords")
		}
		c, err := mech.credential(digest)
		if err != nil {
			return nil, err
		}
		b.SetDoc(m, c)
	}
	return b.Doc(), nil
}

// mechanisms are those that the command names, nil for none.
func (r *Request) mechanisms() ([]string, error) {
	list, err := arrayField(r.Body, "mechanisms", r.field("mechanisms"))
	if err != nil || list == nil {
		return nil, err
	}
	var out []string
	for m := range list.Values() {
		out = append(out, stringOr(m, m.String()))
	}
	if out == nil {
		return nil, mongoerr.New(mongoerr.BadValue, "mechanisms field must not be empty")
	}
	return out, nil
}

// readRoles checks a list of roles and answers it as {role, db} each, each once.
func (s *Server) readRoles(r *Request, v bsonval.Value) (bsonval.Value, error) {
	if v.Type() == bsonval.Missing {
		return v, required(r.field("roles"))
	}
	if v.Type() != bsonval.Array {
		return v, wrongType(r.field("roles"), v, "array")
	}
	var b bsonval.Builder
	var unknown []string
	seen := map[[2]string]bool{}
	for e := range v.Doc().Values() {
		name, db := roleOf(e, r.DB)
		switch {
		case e.Type() != bsonval.String && e.Type() != bsonval.Object:
			return v, mongoerr.New(mongoerr.BadValue, "Role name must be either a document or string")
		case name == "" && e.Type() == bsonval.Object:
			return v, mongoerr.New(mongoerr.BadValue, "a role is named by {role: <name>, db: <database>}, not by %s", e)
		case seen[[2]string{name, db}]:
			continue
		}
		seen[[2]string{name, db}] = true
		if _, ok := builtinRole(name, db); !ok && s.findRole(name, db) == nil {
			unknown = append(unknown, name+"@"+db)
		}
		b.OpenItem().Str("role", name).Str("db", db).Close()
	}
	switch len(unknown) {
	case 0:
		return b.Array(), nil
	case 1:
		return v, mongoerr.New(mongoerr.RoleNotFound, "Could not find role: %s", unknown[0])
	}
	return v, mongoerr.New(mongoerr.RoleNotFound, "Could not find roles: %s", strings.Join(unknown, ", "))
}

// existing reads the user that the command's first field names.
func (s *Server) existing(r *Request) (string, bsonval.Doc, error) {
	name, err := r.Str(r.Body.First().Name)
	if err != nil {
		return "", nil, err
	}
	u := s.findUser(name, r.DB)
	switch {
	case u != nil:
		return name, u, nil
	case r.Spec.Name == "updateUser" || r.Spec.Name == "dropUser":
		return "", nil, mongoerr.New(mongoerr.UserNotFound, "User '%s@%s' not found", name, r.DB)
	}
	return "", nil, mongoerr.New(mongoerr.UserNotFound, "Could not find user \"%s\" for db \"%s\"", name, r.DB)
}

func (s *Server) updateUser(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("updateUser")
	if err != nil {
		return nil, err
	}
	named := func(field string) bool { return !r.Body.Get(field).IsNullish() }
	if !named("pwd") && !named("mechanisms") && !named("customData") && !named("roles") && !named("authenticationRestrictions") {
		return nil, mongoerr.New(mongoerr.BadValue, "Must specify at least one field to update in updateUser")
	}
	_, u, err := s.existing(r)
	if err != nil {
		return nil, err
	}
	set := map[string]bsonval.Value{}
	if named("pwd") || named("mechanisms") {
		if set["credentials"], err = r.newCredentials(name, u); err != nil {
			return nil, err
		}
	}
	if v := r.Body.Get("roles"); named("roles") {
		if set["roles"], err = s.readRoles(r, v); err != nil {
			return nil, err
		}
	}
	if v := r.Body.Get("customData"); named("customData") {
		if v.Type() != bsonval.Object {
			return nil, wrongType("updateUser.customData", v, "object")
		}
		set["customData"] = v
	}
	restrictions, err := r.restrictions()
	if err != nil {
		return nil, err
	}
	return nil, r.put(usersNS(), restricted(replaced(u, set), restrictions))
}

// restricted is a user or a role with new restrictions, or with none for an empty list.
func restricted(doc bsonval.Doc, list bsonval.Value) bsonval.Doc {
	if list.Type() != bsonval.Array {
		return doc
	}
	doc = lacking(doc, "authenticationRestrictions")
	if list.Doc().IsEmpty() {
		return doc
	}
	return replaced(doc, map[string]bsonval.Value{"authenticationRestrictions": list})
}

// newCredentials are those of a new password, or of the old one for fewer mechanisms.
func (r *Request) newCredentials(name string, u bsonval.Doc) (bsonval.Value, error) {
	pwd := r.Body.Get("pwd")
	switch {
	case !pwd.IsMissing() && pwd.Type() != bsonval.String:
		return pwd, wrongType("updateUser.pwd", pwd, "string")
	case !pwd.IsMissing() && pwd.Str() == "":
		return pwd, mongoerr.New(mongoerr.BadValue, "Password cannot be empty")
	case !pwd.IsMissing() && r.DB == "$external":
		return pwd, mongoerr.New(mongoerr.BadValue, "Cannot set the password for users defined on the '$external' database")
	case !pwd.IsMissing():
		c, err := r.credentials(name)
		return bsonval.DocValue(c), err
	}
	mechanisms, err := r.mechanisms()
	if err != nil {
		return pwd, err
	}
	had := u.Get("credentials").Doc()
	var b bsonval.Builder
	for _, m := range mechanisms {
		if had.Get(m).IsMissing() {
			return pwd, mongoerr.New(mongoerr.BadValue, "mechanisms field must be a subset of previously set mechanisms")
		}
		b.Set(m, had.Get(m))
	}
	return b.Value(), nil
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
	for _, name := range slices.Sorted(maps.Keys(set)) {
		b.Set(name, set[name])
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
	if v := r.Body.Get("roles"); v.Type() == bsonval.Array && v.Doc().IsEmpty() {
		return nil, mongoerr.New(mongoerr.BadValue, "%s command requires a non-empty \"roles\" array", r.Spec.Name)
	}
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
