//go:build unix

package storage

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockPatience is how long a lock may be held by who is about to let it go: a process
// that ends, or one that this process has just forked and that has not executed its
// program yet, which closes what it inherited.
const lockPatience = 2 * time.Second

// lockFolder takes the folder for this process until the file is closed.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if time.Now().After(end) {
			f.Close()
			return nil, fmt.Errorf("lock data folder: another process has %s open: %w", path, err)
		}
	}
}
