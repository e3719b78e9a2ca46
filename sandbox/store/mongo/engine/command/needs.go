package command

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// needs are the actions that a command does.
func (s *Server) needs(r *Request) []need {
	ns := r.ns()
	on := func(actions ...string) []need {
		out := make([]need, len(actions))
		for i, a := range actions {
			out[i] = need{action: a, ns: ns}
		}
		return out
	}
	switch name := r.Spec.Name; name {
	case "find", "count", "distinct", "mapReduce":
		return on("find")
	case "aggregate":
		return aggregateNeeds(r, ns)
	case "insert", "update", "delete", "findAndModify":
		return on(writeActions(r)...)
	case "bulkWrite":
		return bulkNeeds(r)
	case "create":
		return createNeeds(r, ns)
	case "collMod":
		if r.Body.Get("viewOn").IsMissing() || r.Body.Get("pipeline").IsMissing() {
			return on(name) // no view: it needs both
		}
		return append(on(name), viewNeeds(r, ns)...)
	case "getMore", "killCursors", "endSessions", "refreshSessions", "startSession", "killSessions", "commitTransaction", "abortTransaction":
		return nil // what belongs to the user already
	case "explain", "features", "killOp":
		return nil // asked again for the command within; anybody's; asked for the operation
	case "listDatabases":
		if r.Body.Get("authorizedDatabases").IsMissing() || r.Body.Get("authorizedDatabases").Truth() {
			return nil // it shows but what the user may see
		}
	case "listCollections":
		if r.Body.Get("nameOnly").Truth() && r.Body.Get("authorizedCollections").Truth() {
			return nil // as above
		}
	case "currentOp":
		if r.Body.Get("$ownOps").Truth() {
			return nil // as above
		}
	case "renameCollection":
		return renameNeeds(r)
	case "cloneCollectionAsCapped":
		to := storage.NS{DB: r.DB, Coll: stringOr(r.Body.Get("toCollection"), "")}
		return append(on("find"), need{action: "insert", ns: to}, need{action: "createIndex", ns: to}, need{action: "convertToCapped", ns: to})
	case "dataSize":
		ns, _ = storage.ParseNS(stringOr(r.Body.Get("dataSize"), ""))
		return on("find")
	case "profile":
		if level := r.Body.First().Value; level.IsNumber() && level.Long() == -1 && r.Body.Get("filter").IsMissing() && r.Body.Get("slowms").IsMissing() {
			if r.may(need{action: "find", ns: storage.NS{DB: r.DB, Coll: "system.profile"}}) {
				return nil
			}
		}
		return on("enableProfiler")
	}
	if list, ok := s.userNeeds(r); ok {
		return list
	}
	if action, ok := collectionAction(r.Spec.Name); ok {
		return on(action)
	}
	return []need{{action: clusterAction(r.Spec.Name)}}
}

// writeActions are those of a command that writes into one collection.
func writeActions(r *Request) []string {
	var out []string
	upsert := r.Body.Get("upsert").Truth()
	switch r.Spec.Name {
	case "insert":
		out = []string{"insert"}
	case "delete":
		out = []string{"remove"}
	case "update":
		out = []string{"update"}
		statements, _ := r.Docs("updates") // an error is the command's own to answer
		for _, u := range statements {
			upsert = upsert || u.Get("upsert").Truth()
		}
	case "findAndModify":
		if out = []string{"find", "update"}; r.Body.Get("remove").Truth() {
			out[1] = "remove"
		}
	}
	if upsert {
		out = append(out, "insert")
	}
	if r.Body.Get("bypassDocumentValidation").Truth() {
		out = append(out, "bypassDocumentValidation")
	}
	return out
}

// createNeeds lets those who may insert make a plain collection too.
func createNeeds(r *Request, ns storage.NS) []need {
	n := need{action: "createCollection", ns: ns}
	insert := need{action: "insert", ns: ns}
	if !r.Body.Get("capped").Truth() && r.Body.Get("viewOn").IsMissing() && r.may(insert) {
		return nil
	}
	return append([]need{n}, viewNeeds(r, ns)...)
}

// viewNeeds are what a view that is made or changed reads, for a user who may read the
// view: with it nobody shall see more than without.
func viewNeeds(r *Request, ns storage.NS) []need {
	on, pipeline := r.Body.Get("viewOn"), r.Body.Get("pipeline")
	if on.Type() != bsonval.String || !r.may(need{action: "find", ns: ns}) {
		return nil
	}
	below := storage.NS{DB: ns.DB, Coll: on.Str()}
	if pipeline.Type() != bsonval.Array {
		return []need{{action: "find", ns: below}}
	}
	return append(firstNeeds(r, below, pipeline.Doc()), pipelineNeeds(pipeline.Doc(), ns.DB, 0)...)
}

func aggregateNeeds(r *Request, ns storage.NS) []need {
	pipeline := r.Body.Get("pipeline")
	if pipeline.Type() != bsonval.Array {
		return []need{{action: "find", ns: ns}}
	}
	out := append(firstNeeds(r, ns, pipeline.Doc()), pipelineNeeds(pipeline.Doc(), r.DB, 0)...)
	if r.Body.Get("bypassDocumentValidation").Truth() {
		for _, n := range out {
			if n.action == "insert" {
				out = append(out, need{action: "bypassDocumentValidation", ns: n.ns})
			}
		}
	}
	return out
}

