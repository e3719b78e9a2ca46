package storage

import (
	"context"
	"slices"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Commit is what one commit changed.
type Commit struct {
	TS   uint64 // cluster time, unique
	Seq  uint64
	Wall time.Time
	Ops  []Op

	Session bsonval.Doc // the lsid that a transaction of many commands was in; nil: none
	Number  int64       // the transaction's

	state *State // that it made; nil: too long ago
}

// history are the newest commits, bounded in bytes. The last one always stays: it may be
// larger than the bound, and a change stream has still to see it.
type history struct {
	commits []Commit
	sizes   []int64
	bytes   int64
	limit   int64
	gone    uint64 // the cluster time up to which commits are no longer known
}

func (h *history) add(c Commit) {
	size := int64(64)
	for _, op := range c.Ops {
		size += 160 + int64(len(op.Before)+len(op.After))
	}
	h.commits, h.sizes, h.bytes = append(h.commits, c), append(h.sizes, size), h.bytes+size
	if old := len(h.commits) - 1 - keptStates; old >= 0 {
		h.commits[old].state = nil
	}
	drop := 0
	for h.bytes > h.limit && drop < len(h.commits)-1 {
		h.bytes -= h.sizes[drop]
		h.gone = h.commits[drop].TS
		h.commits[drop] = Commit{}
		drop++
	}
	h.commits, h.sizes = h.commits[drop:], h.sizes[drop:]
}

// keptStates is how many of the newest commits have the state that they made: each keeps
// alive what was changed since.
const keptStates = 64

func (h *history) clear(ts uint64) {
	*h = history{limit: h.limit, gone: ts}
}

// remembered is the history as it is now.
func (s *Store) remembered() history {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.history
	h.commits = slices.Clone(h.commits)
	return h
}

func (s *Store) publish(c Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history.add(c)
	s.wake()
}

func (s *Store) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// After answers the commits later than cluster time ts, oldest first. lost says that
// some of them are no longer known.
func (s *Store) After(ts uint64) (commits []Commit, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ts < s.history.gone {
		return nil, true
	}
	all := s.history.commits
	lo, hi := 0, len(all)
	for lo < hi {
		mid := (lo + hi) / 2
		if all[mid].TS <= ts {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	out := slices.Clone(all[lo:]) // the history forgets its own
	for i := range out {
		out[i].state = nil
	}
	return out, false
}

// Wait returns when a state later than seq is there, the context ends or the store
// closes.
func (s *Store) Wait(ctx context.Context, seq uint64) error {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return errClosed
		}
		if s.State().Seq > seq {
			s.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return mongoerr.From(context.Cause(ctx))
		}
	}
}
