package command

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// profileCommands set what the profiler notes.
func (s *Server) profileCommands() []Spec {
	return []Spec{{Name: "profile", Fields: "slowms sampleRate filter", Run: s.profile}}
}

// profiling is what the profiler notes: of each database by level, and for all of them
// from how many milliseconds on.
type profiling struct {
	mu     sync.Mutex
	levels map[string]profileLevel
	slow   int64
	rate   float64
	set    bool // slow and rate are not the defaults
}

type profileLevel struct {
	level  int64 // 0: nothing, 1: what is slow, 2: everything
	filter bsonval.Doc
}

const (
	defaultSlow = 100     // milliseconds
	profileSize = 1 << 20 // bytes of system.profile
)

// limits are slowms and sampleRate.
func (p *profiling) limits() (int64, float64) {
	if !p.set {
		return defaultSlow, 1
	}
	return p.slow, p.rate
}

func (s *Server) profile(r *Request) (bsonval.Doc, error) {
	level := r.Body.First().Value
	if !level.IsNumber() {
		return nil, wrongType("profile.profile", level, "int")
	}
	p := &s.profiler
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.levels[r.DB]
	slow, rate := p.limits()
	var b bsonval.Builder
	b.Int32("was", int32(was.level)).Number("slowms", slow).Double("sampleRate", rate)
	if was.filter != nil {
		b.SetDoc("filter", was.filter)
		b.Str("note", "When a filter expression is set, slowms and sampleRate are not used for profiling and slow-query log lines.")
	}
	n := level.Long()
	if n >= 0 && n <= 2 {
		was.level = n
	}
	if err := s.setProfile(r, p, &was); err != nil {
		return nil, err
	}
	if p.levels == nil {
		p.levels = map[string]profileLevel{}
	}
	p.levels[r.DB] = was
	if n == 1 || n == 2 {
		return b.Doc(), r.write(func(w *crud.Writer) error { return makeProfile(r.Op, w, r.DB) })
	}
	return b.Doc(), nil
}

// setProfile reads the limits and the filter. p is locked.
func (s *Server) setProfile(r *Request, p *profiling, l *profileLevel) error {
	slow, rate := p.limits()
	if v := r.Body.Get("slowms"); v.IsNumber() {
		slow = v.Long()
	}
	if v := r.Body.Get("sampleRate"); v.IsNumber() {
		if rate = v.Float(); rate < 0 || rate > 1 {
			return mongoerr.New(51024, "BSON field 'sampleRate' value must be between 0 and 1, actual value '%s'", v)
		}
	}
	switch v := r.Body.Get("filter"); v.Type() {
	case bsonval.Object:
		if _, err := match.Compile(v.Doc(), s.matchEnv(r.Op, nil)); err != nil {
			return err
		}
		l.filter = v.Doc().Clone()
	case bsonval.String:
		if v.Str() != "unset" {
			return mongoerr.New(mongoerr.BadValue, "Expected an object, or the string 'unset'.")
		}
		l.filter = nil
	}
	p.slow, p.rate, p.set = slow, rate, true
	return nil
}

func makeProfile(op *opctx.Op, w *crud.Writer, db string) error {
	ns := storage.NS{DB: db, Coll: "system.profile"}
	if w.Tx.Collection(ns) != nil {
		return nil
	}
	_, err := crud.Create(op, w.Tx, ns, bsonval.D(bsonval.E("capped", bsonval.BoolValue(true)), bsonval.E("size", bsonval.LongValue(profileSize))))
	return err
}

// note writes a finished command into its database's system.profile, if the profiler
// is on and the command slow enough.
func (s *Server) note(r *Request, reply bsonval.Doc, took time.Duration, failed error) {
	p := &s.profiler
	p.mu.Lock()
	l := p.levels[r.DB]
	slow, rate := p.limits()
	p.mu.Unlock()
	if took >= time.Duration(slow)*time.Millisecond && !r.Spec.OwnTime {
		s.logSlow(r, reply, took)
	}
	switch {
	case l.level == 0 || r.Spec.secret() || r.ns().Coll == "system.profile":
		return
	case l.filter == nil && l.level == 1 && took < time.Duration(slow)*time.Millisecond:
		return
	case l.filter == nil && rate < 1 && rand.Float64() >= rate:
		return
	}
	doc := r.profileEntry(reply, failed, took)
	if l.filter != nil && !s.wanted(l.filter, doc) {
		return
	}
	if err := s.writeProfile(r, doc); err != nil {
		s.opts.Logger.Warn("system.profile could not be written", "db", r.DB, "error", err)
	}
}

func (s *Server) wanted(filter, doc bsonval.Doc) bool {
	op := opctx.New(context.Background(), s.opts.Clock())
	m, err := match.Compile(filter, s.matchEnv(op, nil))
	if err != nil {
		return false
	}
	ok, err := m.MatchIn(expr.NewFrame(op), stream.Row{Doc: doc})
	return ok && err == nil
}

func (s *Server) writeProfile(r *Request, doc bsonval.Doc) error {
	op := opctx.New(r.ctx, s.opts.Clock())
	tx, err := s.store.Begin(r.ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w := &crud.Writer{Op: op, Store: s.store, Tx: tx, IDs: s.ids, Match: s.matchEnv}
	if err := makeProfile(op, w, r.DB); err != nil {
		return err
	}
	if _, err := w.Insert(storage.NS{DB: r.DB, Coll: "system.profile"}, doc); err != nil {
		return err
	}
	return tx.Commit()
}

// profileKind is the profiler's word for what a command does.
func profileKind(command string) string {
	switch command {
	case "find":
		return "query"
	case "insert", "update":
		return command
	case "delete":
		return "remove"
	case "getMore":
		return "getmore"
	}
	return "command"
}

// mayDropProfile keeps system.profile while the profiler writes into it.
func (s *Server) mayDropProfile(ns storage.NS) error {
	if ns.Coll != "system.profile" {
		return nil
	}
	s.profiler.mu.Lock()
	defer s.profiler.mu.Unlock()
	if s.profiler.levels[ns.DB].level > 0 {
		return mongoerr.New(mongoerr.IllegalOperation, "turn off profiling before dropping system.profile collection")
	}
	return nil
}
