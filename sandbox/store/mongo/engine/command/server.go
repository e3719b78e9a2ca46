// Package command runs MongoDB's commands: it reads their fields, works through the
// packages below, and makes the replies and the errors. One file is one family of
// commands, with its table; registry.go lists the tables.
//
// It knows connections only as Conn: bytes and sockets are the engine's and package
// wire's.
package command

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/wire"
)

// Version is the server version that the engine presents itself as.
const Version = "8.0.4"

// maxWireVersion is that of MongoDB 8.0.
const maxWireVersion = 25

// Options are the server's settings.
type Options struct {
	Clock    func() time.Time
	Logger   *slog.Logger
	SetName  string // of the replica set of one
	Polling  bool   // hello has no topologyVersion, so that drivers poll instead of streaming
	Auth     bool   // clients must authenticate
	MaxConns int    // connections that the engine takes at once
	Tests    bool   // the commands for drivers' tests: configureFailPoint
	// WorkMemory is how many bytes operations and open cursors may hold together, and
	// how many old versions they may keep alive.
	WorkMemory int64
}

// Server runs commands on one store.
type Server struct {
	opts     Options
	store    *storage.Store
	sessions *session.Registry
	cursors  *cursor.Registry
	ids      *crud.ObjectIDs
	specs    map[string]*Spec
	started  time.Time
	process  [12]byte // the topology's processId
	election [12]byte
	opIDs    atomic.Int32
	connIDs  atomic.Int64
	counters counters
	fails    failpoints
	params   parameters
	plans    *plan.Cache
	series   crud.SeriesStats
	pool     *opctx.Pool // what operations and cursors hold
	relieved atomic.Int64
	profiler profiling
	usage    usage
	fsync    fsyncLock
	log      ring
	minded   []string // the start's warnings

	mu    sync.Mutex
	ops   map[int32]*running
	conns map[int64]*Conn
	down  chan struct{} // closed when the server shuts down

	background background
}

// counters are what serverStatus tells.
type counters struct {
	insert, query, update, delete, getmore, command atomic.Int64
	connections                                     atomic.Int64
	bytesIn, bytesOut, requests                     atomic.Int64
	cursors, timedOut                               atomic.Int64    // cursors opened; those that nobody used for too long
	unknown                                         atomic.Int64    // commands that there aren't
	ttlPasses, ttlDeleted                           atomic.Int64    // of the TTL monitor
	inserted, matched, deleted                      atomic.Int64    // documents
	sorts                                           atomic.Int64    // commands with a stage that sorts
	logins, loggedIn                                [2]atomic.Int64 // begun and successful, by SCRAM-SHA-1 and SCRAM-SHA-256
	txnStarted, txnCommitted, txnAborted            atomic.Int64
	updates, modifies                               updateKinds // by update and findAndModify
}

// updateKinds count updates of two kinds.
type updateKinds struct{ pipelines, filters atomic.Int64 }

func (k *updateKinds) count(ch crud.Change) {
	if ch.Update.Type() == bsonval.Array {
		k.pipelines.Add(1)
	}
	if len(ch.ArrayFilters) > 5 {
		k.filters.Add(1)
	}
}

// running is an operation for currentOp and killOp.
type running struct {
	op      *opctx.Op
	conn    *Conn
	spec    *Spec
	command bsonval.Doc
	target  storage.NS
	began   time.Time

	user          *Identity // nil: nobody
	session       *session.ID
	txnNumber     int64 // -1: none
	inTransaction bool
	awaits        bool // hello: until the topology changes
}

// Conn is a client's connection.
type Conn struct {
	ID          int64
	Addr        string // that the client dialled: what the replica set is called by
	Remote      string
	Began       time.Time
	Client      bsonval.Doc // metadata from the first hello
	Compressors []wire.Compressor
	grants      atomic.Pointer[grants]
	auth        *login    // a conversation that is going on
	User        *Identity // nil: nobody
	Internal    bool      // in-process commands: everything is allowed
}

// New makes a server over a store.
func New(store *storage.Store, opts Options) *Server {
	s := &Server{
		opts: opts, store: store, ids: crud.NewObjectIDs(), started: opts.Clock(),
		sessions: session.NewRegistry(opts.Clock), cursors: cursor.NewRegistry(opts.Clock), plans: plan.NewCache(),
		pool: opctx.NewPool(opts.WorkMemory),
		ops:  map[int32]*running{}, conns: map[int64]*Conn{}, down: make(chan struct{}),
	}
	s.process = s.ids.New(s.started)
	binary.BigEndian.PutUint32(s.election[:], 0x7fffffff)
	s.election[11] = 1
	rand.Read(s.process[4:9]) //nolint:errcheck // never fails
	s.minded = s.warnings()
	for _, line := range s.minded {
		s.log.add(line)
	}
	s.specs = map[string]*Spec{}
	for _, table := range s.tables() {
		for i := range table {
			s.specs[table[i].Name] = &table[i]
			for _, alias := range table[i].Aliases {
				s.specs[alias] = &table[i]
			}
		}
	}
	return s
}

// Connect registers a connection.
func (s *Server) Connect(addr, remote string) *Conn {
	c := &Conn{ID: s.connIDs.Add(1), Addr: addr, Remote: remote, Began: s.opts.Clock()}
	s.counters.connections.Add(1)
	s.mu.Lock()
	s.conns[c.ID] = c
	s.mu.Unlock()
	s.logConnection(c, true)
	return c
}

// Disconnect forgets a connection.
func (s *Server) Disconnect(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c.ID)
	s.mu.Unlock()
	s.logConnection(c, false)
}

