// Package cache owns who uses what in the cache folder, which all clones of the project
// share, and the removal of what nobody uses any more. Who reads the cache holds it
// (sandbox/host, the tests), and `storeroom prepare` sweeps it after it has made
// something new. What is in the cache is made by others: this package knows the names
// alone, and never touches one that is not of their form.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usesFolder is the folder below the cache folder in which each version of Storeroom has
// a file: its name is made from what it lists, the entries of the cache that the version
// uses; its time is when the version was last used; its lock is shared by the processes
// that use it now.
const usesFolder = "uses"

// lockName is the file below usesFolder that is locked by a process that sweeps, and
// shared by those that don't know yet what they will use.
const lockName = "lock"

// Held keeps a cache folder's contents from being swept.
type Held struct {
	dir  string
	all  *os.File // nil after Only
	mine *os.File // nil before
}

// Hold keeps everything in the cache folder dir until Only or Close. It waits while
// another process sweeps, and its only error is that of ctx. A cache that this user can't
// write is held as far as that goes: its owner's sweeps may have left no file to lock.
func Hold(ctx context.Context, dir string) (*Held, error) {
	h := &Held{dir: dir}
	os.MkdirAll(filepath.Join(dir, usesFolder), 0o755) // opening says whether it is there
	var err error
	if h.all, err = open(filepath.Join(dir, usesFolder, lockName)); err != nil {
		return h, nil
	}
	const pause = 50 * time.Millisecond
	for errors.Is(share(h.all), syscall.EWOULDBLOCK) {
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), h.Close())
		case <-time.After(pause):
		}
	}
	return h, nil
}

// Only narrows the hold to the entries of the cache that these paths are in, until Close.
// Paths outside the cache folder are left out.
func (h *Held) Only(paths ...string) {
	text := []byte(strings.Join(entries(h.dir, paths), "\n") + "\n")
	sum := sha256.Sum256(text)
	if f, err := open(filepath.Join(h.dir, usesFolder, hex.EncodeToString(sum[:8]))); err == nil {
		share(f) // at most another process that shares it has it
		// Never by rename, which would leave the others' locks on a file without a name.
		if have, err := os.ReadFile(f.Name()); err != nil || string(have) != string(text) {
			f.WriteAt(text, 0)
		}
		h.mine = f
		h.touch()
	}
	if h.all != nil {
		h.all.Close()
		h.all = nil
	}
}

// Close ends the hold.
func (h *Held) Close() error {
	var err error
	if h.all != nil {
		err = h.all.Close()
	}
	if h.mine != nil {
		h.touch()
		err = errors.Join(err, h.mine.Close())
	}
	return err
}

// touch says that the entries are used now. It fails where the cache can't be written,
// and so can't be swept either.
func (h *Held) touch() {
	now := time.Now()
	os.Chtimes(h.mine.Name(), now, now)
}

// open opens a file of usesFolder, to be read by whoever uses the cache.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return os.Open(path)
	}
	return f, nil
}

// share takes a lock that other holders may have too.
func share(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) }

// own takes a lock that nobody else may have.
func own(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// patterns are the forms of the entries that may be swept: parts as sandbox/parts names
// them, what sandbox/python has made, and PostgreSQL's templates.
var patterns = []string{"parts/*-*-*", "python/code-*", "python/image-*", "python/guest-*", "postgres-template-*"}

// entries are the sorted names, below dir, of the entries that the paths lie in.
func entries(dir string, paths []string) []string {
	var names []string
	for _, path := range paths {
		name, err := filepath.Rel(dir, path)
		if err != nil || !filepath.IsLocal(name) {
			continue
		}
		parts := strings.Split(filepath.ToSlash(name), "/")
		depth := 1
		if parts[0] == "parts" || parts[0] == "python" {
			depth = 2
		}
		names = append(names, beside(strings.Join(parts[:min(depth, len(parts))], "/")))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// beside is the entry that a file beside it goes with: an image's description, the lock
// under which a template is made.
func beside(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".json"), ".lock")
}
