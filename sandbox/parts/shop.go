package parts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// temporary begins the names of folders that a broken fetch leaves behind.
const temporary = ".fetching-"

// shop is where parts are had: one cache folder, one catalogue, one platform.
type shop struct {
	dir      string // the parts folder of the cache; empty if the user has no home
	parts    []part
	platform string // GOOS/GOARCH
	pip      pip
}

func newShop(cacheDir string) shop {
	s := shop{parts: catalogue(), platform: runtime.GOOS + "/" + runtime.GOARCH, pip: pip{python: "python3"}}
	if cacheDir != "" {
		s.dir = filepath.Join(cacheDir, "parts")
	}
	return s
}

// cached builds the set from what is there. The error names the first absent part.
func (s shop) cached() (*Set, error) {
	if s.dir == "" {
		return nil, errors.New("there is no home folder for the cache: set STOREROOM_CACHE to a folder")
	}
	set := &Set{}
	for _, p := range s.parts {
		if _, ok := s.tag(p); !ok {
			if p.instead == nil || !p.instead(set) {
				set.Missing = append(set.Missing, Missing{Part: p.title, Why: p.why})
			}
			continue
		}
		if !s.has(p) {
			return nil, fmt.Errorf("%s: %w", p.title, ErrNotFetched)
		}
		p.use(set, s.folder(p))
	}
	return set, nil
}

// ensure fetches what is not there, while no other process does.
func (s shop) ensure(ctx context.Context, report func(Progress)) (*Set, error) {
	set, err := s.cached()
	if !errors.Is(err, ErrNotFetched) {
		return set, err
	}
	if report == nil {
		report = func(Progress) {}
	}
	if err := makeCache(s.dir); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, filepath.Join(s.dir, ".lock"), func() { report(Progress{Stage: Waiting}) })
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.fetchAbsent(ctx, report); err != nil {
		return nil, err
	}
	return s.cached()
}

// fetchAbsent runs under the lock.
func (s shop) fetchAbsent(ctx context.Context, report func(Progress)) error {
	var absent []part
	for _, p := range s.parts {
		if _, ok := s.tag(p); ok && !s.has(p) {
			absent = append(absent, p)
			if marked(s.folder(p)) {
				report(Progress{Stage: Damaged, Part: p.title})
			}
		}
	}
	s.sweep()
	if len(absent) == 0 {
		return nil
	}
	if err := s.pip.check(ctx); err != nil {
		return err
	}
	for i, p := range absent {
		at := Progress{Part: p.title, N: i + 1, Of: len(absent), Total: p.bytes}
		if err := s.fetch(ctx, p, at, report); err != nil {
			return fmt.Errorf("%s: %w", p.title, err)
		}
	}
	return nil
}

// fetch downloads one part and unpacks it.
func (s shop) fetch(ctx context.Context, p part, at Progress, report func(Progress)) error {
	work, err := os.MkdirTemp(s.dir, temporary)
	if err != nil {
		return cacheError(err)
	}
	defer os.RemoveAll(work)
	say := func(stage Stage, n int64) {
		at.Stage, at.Bytes = stage, n
		report(at)
	}
	say(Fetching, 0)
	tag, _ := s.tag(p)
	if err := s.pip.download(ctx, p.pins, tag, work, func(n int64) { say(Fetching, n) }); err != nil {
		return err
	}
	say(Unpacking, p.bytes)
	tree := filepath.Join(work, "tree")
	if err := unpack(p, work, tree); diskFull(err) {
		return errDiskFull
	} else if err != nil {
		return err
	}
	if err := os.Rename(tree, s.folder(p)); err != nil {
		return fmt.Errorf("put it in its place: %w", err)
	}
	say(Done, p.bytes)
	return nil
}

// cacheError says what to do about a cache folder that can't be used.
func cacheError(err error) error {
	if diskFull(err) {
		return errDiskFull
	}
	return fmt.Errorf("the cache folder can't be written (%v): choose another with --cache (or STOREROOM_CACHE), or start Storeroom as its owner", err)
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// unpack makes tree from the wheels in the folder from.
func unpack(p part, from, tree string) error {
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	dir, err := os.OpenRoot(tree)
	if err != nil {
		return err
	}
	defer dir.Close()
	wheels, err := filepath.Glob(filepath.Join(from, "*.whl"))
	if err != nil {
		return err
	}
	if want := strings.Count(p.pins, "=="); len(wheels) != want {
		return fmt.Errorf("pip left %d packages and %d were asked for", len(wheels), want)
	}
	for _, wheel := range wheels {
		if err := unpackWheel(wheel, dir, p.place); err != nil {
			return err
		}
	}
	if p.finish != nil {
		if err := p.finish(dir); err != nil {
			return err
		}
	}
	if err := open(dir); err != nil {
		return fmt.Errorf("set its permissions: %w", err)
	}
	return mark(dir)
}

// open makes every folder and file readable by all and writable by their owner alone,
// whatever the umask is: workers have users of their own.
func open(dir *os.Root) error {
	return fs.WalkDir(dir.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.IsDir() || info.Mode()&0o100 != 0 {
			return dir.Chmod(name, 0o755)
		}
		return dir.Chmod(name, 0o644)
	})
}

// sweep removes what broken fetches left, and folders of parts that are not whole: they
// are in the way of the rename.
func (s shop) sweep() {
	left, _ := filepath.Glob(filepath.Join(s.dir, temporary+"*"))
	for _, p := range s.parts {
		if !s.has(p) {
			left = append(left, s.folder(p))
		}
	}
	for _, dir := range left {
		os.RemoveAll(dir) // what stays makes the rename fail, with its reason
	}
}

// tag is the platform to ask pip for; not ok if the part has no wheel for it.
func (s shop) tag(p part) (string, bool) {
	if tag, ok := p.tags[everywhere]; ok {
		return tag, true
	}
	tag, ok := p.tags[s.platform]
	return tag, ok
}

// folder is the part's own: another version or another recipe has another one.
func (s shop) folder(p part) string {
	sum := sha256.Sum256([]byte(p.pins + "\x00" + p.recipe))
	return filepath.Join(s.dir, p.name+"-"+p.version()+"-"+hex.EncodeToString(sum[:4]))
}

func (s shop) has(p part) bool { return whole(s.folder(p)) }

// version is the first pin's.
func (p part) version() string {
	_, rest, _ := strings.Cut(p.pins, "==")
	return strings.Fields(rest + " ?")[0]
}

// under joins a slashed path to a folder.
func under(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }

// firstOf is the first of names that exists in dir.
func firstOf(dir string, names ...string) string {
	for _, name := range names {
		if _, err := os.Stat(under(dir, name)); err == nil {
			return under(dir, name)
		}
	}
	return under(dir, names[0])
}

// redisOnPath takes the machine's own server where no Valkey wheel exists.
func redisOnPath(set *Set) bool {
	for _, name := range []string{"valkey-server", "redis-server"} {
		if found, err := exec.LookPath(name); err == nil {
			set.Valkey = found
			return true
		}
	}
	return false
}
