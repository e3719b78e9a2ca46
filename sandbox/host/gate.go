package host

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errQueueFull is answered when more runs wait than anybody would wait for.
var errQueueFull = errors.New("the queue is full")

// gate lets a bounded number of runs go on at once; the others wait in the order in
// which they came. A sandbox has at most one run, so this is fair by seat.
type gate struct {
	mu      sync.Mutex
	free    int
	longest int
	waiting []*ticket
}

// ticket is a place in the queue.
type ticket struct {
	admitted chan struct{}
	place    chan int // the newest place; 1 is next
}

func newGate(slots, longest int) *gate { return &gate{free: slots, longest: longest} }

// enter waits for a slot and tells the place in the queue each time that it changes.
// Who entered must leave.
func (g *gate) enter(ctx context.Context, place func(int)) error {
	t, err := g.queue()
	if err != nil || t == nil {
		return err
	}
	for {
		select {
		case <-t.admitted:
			return nil
		case n := <-t.place:
			place(n)
		case <-ctx.Done():
			g.withdraw(t)
			return ctx.Err()
		}
	}
}

// queue takes a slot at once (and answers nil) or a ticket.
func (g *gate) queue() (*ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 {
		g.free--
		return nil, nil
	}
	if len(g.waiting) >= g.longest {
		return nil, errQueueFull
	}
	t := &ticket{admitted: make(chan struct{}), place: make(chan int, 1)}
	g.waiting = append(g.waiting, t)
	t.tell(len(g.waiting))
	return t, nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.free++
		return
	}
	close(g.waiting[0].admitted)
	g.waiting = g.waiting[1:]
	g.renumber(0)
}

// withdraw gives up a ticket, or the slot that it got meanwhile.
func (g *gate) withdraw(t *ticket) {
	g.mu.Lock()
	i := slices.Index(g.waiting, t)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.renumber(i)
	}
	g.mu.Unlock()
	if i < 0 {
		g.leave()
	}
}

func (g *gate) renumber(from int) {
	for i, t := range g.waiting[from:] {
		t.tell(from + i + 1)
	}
}

// tell replaces a place that was not read yet.
func (t *ticket) tell(n int) {
	select {
	case <-t.place:
	default:
	}
	t.place <- n
}
