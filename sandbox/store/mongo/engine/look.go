package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// lookAfter is how long a command runs before its connection is looked at: once or twice
// that, since the looks at all connections come together.
const lookAfter = 10 * time.Millisecond

// look notices that a client goes away while its command runs, which ends the command.
// That takes a goroutine that waits for the client's next byte, and handing each message
// from one goroutine to another costs as much as a small find; so only a command that
// takes long gets one.
type look struct {
	gone func() // ends what runs

	mu      sync.Mutex
	running bool
	turn    int           // counts commands
	seen    int           // the turn at the last round of looks
	done    chan struct{} // closed when the look at this connection has ended; nil: none
}

// lookout goes round an engine's connections as long as commands run on any.
type lookout struct {
	on    atomic.Bool // a round is to come
	timer *time.Timer
}

// begin says that a command runs, end that it has ended.
func (c *connection) begin() {
	c.look.mu.Lock()
	c.running, c.turn = true, c.turn+1
	c.look.mu.Unlock()
	c.engine.watch()
}

func (c *connection) end() {
	c.look.mu.Lock()
	c.running = false
	c.look.mu.Unlock()
}

// looked waits for the end of a look: the next message's first byte, or the end of the
// connection. Nobody else may read meanwhile.
func (c *connection) looked() {
	c.look.mu.Lock()
	done := c.done
	c.done = nil
	c.look.mu.Unlock()
	if done != nil {
		<-done
	}
}

// watch sees to it that there is a round of looks to come.
func (e *Engine) watch() {
	if !e.lookout.on.Swap(true) {
		e.lookout.timer.Reset(lookAfter)
	}
}

// lookRound looks at each connection whose command has run since the last round.
func (e *Engine) lookRound() {
	e.lookout.on.Store(false) // first: who begins from here on asks for the next
	e.mu.Lock()
	defer e.mu.Unlock()
	more := false
	for c := range e.conns {
		more = c.lookIfLong() || more
	}
	if more {
		e.watch()
	}
}

// lookIfLong tells whether the connection's command has to be seen again.
func (c *connection) lookIfLong() bool {
	c.look.mu.Lock()
	defer c.look.mu.Unlock()
	if !c.running || c.done != nil {
		return false
	}
	if c.seen != c.turn {
		c.seen = c.turn
		return true
	}
	done := make(chan struct{})
	c.done = done
	go func() {
		defer close(done)
		if _, err := c.in.Peek(1); err != nil {
			c.gone()
		}
	}()
	return false
}
