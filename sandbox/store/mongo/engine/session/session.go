// Package session keeps logical sessions: who they belong to, when they were used last,
// which number the newest retryable write or transaction has, and the transaction that
// is open in them. What retryable writes were answered is kept with the data, by package
// storage.
package session

import (
	"crypto/sha256"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Timeout is how long an unused session lives, as hello announces it.
const Timeout = 30 * time.Minute

// ID is a session's lsid: a UUID, and a digest of the user that it belongs to.
type ID struct {
	UUID [16]byte
	User string
}

// Doc is the id as the server stores it, with the digest of the user's name.
func (id ID) Doc() bsonval.Doc {
	return bsonval.D(bsonval.E("id", bsonval.BinaryValue(4, id.UUID[:])), bsonval.E("uid", bsonval.BinaryValue(0, Digest(id.User))))
}

// Digest is what a session's id tells of its user's name.
func Digest(user string) []byte {
	digest := sha256.Sum256([]byte(user))
	return digest[:]
}

// Key is the ID as text, for package storage.
func (id ID) Key() string { return string(id.UUID[:]) + id.User }

// Session is one logical session. Lock it while a command with a txnNumber works on it.
type Session struct {
	ID ID

	mu       sync.Mutex
	lastUse  time.Time
	number   int64 // the newest txnNumber; -1: none yet
	Txn      any   // the transaction's state, package command's
	checkout sync.Mutex
}

// Registry holds a server's sessions.
type Registry struct {
	clock func() time.Time
	mu    sync.Mutex
	all   map[ID]*Session
}

// NewRegistry makes an empty registry.
func NewRegistry(clock func() time.Time) *Registry {
	return &Registry{clock: clock, all: map[ID]*Session{}}
}

// maxSessions bounds how many there are; the oldest go first.
const maxSessions = 10_000

// Get answers the session, made if it is new, and notes that it is used.
func (r *Registry) Get(id ID) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock()
	s := r.all[id]
	if s == nil {
		if len(r.all) >= maxSessions {
			r.expire(now, now.Add(-time.Minute))
		}
		s = &Session{ID: id, number: -1}
		r.all[id] = s
	}
	s.mu.Lock()
	s.lastUse = now
	s.mu.Unlock()
	return s
}

// Expire forgets sessions that were not used for Timeout and answers them.
func (r *Registry) Expire() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock()
	return r.expire(now, now.Add(-Timeout))
}

func (r *Registry) expire(_, before time.Time) []*Session {
	var out []*Session
	for id, s := range r.all {
		s.mu.Lock()
		old := s.lastUse.Before(before)
		s.mu.Unlock()
		if old {
			delete(r.all, id)
			out = append(out, s)
		}
	}
	return out
}

// Find answers a session that is known, else nil.
func (r *Registry) Find(id ID) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// Remove forgets a session and answers it, nil when it wasn't known.
func (r *Registry) Remove(id ID) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.all[id]
	delete(r.all, id)
	return s
}

// All answers the sessions that are known.
func (r *Registry) All() []*Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*Session, 0, len(r.all))
	for _, s := range r.all {
		out = append(out, s)
	}
	return out
}

// LastUse is when the session was used last.
func (s *Session) LastUse() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastUse
}

// Checkout waits until no other command with a txnNumber works on the session, and
// keeps others away until release is called.
func (s *Session) Checkout() (release func()) {
	s.checkout.Lock()
	return s.checkout.Unlock
}

// TryCheckout is Checkout that doesn't wait; ok is false when another command works on
// the session.
func (s *Session) TryCheckout() (release func(), ok bool) {
	if !s.checkout.TryLock() {
		return nil, false
	}
	return s.checkout.Unlock, true
}

// Number is the newest transaction number, -1 before the first.
func (s *Session) Number() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number
}

// Advance makes number the newest one. An older one than that is an error.
func (s *Session) Advance(number int64) (fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case number < s.number:
		return false, mongoerr.New(mongoerr.TransactionTooOld, "Cannot start transaction %d on session because a newer transaction with txnNumber %d has already started on this session.", number, s.number)
	case number == s.number:
		return false, nil
	}
	s.number = number
	return true, nil
}
