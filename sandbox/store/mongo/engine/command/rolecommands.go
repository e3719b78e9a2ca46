package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) roleCommands() []Spec {
	return []Spec{
		{Name: "createRole", Fields: "privileges roles authenticationRestrictions", Run: s.createRole},
		{Name: "updateRole", Fields: "privileges roles authenticationRestrictions", Run: s.updateRole},
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

func (s *Server) createRole(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("createRole")
	if err != nil {
		return nil, err
	}
	if err := r.newRole(name); err != nil {
		return nil, err
	}
	privileges, err := r.parsePrivileges()
	if err != nil {
		return nil, err
	}
	restrictions, err := r.restrictions()
	if err != nil {
		return nil, err
	}
	roles, err := s.readRoles(r, r.Body.Get("roles"))
	if err != nil {
		return nil, s.cannotGrant(r, name, err)
	}
	if err := s.mayHave(r, name, roles.Doc()); err != nil {
		return nil, err
	}
	if err := grantable(r.DB, privileges); err != nil {
		return nil, err
	}
	if s.findRole(name, r.DB) != nil {
		return nil, mongoerr.New(51002, "Role \"%s@%s\" already exists", name, r.DB)
	}
	var b bsonval.Builder
	b.Str("_id", r.DB+"."+name).Str("role", name).Str("db", r.DB).SetArray("privileges", privilegeList(privileges)).Set("roles", roles)
	return nil, r.put(rolesNS(), restricted(b.Doc(), restrictions))
}

// newRole refuses what no role can be made of.
func (r *Request) newRole(name string) error {
	bad := func(text string) error { return mongoerr.New(mongoerr.BadValue, "%s", text) }
	_, builtin := builtinRole(name, r.DB)
	switch {
	case r.Body.Get("privileges").IsMissing():
		return required("createRole.privileges")
	case r.Body.Get("roles").IsMissing():
		return required("createRole.roles")
	case name == "":
		return bad("Role name must be non-empty")
	case r.DB == "local":
		return bad("Cannot create roles in the local database")
	case r.DB == "$external":
		return bad("Cannot create roles in the $external database")
	case builtin:
		return bad("Cannot create roles with the same name as a built-in role")
	}
	return nil
}

func (s *Server) updateRole(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("updateRole")
	if err != nil {
		return nil, err
	}
	named := func(field string) bool { return !r.Body.Get(field).IsNullish() }
	if !named("privileges") && !named("roles") && !named("authenticationRestrictions") {
		return nil, mongoerr.New(mongoerr.BadValue, "Must specify at least one field to update in updateRole")
	}
	privileges, err := r.parsePrivileges()
	if err != nil {
		return nil, err
	}
	restrictions, err := r.restrictions()
	if err != nil {
		return nil, err
	}
	if err := mayChange(name, r.DB); err != nil {
		return nil, err
	}
	role := s.findRole(name, r.DB)
	if role == nil {
		return nil, mongoerr.New(mongoerr.RoleNotFound, "Could not find role: %s@%s", name, r.DB)
	}
	set := map[string]bsonval.Value{}
	if named("roles") {
		if set["roles"], err = s.readRoles(r, r.Body.Get("roles")); err != nil {
			return nil, s.cannotGrant(r, name, err)
		}
		if err := s.mayHave(r, name, set["roles"].Doc()); err != nil {
			return nil, err
		}
	}
	if named("privileges") {
		if err := grantable(r.DB, privileges); err != nil {
			return nil, err
		}
		set["privileges"] = bsonval.ArrayValue(privilegeList(privileges))
	}
	return nil, r.put(rolesNS(), restricted(replaced(role, set), restrictions))
}

// mayChange refuses to change a role of the server's own.
func mayChange(name, db string) error {
	if _, builtin := builtinRole(name, db); builtin {
		return mongoerr.New(mongoerr.BadValue, "%s@%s is a built-in role and cannot be modified", name, db)
	}
	return nil
}

// mayHave tells whether a role may have others: not itself, also not by way of others,
// and only one of admin roles of other databases.
func (s *Server) mayHave(r *Request, name string, roles bsonval.Doc) error {
	for v := range roles.Values() {
		other, db := roleOf(v, r.DB)
		switch {
		case other == name && db == r.DB:
			return mongoerr.New(mongoerr.InvalidRoleModification, "Cannot grant role %s@%s to itself.", name, r.DB)
		case r.DB != "admin" && db != r.DB:
			return mongoerr.New(mongoerr.InvalidRoleModification, "Roles on the '%s' database cannot be granted roles from other databases", r.DB)
		}
	}
	if s.reaches(roles, name, r.DB) {
		return mongoerr.New(mongoerr.InvalidRoleModification, "Granting roles to %s@%s would introduce a cycle in the role graph", name, r.DB)
	}
	return nil
}

// cannotGrant words the error of roles that are not there as those for roles do.
func (s *Server) cannotGrant(r *Request, name string, err error) error {
	if e := mongoerr.From(err); e.Code == mongoerr.RoleNotFound {
		return mongoerr.New(e.Code, "Cannot grant roles to '%s@%s': %s", name, r.DB, e.Message)
	}
	return err
}

// changeRole grants roles or privileges to a role, or takes them from it.
func (s *Server) changeRole(r *Request) (bsonval.Doc, error) {
	name, err := r.Str(r.Spec.Name)
	if err != nil {
		return nil, err
	}
	field := strings.Fields(r.Spec.Fields)[0]
	given := r.Body.Get(field)
	switch {
	case given.IsMissing():
		return nil, required(r.field(field))
	case given.Type() != bsonval.Array:
		return nil, wrongType(r.field(field), given, "array")
	case given.Doc().IsEmpty():
		return nil, mongoerr.New(mongoerr.BadValue, "%s command requires a non-empty \"%s\" array", r.Spec.Name, field)
	}
	if err := mayChange(name, r.DB); err != nil {
		return nil, err
	}
	role := s.findRole(name, r.DB)
	if role == nil {
		return nil, mongoerr.New(mongoerr.RoleNotFound, "Role %s@%s not found", name, r.DB)
	}
	next, err := s.changed(r, name, role.Get(field).Doc())
	if err != nil {
		return nil, err
	}
	return nil, r.put(rolesNS(), replaced(role, map[string]bsonval.Value{field: bsonval.ArrayValue(next)}))
}

// changed is a role's list of roles or privileges after the command.
func (s *Server) changed(r *Request, name string, was bsonval.Doc) (bsonval.Doc, error) {
	if r.Spec.Fields == "privileges" {
		given, err := r.parsePrivileges()
		if err != nil {
			return nil, err
		}
		if r.Spec.Name == "revokePrivilegesFromRole" {
			return changedPrivileges(was, given, false), nil
		}
		return changedPrivileges(was, given, true), grantable(r.DB, given)
	}
	given, err := s.readRoles(r, r.Body.Get("roles"))
	switch {
	case err != nil && r.Spec.Name == "revokeRolesFromRole":
		if mongoerr.From(err).Code == mongoerr.RoleNotFound {
			return was, nil // a role that isn't there is none that it has
		}
		return nil, err
	case err != nil:
		return nil, s.cannotGrant(r, name, err)
	case r.Spec.Name == "revokeRolesFromRole":
		return without(was, given.Doc()), nil
	}
	return concat(was, without(given.Doc(), was)), s.mayHave(r, name, given.Doc())
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
func changedPrivileges(was bsonval.Doc, given []privilege, grant bool) bsonval.Doc {
	list := readPrivileges(was)
	if grant {
		return privilegeList(gathered(append(list, given...)))
	}
	for _, g := range given {
		for i := range list {
			if list[i].sameResource(g) {
				list[i].actions = difference(list[i].actions, g.actions)
			}
		}
	}
	return privilegeList(slices.DeleteFunc(list, func(p privilege) bool { return len(p.actions) == 0 }))
}

func privilegeList(list []privilege) bsonval.Doc {
	var b bsonval.Builder
	for _, p := range list {
		p.write(&b)
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
	if err := mayChange(name, r.DB); err != nil {
		return nil, err
	}
	if s.findRole(name, r.DB) == nil {
		return nil, mongoerr.New(mongoerr.RoleNotFound, "Could not find role: %s@%s", name, r.DB)
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
