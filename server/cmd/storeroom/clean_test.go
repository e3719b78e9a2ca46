package main

import (
	"os"
	"syscall"
	"testing"

	"storeroom/sandbox/cache"
)

func TestCleanAsksAndNamesSizes(t *testing.T) {
	cache, data := t.TempDir(), t.TempDir()
	write(t, cache, "parts/x", string(make([]byte, 3<<20)))
	write(t, data, "sandboxes/y", "z")
	args := []string{"clean", "--cache", cache, "--data", data}
	storeroom(t, "no\n", args...).wants(t, 1, "   3 MiB  "+cache, "")
	storeroom(t, "", args...).wants(t, 1, "nothing was removed", "")
	if _, err := os.Stat(cache + "/parts/x"); err != nil {
		t.Fatal("removed without a yes")
	}
	storeroom(t, "", append(args, "--yes", "--keep-data")...).wants(t, 0, "removed", "")
	if _, err := os.Stat(data + "/sandboxes/y"); err != nil {
		t.Fatal("--keep-data did not keep the data")
	}
	storeroom(t, "yes\n", args...).wants(t, 0, "removed", "")
	for _, dir := range []string{cache, data} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there", dir)
		}
	}
	storeroom(t, "", args...).wants(t, 0, "is not there", "")
}

func TestCleanRemovesNothingThatIsNotOurs(t *testing.T) {
	cache, home := t.TempDir(), t.TempDir()
	write(t, cache, "parts/x", "x")
	write(t, home, "letters/dear.txt", "z")
	storeroom(t, "", "clean", "--yes", "--cache", cache, "--data", home).wants(t, 1, "", "does not look like a folder of Storeroom's")
	if _, err := os.Stat(home + "/letters/dear.txt"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(cache + "/parts/x"); err != nil {
		t.Error("half of it was removed")
	}
}

func TestCleanLeavesARunningServerAlone(t *testing.T) {
	data := t.TempDir()
	write(t, data, "sandboxes/y", "z")
	lock, err := os.Open(write(t, data, "lock", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	storeroom(t, "", "clean", "--yes", "--keep-cache", "--data", data).wants(t, 1, "", "stop it first")
	prepared := t.TempDir()
	held, err := cache.Hold(t.Context(), prepared)
	if err != nil {
		t.Fatal(err)
	}
	storeroom(t, "", "clean", "--yes", "--keep-data", "--cache", prepared).wants(t, 1, "", "stop it first")
	held.Close()
	storeroom(t, "", "clean", "--yes", "--keep-data", "--cache", prepared).wants(t, 0, "removed", "")
}
