package storage

import (
	"slices"
	"time"

	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Old states that somebody still reads keep alive what was overwritten since. Garbage
// tells how much that is: the difference between two states' is about what the older one
// holds alone, in bytes.

// treeCopy is about what the nodes cost that one commit copies in one tree.
const treeCopy = 4 << 10

// garbage is what the Tx makes superfluous.
func (tx *Tx) garbage() int64 {
	n := int64(0)
	for i := range tx.ops {
		n += int64(len(tx.ops[i].Before)) + recordOverhead
	}
	for _, c := range tx.owned {
		n += int64(1+len(c.Indexes)) * min(treeCopy*int64(len(tx.ops)), c.total()+treeCopy)
	}
	return n
}

// pin is a state that a snapshot read may ask for again by its time.
type pin struct {
	state *State
	until time.Time
}

// What snapshot reads may go back to: so many states, for so long.
const (
	maxPins = 16
	pinTime = 5 * time.Minute
)

// Pin answers the newest state and keeps it for At, for a while.
func (s *Store) Pin() *State {
	state, now := s.State(), s.opts.Clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropPins(state)
	if n := len(s.pins); n > 0 && s.pins[n-1].state == state {
		s.pins[n-1].until = now.Add(pinTime)
		return state
	}
	s.pins = append(s.pins, pin{state, now.Add(pinTime)})
	return state
}

// dropPins forgets those that are too old, or hold too much. s.mu is held.
func (s *Store) dropPins(newest *State) {
	now := s.opts.Clock()
	s.pins = slices.DeleteFunc(s.pins, func(p pin) bool {
		return now.After(p.until) || s.opts.Memory > 0 && newest.Garbage-p.state.Garbage > s.opts.Memory
	})
	if len(s.pins) >= maxPins {
		s.pins = slices.Delete(s.pins, 0, len(s.pins)-maxPins+1)
	}
}

// At answers the state as it was at a cluster time: that of a commit not long ago, or one
// that was pinned.
func (s *Store) At(ts uint64) (*State, error) {
	newest := s.State()
	if ts >= newest.TS {
		return newest, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pins {
		if p.state.TS == ts {
			return p.state, nil
		}
	}
	all := s.history.commits
	for i := len(all) - 1; i >= 0 && all[i].state != nil; i-- {
		if all[i].TS <= ts {
			return all[i].state, nil
		}
	}
	return nil, mongoerr.New(mongoerr.SnapshotTooOld, "Read timestamp %d is older than the oldest available timestamp.", ts>>32)
}
