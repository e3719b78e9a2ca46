package python

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"time"
)

// clock ends turns. There are no regular ticks: one timer is set for the next moment
// at which something is due, and when it fires, or when somebody asks for a stop, the
// guest's own thread looks (due), at its next function entry, loop head or wait.
//
// Each turn has a clock of its own, so that what comes late for one turn does not hit
// the next. All fields but asked and wake belong to the guest's thread.
type clock struct {
	g     *Guest
	turn  Turn
	began time.Time // zero of all the times here
	timer *time.Timer
	wake  chan struct{} // ends a Wait early, so that it looks

	asked atomic.Int32 // the Cause of a stop that was asked for

	run     time.Duration // when the turn's time is over; never: no limit, or in input()
	answer  time.Duration // when the wait for a line is over
	hard    time.Duration // when the guest is ended, once it was tripped
	tripped bool
	cause   Cause
}

const never = time.Duration(math.MaxInt64)

// newClock starts the time of a turn.
func newClock(g *Guest, t Turn) *clock {
	c := &clock{g: g, turn: t, began: time.Now(), wake: make(chan struct{}, 1), answer: never, hard: never}
	c.run = after(0, t.Run)
	c.timer = time.AfterFunc(never, c.ring)
	c.arm()
	return c
}

func (c *clock) now() time.Duration { return time.Since(c.began) }

// ring makes the guest's thread look at the clock, wherever it is.
func (c *clock) ring() {
	c.g.engine.tick()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *clock) stop() { c.timer.Stop() }

// ask asks for a stop, from any goroutine.
func (c *clock) ask(why Cause) {
	if c.asked.CompareAndSwap(int32(NotInterrupted), int32(why)) {
		c.ring()
	}
}

// arm sets the timer for the next moment at which something is due.
func (c *clock) arm() {
	next := min(c.run, c.answer)
	if c.tripped {
		next = c.hard
	}
	if next == never {
		c.timer.Stop()
		return
	}
	c.timer.Reset(next - c.now())
}

func after(now, d time.Duration) time.Duration {
	if d <= 0 || d > never-now {
		return never
	}
	return now + d
}

// pauseForLine stops the turn's time while a person is asked for a line. The function
// that it answers lets it go on.
func (c *clock) pauseForLine() (resume func()) {
	left := never
	if c.run != never {
		left = max(c.run-c.now(), 1)
	}
	c.run, c.answer = never, after(c.now(), c.turn.Answer)
	c.arm()
	return func() {
		c.run, c.answer = never, never
		if left != never {
			c.run = c.now() + left
		}
		c.arm()
	}
}

// due applies the limits, on the guest's thread. The first time one has passed it
// puts a KeyboardInterrupt into the guest; when the grace has passed too it answers
// the error that ends the guest.
func (g *Guest) due() error {
	c := g.clock
	if c.tripped {
		if c.now() < c.hard {
			return nil
		}
		if c.cause == ByRun || c.cause == ByAnswer {
			return ErrTimeout
		}
		return ErrStopped
	}
	now := c.now()
	switch {
	case c.asked.Load() != int32(NotInterrupted):
		c.cause = Cause(c.asked.Load())
	case now >= c.run:
		c.cause = ByRun
	case now >= c.answer:
		c.cause = ByAnswer
	default:
		return nil
	}
	c.tripped = true
	c.hard = now + c.turn.Grace
	c.arm()
	g.trip()
	return nil
}

// Wait implements Waiter.
func (g *Guest) Wait(d time.Duration, ready <-chan struct{}) (isReady, interrupted bool) {
	c := g.clock
	if g.interruptedNow() {
		return false, true
	}
	var timeout <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	for {
		select {
		case <-ready:
			return true, false
		case <-timeout:
			return false, false
		case <-c.wake:
			if g.interruptedNow() {
				return false, true
			}
		}
	}
}

// interruptedNow looks at the clock and tells whether a wait must end: a
// KeyboardInterrupt was put in just now, or the guest's time is over for good.
func (g *Guest) interruptedNow() bool {
	was := g.clock.tripped
	return g.due() != nil || g.clock.tripped && !was
}

// word is a word of guest memory and the bit in it that a signal sets.
type word struct {
	Address uint32 `json:"address"`
	Bit     uint32 `json:"bit"`
}

// trip does to the guest's memory what a SIGINT handler in C would.
func (g *Guest) trip() {
	for _, w := range g.words {
		if b := g.memory.Bytes(w.Address, 4); b != nil {
			binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)|w.Bit)
		}
	}
}

// untrip takes back an interrupt that came too late for the turn it was meant for, so
// that it does not hit the next one.
func (g *Guest) untrip() {
	if !g.clock.tripped {
		return
	}
	for _, w := range g.words {
		if b := g.memory.Bytes(w.Address, 4); b != nil {
			binary.LittleEndian.PutUint32(b, binary.LittleEndian.Uint32(b)&^w.Bit)
		}
	}
}
