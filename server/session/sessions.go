// Package session owns what goes on while pages are open: the websocket connections of
// each seat, its runs with the events that a connection may come back for, and the rules
// that keep slow readers and floods from costing memory. The server calls Serve for
// every connection and Drain when it stops; docs/protocol.md is the language spoken. The
// package knows no HTTP beyond the socket, no pages and no files, and logs no learner's code.
package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
)

// Subprotocol is the websocket subprotocol that is spoken.
const Subprotocol = "storeroom.v1"

// Bounds of a connection and a session; those of a sandbox are in sandbox.Limits.
const (
	leastFrame    = 128 << 10 // bytes a frame from the page may have, more if snippets may be longer
	outboxSlack   = 256 << 10 // bytes an outbox may hold beyond a whole replay
	writeWithin   = 10 * time.Second
	pingEvery     = 30 * time.Second
	pingWithin    = 15 * time.Second
	messagesASec  = 40 // of a connection, in the long run
	messageBurst  = 150
	mostConns     = 5000 // connections of all seats
	mostTabs      = 20   // connections of a seat
	mostGoing     = 8    // runs of a seat at the same time; the host lets one of them run
	mostRuns      = 64   // runs of a seat that can be resumed
	resetsAMinute = 20
)

// Close codes beyond the standard's; docs/protocol.md lists them.
const (
	CloseSlow   websocket.StatusCode = 4000 // the reader fell behind: connect again and resume
	CloseReload websocket.StatusCode = 4001 // the seat is not known any more: reload the page
	CloseLater  websocket.StatusCode = 4002 // too many at once: connect again in half a minute
)

// Sandboxes is what sessions need of the host.
type Sandboxes interface {
	Create(ctx context.Context) (string, error)
	Exists(id string) bool
	// Run gives a run's events to sink, one at a time, the End last; then it returns.
	// When ctx ends, the run is stopped as a learner would.
	Run(ctx context.Context, id, run string, cell sandbox.Cell, sink func(sandbox.Event))
	Input(id, run, text string) error
	// Warm starts the sandbox's process ahead of its first run; it does not wait.
	Warm(id string)
	Shelves(ctx context.Context, id string) ([]sandbox.Shelf, error)
	Reset(ctx context.Context, id string) error
}

// Seats remembers which sandbox a seat has.
type Seats interface {
	Sandbox(seat string) string // "" for none yet
	Assign(seat, sandbox string) error
}

// Config is what Sessions work with.
type Config struct {
	Sandboxes Sandboxes
	Seats     Seats
	Limits    sandbox.Limits
	Cell      func(id string) (name string, ok bool) // a lesson's cell: its file's name
	Log       *slog.Logger
	Now       func() time.Time
}

// Sessions are the sessions of all seats.
type Sessions struct {
	Config
	runs  context.Context // ends all runs
	abort context.CancelFunc
	tasks sync.WaitGroup

	mu       sync.Mutex
	open     map[string]*session // by seat
	conns    int                 // of all seats
	draining bool
}

// New makes Sessions; end them with Drain.
func New(c Config) *Sessions {
	s := &Sessions{Config: c, open: map[string]*session{}}
	s.runs, s.abort = context.WithCancel(context.Background())
	return s
}

// Serve speaks with one connection of a seat until it ends. seat is the key under which
// Seats knows it, name what the learner reads.
func (s *Sessions) Serve(ctx context.Context, seat, name string, socket *websocket.Conn) {
	socket.SetReadLimit(s.longest())
	c := newConn(socket, s.Limits.Replay+outboxSlack, s.Now)
	if s.join(seat, name, c) {
		defer s.leave(seat, c)
	}
	c.serve(ctx)
}

// longest is how many bytes a frame from the page may have: a snippet of the longest kind
// with its newlines and quotes escaped, and what is around it.
func (s *Sessions) longest() int64 { return max(leastFrame, 2*s.Limits.Snippet+4096) }

// Refuse tells the person behind a connection why it can't be served, and closes it.
func (s *Sessions) Refuse(ctx context.Context, socket *websocket.Conn, code websocket.StatusCode, text string) {
	c := newConn(socket, outboxSlack, s.Now)
	c.refuse(code, text)
	c.serve(ctx)
}

// join gives the connection to its seat's session. A connection that can't be taken in is
// told why, and answers false.
func (s *Sessions) join(seat, name string, c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		c.refuse(websocket.StatusGoingAway, s.Limits.Message(sandbox.Shutdown))
		return false
	}
	if s.conns >= mostConns {
		c.refuse(CloseLater, "more pages are open than this Storeroom can serve: this page tries again by itself in half a minute")
		return false
	}
	one := s.open[seat]
	if one == nil {
		one = newSession(s, seat)
		s.open[seat] = one
	}
	if !one.join(c, name) {
		return false
	}
	s.conns++
	return true
}

func (s *Sessions) leave(seat string, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	c.session.leave(c)
	s.forgetIfEmpty(seat)
}

func (s *Sessions) forgetIfEmpty(seat string) {
	if one := s.open[seat]; one != nil && one.empty(s.Now()) {
		delete(s.open, seat)
	}
}

// Sweep forgets the runs that nobody came back for. The server calls it every minute or so.
func (s *Sessions) Sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for seat := range s.open {
		s.forgetIfEmpty(seat)
	}
}

// Forget ends a seat's runs and closes its connections, because its data is being deleted.
func (s *Sessions) Forget(seat string) {
	s.mu.Lock()
	one := s.open[seat]
	delete(s.open, seat)
	s.mu.Unlock()
	if one != nil {
		one.close(sandbox.Stopped, CloseReload, "this seat was deleted")
	}
}

// letFinish returns when nothing runs in these sessions any more, or it takes too long.
func (s *Sessions) letFinish(ctx context.Context, all map[string]*session) {
	ctx, cancel := context.WithTimeout(ctx, finishWithin)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for ctx.Err() == nil {
		going := 0
		for _, one := range all {
			going += one.goes()
		}
		if going == 0 {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
}

func (s *Sessions) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// Counts are how many seats have a page open or a run that can be resumed, and how many
// connections they have.
func (s *Sessions) Counts() (seats, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open), s.conns
}

// finishWithin is how long the runs that go on may still take when the server is to stop.
const finishWithin = 3 * time.Second

// Drain lets the runs that go on finish for a moment, ends the others with Shutdown, and
// closes every connection after what was to be sent has been sent. It answers when all
// have gone or ctx ends. New runs and connections are refused from its beginning on.
func (s *Sessions) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	all := s.open
	s.open = map[string]*session{}
	s.mu.Unlock()
	s.letFinish(ctx, all)
	for _, one := range all {
		one.close(sandbox.Shutdown, websocket.StatusGoingAway, "storeroom is being stopped")
	}
	s.abort()
	gone := make(chan struct{})
	go func() { s.tasks.Wait(); close(gone) }()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
