package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) roleCommands() []Spec {
	return []Spec{
		{Name: "createRole", Fields: "privileges roles authenticationRestrictions", Run: s.createRole},
		{Name: "updateRole", Fields: "privileges roles authenticationRestrictions", Run: s.createRole},
		{Name: "dropRole", Run: s.dropRole},
		{Name: "dropAllRolesFromDatabase", Run: s.dropAllRoles},
		{Name: "grantRolesToRole", Fields: "roles", Run: s.changeRole},
		{Name: "revokeRolesFromRole", Fields: "roles", Run: s.changeRole},
		{Name: "grantPrivilegesToRole", Fields: "privileges", Run: s.changeRole},
		{Name: "revokePrivilegesFromRole", Fields: "privileges", Run: s.changeRole},
		{Name: "rolesInfo", Fields: "showPrivileges showBuiltinRoles showAuthenticationRestrictions", Run: s.rolesInfo},
		{Name: "_mergeAuthzCollections", Fields: "tempUsersCollection tempRolesCollection db drop", Run: s.mergeAuthz, Admin: true},
	}
}

// createRole is createRole and updateRole.
func (s *Server) createRole(r *Request) (bsonval.Doc, error) {
	if err := unrestricted(r); err != nil {
		return nil, err
	}
	name, err := r.Str(r.Spec.Name)
	if err != nil {
		return nil, err
	}
	create := r.Spec.Name == "createRole"
	old := s.findRole(name, r.DB)
	switch {
	case name == "":
		return nil, mongoerr.New(mongoerr.BadValue, "Role name must be non-empty")
	case create && old != nil:
		return nil, mongoerr.New(51002, "Role \"%s@%s\" already exists", name, r.DB)
	}
	if err := s.mayChange(name, r.DB, create); err != nil {
		return nil, err
	}
	privileges, roles := r.Body.Get("privileges"), r.Body.Get("roles")
	if create && (privileges.Type() != bsonval.Array || roles.Type() != bsonval.Array) {
		return nil, mongoerr.New(mongoerr.BadValue, "\"createRole\" needs 'privileges' and 'roles', two arrays")
	}
	if roles.Type() == bsonval.Array {
		if roles, err = s.readRoles(r, roles); err != nil {
			return nil, err
		}
	} else {
		roles = old.Get("roles")
	}
	if privileges.Type() != bsonval.Array {
		privileges = old.Get("privileges")
	}
	var b bsonval.Builder
	b.Str("_id", r.DB+"."+name).Str("role", name).Str("db", r.DB).Set("privileges", privileges).Set("roles", roles)
	return nil, r.put(rolesNS(), b.Doc())
}

// mayChange refuses to change a role of the server's own, or one that isn't there
// unless it is being made.
func (s *Server) mayChange(name, db string, make bool) error {
	if _, builtin := builtinRole(name, db); builtin {
		return mongoerr.New(mongoerr.InvalidRoleModification, "%s@%s is a built-in role and cannot be modified", name, db)
	}
	if !make && s.findRole(name, db) == nil {
		return mongoerr.New(mongoerr.RoleNotFound, "Role '%s@%s' not found", name, db)
	}
	return nil
}

// changeRole grants roles or privileges to a role, or takes them from it.
func (s *Server) changeRole(r *Request) (bsonval.Doc, error) {
	name, err := r.Str(r.Spec.Name)
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(name, r.DB, false); err != nil {
		return nil, err
	}
	role := s.findRole(name, r.DB)
	field := "roles"
	given := r.Body.Get("roles")
	if r.Spec.Name == "grantPrivilegesToRole" || r.Spec.Name == "revokePrivilegesFromRole" {
		field, given = "privileges", r.Body.Get("privileges")
		if given.Type() != bsonval.Array {
			return nil, wrongType(r.field(field), given, "array")
		}
	} else if given, err = s.readRoles(r, given); err != nil {
		return nil, err
	}
	was := role.Get(field).Doc()
	var next bsonval.Doc
	switch r.Spec.Name {
	case "grantRolesToRole":
		if s.reaches(given.Doc(), name, r.DB) {
			return nil, mongoerr.New(mongoerr.InvalidRoleModification, "Granting %s to %s@%s would introduce a cycle in the role graph", bsonval.ArrayValue(given.Doc()), name, r.DB)
		}
		next = concat(was, without(given.Doc(), was))
	case "revokeRolesFromRole":
		next = without(was, given.Doc())
	default:
		next = changedPrivileges(was, given.Doc(), r.Spec.Name == "grantPrivilegesToRole")
	}
	return nil, r.put(rolesNS(), replaced(role, map[string]bsonval.Value{field: bsonval.ArrayValue(next)}))
}

// reaches tells whether a role is one of roles or inherited by one.
func (s *Server) reaches(roles bsonval.Doc, name, db string) bool {
	for v := range s.inherited(roles).Values() {
		if n, d := roleOf(v, ""); n == name && d == db {
			return true
		}
	}
	return false
}

