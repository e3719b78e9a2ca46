// Package hosttest gives tests a Host with everything behind it: the prepared parts, a
// data folder of its own, and the test's binary as the program that becomes a worker.
// Production code never imports it.
package hosttest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/host"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/python/pythontest"
	"storeroom/sandbox/worker"
)

// Main is a package's TestMain: the binary is also the program that confines itself and
// the worker.
func Main(m *testing.M) {
	if confine.IsChild() {
		confine.Main()
	}
	if len(os.Args) > 1 && os.Args[1] == host.Subcommand {
		os.Exit(worker.Main())
	}
	os.Exit(m.Run())
}

// Config is a configuration with folders of the test's own.
func Config(t testing.TB) host.Config {
	t.Helper()
	pythontest.Config(t)
	return host.Config{
		Cache: parts.CacheDir(), Data: folder(t, "data"), Run: folder(t, "run"), Limits: sandbox.Defaults(), Pool: 1,
		Log: slog.New(slog.NewTextHandler(logTo{t}, nil)),
	}
}

// folder is like TempDir, but short (a socket's path ends at 107 bytes) and open to the
// sandboxes' users, who must pass through it.
func folder(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "storeroom-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Open opens a Host that is closed with the test.
func Open(t testing.TB, c host.Config) *host.Host {
	t.Helper()
	h, err := host.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return h
}

// New makes a sandbox in h.
func New(t testing.TB, h *host.Host) string {
	t.Helper()
	id, err := h.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// runs numbers the runs of all tests.
var runs atomic.Int64

// Result is what a run said.
type Result struct {
	ID             string
	Stdout, Stderr string
	Notices        []string
	Reason         sandbox.Reason
	Text           string // of the End
	Millis         float64
	Events         []sandbox.Event
}

// Run runs Python code to its end.
func Run(t testing.TB, h *host.Host, id, code string) Result {
	t.Helper()
	return Start(t, h, id, code, nil).Wait()
}

// Running is a run that goes on.
type Running struct {
	ID   string
	t    testing.TB
	done chan struct{}
	mu   sync.Mutex
	r    Result
}

// Start starts a run; see, which may be nil, hears each event.
func Start(t testing.TB, h *host.Host, id, code string, see func(sandbox.Event)) *Running {
	t.Helper()
	r := &Running{ID: fmt.Sprintf("run%d", runs.Add(1)), t: t, done: make(chan struct{})}
	r.r.ID = r.ID
	go func() {
		defer close(r.done)
		h.Run(t.Context(), id, r.ID, sandbox.Cell{Lang: "python", Name: "cell.py", Code: code}, func(e sandbox.Event) {
			r.add(e)
			if see != nil {
				see(e)
			}
		})
	}()
	return r
}

func (r *Running) add(e sandbox.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq != int64(len(r.r.Events)+1) || e.Run != r.ID {
		r.t.Errorf("event %d of %s came as number %d of %s", len(r.r.Events)+1, r.ID, e.Seq, e.Run)
	}
	r.r.Events = append(r.r.Events, e)
	switch e.Kind {
	case sandbox.Stdout:
		r.r.Stdout += e.Text
	case sandbox.Stderr:
		r.r.Stderr += e.Text
	case sandbox.Notice:
		r.r.Notices = append(r.r.Notices, e.Text)
	case sandbox.End:
		r.r.Reason, r.r.Text, r.r.Millis = e.Reason, e.Text, e.Millis
	}
}

// Wait answers what the run said when it has ended.
func (r *Running) Wait() Result {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(time.Minute):
		r.t.Fatal("a run did not end")
	}
	return r.Now()
}

// Now answers what the run has said so far.
func (r *Running) Now() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r
}

// Saw waits until the run has said something of this kind.
func (r *Running) Saw(kind sandbox.Kind, text string) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, e := range r.Now().Events {
			if e.Kind == kind && strings.Contains(e.Text, text) {
				return
			}
		}
	}
	r.t.Fatalf("no %s with %q came", kind, text)
}

// OK fails the test unless the run ended well with this output.
func (r Result) OK(t testing.TB, stdout string) {
	t.Helper()
	if r.Reason != sandbox.OK || r.Stdout != stdout {
		t.Errorf("got %s %q, printed %q, errors %q", r.Reason, r.Text, r.Stdout, r.Stderr)
	}
}

// logTo writes a log's lines to the test's.
type logTo struct{ t testing.TB }

func (l logTo) Write(p []byte) (int, error) {
	l.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}
