package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"storeroom/sandbox"
	"storeroom/sandbox/cache"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/python"
	"storeroom/sandbox/store/postgres"
)

// Prepared tells whether everything that a Host needs is in the cache.
func Prepared(cache string) bool {
	set, err := parts.Cached(cache)
	if err != nil {
		return false
	}
	if _, err := python.Cached(set, cache); err != nil {
		return false
	}
	if set.Postgres == "" {
		return true
	}
	_, err = os.Stat(filepath.Join(template(cache, set), "data"))
	return err == nil
}

// Prepare makes what is missing in the cache, fetching what it needs; say hears lines for
// a terminal. It makes this process large (see python.Prepare). The entries of the cache
// that it answers with are held until Close. Errors say what to do next.
func Prepare(ctx context.Context, dir string, say func(string)) (*parts.Set, *cache.Held, error) {
	held, err := cache.Hold(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	if err := (folder{dir, "cache", "--cache"}).passable(); err != nil {
		return nil, nil, errors.Join(err, held.Close())
	}
	set, py, err := prepare(ctx, dir, say)
	if err != nil {
		return nil, nil, errors.Join(err, held.Close())
	}
	held.Only(needs(dir, set, py)...)
	return set, held, nil
}

func prepare(ctx context.Context, dir string, say func(string)) (*parts.Set, python.Config, error) {
	set, err := parts.Ensure(ctx, dir, func(p parts.Progress) { say(p.String()) })
	if err != nil {
		return nil, python.Config{}, err
	}
	if err := roomForPython(set, dir); err != nil {
		return nil, python.Config{}, err
	}
	py, err := python.Prepare(ctx, set, dir, func(p python.Progress) { say(p.String()) })
	if err != nil || set.Postgres == "" {
		return set, py, err
	}
	run, err := os.MkdirTemp("/tmp", "storeroom-") // short, for a socket's path
	if err != nil {
		return nil, py, fmt.Errorf("make a folder for a socket: %w", err)
	}
	defer os.RemoveAll(run)
	// As root, PostgreSQL has a user of its own, which must be able to pass through.
	if err := os.Chmod(run, 0o711); err != nil {
		return nil, py, fmt.Errorf("make a folder for a socket: %w", err)
	}
	return set, py, makeTemplate(ctx, set.Postgres, template(dir, set), run, sandbox.Defaults())
}

// What Python takes in the cache, in bytes: compiled, and its image. It is looked at before,
// since who waits for a minute should not hear of a full disk then.
const codeRoom, imageRoom = 280 << 20, 150 << 20

func roomForPython(set *parts.Set, dir string) error {
	c, err := python.Cached(set, dir)
	if err == nil {
		return nil
	}
	least := uint64(imageRoom)
	if _, err := os.Stat(c.Code); err != nil {
		least += codeRoom
	}
	return folder{dir, "cache", "--cache"}.room(least)
}

// prepared answers what is in the cache, and holds it there.
func prepared(ctx context.Context, dir string) (*parts.Set, python.Config, *cache.Held, error) {
	held, err := cache.Hold(ctx, dir)
	if err != nil {
		return nil, python.Config{}, nil, err
	}
	set, err := parts.Cached(dir)
	if err != nil {
		return nil, python.Config{}, nil, errors.Join(err, held.Close())
	}
	py, err := python.Cached(set, dir)
	if err != nil {
		return nil, python.Config{}, nil, errors.Join(err, held.Close())
	}
	held.Only(needs(dir, set, py)...)
	return set, py, held, nil
}

// needs are the paths in the cache that a Host works with.
func needs(dir string, set *parts.Set, py python.Config) []string {
	paths := []string{set.Wasmtime, set.PythonWasm, set.Stdlib, set.MatplotlibData, set.Site, set.Valkey, py.Code, py.Image, py.Guest, py.Root}
	if set.Postgres != "" {
		paths = append(paths, set.Postgres, template(dir, set))
	}
	return paths
}

// template is the folder that learners' PostgreSQL folders are copied from.
func template(dir string, set *parts.Set) string {
	return filepath.Join(dir, postgres.TemplateName(set.Postgres))
}
