// Package pythontest gives tests a prepared interpreter. It prepares one in the shared
// cache when there is none, which takes about a minute once a machine. Production code
// never imports it.
package pythontest

import (
	"bytes"
	"os"
	"sync"
	"testing"

	"storeroom/sandbox/cache"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/python"
	"storeroom/sandbox/python/wasi"
)

// Config answers the prepared configuration, which is kept from being swept until the
// test's end.
func Config(t testing.TB) python.Config {
	t.Helper()
	held, err := cache.Hold(t.Context(), parts.CacheDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	set := parts.ForTest(t)
	c, err := python.Cached(set, parts.CacheDir())
	if err != nil {
		c, err = python.Prepare(t.Context(), set, parts.CacheDir(), func(p python.Progress) { t.Log(p) })
	}
	if err != nil {
		t.Fatal(err)
	}
	held.Only(set.Wasmtime, set.PythonWasm, set.Site, c.Code, c.Image, c.Guest)
	return c
}

// ForTest answers an engine that is closed with the test.
func ForTest(t testing.TB) *python.Engine {
	t.Helper()
	e, err := python.Open(Config(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Output collects what a guest writes. It is for any number of goroutines.
type Output struct {
	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// Write is wasi.Config's Output.
func (o *Output) Write(fd int, p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if fd == 2 {
		o.stderr.Write(p)
	} else {
		o.stdout.Write(p)
	}
	return nil
}

// Take answers what was written since the last Take.
func (o *Output) Take() (stdout, stderr string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	stdout, stderr = o.stdout.String(), o.stderr.String()
	o.stdout.Reset()
	o.stderr.Reset()
	return stdout, stderr
}

// Guest forks a guest with folders of its own; both are gone after the test. home is
// its home folder on the host.
func Guest(t testing.TB, e *python.Engine, c python.GuestConfig) (g *python.Guest, out *Output, home string) {
	t.Helper()
	home = t.TempDir()
	roots := [2]*os.Root{}
	for i, dir := range []string{home, t.TempDir()} {
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		roots[i] = root
	}
	out = &Output{}
	files, err := e.Files(python.FilesConfig{Home: roots[0], Tmp: roots[1], Quota: &wasi.Quota{Bytes: 64 << 20, Files: 2000}, Output: out.Write})
	if err != nil {
		t.Fatal(err)
	}
	c.Files = files
	if g, err = e.Guest(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g, out, home
}
