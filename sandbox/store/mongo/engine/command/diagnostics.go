package command

import (
	"runtime"
	"runtime/debug"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) diagnosticCommands() []Spec {
	return []Spec{
		{Name: "buildInfo", Aliases: []string{"buildinfo"}, Run: s.buildInfo, NoAuth: true},
		{Name: "serverStatus", Fields: "*", Run: s.serverStatus},
		{Name: "dbStats", Aliases: []string{"dbstats"}, Fields: "scale freeStorage", Run: s.dbStats},
		{Name: "collStats", Aliases: []string{"collstats"}, Fields: "scale", Run: s.collStats},
		{Name: "dataSize", Fields: "keyPattern min max estimate", Run: s.dataSize},
		{Name: "getCmdLineOpts", Run: s.getCmdLineOpts, Admin: true},
		{Name: "listCommands", Run: s.listCommands, NoAuth: true},
		{Name: "replSetGetStatus", Run: s.replSetGetStatus, Admin: true},
		{Name: "replSetGetRBID", Run: func(*Request) (bsonval.Doc, error) {
			return bsonval.D(bsonval.E("rbid", bsonval.IntValue(1))), nil
		}, Admin: true},
		{Name: "replSetGetConfig", Run: s.replSetGetConfig, Admin: true},
		{Name: "features", Fields: "oidReset", Run: func(*Request) (bsonval.Doc, error) {
			return bsonval.D(bsonval.E("js", bsonval.BoolValue(false)), bsonval.E("oidMachine", bsonval.IntValue(1))), nil
		}},
		{Name: "top", Run: s.top, Admin: true},
		{Name: "validate", Fields: "full repair metadata checkBSONConformance background scandata fixMultikey warnOrphans", Run: s.validate},
		{Name: "dbHash", Aliases: []string{"dbhash"}, Fields: "collections", Run: s.dbHash},
		{Name: "compact", Fields: "force freeSpaceTargetMB dryRun", Run: s.compact},
		{Name: "getDefaultRWConcern", Fields: "inMemory", Run: s.getDefaultRWConcern, Admin: true},
		{Name: "logRotate", Run: func(*Request) (bsonval.Doc, error) { return nil, nil }, Admin: true},
		{Name: "whatsmyuri", Run: func(r *Request) (bsonval.Doc, error) {
			return bsonval.D(bsonval.E("you", bsonval.StringValue(r.Conn.Remote))), nil
		}, NoAuth: true},
	}
}

func (s *Server) buildInfo(*Request) (bsonval.Doc, error) {
	b := bsonval.NewBuilder(512)
	b.Str("version", Version).Str("gitVersion", revision()).OpenArray("modules").Close()
	b.Str("allocator", "go").Str("javascriptEngine", "none").Str("sysInfo", "deprecated")
	b.OpenArray("versionArray")
	for _, n := range []int32{8, 0, 4, 0} {
		b.Item(bsonval.IntValue(n))
	}
	b.Close()
	b.OpenDoc("openssl").Str("running", "disabled").Str("compiled", "disabled").Close()
	b.OpenDoc("buildEnvironment").Str("distmod", "").Str("distarch", machine()).Str("cc", runtime.Version())
	b.Str("target_arch", machine()).Str("target_os", runtime.GOOS).Close()
	b.Int32("bits", 64).Bool("debug", false).Int32("maxBsonObjectSize", bsonval.MaxDocument)
	b.OpenArray("storageEngines").ItemStr("persistentTree").Close()
	return b.Doc(), nil
}

// revision is the commit that the program was built from, where its builder noted it.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

func scaleOf(r *Request) (int64, error) {
	scale, err := r.Long("scale", 1)
	if err == nil && scale < 1 {
		err = mongoerr.New(51024, "BSON field 'scale' value must be >= 1, actual value '%d'", scale)
	}
	return scale, err
}

