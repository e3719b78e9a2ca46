package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"storeroom/sandbox"
	"storeroom/server/rate"
)

// lookGap is the least time between two looks at a seat's shelves.
const lookGap = 100 * time.Millisecond

// session is one seat's connections and runs. Locks are taken in the order
// Sessions.mu, session.mu, conn.mu.
type session struct {
	all  *Sessions
	seat string

	making sync.Mutex // held while the seat's sandbox is made
	box    string     // the sandbox, once somebody asked for it; making guards it

	mu        sync.Mutex
	conns     map[*conn]bool
	runs      []*run // oldest first
	held      int64  // bytes of all runs' events
	resets    rate.Bucket
	resetting bool
	looking   bool   // somebody looks at the shelves
	again     bool   // and has to look once more
	after     string // the run after which to look
	closed    bool
}

func newSession(all *Sessions, seat string) *session {
	return &session{all: all, seat: seat, conns: map[*conn]bool{},
		resets: rate.Bucket{PerSecond: resetsAMinute / 60.0, Burst: 5}}
}

// join takes a connection in and greets it.
func (s *session) join(c *conn, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= mostTabs {
		c.refuse(CloseLater, "this seat is open in too many tabs: close some of them")
		return false
	}
	s.expire(s.all.Now())
	greeting := hello{Type: "hello", Seat: name, Idle: true, Runs: []knownRun{}, Longest: s.all.longest()}
	for _, r := range s.runs {
		greeting.Idle = greeting.Idle && !r.going()
		greeting.Runs = append(greeting.Runs, knownRun{Run: r.id, Cell: r.cell, Seq: r.seq()})
	}
	s.conns[c] = true
	c.session = s
	s.all.tasks.Add(1)
	c.send(frame(greeting))
	return true
}

// leave lets a connection go. Its runs go on and keep their events.
func (s *session) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	for _, r := range s.runs {
		if r.to == c {
			r.to = nil
		}
	}
	s.all.tasks.Done()
}

// receive does what a page asks for. It never waits for a sandbox.
func (s *session) receive(c *conn, message []byte) {
	m, err := parse(message)
	if err != nil {
		if !runID.MatchString(m.Run) {
			m.Run = ""
		}
		c.sayError(m.Run, err.Error())
		return
	}
	switch m.Type {
	case "run":
		s.start(c, m)
	case "stop":
		s.stop(m.Run)
	case "input":
		s.input(c, m)
	case "resume":
		s.resume(c, m)
	case "shelves":
		s.look("")
	case "reset":
		s.reset(c)
	case "ping":
		c.send(frame(bareMessage{Type: "pong"}))
	}
}

// start begins a run. A page that sends a run again, because it did not see the answer,
// gets the one that it began.
func (s *session) start(c *conn, m incoming) {
	name := m.Name
	if m.Cell != "scratch" {
		var ok bool
		if name, ok = s.all.Cell(m.Cell); !ok {
			c.sayError(m.Run, "the course has no such cell any more: reload the page")
			return
		}
	}
	draining := s.all.isDraining()
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.find(m.Run); known != nil {
		known.attach(c, 0)
		return
	}
	if s.closed {
		return
	}
	busy := s.going() >= mostGoing
	ctx, cancel := context.WithCancel(s.all.runs)
	r := &run{id: m.Run, cell: m.Cell, to: c, cancel: cancel}
	s.runs = append(s.runs, r)
	switch {
	case draining:
		s.add(r, s.ending(sandbox.Shutdown))
	case busy:
		s.add(r, s.ending(sandbox.Busy))
	}
	if !r.going() {
		cancel()
		return
	}
	cell := sandbox.Cell{Lang: m.Lang, Name: name, Code: m.Code}
	s.all.tasks.Go(func() { s.execute(ctx, r, cell) })
}

// execute takes a run to its end and then looks at what it left on the shelves.
func (s *session) execute(ctx context.Context, r *run, cell sandbox.Cell) {
	defer r.cancel()
	if err := s.perform(ctx, r, cell); err != nil {
		s.all.Log.Error("could not run a cell", "cell", r.cell, "error", err)
	}
	// Whatever went wrong, a run ends once; after a proper end this changes nothing.
	s.emit(r, s.ending(sandbox.Internal))
	s.look(r.id)
}

// perform makes a sandbox if there is none and runs the cell in it.
func (s *session) perform(ctx context.Context, r *run, cell sandbox.Cell) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	id, err := s.sandbox(ctx)
	if ctx.Err() != nil {
		s.emit(r, s.ending(sandbox.Stopped))
		return nil
	}
	if err != nil {
		return err
	}
	s.all.Sandboxes.Run(ctx, id, r.id, cell, func(event sandbox.Event) { s.emit(r, event) })
	return nil
}

