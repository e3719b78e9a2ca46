package python_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
)

const (
	shortRun = 300 * time.Millisecond
	grace    = 200 * time.Millisecond
	patience = 30 * time.Second // a test machine may be slow; what should end, ends
)

func short(source string) python.Turn {
	return python.Turn{Source: source, Name: "cell.py", Run: shortRun, Answer: shortRun, Grace: patience}
}

// neverAnswers is a line service that never gets a line.
func neverAnswers(_ []byte, w python.Waiter) []byte {
	if _, interrupted := w.Wait(-1, nil); interrupted {
		return []byte{0}
	}
	return []byte{1}
}

func TestDeadlineRaisesKeyboardInterruptAndKeepsVariables(t *testing.T) {
	e := pythontest.ForTest(t)
	for name, source := range map[string]string{
		"loop":           "while True: pass",
		"function":       "def f():\n    while True: pass\nf()",
		"sleep":          "import time; time.sleep(100)",
		"sleeps":         "import time\nwhile True: time.sleep(0.01)",
		"power":          "10**(10**7)",
		"re catastrophe": "import re; re.match(r'(a+)+$', 'a'*40+'b')",
		"sort":           "l=[*range(10**6)]*4; l.sort(key=lambda x: -x)\nwhile True: l.sort()",
		"event":          "import threading; threading.Event().wait()",
	} {
		t.Run(name, func(t *testing.T) {
			g, out, _ := pythontest.Guest(t, e, python.GuestConfig{})
			run(t, g, "kept = 42")
			r, err := g.Turn(t.Context(), short(source))
			if err != nil || r.Exception != "KeyboardInterrupt" || r.Interrupted != python.ByRun {
				t.Fatalf("ended %+v, %v", r, err)
			}
			if _, stderr := out.Take(); !strings.HasSuffix(stderr, "KeyboardInterrupt\n") || strings.Contains(stderr, "/guest/") {
				t.Errorf("said %q", stderr)
			}
			if got := said(t, g, out, "kept"); got != "42\n" {
				t.Errorf("afterwards %q", got)
			}
		})
	}
}

func TestInterruptThatIsCaught(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	r, err := g.Turn(t.Context(), short("try:\n    while True: pass\nexcept KeyboardInterrupt:\n    print('caught')"))
	if err != nil || r.End != python.Finished || r.Interrupted != python.ByRun {
		t.Errorf("ended %+v, %v", r, err)
	}
	if o, _ := out.Take(); o != "caught\n" {
		t.Errorf("said %q", o)
	}
}

func TestHardStop(t *testing.T) {
	e := pythontest.ForTest(t)
	for name, source := range map[string]string{
		"catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
		"C loop":             "sum(range(10**11))",
		"sleeps on":          "import time\nwhile True:\n    try: time.sleep(100)\n    except BaseException: pass",
		"asks on":            "while True:\n    try: input()\n    except BaseException: pass",
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := pythontest.Guest(t, e, python.GuestConfig{Services: map[byte]python.Service{python.LineService: neverAnswers}})
			turn := short(source)
			turn.Grace = grace
			_, err := g.Turn(t.Context(), turn)
			if !errors.Is(err, python.ErrTimeout) || g.Alive() {
				t.Errorf("ended %v, alive %v", err, g.Alive())
			}
			if _, err := g.Turn(t.Context(), short("1")); !errors.Is(err, python.ErrDead) {
				t.Errorf("a turn after it: %v", err)
			}
		})
	}
}

