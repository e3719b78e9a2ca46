package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"storeroom/sandbox/cache"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/python"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/postgres"
	"storeroom/sandbox/store/redis"
	"storeroom/sandbox/worker"
	"storeroom/sandbox/worker/link"
)

// Subcommand is the argument with which the program is a worker.
const Subcommand = "sandbox"

// fleet is what workers and stores are started from.
type fleet struct {
	h        *Host
	program  string // this very binary
	python   python.Config
	set      *parts.Set
	held     *cache.Held // keeps them from being swept
	manyUIDs bool        // root, and able to give each sandbox a user of its own
	pool     *pool       // nil where there is no PostgreSQL
}

func newFleet(ctx context.Context, h *Host) (*fleet, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	set, py, held, err := prepared(ctx, h.Cache)
	if err != nil {
		return nil, err
	}
	f := &fleet{h: h, program: program, python: py, set: set, held: held, manyUIDs: confine.ManyUsers()}
	if set.Postgres == "" {
		return f, nil
	}
	f.pool = &pool{parts: set.Postgres, template: template(h.Cache, set), dir: filepath.Join(h.Data, "ready"), want: h.Pool, warn: h.log.Warn}
	if f.manyUIDs {
		f.pool.uid = poolUID
	}
	if err := newPool(ctx, f.pool, h.Config.Run, h.Limits); err != nil {
		held.Close()
		return nil, err
	}
	return f, nil
}

// headroom is what a worker may use of private memory beyond its interpreter's and
// MongoDB's, in bytes: Go's heap, the threads, the engine's own tables.
const headroom = 384 << 20

// startWorker starts the process of a sandbox and waits until it can run cells.
func (h *Host) startWorker(ctx context.Context, b *box) (*process, error) {
	ours, theirs, err := link.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() // start has closed it already, unless it was never reached
	spec, err := h.fleet.workerSpec(b, theirs)
	if err != nil {
		ours.Close()
		return nil, err
	}
	// Not h.ctx: when that ends, Close still asks the worker what MongoDB holds.
	cmd, err := confine.Command(context.WithoutCancel(h.ctx), spec)
	if err != nil {
		ours.Close()
		return nil, err
	}
	p := &process{events: b.deliver, dial: b.dialFor, used: func(store string) { b.opened(store) }, shut: b.shut}
	return p, start(ctx, ours, theirs, cmd, p)
}

// workerSpec is what a sandbox's process may touch: the prepared Python to read, three
// folders of its own to write, one end of a link.
func (f *fleet) workerSpec(b *box, end *os.File) (confine.Spec, error) {
	c := worker.Config{Python: f.python, Home: b.path("home"), Tmp: b.path("tmp"), Mongo: b.path("mongo"), Limits: f.h.Limits}
	said, err := json.Marshal(c)
	return confine.Spec{
		Path: f.program,
		Args: []string{Subcommand},
		Env:  []string{worker.ConfigVariable + "=" + string(said), "GOMAXPROCS=2", "GOGC=50"},
		Read: append(confine.Libraries(), f.program, f.python.Library, f.python.Code, f.python.Image, f.python.Image+".json",
			f.python.Root, f.python.Stdlib, f.python.Matplotlib, f.python.Site, f.python.Guest, "/dev/urandom", "/sys/kernel/mm/transparent_hugepage"),
		Write:   []string{c.Home, c.Tmp, c.Mongo, "/dev/null"},
		Rlimits: []confine.Rlimit{{Resource: confine.Data, Max: uint64(f.h.Limits.Memory + 3*f.h.Limits.Mongo + headroom)}},
		UID:     b.state.UID,
		Files:   []*os.File{end},
		Stderr:  &logWriter{log: f.h.log.With("sandbox", b.id)},
		Calls:   confine.ProfileWorker,
	}, err
}

// dialFor connects to one of the box's stores on its worker's behalf.
func (b *box) dialFor(name string) (*net.UnixConn, error) {
	s, err := b.store(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.h.ctx, startTime)
	defer cancel()
	c, err := s.Dial(ctx)
	var missing *store.Unavailable
	switch {
	case err == nil:
		if most := b.h.Limits.PGConns; b.opened(name) > most && name == "postgres" {
			// The server's own words speak of reserved slots and roles.
			b.notify(fmt.Sprintf("PostgreSQL takes %d connections at once, and that many are open: close one that you don't need, with connection.close().", most))
		}
	case errors.As(err, &missing), errors.Is(err, store.ErrFull):
		b.notify(err.Error()) // the client itself can only be told that its connection is refused
	case b.h.ctx.Err() == nil:
		b.note("connect to a store", err)
	}
	return c, err
}

// stores makes the box's stores; none is started.
func (f *fleet) stores(b *box) map[string]store.Store {
	run := filepath.Join(f.h.Config.Run, b.id[:8])
	return map[string]store.Store{
		"postgres": &cluster{pool: f.pool, dir: b.path("postgres"), uid: b.state.UID, Cluster: postgres.New(postgres.Config{
			Parts: f.set.Postgres, Why: f.missing("PostgreSQL"), Dir: b.path("postgres"), Run: filepath.Join(run, "pg"), UID: b.state.UID,
			Limits: f.h.Limits, Log: f.h.log.With("sandbox", b.id), Notify: b.notify, Wanted: b.busy,
		})},
		"redis": redis.New(redis.Config{
			Binary: f.set.Valkey, Why: f.missing("Valkey"), Dir: b.path("redis"), Run: filepath.Join(run, "redis"), UID: b.state.UID, Limits: f.h.Limits,
		}),
	}
}

func (f *fleet) missing(part string) string {
	for _, m := range f.set.Missing {
		if len(m.Part) >= len(part) && m.Part[:len(part)] == part {
			return m.Why
		}
	}
	return ""
}

// fill keeps PostgreSQL data folders ready until the Host closes.
func (f *fleet) fill() {
	if f.pool != nil {
		f.pool.fill(f.h.ctx)
	}
}

func (f *fleet) readyCount() int {
	if f.pool == nil {
		return 0
	}
	return f.pool.count()
}

// logWriter passes what a worker says of itself to the log, line by line and bounded.
type logWriter struct {
	log  interface{ Warn(string, ...any) }
	left int
}

// maxWorkerLog bounds what one worker may write to the log, in bytes: it may be broken.
const maxWorkerLog = 16 << 10

// ReadFrom keeps io.Copy from taking 32 KiB for each worker.
func (w *logWriter) ReadFrom(r io.Reader) (int64, error) {
	// Bare, so that CopyBuffer finds no short cut past the buffer.
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 512))
}

func (w *logWriter) Write(p []byte) (int, error) {
	if n := min(len(p), maxWorkerLog-w.left); n > 0 {
		w.left += n
		w.log.Warn("a sandbox's process said", "text", string(p[:n]))
	}
	return len(p), nil
}
