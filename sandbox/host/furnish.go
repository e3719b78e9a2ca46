package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store/files"
)

// furnish makes the box's folder with what a new learner finds in it.
func (h *Host) furnish(b *box) error {
	if err := makeFolder(b.dir, b.state); err != nil {
		return err
	}
	home, err := os.OpenRoot(b.path("home"))
	if err != nil {
		return fmt.Errorf("make a sandbox: %w", err)
	}
	defer home.Close()
	if err := files.Seed(home, b.state.UID); err != nil {
		return fmt.Errorf("make a sandbox: %w", err)
	}
	return nil
}

// Reset throws the sandbox's data away and gives it a fresh set under the same id.
func (h *Host) Reset(ctx context.Context, id string) error {
	b, err := h.box(id)
	if err != nil {
		return err
	}
	defer b.hold()() // no housekeeping in between
	b.endRun(sandbox.Stopped)
	b.waking.Lock()
	defer b.waking.Unlock()
	b.closeAll()
	if err := h.discard(b.dir); err != nil {
		return fmt.Errorf("reset a sandbox: %w", err)
	}
	b.mu.Lock()
	b.state = state{UID: b.state.UID, Created: b.state.Created, Used: time.Now(), Secrets: b.state.Secrets}
	b.open, b.last, b.seen = map[string]int{}, map[string]time.Time{}, map[string]sandbox.Shelf{}
	b.mu.Unlock()
	b.stores = h.fleet.stores(b)
	return h.furnish(b)
}

// Delete removes the sandbox and its data for good.
func (h *Host) Delete(ctx context.Context, id string) error {
	b, err := h.box(id)
	if err != nil {
		return err
	}
	return h.remove(ctx, b)
}

func (h *Host) remove(ctx context.Context, b *box) error {
	b.mu.Lock()
	b.deleted = true
	b.mu.Unlock()
	b.endRun(sandbox.Stopped)
	b.waking.Lock()
	defer b.waking.Unlock()
	b.closeAll()
	h.mu.Lock()
	delete(h.boxes, b.id)
	h.mu.Unlock()
	if err := h.discard(b.dir); err != nil {
		return fmt.Errorf("remove a sandbox: %w", err)
	}
	h.mu.Lock()
	delete(h.uids, b.state.UID)
	h.mu.Unlock()
	return nil
}

// discard removes a sandbox's folder. It is renamed first: what a crash leaves behind has
// no valid id, and goes at the next start.
func (h *Host) discard(dir string) error {
	trash := filepath.Join(h.sandboxes(), ".trash-"+newID())
	if err := os.Rename(dir, trash); err != nil {
		return err
	}
	return os.RemoveAll(trash)
}
