package command

import "slices"

// The server's own roles as its manual has them
// (https://www.mongodb.com/docs/manual/reference/built-in-roles/): of which roles and
// privileges each consists.

func readActions() []string {
	return []string{"changeStream", "collStats", "dbHash", "dbStats", "find", "killCursors", "listCollections", "listIndexes", "listSearchIndexes", "planCacheRead"}
}

func readWriteActions() []string {
	return union(readActions(), []string{"cleanupStructuredEncryptionData", "compactStructuredEncryptionData", "convertToCapped", "createCollection", "createIndex",
		"createSearchIndexes", "dropCollection", "dropIndex", "dropSearchIndex", "insert", "remove", "renameCollectionSameDB", "update", "updateSearchIndex"})
}

func dbAdminActions() []string {
	return []string{"analyze", "bypassDocumentValidation", "collMod", "collStats", "compact", "configureQueryAnalyzer", "convertToCapped", "createCollection",
		"createIndex", "createSearchIndexes", "dbStats", "dropCollection", "dropDatabase", "dropIndex", "dropSearchIndex", "enableProfiler", "listCollections",
		"listIndexes", "listSearchIndexes", "planCacheIndexFilter", "planCacheRead", "planCacheWrite", "reIndex", "renameCollectionSameDB", "storageDetails",
		"updateSearchIndex", "validate"}
}

func profileActions() []string {
	return union(readActions(), []string{"convertToCapped", "createCollection", "dropCollection"})
}

func userAdminActions() []string {
	return []string{"changeCustomData", "changePassword", "createRole", "createUser", "dropRole", "dropUser", "grantRole", "revokeRole", "setAuthenticationRestriction", "viewRole", "viewUser"}
}

func authIndexActions() []string {
	return union(readActions(), []string{"createIndex", "createSearchIndexes", "dropIndex", "dropSearchIndex"})
}

func monitorActions() []string {
	return []string{"collStats", "dbStats", "getDatabaseVersion", "getShardVersion", "indexStats"}
}

func manageActions() []string {
	return []string{"analyzeShardKey", "clearJumboFlag", "configureQueryAnalyzer", "enableSharding", "moveChunk", "moveCollection", "refineCollectionShardKey",
		"reshardCollection", "splitChunk", "splitVector"}
}

func restoreActions() []string {
	return []string{"bypassDocumentValidation", "collMod", "convertToCapped", "createCollection", "createIndex", "createSearchIndexes", "dropCollection", "insert", "updateSearchIndex"}
}

// The kinds of resource that a privilege of these roles is on.

func on(db, coll string, actions ...string) privilege {
	return privilege{db: db, coll: coll, actions: actions}
}
func onCluster(actions ...string) privilege    { return privilege{cluster: true, actions: actions} }
func onAnything(actions ...string) privilege   { return privilege{any: true, actions: actions} }
func onAnyNormal(actions ...string) privilege  { return privilege{actions: actions} }
func onAnyBuckets(actions ...string) privilege { return privilege{buckets: true, actions: actions} }

// builtinRole answers the privileges of one of the server's own roles on a database,
// one for each resource.
func builtinRole(name, db string) ([]privilege, bool) {
	if name == "__system" && db == "admin" {
		return []privilege{onAnything("anyAction")}, true
	}
	list, ok := databaseRole(name, db)
	if !ok && db == "admin" {
		list, ok = adminRole(name)
	}
	return gathered(list), ok
}

// databaseRole are the roles that each database has.
func databaseRole(name, db string) ([]privilege, bool) {
	switch name {
	case "read":
		return []privilege{on(db, "", readActions()...), on(db, "system.js", readActions()...)}, true
	case "readWrite":
		return []privilege{on(db, "", readWriteActions()...), on(db, "system.js", readWriteActions()...)}, true
	case "dbAdmin":
		return []privilege{on(db, "", dbAdminActions()...), on(db, "system.profile", profileActions()...)}, true
	case "userAdmin":
		return []privilege{on(db, "", userAdminActions()...)}, true
	case "dbOwner":
		return inheriting(db, "readWrite", "dbAdmin", "userAdmin"), true
	case "enableSharding":
		return []privilege{onAnyNormal("analyzeShardKey", "enableSharding", "moveCollection", "refineCollectionShardKey", "reshardCollection")}, true
	}
	return nil, false
}

