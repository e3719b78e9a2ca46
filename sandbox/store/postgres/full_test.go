package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"storeroom/sandbox/store"
)

// notices collects what a learner is told.
type notices struct {
	mu   sync.Mutex
	text []string
}

func (n *notices) add(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = append(n.text, text)
}

func (n *notices) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.text, "\n")
}

// smallCluster may hold a bit more than a new one does.
func smallCluster(t *testing.T) (*Cluster, *notices) {
	t.Helper()
	cfg := configFor(t, testUID)
	cfg.Limits.Postgres = 64 << 20
	told := &notices{}
	cfg.Notify = told.add
	return open(t, cfg), told
}

// eventually asks until ok, for some seconds: the watch looks only now and then.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// fill writes a table until an error.
func fill(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS big (id int, text text)"); err != nil {
		return err
	}
	for {
		if _, err := conn.Exec(ctx, "INSERT INTO big SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) i"); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestOverTheLimitDeletingWorks(t *testing.T) {
	ctx := t.Context()
	c, told := smallCluster(t)
	conn := connect(t, c)
	// The triggers must reach tables of any name and kind, and other databases.
	for _, sql := range []string{
		`CREATE SCHEMA "Odd ""name"`, `CREATE TABLE "Odd ""name"."of a; table" (n int)`,
		"CREATE TABLE parent (id int PRIMARY KEY)", "CREATE TABLE child (id int REFERENCES parent ON DELETE SET NULL)",
		"INSERT INTO parent VALUES (1)", "INSERT INTO child VALUES (1)",
		"CREATE TABLE pieces (n int) PARTITION BY RANGE (n)", "CREATE TABLE piece PARTITION OF pieces FOR VALUES FROM (0) TO (9)",
		"CREATE TABLE later (n int)", "CREATE DATABASE second",
		// Nor must a database's own defaults keep the server from its work.
		"ALTER DATABASE testdb SET statement_timeout = 1", "ALTER DATABASE testdb SET default_transaction_read_only = on",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}

	err := fill(ctx, conn)
	if !isCode(err, "53100") && !isCode(err, "57014") { // disk full, or canceled to make it so
		t.Fatalf("the end of filling: %v", err)
	}
	refused := func(sql string) bool {
		_, err := conn.Exec(ctx, sql)
		var pg *pgconn.PgError
		return errors.As(err, &pg) && pg.Code == "53100" && strings.Contains(pg.Message, "full") && strings.Contains(pg.Hint, "DROP or TRUNCATE")
	}
	eventually(t, "writing is refused with a clear error", func() bool { return refused("INSERT INTO later VALUES (1)") })
	for _, sql := range []string{
		"INSERT INTO big VALUES (1, 'x')", "UPDATE big SET id = 0", `INSERT INTO "Odd ""name"."of a; table" VALUES (1)`,
		"INSERT INTO piece VALUES (1)", "INSERT INTO pieces VALUES (1)", "UPDATE child SET id = 1", "CREATE TABLE more (n int)",
		"CREATE TABLE more AS SELECT 1", "SELECT 1 INTO more", "CREATE INDEX ON big (id)", "COPY big FROM STDIN",
		// Nor can the refusal be taken away.
		"ALTER TABLE later DISABLE TRIGGER ALL", "DROP TRIGGER storeroom_full ON later", "ALTER TABLE later RENAME TO x",
		"CREATE OR REPLACE FUNCTION storeroom_refuse_rows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
	} {
		if !refused(sql) {
			_, err := conn.Exec(ctx, sql)
			t.Errorf("%s: not refused clearly: %v", sql, err)
		}
	}
	for sql, code := range map[string]string{
		"SET session_replication_role = replica": "42501", "SET event_triggers = off": "42501",
		"DROP EVENT TRIGGER storeroom_full": "42501", "DROP FUNCTION pg_catalog.storeroom_refuse_rows CASCADE": "42501",
	} {
		if _, err := conn.Exec(ctx, sql); !isCode(err, code) {
			t.Errorf("%s: %v, want %s", sql, err, code)
		}
	}
	eventually(t, "the other database refuses as well", func() bool {
		second, err := login(ctx, c, Role, Password, "second")
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close(ctx)
		_, err = second.Exec(ctx, "CREATE TABLE t (n int)")
		return isCode(err, "53100")
	})
	if !strings.Contains(told.String(), "your PostgreSQL is full: it may hold 64 MB") {
		t.Errorf("the learner was told: %q", told)
	}
	if shelf, err := c.Inspect(ctx); err != nil || !strings.Contains(shelf.Note, "full") {
		t.Errorf("the shelf's note: %q, %v", shelf.Note, err)
	}

	for _, sql := range []string{
		"DELETE FROM parent", "DELETE FROM big WHERE id % 2 = 0", "SELECT count(*) FROM big", "VACUUM FULL big",
		"TRUNCATE big", "DROP TABLE child",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	eventually(t, "there is room again", func() bool {
		_, err := conn.Exec(ctx, "INSERT INTO later VALUES (1)")
		return err == nil
	})
	if _, err := conn.Exec(ctx, "CREATE TABLE more (n int)"); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	var left int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d triggers are left, %v", left, err)
	}
}

func TestRefusalSurvivesACrash(t *testing.T) {
	ctx := t.Context()
	c, _ := smallCluster(t)
	conn := connect(t, c)
	fill(ctx, conn)
	eventually(t, "it is full", func() bool {
		_, err := conn.Exec(ctx, "CREATE TABLE t (n int)")
		return isCode(err, "53100")
	})
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	conn = connect(t, c)
	if _, err := conn.Exec(ctx, "INSERT INTO big VALUES (1)"); !isCode(err, "53100") {
		t.Errorf("after the crash: %v", err)
	}
	if _, err := conn.Exec(ctx, "DROP TABLE big"); err != nil {
		t.Error(err)
	}
}

// What the triggers don't see ends the sessions, and then the cluster.
func TestFarOverTheLimitItStops(t *testing.T) {
	ctx := t.Context()
	c, told := smallCluster(t)
	made := 0
	eventually(t, "it is not started any more", func() bool {
		conn, err := login(ctx, c, Role, Password, Database)
		if errors.Is(err, store.ErrFull) {
			return true
		}
		if err != nil {
			return false // it is just being stopped
		}
		defer conn.Close(ctx)
		// No file may be larger than the limit, so that large objects alone don't reach it.
		for range 50 {
			made++
			if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE DATABASE number%d", made)); err != nil {
				return false
			}
		}
		return false
	})
	if !strings.Contains(told.String(), "press Reset") {
		t.Errorf("the learner was told: %q", told)
	}
	if shelf, err := c.Inspect(ctx); err != nil || len(shelf.Items) == 0 {
		t.Errorf("its shelf: %+v, %v", shelf, err)
	}
}
