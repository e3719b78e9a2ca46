// Package postgres owns a learner's PostgreSQL: one small cluster a learner, on a unix
// socket, started at the first connection, with databases, roles and backups that are
// all the learner's own.
//
// sandbox/host makes the template once (Template), keeps copies of it ready (Copy, Give)
// and has one Cluster a sandbox. The learner is the role "postgres", owner of everything
// but not a superuser; the superuser belongs to the server, which alone holds its
// password. The package never opens a network port, and never runs what a learner wrote
// with the superuser's rights.
package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/daemon"
)

// Config says where a Cluster keeps things and what it may use.
type Config struct {
	Parts  string // folder with bin, lib and share of PostgreSQL 18; empty: there is none
	Why    string // why there is none, and what to do
	Dir    string // made by Copy; the server's own, which the learner can't write: data/ in it is theirs
	Run    string // short folder for the socket, made here
	UID    int    // who runs it and owns data/; 0: this process's user, who must not be root
	Limits sandbox.Limits
	Log    *slog.Logger      // nil: none
	Notify func(text string) // hears what the learner should know; nil: nobody
	Wanted func() bool       // tells whether anybody waits for answers now; nil: always
}

// Port names the socket's file. Nothing listens on a network port.
const Port = 5432

// Names that the template sets up.
const (
	Role     = "postgres" // the learner's role
	Password = "secret"   // and its password, until the learner changes it
	Database = "testdb"   // the learner's database; "postgres" is theirs as well
)

// Cluster is one learner's PostgreSQL.
type Cluster struct {
	cfg    Config
	daemon *daemon.Daemon
	rest   *store.Rest
	args   []string // further arguments of the server

	fullness fullness
	unwanted int // looks in a row at work that nobody waits for; the watch's
}

// New makes the Cluster over a folder that Copy made; nothing is started.
func New(cfg Config) *Cluster {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cluster{cfg: cfg, rest: store.NewRest(filepath.Join(cfg.Dir, shelfName)), fullness: fullness{set: map[uint32]bool{}}}
	c.daemon = daemon.New(daemon.Config{
		Name: "PostgreSQL", Dir: c.data(), Socket: c.socket(),
		Signal:  syscall.SIGINT, // fast shutdown: sessions are ended, a checkpoint is made
		Prepare: c.prepare, Command: c.command, Watch: c.watch,
		Ready: func(context.Context) bool { return c.ready() }, Accepts: c.ready,
	})
	return c
}

// Files in a cluster's folder.
const (
	dataName   = "data"            // the learner's uid owns it
	secretName = "secret"          // the superuser's password is made from it
	shelfName  = "shelf.json"      // what was there when it was last looked at
	confName   = "postgresql.conf" // written anew at each start
	hbaName    = "pg_hba.conf"     // likewise
)

func (c *Cluster) file(name string) string { return filepath.Join(c.cfg.Dir, name) }
func (c *Cluster) data() string            { return c.file(dataName) }
func (c *Cluster) socket() string {
	return filepath.Join(c.cfg.Run, fmt.Sprintf(".s.PGSQL.%d", Port))
}

// program is the path of one of PostgreSQL's own programs.
func program(parts, name string) string { return filepath.Join(parts, "bin", name) }

// Name is "postgres".
func (c *Cluster) Name() string { return "postgres" }

// Running tells whether the process is up.
func (c *Cluster) Running() bool { return c.daemon.Running() }

// Dial connects; what follows is PostgreSQL's protocol, its startup message first.
func (c *Cluster) Dial(ctx context.Context) (*net.UnixConn, error) {
	if c.cfg.Parts == "" {
		return nil, &store.Unavailable{Store: "PostgreSQL", Why: c.cfg.Why}
	}
	return c.daemon.Dial(ctx)
}

// Stop looks at the tables once more and ends the process.
func (c *Cluster) Stop(ctx context.Context) error {
	if !c.Running() {
		return nil
	}
	if _, err := c.Inspect(ctx); err != nil {
		c.cfg.Log.Info("stop postgres: its tables were not looked at", "error", err)
	}
	return c.daemon.Stop(ctx)
}

// Kill ends the process and its sessions at once.
func (c *Cluster) Kill() error { return c.daemon.Kill() }

// Close ends it for good.
func (c *Cluster) Close() error { return c.daemon.Close() }

// prepare removes what a crash has left and writes the settings. Nobody works in the
// data folder now, so a lock file there is stale whatever process id it names.
func (c *Cluster) prepare(context.Context) error {
	if _, err := os.Stat(filepath.Join(c.data(), "PG_VERSION")); err != nil {
		return fmt.Errorf("no data folder: %w", err)
	}
	if err := c.startable(); err != nil {
		return err
	}
	if err := daemon.Folder(c.cfg.Run, c.cfg.UID); err != nil {
		return err
	}
	for _, path := range []string{c.socket(), c.socket() + ".lock", c.statusFile()} {
		if err := daemon.FreeSocket(path); err != nil {
			return err
		}
	}
	if err := os.WriteFile(c.file(hbaName), []byte(hba), 0o644); err != nil {
		return err
	}
	return os.WriteFile(c.file(confName), c.settings(), 0o644)
}

func (c *Cluster) command(ctx context.Context) (*exec.Cmd, error) {
	s := server(c.cfg.Parts, c.data(), c.cfg.UID, c.cfg.Limits)
	s.Args = append([]string{"-D", c.data(), "-c", "config_file=" + c.file(confName), "-c", "hba_file=" + c.file(hbaName)}, c.args...)
	s.Read = append(s.Read, c.file(confName), c.file(hbaName), "/usr/share/zoneinfo")
	s.Write = append(s.Write, c.cfg.Run)
	return daemon.Command(ctx, s)
}

// server is a restricted process of the program postgres over a data folder.
func server(parts, data string, uid int, limits sandbox.Limits) daemon.Spec {
	return daemon.Spec{
		Path: program(parts, "postgres"), Dir: data, UID: uid,
		// The libraries stand beside the installation: their path in the programs is
		// $ORIGIN/../../../….libs.
		Read:  []string{filepath.Dir(filepath.Dir(parts))},
		Write: []string{data},
		Space: 600 << 20, // each process; what exceeds it gets an error, "out of memory"
		File:  fileLimit(limits),
	}
}