func inheriting(db string, names ...string) []privilege {
	var out []privilege
	for _, name := range names {
		list, _ := builtinRole(name, db)
		out = append(out, list...)
	}
	return out
}

// adminRole are the roles that only the database admin has.
func adminRole(name string) ([]privilege, bool) {
	switch name {
	case "readAnyDatabase":
		return []privilege{onAnyNormal(readActions()...), onCluster("listDatabases"), on("", "system.js", readActions()...), onAnyBuckets(readActions()...)}, true
	case "readWriteAnyDatabase":
		return append(inheriting("admin", "readAnyDatabase"), onAnyNormal(readWriteActions()...), on("", "system.js", readWriteActions()...), onAnyBuckets(readWriteActions()...)), true
	case "dbAdminAnyDatabase":
		return []privilege{onCluster("applyOps", "listDatabases"), onAnyNormal(dbAdminActions()...), on("", "system.profile", profileActions()...), onAnyBuckets(dbAdminActions()...)}, true
	case "userAdminAnyDatabase":
		return userAdminAnyRole(), true
	case "clusterMonitor":
		return append(inheriting("config", "read"), clusterMonitorRole()...), true
	case "hostManager":
		return []privilege{onCluster("applicationMessage", "auditConfigure", "connPoolSync", "dropConnections", "flushRouterConfig", "fsync", "invalidateUserCache",
			"killAnyCursor", "killAnySession", "killop", "logRotate", "oidReset", "oidcListKeys", "oidcRefreshKeys", "replSetResizeOplog", "resync",
			"rotateCertificates", "setParameter", "shutdown", "touch", "trafficRecord", "unlock"), onAnyNormal("killCursors")}, true
	case "clusterManager":
		return append(inheriting("config", "read"), clusterManagerRole()...), true
	case "clusterAdmin":
		return append(inheriting("admin", "clusterMonitor", "hostManager", "clusterManager"), onAnyNormal("dropDatabase"), onAnything("exportCollection", "importCollection")), true
	case "__queryableBackup":
		return queryableBackupRole(), true
	case "backup":
		return append(queryableBackupRole(), onCluster("appendOplogNote", "serverStatus", "setUserWriteBlockMode"), on("config", "settings", "insert", "update")), true
	case "restore":
		return restoreRole(), true
	case "directShardOperations":
		return []privilege{onCluster("issueDirectShardOperations")}, true
	case "root":
		return append(inheriting("admin", "clusterAdmin", "userAdminAnyDatabase", "dbAdminAnyDatabase", "readWriteAnyDatabase", "backup", "restore", "directShardOperations"),
			onAnything("validate"), onCluster("bypassDefaultMaxTimeMS", "useTenant"), on("config", "system.preimages", "find", "remove"),
			on("config", "system.change_collection", "find", "insert", "remove", "update")), true
	}
	return nil, false
}

func userAdminAnyRole() []privilege {
	return []privilege{
		onAnyNormal(append(userAdminActions(), "listCachedAndActiveUsers")...),
		on("local", "", userAdminActions()...), on("config", "", userAdminActions()...),
		onCluster("authSchemaUpgrade", "invalidateUserCache", "listDatabases", "viewUser"),
		on("admin", "system.users", authIndexActions()...), on("admin", "system.roles", authIndexActions()...),
		on("", "system.users", readActions()...), on("admin", "system.version", readActions()...), on("admin", "system.backup_users", readActions()...),
	}
}

