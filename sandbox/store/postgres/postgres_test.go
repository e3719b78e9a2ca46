package postgres

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/storetest"
)

func TestMain(m *testing.M) {
	if confine.IsChild() {
		confine.Main()
	}
	status := m.Run()
	if template.dir != "" {
		os.RemoveAll(filepath.Dir(template.dir))
	}
	os.Exit(status)
}

// testUID and otherUID run the servers where the tests are root; no real account has them.
const testUID, otherUID = 61_235, 61_236

func learnerUID(uid int) int {
	if os.Getuid() != 0 {
		return 0
	}
	return uid
}

// template is made once for all tests of the package.
var template struct {
	once sync.Once
	dir  string
	err  error
}

func templateDir(t *testing.T) (partsDir, dir string) {
	t.Helper()
	set := parts.ForTest(t)
	if set.Postgres == "" {
		t.Skipf("needs PostgreSQL: %v", set.Missing)
	}
	template.once.Do(func() {
		top, err := os.MkdirTemp("/tmp", "sr-pg-")
		if err != nil {
			template.err = err
			return
		}
		os.Chmod(top, 0o711)
		template.dir = filepath.Join(top, "template")
		template.err = Template(context.Background(), TemplateConfig{
			Parts: set.Postgres, Dir: template.dir, Run: filepath.Join(top, "run"), Limits: sandbox.Defaults(),
		})
	})
	if template.err != nil {
		t.Fatal(template.err)
	}
	return set.Postgres, template.dir
}

// configFor answers the configuration of a fresh copy. Its folders are short, since the
// path of a socket is.
func configFor(t *testing.T, uid int) Config {
	t.Helper()
	set, from := templateDir(t)
	dir, err := os.MkdirTemp("/tmp", "sr-pg-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o711)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := Config{Parts: set, Dir: filepath.Join(dir, "postgres"), Run: filepath.Join(dir, "run"), UID: learnerUID(uid), Limits: sandbox.Defaults()}
	if err := Copy(t.Context(), set, from, c.Dir, c.UID); err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	c := New(cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

// login connects as a learner would.
func login(ctx context.Context, s store.Store, user, password, db string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig("host=/ sslmode=disable")
	if err != nil {
		return nil, err
	}
	cfg.User, cfg.Password, cfg.Database = user, password, db
	cfg.RuntimeParams = map[string]string{}
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return s.Dial(ctx) }
	return pgx.ConnectConfig(ctx, cfg)
}

// connect is login as the role postgres to testdb, for a test's length.
func connect(t *testing.T, s store.Store) *pgx.Conn {
	t.Helper()
	conn, err := login(t.Context(), s, Role, Password, Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		Open: func(t *testing.T) (store.Store, func() store.Store) {
			cfg := configFor(t, testUID)
			return open(t, cfg), func() store.Store { return open(t, cfg) }
		},
		Write: func(ctx context.Context, s store.Store, name string) error {
			conn, err := login(ctx, s, Role, Password, Database)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS names (name text)"); err != nil && !isCode(err, "23505") {
				return err
			}
			_, err = conn.Exec(ctx, "INSERT INTO names VALUES ($1)", name)
			return err
		},
		Names: func(ctx context.Context, s store.Store) ([]string, error) {
			conn, err := login(ctx, s, Role, Password, Database)
			if err != nil {
				return nil, err
			}
			defer conn.Close(ctx)
			rows, err := conn.Query(ctx, "SELECT name FROM names ORDER BY name")
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowTo[string])
		},
		Shelf: func(n int) sandbox.Item {
			rows := "rows"
			if n == 1 {
				rows = "row"
			}
			return sandbox.Item{Name: "names", Detail: fmt.Sprintf("%d %s", n, rows)}
		},
		PID:  func(s store.Store) int { return s.(*Cluster).daemon.PID() },
		Data: func(s store.Store) string { return s.(*Cluster).data() },
	})
}
