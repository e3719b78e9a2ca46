package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// need is one action that a command does.
type need struct {
	action string
	ns     storage.NS // empty: on the cluster
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
	for _, n := range needs(r) {
		if !allowed(granted, n) {
			return mongoerr.New(mongoerr.Unauthorized, "not authorized on %s to execute command %s", r.DB, r.Body)
		}
	}
	return nil
}

// granted is what the connection's user may do; not known when the user is gone.
func (s *Server) granted(c *Conn) (p []privilege, known bool) {
	u := s.findUser(c.User.User, c.User.DB)
	if u == nil {
		return nil, false
	}
	return s.privilegesOf(u.Get("roles").Doc()), true
}

// sees tells whether a list shows a database (of which coll is empty) or collection to
// the connection: to a user it shows those on which there is anything that the user may do.
func (r *Request) sees() func(ns storage.NS) bool {
	if r.Conn.Internal || r.Conn.User == nil {
		return func(storage.NS) bool { return true }
	}
	granted, _ := r.Server.granted(r.Conn)
	return func(ns storage.NS) bool {
		all := need{action: "listDatabases"}
		if ns.Coll != "" {
			all = need{"listCollections", storage.NS{DB: ns.DB}}
		}
		if allowed(granted, all) {
			return true
		}
		for _, p := range granted {
			if p.any || !p.cluster && (p.db == "" || p.db == ns.DB) && (ns.Coll == "" || p.coll == "" || p.coll == ns.Coll) {
				return true
			}
		}
		return false
	}
}

// makesFirstUser tells the one thing that a server without users lets anybody do, the
// server's localhost exception.
func (r *Request) makesFirstUser() bool {
	return r.Spec.Name == "createUser" && r.DB == "admin" && !r.Server.hasUsers()
}

func allowed(granted []privilege, n need) bool {
	for _, p := range granted {
		if p.allows(n.action, n.ns) {
			return true
		}
	}
	return false
}

// needs are the actions that a command does.
func needs(r *Request) []need {
	ns := r.ns()
	on := func(actions ...string) []need {
		out := make([]need, len(actions))
		for i, a := range actions {
			out[i] = need{a, ns}
		}
		return out
	}
	switch r.Spec.Name {
	case "find", "count", "distinct":
		return on("find")
	case "aggregate":
		return aggregateNeeds(r, ns)
	case "insert":
		return on("insert")
	case "update":
		return on("update")
	case "delete":
		return on("remove")
	case "findAndModify":
		if r.Body.Get("remove").Truth() {
			return on("find", "remove")
		}
		return on("find", "update")
	case "bulkWrite":
		return bulkNeeds(r)
	case "getMore", "killCursors", "endSessions", "refreshSessions", "startSession", "killSessions", "commitTransaction", "abortTransaction":
		return nil // what belongs to the user already
	case "explain":
		return on() // asked again for the command within
	case "listDatabases":
		if r.Body.Get("authorizedDatabases").IsMissing() || r.Body.Get("authorizedDatabases").Truth() {
			return nil // it shows but what the user may see
		}
	case "listCollections":
		if r.Body.Get("nameOnly").Truth() && r.Body.Get("authorizedCollections").Truth() {
			return nil // as above
		}
	case "renameCollection":
		return renameNeeds(r)
	case "usersInfo":
		return userNeeds(r)
	}
	if action, ok := databaseAction(r.Spec.Name); ok {
		return on(action)
	}
	return []need{{action: clusterAction(r.Spec.Name)}}
}

func aggregateNeeds(r *Request, ns storage.NS) []need {
	out := []need{{"find", ns}}
	pipeline := r.Body.Get("pipeline")
	if pipeline.Type() != bsonval.Array {
		return out
	}
	return append(out, pipelineNeeds(pipeline.Doc(), r.DB, 0)...)
}