// Shutdown makes waiting commands end.
func (s *Server) Shutdown() {
	close(s.down)
	s.fsync.free()
	s.cursors.KillWhere(func(*cursor.Cursor) bool { return true })
}

// Response is what goes back for one message.
type Response struct {
	Doc   bsonval.Doc
	Close bool          // drop the connection instead (failCommand), or after the reply
	Next  *wire.Message // exhaust: run this next, without waiting for the client
}

// Handle runs one message and answers its reply. It never panics.
func (s *Server) Handle(ctx context.Context, c *Conn, m *wire.Message) (resp Response) {
	defer func() {
		if p := recover(); p != nil {
			s.opts.Logger.Error("command panicked", "panic", p, "stack", stack())
			resp.Doc = s.failure(mongoerr.New(mongoerr.InternalError, "internal error: the server's log has it"))
		}
	}()
	s.counters.requests.Add(1)
	if m.Bad != nil {
		return s.unread(m.Bad)
	}
	r, err := s.parse(ctx, c, m)
	if err != nil {
		return Response{Doc: s.failure(err)}
	}
	return s.run(r)
}

// unread answers a message whose content was not in order. The connection goes on only
// where the server's does.
func (s *Server) unread(why error) Response {
	e, coded := why.(*mongoerr.Error) //nolint:errorlint // wire doesn't wrap them
	if !coded {
		e = mongoerr.New(mongoerr.InvalidBSON, "%s", why)
	}
	fatal := !coded || e.Code == mongoerr.IllegalOpMsgFlag || e.Code == mongoerr.TooManyDocumentSequences
	return Response{Doc: s.failure(e), Close: fatal}
}

// run checks, times and executes a parsed request.
func (s *Server) run(r *Request) Response {
	if fp := s.fails.match(r); fp != nil {
		if resp, done := s.failNow(r, fp); done {
			return resp
		}
	}
	ctx := r.ctx
	if r.maxTime == 0 {
		r.maxTime = r.defaultTime()
	}
	if r.maxTime > 0 && !r.Spec.OwnTime {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.maxTime, mongoerr.New(mongoerr.MaxTimeMSExpired, "operation exceeded time limit"))
		defer cancel()
	}
	if r.maxTime > 0 && s.fails.on("maxTimeAlwaysTimeOut") {
		return Response{Doc: s.failure(mongoerr.New(mongoerr.MaxTimeMSExpired, "operation exceeded time limit"))}
	}
	r.Op = s.newOp(ctx, r)
	defer s.endOp(r.Op)
	r.Spec.runs.Add(1) // before it runs: serverStatus tells of itself too
	doc, err := s.execute(r)
	if r.dropped {
		return Response{Close: true}
	}
	took := s.opts.Clock().Sub(r.Op.Now)
	s.used(r, took, err)
	s.counters.documents(r, doc)
	s.note(r, doc, took, err)
	if err != nil {
		return Response{Doc: r.withConcern(s.failure(s.labelled(r, err)), err), Close: r.closeAfter}
	}
	resp := Response{Doc: s.success(r, doc), Close: r.closeAfter}
	if r.Message.Exhaust && r.exhaust != nil {
		next := *r.Message
		next.Body = r.exhaust
		resp.Next = &next
	}
	return resp
}

func (s *Server) newOp(ctx context.Context, r *Request) *opctx.Op {
	op := opctx.New(ctx, s.opts.Clock())
	op.ID = s.opIDs.Add(1)
	op.DB, op.Pool = r.DB, s.pool
	op.NoTableScan = s.Parameter("notablescan").Truth()
	op.DiskUse, op.MaxMemory = s.diskUse(r), s.Parameter("internalQueryMaxBlockingSortMemoryUsageBytes").Long()
	op.ClusterTime = s.store.State().TS
	op.Roles = s.rolesOf(r.Conn)
	shown := r.Body
	if r.Spec.secret() {
		shown = bsonval.D(r.Body.First(), bsonval.E("$db", bsonval.StringValue(r.DB)))
	}
	o := &running{op: op, conn: r.Conn, spec: r.Spec, command: shown, target: r.target(), began: op.Now, user: r.Conn.User, txnNumber: r.txnNumber,
		inTransaction: r.inTransaction, awaits: r.Spec.OwnTime && !r.Body.Get("topologyVersion").IsMissing()}
	if r.Session != nil {
		o.session = &r.Session.ID
	}
	s.mu.Lock()
	s.ops[op.ID] = o
	s.mu.Unlock()
	return op
}

func (s *Server) endOp(op *opctx.Op) {
	s.mu.Lock()
	delete(s.ops, op.ID)
	s.mu.Unlock()
	if !op.Kept {
		op.Release()
	}
}

// execute is a request's way through sessions, transactions and retries.
func (s *Server) execute(r *Request) (bsonval.Doc, error) {
	if err := s.authorize(r); err != nil {
		return nil, err
	}
	release, err := s.enter(r)
	if err != nil {
		return nil, err
	}
	defer release()
	run := r.Spec.Run
	if r.asksHelp {
		run = (*Request).help
	}
	if fp := s.failWrite(r); fp != nil {
		run = fp.aroundWrite
	}
	err = r.checkUUID()
	var doc bsonval.Doc
	if err == nil {
		doc, err = run(r)
	}
	if r.inTransaction {
		doc, err = s.leaveTransaction(r, doc, err)
	}
	return doc, err
}

// Busy are the connections for which an operation runs now.
func (s *Server) Busy() map[*Conn]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := map[*Conn]bool{}
	for _, op := range s.ops {
		if op.conn != nil {
			busy[op.conn] = true
		}
	}
	return busy
}
