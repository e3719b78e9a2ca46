package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/archive"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/command"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/wire"
)

// Options are an engine's settings; the zero value is a good one.
type Options struct {
	Clock       func() time.Time // default time.Now
	Logger      *slog.Logger     // default: silent
	MemoryLimit int64            // bytes of documents and index keys; 0: no limit
	// WorkMemory is how many bytes running operations and open cursors may hold together:
	// sorts, groups, joins, batches; and how many bytes of overwritten versions open
	// cursors and transactions may keep alive, before the oldest are ended.
	// Default: as MemoryLimit, at least 32 MiB; 1 GiB when there is no limit.
	WorkMemory  int64
	Collections int    // the most there may be; 0: no limit
	MaxConns    int    // connections at once; default 1000
	SetName     string // of the replica set of one; default "rs0"
	// Host is how clients on this machine call it, such as "localhost": hello names it to
	// those that come over the loopback. Default: the IP address that they came in on.
	Host string
	// Polling leaves topologyVersion out of hello: drivers then ask now and then
	// instead of keeping a hello waiting, which suits clients without threads.
	Polling bool
	// TestCommands adds the commands for drivers' tests, such as configureFailPoint.
	TestCommands bool
	// Auth demands that clients authenticate. As long as there is no user, one may be
	// made in the database admin, and nothing else done.
	Auth bool
}

// defaultConns is how many connections an engine takes at once.
const defaultConns = 1000

// Engine is a MongoDB server without a socket: connections are given to it.
type Engine struct {
	opts   Options
	store  *storage.Store
	server *command.Server
	ctx    context.Context // ends with the engine
	stop   context.CancelFunc

	lookout lookout

	mu     sync.Mutex
	conns  map[*connection]struct{}
	closed bool
	wg     sync.WaitGroup
}

// Open opens the database in a folder, which is made if it isn't there; "" keeps all
// in memory. A folder can be open in one process at a time.
func Open(dir string, opts Options) (*Engine, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.MaxConns == 0 {
		opts.MaxConns = defaultConns
	}
	if opts.SetName == "" {
		opts.SetName = "rs0"
	}
	if opts.WorkMemory == 0 {
		opts.WorkMemory = 1 << 30
		if opts.MemoryLimit > 0 {
			opts.WorkMemory = max(opts.MemoryLimit, 32<<20)
		}
	}
	store, err := storage.Open(dir, storage.Options{
		Memory: opts.MemoryLimit, Collections: opts.Collections, Clock: opts.Clock, Logger: opts.Logger,
	})
	if err != nil {
		return nil, err
	}
	server := command.New(store, command.Options{
		Clock: opts.Clock, Logger: opts.Logger, SetName: opts.SetName, Polling: opts.Polling, Auth: opts.Auth, Tests: opts.TestCommands, MaxConns: opts.MaxConns,
		WorkMemory: opts.WorkMemory,
	})
	e := &Engine{opts: opts, store: store, server: server, conns: map[*connection]struct{}{}}
	e.ctx, e.stop = context.WithCancel(context.Background())
	e.lookout.timer = time.AfterFunc(time.Hour, e.lookRound)
	e.lookout.timer.Stop()
	server.Start(e.ctx)
	return e, nil
}

// Close ends all connections and commands, waits for them, and closes the folder.
// Everything that was acknowledged is there at the next Open.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	for c := range e.conns {
		c.net.Close()
	}
	e.mu.Unlock()
	e.stop()
	e.lookout.timer.Stop()
	e.server.Shutdown()
	e.wg.Wait()
	return e.store.Close()
}

// Run runs one command on a database, as a client with all rights would, and answers
// its reply; a failed command's reply has ok: 0.
func (e *Engine) Run(ctx context.Context, db string, cmd bsonval.Doc) (bsonval.Doc, error) {
	if err := bsonval.Validate(cmd); err != nil {
		return nil, err
	}
	body := bsonval.BuilderOf(cmd).Str("$db", db).Doc()
	c := &command.Conn{Addr: "localhost:27017", Remote: "internal", Began: e.opts.Clock(), Internal: true}
	return e.server.Handle(ctx, c, &wire.Message{Body: body}).Doc, nil
}

// Snapshot is everything at this moment: all databases with their indexes and options.
// It takes O(1), and keeps alive only what changes afterwards; the quota doesn't count
// that. It may be kept for as long as the engine is open, and restored many times.
func (e *Engine) Snapshot() *storage.State { return e.store.State() }

// Restore makes all as it was at a snapshot of this engine, in O(1). Who works meanwhile
// isn't disturbed: open cursors go on over what they began with, and an open transaction
// commits unless it wrote what the restore has changed. Change streams can't go on
// (ChangeStreamHistoryLost).
func (e *Engine) Restore(ctx context.Context, s *storage.State) error {
	return e.store.Restore(ctx, s, "")
}

// RestoreDatabase is Restore for one database; the others stay as they are.
func (e *Engine) RestoreDatabase(ctx context.Context, s *storage.State, db string) error {
	if db == "" {
		return errors.New("restore: name the database")
	}
	return e.store.Restore(ctx, s, db)
}

// Dump writes the whole database as it is at this moment into w, as the archive that
// mongodump --archive makes and mongorestore reads.
func (e *Engine) Dump(ctx context.Context, w io.Writer, o archive.WriteOptions) (archive.Summary, error) {
	if o.Server == "" {
		o.Server = command.Version
	}
	return archive.Write(ctx, w, e.store.State(), o)
}

// Undump restores an archive of Dump or of mongodump: all of it, or nothing when it
// fails.
func (e *Engine) Undump(ctx context.Context, r io.Reader, o archive.RestoreOptions) (archive.Summary, error) {
	to := e.server.Restore(ctx)
	defer to.Rollback()
	return archive.Restore(ctx, r, to, o)
}

// Sweep does at once what otherwise happens once a minute: expired documents, cursors
// and sessions go, by the engine's clock.
func (e *Engine) Sweep(ctx context.Context) { e.server.Sweep(ctx) }

// CloseBusy closes those of the connections that which names for which an operation runs
// now, and so ends the operation: for a program that knows that nobody waits for it.
func (e *Engine) CloseBusy(which func(net.Conn) bool) {
	busy := e.server.Busy()
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		if busy[c.client] && which(c.net) {
			c.net.Close()
		}
	}
}
