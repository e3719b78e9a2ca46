package host

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func ignore(int) {}

func TestGateAdmitsInOrderAndTellsThePlace(t *testing.T) {
	g := newGate(1, 10)
	if err := g.enter(t.Context(), ignore); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order, places []int
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			g.enter(t.Context(), func(n int) {
				mu.Lock()
				defer mu.Unlock()
				if i == 2 {
					places = append(places, n)
				}
			})
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			g.leave()
		})
		waitFor(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return len(g.waiting) == i+1 })
	}
	waitFor(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(places) == 1 })
	g.leave()
	wg.Wait()
	if order[0] != 0 || order[1] != 1 || order[2] != 2 {
		t.Errorf("admitted in the order %v", order)
	}
	if places[0] != 3 {
		t.Errorf("the third in the queue was told %v", places)
	}
	if g.free != 1 {
		t.Errorf("%d slots are free at the end", g.free)
	}
}

func TestGateForgetsWhoGaveUp(t *testing.T) {
	g := newGate(1, 10)
	g.enter(t.Context(), ignore)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- g.enter(ctx, ignore) }()
	waitFor(t, func() bool { g.mu.Lock(); defer g.mu.Unlock(); return len(g.waiting) == 1 })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	g.leave()
	if g.free != 1 || len(g.waiting) != 0 {
		t.Errorf("free %d, waiting %d", g.free, len(g.waiting))
	}
}

func TestGateRefusesWhenFull(t *testing.T) {
	g := newGate(0, 0)
	if err := g.enter(t.Context(), ignore); !errors.Is(err, errQueueFull) {
		t.Errorf("got %v", err)
	}
}

// waitFor fails the test when ok does not come true soon.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("waited in vain")
}
