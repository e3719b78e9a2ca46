package host_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"storeroom/sandbox/cache"
	"storeroom/sandbox/host"
	"storeroom/sandbox/host/hosttest"
	"storeroom/sandbox/parts"
)

// borrow is a cache folder of its own in which the shared one's parts and Python stand. As
// a cache must be, it is open to the users that root's sandboxes and stores have.
func borrow(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "storeroom-cache-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parts", "python"} {
		if err := os.Symlink(filepath.Join(parts.CacheDir(), name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What a Host uses stays, however old it is, for as long as the Host is open.
func TestAHostHoldsItsCache(t *testing.T) {
	config := hosttest.Config(t)
	config.Cache = borrow(t)
	h := hosttest.Open(t, config)
	if !cache.InUse(config.Cache) {
		t.Error("a sweep would take what an open host uses")
	}
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if cache.InUse(config.Cache) {
		t.Error("the cache is held after the end")
	}
}

// A prepared cache may be one to read only, so that nothing is left for a Host to make.
func TestPrepareLeavesNothingToMake(t *testing.T) {
	hosttest.Config(t) // the parts are there
	dir := borrow(t)
	if host.Prepared(dir) {
		t.Error("a cache without PostgreSQL's template counts as prepared")
	}
	set, held, err := host.Prepare(t.Context(), dir, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if set.Wasmtime == "" || !cache.InUse(dir) || !host.Prepared(dir) {
		t.Errorf("%+v, prepared %v", set, host.Prepared(dir))
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
}
