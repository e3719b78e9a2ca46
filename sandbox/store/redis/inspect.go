package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"storeroom/sandbox"
	"storeroom/sandbox/store/daemon"
)

// title is what the page calls the store.
const title = "Redis"

// Inspect lists the keys of all databases. A Redis at rest answers what it held when it
// was last looked at.
func (s *Store) Inspect(ctx context.Context) (sandbox.Shelf, error) {
	if s.cfg.Binary == "" {
		return sandbox.Shelf{Store: s.Name(), Title: title, Items: []sandbox.Item{}, Note: s.cfg.Why}, nil
	}
	s.looking.Lock()
	defer s.looking.Unlock()
	if !s.Running() {
		return s.resting(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	shelf, err := s.look(ctx)
	switch {
	case err == nil:
		return shelf, s.rest.Save(shelf)
	case !s.Running(), errors.Is(err, daemon.ErrResting): // it is being started or stopped
		return s.resting(), nil
	case isAuth(err):
		return s.repair(ctx)
	case errors.Is(err, context.DeadlineExceeded) || strings.HasPrefix(err.Error(), "BUSY"):
		shelf = s.resting()
		shelf.Note = "Redis is busy with a script; SCRIPT KILL ends it"
		return shelf, nil
	}
	return sandbox.Shelf{}, fmt.Errorf("look into redis: %w", err)
}

// Calm ends the script that Redis is busy with, if there is one. Its caller knows that
// nobody waits for it any more. A script that has written can only be ended with the
// server; what was acknowledged before it is there at the next Dial.
func (s *Store) Calm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	c := s.client(s.daemon.Connect)
	defer c.Close()
	err := c.ScriptKill(ctx).Err()
	switch {
	case err == nil, strings.HasPrefix(err.Error(), "NOTBUSY"), errors.Is(err, daemon.ErrResting):
		return nil
	case strings.HasPrefix(err.Error(), "UNKILLABLE"):
		return s.daemon.Kill()
	}
	return fmt.Errorf("end a script of redis: %w", err)
}

// resting is the last shelf, or an empty one.
func (s *Store) resting() sandbox.Shelf {
	if shelf, ok := s.rest.Load(); ok {
		return shelf
	}
	return sandbox.Shelf{Store: s.Name(), Title: title, Detail: "no keys", Items: []sandbox.Item{}}
}

// isAuth tells whether the administrator is not let in: only a learner with a user of
// their own making can have done that.
func isAuth(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "WRONGPASS") || strings.HasPrefix(text, "NOAUTH") || strings.HasPrefix(text, "NOPERM")
}

// repair puts the administrator back by a restart, the one way that is open.
func (s *Store) repair(ctx context.Context) (sandbox.Shelf, error) {
	if err := s.daemon.Stop(ctx); err != nil {
		return sandbox.Shelf{}, err
	}
	shelf := s.resting()
	shelf.Note = "Redis was started again, because the user " + admin + " was changed: Storeroom needs it to show what is in here"
	return shelf, nil
}

// look reads everything over one connection of its own.
func (s *Store) look(ctx context.Context) (sandbox.Shelf, error) {
	raw, err := s.daemon.Connect(ctx)
	if err != nil {
		return sandbox.Shelf{}, err
	}
	client := s.client(func(context.Context) (*net.UnixConn, error) { return raw, nil })
	defer client.Close()
	conn := client.Conn()
	defer conn.Close()

	pipe := conn.Pipeline()
	for _, p := range s.limits() {
		pipe.ConfigSet(ctx, p[0], p[1])
	}
	pipe.Do(ctx, "client", "no-touch", "on") // Valkey 7.2 and newer: the look does not count as a use
	list := pipe.Do(ctx, "acl", "list")
	info := pipe.Info(ctx) // everything: one section alone is a newer form
	_, err = pipe.Exec(ctx)
	if info.Val() == "" { // an older server lacks some of the rest
		return sandbox.Shelf{}, err
	}
	if lines, err := list.StringSlice(); err == nil {
		if err := s.users.save(lines); err != nil {
			return sandbox.Shelf{}, err
		}
	}
	facts := parseInfo(info.Val())
	items, err := readKeys(ctx, conn, facts.databases)
	if err != nil {
		return sandbox.Shelf{}, err
	}
	shelf := sandbox.Shelf{Store: s.Name(), Title: title, Detail: facts.detail(), Items: items}
	shelf.More = max(0, facts.keys()-len(items))
	return shelf, nil
}

// client answers go-redis as the administrator, with one connection and no retry. dial
// is Dial, or daemon.Connect where a Redis at rest is to be left alone.
func (s *Store) client(dial func(context.Context) (*net.UnixConn, error)) *redis.Client {
	return redis.NewClient(&redis.Options{
		Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		Username: admin, Password: s.password, Protocol: 2,
		PoolSize: 1, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, ContextTimeoutEnabled: true,
	})
}

// Admin answers a client with all rights but those that nobody has, for provisioning,
// checks and reset. The caller closes it. It starts the store when it does not run.
func (s *Store) Admin() *redis.Client { return s.client(s.Dial) }

// facts is what INFO tells.
type facts struct {
	product, version string
	used             int64 // bytes
	databases        []database
}

type database struct{ number, keys int }

func parseInfo(text string) facts {
	f := facts{product: "Redis"}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		switch {
		case name == "valkey_version":
			f.product, f.version = "Valkey", value
		case name == "redis_version" && f.version == "":
			f.version = value
		case name == "used_memory":
			f.used, _ = strconv.ParseInt(value, 10, 64)
		case strings.HasPrefix(name, "db"):
			var d database
			var err error
			if d.number, err = strconv.Atoi(name[2:]); err == nil {
				fmt.Sscanf(value, "keys=%d", &d.keys)
				f.databases = append(f.databases, d)
			}
		}
	}
	return f
}

func (f facts) keys() (n int) {
	for _, d := range f.databases {
		n += d.keys
	}
	return n
}

// detail is for example "1 key · 1.1 MB · Valkey 8.1".
func (f facts) detail() string {
	version := f.version
	if parts := strings.SplitN(version, ".", 3); len(parts) == 3 {
		version = parts[0] + "." + parts[1]
	}
	return fmt.Sprintf("%s · %.1f MB · %s %s", count(int64(f.keys()), "key", "keys"), float64(f.used)/1e6, f.product, version)
}

// count is for example "1 key" or "3 keys".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
