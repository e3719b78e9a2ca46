//go:build unix

package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// makeCache makes the parts folder. Root's own must be root's alone: the program runs
// what it finds there.
func makeCache(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cacheError(err)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		info, err := os.Stat(d)
		if err != nil {
			return fmt.Errorf("look at the cache folder: %w", err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 {
			return fmt.Errorf("the cache folder %s belongs to uid %d: as root, use a folder of root's own (STOREROOM_CACHE)", d, owner)
		}
		if err := os.Chmod(d, 0o755); err != nil {
			return fmt.Errorf("set the cache folder's permissions: %w", err)
		}
	}
	return nil
}

// lock takes the lock file's lock, which ends with the process. waiting is called once
// if another process holds it.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, cacheError(err)
	}
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock the cache folder: %w", err)
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
