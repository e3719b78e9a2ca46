// Package storetest is the suite that every store with a process of its own must pass.
// Each store's tests call Run; nothing else does.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
)

// Subject is a store under test.
type Subject struct {
	// Open makes a fresh store in a folder of its own. again answers a second Store
	// over the same folder, as a server that was started again would.
	Open func(t *testing.T) (s store.Store, again func() store.Store)
	// Write makes an acknowledged write of a thing with this name, through Dial.
	Write func(ctx context.Context, s store.Store, name string) error
	// Names reads all names written, through Dial, in the order of the alphabet.
	Names func(ctx context.Context, s store.Store) ([]string, error)
	// Shelf names the item on the shelf that shows what was written, and its detail.
	Shelf func(written int) sandbox.Item
	// PID is the main process's id.
	PID func(s store.Store) int
	// Data is the folder that its processes work in.
	Data func(s store.Store) string
}

// Run runs the whole suite.
func Run(t *testing.T, subject Subject) {
	for _, part := range []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"StartsAtTheFirstDial", startsAtTheFirstDial},
		{"StartsOnceForMany", startsOnceForMany},
		{"OneWhoGivesUp", oneWhoGivesUp},
		{"StopKeepsTheData", stopKeepsTheData},
		{"ASIGKILLKeepsTheData", aKillKeepsTheData},
		{"AServerKilledKeepsAll", aServerKilledKeepsAll},
		{"InspectDoesNotStart", inspectDoesNotStart},
		{"InspectShowsWhatIsThere", inspectShowsWhatIsThere},
		{"StopUnderLoad", stopUnderLoad},
		{"CloseIsForGood", closeIsForGood},
		{"NothingLeaks", nothingLeaks},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, subject) })
	}
}

func (s Subject) open(t *testing.T) store.Store {
	t.Helper()
	st, _ := s.Open(t)
	return st
}

func (s Subject) write(t *testing.T, st store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := s.Write(t.Context(), st, name); err != nil {
			t.Fatalf("write %s: %v", name, err)
		}
	}
}

func (s Subject) holds(t *testing.T, st store.Store, want ...string) {
	t.Helper()
	got, err := s.Names(t.Context(), st)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("it holds %q, want %q", got, want)
	}
}

func stop(t *testing.T, st store.Store) {
	t.Helper()
	if err := st.Stop(t.Context()); err != nil {
		t.Fatalf("stop: %v", err)
	}
	if st.Running() {
		t.Fatal("it runs after Stop")
	}
}

func startsAtTheFirstDial(t *testing.T, s Subject) {
	st := s.open(t)
	if st.Running() {
		t.Fatal("it runs before anybody has dialled")
	}
	c, err := st.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !st.Running() {
		t.Fatal("it does not run after Dial")
	}
	stop(t, st)
}

func startsOnceForMany(t *testing.T, s Subject) {
	st := s.open(t)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			c, err := st.Dial(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	wg.Wait()
	pid := s.PID(st)
	s.write(t, st, "a")
	if got := s.PID(st); got != pid {
		t.Fatalf("process %d became %d", pid, got)
	}
}

func oneWhoGivesUp(t *testing.T, s Subject) {
	st := s.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	hasty := make(chan error)
	go func() {
		_, err := st.Dial(ctx)
		hasty <- err
	}()
	patient := make(chan error)
	go func() { patient <- s.Write(t.Context(), st, "a") }()
	cancel()
	if err := <-hasty; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got: %v", err)
	}
	if err := <-patient; err != nil {
		t.Errorf("who waited got: %v", err)
	}
}

func stopKeepsTheData(t *testing.T, s Subject) {
	st := s.open(t)
	s.write(t, st, "a", "b")
	for range 3 {
		stop(t, st)
		s.holds(t, st, "a", "b")
	}
}

func aKillKeepsTheData(t *testing.T, s Subject) {
	st := s.open(t)
	var want []string
	for i := range 5 {
		name := fmt.Sprintf("n%d", i)
		s.write(t, st, name)
		want = append(want, name)
		if i%2 == 0 {
			if err := st.Kill(); err != nil {
				t.Fatal(err)
			}
		} else {
			syscall.Kill(s.PID(st), syscall.SIGKILL)
			for st.Running() { // its end takes a moment, in which it may still accept
				time.Sleep(time.Millisecond)
			}
		}
		s.holds(t, st, want...)
	}
}