func (s *Server) dbStats(r *Request) (bsonval.Doc, error) {
	scale, err := scaleOf(r)
	if err != nil {
		return nil, err
	}
	var collections, views, objects, data, indexes, indexBytes int64
	for _, c := range r.State().Collections(r.DB) {
		if c.IsView() {
			views++
			continue
		}
		collections++
		objects += int64(c.Count())
		data += c.Bytes
		for _, ix := range c.Indexes {
			indexes++
			indexBytes += ix.Bytes
		}
	}
	average := 0.0
	if objects > 0 {
		average = float64(data) / float64(objects)
	}
	f := float64(scale)
	b := bsonval.NewBuilder(256)
	b.Str("db", r.DB).Int64("collections", collections).Int64("views", views).Int64("objects", objects)
	b.Double("avgObjSize", average).Double("dataSize", float64(data)/f).Double("storageSize", float64(data)/f)
	b.Int64("indexes", indexes).Double("indexSize", float64(indexBytes)/f).Double("totalSize", float64(data+indexBytes)/f)
	if r.Body.Get("freeStorage").Truth() { // trees hold nothing that is free
		b.Double("freeStorageSize", 0).Double("indexFreeStorageSize", 0).Double("totalFreeStorageSize", 0)
	}
	used, total, ok := s.store.Disk()
	if !ok { // as the server says it where it can't tell
		used, total, f = -1, -1, 1
	}
	b.Int64("scaleFactor", scale).Double("fsUsedSize", float64(used)/f).Double("fsTotalSize", float64(total)/f)
	return b.Doc(), nil
}

func (s *Server) collStats(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	scale, err := scaleOf(r)
	if err != nil {
		return nil, err
	}
	c := r.State().Collection(ns)
	b := bsonval.NewBuilder(512)
	b.Str("ns", ns.String())
	if c == nil {
		c = &storage.Collection{NS: ns}
	}
	if c = bucketsOf(r.State().Collection, c); c.IsView() {
		return nil, mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
	}
	s.storageStats(b, c, scale)
	return b.Doc(), nil
}

func (s *Server) dataSize(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("dataSize")
	if err != nil {
		return nil, err
	}
	ns, ok := storage.ParseNS(name)
	if !ok {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s'", name)
	}
	var size, n int64
	if c := r.State().Collection(ns); c != nil {
		c = bucketsOf(r.State().Collection, c)
		size, n = c.Bytes, int64(c.Count())
	}
	var b bsonval.Builder
	b.Bool("estimate", false).Number("size", size).Number("numObjects", n).Int64("millis", 0)
	return b.Doc(), nil
}

func (s *Server) getCmdLineOpts(*Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenArray("argv").ItemStr("mongod").Close()
	b.OpenDoc("parsed")
	if dir := s.store.Dir(); dir != "" {
		b.OpenDoc("storage").Str("dbPath", dir).Close()
	}
	b.OpenDoc("replication").Str("replSet", s.opts.SetName).Close()
	if s.opts.Auth {
		b.OpenDoc("security").Str("authorization", "enabled").Close()
	}
	if s.opts.Tests {
		b.OpenDoc("setParameter").Str("enableTestCommands", "1").Close()
	}
	b.Close()
	return b.Doc(), nil
}

func (s *Server) listCommands(*Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	b.OpenDoc("commands")
	for _, name := range s.commandNames() {
		sp := s.specs[name]
		b.OpenDoc(name).Str("help", sp.help()).Bool("requiresAuth", !sp.NoAuth).Bool("secondaryOk", !sp.Write)
		b.Bool("adminOnly", sp.Admin).OpenArray("apiVersions")
		if stable(name) {
			b.ItemStr("1")
		}
		b.Close().OpenArray("deprecatedApiVersions").Close().Close()
	}
	b.Close()
	return b.Doc(), nil
}

