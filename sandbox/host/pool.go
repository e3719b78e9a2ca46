package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/postgres"
)

// poolUID owns the PostgreSQL folders that nobody has yet, where Storeroom is root: its
// programs refuse to work for root.
const poolUID = lastUID + 1 - 1_000

// readyByDefault is how many PostgreSQL folders are kept ready. A copy takes a few tenths
// of a second; who finds none ready waits for one.
const readyByDefault = 4

// pool keeps copies of the PostgreSQL template ready for learners who connect for the
// first time.
type pool struct {
	parts    string // of PostgreSQL
	template string
	dir      string
	uid      int // owner of what is in dir
	want     int
	warn     func(string, ...any)

	taken chan struct{} // one was taken

	mu    sync.Mutex
	ready []string
	next  int
}

// newPool makes the template if need be. What an earlier Host has left in dir is not used:
// it may be half made.
func newPool(ctx context.Context, p *pool, run string, limits sandbox.Limits) error {
	p.taken = make(chan struct{}, 1)
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(p.dir, 0o711); err != nil {
		return err
	}
	return makeTemplate(ctx, p.parts, p.template, run, limits)
}

// makeTemplate makes the PostgreSQL template if need be.
func makeTemplate(ctx context.Context, parts, template, run string, limits sandbox.Limits) error {
	unlock, err := lockTemplate(template)
	if err != nil {
		return err
	}
	defer unlock()
	return postgres.Template(ctx, postgres.TemplateConfig{Parts: parts, Dir: template, Run: filepath.Join(run, "template"), Limits: limits})
}

// lockTemplate waits while another program makes the template: several may share the
// cache and start at the same moment. A template that is there already needs no lock, and
// a cache that somebody else has prepared may be one to read only.
func lockTemplate(template string) (unlock func(), err error) {
	made, err := os.Open(filepath.Join(template, "data"))
	if err == nil {
		return func() {}, made.Close()
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the cache folder was prepared by another user (%w): choose another with --cache", err)
	}
	lock, err := os.OpenFile(template+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the cache folder can't be written (%w): choose another with --cache", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		lock.Close()
		return nil, fmt.Errorf("lock the PostgreSQL template: %w", err)
	}
	return func() { lock.Close() }, nil
}

// fill keeps the pool full until ctx ends.
func (p *pool) fill(ctx context.Context) {
	for ctx.Err() == nil {
		if p.count() < p.want {
			if err := p.add(ctx); err != nil && ctx.Err() == nil {
				p.warn("could not make a PostgreSQL folder ready", "error", err)
				sleep(ctx, time.Minute)
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-p.taken:
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (p *pool) add(ctx context.Context) error {
	p.mu.Lock()
	p.next++
	dir := filepath.Join(p.dir, fmt.Sprint(p.next))
	p.mu.Unlock()
	if err := postgres.Copy(ctx, p.parts, p.template, dir, p.uid); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, dir)
	return nil
}

func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready)
}

// take moves a ready folder to dst and gives it to uid; where none is ready it is made now.
func (p *pool) take(ctx context.Context, dst string, uid int) error {
	p.mu.Lock()
	var dir string
	if n := len(p.ready); n > 0 {
		dir, p.ready = p.ready[n-1], p.ready[:n-1]
	}
	p.mu.Unlock()
	if dir == "" {
		return postgres.Copy(ctx, p.parts, p.template, dst, uid)
	}
	select {
	case p.taken <- struct{}{}:
	default:
	}
	if uid != p.uid {
		if err := postgres.Give(dir, uid); err != nil {
			return fmt.Errorf("give a PostgreSQL folder: %w", err)
		}
	}
	return os.Rename(dir, dst)
}

// cluster is a learner's PostgreSQL, whose folder is taken from the pool at the first
// connection: who never connects costs no disk.
type cluster struct {
	*postgres.Cluster
	pool *pool
	dir  string
	uid  int
	mu   sync.Mutex
}

func (c *cluster) Dial(ctx context.Context) (*net.UnixConn, error) {
	if c.pool != nil {
		if err := c.furnish(ctx); err != nil {
			return nil, err
		}
	}
	return c.Cluster.Dial(ctx)
}

func (c *cluster) furnish(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := os.Stat(c.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.pool.take(ctx, c.dir, c.uid)
}

// Inspect answers what the template holds until the first connection.
func (c *cluster) Inspect(ctx context.Context) (sandbox.Shelf, error) {
	if c.pool != nil {
		if _, err := os.Stat(c.dir); errors.Is(err, fs.ErrNotExist) {
			s, _ := store.NewRest(filepath.Join(c.pool.template, "shelf.json")).Load()
			return s, nil
		}
	}
	return c.Cluster.Inspect(ctx)
}
