package host

import (
	"cmp"
	"context"
	"runtime/debug"
	"slices"
	"time"
)

const (
	lookRound   = 2 * time.Second  // how often idle stores and sandboxes are looked for
	diskRound   = 10 * time.Minute // how often the disk that sleeping sandboxes hold is added up
	memoryRound = time.Minute      // how often the host gives unused memory back
	stopWithin  = 20 * time.Second // for a store to stop in good order
)

// housekeeping puts to rest what nobody uses, until the Host closes.
func (h *Host) housekeeping() {
	look, disk, memory := time.NewTicker(lookRound), time.NewTicker(diskRound), time.NewTicker(memoryRound)
	defer look.Stop()
	defer disk.Stop()
	defer memory.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case now := <-look.C:
			h.rest(now)
		case <-disk.C:
			h.forget()
		case <-memory.C:
			// What a class's rush has left goes back to the machine: sandboxes can use it.
			// Each collection halves the stacks that have grown.
			for range 3 {
				debug.FreeOSMemory()
			}
		}
	}
}

// rest stops stores without connections and sandboxes without runs, and notes who was used.
func (h *Host) rest(now time.Time) {
	for _, b := range h.all() {
		b.keepUse()
		ctx, cancel := context.WithTimeout(h.ctx, stopWithin)
		patience := h.Limits.Rest
		if !b.hasRun() {
			patience = h.Limits.Idle // nothing is lost by it
		}
		if b.awake() != nil && b.restedFor(now) > patience {
			b.note("put a sandbox to sleep", b.sleep(ctx, false))
		} else {
			b.restStores(ctx, now)
		}
		cancel()
	}
}

// restedFor tells how long the box has had nothing to do; 0 for a busy one.
func (b *box) restedFor(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil || b.visits > 0 {
		return 0
	}
	return now.Sub(b.rested)
}

// restStores stops the stores that the worker has had no connection to for a while.
func (b *box) restStores(ctx context.Context, now time.Time) {
	for name, s := range b.stores {
		b.mu.Lock()
		idle := b.run == nil && b.visits == 0 && b.open[name] == 0 && now.Sub(b.last[name]) > b.h.Limits.Idle
		b.mu.Unlock()
		if idle && s.Running() {
			b.note("stop an idle store", s.Stop(ctx))
		}
	}
}

func (b *box) note(doing string, err error) {
	if err != nil {
		b.h.log.Warn("could not "+doing, "sandbox", b.id, "error", err)
	}
}

// Warm starts the sandbox's process, if it does not run, before somebody presses Run: a
// page of its learner was opened. It returns at once, and starts few at a time.
func (h *Host) Warm(id string) {
	b, err := h.box(id)
	if err != nil || b.awake() != nil {
		return
	}
	go func() {
		select {
		case h.warming <- struct{}{}:
			defer func() { <-h.warming }()
		case <-h.ctx.Done():
			return
		}
		if _, err := b.awaken(h.ctx); err != nil && h.ctx.Err() == nil {
			b.note("start a sandbox ahead", err)
		}
	}()
}

// makeRoom puts the sandbox to sleep that was used least recently, when as many are
// awake as the machine carries. Sandboxes in use stay.
func (h *Host) makeRoom(except *box) {
	var idle []*box
	awake := 0
	for _, b := range h.all() {
		if b == except || b.awake() == nil {
			continue
		}
		awake++
		if !b.busy() {
			idle = append(idle, b)
		}
	}
	slices.SortFunc(idle, byRest)
	for _, b := range idle {
		if awake < h.MaxAwake {
			return
		}
		ctx, cancel := context.WithTimeout(h.ctx, stopWithin)
		b.note("put a sandbox to sleep", b.sleep(ctx, false))
		cancel()
		awake--
	}
}

func byRest(a, b *box) int { return cmp.Compare(a.restSince(), b.restSince()) }

func (b *box) restSince() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rested.UnixNano()
}

// forget removes the sandboxes that were used least recently, while those asleep hold
// more of the disk than they may.
func (h *Host) forget() {
	var asleep []*box
	var total int64
	sizes := map[*box]int64{}
	for _, b := range h.all() {
		if b.awake() == nil && !b.busy() {
			sizes[b] = folderSize(b.dir)
			total += sizes[b]
			asleep = append(asleep, b)
		}
	}
	slices.SortFunc(asleep, byUse)
	for _, b := range asleep {
		if total <= h.Limits.SleepDisk {
			return
		}
		if b.busy() || b.awake() != nil {
			continue
		}
		h.log.Info("removing the sandbox that was used least recently", "sandbox", b.id, "used", b.lastUse())
		b.note("remove an old sandbox", h.remove(h.ctx, b))
		total -= sizes[b]
	}
}

func byUse(a, b *box) int { return a.lastUse().Compare(b.lastUse()) }

func (b *box) lastUse() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.Used
}
