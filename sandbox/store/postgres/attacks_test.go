package postgres

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs that the attacks end with.
const (
	denied       = "42501" // insufficient_privilege
	noLanguage   = "42704" // undefined_object
	noParameter  = "55P02" // cant_change_runtime_param
	notSupported = "0A000" // feature_not_supported
)

// attacks are what a learner may try to reach the host, the superuser, or the server's
// process. PostgreSQL itself denies them all.
var attacks = []struct{ sql, code string }{
	{"COPY table_name TO PROGRAM 'cat > /tmp/x'", denied},
	{"COPY table_name FROM PROGRAM 'echo 1'", denied},
	{"COPY table_name TO '/tmp/storeroom-attack'", denied},
	{"CREATE TABLE IF NOT EXISTS lines (l text); COPY lines FROM '/etc/passwd'", denied},
	{"SELECT pg_read_file('/etc/passwd')", denied},
	{"SELECT pg_read_file('postgresql.conf')", denied},
	{"SELECT pg_read_binary_file('PG_VERSION')", denied},
	{"SELECT pg_stat_file('/etc/passwd')", denied},
	{"SELECT pg_ls_dir('.')", denied},
	{"SELECT pg_ls_dir('/')", denied},
	{"SELECT lo_import('/etc/passwd')", denied},
	{"SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/storeroom-attack')", denied},
	{"LOAD '/tmp/evil.so'", denied},
	{"LOAD 'vector'", denied},
	{"CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'", denied},
	{"CREATE FUNCTION f(text) RETURNS int LANGUAGE internal AS 'pg_read_file'", denied},
	{"CREATE EXTENSION plpython3u", notSupported},
	{"CREATE LANGUAGE plpython3u", notSupported},
	{"CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'", noLanguage},
	{"CREATE LANGUAGE evil HANDLER plpgsql_call_handler", denied},
	{"ALTER SYSTEM SET listen_addresses = '*'", denied},
	{"ALTER SYSTEM SET archive_command = 'id'", denied},
	{"ALTER SYSTEM RESET ALL", denied},
	{"SET session_preload_libraries = 'evil'", denied},
	{"SET dynamic_library_path = '/tmp'", denied},
	{"SET log_statement = 'all'", denied},
	{"SET temp_file_limit = -1", denied},
	{"SET allow_system_table_mods = on", denied},
	{"SET event_triggers = off", denied},
	{"SET shared_buffers = '1GB'", noParameter},
	{"SET max_connections = 1000", noParameter},
	{"SET archive_command = 'id'", noParameter},
	{"CREATE TABLESPACE elsewhere LOCATION '/tmp'", denied},
	{"CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p", denied},
	{"CREATE ROLE boss SUPERUSER", denied},
	{"ALTER ROLE postgres SUPERUSER", denied},
	{"ALTER ROLE storeroom PASSWORD 'x'", denied},
	{"ALTER ROLE storeroom_look PASSWORD 'x'", denied},
	{"ALTER ROLE storeroom RENAME TO x", denied},
	{"DROP ROLE storeroom", denied},
	{"GRANT storeroom TO postgres", denied},
	{"GRANT storeroom_look TO postgres", denied},
	{"GRANT pg_execute_server_program TO postgres", denied},
	{"GRANT pg_read_server_files TO postgres", denied},
	{"GRANT pg_write_server_files TO postgres", denied},
	{"GRANT pg_read_all_data TO postgres", denied},
	{"GRANT pg_use_reserved_connections TO postgres", denied},
	{"SET ROLE storeroom", denied},
	{"SET SESSION AUTHORIZATION storeroom", denied},
	{"CREATE ROLE replicant BYPASSRLS", denied},
	{"SELECT rolpassword FROM pg_authid", denied},
	{"SELECT passwd FROM pg_shadow", denied},
	{"UPDATE pg_database SET datallowconn = false", denied},
	{"INSERT INTO pg_proc SELECT * FROM pg_proc LIMIT 1", denied},
	{"CREATE FUNCTION pg_catalog.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", denied},
	{"CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()", denied},
	{"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'storeroom'", denied},
	{"SELECT pg_reload_conf()", denied},
	{"SELECT pg_rotate_logfile()", denied},
	{"SELECT pg_promote()", denied},
	{"SELECT pg_switch_wal()", denied},
	{"SELECT pg_hba_file_rules()", denied},
	{"SELECT pg_current_logfile()", ""}, // allowed to pg_monitor; there is no such file
	{"CREATE SERVER s FOREIGN DATA WRAPPER nothing", noLanguage},
	{"CREATE FOREIGN DATA WRAPPER w", denied},
	{"CREATE PUBLICATION p FOR ALL TABLES", denied},
	{"ALTER DATABASE template1 OWNER TO postgres", denied},
	{"DROP DATABASE template1", denied},
	{"CREATE TYPE base", denied},
	{"CREATE TEXT SEARCH TEMPLATE t (LEXIZE = dsimple_lexize)", denied},
	{"CREATE ACCESS METHOD m TYPE INDEX HANDLER bthandler", denied},
}