func TestStop(t *testing.T) {
	e := pythontest.ForTest(t)
	stops := map[string]func(g *python.Guest, cancel func()){
		"Stop":    func(g *python.Guest, _ func()) { g.Stop() },
		"context": func(_ *python.Guest, cancel func()) { cancel() },
	}
	causes := map[string]python.Cause{"Stop": python.ByStop, "context": python.ByContext}
	for how, stop := range stops {
		for name, source := range map[string]string{"loop": "while True: pass", "sleep": "import time; time.sleep(100)", "input": "input()"} {
			t.Run(how+" "+name, func(t *testing.T) {
				g, _, _ := pythontest.Guest(t, e, python.GuestConfig{Services: map[byte]python.Service{python.LineService: neverAnswers}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				timer := time.AfterFunc(50*time.Millisecond, func() { stop(g, cancel) })
				defer timer.Stop()
				r, err := g.Turn(ctx, python.Turn{Source: source, Name: "cell.py", Run: patience, Answer: patience, Grace: patience})
				if err != nil || r.Exception != "KeyboardInterrupt" || r.Interrupted != causes[how] {
					t.Errorf("ended %+v, %v", r, err)
				}
			})
		}
	}
	t.Run("hard", func(t *testing.T) {
		g, _, _ := pythontest.Guest(t, e, python.GuestConfig{})
		time.AfterFunc(50*time.Millisecond, g.Stop)
		if _, err := g.Turn(t.Context(), python.Turn{Source: "sum(range(10**11))", Grace: grace}); !errors.Is(err, python.ErrStopped) {
			t.Errorf("ended %v", err)
		}
	})
	t.Run("before the turn", func(t *testing.T) {
		g, out, _ := pythontest.Guest(t, e, python.GuestConfig{})
		g.Stop()
		if got := said(t, g, out, "print('on')"); got != "on\n" {
			t.Errorf("a stop without a turn hit the next one: %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r, err := g.Turn(ctx, python.Turn{Source: "while True: pass", Grace: patience})
		if err != nil || r.Interrupted != python.ByContext {
			t.Errorf("a context that was done before the turn: %+v, %v", r, err)
		}
	})
}

// An interrupt that comes when the code is just done must not hit the next turn.
func TestLateInterruptDoesNotHitTheNextTurn(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for i := range 200 {
		turn := python.Turn{Source: "sum(range(2000))", Name: "cell.py", Run: time.Duration(i*3) * time.Microsecond, Grace: patience}
		if _, err := g.Turn(t.Context(), turn); err != nil {
			t.Fatal(err)
		}
		out.Take()
		if got := said(t, g, out, "for i in range(100): pass\nprint('on')"); got != "on\n" {
			t.Fatalf("round %d: the next turn said %q", i, got)
		}
	}
}

func TestWaitingForALineDoesNotCount(t *testing.T) {
	lines := func(_ []byte, w python.Waiter) []byte {
		w.Wait(2*shortRun, nil)
		return []byte("\x01Ada\n")
	}
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{python.LineService: lines}})
	turn := python.Turn{Source: "name = input('name? ')\nprint('hello', name)", Name: "cell.py", Run: shortRun, Grace: patience}
	r, err := g.Turn(t.Context(), turn)
	if o, _ := out.Take(); err != nil || r != (python.Result{}) || o != "name? hello Ada\n" {
		t.Errorf("%q, %+v, %v", o, r, err)
	}
	turn.Source = "input()\nwhile True: pass"
	if r, err := g.Turn(t.Context(), turn); err != nil || r.Interrupted != python.ByRun {
		t.Errorf("after input() the time goes on: %+v, %v", r, err)
	}
	out.Take()
	turn.Source, turn.Run = "import sys\nsys.stdin.readline()", patience
	if got := said(t, g, out, turn.Source); got != "'Ada\\n'\n" {
		t.Errorf("readline said %q", got)
	}
}

func TestAnswerLimit(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{python.LineService: neverAnswers}})
	r, err := g.Turn(t.Context(), python.Turn{Source: "input('? ')", Name: "cell.py", Run: patience, Answer: shortRun, Grace: patience})
	if err != nil || r.Exception != "KeyboardInterrupt" || r.Interrupted != python.ByAnswer {
		t.Errorf("ended %+v, %v", r, err)
	}
	if o, _ := out.Take(); o != "? " {
		t.Errorf("the prompt was %q", o)
	}
}

func TestEndOfInput(t *testing.T) {
	nothing := func([]byte, python.Waiter) []byte { return []byte{1} }
	g, _, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{python.LineService: nothing}})
	if r := run(t, g, "input()"); r.Exception != "EOFError" {
		t.Errorf("ended %+v", r)
	}
	if r := run(t, g, "import sys\nassert sys.stdin.read() == ''\nassert list(sys.stdin) == []"); r.End != python.Finished {
		t.Errorf("reading all: %+v", r)
	}
}

func TestOutputGoesOutBeforeWaits(t *testing.T) {
	var out *pythontest.Output
	seen := make(chan string, 1)
	lines := func([]byte, python.Waiter) []byte {
		o, _ := out.Take()
		seen <- o
		return []byte("\x01\n")
	}
	g, o, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{python.LineService: lines}})
	out = o
	run(t, g, "import sys\nprint('a', end='')\nsys.stdin.readline()")
	if got := <-seen; got != "a" {
		t.Errorf("before the wait %q was out", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	e := pythontest.ForTest(t)
	for name, source := range map[string]string{
		"one":  "x = bytearray(2*10**9)",
		"many": "x = []\nwhile True: x.append(bytearray(10**6))",
		"less": "x = []\nwhile True: x.append(bytearray(3 * 10**5))",
		"few":  "x = []\nwhile True: x.append(bytearray(2 * 10**4))",
		"tiny": "x = {}\nwhile True: x[len(x)] = len(x) * 1.5",
	} {
		t.Run(name, func(t *testing.T) {
			g, out, _ := pythontest.Guest(t, e, python.GuestConfig{Memory: 192 << 20})
			r, err := g.Turn(t.Context(), python.Turn{Source: source, Name: "cell.py", Run: patience, Grace: patience})
			if err != nil || r.Exception != "MemoryError" {
				t.Fatalf("ended %+v, %v", r, err)
			}
			if _, stderr := out.Take(); !strings.HasSuffix(stderr, "MemoryError\n") {
				t.Errorf("said %q", stderr)
			}
			if got := said(t, g, out, "x = None\nprint('alive')"); got != "alive\n" {
				t.Errorf("afterwards %q", got)
			}
			if g.Memory() > 192<<20 {
				t.Errorf("%d bytes of memory", g.Memory())
			}
		})
	}
}

// See Guest.fault.
func TestMemoryFullInAppend(t *testing.T) {
	g, _, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Memory: 192 << 20})
	r, err := g.Turn(t.Context(), python.Turn{Source: "x = []\nwhile True: x.append(len(x) * 1.5)", Name: "cell.py", Run: patience, Grace: patience})
	var trap *python.Trap
	if errors.As(err, &trap) && trap.MemoryFull || err == nil && r.Exception == "MemoryError" {
		return
	}
	t.Errorf("ended %+v, %v", r, err)
}

