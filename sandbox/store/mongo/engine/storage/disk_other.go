//go:build !linux && !darwin && !freebsd

package storage

// diskOf can't tell on this system.
func diskOf(string) (used, total int64, ok bool) { return 0, 0, false }
