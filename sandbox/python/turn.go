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

// runner is the text of every turn: Storeroom's Python fetches the learner's source
// and runs it in __main__.
const runner = "__import__('storeroom').turn()"

// Turn runs one snippet and returns when it has ended. Output goes to the guest's
// Files, questions to its Services. When ctx is done the turn is stopped as by Stop.
// Errors: ErrBusy, ErrDead, ErrStopped, ErrTimeout, *Trap.
func (g *Guest) Turn(ctx context.Context, t Turn) (Result, error) {
	return g.run(ctx, t, runner)
}

func (g *Guest) run(ctx context.Context, t Turn, text string) (Result, error) {
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

	var status uint32
	err := g.call(func() error {
		p, err := g.put([]byte(text))
		if err != nil {
			return err
		}
		status, err = g.turn.Call(p, uint32(len(text)))
		return err
	})
	return g.conclude(int32(status), err)
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

// onTurn answers the guest's own Python, which asks for the turn's name and source.
func (g *Guest) onTurn() []byte {
	return []byte(g.current.Name + "\x00" + g.current.Source)
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
