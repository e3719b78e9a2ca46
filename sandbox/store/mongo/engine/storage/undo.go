package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"weak"
)

// Restore makes what an earlier state holds the newest again: all of it, or one
// database alone. It costs the same however much that is. In the log it is one small
// record that names the state, unless a checkpoint was written since that was the
// newest: then a new one is. Change streams lose their place by it. What is remembered
// of retryable writes stays: one that was undone is not done again.
func (s *Store) Restore(ctx context.Context, old *State, db string) error {
	if old.store != s {
		return errors.New("restore: the snapshot is of another store")
	}
	tx, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	next := tx.base.undo(old, db, s.tick(tx.base.TS+1)) // a step ahead: streams notice
	if s.log != nil {
		if err := s.log.undo(next, old, db, max(old.nextID, tx.base.nextID)); err != nil {
			return err
		}
	}
	s.state.Store(next)
	s.mu.Lock()
	s.history.clear(next.TS - 1)
	s.wake()
	s.mu.Unlock()
	return nil
}

// undo answers the state after s, of cluster time ts, in which old is there again.
func (s *State) undo(old *State, db string, ts uint64) *State {
	next := s.copy()
	if db == "" {
		next = old.copy()
		next.Bytes += s.retries.bytes - old.retries.bytes
		next.retries = s.retries.snapshot()
	}
	next.TS, next.Seq = ts, s.Seq+1
	next.nextID = max(old.nextID, s.nextID)
	next.Garbage = s.Garbage + s.Bytes
	if db != "" {
		next.replaceDatabase(old, db)
	}
	return next
}

func (s *State) replaceDatabase(old *State, db string) {
	for _, c := range s.Collections(db) {
		s.colls.Delete(c.NS.key())
		s.Bytes -= c.total()
	}
	taken := map[uint64]bool{} // collections that went to other databases by a rename
	for _, c := range s.Collections("") {
		taken[c.ID] = true
	}
	for _, c := range old.Collections(db) {
		if taken[c.ID] {
			another := *c
			another.ID = s.nextID
			s.nextID++
			sum := sha256.Sum256(append(c.UUID[:], byte(another.ID), byte(another.ID>>8), byte(another.ID>>16)))
			another.UUID = [16]byte(sum[:16])
			another.UUID[6], another.UUID[8] = another.UUID[6]&0x0f|0x40, another.UUID[8]&0x3f|0x80
			c = &another
		}
		s.colls.Set(c.NS.key(), c)
		s.Bytes += c.total()
	}
}

// undo writes to the log that what old holds is in next again. first is the number of the
// first collection that had to get a new one.
func (l *log) undo(next, old *State, db string, first uint64) error {
	l.mu.Lock()
	seq := old.Seq
	if old == l.again.Value() {
		seq = l.againSeq
	}
	reached := seq >= l.since
	l.mu.Unlock()
	if !reached {
		if err := l.restart(next, history{gone: next.TS - 1}); err != nil || db != "" {
			return err
		}
		l.again, l.againSeq = weak.Make(old), next.Seq // the same content, for the next time
		return nil
	}
	return l.append(next, &Commit{Wall: l.store.opts.Clock(), Ops: []Op{{Kind: undo, Coll: first, Record: int64(seq), Name: db}}})
}

// replayUndo does it again when the log is read.
func (tx *Tx) replayUndo(op Op) error {
	l := tx.store.log
	old := l.saved[uint64(op.Record)]
	if old == nil {
		return errors.New("the log goes back to a state that it doesn't hold")
	}
	ts, number := tx.cur.TS, tx.cur.Seq
	tx.cur.nextID = op.Coll
	tx.cur = tx.cur.undo(old, op.Name, ts)
	tx.cur.Seq, tx.owned = number, nil
	clear(l.names)
	for _, c := range tx.cur.Collections("") {
		l.names[c.ID] = c.NS
	}
	tx.store.history.clear(ts - 1)
	return nil
}

// findUndone finds the states that the logs go back to: they are kept while reading.
func (l *log) findUndone(logs []uint64) error {
	l.saved = map[uint64]*State{}
	for _, n := range logs {
		_, err := scan(l.path("log", n), true, func(payload []byte) error {
			r := &reader{b: payload}
			r.uvarint()
			r.uvarint()
			if len(r.b) > 0 && Kind(r.b[0]) == stamp {
				r.bytes(1)
				r.uvarint()
				r.varint()
			}
			if len(r.b) > 0 && Kind(r.b[0]) == undo {
				r.bytes(1)
				r.uvarint()
				l.saved[uint64(r.varint())] = nil
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *log) save(tx *Tx) {
	if _, wanted := l.saved[tx.cur.Seq]; wanted {
		l.saved[tx.cur.Seq] = tx.View()
	}
}