// changedPrivileges adds actions to the resources of a list, or takes them away.
func changedPrivileges(was, given bsonval.Doc, grant bool) bsonval.Doc {
	list := readPrivileges(was)
	for _, g := range readPrivileges(given) {
		at := -1
		for i, p := range list {
			if p.cluster == g.cluster && p.any == g.any && p.db == g.db && p.coll == g.coll {
				at = i
			}
		}
		switch {
		case at < 0 && grant:
			list = append(list, g)
		case at >= 0 && grant:
			list[at].actions = union(list[at].actions, g.actions)
		case at >= 0:
			list[at].actions = difference(list[at].actions, g.actions)
		}
	}
	var b bsonval.Builder
	for _, p := range list {
		if len(p.actions) > 0 {
			p.write(&b)
		}
	}
	return b.Doc()
}

func difference(list, gone []string) []string {
	var out []string
	for _, a := range list {
		if len(union(gone, []string{a})) > len(gone) {
			out = append(out, a)
		}
	}
	return out
}

func (s *Server) dropRole(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("dropRole")
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(name, r.DB, false); err != nil {
		return nil, err
	}
	return nil, s.forgetRole(r, name)
}

// forgetRole removes a role, and takes it from the users and roles that have it.
func (s *Server) forgetRole(r *Request, name string) error {
	role := bsonval.D(bsonval.E("0", bsonval.DocValue(bsonval.D(bsonval.E("role", bsonval.StringValue(name)), bsonval.E("db", bsonval.StringValue(r.DB))))))
	for _, at := range [...]storage.NS{usersNS(), rolesNS()} {
		for _, doc := range s.documentsOf(at, "") {
			has := doc.Get("roles").Doc()
			if left := without(has, role); len(left) < len(has) {
				if err := r.put(at, replaced(doc, map[string]bsonval.Value{"roles": bsonval.ArrayValue(left)})); err != nil {
					return err
				}
			}
		}
	}
	return r.remove(rolesNS(), r.DB+"."+name)
}

func (s *Server) dropAllRoles(r *Request) (bsonval.Doc, error) {
	n := int32(0)
	for _, d := range s.documentsOf(rolesNS(), r.DB) {
		if err := s.forgetRole(r, d.Get("role").Str()); err != nil {
			return nil, err
		}
		n++
	}
	return bsonval.D(bsonval.E("n", bsonval.IntValue(n))), nil
}

func (s *Server) rolesInfo(r *Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenArray("roles")
	v := r.Body.First().Value
	if v.IsNumber() {
		for _, d := range s.documentsOf(rolesNS(), r.DB) {
			s.describeRole(r, &b, d.Get("role").Str(), r.DB, d)
		}
		if r.Body.Get("showBuiltinRoles").Truth() {
			for _, name := range builtinNames(r.DB) {
				s.describeRole(r, &b, name, r.DB, nil)
			}
		}
		return b.Doc(), nil
	}
	list := []bsonval.Value{v}
	if v.Type() == bsonval.Array {
		list = v.Doc().Slice()
	}
	for _, e := range list {
		name, db := roleOf(e, r.DB)
		if doc := s.findRole(name, db); doc != nil {
			s.describeRole(r, &b, name, db, doc)
		} else if _, ok := builtinRole(name, db); ok {
			s.describeRole(r, &b, name, db, nil)
		}
	}
	return b.Doc(), nil
}

// describeRole writes a role; doc is nil for one of the server's own.
func (s *Server) describeRole(r *Request, b *bsonval.Builder, name, db string, doc bsonval.Doc) {
	b.OpenItem()
	roles := bsonval.EmptyDoc()
	if doc != nil {
		b.Str("_id", db+"."+name)
		roles = doc.Get("roles").Doc()
	}
	b.Str("role", name).Str("db", db).Bool("isBuiltin", doc == nil).SetArray("roles", roles).SetArray("inheritedRoles", s.inherited(roles))
	if r.Body.Get("showPrivileges").Truth() {
		own, _ := builtinRole(name, db)
		if doc != nil {
			own = readPrivileges(doc.Get("privileges").Doc())
		}
		writePrivileges(b, "privileges", own)
		writePrivileges(b, "inheritedPrivileges", append(own, s.privilegesOf(roles)...))
	}
	b.Close()
}

func writePrivileges(b *bsonval.Builder, name string, list []privilege) {
	b.OpenArray(name)
	for _, p := range list {
		p.write(b)
	}
	b.Close()
}

// inherited are the roles of a list and those that they have, and so on.
func (s *Server) inherited(roles bsonval.Doc) bsonval.Doc {
	all := roles
	for i := 0; i < all.Len() && i < maxRoles; i++ {
		name, db := roleOf(all.At(i), "")
		if doc := s.findRole(name, db); doc != nil {
			all = concat(all, without(doc.Get("roles").Doc(), all))
		}
	}
	return all
}

// builtinNames are the server's own roles that a database has.
func builtinNames(db string) []string {
	names := []string{"dbAdmin", "dbOwner", "enableSharding", "read", "readWrite", "userAdmin"}
	if db == "admin" {
		names = append(names, "backup", "clusterAdmin", "clusterManager", "clusterMonitor", "dbAdminAnyDatabase", "directShardOperations", "hostManager",
			"readAnyDatabase", "readWriteAnyDatabase", "restore", "root", "userAdminAnyDatabase", "__system")
	}
	return names
}
