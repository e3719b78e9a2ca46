package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// maxSocket is the longest path of a unix socket that the kernel takes, in bytes.
const maxSocket = 107

// Folder makes a folder of mode 0700 that belongs to uid (0: to this process's user).
// Its parent must not be writable by that uid.
func Folder(dir string, uid int) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && uid != 0 && int(s.Uid) != uid {
		return os.Lchown(dir, uid, uid)
	}
	return nil
}

// FreeSocket removes what a crash has left at a socket's path, and makes sure that the
// kernel will take the path.
func FreeSocket(path string) error {
	if len(path) > maxSocket {
		return fmt.Errorf("the path of a socket is longer than %d bytes (%s): choose a shorter run-time folder", maxSocket, path)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
