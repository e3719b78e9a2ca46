package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // registers itself with database/sql
)

// lite is SQLite in this process: a table of JSON, with a write-ahead log. Commits are
// with the kernel when they are answered; the disk is waited for at checkpoints alone.
type lite struct {
	dir   string
	db    *sql.DB
	conn  *sql.Conn
	ready map[string]*sql.Stmt
}

// litePragmas are in the data source's name, for every connection.
const litePragmas = "?_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=cache_size(-65536)&_pragma=temp_store(memory)"

func openSQLite(ctx context.Context, dir string) (contender, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "bench.db")+litePragmas)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &lite{dir: dir, db: db, conn: conn, ready: map[string]*sql.Stmt{}}, nil
}

func (l *lite) name() string { return "SQLite" }

func (l *lite) close() error {
	l.conn.Close()
	return l.db.Close()
}

// prepared keeps each statement for the next time.
func (l *lite) prepared(ctx context.Context, text, coll string) (*sql.Stmt, error) {
	text = fmt.Sprintf(text, coll)
	if s := l.ready[text]; s != nil {
		return s, nil
	}
	s, err := l.conn.PrepareContext(ctx, text)
	if err == nil {
		l.ready[text] = s
	}
	return s, err
}

func (l *lite) run(ctx context.Context, text, coll string, args ...any) error {
	s, err := l.prepared(ctx, text, coll)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

func (l *lite) clear(ctx context.Context, coll string) error {
	for _, s := range l.ready {
		s.Close()
	}
	clear(l.ready)
	_, err := l.conn.ExecContext(ctx, fmt.Sprintf("DROP TABLE IF EXISTS %q; CREATE TABLE %[1]q (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)", coll))
	return err
}

func (l *lite) insert(ctx context.Context, coll string, docs []person) error {
	s, err := l.prepared(ctx, "INSERT INTO %q VALUES (?, ?)", coll)
	if err != nil {
		return err
	}
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	s = tx.StmtContext(ctx, s)
	for i := range docs {
		text, err := json.Marshal(&docs[i])
		if err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, docs[i].ID, string(text)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (l *lite) index(ctx context.Context, coll string) error {
	_, err := l.conn.ExecContext(ctx, fmt.Sprintf("CREATE UNIQUE INDEX %q ON %q (doc->>'key'); ANALYZE", coll+"_key", coll))
	return err
}

func (l *lite) find(ctx context.Context, coll, key string) (p person, err error) {
	s, err := l.prepared(ctx, "SELECT doc FROM %q WHERE doc->>'key' = ?", coll)
	if err != nil {
		return p, err
	}
	var text []byte
	if err := s.QueryRowContext(ctx, key).Scan(&text); err != nil {
		return p, err
	}
	return p, json.Unmarshal(text, &p)
}

func (l *lite) update(ctx context.Context, coll string, id int32) error {
	return l.run(ctx, "UPDATE %q SET doc = json_set(doc, '$.amount', (doc->>'amount') + 1) WHERE id = ?", coll, id)
}

func (l *lite) remove(ctx context.Context, coll string, id int32) error {
	return l.run(ctx, "DELETE FROM %q WHERE id = ?", coll, id)
}

func (l *lite) count(ctx context.Context, coll string, least int) (n int64, err error) {
	s, err := l.prepared(ctx, "SELECT count(*) FROM %q WHERE doc->>'amount' >= ?", coll)
	if err != nil {
		return 0, err
	}
	return n, s.QueryRowContext(ctx, least).Scan(&n)
}

func (l *lite) group(ctx context.Context, coll string, least int) (all []total, err error) {
	text := "SELECT doc->>'city', count(*), sum(doc->>'amount'), max(doc->>'amount') FROM %q GROUP BY 1"
	var args []any
	if least > 0 {
		text = "SELECT doc->>'city', count(*), sum(doc->>'amount') AS s, max(doc->>'amount') FROM %q WHERE doc->>'amount' >= ? GROUP BY 1 ORDER BY s DESC"
		args = append(args, least)
	}
	s, err := l.prepared(ctx, text, coll)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t total
		if err := rows.Scan(&t.City, &t.N, &t.Sum, &t.Most); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

func (l *lite) join(ctx context.Context, left, right string) (pairs int, err error) {
	s, err := l.prepared(ctx, fmt.Sprintf("SELECT a.doc, b.doc FROM %q a JOIN %%q b ON b.doc->>'key' = a.doc->>'friend'", left), right)
	if err != nil {
		return 0, err
	}
	rows, err := s.QueryContext(ctx)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); pairs++ {
		var a, b sql.RawBytes
		if err := rows.Scan(&a, &b); err != nil {
			return 0, err
		}
	}
	return pairs, rows.Err()
}

func (l *lite) ping(ctx context.Context) error {
	var one int
	s, err := l.prepared(ctx, "SELECT 1 -- %q", "")
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx).Scan(&one)
}

// idle is what this process's resident memory grows by for a connection to an empty file:
// SQLite's memory is not on Go's heap.
func (l *lite) idle(ctx context.Context) (int64, error) {
	before := rss(os.Getpid())
	for i := range instances {
		db, err := sql.Open("sqlite", filepath.Join(l.dir, fmt.Sprintf("idle-%d.db", i))+litePragmas)
		if err != nil {
			return 0, err
		}
		defer db.Close()
		if _, err := db.ExecContext(ctx, "CREATE TABLE a (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)"); err != nil {
			return 0, err
		}
	}
	return (rss(os.Getpid()) - before) / instances, nil
}
