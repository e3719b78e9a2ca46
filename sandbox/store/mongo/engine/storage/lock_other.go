//go:build !unix

package storage

import (
	"fmt"
	"os"
)

// lockFolder opens the lock file; this system can't lock it.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	return f, nil
}
