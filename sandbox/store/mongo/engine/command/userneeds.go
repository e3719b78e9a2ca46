package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// userNeeds are the actions of the commands that look after users and roles, of which
// each has its own words for who may not.
func (s *Server) userNeeds(r *Request) ([]need, bool) {
	db := storage.NS{DB: r.DB}
	one := func(action, refusal string) []need { return []need{{action: action, ns: db, refusal: refusal}} }
	anyRole := func(refusal string) need { return need{action: "revokeRole", normal: true, refusal: refusal} }
	restricted := func() []need {
		if r.Body.Get("authenticationRestrictions").IsNullish() {
			return nil
		}
		return one("setAuthenticationRestriction", "Unauthorized")
	}
	switch r.Spec.Name {
	case "createUser":
		return append(append(one("createUser", "Not authorized to create users on db: "+r.DB), roleNeeds(r, "grant")...), restricted()...), true
	case "updateUser":
		out := ownNeeds(r)
		if !r.Body.Get("roles").IsNullish() {
			out = append(out, anyRole("In order to use updateUser to set roles array, must be authorized to revoke any role in the system"))
		}
		return append(append(out, roleNeeds(r, "grant")...), restricted()...), true
	case "dropUser", "dropAllUsersFromDatabase":
		return one("dropUser", "Not authorized to drop users from the "+r.DB+" database"), true
	case "grantRolesToUser", "grantRolesToRole":
		return roleNeeds(r, "grant"), true
	case "revokeRolesFromUser", "revokeRolesFromRole":
		return roleNeeds(r, "revoke"), true
	case "createRole":
		out := append(one("createRole", "Not authorized to create roles on db: "+r.DB), roleNeeds(r, "grant")...)
		return append(append(out, privilegeNeeds(r, "grant")...), restricted()...), true
	case "updateRole":
		out := append([]need{anyRole("updateRole command required the ability to revoke any role in the system")}, roleNeeds(r, "grant")...)
		return append(append(out, privilegeNeeds(r, "grant")...), restricted()...), true
	case "grantPrivilegesToRole":
		return privilegeNeeds(r, "grant"), true
	case "revokePrivilegesFromRole":
		return privilegeNeeds(r, "revoke"), true
	case "dropRole", "dropAllRolesFromDatabase":
		return one("dropRole", "Not authorized to drop roles from the "+r.DB+" database"), true
	case "usersInfo":
		return viewUserNeeds(r), true
	case "rolesInfo":
		return s.viewRoleNeeds(r), true
	case "_mergeAuthzCollections":
		return mergeNeeds(r), true
	}
	return nil, false
}

// roleNeeds are what it takes to grant roles, or to revoke them: the right to do so in
// the database of each.
func roleNeeds(r *Request, verb string) []need {
	var out []need
	if list := r.Body.Get("roles"); list.Type() == bsonval.Array {
		for v := range list.Doc().Values() {
			name, db := roleOf(v, r.DB)
			out = append(out, need{action: verb + "Role", ns: storage.NS{DB: db}, refusal: "Not authorized to " + verb + " role: " + name + "@" + db})
		}
	}
	return out
}

// privilegeNeeds are the same for privileges. Those that are on no single database are
// on all of them, which takes the right in admin.
func privilegeNeeds(r *Request, verb string) []need {
	list, err := r.parsePrivileges()
	if err != nil {
		return nil // the command answers that error itself
	}
	var out []need
	for _, p := range list {
		db := p.db
		if db == "" {
			db = "admin"
		}
		var b bsonval.Builder
		p.write(&b)
		out = append(out, need{action: verb + "Role", ns: storage.NS{DB: db}, refusal: "Not authorized to " + verb + " privilege: " + b.Doc().At(0).String()})
	}
	return out
}

// ownNeeds are what it takes to change a user's password and data; with the right to do
// it for themselves users need no other.
func ownNeeds(r *Request) []need {
	name := stringOr(r.Body.First().Value, "")
	self := r.Conn.User != nil && *r.Conn.User == (Identity{name, r.DB})
	var out []need
	for _, f := range [...]struct{ field, action, what string }{{"pwd", "Password", "password"}, {"customData", "CustomData", "customData"}} {
		if r.Body.Get(f.field).IsNullish() || self && r.may(need{action: "changeOwn" + f.action, ns: storage.NS{DB: r.DB}}) {
			continue
		}
		out = append(out, need{action: "change" + f.action, ns: storage.NS{DB: r.DB}, refusal: "Not authorized to change " + f.what + " of user: " + name + "@" + r.DB})
	}
	return out
}

// viewUserNeeds lets everybody see themselves.
func viewUserNeeds(r *Request) []need {
	w, err := r.asked("user")
	refusal := "Not authorized to view users from the " + r.DB + " database"
	switch {
	case err != nil:
		return nil // the command answers that error itself
	case w.everywhere:
		return []need{{action: "viewUser", refusal: "Not authorized to view users from all databases"}}
	case w.all:
		return []need{{action: "viewUser", ns: storage.NS{DB: r.DB}, refusal: refusal}}
	}
	var out []need
	for _, id := range w.named {
		if r.Conn.User == nil || *r.Conn.User != (Identity{id[0], id[1]}) {
			out = append(out, need{action: "viewUser", ns: storage.NS{DB: id[1]}, refusal: refusal})
		}
	}
	return out
}

// viewRoleNeeds lets everybody see the roles that they have.
func (s *Server) viewRoleNeeds(r *Request) []need {
	w, err := r.asked("role")
	view := func(db string) need {
		return need{action: "viewRole", ns: storage.NS{DB: db}, refusal: "Not authorized to view roles from the " + db + " database"}
	}
	switch {
	case err != nil:
		return nil
	case w.all:
		return []need{view(r.DB)}
	}
	has := map[[2]string]bool{}
	for v := range s.rolesOf(r.Conn).Doc().Values() {
		name, db := roleOf(v, "")
		has[[2]string{name, db}] = true
	}
	var out []need
	for _, id := range w.named {
		if !has[id] {
			out = append(out, view(id[1]))
		}
	}
	return out
}

func mergeNeeds(r *Request) []need {
	actions := []string{"createUser", "createRole", "grantRole", "revokeRole"}
	if r.Body.Get("drop").Truth() {
		actions = append(actions, "dropUser", "dropRole")
	}
	var out []need
	for _, a := range actions {
		out = append(out, need{action: a, normal: true, refusal: "Not authorized to update user/role data using _mergeAuthzCollections a command"})
	}
	for _, field := range [...]string{"tempUsersCollection", "tempRolesCollection"} {
		if name := stringOr(r.Body.Get(field), ""); name != "" {
			ns, _ := storage.ParseNS(name)
			out = append(out, need{action: "find", ns: ns, refusal: "Not authorized to read " + name})
		}
	}
	return out
}
