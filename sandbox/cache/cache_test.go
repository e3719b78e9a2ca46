package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// stock makes a cache folder with these entries; a name that ends in a slash is a folder.
func stock(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			path = filepath.Join(path, "file")
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("content"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// uses holds and narrows, as a version of Storeroom does that is started.
func uses(t *testing.T, dir string, names ...string) *Held {
	t.Helper()
	h, err := Hold(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, name := range names {
		paths = append(paths, filepath.Join(dir, name))
	}
	h.Only(paths...)
	return h
}

// used is a version that was used so long ago.
func used(t *testing.T, dir string, ago time.Duration, names ...string) {
	t.Helper()
	h := uses(t, dir, names...)
	path, then := h.mine.Name(), time.Now().Add(-ago)
	if err := errors.Join(h.Close(), os.Chtimes(path, then, then)); err != nil {
		t.Fatal(err)
	}
}

// sweeps sweeps and fails unless these entries are left.
func sweeps(t *testing.T, dir string, now time.Time, left ...string) (freed int64) {
	t.Helper()
	freed, err := Sweep(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, pattern := range append(patterns, "*", "parts/*", "python/*") {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range found {
			name, _ := filepath.Rel(dir, path)
			if !slices.Contains([]string{usesFolder, "parts", "python"}, name) {
				got = append(got, name)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(left)
	if got = slices.Compact(got); !slices.Equal(got, left) {
		t.Errorf("left are %q, want %q", got, left)
	}
	return freed
}

const day = 24 * time.Hour

func TestWhatNobodyUsedForLongIsSwept(t *testing.T) {
	dir := stock(t, "parts/wasmtime-1-aa/", "parts/wasmtime-2-bb/", "python/code-1", "python/code-2", "python/image-1", "python/image-1.json",
		"python/image-2", "python/image-2.json", "python/guest-1/", "python/guest-2/", "python/root/", "python/lock",
		"postgres-template-1/", "postgres-template-1.lock", "postgres-template-2/", "postgres-template-2.lock", "notes.txt", "parts/.lock")
	used(t, dir, 15*day, "parts/wasmtime-1-aa/lib.so", "python/code-1", "python/image-1", "python/guest-1", "postgres-template-1")
	second := uses(t, dir, "parts/wasmtime-2-bb/lib.so", "python/code-2", "python/image-2", "python/guest-2", "postgres-template-2")
	defer second.Close()
	freed := sweeps(t, dir, time.Now(), "parts/wasmtime-2-bb", "python/code-2", "python/image-2", "python/image-2.json", "python/guest-2", "python/root",
		"python/lock", "postgres-template-2", "postgres-template-2.lock", "notes.txt", "parts/.lock")
	if freed == 0 {
		t.Error("nothing was freed")
	}
	if files, _ := os.ReadDir(filepath.Join(dir, usesFolder)); len(files) != 2 {
		t.Errorf("%v are left of the uses", files)
	}
}

func TestARunningVersionIsKeptHoweverOld(t *testing.T) {
	dir := stock(t, "python/image-1", "python/code-1", "python/code-2")
	old := uses(t, dir, "python/image-1", "python/code-1")
	then := time.Now().Add(-100 * day)
	if err := os.Chtimes(old.mine.Name(), then, then); err != nil {
		t.Fatal(err)
	}
	used(t, dir, 90*day, "python/code-1", "python/code-2")
	sweeps(t, dir, time.Now(), "python/image-1", "python/code-1")
	old.Close() // which is a use as well
	sweeps(t, dir, time.Now(), "python/image-1", "python/code-1")
	sweeps(t, dir, time.Now().Add(15*day))
}

func TestTheNewestVersionsAreKept(t *testing.T) {
	dir := stock(t, "python/image-1", "python/image-2", "python/image-3", "python/image-4", "python/image-5", "python/code-1")
	for i, name := range []string{"1", "2", "3", "4", "5"} {
		used(t, dir, time.Duration(6-i)*2*time.Hour, "python/image-"+name, "python/code-1")
	}
	sweeps(t, dir, time.Now(), "python/image-3", "python/image-4", "python/image-5", "python/code-1")
}

// Tests of many versions may go on at once, and their sandboxes come and go.
func TestWhatWasUsedJustNowIsKept(t *testing.T) {
	dir := stock(t, "python/image-1", "python/image-2", "python/image-3", "python/image-4", "python/image-5")
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		used(t, dir, time.Minute, "python/image-"+name)
	}
	sweeps(t, dir, time.Now(), "python/image-1", "python/image-2", "python/image-3", "python/image-4", "python/image-5")
}

// Versions before this one list nothing.
func TestWhatNoVersionListsIsKeptForAWhile(t *testing.T) {
	dir := stock(t, "python/image-1", "parts/.lock")
	sweeps(t, dir, time.Now().Add(100*day), "python/image-1", "parts/.lock") // nobody has held it yet
	used(t, dir, 0, "python/code-1")
	sweeps(t, dir, time.Now(), "python/image-1", "parts/.lock")
	sweeps(t, dir, time.Now().Add(15*day), "parts/.lock")
}

func TestNothingIsSweptWhileSomebodyPrepares(t *testing.T) {
	dir := stock(t, "python/image-1")
	used(t, dir, 15*day, "python/image-1")
	h, err := Hold(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !InUse(dir) {
		t.Error("a cache that is held counts as unused")
	}
	sweeps(t, dir, time.Now(), "python/image-1")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if InUse(dir) {
		t.Error("a cache that nobody holds counts as used")
	}
	sweeps(t, dir, time.Now())
}

func TestHoldWaitsForASweep(t *testing.T) {
	dir := stock(t)
	used(t, dir, 0, "python/code-1")
	lock, err := os.Open(filepath.Join(dir, usesFolder, lockName))
	if err != nil {
		t.Fatal(err)
	}
	if err := own(lock); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan error)
	go func() {
		_, err := Hold(ctx, dir)
		held <- err
	}()
	cancel()
	if err := <-held; !errors.Is(err, context.Canceled) {
		t.Errorf("while it was swept: %v", err)
	}
	go func() {
		h, err := Hold(t.Context(), dir)
		held <- errors.Join(err, h.Close())
	}()
	lock.Close()
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// A prepared cache may stand on a disk that is only read, as in the container.
func TestACacheThatCantBeWrittenIsHeldWithoutAnError(t *testing.T) {
	h, err := Hold(t.Context(), "/proc/storeroom")
	if err != nil {
		t.Fatal(err)
	}
	h.Only("/proc/storeroom/python/code-1")
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestInUseSeesARunningVersion(t *testing.T) {
	dir := stock(t, "python/code-1")
	if InUse(dir) {
		t.Error("a cache that nobody has held counts as used")
	}
	h := uses(t, dir, "python/code-1")
	if !InUse(dir) {
		t.Error("a running version is not seen")
	}
	h.Close()
	if InUse(dir) {
		t.Error("a version that ended is still seen")
	}
}

func TestPathsOutsideTheCacheAreNotListed(t *testing.T) {
	got := entries("/cache", []string{"/usr/bin/redis-server", "/cache/python/image-1.json", "/cache/python/image-1", "/cache/parts/a-1-ff/lib/x.so", "", "/cache/postgres-template-1"})
	if want := []string{"parts/a-1-ff", "postgres-template-1", "python/image-1"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