// firstNeeds are what a pipeline's first stage reads of its own collection.
func firstNeeds(r *Request, ns storage.NS, stages bsonval.Doc) []need {
	first := stages.At(0)
	if first.Type() != bsonval.Object {
		return []need{{action: "find", ns: ns}}
	}
	stage := first.Doc().First()
	option := func(name string) bool {
		return stage.Value.Type() == bsonval.Object && stage.Value.Doc().Get(name).Truth()
	}
	switch stage.Name {
	case "$collStats", "$indexStats":
		return []need{{action: strings.TrimPrefix(stage.Name, "$"), ns: ns}}
	case "$planCacheStats":
		return []need{{action: "planCacheRead", ns: ns}}
	case "$changeStream":
		return []need{{action: "find", ns: ns}, {action: "changeStream", ns: ns}}
	case "$currentOp", "$listLocalSessions", "$listSessions":
		ops := stage.Name == "$currentOp"
		own := stage.Value.Type() == bsonval.Object && r.ownUser(stage.Value.Doc().Get("users"))
		switch {
		case own, !option("allUsers") && (ops || !option("users")):
			return nil // it shows but the user's own
		case ops:
			return []need{{action: "inprog"}}
		}
		return []need{{action: "listSessions"}}
	case "$documents":
		return nil
	case "$listCatalog":
		if ns.Coll == "" {
			return []need{{action: "listDatabases"}, {action: "listCollections", normal: true}, {action: "listIndexes", normal: true}}
		}
		return []need{{action: "listCollections", ns: ns}, {action: "listIndexes", ns: ns}}
	}
	return []need{{action: "find", ns: ns}}
}

// ownUser tells a list of users that names the connection's alone.
func (r *Request) ownUser(users bsonval.Value) bool {
	u := r.Conn.User
	if users.Type() != bsonval.Array || users.Doc().Len() != 1 || u == nil {
		return false
	}
	v := users.Doc().At(0)
	return v.Type() == bsonval.Object && stringOr(v.Doc().Get("user"), "") == u.User && stringOr(v.Doc().Get("db"), "") == u.DB
}

// pipelineNeeds are what a pipeline's stages read and write besides its collection.
func pipelineNeeds(stages bsonval.Doc, db string, depth int) []need {
	var out []need
	add := func(ns storage.NS, actions ...string) {
		for _, a := range actions {
			out = append(out, need{action: a, ns: ns})
		}
	}
	for v := range stages.Values() {
		if v.Type() != bsonval.Object || depth > maxViewDepth {
			continue
		}
		stage := v.Doc().First()
		switch stage.Name {
		case "$out":
			add(stageTarget(stage.Value, "coll", db), "insert", "remove")
		case "$merge":
			add(stageTarget(stage.Value, "into", db), "insert", "update")
		case "$lookup", "$graphLookup":
			add(stageTarget(stage.Value, "from", db), "find")
		case "$unionWith":
			add(stageTarget(stage.Value, "coll", db), "find")
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

// stageTarget is the collection that a stage names: by itself, or in a field.
func stageTarget(v bsonval.Value, field, db string) storage.NS {
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
		out = append(out, need{action: action, ns: o.ns})
		if o.kind == "update" && o.change.Upsert {
			out = append(out, need{action: "insert", ns: o.ns})
		}
		if r.Body.Get("bypassDocumentValidation").Truth() {
			out = append(out, need{action: "bypassDocumentValidation", ns: o.ns})
		}
	}
	return out
}

func renameNeeds(r *Request) []need {
	from, _ := storage.ParseNS(stringOr(r.Body.Get("renameCollection"), ""))
	to, _ := storage.ParseNS(stringOr(r.Body.Get("to"), ""))
	if from.DB == to.DB {
		out := []need{{action: "renameCollectionSameDB", ns: from}, {action: "renameCollectionSameDB", ns: to}}
		if r.Body.Get("dropTarget").Truth() {
			out = append(out, need{action: "dropCollection", ns: to})
		}
		return out
	}
	out := []need{{action: "find", ns: from}, {action: "dropCollection", ns: from}, {action: "insert", ns: to}, {action: "createIndex", ns: to}}
	if r.Body.Get("dropTarget").Truth() {
		out = append(out, need{action: "dropCollection", ns: to})
	}
	return out
}

// collectionAction is the action of a command on its collection, or on its database
// when the command names none.
func collectionAction(command string) (string, bool) {
	switch command {
	case "drop":
		return "dropCollection", true
	case "createIndexes":
		return "createIndex", true
	case "dropIndexes":
		return "dropIndex", true
	case "planCacheClear":
		return "planCacheWrite", true
	case "planCacheSetFilter", "planCacheClearFilters", "planCacheListFilters":
		return "planCacheIndexFilter", true
	case "dropSearchIndex", "updateSearchIndex", "createSearchIndexes", "listSearchIndexes",
		"collMod", "collStats", "dbStats", "dbHash", "listCollections", "listIndexes", "dropDatabase", "validate", "compact", "convertToCapped", "reIndex":
		return command, true
	}
	return "", false
}

// clusterAction is the action of a command on the whole server.
func clusterAction(command string) string {
	switch command {
	case "currentOp":
		return "inprog"
	case "killAllSessions", "killAllSessionsByPattern":
		return "killAnySession"
	case "fsyncUnlock":
		return "unlock"
	case "lockInfo":
		return "serverStatus"
	case "autoCompact":
		return "compact"
	case "setQuerySettings", "removeQuerySettings":
		return "querySettings"
	case "replSetInitiate", "replSetReconfig":
		return "replSetConfigure"
	case "replSetGetRBID":
		return "replSetGetStatus"
	case "replSetStepDown", "replSetFreeze", "replSetMaintenance", "replSetSyncFrom":
		return "replSetStateChange"
	}
	return command
}
