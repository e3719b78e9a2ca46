package wasi

import (
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func identify(s fs.FileInfo) identity {
	st, ok := s.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{uint64(st.Dev), st.Ino}
}

func statTimes(s fs.FileInfo) (accessed, changed int64, links uint64) {
	st, ok := s.Sys().(*syscall.Stat_t)
	if !ok {
		t := s.ModTime().UnixNano()
		return t, t, 1
	}
	return st.Atim.Nano(), st.Ctim.Nano(), uint64(st.Nlink)
}

func timespecs(accessed, modified, flags uint64) [2]unix.Timespec {
	pick := func(ns, set, now uint64) unix.Timespec {
		switch {
		case flags&now != 0:
			return unix.Timespec{Nsec: unix.UTIME_NOW}
		case flags&set != 0:
			return unix.NsecToTimespec(int64(ns))
		}
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return [2]unix.Timespec{pick(accessed, setAccessed, setAccessedNow), pick(modified, setModified, setModifiedNow)}
}

// setNameTimes sets the times of name in folder, never of what a link there points to.
func setNameTimes(folder *os.File, name string, accessed, modified, flags uint64) error {
	ts := timespecs(accessed, modified, flags)
	err := unix.UtimesNanoAt(int(folder.Fd()), name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
	runtime.KeepAlive(folder)
	return err
}

// setFileTimes is futimens(3), which golang.org/x/sys lacks.
func setFileTimes(file *os.File, accessed, modified, flags uint64) error {
	ts := timespecs(accessed, modified, flags)
	_, _, e := unix.Syscall6(unix.SYS_UTIMENSAT, file.Fd(), 0, uintptr(unsafe.Pointer(&ts[0])), 0, 0, 0)
	runtime.KeepAlive(file)
	if e != 0 {
		return e
	}
	return nil
}

// renameName renames a name in one folder to a name in another, as renameat(2).
func renameName(source *os.File, name string, target *os.File, newName string) error {
	err := unix.Renameat(int(source.Fd()), name, int(target.Fd()), newName)
	runtime.KeepAlive(source)
	runtime.KeepAlive(target)
	return err
}
