package command

import (
	"cmp"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// who is whom usersInfo or rolesInfo asks for: all of the database, all there are, or
// those that it names, as {name, database}.
type who struct {
	all, everywhere bool
	named           [][2]string
}

// asked reads the command's first field; field is user or role.
func (r *Request) asked(field string) (who, error) {
	v := r.Body.First().Value
	one := func(v bsonval.Value) ([2]string, error) {
		switch v.Type() {
		case bsonval.String:
			return [2]string{v.Str(), r.DB}, nil
		case bsonval.Object:
			name, db := v.Doc().Get(field), v.Doc().Get("db")
			if name.Type() == bsonval.String && db.Type() == bsonval.String {
				return [2]string{name.Str(), db.Str()}, nil
			}
		}
		return [2]string{}, mongoerr.New(mongoerr.BadValue, "a %s is named by a string or by {%s: <name>, db: <database>}, not by %s", field, field, v)
	}
	switch {
	case v.IsNumber() && v.Long() == 1:
		return who{all: true}, nil
	case v.Type() == bsonval.Object && field == "user" && v.Doc().First().Name == "forAllDBs" && v.Doc().Get("forAllDBs").Truth():
		return who{everywhere: true}, nil
	case v.Type() == bsonval.Array:
		var w who
		for e := range v.Doc().Values() {
			id, err := one(e)
			if err != nil {
				return w, err
			}
			w.named = append(w.named, id)
		}
		return w, nil
	}
	id, err := one(v)
	return who{named: [][2]string{id}}, err
}

func (s *Server) usersInfo(r *Request) (bsonval.Doc, error) {
	w, err := r.asked("user")
	if err != nil {
		return nil, err
	}
	filter, err := r.Doc("filter")
	if err != nil {
		return nil, err
	}
	details := r.Body.Get("showPrivileges").Truth() || r.Body.Get("showAuthenticationRestrictions").Truth()
	if details && (filter != nil || w.all || w.everywhere) {
		return nil, mongoerr.New(mongoerr.IllegalOperation, "Privilege or restriction details require exact-match usersInfo queries")
	}
	var shown []bsonval.Doc
	for _, u := range s.usersOf(r, w) {
		if details {
			shown = append(shown, s.userDetails(r, u))
		} else {
			shown = append(shown, r.shownUser(u))
		}
	}
	if shown, err = r.filtered(shown, filter); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	b.OpenArray("users")
	for _, u := range shown {
		b.ItemDoc(u)
	}
	return b.Doc(), nil
}

// usersOf are the users asked for, in the order of their names.
func (s *Server) usersOf(r *Request, w who) []bsonval.Doc {
	var out []bsonval.Doc
	switch {
	case w.all:
		out = s.documentsOf(usersNS(), r.DB)
	case w.everywhere:
		out = s.documentsOf(usersNS(), "")
	}
	for _, id := range w.named {
		if u := s.findUser(id[0], id[1]); u != nil {
			out = append(out, u)
		}
	}
	slices.SortStableFunc(out, func(a, b bsonval.Doc) int {
		return cmp.Or(cmp.Compare(a.Get("user").Str(), b.Get("user").Str()), cmp.Compare(a.Get("db").Str(), b.Get("db").Str()))
	})
	return slices.CompactFunc(out, func(a, b bsonval.Doc) bool { return bsonval.Equal(a.Get("_id"), b.Get("_id")) })
}

func mechanismsOf(b *bsonval.Builder, u bsonval.Doc) {
	b.OpenArray("mechanisms")
	for name := range u.Get("credentials").Doc().All() {
		b.ItemStr(name)
	}
	b.Close()
}

// shownUser is a user as lists show it.
func (r *Request) shownUser(u bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(len(u))
	custom := r.Body.Get("showCustomData")
	for name, v := range u.All() {
		switch name {
		case "credentials":
			if !r.Body.Get("showCredentials").Truth() {
				continue
			}
		case "authenticationRestrictions":
			continue
		case "customData":
			if !custom.IsMissing() && !custom.Truth() {
				continue
			}
		}
		b.Set(name, v)
	}
	mechanismsOf(b, u)
	return b.Doc()
}

// userDetails is a user with all that its roles bring.
func (s *Server) userDetails(r *Request, u bsonval.Doc) bsonval.Doc {
	b := bsonval.NewBuilder(4096)
	restrictions := r.Body.Get("showAuthenticationRestrictions").Truth()
	for name, v := range u.All() {
		switch name {
		case "credentials":
			mechanismsOf(b, u)
			if !r.Body.Get("showCredentials").Truth() {
				continue
			}
		case "authenticationRestrictions":
			if !restrictions {
				continue
			}
		}
		b.Set(name, v)
	}
	if restrictions && u.Get("authenticationRestrictions").IsMissing() {
		b.OpenArray("authenticationRestrictions").Close()
	}
	roles := u.Get("roles").Doc()
	b.SetArray("inheritedRoles", s.inherited(roles)).SetArray("inheritedPrivileges", privilegeList(s.privilegesOf(roles)))
	b.SetArray("inheritedAuthenticationRestrictions", s.inheritedRestrictions(roles))
	return b.Doc()
}

func (s *Server) rolesInfo(r *Request) (bsonval.Doc, error) {
	w, err := r.asked("role")
	if err != nil {
		return nil, err
	}
	privileges := r.Body.Get("showPrivileges")
	fragment := stringOr(privileges, "") == "asUserFragment"
	switch {
	case !fragment && !privileges.IsMissing() && privileges.Type() != bsonval.Bool && !privileges.IsNumber():
		return nil, mongoerr.New(mongoerr.FailedToParse, "Failed to parse 'showPrivileges'. 'asUserFragment' is the only string that it may be, not %s", privileges)
	case fragment && w.all:
		return nil, mongoerr.New(mongoerr.IllegalOperation, "Cannot get user fragment for all roles in a database")
	case fragment:
		return s.userFragment(r, w), nil
	}
	var b bsonval.Builder
	b.OpenArray("roles")
	if w.all {
		if r.Body.Get("showBuiltinRoles").Truth() {
			for _, name := range builtinNames(r.DB) {
				s.describeBuiltin(r, &b, name, r.DB)
			}
		}
		for _, doc := range s.documentsOf(rolesNS(), r.DB) {
			s.describeRole(r, &b, doc)
		}
		return b.Doc(), nil
	}
	for _, id := range w.named {
		if _, ok := builtinRole(id[0], id[1]); ok {
			s.describeBuiltin(r, &b, id[0], id[1])
		} else if doc := s.findRole(id[0], id[1]); doc != nil {
			s.describeRole(r, &b, doc)
		}
	}
	return b.Doc(), nil
}

// describeRole writes a role that somebody made.
func (s *Server) describeRole(r *Request, b *bsonval.Builder, doc bsonval.Doc) {
	privileges, restrictions := r.Body.Get("showPrivileges").Truth(), r.Body.Get("showAuthenticationRestrictions").Truth()
	own := doc.Get("authenticationRestrictions")
	b.OpenItem()
	for name, v := range doc.All() {
		if name == "privileges" && !privileges || name == "authenticationRestrictions" {
			continue
		}
		b.Set(name, v)
	}
	roles := doc.Get("roles").Doc()
	if restrictions {
		listOf(b, "authenticationRestrictions", own)
	}
	b.SetArray("inheritedRoles", s.inherited(roles))
	if privileges {
		list := append(readPrivileges(doc.Get("privileges").Doc()), s.privilegesOf(roles)...)
		b.SetArray("inheritedPrivileges", privilegeList(list))
	}
	if restrictions {
		listOf(b, "inheritedAuthenticationRestrictions", own, s.inheritedRestrictions(roles).Slice()...)
	}
	b.Bool("isBuiltin", false).Close()
}

// listOf writes an array of those values that are there.
func listOf(b *bsonval.Builder, name string, first bsonval.Value, more ...bsonval.Value) {
	b.OpenArray(name)
	for _, v := range append([]bsonval.Value{first}, more...) {
		if !v.IsMissing() {
			b.Item(v)
		}
	}
	b.Close()
}

// describeBuiltin writes a role of the server's own.
func (s *Server) describeBuiltin(r *Request, b *bsonval.Builder, name, db string) {
	list, _ := builtinRole(name, db)
	b.OpenItem().Str("db", db).Str("role", name).OpenArray("roles").Close()
	privileges, restrictions := r.Body.Get("showPrivileges").Truth(), r.Body.Get("showAuthenticationRestrictions").Truth()
	if privileges {
		b.SetArray("privileges", privilegeList(list))
	}
	if restrictions {
		b.OpenArray("authenticationRestrictions").Close()
	}
	b.OpenArray("inheritedRoles").Close()
	if privileges {
		b.SetArray("inheritedPrivileges", privilegeList(list))
	}
	if restrictions {
		b.OpenArray("inheritedAuthenticationRestrictions").Close()
	}
	b.Bool("isBuiltin", true).Close()
}

// userFragment is what a user who had the roles would have.
func (s *Server) userFragment(r *Request, w who) bsonval.Doc {
	var list bsonval.Builder
	for _, id := range w.named {
		list.OpenItem().Str("role", id[0]).Str("db", id[1]).Close()
	}
	roles := list.Doc()
	var b bsonval.Builder
	b.OpenDoc("userFragment").SetArray("roles", roles).SetArray("inheritedRoles", s.inherited(roles))
	b.SetArray("inheritedPrivileges", privilegeList(s.privilegesOf(roles)))
	if r.Body.Get("showAuthenticationRestrictions").Truth() {
		b.SetArray("inheritedAuthenticationRestrictions", s.inheritedRestrictions(roles))
	}
	return b.Close().Doc()
}
