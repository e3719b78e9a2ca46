//go:build linux || darwin || freebsd

package storage

import "syscall"

// diskOf asks the file system that holds a folder.
func diskOf(dir string) (used, total int64, ok bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, false
	}
	block := int64(fs.Bsize) //nolint:unconvert // its type differs between systems
	return int64(fs.Blocks-uint64(fs.Bfree)) * block, int64(fs.Blocks) * block, true
}
