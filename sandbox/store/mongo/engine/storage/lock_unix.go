//go:build unix

package storage

import (
	"fmt"
	"os"
	"syscall"
)

// lockFolder takes the folder for this process until the file is closed.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock data folder: another process has %s open: %w", path, err)
	}
	return f, nil
}
