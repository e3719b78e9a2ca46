package host

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"

	"storeroom/sandbox/confine"
	"storeroom/sandbox/parts"
)

// Hostile runs this test's binary in the place of a sandbox's worker, with exactly the
// restrictions that the worker has, and answers what it printed.
func (h *Host) Hostile(ctx context.Context, id string, args ...string) (string, error) {
	b, err := h.box(id)
	if err != nil {
		return "", err
	}
	spec, err := h.fleet.workerSpec(b, os.Stdin)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	spec.Args, spec.Stdout, spec.Stderr, spec.Files = args, &out, &out, nil
	cmd, err := confine.Command(ctx, spec)
	if err != nil {
		return "", err
	}
	err = cmd.Run()
	return out.String(), err
}

// Folder is where a sandbox keeps a store's data, Socket where the store listens.
func (h *Host) Folder(id, name string) string { return filepath.Join(h.sandboxes(), id, name) }
func (h *Host) Socket(id, store string) string {
	return filepath.Join(h.Config.Run, id[:8], map[string]string{"redis": "redis/redis.sock", "postgres": "pg/.s.PGSQL.5432"}[store])
}

// PID is the process of a sandbox's worker.
func (h *Host) PID(id string) int {
	b, err := h.box(id)
	if err != nil || b.awake() == nil {
		return 0
	}
	return b.awake().cmd.Process.Pid
}

// WithoutRedis makes this a machine for which there is no Redis, before the first sandbox.
func (h *Host) WithoutRedis(why string) {
	set := *h.fleet.set
	set.Valkey = ""
	set.Missing = append(slices.Clone(set.Missing), parts.Missing{Part: "Valkey 8", Why: why})
	h.fleet.set = &set
}

// Forget is the housekeeping of the disk, which runs every few minutes.
func (h *Host) Forget() { h.forget() }
