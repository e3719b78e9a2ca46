package storage

import (
	"context"
	"os"
)

// Compact writes a checkpoint now, with the history, and answers how many bytes of files
// that has freed. Writers wait meanwhile.
func (s *Store) Compact(ctx context.Context) (freed int64, err error) {
	if s.log == nil {
		return 0, nil
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	before := s.log.bytes()
	if err := s.log.restart(tx.base, s.remembered()); err != nil {
		return 0, err
	}
	return max(before-s.log.bytes(), 0), nil
}

// Garbage is about how many bytes Compact would free.
func (s *Store) Garbage() int64 {
	if s.log == nil {
		return 0
	}
	return max(s.log.bytes()-s.State().Bytes, 0)
}

// bytes is the size of all files.
func (l *log) bytes() int64 {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return 0
	}
	n := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}