// The server that had started it was killed: nobody has stopped the store in order, and a
// new Store finds its folder, its socket and perhaps its processes.
func aServerKilledKeepsAll(t *testing.T, s Subject) {
	st, again := s.Open(t)
	s.write(t, st, "a", "b")
	st.Inspect(t.Context())
	second := again()
	if shelf, err := second.Inspect(t.Context()); err != nil || !has(shelf, s.Shelf(2)) {
		t.Fatalf("the new server's shelf: %+v, %v", shelf, err)
	}
	s.holds(t, second, "a", "b")
	if got := processes(t, s.Data(st)); len(got) == 0 || got[0] == 0 {
		t.Fatal("no process works in the folder")
	}
	if st.Running() {
		t.Fatal("two servers over the same data")
	}
}

func inspectDoesNotStart(t *testing.T, s Subject) {
	st := s.open(t)
	shelf, err := st.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Running() {
		t.Fatal("Inspect has started it")
	}
	if shelf.Store != st.Name() || shelf.Title == "" || shelf.Items == nil {
		t.Fatalf("the shelf before any start: %+v", shelf)
	}
}

func inspectShowsWhatIsThere(t *testing.T, s Subject) {
	st := s.open(t)
	s.write(t, st, "a")
	for _, when := range []string{"while it runs", "at rest"} {
		shelf, err := st.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !has(shelf, s.Shelf(1)) {
			t.Fatalf("%s the shelf lacks %+v: %+v", when, s.Shelf(1), shelf)
		}
		stop(t, st)
	}
	// What came after the last look is seen by the one that Stop takes.
	s.write(t, st, "b")
	stop(t, st)
	if shelf, _ := st.Inspect(t.Context()); !has(shelf, s.Shelf(2)) {
		t.Fatalf("after Stop the shelf lacks %+v: %+v", s.Shelf(2), shelf)
	}
}

func has(shelf sandbox.Shelf, want sandbox.Item) bool {
	for _, item := range shelf.Items {
		if item.Name == want.Name && item.Detail == want.Detail {
			return true
		}
	}
	return false
}

// stopUnderLoad stops the store again and again while others write: what was acknowledged
// is there, and nothing but the writes on the closed connections fails.
func stopUnderLoad(t *testing.T, s Subject) {
	st := s.open(t)
	done := make(chan struct{})
	var mu sync.Mutex
	want := map[string]bool{}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := fmt.Sprintf("w%d-%d", w, i)
				if s.Write(t.Context(), st, name) == nil {
					mu.Lock()
					want[name] = true
					mu.Unlock()
				}
			}
		})
	}
	for range 4 {
		time.Sleep(50 * time.Millisecond)
		if err := st.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	close(done)
	wg.Wait()
	names, err := s.Names(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		delete(want, name)
	}
	if len(want) > 0 {
		t.Fatalf("acknowledged and lost: %v", want)
	}
}

func closeIsForGood(t *testing.T, s Subject) {
	st := s.open(t)
	s.write(t, st, "a")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if got := processes(t, s.Data(st)); len(got) > 0 {
		t.Fatalf("processes %v are left", got)
	}
	if _, err := st.Dial(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("Dial after Close: %v", err)
	}
	if st.Running() {
		t.Fatal("it runs after Close")
	}
}

func nothingLeaks(t *testing.T, s Subject) {
	st := s.open(t)
	s.write(t, st, "a")
	st.Inspect(t.Context())
	stop(t, st)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for range 5 {
		s.write(t, st, "a")
		st.Inspect(t.Context())
		stop(t, st)
		if got := processes(t, s.Data(st)); len(got) > 0 {
			t.Fatalf("processes %v are left", got)
		}
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		g, f := runtime.NumGoroutine(), descriptors(t)
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines %d, then %d; descriptors %d, then %d\n%s", goroutines, g, files, f, buf[:runtime.Stack(buf, true)])
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// processes lists who works in dir.
func processes(t *testing.T, dir string) []int {
	t.Helper()
	home, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	folders, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, f := range folders {
		if cwd, err := os.Stat(f); err == nil && os.SameFile(cwd, home) {
			var pid int
			fmt.Sscanf(strings.TrimPrefix(f, "/proc/"), "%d", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}
