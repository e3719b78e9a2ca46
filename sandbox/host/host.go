// Package host is the host's side of all sandboxes: their folders and the pool of ready
// ones, their processes, the queue, the limits, sleep and wake. The server and the
// command line call it. It knows nothing of HTTP, pages or lessons.
package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
)

// Config says where a Host keeps things and what a sandbox may use.
type Config struct {
	Cache    string         // prepared parts; may be shared by several Hosts
	Data     string         // sandboxes; owned by one Host at a time
	Run      string         // sockets; a short path, since a socket's path ends at 107 bytes
	Limits   sandbox.Limits //
	Log      *slog.Logger   //
	MaxAwake int            // sandboxes that run at once; 0: by the machine's memory
	Pool     int            // PostgreSQL data folders kept ready; 0: a few
}

// ErrUnknown is answered for a sandbox that does not exist (any more).
var ErrUnknown = errors.New("no such sandbox")

// longestQueue bounds how many runs may wait.
const longestQueue = 1000

// Host keeps the sandboxes.
type Host struct {
	Config
	log   *slog.Logger
	lock  *os.File
	gate  *gate
	fleet *fleet // what starts workers and stores

	warming chan struct{} // holds one for each worker that is started ahead

	ctx    context.Context // ends when the Host closes
	cancel context.CancelCauseFunc
	tasks  sync.WaitGroup

	mu     sync.Mutex
	boxes  map[string]*box
	uids   map[int]bool
	closed bool
}

// errShutdown is why runs end when the Host closes.
var errShutdown = errors.New("storeroom is being stopped")

// errStopped is why a run ends that was stopped before its worker had it.
var errStopped = errors.New("stopped")

// Open takes over the data folder and everything in it. The parts must be prepared.
func Open(ctx context.Context, c Config) (*Host, error) {
	h := &Host{Config: c, log: c.Log, boxes: map[string]*box{}, uids: map[int]bool{}}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.MaxAwake == 0 {
		h.MaxAwake = awakeByMemory()
	}
	if h.Pool == 0 {
		h.Pool = readyByDefault
	}
	h.warming = make(chan struct{}, max(1, runtime.NumCPU()/2))
	h.gate = newGate(c.Limits.PerCore*runtime.NumCPU(), longestQueue)
	var err error
	if h.lock, err = takeFolders(c); err != nil {
		return nil, err
	}
	if h.fleet, err = newFleet(ctx, h); err != nil {
		h.lock.Close()
		return nil, err
	}
	if err := h.load(); err != nil {
		h.fleet.held.Close()
		h.lock.Close()
		return nil, err
	}
	h.ctx, h.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	h.tasks.Go(h.fleet.fill)
	h.tasks.Go(h.housekeeping)
	return h, nil
}

// sandboxesName is the folder below Data that holds the sandboxes' own.
const sandboxesName = "sandboxes"

func (h *Host) sandboxes() string { return filepath.Join(h.Data, sandboxesName) }

// load takes in the sandboxes that an earlier Host has left.
func (h *Host) load() error {
	entries, err := os.ReadDir(h.sandboxes())
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	for _, e := range entries {
		dir := filepath.Join(h.sandboxes(), e.Name())
		s, err := readState(dir)
		if !validID(e.Name()) || err != nil {
			// Half made, or half removed: nobody was ever told its id, or its owner wanted it gone.
			h.log.Info("removing an incomplete sandbox", "folder", e.Name())
			os.RemoveAll(dir)
			continue
		}
		h.uids[s.UID] = true
		h.boxes[e.Name()] = h.newBox(e.Name(), s)
	}
	return nil
}

func (h *Host) newBox(id string, s state) *box {
	b := &box{h: h, id: id, dir: filepath.Join(h.sandboxes(), id), state: s, rested: time.Now(), open: map[string]int{}, last: map[string]time.Time{}, seen: map[string]sandbox.Shelf{}}
	b.stores = h.fleet.stores(b)
	return b
}

func (h *Host) box(id string) (*box, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errShutdown
	}
	b := h.boxes[id]
	if b == nil {
		return nil, ErrUnknown
	}
	return b, nil
}

// all answers the sandboxes of this moment.
func (h *Host) all() []*box {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*box, 0, len(h.boxes))
	for _, b := range h.boxes {
		list = append(list, b)
	}
	return list
}

// Create makes a sandbox; its id is 1-64 of [a-z0-9].
func (h *Host) Create(ctx context.Context) (string, error) {
	s := state{Created: time.Now(), Used: time.Now(), Secrets: make([]byte, 32)}
	rand.Read(s.Secrets)
	var err error
	if s.UID, err = h.takeUID(); err != nil {
		return "", err
	}
	id := newID()
	b := h.newBox(id, s)
	if err := h.furnish(b); err != nil {
		os.RemoveAll(b.dir)
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return "", errShutdown
	}
	h.boxes[id] = b
	return id, nil
}

// takeUID reserves a uid for a new sandbox; 0 where Storeroom is not root.
func (h *Host) takeUID() (int, error) {
	if !h.fleet.manyUIDs {
		return 0, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for uid := firstUID; uid <= lastUID; uid++ {
		if !h.uids[uid] {
			h.uids[uid] = true
			return uid, nil
		}
	}
	return 0, errors.New("every sandbox uid is taken: remove old sandboxes with storeroom clean")
}

// Exists tells whether the sandbox is there, awake or asleep.
func (h *Host) Exists(id string) bool { _, err := h.box(id); return err == nil }

// Lacks names what this machine can't do to keep sandboxes apart, in words, and the
// parts that it has none of.
func (h *Host) Lacks() []string {
	lacks := confine.Lacks()
	for _, m := range h.fleet.set.Missing {
		lacks = append(lacks, m.Part+": "+m.Why)
	}
	return lacks
}

// Health counts the sandboxes.
func (h *Host) Health(ctx context.Context) (Health, error) {
	r := Health{Ready: h.fleet.readyCount(), Lacks: h.Lacks()}
	for _, b := range h.all() {
		if b.awake() != nil {
			r.Awake++
		} else {
			r.Asleep++
		}
	}
	return r, ctx.Err()
}

// Health is what /healthz tells.
type Health struct {
	Awake  int      `json:"awake"`  // sandboxes with a process
	Asleep int      `json:"asleep"` // sandboxes on disk alone
	Ready  int      `json:"ready"`  // PostgreSQL data folders in the pool
	Lacks  []string `json:"lacks"`  // what this machine can't do, in words
}

// Close ends all runs with Shutdown and stops every process; data is kept.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	h.cancel(errShutdown)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, b := range h.all() {
		wg.Go(func() {
			b.endRun(sandbox.Shutdown)
			if err := b.sleep(ctx, true); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h.tasks.Wait()
	h.fleet.held.Close()
	h.lock.Close()
	return errors.Join(errs...)
}
