package host

import (
	"context"
	"sync"
	"time"
	"unicode/utf8"

	"storeroom/sandbox"
	"storeroom/sandbox/worker/link"
)

// run is one execution of a cell, from its first event to its End.
type run struct {
	id     string
	limits sandbox.Limits

	mu      sync.Mutex
	sink    func(sandbox.Event)
	seq     int64
	started time.Time
	asked   time.Time     // since when it waits in input(); zero: it does not
	paused  time.Duration // waited in input() so far
	bytes   int64
	noticed string // the last notice of the host
	ended   bool

	worker *process // has the cell; nil while it waits for its turn
	over   func()   // called before the End is told: who hears it may run the next cell

	done   chan struct{}     // closed after End
	asks   chan struct{}     // it began to wait in input()
	lines  chan link.Message // and what it was answered
	excess sync.Once         // it was told to stop because it printed too much

	cancel context.CancelCauseFunc // ends the waiting for its turn
}

func newRun(id string, l sandbox.Limits, sink func(sandbox.Event)) *run {
	return &run{id: id, limits: l, sink: sink, done: make(chan struct{}), over: func() {}, asks: make(chan struct{}, 1), lines: make(chan link.Message, 1)}
}

// emit numbers an event and gives it to the sink. It answers false when the event was
// the one too many: the cell is to be stopped. Nothing follows an End.
func (r *run) emit(e sandbox.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tell(e)
}

// notice emits a notice, unless it is the one before once more: clients try again.
func (r *run) notice(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.noticed != text {
		r.noticed = text
		r.tell(sandbox.Event{Kind: sandbox.Notice, Text: text})
	}
}

// tell is emit for who holds the lock.
func (r *run) tell(e sandbox.Event) bool {
	if r.ended {
		return true
	}
	switch e.Kind {
	case sandbox.Started:
		r.started = time.Now()
	case sandbox.Stdout, sandbox.Stderr:
		if r.bytes >= r.limits.Output || r.seq >= r.limits.Events {
			return false
		}
		e.Text = fit(e.Text, r.limits.Output-r.bytes)
		r.bytes += int64(len(e.Text))
	case sandbox.Input:
		r.asked = time.Now()
	case sandbox.End:
		r.ended = true
		if e.Text == "" {
			e.Text = r.limits.Message(e.Reason)
		}
		if e.Millis == 0 && !r.started.IsZero() {
			e.Millis = float64(time.Since(r.started)-r.paused) / 1e6
		}
		r.over()
		defer close(r.done)
	}
	r.seq++
	e.Run, e.Seq = r.id, r.seq
	r.sink(e)
	return r.bytes < r.limits.Output || e.Kind == sandbox.End
}

// answered notes that input() got its line.
func (r *run) answered() (waited bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked.IsZero() {
		return false
	}
	r.paused += time.Since(r.asked)
	r.asked = time.Time{}
	return true
}

// wantsLine tells the goroutine that watches the run that it waits in input().
func (r *run) wantsLine() {
	select {
	case r.asks <- struct{}{}:
	case <-r.done:
	}
}

// handTo gives p the cell. The run has begun when it is sent; what p answers comes after.
func (r *run) handTo(p *process, cell sandbox.Cell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worker = p
	if err := p.link.Send(link.Message{Type: link.Run, Run: r.id, Cell: &cell}); err != nil {
		p.kill()
	}
	r.tell(sandbox.Event{Kind: sandbox.Started})
}

func (r *run) holder() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.worker
}

func (r *run) end(reason sandbox.Reason, text string) {
	r.emit(sandbox.Event{Kind: sandbox.End, Reason: reason, Text: text})
}

// fit cuts text to at most n bytes of whole characters.
func fit(text string, n int64) string {
	if int64(len(text)) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
