package python

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Turn is one snippet to run. Variables, functions and imports stay for the turns that
// follow; the value of a last expression is shown, as in a notebook.
type Turn struct {
	Source string        // as the learner pasted it
	Name   string        // what tracebacks call it
	Run    time.Duration // time on the processor and asleep, not in input(); 0: no limit
	Answer time.Duration // longest wait of one input(); 0: no limit
	Grace  time.Duration // from the KeyboardInterrupt to the hard end
}

// End says how a turn ended.
type End int

// Every end but Exited leaves the guest alive.
const (
	Finished End = iota // its last line ran
	Raised              // an exception came out, or the source does not compile; it was printed to standard error
	Quit                // sys.exit, exit or quit
	Exited              // os._exit: the guest is dead
)

func (e End) String() string {
	return [...]string{"finished", "raised", "quit", "exited"}[e]
}

// Cause says why a turn was interrupted.
type Cause int32

// A turn that was interrupted may still have come to its end by itself: it had the
// grace to.
const (
	NotInterrupted Cause = iota
	ByStop               // Guest.Stop
	ByContext            // the turn's context was done
	ByRun                // Turn.Run had passed
	ByAnswer             // Turn.Answer had passed
)

// Result is how a turn ended that did not kill its guest by a fault.
type Result struct {
	End         End
	Exception   string // Raised: the class, such as "ValueError" or "redis.exceptions.ConnectionError"
	Status      int    // Quit, Exited: the exit status
	Interrupted Cause  // whether a KeyboardInterrupt was put in, and why
}

// turnState is what the host knows of the turn that is running.
type turnState struct {
	Turn
	reported bool
	result   Result
}

// runner is Storeroom's Python that fetches a learner's source, runs it in __main__,
// and asks for the next. It is entered once and stays: between turns the guest waits in
// that question, because compiling and entering anew costs more than a short turn does.
const runner = "__import__('storeroom').turns()"

// pause is what the guest came to after a turn: the question for the next one, or the
// end of the call that it was entered with.
type pause struct {
	returned bool
	status   int32
	err      error
}

// errClosed ends a guest that waits for a turn which does not come.
var errClosed = errors.New("the guest is closed")

// Turn runs one snippet and returns when it has ended. Output goes to the guest's
// Files, questions to its Services. When ctx is done the turn is stopped as by Stop.
// Errors: ErrBusy, ErrDead, ErrStopped, ErrTimeout, *Trap.
func (g *Guest) Turn(ctx context.Context, t Turn) (Result, error) {
	if !g.busy.CompareAndSwap(false, true) {
		return Result{}, ErrBusy
	}
	defer g.busy.Store(false)
	if g.dead {
		return Result{}, ErrDead
	}
	g.current = &turnState{Turn: t}
	clock := newClock(g, t)
	g.clock = clock
	g.ticking.Store(clock)
	defer g.ticking.Store(nil)
	defer clock.stop()
	defer context.AfterFunc(ctx, func() { clock.ask(ByContext) })()
	p := g.resume()
	return g.conclude(p.status, p.err)
}

// resume lets the guest go on, with the current turn or, without one, to its end.
func (g *Guest) resume() pause {
	if g.waiting {
		g.turns <- struct{}{}
	} else {
		g.taken = false
		go func() {
			status, err := g.enter(runner)
			g.pauses <- pause{true, status, err}
		}()
	}
	p := <-g.pauses
	g.waiting = !p.returned
	return p
}

// leave brings a guest that waits for a turn back out of Python.
func (g *Guest) leave() error {
	if !g.waiting {
		return nil
	}
	g.current = nil
	return g.resume().err
}

// enter runs a text of Storeroom's own and answers the status that Python gives it.
func (g *Guest) enter(text string) (status int32, err error) {
	err = g.call(func() error {
		p, err := g.put([]byte(text))
		if err != nil {
			return err
		}
		answer, err := g.turn.Call(p, uint32(len(text)))
		status = int32(answer)
		return err
	})
	return status, err
}

// conclude makes the answer of a turn out of what the call into the guest answered
// and what the guest's own Python reported.
func (g *Guest) conclude(status int32, err error) (Result, error) {
	r := g.current.result
	r.Interrupted = g.clock.cause
	var e exited
	if errors.As(err, &e) {
		g.dead = true
		r.End, r.Status = Exited, e.status
		return r, nil
	}
	if err != nil && !errors.Is(err, errNoRoom) {
		g.dead = true
		return r, g.fault(err)
	}
	if !g.current.reported {
		// Storeroom's own Python was cut short: by a KeyboardInterrupt that came outside
		// of the learner's lines, or because not even its handlers found memory.
		r.End, r.Exception = Raised, "MemoryError"
		if r.Interrupted != NotInterrupted {
			r.Exception = "KeyboardInterrupt"
		}
		if status == 0 && err == nil {
			r.End, r.Exception = Finished, ""
		}
	}
	g.untrip()
	return r, nil
}

// Stop interrupts the turn that is running: KeyboardInterrupt now, the hard end after
// the turn's Grace. Without a turn it does nothing: a stop that may come before Turn
// has begun is made by cancelling Turn's context.
func (g *Guest) Stop() {
	if c := g.ticking.Load(); c != nil {
		c.ask(ByStop)
	}
}

// onTurn answers the guest's own Python, which asks for a turn's name and source: at
// once for the one that the guest was entered with, and otherwise when the next comes.
// An empty answer ends the asking.
func (g *Guest) onTurn() ([]byte, error) {
	if g.taken {
		g.pauses <- pause{}
		if _, open := <-g.turns; !open {
			return nil, errClosed
		}
	}
	g.taken = true
	if g.current == nil {
		return nil, nil
	}
	return []byte(g.current.Name + "\x00" + g.current.Source), nil
}

// onEnd hears from the guest's own Python how the turn ended: a letter and a text.
func (g *Guest) onEnd(frame []byte) error {
	if len(frame) == 0 {
		return errors.New("the guest reported no end")
	}
	r, text := &g.current.result, strings.Clone(string(frame[1:]))
	switch frame[0] {
	case 'o':
		r.End = Finished
	case 'x':
		r.End, r.Exception = Raised, text
	case 'q':
		r.End = Quit
		r.Status, _ = strconv.Atoi(text)
	default:
		return fmt.Errorf("the guest reported an unknown end %q", frame[0])
	}
	g.current.reported = true
	return nil
}
