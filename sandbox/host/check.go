package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"storeroom/sandbox/confine"
)

// longestRun is how long the path of the run-time folder may be, in bytes, so that those
// of the sockets below it (sandbox, store, .s.PGSQL.5432) end at the kernel's 107.
const longestRun = 107 - len("/12345678/pg/.s.PGSQL.5432")

// leastRoom is what must be free on the disk of the data: a learner's PostgreSQL begins
// with 30 MB.
const leastRoom = 64 << 20

// Check makes the folders of c that an operator names, and finds what keeps Open from
// using them. It needs no parts: it is for a moment before the work of preparing them.
// Its errors name the flag and say what to do.
func Check(c Config) error {
	lock, err := takeFolders(c)
	if err != nil {
		return err
	}
	return lock.Close()
}

// takeFolders is Check, and keeps other Hosts from the data until the lock is closed.
func takeFolders(c Config) (lock *os.File, err error) {
	if len(c.Run) > longestRun {
		return nil, fmt.Errorf("the path of the run-time folder is longer than %d bytes (%s): choose a shorter one with --run", longestRun, c.Run)
	}
	for _, f := range []folder{{c.Data, "data", "--data"}, {filepath.Join(c.Data, sandboxesName), "data", "--data"}, {c.Run, "run-time", "--run"}} {
		if err := f.make(); err != nil {
			return nil, err
		}
	}
	if lock, err = lockFolder(c.Data); err != nil {
		return nil, err
	}
	if err := (folder{c.Data, "data", "--data"}).room(leastRoom); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// folder is one that an operator names.
type folder struct{ dir, name, flag string }

// make makes the folder, and makes sure that this user and those of the sandboxes can use it.
func (f folder) make() error {
	if err := os.MkdirAll(f.dir, 0o711); err != nil {
		return f.problem(err)
	}
	probe, err := os.MkdirTemp(f.dir, ".probe-*")
	if err != nil {
		return f.problem(err)
	}
	if err := os.Remove(probe); err != nil {
		return f.problem(err)
	}
	return f.passable()
}

// passable makes sure that root's sandboxes, which have users of their own, reach the folder.
func (f folder) passable() error {
	if !confine.ManyUsers() {
		return nil
	}
	for dir := f.dir; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return f.problem(err)
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("the users that sandboxes have can't pass through %s (its permissions are %#o), so the %s folder %s can't be used: choose another with %s, or chmod o+x it", dir, info.Mode().Perm(), f.name, f.dir, f.flag)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// problem says what to do about a folder that can't be used.
func (f folder) problem(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk of the %s folder %s is full: make room, or choose another folder with %s", f.name, f.dir, f.flag)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("the %s folder can't be made, since there is a file in its place (%w): choose another with %s", f.name, err, f.flag)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("this user can't write the %s folder %s (%w): choose another with %s, or start Storeroom as its owner", f.name, f.dir, err, f.flag)
	}
	return fmt.Errorf("the %s folder can't be made (%w): choose another with %s", f.name, err, f.flag)
}

// lockFolder makes sure that one Host at a time owns the data.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, folder{dir, "data", "--data"}.problem(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another Storeroom uses the data in %s: stop it, or choose another folder with --data", dir)
	}
	return f, owned(f, dir)
}

// owned refuses what another user's Storeroom has made: root could write it, and the
// sandboxes in it would not be theirs.
func owned(lock *os.File, dir string) error {
	info, err := lock.Stat()
	if err == nil {
		if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != os.Geteuid() {
			err = fmt.Errorf("the data in %s belongs to the Storeroom of another user (uid %d): start it as that user, or choose another folder with --data", dir, owner)
		}
	}
	if err != nil {
		return errors.Join(err, lock.Close())
	}
	return nil
}

// room makes sure that so many bytes are free on the folder's disk.
func (f folder) room(least uint64) error {
	var disk unix.Statfs_t
	if unix.Statfs(f.dir, &disk) != nil {
		return nil // what can't be counted may do
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < least {
		return fmt.Errorf("the disk of the %s folder %s is full (%d MB are free, and at least %d are needed): make room, or choose another folder with %s", f.name, f.dir, free>>20, least>>20, f.flag)
	}
	return nil
}
