// Package loopback is the localhost of one sandbox: the sockets of the guest's Python,
// which reach the learner's own stores at their ports, servers that the learner's code
// runs inside the guest, and nothing else.
//
// It owns the guest's connections and the goroutines that read ahead for them. The
// interpreter hands it the frames of guest/_socket.py (Stack.Call) on the guest's own
// thread; the worker says which ports there are (Config). It never opens a connection
// itself, and never resolves a name: what is not in Config does not exist.
package loopback

import (
	"context"
	"net"
	"sync"
	"time"
)

// Dial answers a new connection to a store. addr is host and port as the guest's code
// dialled them: "localhost:6379". It must return soon after ctx is done.
type Dial func(ctx context.Context, addr string) (net.Conn, error)

// Config says what there is on the sandbox's localhost.
type Config struct {
	Ports    map[int]Dial // the stores
	MaxConns int          // sockets that the guest may hold, of any kind

	// Tap, when set, is told every piece of what goes between guest and store. It is
	// called in the order of things, must not block nor call the Stack, and must not
	// keep Bytes.
	Tap func(Piece)
}

// Piece is some bytes of a connection between the guest and a store.
type Piece struct {
	Conn  uint32 // unlike any other connection's of this Stack
	Port  int    // the store's
	Sent  bool   // from the guest to the store
	Bytes []byte
	At    time.Time
}

// Waiter lets the guest's thread wait so that Stop and deadlines end the wait.
type Waiter interface {
	// Wait waits for d (<0: for ever) or until ready is closed. interrupted tells that
	// the guest's code has an exception to raise now.
	Wait(d time.Duration, ready <-chan struct{}) (isReady, interrupted bool)
}

// Stack is the network of one guest. Call is used by one goroutine at a time.
type Stack struct {
	config Config
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu      sync.Mutex
	sockets map[uint32]*socket  // by descriptor; two after dup
	bound   map[binding]*socket // sockets that have a port of their own
	links   map[*link]bool      // connections to stores
	held    int                 // sockets that the guest holds, those that wait for accept among them
	live    int                 // sockets that hold memory or a goroutine, closed ones that still send among them
	nextFD  uint32
	nextID  uint32
	next    int           // ephemeral port to try next
	changed chan struct{} // closed at the next change of any socket; nil while nobody waits
	closed  bool
}

// binding is a port of the guest's own, in one family: 4 or 6.
type binding struct{ port, family int }

const (
	firstFD        = 1000 // below are WASI's descriptors
	firstEphemeral = 32768
	lastEphemeral  = 60999
	linger         = 5 * time.Second // for what was sent before close
)

// New makes a network.
func New(c Config) *Stack {
	ctx, cancel := context.WithCancel(context.Background())
	return &Stack{config: c, ctx: ctx, cancel: cancel, sockets: map[uint32]*socket{}, bound: map[binding]*socket{}, links: map[*link]bool{}, nextFD: firstFD, next: firstEphemeral}
}

// Open is how many sockets there are, closed ones that still send among them.
func (s *Stack) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// Close ends every connection and returns when nothing of the Stack runs any more.
func (s *Stack) Close() {
	s.mu.Lock()
	s.closed = true
	for fd, t := range s.sockets {
		delete(s.sockets, fd)
		t.close(0)
	}
	for l := range s.links { // those too that still send what was sent before close
		l.conn.Close()
	}
	s.notify()
	s.mu.Unlock()
	s.cancel()
	s.tasks.Wait()
}

// start runs f in a goroutine that Close waits for.
func (s *Stack) start(f func()) {
	s.tasks.Add(1)
	go func() {
		defer s.tasks.Done()
		f()
	}()
}

// notify wakes who waits for a change. The lock is held.
func (s *Stack) notify() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// wait returns 0 with the lock held and ready true, or without the lock why not.
func (s *Stack) wait(w Waiter, timeout time.Duration, ready func() bool) errno {
	var deadline time.Time
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	left := timeout
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return errnoBadf
		}
		if ready() {
			return 0
		}
		if left == 0 {
			s.mu.Unlock()
			if timeout == 0 {
				return errnoAgain
			}
			return timedOut
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if _, stopped := w.Wait(left, changed); stopped {
			return interrupted
		}
		if timeout > 0 {
			left = max(0, time.Until(deadline))
		}
	}
}
