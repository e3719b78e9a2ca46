package host

import (
	"context"
	"errors"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/worker/link"
)

// overtime is how much longer than its limits a worker may take to end a run before it
// is ended itself: it is either broken or not ours any more.
const overtime = 3 * time.Second

// restarted is what a learner reads when the interpreter is not the one of the last run.
const restarted = "Python was started anew: variables and imports of earlier runs are gone. Files and stores are as they were."

// Run runs a cell and gives its events to sink, one at a time, the End last; then it returns.
// When ctx ends, the run is stopped.
func (h *Host) Run(ctx context.Context, id, runID string, cell sandbox.Cell, sink func(sandbox.Event)) {
	r := newRun(runID, h.Limits, sink)
	b, err := h.box(id)
	switch {
	case errors.Is(err, errShutdown):
		r.end(sandbox.Shutdown, "")
	case err != nil:
		r.end(sandbox.Lost, "This sandbox does not exist any more. Reload the page to get a new one.")
	case cell.Lang != "python":
		r.end(sandbox.Error, "This sandbox runs Python only; it can't run "+cell.Lang+" yet.")
	case int64(len(cell.Code)) > h.Limits.Snippet:
		r.end(sandbox.Quota, "")
	case !b.begin(r):
		r.end(sandbox.Busy, "")
	default:
		ctx, r.cancel = context.WithCancelCause(ctx)
		defer r.cancel(nil)
		defer context.AfterFunc(h.ctx, func() { r.cancel(errShutdown) })()
		b.execute(ctx, r, cell)
	}
}

// execute takes the run through the queue and the worker to its End.
func (b *box) execute(ctx context.Context, r *run, cell sandbox.Cell) {
	s := slot{gate: b.h.gate, r: r}
	defer s.leave()
	if err := s.enter(ctx); err != nil {
		r.end(reasonOf(ctx, err), "")
		return
	}
	p, err := b.awaken(ctx)
	if err != nil {
		if ctx.Err() == nil {
			b.h.log.Error("could not start a sandbox", "sandbox", b.id, "error", err)
		}
		r.end(reasonOf(ctx, err), "")
		return
	}
	fresh := !b.hasRun()
	if b.markRan() && fresh {
		r.emit(sandbox.Event{Kind: sandbox.Notice, Text: restarted})
	}
	r.handTo(p, cell)
	b.watch(ctx, r, p, &s)
}

// watch stays with a run that a worker has until its End.
func (b *box) watch(ctx context.Context, r *run, p *process, s *slot) {
	l := b.h.Limits
	backstop := time.NewTimer(l.Run + l.Grace + overtime)
	defer backstop.Stop()
	cancelled, gone := ctx.Done(), p.gone
	for {
		select {
		case <-r.done:
			return
		case <-gone:
			gone = nil
			b.h.log.Warn("a sandbox's process ended in a run", "sandbox", b.id, "state", p.cmd.ProcessState.String())
			r.end(sandbox.Lost, "")
		case <-r.asks:
			s.leave()
			backstop.Reset(l.Answer + l.Grace + overtime)
		case answer := <-r.lines:
			if s.enter(ctx) == nil {
				backstop.Reset(l.Run + l.Grace + overtime)
				p.link.Send(answer)
			}
		case <-cancelled:
			cancelled = nil
			r.halt(reasonOf(ctx, ctx.Err()))
			backstop.Reset(l.Grace + overtime)
		case <-backstop.C:
			b.h.log.Warn("a sandbox did not end its run and was killed", "sandbox", b.id)
			p.kill()
			r.end(sandbox.Timeout, "")
		}
	}
}

// markRan notes that the sandbox's Python has run something and tells whether it had before.
func (b *box) markRan() (before bool) {
	b.mu.Lock()
	before = b.state.Ran
	b.state.Ran, b.ran = true, true
	s := b.state
	b.mu.Unlock()
	if !before {
		b.save(s)
	}
	return before
}

// halt ends the run: in the queue at once, in the worker softly first.
func (r *run) halt(reason sandbox.Reason) {
	if p := r.holder(); p != nil {
		p.link.Send(link.Message{Type: link.Stop, Run: r.id, Text: string(reason)})
		return
	}
	r.cancel(errStopped)
}

// reasonOf tells why a run ended before its worker could say so.
func reasonOf(ctx context.Context, err error) sandbox.Reason {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errShutdown):
		return sandbox.Shutdown
	case cause != nil:
		return sandbox.Stopped
	case errors.Is(err, errQueueFull):
		return sandbox.Busy
	}
	return sandbox.Internal
}

// slot is a run's permission to use the processor; it is given back while the run waits
// for a person.
type slot struct {
	gate *gate
	r    *run
	held bool
}

func (s *slot) enter(ctx context.Context) error {
	if s.held {
		return nil
	}
	err := s.gate.enter(ctx, func(place int) { s.r.emit(sandbox.Event{Kind: sandbox.Queued, Place: place}) })
	s.held = err == nil
	return err
}

func (s *slot) leave() {
	if s.held {
		s.held = false
		s.gate.leave()
	}
}

// Stop ends a run: softly at first, so that variables are kept.
func (h *Host) Stop(id, run string) {
	if b, err := h.box(id); err == nil {
		if r := b.current(run); r != nil {
			r.halt(sandbox.Stopped)
		}
	}
}

// ErrNotAsking is answered to a line that no input() waits for.
var ErrNotAsking = errors.New("nothing waits for a line")

// Input answers a run that waits in input() with one line, without its newline.
func (h *Host) Input(id, run, text string) error {
	return h.answer(id, link.Message{Type: link.Input, Run: run, Text: text})
}

// EndInput tells a run that waits in input() that no line comes any more: input() raises
// EOFError, now and for the rest of the run, which does not ask again.
func (h *Host) EndInput(id, run string) error {
	return h.answer(id, link.Message{Type: link.Input, Run: run, EOF: true})
}

func (h *Host) answer(id string, m link.Message) error {
	b, err := h.box(id)
	if err != nil {
		return err
	}
	r := b.current(m.Run)
	if r == nil || !r.answered() {
		return ErrNotAsking
	}
	select {
	case r.lines <- m:
	case <-r.done:
	}
	return nil
}

// endRun ends the box's run, if it has one, without asking its worker.
func (b *box) endRun(reason sandbox.Reason) {
	b.mu.Lock()
	r := b.run
	b.mu.Unlock()
	if r != nil {
		r.end(reason, "")
	}
}