func clusterMonitorRole() []privilege {
	return append(inheriting("local", "read"),
		onCluster("allCollectionStats", "connPoolStats", "getCmdLineOpts", "getDefaultRWConcern", "getLog", "getParameter", "getShardMap", "hostInfo", "inprog",
			"listDatabases", "listSampledQueries", "listSessions", "listShards", "netstat", "operationMetrics", "replSetGetConfig", "replSetGetStatus",
			"serverStatus", "shardedDataDistribution", "shardingState", "top", "useUUID"),
		onAnyNormal(monitorActions()...), on("config", "", monitorActions()...), on("config", "system.sessions", monitorActions()...), on("local", "", monitorActions()...),
		on("local", "system.replset", "find"), on("local", "replset.election", "find"), on("local", "replset.minvalid", "find"), on("", "system.profile", "find"))
}

func clusterManagerRole() []privilege {
	writes := []string{"insert", "remove", "update"}
	return []privilege{
		onCluster("addShard", "appendOplogNote", "applicationMessage", "checkMetadataConsistency", "cleanupOrphaned", "flushRouterConfig", "getChangeStreamState",
			"getClusterParameter", "getDefaultRWConcern", "listSessions", "listShards", "querySettings", "queryStatsRead", "queryStatsReadTransformed",
			"removeShard", "replSetConfigure", "replSetGetConfig", "replSetGetStatus", "replSetStateChange", "resync", "runTenantMigration",
			"setChangeStreamState", "setClusterParameter", "setDefaultRWConcern", "setFeatureCompatibilityVersion",
			"transitionFromDedicatedConfigServer", "transitionToDedicatedConfigServer"),
		onAnyNormal(manageActions()...), onAnyBuckets(manageActions()...), on("config", "", manageActions()...), on("local", "", manageActions()...),
		on("local", "system.replset", readActions()...), onAnything("dbCheck"), on("local", "system.healthlog", readActions()...),
		on("config", "", writes...), on("local", "", writes...), on("local", "replset.election", writes...), on("local", "replset.minvalid", writes...),
	}
}

func queryableBackupRole() []privilege {
	out := []privilege{
		onAnything("collStats", "listCollections", "listIndexes", "listSearchIndexes"), onAnyNormal("find"), onAnyBuckets("find"),
		onCluster("getParameter", "listDatabases", "useUUID"), on("config", "", "find"), on("local", "", "find"),
		on("local", "replset.election", "find"), on("local", "replset.minvalid", "find"),
		on("", "system.js", "find"), on("", "system.users", "find"), on("", "system.profile", "find"),
	}
	for _, coll := range []string{"system.backup_users", "system.roles", "system.version"} {
		out = append(out, on("admin", coll, "find"))
	}
	return append(out, on("config", "settings", "find"))
}

func restoreRole() []privilege {
	out := []privilege{
		onCluster("applyOps", "bypassWriteBlockingMode", "forceUUID", "getParameter", "setUserWriteBlockMode", "useUUID"),
		on("local", "", restoreActions()...), on("config", "", restoreActions()...), onAnyBuckets(restoreActions()...),
	}
	for _, coll := range []string{"system.replset", "replset.election", "replset.minvalid"} {
		out = append(out, on("local", coll, restoreActions()...))
	}
	return append(out, onAnything("listCollections"), onAnyNormal(union(restoreActions(), userAdminActions())...), on("", "system.js", restoreActions()...),
		on("admin", "tempusers", "find"), on("admin", "temproles", "find"), on("admin", "system.backup_users", restoreActions()...),
		on("admin", "system.version", append(restoreActions(), "find")...),
		on("", "system.users", append(restoreActions(), "find", "remove", "update")...), on("admin", "system.roles", "createIndex"))
}

// builtinNames are the server's own roles that a database has, as rolesInfo lists them.
func builtinNames(db string) []string {
	names := []string{"dbAdmin", "dbOwner", "enableSharding", "read", "readWrite", "userAdmin"}
	if db == "admin" {
		names = append(names, "__queryableBackup", "__system", "backup", "clusterAdmin", "clusterManager", "clusterMonitor", "dbAdminAnyDatabase",
			"directShardOperations", "hostManager", "readAnyDatabase", "readWriteAnyDatabase", "restore", "root", "userAdminAnyDatabase")
		slices.Sort(names)
	}
	return names
}
