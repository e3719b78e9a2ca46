package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
)

// box is one sandbox: its folder, its stores and, while it is awake, its worker.
type box struct {
	h   *Host
	id  string
	dir string

	mu      sync.Mutex
	state   state
	run     *run
	deleted bool
	visits  int                      // connections of Dial that are open, and other work that keeps it awake
	rested  time.Time                // when it last had nothing to do
	used    bool                     // since its state was written down
	open    map[string]int           // connections to a store that the worker, or a visitor, has
	last    map[string]time.Time     // when one was last opened or closed
	seen    map[string]sandbox.Shelf // shelves of stores that nobody was connected to since

	worker *process
	ran    bool // a cell ran in this worker, so there may be variables

	waking sync.Mutex // held while a worker starts or ends; taken before mu

	stores map[string]store.Store
}

// begin makes r the box's run, if it has none and still exists.
func (b *box) begin(r *run) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil || b.deleted {
		return false
	}
	b.run = r
	r.over = b.free
	return true
}

// free makes room for the next run.
func (b *box) free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run = nil
	b.rested = time.Now()
	b.state.Used, b.used = b.rested, true
}

// keep writes down what the host must know after a restart.
func (b *box) keep() {
	b.mu.Lock()
	s := b.state
	b.used = false
	b.mu.Unlock()
	b.save(s)
}

// keepUse writes down when the box was used last. No run waits for that.
func (b *box) keepUse() {
	b.mu.Lock()
	used := b.used
	b.mu.Unlock()
	if used {
		b.keep()
	}
}

func (b *box) save(s state) {
	if b.isDeleted() {
		return
	}
	if err := writeState(b.dir, s); err != nil && !errors.Is(err, os.ErrNotExist) {
		b.h.log.Warn("could not note a sandbox's state", "sandbox", b.id, "error", err)
	}
}

// current answers the run with this id, if it is the one going on.
func (b *box) current(run string) *run {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run == nil || b.run.id != run {
		return nil
	}
	return b.run
}

// busy tells whether somebody needs the box awake.
func (b *box) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.run != nil || b.visits > 0
}

// hold keeps the box awake until release.
func (b *box) hold() (release func()) {
	b.mu.Lock()
	b.visits++
	b.mu.Unlock()
	return sync.OnceFunc(func() {
		b.mu.Lock()
		b.visits--
		b.rested = time.Now()
		b.mu.Unlock()
	})
}

// awaken answers the box's worker, started if need be.
func (b *box) awaken(ctx context.Context) (*process, error) {
	b.waking.Lock()
	defer b.waking.Unlock()
	if p := b.awake(); p != nil {
		return p, nil
	}
	if b.isDeleted() {
		return nil, ErrUnknown
	}
	b.h.makeRoom(b)
	p, err := b.h.startWorker(ctx, b)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.worker, b.ran, b.rested = p, false, time.Now()
	b.mu.Unlock()
	return p, nil
}

// opened and shut count a store's connections.
func (b *box) opened(name string) (open int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[name]++
	b.last[name] = time.Now()
	delete(b.seen, name)
	return b.open[name]
}

func (b *box) shut(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[name] = max(0, b.open[name]-1)
	b.last[name] = time.Now()
}

// unchanged answers the shelf of a store that nobody was connected to since it was taken.
func (b *box) unchanged(name string) (sandbox.Shelf, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.seen[name]
	for _, item := range s.Items {
		if item.Expires != 0 && item.Expires <= time.Now().UnixMilli() {
			return s, false // time alone has changed it
		}
	}
	return s, ok
}

// saw keeps a shelf that was taken when began, unless somebody was connected meanwhile.
func (b *box) saw(name string, s sandbox.Shelf, began time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[name] == 0 && b.last[name].Before(began) {
		b.seen[name] = s
	}
}

// hasRun tells whether the worker that is awake has run a cell.
func (b *box) hasRun() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ran
}

// awake answers the worker if it runs.
func (b *box) awake() *process {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.worker != nil && b.worker.alive() {
		return b.worker
	}
	return nil
}

func (b *box) isDeleted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.deleted
}

// sleep ends the worker and stops the stores; data is kept. It does nothing to a busy box
// unless force is set.
func (b *box) sleep(ctx context.Context, force bool) error {
	b.waking.Lock()
	defer b.waking.Unlock()
	if !force && b.busy() {
		return nil
	}
	return b.stopAll(ctx)
}

// stopAll ends the worker and the stores; the caller holds waking.
func (b *box) stopAll(ctx context.Context) error {
	b.keepUse()
	if p := b.awake(); p != nil {
		if _, err := b.mongoShelf(ctx); err != nil { // while there is somebody to ask
			b.note("look at MongoDB before it rests", err)
		}
		p.end()
	}
	var errs []error
	for name, s := range b.stores {
		if err := s.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// closeAll ends the worker and the stores at once and for good: their data goes next.
// The caller holds waking.
func (b *box) closeAll() {
	if p := b.awake(); p != nil {
		p.end()
	}
	for _, s := range b.stores {
		b.note("close a store", s.Close())
	}
}

// deliver passes an event of the worker to the run that is going on, and stops that run
// when it has said enough.
func (b *box) deliver(e sandbox.Event) {
	b.mu.Lock()
	r := b.run
	b.mu.Unlock()
	if r == nil || r.id != e.Run {
		return
	}
	switch {
	case e.Kind == sandbox.Input:
		if r.emit(e) {
			r.wantsLine()
		}
	case !r.emit(e):
		r.excess.Do(func() { go r.halt(sandbox.Output) })
	}
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }

// notify tells the learner something while a run goes on, not twice in a row; otherwise
// nobody looks.
func (b *box) notify(text string) {
	b.mu.Lock()
	r := b.run
	b.mu.Unlock()
	if r != nil {
		r.notice(text)
	}
}
