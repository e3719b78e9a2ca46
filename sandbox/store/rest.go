package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"storeroom/sandbox"
)

// Rest keeps a store's last shelf in a file of the server's own, so that a store at
// rest can be listed, also after Storeroom was started again.
type Rest struct {
	path string

	mu    sync.Mutex
	shelf *sandbox.Shelf
	text  []byte // what the file holds
}

// NewRest keeps the shelf in the file at path. Its folder must not be writable by the
// learner: the server follows no link there.
func NewRest(path string) *Rest { return &Rest{path: path} }

// Load answers the shelf of the last Save, and whether there was one.
func (r *Rest) Load() (sandbox.Shelf, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shelf == nil {
		text, err := os.ReadFile(r.path)
		if err != nil {
			return sandbox.Shelf{}, false
		}
		var s sandbox.Shelf
		if json.Unmarshal(text, &s) != nil {
			return sandbox.Shelf{}, false
		}
		r.shelf, r.text = &s, text
	}
	return *r.shelf, true
}

// Save keeps the shelf. An unchanged one costs no write.
func (r *Rest) Save(s sandbox.Shelf) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep the shelf: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shelf = &s
	if string(text) == string(r.text) {
		return nil
	}
	if err := Replace(r.path, text); err != nil {
		return fmt.Errorf("keep the shelf: %w", err)
	}
	r.text = text
	return nil
}

// Replace writes a file of the server's own (mode 0600) whole, so that a crash leaves
// the old or the new one.
func Replace(path string, text []byte) error {
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
