package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"

	"storeroom/sandbox"
	"storeroom/sandbox/store/daemon"
)

// TemplateConfig says how to make the folder that clusters are copied from.
type TemplateConfig struct {
	Parts  string // folder with bin, lib and share of PostgreSQL 18
	Dir    string // the template's folder; its parent must be the server's own
	Run    string // short folder for a socket while it is made; removed at the end
	Limits sandbox.Limits
}

// The template's databases, run by the superuser. Placeholders: %[1]s and %[2]s are the
// looker's name and verifier.
var (
	//go:embed cluster.sql
	clusterSQL string
	//go:embed testdb.sql
	testdbSQL string
)

// TemplateName names the folder of a template by what it is made from, so that programs
// of several versions can keep theirs side by side.
func TemplateName(parts string) string {
	sum := sha256.Sum256([]byte(clusterSQL + testdbSQL + filepath.Base(filepath.Dir(filepath.Dir(parts)))))
	return "postgres-template-" + hex.EncodeToString(sum[:8])
}

// Template makes the folder once; when it exists already nothing happens. It takes about
// a second.
func Template(ctx context.Context, cfg TemplateConfig) error {
	if _, err := os.Stat(cfg.Dir); err == nil {
		return nil
	}
	part := cfg.Dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("make the PostgreSQL template: %w", err)
	}
	defer os.RemoveAll(part) // nothing is there when all went well
	uid, err := maker()
	if err != nil {
		return fmt.Errorf("make the PostgreSQL template: %w", err)
	}
	c := New(Config{Parts: cfg.Parts, Dir: part, Run: cfg.Run, UID: uid, Limits: cfg.Limits})
	c.args = lean[:]
	defer os.RemoveAll(cfg.Run)
	defer c.Close()
	for _, step := range []func(context.Context) error{c.initialise, c.furnish, c.Stop} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("make the PostgreSQL template: %w", err)
		}
	}
	// From here on it is the server's: who could write it could write every copy.
	if err := Give(part, 0); err != nil {
		return fmt.Errorf("make the PostgreSQL template: %w", err)
	}
	if err := os.Rename(part, cfg.Dir); err != nil {
		return fmt.Errorf("make the PostgreSQL template: %w", err)
	}
	return nil
}

// maker is who makes a template for root, whom PostgreSQL refuses; 0: nobody else than
// this process's user. initdb wants its user to have a name, so it can't be just any uid.
func maker() (int, error) {
	if os.Geteuid() != 0 {
		return 0, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return 0, fmt.Errorf("as root: %w", err)
	}
	return strconv.Atoi(u.Uid)
}

// accounts are the files that tell a user's name.
var accounts = [...]string{"/etc/passwd", "/etc/nsswitch.conf"}

// initialise makes the empty cluster.
func (c *Cluster) initialise(ctx context.Context) error {
	if err := os.MkdirAll(c.cfg.Dir, 0o711); err != nil {
		return err
	}
	if err := daemon.Folder(c.data(), c.cfg.UID); err != nil {
		return err
	}
	s := newSecret()
	if err := s.write(c.file(secretName)); err != nil {
		return err
	}
	// initdb reads the password from a file, which its user must be able to read.
	// Nobody has a copy of this template's password: each copy gets one of its own.
	pw := c.file("password")
	if err := os.WriteFile(pw, []byte(s.password(superuser)), 0o600); err != nil {
		return err
	}
	defer os.Remove(pw)
	if c.cfg.UID != 0 {
		if err := os.Chown(pw, c.cfg.UID, c.cfg.UID); err != nil {
			return err
		}
	}
	cmd, err := c.initdb(ctx, pw)
	if err != nil {
		return err
	}
	if out, err := output(cmd); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	// The settings and the rules of access stand outside of the data folder. A copy or
	// a backup that is started without them must not be more open.
	if err := os.WriteFile(filepath.Join(c.data(), hbaName), []byte(hba), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.data(), confName), []byte("# the settings are given at the start\n"), 0o600)
}

// lean are settings for the template alone: no log segments kept for later, which every
// copy would have to copy.
var lean = [...]string{"-c", "wal_recycle=off"}

// initdb is the command; locales are PostgreSQL's own, so that a cluster does not depend
// on what the machine has.
func (c *Cluster) initdb(ctx context.Context, pwfile string) (*exec.Cmd, error) {
	s := server(c.cfg.Parts, c.data(), c.cfg.UID, c.cfg.Limits)
	s.Path = program(c.cfg.Parts, "initdb")
	s.Args = []string{"-D", c.data(), "-U", superuser, "--pwfile=" + pwfile, "-A", "scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
		"--wal-segsize=1", "--no-data-checksums", "--no-sync", "--no-instructions",
		"-c", "dynamic_shared_memory_type=mmap"}
	s.Args = append(s.Args, lean[:]...)
	s.Read = append(append(s.Read, accounts[:]...), pwfile, "/bin", "/usr/bin", "/usr/share/zoneinfo")
	return daemon.Command(ctx, s)
}

// output runs a short command and answers the last that it said.
func output(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := bytes.TrimSpace(out.Bytes())
	return string(text[max(0, len(text)-500):]), err
}

// furnish makes the roles, the databases and their first rows.
func (c *Cluster) furnish(ctx context.Context) error {
	s, err := readSecret(c.file(secretName))
	if err != nil {
		return err
	}
	look, err := verifier(s.password(looker))
	if err != nil {
		return err
	}
	if err := c.run(ctx, c.Dial, "postgres", fmt.Sprintf(clusterSQL, looker, look)); err != nil {
		return err
	}
	if err := c.run(ctx, c.Dial, "postgres", "CREATE DATABASE "+Database+" OWNER "+Role); err != nil {
		return err
	}
	if err := c.run(ctx, c.Dial, Database, testdbSQL); err != nil {
		return err
	}
	for _, db := range []string{"template1", "postgres", Database} {
		// So that a new cluster has nothing to tidy up for a long while.
		if err := c.run(ctx, c.Dial, db, "VACUUM (FREEZE, ANALYZE)"); err != nil {
			return err
		}
	}
	return c.run(ctx, c.Dial, "postgres", "CHECKPOINT")
}
