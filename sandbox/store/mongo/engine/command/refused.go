package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// refusedCommands are commands of the manual that this server has a reason not to run,
// or that a server refuses too in a replica set of one.
func (s *Server) refusedCommands() []Spec {
	var out []Spec
	refuse := func(code mongoerr.Code, reason string, names ...string) {
		for _, name := range names {
			out = append(out, Spec{Name: name, Fields: "*", Run: func(*Request) (bsonval.Doc, error) { return nil, mongoerr.New(code, "%s", reason) }})
		}
	}
	refuse(31082, "Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable.",
		"createSearchIndexes", "updateSearchIndex", "dropSearchIndex", "listSearchIndexes")
	refuse(mongoerr.CommandNotSupported, "mapReduce is deprecated and needs JavaScript, which this server doesn't run: use aggregate with $group", "mapReduce", "mapreduce")
	refuse(mongoerr.CommandNotSupported, "query settings are not supported: name the index with hint, or use planCacheSetFilter", "setQuerySettings", "removeQuerySettings")
	refuse(mongoerr.CommandNotSupported, "the default concerns of a replica set of one stay as they are: name others with the operation", "setDefaultRWConcern")
	refuse(mongoerr.IllegalOperation, "reIndex is only allowed on a standalone mongod instance.", "reIndex")
	refuse(mongoerr.CommandNotSupported, "this server is ended by the program that runs it", "shutdown")
	refuse(mongoerr.CommandNotSupported, "this server has no certificates", "rotateCertificates")
	refuse(mongoerr.AlreadyInitialized, "already initialized", "replSetInitiate")
	refuse(mongoerr.CommandNotSupported, "this server is the one member of its replica set, and stays that",
		"replSetReconfig", "replSetAbortPrimaryCatchUp", "replSetStepDown", "replSetFreeze", "replSetMaintenance", "replSetSyncFrom")
	refuse(mongoerr.CommandNotSupported, "this server doesn't sample queries, and has no shards to choose a key for", "analyzeShardKey", "configureQueryAnalyzer")
	refuse(mongoerr.CommandNotSupported, "the oplog is as large as the memory allows: its size is set where the server is started", "replSetResizeOplog")
	refuse(mongoerr.CommandNotSupported, "there is no other member to compare the data with, or to wait for: use validate", "dbCheck", "setIndexCommitQuorum")
	refuse(mongoerr.CommandNotSupported, "this server records no traffic", "startRecordingTraffic", "stopRecordingTraffic")
	refuse(mongoerr.CommandNotSupported, "this server has no collections with encrypted fields", "compactStructuredEncryptionData", "cleanupStructuredEncryptionData")
	refuse(mongoerr.CommandNotSupported, "the catalogue is not checked against the Stable API: use apiStrict with the commands", "validateDBMetadata")
	return out
}
