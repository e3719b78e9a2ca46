package redis

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"storeroom/sandbox/store"
	"storeroom/sandbox/store/daemon"
)

// Commands that stop the server, load code into it or reach others. Nobody has them,
// also not a user whom the learner has given everything.
var unreachable = []string{
	"SHUTDOWN NOSAVE", "SHUTDOWN", "DEBUG SLEEP 1", "DEBUG SEGFAULT", "DEBUG RELOAD", "MODULE LOAD /tmp/x.so", "MODULE LIST",
	"REPLICAOF 127.0.0.1 6379", "SLAVEOF 127.0.0.1 6379", "MIGRATE 127.0.0.1 6379 k 0 100", "SYNC", "PSYNC ? -1",
	"REPLCONF listening-port 1", "FAILOVER",
}

// Settings that the running server does not change for anybody.
var immutable = []string{
	"CONFIG SET dir /tmp", "CONFIG SET dbfilename x.so", "CONFIG SET enable-debug-command yes",
	"CONFIG SET enable-module-command yes", "CONFIG SET enable-protected-configs yes", "CONFIG SET aclfile /tmp/x",
	"CONFIG SET logfile /tmp/x", "CONFIG SET unixsocket /tmp/x", "CONFIG SET daemonize yes", "CONFIG SET loadmodule /tmp/x",
	// The kernel refuses these: no network, no file outside.
	"CONFIG SET port 7777", "CONFIG REWRITE", "ACL SAVE", "ACL LOAD", "CLUSTER MEET 127.0.0.1 1",
}

func do(ctx context.Context, c *redis.Client, command string) error {
	var args []any
	for _, word := range strings.Fields(command) {
		args = append(args, word)
	}
	return c.Do(ctx, args...).Err()
}

// allPowerful makes a user with every right, as a learner may.
func allPowerful(t *testing.T, s *Store) *redis.Client {
	t.Helper()
	if err := do(t.Context(), client(t, s, "", ""), "ACL SETUSER boss on >pw ~* &* +@all"); err != nil {
		t.Fatal(err)
	}
	return client(t, s, "boss", "pw")
}

