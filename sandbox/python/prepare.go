package python

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"storeroom/sandbox/parts"
)

// Stage tells the kinds of Progress apart.
type Stage int

// Prepare's stages, in their order; those whose work is done already are left out.
const (
	Waiting   Stage = iota // another process prepares Python
	Compiling              // about a minute on two cores, 2.2 GB of memory at its peak
	Booting                // a few seconds
)

// Progress is what Prepare is doing. It comes at a stage's beginning and every second
// of it.
type Progress struct {
	Stage   Stage
	Elapsed time.Duration // of this stage
}

// String is the line for a terminal.
func (p Progress) String() string {
	s := int(p.Elapsed.Seconds())
	switch p.Stage {
	case Waiting:
		return fmt.Sprintf("waiting: another storeroom prepares Python (%d s)", s)
	case Compiling:
		return fmt.Sprintf("compiling Python for this machine, once, about a minute (%d s)", s)
	default:
		return fmt.Sprintf("starting Python and its libraries, once (%d s)", s)
	}
}

// Prepare makes what is missing in the cache: it compiles Python and boots the image,
// under a lock, so that of several processes one does the work. What is there is
// tried by running a line of Python, and made again when it does not work. report may
// be nil.
//
// It loads the engine into this process, and compiling leaves it large: a program
// that lives on runs Prepare in a child. Compiling can't be stopped; when ctx ends,
// Prepare returns at once and the work goes on until the process ends.
func Prepare(ctx context.Context, set *parts.Set, cacheDir string, report func(Progress)) (Config, error) {
	if report == nil {
		report = func(Progress) {}
	}
	c, err := prepare(ctx, set, cacheDir, report)
	if err != nil {
		return Config{}, fmt.Errorf("prepare python: %w", err)
	}
	return c, nil
}

func prepare(ctx context.Context, set *parts.Set, cacheDir string, report func(Progress)) (Config, error) {
	c, err := layout(set, cacheDir)
	if err != nil {
		return c, err
	}
	dir := filepath.Dir(c.Code)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, err
	}
	unlock, err := lock(ctx, filepath.Join(dir, "lock"), report)
	if err != nil {
		return c, err
	}
	defer unlock()
	sweepUnfinished(dir)
	if err := errors.Join(makeRoot(c.Root), makeGuest(c.Guest)); err != nil {
		return c, err
	}
	if try(ctx, c) == nil {
		return c, nil
	}
	return c, watched(ctx, report, func(stage func(Stage)) error { return build(ctx, c, set.PythonWasm, stage) })
}

// try runs a line of Python from the cache.
func try(ctx context.Context, c Config) error {
	if _, err := readWhole(c); err != nil {
		return err
	}
	e, err := Open(c)
	if err != nil {
		return err
	}
	defer e.Close()
	return withScratch(c, func(root *os.Root) error { return e.hello(ctx, root) })
}

func (e *Engine) hello(ctx context.Context, home *os.Root) error {
	var said strings.Builder
	files, err := e.Files(FilesConfig{Home: home, Tmp: home, Output: func(_ int, p []byte) error {
		said.Write(p)
		return nil
	}})
	if err != nil {
		return err
	}
	g, err := e.Guest(GuestConfig{Files: files})
	if err != nil {
		return err
	}
	defer g.Close()
	_, err = g.Turn(ctx, Turn{Source: "print('hello')", Name: "hello.py", Run: time.Minute, Grace: time.Second})
	if err == nil && said.String() != "hello\n" {
		err = fmt.Errorf("python said %q instead of hello", said.String())
	}
	return err
}

// build makes the code, unless what is there loads, and the image.
func build(ctx context.Context, c Config, wasm string, stage func(Stage)) error {
	e, err := open(c)
	if err != nil {
		stage(Compiling)
		if err := compile(c, wasm); err != nil {
			return err
		}
		if e, err = open(c); err != nil {
			return fmt.Errorf("load what was just compiled (Storeroom needs a processor with %s): %w", thisBaseline().name, err)
		}
	}
	defer e.Close()
	stage(Booting)
	if err := withScratch(c, func(root *os.Root) error { return e.boot(ctx, c, root) }); err != nil {
		return err
	}
	if e.image, err = openImage(c.Image); err != nil {
		return err
	}
	return withScratch(c, func(root *os.Root) error { return e.hello(ctx, root) })
}

func compile(c Config, wasm string) error {
	text, err := os.ReadFile(wasm)
	if err != nil {
		return err
	}
	if text, err = stripCustom(text); err != nil {
		return err
	}
	return compileTo(c, text)
}

// watched runs work beside a clock that reports every second.
func watched(ctx context.Context, report func(Progress), work func(stage func(Stage)) error) error {
	stages, done := make(chan Stage), make(chan error, 1)
	go func() {
		done <- work(func(s Stage) {
			select {
			case stages <- s:
			case <-ctx.Done():
			}
		})
	}()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var stage Stage
	var began time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case stage = <-stages:
			began = time.Now()
			report(Progress{Stage: stage})
		case <-second.C:
			if stage != Waiting {
				report(Progress{stage, time.Since(began)})
			}
		}
	}
}

// lock takes the lock file, waiting while another process holds it.
func lock(ctx context.Context, path string, report func(Progress)) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	const pause = 200 * time.Millisecond
	for began := time.Now(); ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, err
		}
		report(Progress{Waiting, time.Since(began)})
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// unfinished is the form of the names of what is not whole yet; a * is a number.
const unfinished = ".new-*"

// sweepUnfinished removes what a Prepare that was stopped has left: hundreds of megabytes,
// if it was compiling. It is called under the lock.
func sweepUnfinished(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, unfinished))
	for _, path := range left {
		os.RemoveAll(path) // what stays costs room and nothing else
	}
}

// makeRoot makes the guest's "/": empty folders where the others are mounted.
func makeRoot(dir string) error {
	for _, path := range append([]string{Home, Tmp}, readOnly...) {
		if path == guestMatplotlib {
			continue // inside a file
		}
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// makeGuest unpacks the embedded Python files.
func makeGuest(dir string) error {
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	err = eachGuestFile(func(path string, text []byte) error {
		to := filepath.Join(fresh, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
	if err = errors.Join(err, os.Chmod(fresh, 0o755)); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}

// withScratch lends an empty folder, which goes with the next Prepare if this one is
// stopped.
func withScratch(c Config, do func(*os.Root) error) error {
	dir, err := os.MkdirTemp(filepath.Dir(c.Code), unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return do(root)
}
