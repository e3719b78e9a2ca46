package command

import (
	"sync"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) fsyncCommands() []Spec {
	return []Spec{
		{Name: "fsync", Fields: "lock fsyncLockAcquisitionTimeoutMillis", Run: s.fsyncCommand, Admin: true},
		{Name: "fsyncUnlock", Run: s.fsyncUnlock, Admin: true},
	}
}

// fsyncLock keeps everybody from writing while it is held, for a copy of the files. It
// counts: as often as it was taken it must be given back.
type fsyncLock struct {
	mu    sync.Mutex
	count int64
	tx    *storage.Tx // whose turn to write it is
}

func (l *fsyncLock) locked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count > 0
}

// free gives the lock back whatever its count.
func (l *fsyncLock) free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tx != nil {
		l.tx.Rollback()
	}
	l.count, l.tx = 0, nil
}

func (s *Server) fsyncCommand(r *Request) (bsonval.Doc, error) {
	lock, err := r.Bool("lock")
	if err != nil || !lock {
		return bsonval.D(bsonval.E("numFiles", bsonval.IntValue(1))), err
	}
	l := &s.fsync
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 {
		if l.tx, err = s.store.Begin(r.Op.Context()); err != nil {
			return nil, err
		}
	}
	l.count++
	var b bsonval.Builder
	b.Str("info", "now locked against writes, use db.fsyncUnlock() to unlock").Int64("lockCount", l.count)
	b.Str("seeAlso", "http://dochub.mongodb.org/core/fsynccommand")
	return b.Doc(), nil
}

func (s *Server) fsyncUnlock(*Request) (bsonval.Doc, error) {
	l := &s.fsync
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 {
		return nil, mongoerr.New(mongoerr.IllegalOperation, "fsyncUnlock called when not locked")
	}
	if l.count--; l.count == 0 {
		l.tx.Rollback()
		l.tx = nil
	}
	var b bsonval.Builder
	b.Str("info", "fsyncUnlock completed").Int64("lockCount", l.count)
	return b.Doc(), nil
}