func TestAttacks(t *testing.T) {
	s := open(t, configFor(t))
	boss, plain := allPowerful(t, s), client(t, s, "", "")
	pid := s.daemon.PID()
	for _, command := range append(unreachable, immutable...) {
		for who, c := range map[string]*redis.Client{"the default user": plain, "a user with all rights": boss} {
			if err := do(t.Context(), c, command); err == nil {
				t.Errorf("%s as %s: no error", command, who)
			}
			script := "return redis.call('" + strings.Join(strings.Fields(command), "', '") + "')"
			if err := c.Eval(t.Context(), script, nil).Err(); err == nil {
				t.Errorf("%s from a script as %s: no error", command, who)
			}
		}
	}
	for _, name := range gone {
		if err := do(t.Context(), boss, strings.ToUpper(name)); err == nil || !strings.Contains(err.Error(), "unknown command") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.daemon.PID() != pid {
		t.Error("an attack has ended the server")
	}
	if err := do(t.Context(), boss, "SET k v"); err != nil {
		t.Error(err)
	}
}

// What the default user lacks is for guidance; what it may do is nearly all.
func TestTheDefaultUser(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	for _, command := range []string{"SAVE", "BGSAVE", "BGREWRITEAOF", "CLUSTER INFO", "SCRIPT DEBUG YES", "ACL LOAD", "ACL SAVE",
		"CONFIG SET maxmemory 0", "CONFIG REWRITE"} {
		if err := do(t.Context(), c, command); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%s: %v", command, err)
		}
	}
	for _, command := range []string{
		"SET foo bar", "GET foo", "EXPIRE foo 100", "TTL foo", "LPUSH l 1 2", "HSET h a 1", "ZADD z 1 a", "XADD x * a 1", "SETBIT bits 100 1",
		"PFADD hll a", "GEOADD g 13 38 Palermo", "PUBLISH news hello", "SCAN 0", "KEYS *", "INFO", "DBSIZE", "SELECT 15", "CONFIG GET maxmemory",
		"CLIENT LIST", "CLIENT SETNAME me", "COMMAND COUNT", "LATENCY LATEST", "SLOWLOG GET", "MEMORY USAGE foo", "OBJECT ENCODING foo",
		"ACL WHOAMI", "ACL LIST", "ACL SETUSER reader on >pw ~* +@read", "ACL DELUSER reader", "LASTSAVE", "TIME", "EVAL return(1) 0",
		"FLUSHDB", "FLUSHALL", "SWAPDB 0 1", "WAIT 0 0", "MULTI",
	} {
		if err := do(t.Context(), c, command); err != nil && err != redis.Nil {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// Users of the learner's own work, and are there after a stop and after a crash.
func TestUsersAreKept(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	if err := do(t.Context(), c, "ACL SETUSER reader on >pw ~app:* +get"); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	reader := client(t, s, "reader", "pw")
	if err := do(t.Context(), reader, "GET app:1"); err != redis.Nil {
		t.Errorf("what it may: %v", err)
	}
	if err := do(t.Context(), reader, "SET app:1 x"); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
		t.Errorf("what it may not: %v", err)
	}
	if err := do(t.Context(), client(t, s, "", ""), "ACL SETUSER default >door"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inspect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := do(t.Context(), client(t, s, "", ""), "PING"); err == nil || !strings.HasPrefix(err.Error(), "NOAUTH") {
		t.Errorf("without the password that was set: %v", err)
	}
	if err := do(t.Context(), client(t, s, "default", "door"), "PING"); err != nil {
		t.Errorf("with it: %v", err)
	}
}

// A file of users that the server does not take costs the users, not the Redis.
func TestBrokenUsersAreDropped(t *testing.T) {
	cfg := configFor(t)
	s := open(t, cfg)
	if err := os.MkdirAll(cfg.Dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, "users.acl"), []byte("user x on +nosuchcommand"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := do(t.Context(), client(t, s, "", ""), "PING"); err != nil {
		t.Error(err)
	}
}

func TestKeep(t *testing.T) {
	got := keep([]string{
		"user default on nopass ~* +@all", "user storeroom on >known +@all", "port 7777", "user a on\nport 7777",
		"user  x", "", "user b off -@all", "user c " + strings.Repeat("x", maxUserBytes),
	})
	if want := "user default on nopass ~* +@all,user b off -@all"; strings.Join(got, ",") != want {
		t.Errorf("got %q", got)
	}
}

// The administrator comes back when a learner has removed it.
func TestTheAdministratorComesBack(t *testing.T) {
	for _, command := range []string{"ACL DELUSER storeroom", "ACL SETUSER storeroom off", "ACL SETUSER storeroom resetpass >known", "ACL SETUSER storeroom -@all"} {
		t.Run(command, func(t *testing.T) {
			s := open(t, configFor(t))
			boss := allPowerful(t, s)
			if err := do(t.Context(), boss, "SET foo bar"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Inspect(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := do(t.Context(), boss, command); err != nil {
				t.Fatal(err)
			}
			shelf, err := s.Inspect(t.Context())
			if err != nil || !strings.Contains(shelf.Note, "started again") {
				t.Errorf("the look after it: %+v, %v", shelf, err)
			}
			if got, err := client(t, s, "", "").Get(t.Context(), "foo").Result(); got != "bar" {
				t.Errorf("the data: %q, %v", got, err)
			}
			if shelf, err := s.Inspect(t.Context()); err != nil || shelf.Note != "" || len(shelf.Items) != 1 {
				t.Errorf("the next look: %+v, %v", shelf, err)
			}
		})
	}
}

func TestMemoryIsCapped(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	block := strings.Repeat("x", 1<<20)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = c.RPush(t.Context(), "big", block).Err()
	}
	if err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("the end of filling: %v", err)
	}
	for _, command := range []string{"SETRANGE a 536870000 x", "SETBIT b 4294967295 1", "BITFIELD c SET u8 4294967288 1"} {
		if do(t.Context(), c, command) == nil {
			t.Errorf("%s: no error", command)
		}
	}
	if err := c.Del(t.Context(), "big").Err(); err != nil {
		t.Errorf("deleting: %v", err)
	}
	if err := do(t.Context(), c, "SET again works"); err != nil {
		t.Errorf("after it: %v", err)
	}
	for _, command := range []string{"SETRANGE a 536870000 x", "SETBIT b 4294967295 1"} {
		if do(t.Context(), c, command) == nil {
			t.Errorf("%s on an empty server: no error", command)
		}
	}
	// A learner who takes the limit away as a user of their own gets it back.
	if err := do(t.Context(), allPowerful(t, s), "CONFIG SET maxmemory 0"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inspect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := client(t, s, "", "").ConfigGet(t.Context(), "maxmemory").Val()["maxmemory"]; got != "33554432" {
		t.Errorf("maxmemory is %s", got)
	}
}

// A script's tables are no keys: the address space ends them, in the worst case with the
// server, which is there again at once.
func TestScriptsAreBounded(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	if err := do(t.Context(), c, "SET foo bar"); err != nil {
		t.Fatal(err)
	}
	if err := c.Eval(t.Context(), "local t = {} for i = 1, 1e9 do t[i] = string.rep('x', 1000) .. i end", nil).Err(); err == nil {
		t.Error("a script took all memory")
	}
	eventually(t, "the data is there after it", func() bool {
		got, _ := client(t, s, "", "").Get(t.Context(), "foo").Result()
		return got == "bar"
	})
	again := client(t, s, "", "")
	endless := make(chan error, 1)
	go func() { endless <- again.Eval(t.Context(), "while true do end", nil).Err() }()
	eventually(t, "others hear BUSY", func() bool {
		err := do(t.Context(), client(t, s, "", ""), "PING")
		return err != nil && strings.HasPrefix(err.Error(), "BUSY")
	})
	if shelf, err := s.Inspect(t.Context()); err != nil || !strings.Contains(shelf.Note, "SCRIPT KILL") {
		t.Errorf("the shelf: %+v, %v", shelf, err)
	}
	if err := do(t.Context(), client(t, s, "", ""), "SCRIPT KILL"); err != nil {
		t.Error(err)
	}
	if err := <-endless; err == nil {
		t.Error("the endless script has ended without an error")
	}
	// One that has written something can't be killed: Stop ends the server.
	go client(t, s, "", "").Eval(context.Background(), "redis.call('set', 'a', 1) while true do end", nil)
	eventually(t, "it is busy", func() bool {
		err := do(t.Context(), client(t, s, "", ""), "PING")
		return err != nil && strings.HasPrefix(err.Error(), "BUSY")
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil || s.Running() {
		t.Errorf("stop: %v", err)
	}
	if got, err := client(t, s, "", "").Get(t.Context(), "foo").Result(); got != "bar" {
		t.Errorf("after it: %q, %v", got, err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// Overwriting the same keys again and again does not fill the disk.
func TestTheLogIsRewritten(t *testing.T) {
	s := open(t, configFor(t))
	c := client(t, s, "", "")
	block := strings.Repeat("x", 64<<10)
	for range 60 {
		pipe := c.Pipeline()
		for range 80 { // 5 MB a round, 300 MB in all
			pipe.Set(t.Context(), "k", block, 0)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatalf("%v: %s", err, s.daemon.Log())
		}
	}
	eventually(t, "the log is short again", func() bool { return daemon.Size(s.data()) < 4*s.cfg.Limits.Redis })
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if got, err := client(t, s, "", "").StrLen(t.Context(), "k").Result(); got != 64<<10 {
		t.Errorf("after a crash: %d, %v", got, err)
	}
}

func TestNoBinarySaysWhatToInstall(t *testing.T) {
	s := New(Config{Why: "install valkey-server or redis-server", Dir: t.TempDir()})
	if _, err := s.Dial(t.Context()); err == nil || err.Error() != "Redis is not available here: install valkey-server or redis-server" {
		t.Error(err)
	}
	if shelf, err := s.Inspect(t.Context()); err != nil || shelf.Note != "install valkey-server or redis-server" {
		t.Errorf("%+v, %v", shelf, err)
	}
}

// Whoever has taken over one learner's server finds no way to another's.
func TestALinkToAnothersSocketIsNotFollowed(t *testing.T) {
	mine, theirs := open(t, configFor(t)), open(t, configFor(t))
	client(t, theirs, "", "").Set(t.Context(), "whose", "theirs", 0)
	client(t, mine, "", "").Ping(t.Context())
	if err := os.Remove(mine.socket()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs.socket(), mine.socket()); err != nil {
		t.Fatal(err)
	}
	if got, err := client(t, mine, "", "").Get(t.Context(), "whose").Result(); err != redis.Nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// A path that the kernel does not take is refused with what to do.
func TestALongSocketPath(t *testing.T) {
	cfg := configFor(t)
	cfg.Run = filepath.Join(filepath.Dir(cfg.Run), strings.Repeat("x", 100))
	if _, err := open(t, cfg).Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "choose a shorter run-time folder") {
		t.Error(err)
	}
}

func TestATooBigFolderIsNotStarted(t *testing.T) {
	cfg := configFor(t)
	cfg.Limits.Redis = 4 << 20
	s := open(t, cfg)
	client(t, s, "", "").Ping(t.Context())
	big := make([]byte, maxFolder*cfg.Limits.Redis+1)
	if err := os.WriteFile(filepath.Join(s.data(), "big"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is stopped and not started any more", func() bool {
		c := dial(s, "", "")
		defer c.Close()
		// It is looked at when it has worked.
		return errors.Is(c.Eval(t.Context(), "for i = 1, 1e6 do end", nil).Err(), store.ErrFull)
	})
}
