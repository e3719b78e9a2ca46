package postgres

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
)

// Admin connects as the superuser, for provisioning and checks; it starts the store when
// it does not run. The caller closes the connection.
//
// With it, never touch what a learner may have made in a way that runs it: no reading
// of a view, no DML on a table with triggers, no expression over a table of theirs; the
// search path holds pg_catalog alone.
func (c *Cluster) Admin(ctx context.Context, db string) (*pgx.Conn, error) {
	return c.connect(ctx, c.Dial, superuser, db)
}

// dialer is Dial, or daemon.Connect where a cluster at rest is to be left alone.
type dialer func(context.Context) (*net.UnixConn, error)

// connect logs in as one of the server's own roles.
func (c *Cluster) connect(ctx context.Context, dial dialer, role, db string) (*pgx.Conn, error) {
	s, err := readSecret(c.file(secretName))
	if err != nil {
		return nil, fmt.Errorf("connect to postgres as %s: %w", role, err)
	}
	// Parsing sets the defaults that the zero value lacks; what the environment has
	// added (PGOPTIONS, PGTZ, …) is replaced.
	cfg, err := pgx.ParseConfig("host=/ sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("connect to postgres as %s: %w", role, err)
	}
	cfg.User, cfg.Password, cfg.Database = role, s.password(role), db
	// A database's owner may set defaults for whoever connects; these are ours.
	cfg.RuntimeParams = map[string]string{
		"application_name": "storeroom", "search_path": "pg_catalog",
		"statement_timeout": "0", "transaction_timeout": "0", "idle_session_timeout": "0", "lock_timeout": "0",
		"default_transaction_read_only": "off", "default_transaction_deferrable": "off", "row_security": "on",
		"client_encoding": "UTF8", "standard_conforming_strings": "on", "check_function_bodies": "on",
	}
	cfg.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // one round trip; these connections are short
	conn, err := enter(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to postgres as %s: %w", role, err)
	}
	return conn, nil
}

// How long the server's own roles wait for a place, and how often they look. A session
// that has just ended, or was refused, holds its place until its process is gone.
const (
	placeTime  = time.Second
	placePause = 20 * time.Millisecond
)

// enter logs in, and waits when all places are taken, the server's own as well.
// When time is up, what the server said last tells more than that it is up.
func enter(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	var full error
	for began := time.Now(); ; {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		switch {
		case err != nil && ctx.Err() != nil && full != nil:
			return nil, full
		case err == nil, !isCode(err, "53300"), time.Since(began) > placeTime:
			return conn, err
		}
		full = err
		select {
		case <-ctx.Done():
			return nil, full
		case <-time.After(placePause):
		}
	}
}

// run executes one or more statements as the superuser.
func (c *Cluster) run(ctx context.Context, dial dialer, db, sql string) error {
	conn, err := c.connect(ctx, dial, superuser, db)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("in database %s: %w", db, err)
	}
	return nil
}
