package command

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// usage counts what commands did and how long they took, of the whole server and of
// each collection: what top, serverStatus and $collStats tell.
type usage struct {
	scanned, fetched, collScans atomic.Int64

	mu  sync.Mutex
	all latencies
	of  map[storage.NS]*nsUsage
}

// nsUsage is what was done with a collection.
type nsUsage struct {
	latencies
	kinds         [kinds]latency // by what top calls them
	scans, ending int64          // of the whole collection; those by cursors that end
}

// latencies are times by what a command is to a collection.
type latencies [3]latency

const (
	reading = iota
	writing
	commanding
)

// latency is how often something was done and how long it took in all.
type latency struct {
	count, micros int64
	buckets       [latencyBuckets]int64
}

// What top tells apart.
const (
	queries = iota
	getmores
	inserts
	updates
	removes
	others
	kinds
)

// latencyBuckets are those of the server's histograms: below 2 µs, then by powers of two
// to 2,048 µs, then two for each power.
const latencyBuckets = 50

// maxUsed bounds the collections that are counted.
const maxUsed = 10_000

// bucketOf is the histogram's bucket of a time.
func bucketOf(micros int64) int {
	if micros < 2 {
		return 0
	}
	power := bits.Len64(uint64(micros)) - 1 // 2^power <= micros
	if power <= 10 {
		return power
	}
	at := 11 + 2*(power-11)
	if micros >= 3<<(power-1) {
		at++
	}
	return min(at, latencyBuckets-1)
}

// bucketFrom is the shortest time of a bucket.
func bucketFrom(i int) int64 {
	switch {
	case i == 0:
		return 0
	case i <= 11:
		return 1 << i
	case (i-11)%2 == 0:
		return 1 << (11 + (i-11)/2)
	}
	return 3 << (10 + (i-11)/2)
}

func (l *latency) add(took time.Duration) {
	micros := took.Microseconds()
	l.count++
	l.micros += micros
	l.buckets[bucketOf(micros)]++
}

// kindOf tells what a command is: for latencies, and for top.
func kindOf(command string) (latency, top int) {
	switch command {
	case "find":
		return reading, queries
	case "getMore":
		return reading, getmores
	case "aggregate", "count", "distinct":
		return reading, others
	case "insert":
		return writing, inserts
	case "update":
		return writing, updates
	case "delete":
		return writing, removes
	case "findAndModify", "bulkWrite":
		return writing, others
	}
	return commanding, others
}

// target is the collection that a command works on.
func (r *Request) target() storage.NS {
	switch r.Spec.Name {
	case "getMore":
		return storage.NS{DB: r.DB, Coll: stringOr(r.Body.Get("collection"), "")}
	case "explain":
		if in := r.Body.First().Value; in.Type() == bsonval.Object {
			return storage.NS{DB: r.DB, Coll: stringOr(in.Doc().First().Value, "")}
		}
	case "bulkWrite":
		if list := r.Body.Get("nsInfo"); list.Type() == bsonval.Array && list.Doc().At(0).Type() == bsonval.Object {
			ns, _ := storage.ParseNS(stringOr(list.Doc().At(0).Doc().Get("ns"), ""))
			return ns
		}
	}
	return r.ns()
}