// errClosed is answered to work for a seat whose data is being deleted, or at the end.
var errClosed = errors.New("the session is closed")

// sandbox answers the seat's sandbox, and makes it at the first use.
func (s *session) sandbox(ctx context.Context) (string, error) {
	s.making.Lock()
	defer s.making.Unlock()
	if s.isClosed() {
		return "", errClosed
	}
	old := s.box
	if old == "" {
		old = s.all.Seats.Sandbox(s.seat)
	}
	if old != "" && s.all.Sandboxes.Exists(old) {
		s.box = old
		return old, nil
	}
	id, err := s.all.Sandboxes.Create(ctx)
	if err != nil {
		return "", fmt.Errorf("create a sandbox: %w", err)
	}
	if err := s.all.Seats.Assign(s.seat, id); err != nil {
		return "", fmt.Errorf("remember a seat's sandbox: %w", err)
	}
	s.box = id
	if old != "" { // it was not used for long and had to go
		s.broadcast(bareMessage{Type: "reset"})
	}
	return id, nil
}

func (s *session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// emit gives a run's event to its connection and keeps it for a later one.
func (s *session) emit(r *run, event sandbox.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(r, event)
}

// add is emit for a caller that holds the lock.
func (s *session) add(r *run, event sandbox.Event) {
	encoded, ok := r.add(event, s.all.Now())
	if !ok {
		return
	}
	s.held += int64(len(encoded))
	switch {
	case r.to == nil:
	case event.Kind == sandbox.Started:
		r.to.sendSoon(encoded)
	default:
		r.to.send(encoded)
	}
	s.trim(r)
}

func (s *session) ending(reason sandbox.Reason) sandbox.Event {
	return sandbox.Event{Kind: sandbox.End, Reason: reason, Text: s.all.Limits.Message(reason)}
}

// trim keeps the events within their bound: whole ended runs go first, the oldest before
// the others, and then the beginning of the current run.
func (s *session) trim(current *run) {
	for s.held > s.all.Limits.Replay || len(s.runs) > mostRuns {
		oldest := slices.IndexFunc(s.runs, func(r *run) bool { return r != current && !r.going() })
		switch {
		case oldest >= 0:
			s.remove(oldest)
		case len(current.frames) > 1:
			s.held -= current.dropOldest()
		default:
			return
		}
	}
}

func (s *session) remove(i int) {
	s.held -= s.runs[i].bytes
	s.runs = slices.Delete(s.runs, i, i+1)
}

// expire forgets the runs that ended too long ago.
func (s *session) expire(now time.Time) {
	for i := len(s.runs) - 1; i >= 0; i-- {
		if r := s.runs[i]; !r.going() && now.Sub(r.ended) > s.all.Limits.ReplayFor {
			s.remove(i)
		}
	}
}

// empty tells whether nothing would be lost if the session were forgotten.
func (s *session) empty(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	return len(s.conns) == 0 && len(s.runs) == 0 && !s.looking && !s.resetting
}

func (s *session) find(id string) *run {
	for _, r := range s.runs {
		if r.id == id {
			return r
		}
	}
	return nil
}

// goes is going for a caller that does not hold the lock.
func (s *session) goes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.going()
}

func (s *session) going() (n int) {
	for _, r := range s.runs {
		if r.going() {
			n++
		}
	}
	return n
}

// stop ends a run as the learner wishes. One that ended meanwhile needs nothing.
func (s *session) stop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(id); r != nil && r.going() {
		r.cancel()
	}
}

func (s *session) resume(c *conn, m incoming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(m.Run); r != nil {
		r.attach(c, m.After)
		return
	}
	c.send(frame(goneMessage{Type: "gone", Run: m.Run}))
}

func (s *session) input(c *conn, m incoming) {
	s.mu.Lock()
	r := s.find(m.Run)
	waits := r != nil && r.going()
	s.mu.Unlock()
	if !waits || s.all.Sandboxes.Input(s.all.Seats.Sandbox(s.seat), m.Run, m.Text) != nil {
		c.sayError(m.Run, "nothing waits for a line now: run the cell again")
	}
}

func (s *session) broadcast(message any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	encoded := frame(message)
	for c := range s.conns {
		c.send(encoded)
	}
}

// close ends the runs for a reason and the connections with a code. Nothing can be
// started afterwards, and no sandbox is being made any more when it returns.
func (s *session) close(reason sandbox.Reason, code websocket.StatusCode, text string) {
	s.mu.Lock()
	s.closed = true
	for _, r := range s.runs {
		if r.going() {
			s.add(r, s.ending(reason))
			r.cancel()
		}
	}
	for c := range s.conns {
		c.close(code, text)
	}
	s.mu.Unlock()
	s.making.Lock() // wait for one that was being made
	defer s.making.Unlock()
}
