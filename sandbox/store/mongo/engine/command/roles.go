package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// privilege allows actions on a resource: a database ("" for all of them), in it one
// collection ("" for all that are no system collections), the collections below time
// series, the cluster, or anything.
type privilege struct {
	cluster  bool
	any      bool // anything at all
	buckets  bool // system.buckets.coll of db
	db, coll string
	actions  []string
}

// sameResource tells whether two privileges are on the same.
func (p privilege) sameResource(q privilege) bool {
	return p.cluster == q.cluster && p.any == q.any && p.buckets == q.buckets && p.db == q.db && p.coll == q.coll
}

func (p privilege) resource() bsonval.Doc {
	var b bsonval.Builder
	switch {
	case p.any:
		b.Bool("anyResource", true)
	case p.cluster:
		b.Bool("cluster", true)
	case p.buckets:
		b.Str("db", p.db).Str("system_buckets", p.coll)
	default:
		b.Str("db", p.db).Str("collection", p.coll)
	}
	return b.Doc()
}

func (p privilege) write(b *bsonval.Builder) {
	b.OpenItem().SetDoc("resource", p.resource()).OpenArray("actions")
	for _, a := range p.actions {
		b.ItemStr(a)
	}
	b.Close().Close()
}

// allows tells whether the privilege covers an action on a collection, on a database
// when ns has no collection, or on the cluster when it is empty.
func (p privilege) allows(action string, ns storage.NS) bool {
	return p.covers(ns) && p.has(action)
}

func (p privilege) has(action string) bool {
	return slices.Contains(p.actions, action) || slices.Contains(p.actions, "anyAction")
}

func (p privilege) covers(ns storage.NS) bool {
	switch {
	case p.any:
		return true
	case p.cluster || ns.DB == "":
		return p.cluster && ns.DB == ""
	case p.buckets:
		series, ok := crud.SeriesNS(ns)
		return ok && (p.db == "" || p.db == ns.DB) && (p.coll == "" || p.coll == series.Coll)
	case p.coll != "":
		return p.coll == ns.Coll && (p.db == "" || p.db == ns.DB)
	case !isNormal(ns):
		return false
	case p.db == "":
		return ns.DB != "local" && ns.DB != "config"
	}
	return p.db == ns.DB
}

// isNormal tells the collections that a privilege on all those of a database means.
func isNormal(ns storage.NS) bool {
	return !strings.HasPrefix(ns.Coll, "system.") && (ns.DB != "local" || !strings.HasPrefix(ns.Coll, "replset."))
}

// gathered is a list of privileges with one for each resource.
func gathered(list []privilege) []privilege {
	var out []privilege
	for _, p := range list {
		if at := slices.IndexFunc(out, p.sameResource); at >= 0 {
			out[at].actions = union(out[at].actions, p.actions)
		} else {
			out = append(out, p)
		}
	}
	for i := range out {
		out[i].actions = slices.Sorted(slices.Values(out[i].actions))
	}
	return out
}

func union(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		for _, a := range l {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// maxRoles bounds the roles that are followed from one to the next.
const maxRoles = 200

// privilegesOf are all that a list of roles ({role, db}) grants, through roles of
// roles.
func (s *Server) privilegesOf(roles bsonval.Doc) []privilege {
	var out []privilege
	for v := range s.inherited(roles).Values() {
		name, db := roleOf(v, "")
		if ps, ok := builtinRole(name, db); ok {
			out = append(out, ps...)
		} else if doc := s.findRole(name, db); doc != nil {
			out = append(out, readPrivileges(doc.Get("privileges").Doc())...)
		}
	}
	return gathered(out)
}

// roleOf reads a role given as a name, then of database db, or as {role, db}.
func roleOf(v bsonval.Value, db string) (string, string) {
	switch v.Type() {
	case bsonval.String:
		return v.Str(), db
	case bsonval.Object:
		name, of := v.Doc().Get("role"), v.Doc().Get("db")
		if name.Type() == bsonval.String && of.Type() == bsonval.String {
			return name.Str(), of.Str()
		}
	}
	return "", ""
}

// readPrivileges reads a list as it is stored.
func readPrivileges(list bsonval.Doc) []privilege {
	var out []privilege
	for v := range list.Values() {
		if v.Type() == bsonval.Object {
			out = append(out, readPrivilege(v.Doc()))
		}
	}
	return out
}

func readPrivilege(d bsonval.Doc) privilege {
	var p privilege
	if v := d.Get("resource"); v.Type() == bsonval.Object {
		res := v.Doc()
		p.cluster, p.any = res.Get("cluster").Truth(), res.Get("anyResource").Truth()
		p.buckets = !res.Get("system_buckets").IsMissing()
		p.db, p.coll = stringOr(res.Get("db"), ""), stringOr(res.Get("collection"), stringOr(res.Get("system_buckets"), ""))
	}
	if actions := d.Get("actions"); actions.Type() == bsonval.Array {
		for a := range actions.Doc().Values() {
			if a.Type() == bsonval.String {
				p.actions = append(p.actions, a.Str())
			}
		}
	}
	return p
}