func (s *Server) replSetGetStatus(r *Request) (bsonval.Doc, error) {
	now := bsonval.TimeValue(r.Op.Now)
	up := int32(r.Op.Now.Sub(s.started) / time.Second)
	b := bsonval.NewBuilder(1024)
	b.Str("set", s.opts.SetName).Set("date", now).Int32("myState", 1).Int64("term", 1)
	b.Str("syncSourceHost", "").Int32("syncSourceId", -1).Int64("heartbeatIntervalMillis", 2000)
	b.Int32("majorityVoteCount", 1).Int32("writeMajorityCount", 1).Int32("votingMembersCount", 1).Int32("writableVotingMembersCount", 1)
	b.OpenDoc("optimes").SetDoc("lastCommittedOpTime", s.opTime()).Set("lastCommittedWallTime", now)
	b.SetDoc("readConcernMajorityOpTime", s.opTime()).SetDoc("appliedOpTime", s.opTime()).SetDoc("durableOpTime", s.opTime()).SetDoc("writtenOpTime", s.opTime())
	b.Set("lastAppliedWallTime", now).Set("lastDurableWallTime", now).Set("lastWrittenWallTime", now).Close()
	s.electionMetrics(b)
	b.OpenArray("members").OpenItem().Int32("_id", 0).Str("name", r.Conn.Addr).Int32("health", 1).Int32("state", 1)
	b.Str("stateStr", "PRIMARY").Int32("uptime", up).SetDoc("optime", s.opTime()).Set("optimeDate", now)
	b.Set("lastAppliedWallTime", now).Set("lastDurableWallTime", now).Set("lastWrittenWallTime", now)
	b.Str("syncSourceHost", "").Int32("syncSourceId", -1).Str("infoMessage", "")
	b.Set("electionTime", s.now()).Set("electionDate", bsonval.TimeValue(s.started)).Int32("configVersion", 1).Int32("configTerm", 1)
	b.Bool("self", true).Str("lastHeartbeatMessage", "").Close().Close()
	return b.Doc(), nil
}

// electionMetrics tells of the election that made the one member the primary.
func (s *Server) electionMetrics(b *bsonval.Builder) {
	began := bsonval.TimeValue(s.started)
	b.OpenDoc("electionCandidateMetrics").Str("lastElectionReason", "electionTimeout").Set("lastElectionDate", began).Int64("electionTerm", 1)
	b.Int32("numVotesNeeded", 1).Double("priorityAtElection", 1).Int64("electionTimeoutMillis", 10_000)
	b.Set("newTermStartDate", began).Set("wMajorityWriteAvailabilityDate", began).Close()
}

func (s *Server) replSetGetConfig(r *Request) (bsonval.Doc, error) {
	return bsonval.D(bsonval.E("config", bsonval.DocValue(s.replicaConfig(r)))), nil
}

// replicaConfig is the configuration of the replica set of one.
func (s *Server) replicaConfig(r *Request) bsonval.Doc {
	b := bsonval.NewBuilder(512)
	b.Str("_id", s.opts.SetName).Int32("version", 1).Int32("term", 1)
	b.OpenArray("members").OpenItem().Int32("_id", 0).Str("host", r.Conn.Addr).Bool("arbiterOnly", false).Bool("buildIndexes", true)
	b.Bool("hidden", false).Int32("priority", 1).OpenDoc("tags").Close().Int64("secondaryDelaySecs", 0).Int32("votes", 1).Close().Close()
	b.Int64("protocolVersion", 1).Bool("writeConcernMajorityJournalDefault", true)
	b.OpenDoc("settings").Bool("chainingAllowed", true).Int32("heartbeatIntervalMillis", 2000).Int32("heartbeatTimeoutSecs", 10)
	b.Int32("electionTimeoutMillis", 10_000).Set("replicaSetId", bsonval.ObjectIDValue(s.election)).Close()
	return b.Doc()
}

func (s *Server) getDefaultRWConcern(r *Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	s.statusConcerns(r, &b)
	return b.Doc(), nil
}
