package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/daemon"
)

// A cluster that holds more than Limits.Postgres is full. PostgreSQL has no limit on a
// cluster's size, and each of its switches that a role could be given (a read-only
// default, revoked rights) the owner of the tables can take back. So the superuser puts
// triggers into each database that refuse growth with a clear error, and let everything
// pass that deletes; the owner can't remove them, because removing is refused as well.
// What they can't see (temporary tables, large objects, new databases, prepared
// transactions) ends at a second limit: there the sessions are ended, and when that
// does not help the cluster is stopped and not started any more.
const (
	roomAgain = 0.9  // of the limit: below it a full cluster is not full any more
	tooFull   = 2.25 // of the limit: the second one; VACUUM FULL makes a copy of what it keeps
)

// memoryLimit is what all sessions together may have of memory, in bytes. Each has a
// limit of its own (the address space), which a single one needs and all at once don't.
const memoryLimit = 768 << 20

var (
	//go:embed full.sql
	fullSQL string
	//go:embed room.sql
	roomSQL string
)

// fullName is the file that says that the triggers are, or may be, in the databases.
const fullName = "full"

// fullness is what the watch remembers.
type fullness struct {
	mu      sync.Mutex
	set     map[uint32]bool // oids of the databases that have the triggers, as far as is known
	tooFull int             // looks in a row beyond the second limit
}

func (c *Cluster) limit(share float64) int64 { return int64(share * float64(c.cfg.Limits.Postgres)) }

// full tells whether writing is refused now.
func (c *Cluster) full() bool {
	_, err := os.Stat(c.file(fullName))
	return err == nil
}

// watch is called after work was done.
func (c *Cluster) watch(ctx context.Context, u daemon.Usage) {
	c.fullness.mu.Lock()
	defer c.fullness.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.endUnwanted(ctx); err != nil && ctx.Err() == nil {
		c.cfg.Log.Warn("end what a run has left in postgres", "error", err)
	}
	var err error
	switch {
	case u.Memory > memoryLimit && u.Largest != 0:
		c.say("PostgreSQL has ended a query of yours that took too much memory")
		err = syscall.Kill(u.Largest, syscall.SIGTERM) // what pg_terminate_backend does
	case u.Disk > c.limit(tooFull):
		err = c.brake(ctx)
	case u.Disk > c.limit(1):
		err = c.refuse(ctx)
	case u.Disk < c.limit(roomAgain) && c.full():
		err = c.admit(ctx)
	}
	if u.Disk <= c.limit(tooFull) {
		c.fullness.tooFull = 0
	}
	if err != nil && ctx.Err() == nil {
		c.cfg.Log.Warn("watch postgres", "disk", u.Disk, "error", err)
	}
}

func (c *Cluster) say(text string) {
	if c.cfg.Notify != nil {
		c.cfg.Notify(text)
	}
}

func (c *Cluster) fullMessage() string {
	return fmt.Sprintf("your PostgreSQL is full: it may hold %d MB", c.cfg.Limits.Postgres>>20)
}

// fullHint is what to do then.
const fullHint = "Deleting still works: DROP or TRUNCATE a table, or DELETE rows and then run VACUUM FULL. After a second or two you can write again."

// refuse puts the triggers into every database that has none yet.
func (c *Cluster) refuse(ctx context.Context) error {
	if !c.full() {
		if err := os.WriteFile(c.file(fullName), nil, 0o600); err != nil {
			return err
		}
		c.say(c.fullMessage() + ". " + fullHint)
	}
	list, err := c.databases(ctx)
	if err != nil {
		return err
	}
	sql := fmt.Sprintf(fullSQL, literal(c.fullMessage()), literal(fullHint))
	var errs []error
	for _, db := range list {
		if c.fullness.set[db.oid] {
			continue
		}
		if err := c.enforce(ctx, db.name, sql); err != nil {
			errs = append(errs, err)
			continue
		}
		c.fullness.set[db.oid] = true
	}
	return errors.Join(errs...)
}

// admit takes the triggers out of all databases.
func (c *Cluster) admit(ctx context.Context) error {
	list, err := c.databases(ctx)
	if err != nil {
		return err
	}
	for _, db := range list {
		if err := c.enforce(ctx, db.name, roomSQL); err != nil {
			return err
		}
	}
	clear(c.fullness.set)
	c.say("your PostgreSQL has room again: you can write")
	return os.Remove(c.file(fullName))
}

// brake ends the sessions of a cluster that grows on, and then the cluster.
func (c *Cluster) brake(ctx context.Context) error {
	const patience = 3 // looks until a session's end has given its files back
	if c.fullness.tooFull++; c.fullness.tooFull >= patience {
		c.say(c.tooFullMessage())
		return c.daemon.Kill()
	}
	return errors.Join(c.interrupt(ctx, "pg_terminate_backend"), c.refuse(ctx))
}

func (c *Cluster) tooFullMessage() string {
	return fmt.Sprintf("your PostgreSQL was stopped, because it held more than %d MB: press Reset to begin with a fresh one", c.limit(tooFull)>>20)
}

// startable answers an error for a cluster that is beyond the second limit.
func (c *Cluster) startable() error {
	if c.full() && daemon.Size(c.data()) > c.limit(tooFull) {
		return fmt.Errorf("%w: %s", store.ErrFull, c.tooFullMessage())
	}
	return nil
}

// database is one that can be connected to. A name may come again, an oid does not.
type database struct {
	oid  uint32
	name string
}

func (c *Cluster) databases(ctx context.Context) ([]database, error) {
	conn, err := c.somewhere(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT oid, datname FROM pg_database WHERE datallowconn AND datconnlimit <> -2")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d database, err error) {
		return d, row.Scan(&d.oid, &d.name)
	})
}

// somewhere connects to any database: the learner may have dropped all but template1.
func (c *Cluster) somewhere(ctx context.Context) (*pgx.Conn, error) {
	var errs []error
	for _, db := range []string{"postgres", Database, "template1"} {
		conn, err := c.connect(ctx, c.daemon.Connect, superuser, db)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// interrupt calls a function of PostgreSQL's on every session of the learner that has
// written something in its transaction, or is at work.
func (c *Cluster) interrupt(ctx context.Context, function string) error {
	return c.signal(ctx, function, "(state <> 'idle' OR backend_xid IS NOT NULL)")
}

// signal calls a function of the server for the learner's sessions that meet a condition.
func (c *Cluster) signal(ctx context.Context, function, which string) error {
	conn, err := c.somewhere(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `SELECT `+function+`(pid) FROM pg_stat_activity
		WHERE backend_type IN ('client backend', 'walsender') AND usename NOT IN ($1, $2) AND `+which,
		superuser, looker)
	return err
}

// enforce changes a database's triggers, for which no table may be in use: first it
// waits a moment, then it cancels what goes on, at last it ends the sessions.
func (c *Cluster) enforce(ctx context.Context, db, sql string) error {
	var err error
	for _, force := range []string{"", "pg_cancel_backend", "pg_terminate_backend"} {
		if force != "" {
			if err := c.interrupt(ctx, force); err != nil {
				return err
			}
		}
		err = c.run(ctx, c.daemon.Connect, db, "BEGIN; SET LOCAL lock_timeout = '200ms';"+sql+"; COMMIT")
		if !isCode(err, "55P03") { // lock not available
			return err
		}
	}
	return err
}

// literal is s as an SQL string.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// note adds to a shelf what the learner should know.
func (c *Cluster) note(s sandbox.Shelf) sandbox.Shelf {
	if s.Note == "" && c.full() {
		s.Note = c.fullMessage() + ". " + fullHint
	}
	return s
}
