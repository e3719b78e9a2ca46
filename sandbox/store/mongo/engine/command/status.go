package command

import (
	"os"
	"runtime/metrics"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// serverStatus tells of the server by sections; a section named with 0 is left out.
func (s *Server) serverStatus(r *Request) (bsonval.Doc, error) {
	up := r.Op.Now.Sub(s.started)
	b := bsonval.NewBuilder(4096)
	b.Str("host", r.Conn.Addr).Str("version", Version).Str("process", "mongod").OpenArray("service").ItemStr("shard").Close()
	b.Int64("pid", int64(os.Getpid())).Double("uptime", float64(int64(up.Seconds()))).Int64("uptimeMillis", up.Milliseconds())
	b.Int64("uptimeEstimate", int64(up.Seconds())).Set("localTime", bsonval.TimeValue(r.Op.Now))
	for _, section := range [...]struct {
		name  string
		write func(*Request, *bsonval.Builder)
	}{
		{"asserts", s.statusAsserts}, {"catalogStats", s.statusCatalog}, {"connections", s.statusConnections},
		{"defaultRWConcern", s.statusConcerns}, {"extra_info", s.statusProcess}, {"flowControl", s.statusFlow},
		{"globalLock", s.statusLock}, {"indexStats", s.statusIndexes}, {"logicalSessionRecordCache", s.statusSessions},
		{"network", s.statusNetwork}, {"opLatencies", s.statusLatencies}, {"opWorkingTime", s.statusLatencies},
		{"opcounters", s.statusCounters}, {"opcountersRepl", s.statusReplicated}, {"repl", s.statusRepl},
		{"scramCache", s.statusLogins}, {"security", s.statusSecurity}, {"storageEngine", s.statusEngine},
		{"trafficRecording", s.statusRecording}, {"transactions", s.statusTransactions}, {"transportSecurity", s.statusTransport},
		{"mem", s.statusMemory}, {"metrics", s.statusMetrics},
	} {
		if v := r.Body.Get(section.name); !v.IsMissing() && !v.Truth() {
			continue
		}
		b.OpenDoc(section.name)
		section.write(r, b)
		b.Close()
	}
	return b.Doc(), nil
}

func (s *Server) statusAsserts(_ *Request, b *bsonval.Builder) {
	failed := int64(0)
	for _, name := range s.commandNames() {
		failed += s.specs[name].failures.Load()
	}
	b.Int32("regular", 0).Int32("warning", 0).Int32("msg", 0).Int32("user", int32(failed)).Int32("rollovers", 0)
}

func (s *Server) statusCatalog(_ *Request, b *bsonval.Builder) {
	var collections, capped, views, series int32
	for _, c := range s.store.State().Collections("") {
		switch {
		case !c.Options.Get("timeseries").IsMissing():
			series++
		case c.IsView():
			views++
		default:
			collections++
			if c.Options.Get("capped").Truth() {
				capped++
			}
		}
	}
	b.Int32("collections", collections).Int32("capped", capped).Int32("views", views).Int32("timeseries", series)
}

func (s *Server) statusConnections(_ *Request, b *bsonval.Builder) {
	s.mu.Lock()
	open := int32(len(s.conns))
	s.mu.Unlock()
	readers, writers, all := s.activeClients()
	b.Int32("current", open).Int32("available", max(0, int32(s.opts.MaxConns)-open)).Int64("totalCreated", s.counters.connections.Load())
	b.Int32("active", max(all, readers+writers)).Int32("threaded", open).Int32("awaitingTopologyChanges", s.awaiting())
}

// activeClients counts the operations that run now.
func (s *Server) activeClients() (readers, writers, all int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.ops {
		all++
		if len(o.command) == 0 {
			continue
		}
		switch kind, _ := kindOf(o.command.First().Name); kind {
		case reading:
			readers++
		case writing:
			writers++
		}
	}
	return readers, writers, all
}

// statusLock tells who works and who waits: readers never do, nobody is made to queue.
func (s *Server) statusLock(r *Request, b *bsonval.Builder) {
	readers, writers, all := s.activeClients()
	b.Int64("totalTime", r.Op.Now.Sub(s.started).Microseconds())
	b.OpenDoc("currentQueue").Int32("total", 0).Int32("readers", 0).Int32("writers", 0).Close()
	b.OpenDoc("activeClients").Int32("total", all).Int32("readers", readers).Int32("writers", writers).Close()
}

func (s *Server) statusSessions(_ *Request, b *bsonval.Builder) {
	n := int32(len(s.sessions.All()))
	b.Int32("activeSessionsCount", n).Int32("sessionCatalogSize", n)
}

// statusMemory tells the process' memory in MiB, as the Go runtime knows it.
func (s *Server) statusMemory(_ *Request, b *bsonval.Builder) {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	total, released := sample[0].Value.Uint64(), sample[1].Value.Uint64()
	b.Int32("bits", 64).Int32("resident", int32((total-released)>>20)).Int32("virtual", int32(total>>20)).Bool("supported", true)
}

func (s *Server) statusMetrics(_ *Request, b *bsonval.Builder) {
	open, fixed := s.cursors.Counts()
	s.commandCounts(b)
	c := &s.counters
	b.OpenDoc("cursor").Int64("timedOut", c.timedOut.Load()).Int64("totalOpened", c.cursors.Load())
	b.OpenDoc("open").Int64("noTimeout", int64(fixed)).Int64("pinned", 0).Int64("total", int64(open)).Close().Close()
	b.OpenDoc("document").Int64("deleted", c.deleted.Load()).Int64("inserted", c.inserted.Load()).Int64("updated", c.matched.Load()).Close()
	b.OpenDoc("operation").Int64("scanAndOrder", c.sorts.Load()).Close()
	u := &s.usage
	b.OpenDoc("queryExecutor").Int64("scanned", u.scanned.Load()).Int64("scannedObjects", u.fetched.Load())
	b.OpenDoc("collectionScans").Int64("total", u.collScans.Load()).Close().Close()
	b.OpenDoc("ttl").Int64("deletedDocuments", c.ttlDeleted.Load()).Int64("passes", c.ttlPasses.Load()).Close()
}

func (s *Server) statusNetwork(_ *Request, b *bsonval.Builder) {
	in, out := s.counters.bytesIn.Load(), s.counters.bytesOut.Load()
	b.Int64("bytesIn", in).Int64("bytesOut", out).Int64("physicalBytesIn", in).Int64("physicalBytesOut", out)
	b.Int64("numSlowDNSOperations", 0).Int64("numSlowSSLOperations", 0).Int64("numRequests", s.counters.requests.Load())
}

func (s *Server) statusLatencies(_ *Request, b *bsonval.Builder) {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	s.usage.all.write(b, false)
}

func (s *Server) statusCounters(_ *Request, b *bsonval.Builder) {
	c := &s.counters
	b.Int64("insert", c.insert.Load()).Int64("query", c.query.Load()).Int64("update", c.update.Load())
	b.Int64("delete", c.delete.Load()).Int64("getmore", c.getmore.Load()).Int64("command", c.command.Load())
}

func (s *Server) statusRepl(r *Request, b *bsonval.Builder) {
	b.OpenDoc("topologyVersion").Set("processId", bsonval.ObjectIDValue(s.process)).Int64("counter", 6).Close()
	b.OpenArray("hosts").ItemStr(r.Conn.Addr).Close().Str("setName", s.opts.SetName).Int32("setVersion", 1)
	// ismaster too: mongostat knows the state by the old name alone.
	b.Bool("isWritablePrimary", true).Bool("ismaster", true).Bool("secondary", false).Str("primary", r.Conn.Addr).Str("me", r.Conn.Addr)
	b.Set("electionId", bsonval.ObjectIDValue(s.election)).OpenDoc("lastWrite").SetDoc("opTime", s.opTime()).Set("lastWriteDate", bsonval.TimeValue(r.Op.Now))
	b.SetDoc("majorityOpTime", s.opTime()).Set("majorityWriteDate", bsonval.TimeValue(r.Op.Now)).Close()
	b.OpenDoc("primaryOnlyServices").Close().Int32("rbid", 1)
}

func (s *Server) statusEngine(_ *Request, b *bsonval.Builder) {
	b.Str("name", "persistentTree").Bool("supportsCommittedReads", true).Bool("supportsPendingDrops", false).Bool("supportsSnapshotReadConcern", true)
	b.Bool("readOnly", false).Bool("persistent", s.store.Dir() != "").Bool("backupCursorOpen", false)
}

// Traffic notes bytes that came and went on connections.
func (s *Server) Traffic(in, out int) {
	s.counters.bytesIn.Add(int64(in))
	s.counters.bytesOut.Add(int64(out))
}
