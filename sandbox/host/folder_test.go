package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

// open is a folder that root's sandboxes, which have users of their own, can pass through.
func open(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "storeroom-folder-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refused fails unless neither Check nor Open takes the folders, and both say this.
func refused(t *testing.T, c host.Config, want string) {
	t.Helper()
	c.Limits = sandbox.Defaults()
	for name, err := range map[string]error{"check": host.Check(c), "open": errorOf(host.Open(t.Context(), c))} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func errorOf(_ *host.Host, err error) error { return err }

func TestOpenSaysWhichFolderToMove(t *testing.T) {
	dir := open(t)
	data, run, file := filepath.Join(dir, "data"), filepath.Join(dir, "run"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, host.Config{Data: file, Run: run}, "a file in its place")
	refused(t, host.Config{Data: filepath.Join(file, "data"), Run: run}, "choose another with --data")
	refused(t, host.Config{Data: data, Run: filepath.Join(file, "run")}, "choose another with --run")
	refused(t, host.Config{Data: data, Run: "/tmp/" + strings.Repeat("x", 90)}, "choose a shorter one with --run")
	if err := host.Check(host.Config{Data: data, Run: run}); err != nil {
		t.Errorf("what is good is refused: %v", err)
	}
}

func TestOpenSaysWhoseTheDataIs(t *testing.T) {
	dir := open(t)
	c := host.Config{Data: filepath.Join(dir, "data"), Run: filepath.Join(dir, "run")}
	if err := host.Check(c); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Open(filepath.Join(c.Data, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	refused(t, c, "another Storeroom uses the data in "+c.Data+": stop it, or choose another folder with --data")
	lock.Close()
	if os.Geteuid() != 0 {
		if err := os.Chmod(c.Data, 0o500); err != nil {
			t.Fatal(err)
		}
		refused(t, c, "this user can't write the data folder "+c.Data)
		if err := os.Chmod(c.Data, 0o700); err != nil { // so that it can be removed
			t.Error(err)
		}
		return
	}
	if err := os.Chown(lock.Name(), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	refused(t, c, "belongs to the Storeroom of another user (uid 12345)")
	if err := errors.Join(os.Chown(lock.Name(), 0, 0), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	refused(t, c, "can't pass through "+dir+" (its permissions are 0700)")
}
