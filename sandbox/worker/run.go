package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/python"
	"storeroom/sandbox/worker/link"
)

// newPython is what a learner reads when the interpreter had to be given up.
const newPython = "Python had to be restarted: its variables and imports are gone. Files and stores are as they were."

// redisFull is redis-py's exception for a write to a Redis that has all of its maxmemory in
// use; its own words, "command not allowed when used memory > 'maxmemory'", don't say what to do.
const redisFull = "redis.exceptions.OutOfMemoryError"

// run is the execution of one cell.
type run struct {
	w      *worker
	id     string
	cell   sandbox.Cell
	lines  chan link.Message // of type Input
	cancel context.CancelFunc
	why    sandbox.Reason // of a stop; guarded by w.mu
	waited time.Duration  // in input(); the guest's thread's until the turn has ended
	eof    bool           // no line comes any more; the guest's thread's
}

// execute runs the cell to its End.
func (r *run) execute(ctx context.Context) {
	defer r.cancel()
	w := r.w
	l := w.Limits
	began, refused := time.Now(), w.quota.Refused()
	result, err := w.guest.Turn(ctx, python.Turn{Source: r.cell.Code, Name: r.cell.Name, Run: l.Run, Answer: l.Answer, Grace: l.Grace})
	took := time.Since(began)
	w.out.drain()
	end := r.ending(result, err)
	if end.Reason == sandbox.Error && w.quota.Refused() > refused {
		end.Reason = sandbox.Quota
		end.Text = fmt.Sprintf("Your folder is full: it holds up to %d MiB in %d files. Delete some, for example with os.remove(...), and run again.", w.Limits.FileBytes>>20, w.Limits.Files)
	}
	if !w.guest.Alive() {
		if err := w.renew(); err != nil {
			fmt.Fprintln(os.Stderr, "storeroom sandbox: no new interpreter:", err)
			os.Exit(1) // the host starts another worker at the next run
		}
		w.send(sandbox.Event{Kind: sandbox.Notice, Text: newPython})
	}
	end.Millis = float64(took-r.waited) / 1e6
	w.finish(end)
}

// abandoned is how long after the end of a run MongoDB may work on for it.
const abandoned = 2 * time.Second

// endAbandoned ends what MongoDB still does for the learner's code while no run waits for
// it: the time of a run bounds what it has started, too.
func (w *worker) endAbandoned() {
	w.mu.Lock()
	waited := w.run != nil
	w.mu.Unlock()
	if !waited {
		w.stores.endAbandoned()
	}
}

// finish sends the End, after which the host may send the next run.
func (w *worker) finish(end sandbox.Event) {
	w.mu.Lock()
	end.Run = w.run.id
	w.run = nil
	w.mu.Unlock()
	w.link.Send(link.Message{Type: link.Event, Event: &end})
	time.AfterFunc(abandoned, w.endAbandoned)
}

// ending tells in the learner's terms how a turn ended.
func (r *run) ending(result python.Result, err error) sandbox.Event {
	e := sandbox.Event{Kind: sandbox.End, Reason: sandbox.OK}
	var trap *python.Trap
	switch {
	case errors.As(err, &trap) && trap.MemoryFull:
		e.Reason = sandbox.Memory
	case errors.As(err, &trap):
		e.Reason = sandbox.Error
		e.Text = "This brought the interpreter down (" + trap.Reason + "). Look for a recursion without an end, or for a call such as os.abort()."
	case errors.Is(err, python.ErrStopped), result.Interrupted == python.ByStop, result.Interrupted == python.ByContext:
		e.Reason = r.reason()
	case errors.Is(err, python.ErrTimeout), result.Interrupted == python.ByRun:
		e.Reason = sandbox.Timeout
	case result.Interrupted == python.ByAnswer:
		e.Reason = sandbox.Timeout
		e.Text = fmt.Sprintf("Nobody answered input() for %v. Run again and type a line.", r.w.Limits.Answer)
	case err != nil:
		fmt.Fprintln(os.Stderr, "storeroom sandbox:", err)
		e.Reason = sandbox.Internal
	case result.End == python.Raised && result.Exception == "MemoryError":
		e.Reason = sandbox.Memory
	case result.End == python.Raised && result.Exception == redisFull:
		e.Reason = sandbox.Quota
		e.Text = fmt.Sprintf("Your Redis is full: it holds up to %d MiB. Delete keys, for example with r.delete(...) or r.flushdb(), and run again.", r.w.Limits.Redis>>20)
	case result.End == python.Raised:
		e.Reason = sandbox.Error
	case result.Status != 0:
		e.Reason = sandbox.Error
		e.Text = fmt.Sprintf("The code ended itself with exit status %d.", result.Status)
	}
	return e
}

// stop ends the run, softly first.
func (r *run) stop(why sandbox.Reason) {
	r.w.mu.Lock()
	if r.why == "" {
		r.why = why
	}
	r.w.mu.Unlock()
	r.cancel()
}

func (r *run) reason() sandbox.Reason {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	switch r.why {
	case sandbox.Output, sandbox.Shutdown:
		return r.why
	}
	return sandbox.Stopped
}

// answer gives input() its line; a second line before the first was read is dropped, as
// the host sends one a question.
func (r *run) answer(m link.Message) {
	select {
	case r.lines <- m:
	default:
	}
}

// line asks the learner for a line and waits for it: input() and sys.stdin. At the end of
// input, and for what goes on after its run, the line is empty and has no newline: input()
// raises EOFError then, as Python does.
func (w *worker) line(_ []byte, wait python.Waiter) []byte {
	w.mu.Lock()
	r := w.run
	w.mu.Unlock()
	if r == nil || r.eof {
		return []byte{1}
	}
	w.out.drain()
	w.send(sandbox.Event{Kind: sandbox.Input})
	got := make(chan struct{})
	quit := make(chan struct{})
	defer close(quit)
	var answer link.Message
	go func() {
		select {
		case answer = <-r.lines:
			close(got)
		case <-quit:
		}
	}()
	asked := time.Now()
	ready, _ := wait.Wait(-1, got)
	r.waited += time.Since(asked)
	if !ready {
		return []byte{0}
	}
	if answer.EOF {
		r.eof = true // not asked again: a loop around input() would ask without end
		return []byte{1}
	}
	return append([]byte{1}, answer.Text+"\n"...)
}