func TestTraps(t *testing.T) {
	e := pythontest.ForTest(t)
	for name, c := range map[string]struct{ source, reason string }{
		"abort":      {"import os; os.abort()", "unreachable instruction"},
		"lock twice": {"import threading; l=threading.Lock(); l.acquire(); l.acquire()", "unreachable instruction"},
		"map chain":  {"x=iter([1])\nfor i in range(10**6): x=map(int, x)\nnext(x)", "stack overflow"},
	} {
		t.Run(name, func(t *testing.T) {
			g, _, _ := pythontest.Guest(t, e, python.GuestConfig{})
			_, err := g.Turn(t.Context(), python.Turn{Source: c.source, Name: "cell.py", Run: patience, Grace: patience})
			var trap *python.Trap
			if !errors.As(err, &trap) || trap.Reason != c.reason || g.Alive() {
				t.Errorf("ended %v, alive %v", err, g.Alive())
			}
		})
	}
	// Go's own faults are still recovered beside wasmtime's signal handlers.
	defer func() {
		if recover() == nil {
			t.Error("a nil dereference was not recovered")
		}
	}()
	var p *int
	*p = 1
}

func TestDeepRecursionRaises(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	run(t, g, "nested = []\nfor i in range(100000): nested = [nested]")
	for _, c := range []struct{ source, exception string }{
		{"def f(n): return f(n+1)\nf(0)", "RecursionError"},
		{"repr(nested)", "RecursionError"},
		{"import json; json.dumps(nested)", "RecursionError"},
		{"import json; json.loads('['*100000)", "RecursionError"},
		{"import pickle; pickle.dumps(nested)", "RecursionError"},
		{"import copy; copy.deepcopy(nested)", "RecursionError"},
		{"eval('('*100000+')'*100000)", "MemoryError"},
		{"class A:\n    def __getattr__(self, n): return getattr(self, n+'x')\nA().y", "RecursionError"},
		{"class K:\n    def __lt__(s,o): return sorted([K(),K()])[0]\nsorted([K(),K()])", "RecursionError"},
	} {
		if r := run(t, g, c.source); r.Exception != c.exception {
			t.Errorf("%q ended %+v", c.source, r)
		}
		if _, stderr := out.Take(); len(stderr) > 300_000 {
			t.Errorf("%q wrote %d bytes", c.source, len(stderr))
		}
	}
	for _, source := range []string{
		"import re; re.match('(?:a|b)*c', 'ab'*1000000)",
		"class N: pass\nx=None\nfor i in range(300000):\n    n=N(); n.n=x; x=n\ndel x, n",
		"t=(int,)\nfor i in range(100000): t=(t,)\nisinstance(1.0,t)\ndel t",
	} {
		if r := run(t, g, source); r.End != python.Finished {
			t.Errorf("%q ended %+v", source, r)
		}
	}
}

func TestBusy(t *testing.T) {
	began := make(chan struct{})
	asks := func(_ []byte, w python.Waiter) []byte {
		close(began)
		w.Wait(-1, nil)
		return []byte{0}
	}
	g, _, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{python.LineService: asks}})
	done := make(chan error)
	go func() {
		_, err := g.Turn(t.Context(), python.Turn{Source: "input()", Grace: patience})
		done <- err
	}()
	<-began
	if _, err := g.Turn(t.Context(), python.Turn{Source: "1"}); !errors.Is(err, python.ErrBusy) {
		t.Errorf("a turn beside a turn: %v", err)
	}
	g.Stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPanicInAServiceEndsTheGuestAlone(t *testing.T) {
	g, _, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{'z': func([]byte, python.Waiter) []byte { panic("boo") }}})
	if r := run(t, g, "import _host\n_host.call(b'?')"); r.End != python.Raised {
		t.Errorf("an unknown service: %+v", r)
	}
	_, err := g.Turn(t.Context(), python.Turn{Source: "_host.call(b'z')"})
	if err == nil || !strings.Contains(err.Error(), "boo") || g.Alive() {
		t.Errorf("ended %v", err)
	}
}
