package host

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// On a machine where Storeroom is root each sandbox has a uid of its own in this range,
// which Debian leaves free (60000 and more are the system's, 1000 and more are people).
const firstUID, lastUID = 40_000, 59_999

// stateName is the host's own file in a sandbox's folder; the sandbox can't read it.
const stateName = "sandbox.json"

// state is what the host must know of a sandbox after a restart.
type state struct {
	UID     int       `json:"uid"` // 0: the host's own
	Created time.Time `json:"created"`
	Used    time.Time `json:"used"`
	Ran     bool      `json:"ran"`             // its Python had variables once
	Secrets []byte    `json:"secrets"`         // of the stores' administrators are made from it
	Mongo   []byte    `json:"mongo,omitempty"` // the shelf as it was last seen, JSON
}

// newID makes a sandbox's id: 130 random bits in lower-case base32.
func newID() string {
	var b [17]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))[:26]
}

// validID keeps paths out of ids.
func validID(id string) bool {
	return len(id) > 0 && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// learnersFolders are the parts of a sandbox's folder that belong to the learner's uid.
var learnersFolders = [...]string{"home", "tmp", "mongo"}

// makeFolder makes an empty sandbox folder at dir.
func makeFolder(dir string, s state) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("make a sandbox: %w", err)
	}
	for _, name := range learnersFolders {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(p, 0o700); err != nil {
			return fmt.Errorf("make a sandbox: %w", err)
		}
		if s.UID != 0 {
			if err := os.Chown(p, s.UID, s.UID); err != nil {
				return fmt.Errorf("make a sandbox: %w", err)
			}
		}
	}
	return writeState(dir, s)
}

func readState(dir string) (state, error) {
	var s state
	b, err := os.ReadFile(filepath.Join(dir, stateName))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// writeState replaces the file whole, so that a crash leaves the old or the new one.
func writeState(dir string, s state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+stateName)
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, stateName))
}

// folderSize adds up what a sandbox holds on disk, in bytes. Entries that go away
// meanwhile count nothing.
func folderSize(dir string) (total int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return fs.SkipDir
		}
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil {
			if s, ok := info.Sys().(*syscall.Stat_t); ok {
				total += s.Blocks * 512
			}
		}
		return nil
	})
	return total
}
