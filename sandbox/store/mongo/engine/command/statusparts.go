package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// documents counts what a write did.
func (c *counters) documents(r *Request, reply bsonval.Doc) {
	switch r.Spec.Name {
	case "insert":
		c.inserted.Add(reply.Get("n").Long())
	case "delete":
		c.deleted.Add(reply.Get("n").Long())
	case "update":
		matched, _, upserted := wrote(reply)
		c.matched.Add(matched)
		c.inserted.Add(upserted)
	case "bulkWrite":
		c.inserted.Add(reply.Get("nInserted").Long() + reply.Get("nUpserted").Long())
		c.matched.Add(reply.Get("nMatched").Long())
		c.deleted.Add(reply.Get("nDeleted").Long())
	}
}

// awaiting counts the clients that wait for the topology to change.
func (s *Server) awaiting() (n int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.ops {
		if o.awaits {
			n++
		}
	}
	return n
}

func (s *Server) statusConcerns(r *Request, b *bsonval.Builder) {
	b.OpenDoc("defaultReadConcern").Str("level", "local").Close()
	b.OpenDoc("defaultWriteConcern").Str("w", "majority").Int32("wtimeout", 0).Close()
	b.Str("defaultReadConcernSource", "implicit").Str("defaultWriteConcernSource", "implicit")
	b.Set("localUpdateWallClockTime", bsonval.TimeValue(r.Op.Now))
}

// statusFlow tells that writers are never slowed down: there is no secondary that they
// could leave behind.
func (s *Server) statusFlow(_ *Request, b *bsonval.Builder) {
	b.Bool("enabled", false).Int32("targetRateLimit", 1_000_000_000).Int64("timeAcquiringMicros", 0)
	b.Bool("isLagged", false).Int32("isLaggedCount", 0).Int64("isLaggedTimeMicros", 0)
}

// statusIndexes counts the indexes by what they are, and how often each kind was used.
func (s *Server) statusIndexes(_ *Request, b *bsonval.Builder) {
	type tally struct{ count, uses int64 }
	var all int64
	kinds := map[string]*tally{}
	for _, c := range s.store.State().Collections("") {
		for _, ix := range c.Indexes {
			if ix.Def.Clustered {
				continue
			}
			all++
			for _, kind := range indexFeatures(ix) {
				if kinds[kind] == nil {
					kinds[kind] = &tally{}
				}
				kinds[kind].count++
				kinds[kind].uses += ix.Uses()
			}
		}
	}
	b.Int64("count", all).OpenDoc("features")
	for _, kind := range [...]string{"2d", "2dsphere", "collation", "compound", "hashed", "id", "normal", "partial", "prepareUnique", "single", "sparse", "text", "ttl", "unique", "wildcard"} {
		t := kinds[kind]
		if t == nil {
			t = &tally{}
		}
		b.OpenDoc(kind).Int64("count", t.count).Int64("accesses", t.uses).Close()
	}
	b.Close()
}

// indexFeatures are the kinds that an index counts as.
func indexFeatures(ix *storage.Index) []string {
	d := ix.Def
	if d.Name == "_id_" {
		return []string{"id"}
	}
	var out []string
	add := func(is bool, kind string) {
		if is {
			out = append(out, kind)
		}
	}
	add(d.Kind == index.Flat, "2d")
	add(d.Kind == index.Sphere, "2dsphere")
	add(d.Kind == index.Hashed, "hashed")
	add(d.Kind == index.Text, "text")
	add(d.Kind == index.Wildcard, "wildcard")
	add(d.Kind == index.Ordered, "normal")
	add(len(d.Fields) > 1, "compound")
	add(len(d.Fields) == 1, "single")
	add(d.Collator != nil, "collation")
	add(d.Filter != nil, "partial")
	add(d.PrepareUnique, "prepareUnique")
	add(d.Sparse, "sparse")
	add(d.Expire >= 0, "ttl")
	add(d.Unique, "unique")
	return out
}

// statusReplicated counts what came from another member: nothing, there is none.
func (s *Server) statusReplicated(_ *Request, b *bsonval.Builder) {
	for _, name := range [...]string{"insert", "query", "update", "delete", "getmore", "command"} {
		b.Int64(name, 0)
	}
}

// statusLogins tells that passwords' keys are not kept between logins.
func (s *Server) statusLogins(_ *Request, b *bsonval.Builder) {
	for _, name := range [...]string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
		b.OpenDoc(name).Int64("count", 0).Int64("hits", 0).Int64("misses", 0).Close()
	}
}

func (s *Server) statusSecurity(_ *Request, b *bsonval.Builder) {
	b.OpenDoc("authentication").OpenDoc("mechanisms")
	for i, name := range [...]string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
		b.OpenDoc(name).OpenDoc("authenticate").Int64("received", s.counters.logins[i].Load()).Int64("successful", s.counters.loggedIn[i].Load()).Close().Close()
	}
	b.Close().Close()
}

func (s *Server) statusRecording(_ *Request, b *bsonval.Builder) { b.Bool("running", false) }

func (s *Server) statusTransactions(_ *Request, b *bsonval.Builder) {
	c := &s.counters
	idle := int64(0)
	for _, sess := range s.sessions.All() {
		if openTransaction(sess) != nil {
			idle++
		}
	}
	open := c.txnStarted.Load() - c.txnCommitted.Load() - c.txnAborted.Load()
	b.Int64("currentActive", max(open-idle, 0)).Int64("currentInactive", idle).Int64("currentOpen", open)
	b.Int64("totalAborted", c.txnAborted.Load()).Int64("totalCommitted", c.txnCommitted.Load()).Int64("totalStarted", c.txnStarted.Load())
	b.Int64("totalPrepared", 0).Int64("totalPreparedThenCommitted", 0).Int64("totalPreparedThenAborted", 0).Int64("currentPrepared", 0)
}

// statusTransport counts connections by their version of TLS: none has any.
func (s *Server) statusTransport(_ *Request, b *bsonval.Builder) {
	for _, version := range [...]string{"1.0", "1.1", "1.2", "1.3", "unknown"} {
		b.Int64(version, 0)
	}
}
