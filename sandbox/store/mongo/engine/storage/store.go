package storage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Options bound a store. Zero values mean no bound, or the default.
type Options struct {
	Memory      int64            // bytes of documents and index keys
	Collections int              // collections and indexes are few in number
	History     int64            // bytes of recent commits kept for change streams; default 8 MiB, at most an eighth of Memory
	Clock       func() time.Time // default time.Now
	Logger      *slog.Logger     // default: silent
	MinCompact  int64            // the log is not compacted below this; default 4 MiB
}

// Store is a database: its newest state, its log, and its recent history.
type Store struct {
	opts   Options
	state  atomic.Pointer[State]
	writer chan struct{} // holds one token: who takes it writes
	log    *log          // nil: memory only
	claims claims

	retryLimit int64 // bytes

	mu      sync.Mutex
	history history
	pins    []pin
	changed chan struct{} // closed at the next commit; nil when nobody waits
	closed  bool
}

// Open opens the store in a folder, which is made if it isn't there; "" keeps all in
// memory. A folder can be open once. A log's torn end, left by a crash, is cut off.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.History == 0 {
		opts.History = 8 << 20
		if opts.Memory > 0 {
			opts.History = min(opts.History, opts.Memory/8)
		}
	}
	if opts.MinCompact == 0 {
		opts.MinCompact = 4 << 20
	}
	s := &Store{opts: opts, writer: make(chan struct{}, 1)}
	s.retryLimit = retryLimit(opts.Memory)
	state := &State{nextID: 1, store: s, TS: s.tick(0)}
	s.history = history{limit: opts.History, gone: state.TS - 1}
	if dir != "" {
		l, loaded, err := openLog(dir, s)
		if err != nil {
			return nil, err
		}
		s.log, state = l, loaded
	}
	s.state.Store(state)
	s.writer <- struct{}{}
	return s, nil
}

// Close waits for the writer and closes the log. What was committed stays.
func (s *Store) Close() error {
	<-s.writer // never given back: no one writes any more
	s.mu.Lock()
	s.closed = true
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	s.mu.Unlock()
	if s.log != nil {
		return s.log.close()
	}
	return nil
}

// State is the newest state: a snapshot that may be kept for as long as wanted.
func (s *Store) State() *State { return s.state.Load() }

var errClosed = mongoerr.New(mongoerr.ShutdownInProgress, "The server is in quiesce mode and will shut down")

// Begin waits for the writer's turn and starts a Tx on the newest state. Every Begin
// must be ended by Commit or Rollback, soon: others wait.
func (s *Store) Begin(ctx context.Context) (*Tx, error) {
	select {
	case <-s.writer:
	default:
		select {
		case <-s.writer:
		case <-ctx.Done():
			return nil, mongoerr.From(context.Cause(ctx))
		}
	}
	base := s.State()
	return &Tx{store: s, base: base, cur: base.copy(), writer: true}, nil
}

// BeginAt starts a Tx over a snapshot, for a transaction of many commands: it sees
// nothing that others commit, and holds no lock. Commit fails with WriteConflict when
// they changed what it changed.
func (s *Store) BeginAt(base *State) *Tx {
	return &Tx{store: s, base: base, cur: base.copy()}
}

// Rollback ends the Tx without a trace. After Commit it does nothing.
func (tx *Tx) Rollback() {
	if tx.done {
		return
	}
	tx.done = true
	tx.store.claims.release(tx)
	if tx.writer {
		tx.store.writer <- struct{}{}
	}
}

// Commit writes the changes to the log and makes them the newest state. After an error
// nothing has changed.
func (tx *Tx) Commit() error {
	if tx.done {
		return errors.New("transaction has ended")
	}
	if len(tx.ops) == 0 {
		tx.Rollback()
		return nil
	}
	if !tx.writer {
		return tx.rebase()
	}
	defer tx.Rollback()
	s := tx.store
	next := tx.cur
	next.TS = s.tick(tx.base.TS)
	next.Seq++
	next.Garbage += tx.garbage()
	c := Commit{TS: next.TS, Seq: next.Seq, Wall: s.opts.Clock(), Ops: tx.ops, Session: tx.session, Number: tx.number, state: next}
	if s.log != nil {
		if err := s.log.append(next, &c); err != nil {
			return mongoerr.New(mongoerr.OutOfDiskSpace, "could not write to the log: %s", err)
		}
	}
	s.state.Store(next)
	c.Ops = shown(c.Ops)
	s.publish(c)
	if s.log != nil {
		s.log.maybeCompact(next)
	}
	return nil
}

// tick is the next cluster time after last.
func (s *Store) tick(last uint64) uint64 {
	return max(last+1, uint64(s.opts.Clock().Unix())<<32|1)
}

// room answers the quota's error when grow more bytes would not fit. What makes the
// store smaller always may.
func (s *Store) room(used, grow int64) error {
	if s.opts.Memory == 0 || grow <= 0 || used+grow <= s.opts.Memory {
		return nil
	}
	return mongoerr.New(mongoerr.OutOfDiskSpace,
		"the database is full: documents and indexes may take %d MB; delete something first", s.opts.Memory>>20)
}

func (s *Store) mayCreate(cur *State) error {
	if s.opts.Collections > 0 && cur.colls.Len() >= s.opts.Collections {
		return mongoerr.New(mongoerr.OutOfDiskSpace,
			"there are %d collections already, which is all that is allowed; drop one first", s.opts.Collections)
	}
	return nil
}
