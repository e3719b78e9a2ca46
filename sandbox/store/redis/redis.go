// Package redis owns a learner's Redis: one small Valkey (or Redis 7) process a
// learner, on a unix socket, with an append-only file, started at the first connection.
//
// sandbox/host makes one Store a sandbox. The learner is the user "default"; the
// server's own user has a new random password at each start, known to this process
// alone. It never opens a network port, and never reads or writes a learner's key for
// any other purpose than to list it.
package redis

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/daemon"
)

// Config says where a Store keeps things and what it may use.
type Config struct {
	Binary string // valkey-server or redis-server, 7.0 or newer; empty: there is none
	Why    string // why there is none, and what to install
	Dir    string // the server's own folder, which the learner can't write: data/ in it is theirs
	Run    string // short folder for the socket, made here
	UID    int    // who runs it and owns data/; 0: this process's user
	Limits sandbox.Limits
}

// Store is one learner's Redis.
type Store struct {
	cfg      Config
	daemon   *daemon.Daemon
	rest     *store.Rest
	password string // of the user admin, a new one for each Store
	users    *users

	looking sync.Mutex // one Inspect at a time
}

// inspectTime bounds a look at the keys. A learner's endless Lua script holds the server;
// then the shelf says so.
const inspectTime = time.Second

// Bounds of what Redis may have on disk, as multiples of Limits.Redis. It rewrites its log
// when that has doubled, what was written meanwhile counted in: whoever overwrites a key
// as fast as they can leaves a log of some hundred MB, and it is us who have it rewritten
// at the first bound. The kernel ends a server whose file reaches the second; it reads the
// log at the next Dial and rewrites it. Beyond the third, which only rewriting that fails
// again and again can reach, it is not started any more.
const (
	maxLog    = 3
	maxFile   = 16
	maxFolder = 32
)

// New makes the Store; nothing is started and no file is touched.
func New(cfg Config) *Store {
	s := &Store{cfg: cfg, rest: store.NewRest(filepath.Join(cfg.Dir, "shelf.json")), password: newPassword(),
		users: &users{path: filepath.Join(cfg.Dir, "users.acl")}}
	s.daemon = daemon.New(daemon.Config{
		Name: "Redis", Dir: s.data(), Socket: s.socket(), Signal: syscall.SIGTERM,
		Prepare: s.prepare, Command: s.command, Ready: s.ready, Watch: s.watch,
	})
	return s
}

func newPassword() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (s *Store) data() string   { return filepath.Join(s.cfg.Dir, "data") }
func (s *Store) conf() string   { return filepath.Join(s.cfg.Dir, "redis.conf") }
func (s *Store) socket() string { return filepath.Join(s.cfg.Run, "redis.sock") }

// Name is "redis".
func (s *Store) Name() string { return "redis" }

// Running tells whether the process is up.
func (s *Store) Running() bool { return s.daemon.Running() }

// Dial connects as the user "default", who needs no password unless the learner has
// set one.
func (s *Store) Dial(ctx context.Context) (*net.UnixConn, error) {
	if s.cfg.Binary == "" {
		return nil, &store.Unavailable{Store: "Redis", Why: s.cfg.Why}
	}
	c, err := s.daemon.Dial(ctx)
	if err == nil || ctx.Err() != nil || !s.users.drop() {
		return c, err
	}
	// The server did not start with the users that it had listed itself, which another
	// version may do: a Redis without them is better than none.
	return s.daemon.Dial(ctx)
}

// Stop looks at the keys and the users once more, and ends the process.
func (s *Store) Stop(ctx context.Context) error {
	if !s.Running() {
		return nil
	}
	s.Inspect(ctx) // what could not be looked at stays as it was last seen
	return s.daemon.Stop(ctx)
}

// Kill ends the process at once.
func (s *Store) Kill() error { return s.daemon.Kill() }

// Close ends it for good.
func (s *Store) Close() error { return s.daemon.Close() }

// watch keeps the folder small, and ends a Redis whose folder is too big.
func (s *Store) watch(ctx context.Context, u daemon.Usage) {
	switch {
	case u.Disk > maxFolder*s.cfg.Limits.Redis:
		s.daemon.Kill() // prepare says why it does not start again
	case u.Disk > maxLog*s.cfg.Limits.Redis:
		ctx, cancel := context.WithTimeout(ctx, inspectTime)
		defer cancel()
		c := s.client(s.daemon.Connect)
		defer c.Close()
		c.BgRewriteAOF(ctx) // an error says that it does so already
	}
}

// prepare makes the folders and writes the configuration.
func (s *Store) prepare(context.Context) error {
	if size := daemon.Size(s.data()); size > maxFolder*s.cfg.Limits.Redis {
		return fmt.Errorf("%w: its log takes %d MB; press Reset to begin with a fresh one", store.ErrFull, size>>20)
	}
	if err := os.MkdirAll(s.cfg.Dir, 0o711); err != nil {
		return err
	}
	for _, dir := range []string{s.data(), s.cfg.Run} {
		if err := daemon.Folder(dir, s.cfg.UID); err != nil {
			return err
		}
	}
	if err := daemon.FreeSocket(s.socket()); err != nil {
		return err
	}
	// Readable for the learner's uid, since it holds no secret: the administrator's
	// password is in it as a hash of 256 random bits.
	return os.WriteFile(s.conf(), s.configuration(), 0o644)
}

func (s *Store) command(ctx context.Context) (*exec.Cmd, error) {
	const room = 96 << 20 // the program itself, its buffers and a Lua script's tables
	return daemon.Command(ctx, daemon.Spec{
		Path: s.cfg.Binary, Args: []string{s.conf()}, Dir: s.data(),
		Read:  []string{s.cfg.Binary, s.conf()},
		Write: []string{s.data(), s.cfg.Run},
		UID:   s.cfg.UID,
		Space: s.cfg.Limits.Redis + room,
		File:  maxFile * s.cfg.Limits.Redis,
	})
}

// ready asks as the administrator: who is not ready answers -LOADING.
func (s *Store) ready(ctx context.Context) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", s.socket())
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(inspectTime))
	fmt.Fprintf(c, "AUTH %s %s\r\nPING\r\n", admin, s.password)
	const answer = "+OK\r\n+PONG\r\n"
	var got []byte
	for buf := make([]byte, 256); len(got) < len(answer); {
		n, err := c.Read(buf)
		if err != nil {
			return false
		}
		got = append(got, buf[:n]...)
	}
	return string(got) == answer
}
