package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"storeroom/sandbox/parts"
)

// jsonb is the PostgreSQL that Storeroom carries, with its own defaults instead of the small
// settings that a learner's has, reached over TCP. Like the others it does not wait for the
// disk: what is committed outlives the process, not a power cut.
type jsonb struct {
	cmd  *exec.Cmd
	conn *pgx.Conn
}

// pgSettings are given at the start; all else is PostgreSQL's default.
var pgSettings = [...]string{"fsync=off", "full_page_writes=off", "work_mem=64MB", "unix_socket_directories=", "listen_addresses=127.0.0.1"}

func openPostgres(ctx context.Context, dir string) (contender, error) {
	set, err := parts.Cached(parts.CacheDir())
	if err != nil {
		return nil, err
	}
	if set.Postgres == "" {
		return nil, fmt.Errorf("no PostgreSQL for this platform: %v", set.Missing)
	}
	credential, err := folderFor(dir)
	if err != nil {
		return nil, err
	}
	command := func(name string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, filepath.Join(set.Postgres, "bin", name), append([]string{"-D", filepath.Join(dir, "data")}, args...)...)
		cmd.Dir, cmd.Env = dir, []string{"LC_ALL=C", "TZ=UTC"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // ends its sessions
		cmd.WaitDelay = time.Minute
		return cmd
	}
	if out, err := command("initdb", "-U", "bench", "-A", "trust", "--encoding=UTF8", "--locale=C", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-p", strconv.Itoa(port)}
	for _, s := range pgSettings {
		args = append(args, "-c", s)
	}
	p := &jsonb{cmd: command("postgres", args...)}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.connect(ctx, port); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// folderFor makes the folder for its user: root's is nobody, since PostgreSQL refuses root.
func folderFor(dir string) (*syscall.Credential, error) {
	if err := os.Mkdir(dir, 0o700); err != nil || os.Geteuid() != 0 {
		return nil, err
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}, os.Chown(dir, uid, uid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// connect waits until the server takes connections.
func (p *jsonb) connect(ctx context.Context, port int) (err error) {
	for range 100 {
		p.conn, err = pgx.Connect(ctx, fmt.Sprintf("postgres://bench@127.0.0.1:%d/postgres?sslmode=disable", port))
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func (p *jsonb) name() string { return "PostgreSQL" }

func (p *jsonb) close() error {
	if p.conn != nil {
		p.conn.Close(context.Background())
	}
	p.cmd.Process.Signal(syscall.SIGINT)
	return p.cmd.Wait()
}

// run executes a statement on a table; pgx keeps each prepared.
func (p *jsonb) run(ctx context.Context, text, coll string, args ...any) error {
	_, err := p.conn.Exec(ctx, fmt.Sprintf(text, coll), args...)
	return err
}

func (p *jsonb) clear(ctx context.Context, coll string) error {
	return errors.Join(p.run(ctx, "DROP TABLE IF EXISTS %q", coll), p.run(ctx, "CREATE TABLE %q (id integer PRIMARY KEY, doc jsonb NOT NULL)", coll))
}

func (p *jsonb) insert(ctx context.Context, coll string, docs []person) error {
	ids, texts := make([]int32, len(docs)), make([]string, len(docs))
	for i := range docs {
		text, err := json.Marshal(&docs[i])
		if err != nil {
			return err
		}
		ids[i], texts[i] = docs[i].ID, string(text)
	}
	if len(docs) == 1 {
		return p.run(ctx, "INSERT INTO %q VALUES ($1, $2::text::jsonb)", coll, ids[0], texts[0])
	}
	return p.run(ctx, "INSERT INTO %q SELECT id, doc::jsonb FROM unnest($1::integer[], $2::text[]) AS new (id, doc)", coll, ids, texts)
}

func (p *jsonb) index(ctx context.Context, coll string) error {
	return errors.Join(p.run(ctx, "CREATE UNIQUE INDEX ON %q ((doc->>'key'))", coll), p.run(ctx, "VACUUM ANALYZE %q", coll))
}

func (p *jsonb) find(ctx context.Context, coll, key string) (one person, err error) {
	var text []byte
	if err := p.conn.QueryRow(ctx, fmt.Sprintf("SELECT doc FROM %q WHERE doc->>'key' = $1", coll), key).Scan(&text); err != nil {
		return one, err
	}
	return one, json.Unmarshal(text, &one)
}

func (p *jsonb) update(ctx context.Context, coll string, id int32) error {
	return p.run(ctx, "UPDATE %q SET doc = jsonb_set(doc, '{amount}', to_jsonb((doc->'amount')::int + 1)) WHERE id = $1", coll, id)
}

func (p *jsonb) remove(ctx context.Context, coll string, id int32) error {
	return p.run(ctx, "DELETE FROM %q WHERE id = $1", coll, id)
}

func (p *jsonb) count(ctx context.Context, coll string, least int) (n int64, err error) {
	return n, p.conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %q WHERE (doc->'amount')::int >= $1", coll), least).Scan(&n)
}

func (p *jsonb) group(ctx context.Context, coll string, least int) ([]total, error) {
	text := "SELECT doc->>'city', count(*), sum((doc->'amount')::int) AS s, max((doc->'amount')::int) FROM %q "
	var args []any
	if least > 0 {
		text += "WHERE (doc->'amount')::int >= $1 GROUP BY 1 ORDER BY s DESC"
		args = append(args, least)
	} else {
		text += "GROUP BY 1"
	}
	rows, err := p.conn.Query(ctx, fmt.Sprintf(text, coll), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[total])
}

func (p *jsonb) join(ctx context.Context, left, right string) (pairs int, err error) {
	rows, err := p.conn.Query(ctx, fmt.Sprintf("SELECT a.doc, b.doc FROM %q a JOIN %q b ON b.doc->>'key' = a.doc->>'friend'", left, right))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); pairs++ {
		rows.RawValues()
	}
	return pairs, rows.Err()
}

func (p *jsonb) ping(ctx context.Context) error {
	var one int
	return p.conn.QueryRow(ctx, "SELECT 1").Scan(&one)
}

// idle is the memory (PSS) of the server's processes, one session among them.
func (p *jsonb) idle(context.Context) (int64, error) {
	sum := pss(p.cmd.Process.Pid)
	for _, pid := range descendants(p.cmd.Process.Pid) {
		sum += pss(pid)
	}
	return sum, nil
}
