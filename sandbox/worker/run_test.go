package worker

import (
	"fmt"
	"testing"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/python"
	"storeroom/sandbox/worker/link"
)

func TestATrapWithMemoryFullIsTheMemoryLimit(t *testing.T) {
	var r run
	for full, want := range map[bool]sandbox.Reason{true: sandbox.Memory, false: sandbox.Error} {
		trap := &python.Trap{Reason: "unreachable instruction", MemoryFull: full}
		if got := r.ending(python.Result{}, fmt.Errorf("turn: %w", trap)); got.Reason != want {
			t.Errorf("memory full %v ended %q, want %q", full, got.Reason, want)
		}
	}
}

func TestWhatEndedARunIsTold(t *testing.T) {
	limits := sandbox.Defaults()
	limits.Redis = 32 << 20
	r := run{w: &worker{Config: Config{Limits: limits}}}
	for _, c := range []struct {
		result python.Result
		reason sandbox.Reason
		text   string
	}{
		{python.Result{End: python.Finished}, sandbox.OK, ""},
		{python.Result{End: python.Quit}, sandbox.OK, ""},
		{python.Result{End: python.Quit, Status: 3}, sandbox.Error, "The code ended itself with exit status 3."},
		{python.Result{End: python.Exited, Status: 1}, sandbox.Error, "The code ended itself with exit status 1."},
		{python.Result{End: python.Raised, Exception: "ValueError"}, sandbox.Error, ""},
		{python.Result{End: python.Raised, Exception: "redis.exceptions.OutOfMemoryError"}, sandbox.Quota, "Your Redis is full: it holds up to 32 MiB. Delete keys, for example with r.delete(...) or r.flushdb(), and run again."},
	} {
		if got := r.ending(c.result, nil); got.Reason != c.reason || got.Text != c.text {
			t.Errorf("%+v ended %q: %q", c.result, got.Reason, got.Text)
		}
	}
}

func TestLinesComeUntilTheEndOfInput(t *testing.T) {
	here, there, err := link.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	defer there.Close()
	w := &worker{link: here}
	w.out = newOutput(w.send)
	w.run = &run{w: w, id: "r1", lines: make(chan link.Message, 1)}
	for i, c := range []struct {
		answer *link.Message // nil: it does not ask
		want   string
	}{
		{&link.Message{Type: link.Input, Text: "Ada"}, "\x01Ada\n"},
		{&link.Message{Type: link.Input}, "\x01\n"},
		{&link.Message{Type: link.Input, EOF: true}, "\x01"},
		{nil, "\x01"},
	} {
		if c.answer != nil {
			w.run.answer(*c.answer)
		}
		if got := string(w.line(nil, patient{})); got != c.want {
			t.Errorf("line %d is %q, wanted %q", i, got, c.want)
		}
	}
}

// patient waits as long as it takes.
type patient struct{}

func (patient) Wait(_ time.Duration, ready <-chan struct{}) (isReady, interrupted bool) {
	<-ready
	return true, false
}
