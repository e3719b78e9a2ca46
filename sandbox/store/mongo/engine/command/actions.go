package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// isAction tells the names that privileges may have
// (https://www.mongodb.com/docs/manual/reference/privilege-actions/).
func isAction(name string) bool {
	const known = ` addShard advanceClusterTime allCollectionStats analyze analyzeShardKey anyAction appendOplogNote applicationMessage auditConfigure auditLogRotate
 authCheck authenticate authSchemaUpgrade bypassDefaultMaxTimeMS bypassDocumentValidation bypassWriteBlockingMode changeCustomData changePassword changeOwnPassword changeOwnCustomData
 changeStream checkFreeMonitoringStatus checkMetadataConsistency cleanupOrphaned clearJumboFlag cleanupStructuredEncryptionData closeAllDatabases collMod collStats
 compact compactStructuredEncryptionData configureQueryAnalyzer connPoolStats connPoolSync convertToCapped cpuProfiler createCollection createDatabase createIndex
 createRole createSearchIndexes createUser dbCheck dbHash dbStats dropAllRolesFromDatabase dropAllUsersFromDatabase dropCollection dropConnections dropDatabase
 dropIndex dropRole dropSearchIndex dropUser emptycapped enableProfiler enableSharding exportCollection find flushRouterConfig forceUUID fsync fsyncUnlock
 getClusterParameter getDatabaseVersion getDefaultRWConcern getCmdLineOpts getLog getParameter getShardMap getShardVersion grantRole grantPrivilegesToRole
 grantRolesToRole grantRolesToUser hostInfo impersonate importCollection indexStats inprog insert internal invalidateUserCache issueDirectShardOperations
 killAnyCursor killAnySession killCursors killop listCachedAndActiveUsers listCollections listCursors listDatabases listIndexes listSampledQueries
 listSearchIndexes listSessions listShards logRotate updateSearchIndex moveChunk moveCollection netstat oidcListKeys oidcRefreshKeys oidReset operationMetrics
 planCacheIndexFilter planCacheRead planCacheWrite querySettings queryStatsRead queryStatsReadTransformed refineCollectionShardKey reIndex remove removeShard
 renameCollection renameCollectionSameDB repairDatabase replSetConfigure replSetGetConfig replSetGetStatus replSetHeartbeat replSetReconfig replSetResizeOplog
 replSetStateChange reshardCollection resync revokeRole revokePrivilegesFromRole revokeRolesFromRole revokeRolesFromUser rotateCertificates
 runAsLessPrivilegedUser runTenantMigration serverStatus setAuthenticationRestriction setClusterParameter setDefaultRWConcern setFeatureCompatibilityVersion
 setFreeMonitoring setParameter setUserWriteBlockMode shardCollection shardedDataDistribution shardingState shutdown splitChunk splitVector storageDetails top
 touch trafficRecord transitionFromDedicatedConfigServer transitionToDedicatedConfigServer unlock useTenant useUUID update updateRole updateUser validate
 viewRole viewUser applyOps setChangeStreamState getChangeStreamState `
	return name != "" && !strings.ContainsAny(name, " \n") && slices.Contains(strings.Fields(known), name)
}

// parsePrivileges reads the privileges that a command names, one for each resource.
func (r *Request) parsePrivileges() ([]privilege, error) {
	list, err := arrayField(r.Body, "privileges", r.field("privileges"))
	if err != nil {
		return nil, err
	}
	var out []privilege
	for v := range list.Values() {
		if v.Type() != bsonval.Object {
			return nil, wrongType(r.field("privileges"), v, "object")
		}
		p, err := parsePrivilege(v.Doc())
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return gathered(out), nil
}

func parsePrivilege(d bsonval.Doc) (privilege, error) {
	failed := func(format string, args ...any) (privilege, error) {
		return privilege{}, mongoerr.New(mongoerr.FailedToParse, format, args...)
	}
	actions := d.Get("actions")
	if actions.Type() != bsonval.Array || actions.Doc().IsEmpty() {
		return failed("missing actions field")
	}
	if d.Get("resource").Type() != bsonval.Object {
		return failed("missing resource field")
	}
	if why := badResource(d.Get("resource").Doc()); why != "" {
		return failed("%s", why)
	}
	var unknown []string
	for v := range actions.Doc().Values() {
		if name := stringOr(v, v.String()); !isAction(name) {
			unknown = append(unknown, name)
		}
	}
	if unknown != nil {
		return failed("Unrecognized action privilege strings: %s", strings.Join(unknown, ","))
	}
	return readPrivilege(d), nil
}

// badResource tells what is wrong with the resource of a privilege, nothing when it is
// in order.
func badResource(res bsonval.Doc) string {
	db, coll, buckets := res.Get("db"), res.Get("collection"), res.Get("system_buckets")
	for _, name := range [...]string{"db", "collection", "system_buckets"} {
		if v := res.Get(name); !v.IsMissing() && v.Type() != bsonval.String {
			return "wrong type for '" + name + "' field, expected string, found " + v.String()
		}
	}
	hasDB, hasColl, hasBuckets := !db.IsMissing(), !coll.IsMissing(), !buckets.IsMissing()
	switch {
	case !hasBuckets && hasDB != hasColl:
		return "resource must set both db and collection or neither, but not exactly one."
	case hasBuckets && hasColl:
		return "system_buckets and collection cannot both be set"
	}
	kinds := 0
	for _, is := range [...]bool{!res.Get("anyResource").IsMissing(), !res.Get("cluster").IsMissing(), hasDB || hasColl || hasBuckets} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return "resource must have exactly db and collection set, or have only cluster set  or have only anyResource set"
	}
	for _, name := range [...]string{"anyResource", "cluster"} {
		if v := res.Get(name); !v.IsMissing() && !v.Truth() {
			return name + " must be true when specified"
		}
	}
	if name := stringOr(db, ""); strings.ContainsAny(name, "/\\. \"\x00") || len(name) > 63 {
		return name + " is not a valid database name"
	}
	if name := stringOr(coll, ""); strings.HasPrefix(name, ".") || strings.ContainsAny(name, "$\x00") {
		return name + " is not a valid collection name"
	}
	return ""
}

// grantable tells whether a role of a database may have privileges: only one of admin
// may have some that reach beyond its database.
func grantable(db string, list []privilege) error {
	for _, p := range list {
		if db != "admin" && (p.cluster || p.any || p.buckets || p.db != db) {
			return mongoerr.New(mongoerr.InvalidRoleModification, "Roles on the '%s' database cannot be granted privileges that target other databases or the cluster", db)
		}
	}
	return nil
}
