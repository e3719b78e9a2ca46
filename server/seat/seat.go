// Package seat owns who is who without accounts: the random token that a learner's
// browser keeps, the name that is shown for it, the file that remembers which sandbox
// belongs to it, and the short codes that take a seat to another browser. The server
// calls it. It never stores a token: a file is named by the token's hash.
package seat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// tokenBytes is 128 bits.
const tokenBytes = 16

// Seat is one learner's place.
type Seat struct {
	Token string // the secret that the browser keeps: 128 random bits
	ID    string // its SHA-256 in hex: the key for all that is remembered
	Name  string // for people, such as "K7-Heron"; two seats may share one
}

// New makes a seat that nobody has.
func New() Seat {
	token := make([]byte, tokenBytes)
	rand.Read(token)
	return of(base64.RawURLEncoding.EncodeToString(token))
}

// FromToken answers the seat with a token, false when no token looks like that.
func FromToken(token string) (Seat, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenBytes {
		return Seat{}, false
	}
	return of(token), true
}

func of(token string) Seat {
	hash := sha256.Sum256([]byte(token))
	return Seat{Token: token, ID: hex.EncodeToString(hash[:]), Name: name(hash[:])}
}

// name is a letter, a digit and a bird, by the seat's hash. None can be misread.
func name(hash []byte) string {
	const letters, digits = "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
	birds := strings.Fields(birdNames)
	bird := (int(hash[2])<<8 | int(hash[3])) % len(birds)
	return fmt.Sprintf("%c%c-%s", letters[int(hash[0])%len(letters)], digits[int(hash[1])%len(digits)], birds[bird])
}

const birdNames = `Avocet Bittern Bluetit Bunting Buzzard Chough Condor Coot Crane Curlew Dipper Dove
	Dunlin Eagle Egret Eider Falcon Finch Flicker Gannet Godwit Goose Grebe Grouse Gull Harrier
	Hawk Heron Hobby Hoopoe Ibis Jackdaw Jay Kestrel Kite Kiwi Lark Linnet Loon Magpie Martin
	Merlin Oriole Osprey Owl Parrot Partridge Pelican Petrel Pigeon Pipit Plover Puffin Quail
	Raven Robin Rook Sandpiper Shrike Siskin Skua Snipe Sparrow Starling Stork Swallow Swan Swift
	Teal Tern Thrush Toucan Turnstone Wagtail Warbler Wren`

// record is what a seat's file holds.
type record struct {
	Sandbox string    `json:"sandbox,omitempty"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
}

// seenEvery is how exact a record's Seen is.
const seenEvery = time.Hour

// Store remembers seats in a folder, a file each, so that they outlive the program.
type Store struct {
	dir string
	now func() time.Time

	mu    sync.Mutex
	known map[string]record // those that were read or written since the start
}

// Open takes the folder in which seats are remembered, and makes it if need be.
func Open(dir string, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the seats: %w", err)
	}
	return &Store{dir: dir, now: now, known: map[string]record{}}, nil
}

// Known tells whether a seat is remembered.
func (s *Store) Known(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.read(id)
	return ok
}

// Sit remembers a seat, or that it was seen again.
func (s *Store) Sit(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	r, ok := s.read(id)
	if !ok {
		r.Created = now
	}
	if now.Sub(r.Seen) < seenEvery {
		return nil
	}
	r.Seen = now
	return s.write(id, r)
}

// Sandbox is the seat's sandbox, "" when it has none yet.
func (s *Store) Sandbox(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, _ := s.read(id)
	return r.Sandbox
}

// ErrUnknown is answered for a seat that is not remembered (any more).
var ErrUnknown = errors.New("no such seat")

// Assign gives a sandbox to a seat that is remembered.
func (s *Store) Assign(id, sandbox string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.read(id)
	if !ok {
		return ErrUnknown
	}
	r.Sandbox = sandbox
	return s.write(id, r)
}

// Remove forgets a seat. One that is not known is no error.
func (s *Store) Remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget a seat: %w", err)
	}
	return nil
}

// Prune forgets the seats that were not seen for so long and whose sandbox is gone, and
// answers how many those were.
func (s *Store) Prune(unseen time.Duration, exists func(sandbox string) bool) (int, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("read the folder of the seats: %w", err)
	}
	pruned := 0
	for _, entry := range entries {
		info, err := entry.Info()
		id, isSeat := strings.CutSuffix(entry.Name(), ".json")
		if err != nil || !isSeat || s.now().Sub(info.ModTime()) < unseen || exists(s.Sandbox(id)) {
			continue
		}
		if err := s.Remove(id); err != nil {
			return pruned, err
		}
		pruned++
	}
	return pruned, nil
}

func (s *Store) path(id string) string { return filepath.Join(s.dir, id+".json") }

// read answers a seat's record; the caller holds the lock. A file that can't be read
// counts as none: the learner then gets a fresh sandbox.
func (s *Store) read(id string) (record, bool) {
	if r, ok := s.known[id]; ok {
		return r, true
	}
	var r record
	text, err := os.ReadFile(s.path(id))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return record{}, false
	}
	s.known[id] = r
	return r, true
}

// write replaces a seat's file as a whole, so that a kill leaves the old or the new one.
func (s *Store) write(id string, r record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("remember a seat: %w", err)
	}
	part := s.path(id) + ".part"
	if err := os.WriteFile(part, text, 0o600); err != nil {
		return fmt.Errorf("remember a seat: %w", err)
	}
	if err := os.Rename(part, s.path(id)); err != nil {
		return fmt.Errorf("remember a seat: %w", err)
	}
	s.known[id] = r
	return nil
}