func TestAttacks(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn := connect(t, c)
	admin, err := c.Admin(t.Context(), Database) // somebody to attack
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	for _, a := range attacks {
		_, err := conn.Exec(t.Context(), a.sql, pgx.QueryExecModeSimpleProtocol)
		if got := code(err); got != a.code {
			t.Errorf("%s\n\tanswered %q (%v), want %q", a.sql, got, err, a.code)
		}
	}
	if _, err := os.Stat("/tmp/storeroom-attack"); err == nil {
		t.Error("a file was written outside of the cluster")
	}
	// The server's own processes are no sessions: PostgreSQL warns, and does nothing.
	var hit int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE backend_type IN ('checkpointer', 'background writer', 'walwriter')`).Scan(&hit); err != nil || hit != 0 {
		t.Errorf("%d of the server's processes were signalled, %v", hit, err)
	}
	if err := admin.Ping(t.Context()); err != nil {
		t.Errorf("the superuser's session: %v", err)
	}
	var super int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'storeroom'").Scan(&super); err != nil || super != 0 {
		t.Errorf("%d superusers were made, %v", super, err)
	}
}

// code is an error's SQLSTATE; "" without an error.
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// A replication connection can send a backup to the client, and not to the server's disk.
func TestBaseBackupToTheServer(t *testing.T) {
	c := open(t, configFor(t, testUID))
	cfg, err := pgx.ParseConfig("host=/ sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = Role, Password
	cfg.RuntimeParams = map[string]string{"replication": "true"}
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return c.Dial(ctx) }
	conn, err := pgconn.ConnectConfig(t.Context(), &cfg.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), "BASE_BACKUP (TARGET 'server', TARGET_DETAIL '/tmp/storeroom-attack')").ReadAll()
	if code(err) != denied {
		t.Errorf("a backup to the server's disk: %v", err)
	}
}

// What a course needs, and a learner who is no superuser may do.
func TestWhatWorks(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn := connect(t, c)
	for _, sql := range []string{
		"CREATE ROLE reader LOGIN PASSWORD 'r'", "GRANT SELECT ON table_name TO reader", "GRANT pg_monitor TO reader",
		"CREATE ROLE team", "GRANT team TO reader", "ALTER ROLE reader CONNECTION LIMIT 2", "SET ROLE reader", "RESET ROLE",
		"CREATE ROLE copier LOGIN REPLICATION", "CREATE ROLE maker CREATEDB CREATEROLE",
		"CREATE DATABASE shop", "ALTER DATABASE shop SET work_mem = '1MB'", "DROP DATABASE shop",
		"CREATE DATABASE shop TEMPLATE template0", "CREATE DATABASE twin TEMPLATE shop",
		"CREATE SCHEMA s", "CREATE TABLE s.t (id int PRIMARY KEY, v vector(2), j jsonb, w tsvector)",
		"INSERT INTO s.t VALUES (1, '[1,2]', '{}', to_tsvector('english', 'running shoes'))",
		"CREATE INDEX ON s.t USING hnsw (v vector_l2_ops)", "CREATE INDEX ON s.t USING gin (j)",
		"CREATE FUNCTION s.one() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DO 'BEGIN PERFORM s.one(); END'",
		"CREATE PUBLICATION p FOR TABLE s.t", "CREATE MATERIALIZED VIEW s.m AS SELECT * FROM s.t", "REFRESH MATERIALIZED VIEW s.m",
		"ALTER TABLE s.t ENABLE ROW LEVEL SECURITY", "CREATE POLICY mine ON s.t USING (id = 1)",
		"VACUUM", "VACUUM FULL s.t", "ANALYZE", "CHECKPOINT", "REINDEX TABLE s.t",
		"SELECT pg_create_physical_replication_slot('slot')", "SELECT pg_create_logical_replication_slot('changes', 'pgoutput')",
		"SELECT * FROM pg_replication_slots", "SELECT pg_drop_replication_slot('changes')",
		"EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM table_name", "SELECT * FROM pg_stat_activity", "SHOW ALL", "SHOW data_directory",
		"BEGIN; INSERT INTO table_name (name, city, joined) VALUES ('Mary', 'Accra', now()); PREPARE TRANSACTION 'two'", "COMMIT PREPARED 'two'",
		"CREATE TEMP TABLE mine (n int)", "LISTEN news", "NOTIFY news, 'hello'", "SELECT pg_notify('news', 'again')",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'", "SET statement_timeout = '10s'",
		"DROP DATABASE postgres", "ALTER ROLE postgres PASSWORD 'new'",
	} {
		if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	// The shelf does not need the learner's password, nor the database postgres.
	if shelf, err := c.Inspect(t.Context()); err != nil || len(shelf.Items) == 0 {
		t.Errorf("the shelf: %+v, %v", shelf, err)
	}
	if db, err := login(t.Context(), c, Role, "new", "shop"); err != nil {
		t.Error(err)
	} else {
		db.Close(t.Context())
	}
}

// The client programs that a lesson on backups uses.
func TestClientPrograms(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn := connect(t, c)
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program(c.cfg.Parts, name), append([]string{"-h", c.cfg.Run, "-U", Role}, args...)...)
		cmd.Env = []string{"PGPASSWORD=" + Password}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s %v: %v: %s", name, args, err, out)
		}
		return string(out)
	}
	if out := run("pg_dump", Database); !strings.Contains(out, "CREATE TABLE public.table_name") {
		t.Errorf("pg_dump: %s", out)
	}
	dump := filepath.Join(dir, "dump")
	run("pg_dump", "-Fc", "-f", dump, Database)
	if _, err := conn.Exec(t.Context(), "DROP TABLE table_name"); err != nil {
		t.Fatal(err)
	}
	run("pg_restore", "-O", "-x", "-d", Database, "-t", "table_name", dump)
	if out := run("psql", "-d", Database, "-Atc", "SELECT count(*) FROM table_name"); strings.TrimSpace(out) != "5" {
		t.Errorf("after the restore: %s", out)
	}
	run("pg_dumpall", "--no-role-passwords", "-f", filepath.Join(dir, "all.sql"))
	run("psql", "-d", Database, "-c", `\l`, "-c", `\du`, "-c", `\d table_name`)
	backup := filepath.Join(dir, "backup")
	run("pg_basebackup", "-D", backup, "-X", "stream", "-c", "fast")
	if _, err := os.Stat(filepath.Join(backup, "backup_manifest")); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(filepath.Join(backup, hbaName)); strings.Contains(string(text), "trust") {
		t.Error("a backup that is started by itself lets everybody in")
	}
	s, _ := readSecret(c.file(secretName))
	filepath.Walk(backup, func(path string, _ os.FileInfo, _ error) error {
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte(s.password(superuser))) {
			t.Errorf("%s holds the superuser's password", path)
		}
		return nil
	})
}

// What takes memory, stack, disk or time ends with an error of its own, and nobody else's
// session ends with it.
func TestGreedyStatements(t *testing.T) {
	c := open(t, configFor(t, testUID))
	bystander := connect(t, c)
	pid := c.daemon.PID()
	for _, g := range []struct{ sql, codes string }{
		{"SELECT length(repeat('x', 500000000) || repeat('y', 500000000))", "53200 54000"},
		{"SELECT array_agg(repeat(i::text, 10000)) FROM generate_series(1, 100000) i", "53200 54000"},
		{"CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN f(n + 1); END'; SELECT f(1)", "54001"},
		{"SELECT repeat('(', 100000)::text; SELECT " + strings.Repeat("(", 20000) + "1" + strings.Repeat(")", 20000), "54001 42601"},
		{"SELECT count(*) FROM (SELECT DISTINCT a, b FROM generate_series(1, 3000) a, generate_series(1, 3000) b) d", "53400"},
		{"SET statement_timeout = '300ms'; WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r", "57014 53400"},
	} {
		conn, err := login(t.Context(), c, Role, Password, Database)
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), g.sql, pgx.QueryExecModeSimpleProtocol)
		if got := code(err); got == "" || !strings.Contains(g.codes, got) {
			t.Errorf("%.80s: %v, want one of %s", g.sql, err, g.codes)
		}
		conn.Close(context.Background())
	}
	if err := bystander.Ping(t.Context()); err != nil || c.daemon.PID() != pid {
		t.Errorf("another session: %v", err)
	}
}

// All sessions together have a limit of memory too.
func TestManyGreedySessions(t *testing.T) {
	cfg := configFor(t, testUID)
	told := &notices{}
	cfg.Notify = told.add
	c := open(t, cfg)
	bystander := connect(t, c)
	var wg sync.WaitGroup
	for range 4 {
		conn, err := login(t.Context(), c, Role, Password, Database)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer conn.Close(context.Background())
			conn.Exec(t.Context(), "SELECT length(repeat('x', 300000000)), pg_sleep(4)")
		})
	}
	eventually(t, "one was ended", func() bool { return strings.Contains(told.String(), "too much memory") })
	wg.Wait()
	if err := bystander.Ping(t.Context()); err != nil {
		t.Errorf("another session: %v", err)
	}
}

func TestConnections(t *testing.T) {
	c := open(t, configFor(t, testUID))
	for range c.cfg.Limits.PGConns {
		connect(t, c)
	}
	if _, err := login(t.Context(), c, Role, Password, Database); !isCode(err, "53300") {
		t.Errorf("one connection too many: %v", err)
	}
	if shelf, err := c.Inspect(t.Context()); err != nil || len(shelf.Items) == 0 {
		t.Errorf("the server's own look: %+v, %v", shelf, err)
	}
	admin, err := c.Admin(t.Context(), Database)
	if err != nil {
		t.Fatal(err)
	}
	admin.Close(t.Context())
}

// A learner can't be anybody else by saying so.
func TestNobodyEntersWithoutAPassword(t *testing.T) {
	c := open(t, configFor(t, testUID))
	for _, role := range []string{superuser, looker, Role} {
		for _, password := range []string{"", "x", role} {
			if _, err := login(t.Context(), c, role, password, Database); err == nil {
				t.Errorf("%s was let in with the password %q", role, password)
			}
		}
	}
	other := open(t, configFor(t, otherUID))
	a, _ := readSecret(c.file(secretName))
	b, _ := readSecret(other.file(secretName))
	if bytes.Equal(a, b) {
		t.Fatal("two copies have the same secret")
	}
	if _, err := login(t.Context(), other, superuser, a.password(superuser), Database); !isCode(err, "28P01") {
		t.Errorf("one cluster's superuser at another: %v", err)
	}
}

// Whoever has taken over one learner's server finds no way to another's: its folders are
// another user's, and what it puts into its own is not followed.
func TestALinkToAnothersSocketIsNotFollowed(t *testing.T) {
	mine, theirs := open(t, configFor(t, testUID)), open(t, configFor(t, otherUID))
	connect(t, mine)
	connect(t, theirs)
	if err := os.Remove(mine.socket()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs.socket(), mine.socket()); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, mine) // its server is taken for broken and started again
	if _, err := conn.Exec(t.Context(), "CREATE TABLE whose (n int)"); err != nil {
		t.Fatal(err)
	}
	if shelf, _ := theirs.Inspect(t.Context()); len(shelf.Items) != 1 {
		t.Errorf("the other learner's shelf: %+v", shelf)
	}
	for _, dir := range []string{theirs.data(), theirs.cfg.Run} {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if info, err := os.Stat(theirs.file(secretName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret: %v, %v", info.Mode(), err)
	}
}

// The look at the tables runs functions that a learner wrote: they must not be run with
// the superuser's rights.
func TestInspectIsNotTheSuperuser(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn := connect(t, c)
	for _, sql := range []string{
		"CREATE TABLE who (name text)", "GRANT ALL ON who TO PUBLIC",
		"CREATE FUNCTION trap() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN INSERT INTO public.who VALUES (current_user); RETURN true; END'",
		"CREATE VIEW v AS SELECT trap()",
		"CREATE TABLE p (n int)", "ALTER TABLE p ENABLE ROW LEVEL SECURITY", "CREATE POLICY look ON p USING (trap())",
		"INSERT INTO p VALUES (1), (2)",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	shelf, err := c.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	details := map[string]string{}
	for _, item := range shelf.Items {
		details[item.Name] = item.Detail
	}
	if details["v"] != "view" || details["who"] != "0 rows" || details["p"] != "2 rows" {
		t.Errorf("the shelf: %+v", shelf)
	}
	var super int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM who WHERE name = 'storeroom'").Scan(&super); err != nil || super != 0 {
		t.Errorf("%d functions ran as the superuser, %v", super, err)
	}
}

// A table that is locked, or too big to count, holds nothing up.
func TestInspectOfALockedTable(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn := connect(t, c)
	if _, err := conn.Exec(t.Context(), "BEGIN; CREATE TABLE unseen (n int); LOCK table_name", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	shelf, err := c.Inspect(ctx)
	if err != nil || len(shelf.Items) != 1 || shelf.Items[0].Detail != "about 5 rows" {
		t.Errorf("%+v, %v", shelf, err)
	}
}

func TestInspectOfAClosedDatabase(t *testing.T) {
	c := open(t, configFor(t, testUID))
	if _, err := connect(t, c).Exec(t.Context(), "ALTER DATABASE testdb CONNECTION LIMIT 0"); err != nil {
		t.Fatal(err)
	}
	shelf, err := c.Inspect(t.Context())
	if err != nil || !strings.Contains(shelf.Note, "too many connections") || len(shelf.Items) != 1 {
		t.Errorf("%+v, %v", shelf, err)
	}
}

func TestInspectOfADroppedDatabase(t *testing.T) {
	c := open(t, configFor(t, testUID))
	conn, err := login(t.Context(), c, Role, Password, "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "DROP DATABASE testdb"); err != nil {
		t.Fatal(err)
	}
	shelf, err := c.Inspect(t.Context())
	if err != nil || !strings.Contains(shelf.Note, "CREATE DATABASE testdb") {
		t.Errorf("%+v, %v", shelf, err)
	}
}
