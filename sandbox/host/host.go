// Package host is the host's side of all sandboxes: their folders and the pool of ready
// ones, their processes, the queue, the limits, sleep and wake. The server and the
// command line call it. It knows nothing of HTTP, pages or lessons.
package host

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"storeroom/sandbox"
)

// Config says where a Host keeps things and what a sandbox may use.
type Config struct {
	Cache    string         // prepared parts; may be shared by several Hosts
	Data     string         // sandboxes; owned by one Host at a time
	Run      string         // sockets; a short path, since a socket's path ends at 107 bytes
	Limits   sandbox.Limits //
	Log      *slog.Logger   //
	MaxAwake int            // sandboxes that run at once; 0: by the machine's memory
	Pool     int            // ready sandboxes kept; 0: a few
}

// ErrUnknown is answered for a sandbox that does not exist (any more).
var ErrUnknown = errors.New("no such sandbox")

// Host keeps the sandboxes.
type Host struct{}

// Health is what /healthz tells.
type Health struct {
	Awake  int      `json:"awake"`  // sandboxes with a process
	Asleep int      `json:"asleep"` // sandboxes on disk alone
	Ready  int      `json:"ready"`  // sandboxes in the pool
	Lacks  []string `json:"lacks"`  // what this machine can't do, in words
}

func Open(ctx context.Context, c Config) (*Host, error) { return nil, errors.New("not yet") }

// Create makes a sandbox; its id is 1-64 of [a-z0-9].
func (h *Host) Create(ctx context.Context) (string, error) { return "", nil }

// Exists tells whether the sandbox is there, awake or asleep.
func (h *Host) Exists(id string) bool { return false }

// Run runs a cell and gives its events to sink, one at a time, the End last; then it returns.
func (h *Host) Run(ctx context.Context, id, run string, cell sandbox.Cell, sink func(sandbox.Event)) {
}

// Stop ends a run: softly at first, so that variables are kept.
func (h *Host) Stop(id, run string) {}

// Input answers a run that waits in input() with one line, without its newline.
func (h *Host) Input(id, run, text string) error { return nil }

// Shelves tells what the sandbox's stores hold now.
func (h *Host) Shelves(ctx context.Context, id string) ([]sandbox.Shelf, error) { return nil, nil }

// Reset throws the sandbox's data away and gives it a fresh set under the same id.
func (h *Host) Reset(ctx context.Context, id string) error { return nil }

// Delete removes the sandbox and its data for good.
func (h *Host) Delete(ctx context.Context, id string) error { return nil }

// Dial connects to a store of the sandbox ("postgres", "redis", "mongo") as a client on the
// learner's own machine would.
func (h *Host) Dial(ctx context.Context, id, store string) (net.Conn, error) { return nil, nil }

// Health counts the sandboxes.
func (h *Host) Health(ctx context.Context) (Health, error) { return Health{}, nil }

// Lacks names what this machine can't do to keep sandboxes apart, in words.
func (h *Host) Lacks() []string { return nil }

// Close ends all runs with Shutdown and stops every process; data is kept.
func (h *Host) Close(ctx context.Context) error { return nil }
