package redis

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/parts"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/storetest"
)

// testUID runs the servers where the tests are root; no real account has it.
const testUID = 61_234

// configFor answers the configuration of a fresh store. Its folders are short, since the
// path of a socket is.
func configFor(t *testing.T) Config {
	t.Helper()
	set := parts.ForTest(t)
	if set.Valkey == "" {
		t.Skipf("needs Valkey: %v", set.Missing)
	}
	dir, err := os.MkdirTemp("/tmp", "sr-redis-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o711)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := Config{Binary: set.Valkey, Dir: filepath.Join(dir, "redis"), Run: filepath.Join(dir, "run"), Limits: sandbox.Defaults()}
	if os.Getuid() == 0 {
		c.UID = testUID
	}
	return c
}

func open(t *testing.T, c Config) *Store {
	t.Helper()
	s := New(c)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// client is a learner's connection; user "" is the default one.
func client(t *testing.T, s store.Store, user, password string) *redis.Client {
	t.Helper()
	c := dial(s, user, password)
	t.Cleanup(func() { c.Close() })
	return c
}

func dial(s store.Store, user, password string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return s.Dial(ctx) },
		Username: user, Password: password, Protocol: 2, MaxRetries: -1, DialerRetries: 1, PoolSize: 1, DisableIdentity: true,
	})
}

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Subject{
		Open: func(t *testing.T) (store.Store, func() store.Store) {
			c := configFor(t)
			return open(t, c), func() store.Store { return open(t, c) }
		},
		Write: func(ctx context.Context, s store.Store, name string) error {
			c := dial(s, "", "")
			defer c.Close()
			return c.SAdd(ctx, "names", name).Err()
		},
		Names: func(ctx context.Context, s store.Store) ([]string, error) {
			c := dial(s, "", "")
			defer c.Close()
			names, err := c.SMembers(ctx, "names").Result()
			slices.Sort(names)
			return names, err
		},
		Shelf: func(n int) sandbox.Item {
			return sandbox.Item{Name: "names", Detail: "set · " + count(int64(n), "member", "members")}
		},
		PID:  func(s store.Store) int { return s.(*Store).daemon.PID() },
		Data: func(s store.Store) string { return s.(*Store).data() },
	})
}

func TestMain(m *testing.M) {
	if confine.IsChild() {
		confine.Main()
	}
	os.Exit(m.Run())
}
