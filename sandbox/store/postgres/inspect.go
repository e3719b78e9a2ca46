package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"storeroom/sandbox"
	"storeroom/sandbox/store/daemon"
)

// title is what the page calls the store.
const title = "PostgreSQL 18"

// Bounds of a look at the tables.
const (
	inspectTime = time.Second
	countTime   = 300 * time.Millisecond // for all counts together, and then for each alone
	lockTime    = 50 * time.Millisecond  // a table that the learner has locked is not waited for
	maxCount    = 100_000                // rows counted one by one
)

// Inspect lists the tables and views of testdb with their rows. A cluster at rest answers
// what it held when it was last looked at.
func (c *Cluster) Inspect(ctx context.Context) (sandbox.Shelf, error) {
	if c.cfg.Parts == "" {
		return sandbox.Shelf{Store: c.Name(), Title: title, Items: []sandbox.Item{}, Note: c.cfg.Why}, nil
	}
	if !c.Running() {
		return c.resting(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	shelf, err := c.look(ctx)
	switch {
	case err == nil:
		return c.note(shelf), c.rest.Save(shelf)
	case !c.Running(), errors.Is(err, daemon.ErrResting): // it is being started or stopped
		return c.resting(), nil
	case isCode(err, "3D000"): // no such database
		shelf := sandbox.Shelf{Store: c.Name(), Title: title, Items: []sandbox.Item{},
			Note: "the database " + Database + " was dropped: CREATE DATABASE " + Database + " makes an empty one, Reset brings the first one back"}
		return shelf, c.rest.Save(shelf)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) { // the learner's doing: no connections allowed, the role's sessions ended
		shelf := c.resting()
		shelf.Note = "the tables can't be listed now: " + pg.Message
		return shelf, nil
	}
	return sandbox.Shelf{}, fmt.Errorf("look into postgres: %w", err)
}

// resting is the last shelf; a copy comes with its template's.
func (c *Cluster) resting() sandbox.Shelf {
	if shelf, ok := c.rest.Load(); ok {
		return c.note(shelf)
	}
	return sandbox.Shelf{Store: c.Name(), Title: title, Detail: Database, Items: []sandbox.Item{}}
}

// isCode tells whether err is PostgreSQL's error with this SQLSTATE.
func isCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

// relation is a table or a view.
type relation struct {
	name    string // qualified when not in public
	quoted  string // the same for SQL
	kind    string // pg_class.relkind
	guess   int64  // rows by the statistics; -1: not known
	counted bool
	rows    int64
}

// The relations of a database that are a learner's: whatever is in no schema of
// PostgreSQL's own and belongs to no extension. Temporary ones are other sessions' alone.
const listSQL = `
SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END,
       pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text, c.reltuples::bigint,
       pg_catalog.count(*) OVER ()
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname <> 'public', n.nspname, c.relname
LIMIT $1`

// look reads over a connection of its own, which is closed at the end: an open one would
// keep the learner from dropping the database.
func (c *Cluster) look(ctx context.Context) (sandbox.Shelf, error) {
	conn, err := c.connect(ctx, c.daemon.Connect, looker, Database)
	if err != nil {
		return sandbox.Shelf{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	list, total, err := relations(ctx, conn)
	if err != nil {
		return sandbox.Shelf{}, err
	}
	if err := count(ctx, conn, list); err != nil {
		return sandbox.Shelf{}, err
	}
	shelf := sandbox.Shelf{Store: c.Name(), Title: title, Detail: Database, Items: []sandbox.Item{}, More: total - len(list)}
	for _, r := range list {
		shelf.Items = append(shelf.Items, sandbox.Item{Name: r.name, Detail: r.detail()})
	}
	return shelf, nil
}

func relations(ctx context.Context, conn *pgx.Conn) (list []relation, total int, err error) {
	rows, err := conn.Query(ctx, listSQL, sandbox.MaxItems)
	if err != nil {
		return nil, 0, err
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r relation, err error) {
		return r, row.Scan(&r.name, &r.quoted, &r.kind, &r.guess, &total)
	})
	return list, total, err
}

// count counts the rows of all tables at once and, where one of them can't be counted
// now, each by itself.
func count(ctx context.Context, conn *pgx.Conn, list []relation) error {
	limits := fmt.Sprintf("SET statement_timeout = %d; SET lock_timeout = %d", countTime.Milliseconds(), lockTime.Milliseconds())
	if _, err := conn.Exec(ctx, limits, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	var tables []*relation
	for i := range list {
		if list[i].countable() {
			tables = append(tables, &list[i])
		}
	}
	if countAll(ctx, conn, tables) == nil {
		return nil
	}
	end := time.Now().Add(countTime)
	for _, r := range tables {
		if time.Now().Before(end) {
			countAll(ctx, conn, []*relation{r}) // what fails is shown by its statistics
		}
	}
	return ctx.Err()
}

// countable tells whether counting is reading. A view's rows may be any computation.
func (r *relation) countable() bool { return r.kind != "v" && r.kind != "f" }

func countAll(ctx context.Context, conn *pgx.Conn, tables []*relation) error {
	if len(tables) == 0 {
		return nil
	}
	sql := "SELECT "
	var into []any
	for i, r := range tables {
		if i > 0 {
			sql += ", "
		}
		sql += "(SELECT pg_catalog.count(*) FROM (SELECT FROM " + r.quoted + " LIMIT " + strconv.Itoa(maxCount+1) + ") AS part)"
		into = append(into, &r.rows)
	}
	if err := conn.QueryRow(ctx, sql).Scan(into...); err != nil {
		return err
	}
	for _, r := range tables {
		r.counted = true
	}
	return nil
}

// detail is for example "5 rows".
func (r *relation) detail() string {
	switch {
	case r.kind == "v":
		return "view"
	case r.kind == "f":
		return "foreign table"
	case r.counted && r.rows == 1:
		return "1 row"
	case r.counted && r.rows <= maxCount:
		return thousands(r.rows) + " rows"
	case r.guess > maxCount || (!r.counted && r.guess >= 0):
		return "about " + thousands(r.guess) + " rows"
	case r.counted:
		return "more than " + thousands(maxCount) + " rows"
	}
	return "rows not counted"
}

// thousands is for example "12,345".
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
