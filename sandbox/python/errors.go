package python

import (
	"errors"
	"fmt"

	"storeroom/sandbox/python/wasmtime"
)

// Errors of Guest.Turn. But for ErrBusy, the guest is dead after each of them: its
// variables are gone, and the owner closes it and forks another.
var (
	ErrBusy    = errors.New("a turn is running in this guest already")
	ErrDead    = errors.New("this guest has ended")
	ErrStopped = errors.New("stopped: the code did not end at a KeyboardInterrupt")
	ErrTimeout = errors.New("timed out: the code did not end at a KeyboardInterrupt")
)

// Trap is a guest's end by a fault that Python could not turn into an exception, such
// as os.abort() or a recursion in C too deep for its stack.
type Trap struct {
	Reason     string // a few lower-case words: "stack overflow", "unreachable instruction"
	Detail     string // for the log
	MemoryFull bool   // the guest's memory was nearly full, and that is most likely why
}

func (t *Trap) Error() string { return "the interpreter crashed: " + t.Reason }

// exited is the way in which proc_exit leaves the guest.
type exited struct{ status int }

func (e exited) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// fault is what a call into the guest answered, in this package's own words.
//
// A list.append that finds no memory leaves CPython 3.15.0 with a broken heap now and
// then (the specialised instruction gives up the appended object twice), so that a
// trap follows where the learner should have met a MemoryError.
func (g *Guest) fault(err error) error {
	var t *wasmtime.Trap
	if !errors.As(err, &t) {
		return err
	}
	return &Trap{Reason: t.Reason(), Detail: t.Message, MemoryFull: g.memory.Size() > g.limit/8*7}
}