// used notes a finished command.
func (s *Server) used(r *Request, took time.Duration, failed error) {
	kind, top := kindOf(r.Spec.Name)
	ns := r.target()
	p := r.Op.Plan
	scan := p != nil && p.ScansAll()
	u := &s.usage
	u.scanned.Add(r.Op.Work.KeysExamined)
	u.fetched.Add(r.Op.Work.DocsExamined)
	if p != nil && p.Sorts() {
		s.counters.sorts.Add(1)
	}
	if scan {
		u.collScans.Add(1)
	}
	if failed != nil {
		r.Spec.failures.Add(1)
	}
	if top == others {
		s.counters.command.Add(1)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if r.Spec.OwnTime && kind == commanding {
		return // an awaited hello takes as long as it likes
	}
	u.all[kind].add(took)
	if r.Spec.Name == "drop" && failed == nil {
		delete(u.of, ns)
		return
	}
	if ns.Coll == "" {
		return
	}
	c := u.collection(ns, s.store.State())
	c.latencies[kind].add(took)
	c.kinds[top].add(took)
	if scan {
		c.scans++
		if !r.Body.Get("tailable").Truth() {
			c.ending++
		}
	}
}

// collection answers a collection's counts. Those of collections that are gone go when
// there are many.
func (u *usage) collection(ns storage.NS, state *storage.State) *nsUsage {
	if u.of == nil || len(u.of) >= maxUsed {
		kept := map[storage.NS]*nsUsage{}
		for at, c := range u.of {
			if state.Collection(at) != nil {
				kept[at] = c
			}
		}
		u.of = kept
	}
	c := u.of[ns]
	if c == nil {
		c = &nsUsage{}
		u.of[ns] = c
	}
	return c
}

// write tells the times as serverStatus and $collStats do.
func (l *latencies) write(b *bsonval.Builder, histograms bool) {
	for i, name := range [...]string{"reads", "writes", "commands"} {
		l[i].write(b, name, histograms)
	}
	(&latency{}).write(b, "transactions", histograms)
}

func (l *latency) write(b *bsonval.Builder, name string, histogram bool) {
	b.OpenDoc(name)
	if histogram {
		b.OpenArray("histogram")
		for i, n := range l.buckets {
			if n > 0 {
				b.OpenItem().Int64("micros", bucketFrom(i)).Int64("count", n).Close()
			}
		}
		b.Close()
	}
	b.Int64("latency", l.micros).Int64("ops", l.count).Close()
}

// usageOf is a copy of a collection's counts.
func (s *Server) usageOf(ns storage.NS) nsUsage {
	s.usage.mu.Lock()
	defer s.usage.mu.Unlock()
	if c := s.usage.of[ns]; c != nil {
		return *c
	}
	return nsUsage{}
}

// top tells what was done with each collection.
func (s *Server) top(*Request) (bsonval.Doc, error) {
	u := &s.usage
	u.mu.Lock()
	defer u.mu.Unlock()
	var b bsonval.Builder
	b.OpenDoc("totals").Str("note", "all times in microseconds")
	state := s.store.State()
	for _, c := range state.Collections("") {
		if n := u.of[c.NS]; n != nil {
			n.top(&b, c.NS.String())
		}
	}
	return b.Doc(), nil
}

func (n *nsUsage) top(b *bsonval.Builder, ns string) {
	field := func(name string, of ...latency) {
		var count, micros int64
		for _, l := range of {
			count, micros = count+l.count, micros+l.micros
		}
		b.OpenDoc(name).Int64("time", micros).Int64("count", count).Close()
	}
	b.OpenDoc(ns)
	field("total", n.latencies[:]...)
	field("readLock", n.latencies[reading])
	field("writeLock", n.latencies[writing], n.latencies[commanding])
	for i, name := range [...]string{"queries", "getmore", "insert", "update", "remove", "commands"} {
		field(name, n.kinds[i])
	}
	b.Close()
}

// commandCounts tells how often each command was run.
func (s *Server) commandCounts(b *bsonval.Builder) {
	b.OpenDoc("commands").Int64("<UNKNOWN>", s.counters.unknown.Load())
	for _, name := range s.commandNames() {
		sp := s.specs[name]
		kinds := map[string]*updateKinds{"update": &s.counters.updates, "findAndModify": &s.counters.modifies}[name]
		b.OpenDoc(name)
		if kinds != nil {
			b.Int64("arrayFilters", kinds.filters.Load())
		}
		b.Int64("failed", sp.failures.Load())
		if kinds != nil {
			b.Int64("pipeline", kinds.pipelines.Load())
		}
		b.Int64("total", sp.runs.Load()).Close()
	}
	b.Close()
}