// pipelineNeeds are what a pipeline's stages read and write besides its collection.
func pipelineNeeds(stages bsonval.Doc, db string, depth int) []need {
	var out []need
	target := func(v bsonval.Value, field string) storage.NS {
		ns := storage.NS{DB: db}
		if v.Type() == bsonval.Object {
			if f := v.Doc().Get("db"); f.Type() == bsonval.String {
				ns.DB = f.Str()
			}
			v = v.Doc().Get(field)
			if v.Type() == bsonval.Object {
				return storage.NS{DB: stringOr(v.Doc().Get("db"), db), Coll: stringOr(v.Doc().Get("coll"), "")}
			}
		}
		ns.Coll = stringOr(v, "")
		return ns
	}
	for v := range stages.Values() {
		if v.Type() != bsonval.Object || depth > maxViewDepth {
			continue
		}
		stage := v.Doc().First()
		switch stage.Name {
		case "$out":
			ns := target(stage.Value, "coll")
			out = append(out, need{"insert", ns}, need{"remove", ns})
		case "$merge":
			ns := target(stage.Value, "into")
			out = append(out, need{"insert", ns}, need{"update", ns})
		case "$lookup", "$graphLookup":
			out = append(out, need{"find", target(stage.Value, "from")})
		case "$unionWith":
			out = append(out, need{"find", target(stage.Value, "coll")})
		case "$currentOp":
			out = append(out, need{action: "inprog"})
		case "$facet":
			if stage.Value.Type() == bsonval.Object {
				for sub := range stage.Value.Doc().Values() {
					if sub.Type() == bsonval.Array {
						out = append(out, pipelineNeeds(sub.Doc(), db, depth+1)...)
					}
				}
			}
		}
		if stage.Value.Type() == bsonval.Object {
			if sub := stage.Value.Doc().Get("pipeline"); sub.Type() == bsonval.Array {
				out = append(out, pipelineNeeds(sub.Doc(), db, depth+1)...)
			}
		}
	}
	return out
}

func stringOr(v bsonval.Value, def string) string {
	if v.Type() == bsonval.String {
		return v.Str()
	}
	return def
}

func bulkNeeds(r *Request) []need {
	ops, err := r.bulkOps()
	if err != nil {
		return nil // the command answers that error itself
	}
	var out []need
	for _, o := range ops {
		action := o.kind
		if action == "delete" {
			action = "remove"
		}
		out = append(out, need{action, o.ns})
	}
	return out
}

func renameNeeds(r *Request) []need {
	from, _ := storage.ParseNS(stringOr(r.Body.Get("renameCollection"), ""))
	to, _ := storage.ParseNS(stringOr(r.Body.Get("to"), ""))
	if from.DB == to.DB {
		return []need{{"renameCollectionSameDB", from}, {"renameCollectionSameDB", to}}
	}
	return []need{{"find", from}, {"dropCollection", from}, {"insert", to}, {"createIndex", to}}
}

// userNeeds lets everybody see themselves.
func userNeeds(r *Request) []need {
	v := r.Body.First().Value
	name, db := stringOr(v, ""), r.DB
	if v.Type() == bsonval.Object {
		name, db = stringOr(v.Doc().Get("user"), ""), stringOr(v.Doc().Get("db"), r.DB)
	}
	if r.Conn.User != nil && *r.Conn.User == (Identity{name, db}) {
		return nil
	}
	return []need{{"viewUser", storage.NS{DB: r.DB}}}
}

// databaseAction is the action of a command on a database or a collection.
func databaseAction(command string) (string, bool) {
	switch command {
	case "create":
		return "createCollection", true
	case "drop":
		return "dropCollection", true
	case "createIndexes":
		return "createIndex", true
	case "dropIndexes":
		return "dropIndex", true
	case "dataSize":
		return "find", true
	case "profile":
		return "enableProfiler", true
	case "grantRolesToUser", "grantRolesToRole", "grantPrivilegesToRole":
		return "grantRole", true
	case "revokeRolesFromUser", "revokeRolesFromRole", "revokePrivilegesFromRole":
		return "revokeRole", true
	case "updateUser":
		return "changePassword", true
	case "updateRole":
		return "grantRole", true
	case "dropAllUsersFromDatabase":
		return "dropUser", true
	case "dropAllRolesFromDatabase":
		return "dropRole", true
	case "rolesInfo":
		return "viewRole", true
	case "planCacheClear":
		return "planCacheWrite", true
	case "planCacheSetFilter", "planCacheClearFilters", "planCacheListFilters":
		return "planCacheIndexFilter", true
	case "collMod", "collStats", "dbStats", "dbHash", "listCollections", "listIndexes", "dropDatabase", "validate", "compact",
		"convertToCapped", "createUser", "dropUser", "createRole", "dropRole", "reIndex":
		return command, true
	}
	return "", false
}

// clusterAction is the action of a command on the whole server.
func clusterAction(command string) string {
	switch command {
	case "currentOp":
		return "inprog"
	case "killOp":
		return "killop"
	case "killAllSessions", "killAllSessionsByPattern":
		return "killAnySession"
	}
	return command
}
