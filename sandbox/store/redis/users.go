package redis

import (
	"os"
	"strings"
	"sync"
	"unicode"

	"storeroom/sandbox/store"
)

// Bounds of the users that are kept over a stop.
const (
	maxUsers     = 64
	maxUserBytes = 4 << 10 // a user's rules
)

// users keeps what ACL LIST tells in a file of the server's own: Redis forgets users
// when it ends, and a learner does not see that it was stopped for a while.
type users struct {
	path string

	mu   sync.Mutex
	kept string // what the file holds, as far as known
}

// lines answers the users for a configuration, always one "default".
func (u *users) lines() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	text, err := os.ReadFile(u.path)
	if err != nil {
		return []string{learner()}
	}
	u.kept = string(text)
	lines := keep(strings.Split(u.kept, "\n"))
	for _, line := range lines {
		if strings.HasPrefix(line, "user default ") {
			return lines
		}
	}
	return append(lines, learner())
}

// save keeps the answer of ACL LIST.
func (u *users) save(list []string) error {
	text := strings.Join(keep(list), "\n")
	u.mu.Lock()
	defer u.mu.Unlock()
	if text == u.kept {
		return nil
	}
	if err := store.Replace(u.path, []byte(text)); err != nil {
		return err
	}
	u.kept = text
	return nil
}

// drop forgets all users, and tells whether there were any.
func (u *users) drop() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.kept = ""
	return os.Remove(u.path) == nil
}

// keep answers the lines that may stand in a configuration file. The learner's server
// has written them, so none may be anything but a user, nor the administrator.
func keep(list []string) []string {
	var lines []string
	for _, line := range list {
		name, ok := strings.CutPrefix(line, "user ")
		name, _, _ = strings.Cut(name, " ")
		odd := strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
		if !ok || odd || name == "" || name == admin || len(line) > maxUserBytes || len(lines) == maxUsers {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}
