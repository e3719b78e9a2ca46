package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// privilege allows actions on a resource: a database ("" for all of them), in it one
// collection ("" for all), or the cluster.
type privilege struct {
	cluster  bool
	any      bool // anything at all
	db, coll string
	actions  []string
}

func (p privilege) write(b *bsonval.Builder) {
	b.OpenItem().OpenDoc("resource")
	switch {
	case p.any:
		b.Bool("anyResource", true)
	case p.cluster:
		b.Bool("cluster", true)
	default:
		b.Str("db", p.db).Str("collection", p.coll)
	}
	b.Close().OpenArray("actions")
	for _, a := range p.actions {
		b.ItemStr(a)
	}
	b.Close().Close()
}

// allows tells whether the privilege covers an action on a collection, or on the
// cluster when ns is empty.
func (p privilege) allows(action string, ns storage.NS) bool {
	if !p.any {
		if p.cluster != (ns.DB == "") {
			return false
		}
		if p.db != "" && p.db != ns.DB || p.coll != "" && p.coll != ns.Coll {
			return false
		}
		if p.coll == "" && !p.cluster && isSystem(ns) && !p.system() {
			return false
		}
	}
	return slices.Contains(p.actions, action) || slices.Contains(p.actions, "anyAction")
}

// isSystem tells collections that a privilege on all collections leaves out.
func isSystem(ns storage.NS) bool {
	return ns.DB == "admin" && (ns.Coll == "system.users" || ns.Coll == "system.roles")
}

func (p privilege) system() bool { return false }

// The actions of which the server's own roles are made.

func readActions() []string {
	return []string{"changeStream", "collStats", "dbHash", "dbStats", "find", "killCursors", "listCollections", "listIndexes", "planCacheRead", "listSearchIndexes"}
}

func writeActions() []string {
	return []string{"convertToCapped", "createCollection", "createIndex", "dropCollection", "dropIndex", "insert", "remove", "renameCollectionSameDB", "update"}
}

func dbAdminActions() []string {
	return []string{"bypassDocumentValidation", "collMod", "collStats", "compact", "convertToCapped", "createCollection", "createIndex", "dbStats",
		"dropCollection", "dropDatabase", "dropIndex", "enableProfiler", "listCollections", "listIndexes", "planCacheIndexFilter", "planCacheRead",
		"planCacheWrite", "reIndex", "renameCollectionSameDB", "storageDetails", "validate", "killCursors"}
}

func userAdminActions() []string {
	return []string{"changeCustomData", "changePassword", "createRole", "createUser", "dropRole", "dropUser", "grantRole", "revokeRole", "setAuthenticationRestriction", "viewRole", "viewUser"}
}

func monitorActions() []string {
	return []string{"connPoolStats", "getCmdLineOpts", "getDefaultRWConcern", "getLog", "getParameter", "hostInfo", "inprog", "listDatabases", "listSessions", "netstat",
		"replSetGetConfig", "replSetGetStatus", "serverStatus", "top"}
}

func manageActions() []string {
	return []string{"applicationMessage", "closeAllDatabases", "connPoolSync", "flushRouterConfig", "fsync", "invalidateUserCache", "killAnyCursor", "killAnySession", "killop",
		"logRotate", "replSetConfigure", "setParameter", "setDefaultRWConcern", "shutdown", "touch", "unlock"}
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

// builtinRole answers the privileges of one of the server's own roles on a database.
func builtinRole(name, db string) ([]privilege, bool) {
	on := func(actions ...string) []privilege { return []privilege{{db: db, actions: actions}} }
	switch name {
	case "read":
		return on(readActions()...), true
	case "readWrite":
		return on(union(readActions(), writeActions())...), true
	case "dbAdmin":
		return append(on(dbAdminActions()...), privilege{db: db, coll: "system.profile", actions: union(readActions(), []string{"dropCollection", "createCollection"})}), true
	case "userAdmin":
		return on(userAdminActions()...), true
	case "dbOwner":
		return on(union(readActions(), writeActions(), dbAdminActions(), userAdminActions())...), true
	}
	if db != "admin" {
		return nil, false
	}
	return adminRole(name)
}

// adminRole are the roles that only the database admin has.
func adminRole(name string) ([]privilege, bool) {
	all := func(actions ...string) []privilege { return []privilege{{actions: actions}} }
	cluster := func(actions ...string) privilege { return privilege{cluster: true, actions: actions} }
	switch name {
	case "readAnyDatabase":
		return append(all(readActions()...), cluster("listDatabases")), true
	case "readWriteAnyDatabase":
		return append(all(union(readActions(), writeActions())...), cluster("listDatabases")), true
	case "dbAdminAnyDatabase":
		return append(all(dbAdminActions()...), cluster("listDatabases")), true
	case "userAdminAnyDatabase":
		return append(all(userAdminActions()...), cluster("listDatabases"), privilege{db: "admin", coll: "system.users", actions: readActions()},
			privilege{db: "admin", coll: "system.roles", actions: readActions()}), true
	case "clusterMonitor":
		return append(all("collStats", "dbStats", "indexStats", "useUUID", "listCollections", "listIndexes"), cluster(monitorActions()...)), true
	case "hostManager", "clusterManager":
		return []privilege{cluster(manageActions()...)}, true
	case "clusterAdmin":
		return append(all("collStats", "dbStats", "dropDatabase", "listCollections", "listIndexes"), cluster(union(monitorActions(), manageActions())...)), true
	case "backup":
		return append(all("find", "listCollections", "listIndexes", "collStats", "dbStats"), cluster("listDatabases", "getParameter", "serverStatus", "setUserWriteBlockMode"),
			privilege{db: "admin", coll: "system.users", actions: readActions()}, privilege{db: "admin", coll: "system.roles", actions: readActions()}), true
	case "restore":
		return append(all(union(writeActions(), dbAdminActions(), userAdminActions())...), cluster("listDatabases", "getParameter", "_mergeAuthzCollections", "applyOps")), true
	case "root", "__system":
		return []privilege{{any: true, actions: []string{"anyAction"}}}, true
	case "enableSharding", "directShardOperations":
		return nil, true
	}
	return nil, false
}

// maxRoles bounds the roles that are followed from one to the next.
const maxRoles = 200

// privilegesOf are all that a list of roles ({role, db}) grants, through roles of
// roles.
func (s *Server) privilegesOf(roles bsonval.Doc) []privilege {
	var out []privilege
	seen := map[string]bool{}
	var follow func(roles bsonval.Doc)
	follow = func(roles bsonval.Doc) {
		for v := range roles.Values() {
			name, db := roleOf(v, "")
			id := db + "." + name
			if seen[id] || len(seen) > maxRoles {
				continue
			}
			seen[id] = true
			if ps, ok := builtinRole(name, db); ok {
				out = append(out, ps...)
				continue
			}
			if doc := s.findRole(name, db); doc != nil {
				out = append(out, readPrivileges(doc.Get("privileges").Doc())...)
				follow(doc.Get("roles").Doc())
			}
		}
	}
	follow(roles)
	return out
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

func readPrivileges(list bsonval.Doc) []privilege {
	var out []privilege
	for v := range list.Values() {
		if v.Type() != bsonval.Object {
			continue
		}
		var p privilege
		if res := v.Doc().Get("resource"); res.Type() == bsonval.Object {
			p.cluster, p.any = res.Doc().Get("cluster").Truth(), res.Doc().Get("anyResource").Truth()
			if db := res.Doc().Get("db"); db.Type() == bsonval.String {
				p.db = db.Str()
			}
			if coll := res.Doc().Get("collection"); coll.Type() == bsonval.String {
				p.coll = coll.Str()
			}
		}
		if actions := v.Doc().Get("actions"); actions.Type() == bsonval.Array {
			for a := range actions.Doc().Values() {
				if a.Type() == bsonval.String {
					p.actions = append(p.actions, a.Str())
				}
			}
		}
		out = append(out, p)
	}
	return out
}
