package redis

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// admin is the server's own user. The learner may see it, and may even remove it when
// they make themselves an all-powerful user: then it is put back at the next look.
const admin = "storeroom"

// The lock-down has three layers, because a learner may make users of their own
// (ACL SETUSER), and Redis lets a user grant what they may not do themselves:
//
//  1. gone are the commands that stop the server, load code into it or make it talk to
//     others: no user has them, the administrator neither;
//  2. guarded are settings and commands that a beginner has no use for and may hurt
//     themselves with: the user "default" lacks them, a user made with +@all has them,
//     and what they can do then stays within the process's own limits (address space,
//     file size, its own folder, no network), which are the kernel's to enforce;
//  3. the configuration's own switches (enable-…: no) can't be changed while it runs.
//
// Renaming a command to a secret name instead would not hide it: COMMAND LIST tells.
var (
	gone = [...]string{"shutdown", "debug", "module", "replicaof", "slaveof", "migrate",
		"sync", "psync", "replconf", "failover"}
	guarded = [...]string{"save", "bgsave", "bgrewriteaof", "cluster", "script|debug",
		"acl|load", "acl|save", "config|set", "config|rewrite"}
)

// clients is how many connections Redis takes: the interpreter's own limit is lower,
// and the server's own need a few.
const clients = 100

// configuration is the file that the process starts with.
func (s *Store) configuration() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("port 0")
	line("unixsocket %s", strconv.Quote(s.socket()))
	line("unixsocketperm 700")
	line("dir %s", strconv.Quote(s.data()))
	line("daemonize no\nlogfile \"\"\nloglevel warning\nset-proc-title no\noom-score-adj no")
	line("crash-log-enabled no\ncrash-memcheck-enabled no") // minutes of work in a full address space
	line("databases 16\nmaxclients %d\nio-threads 1", clients)
	// FLUSHALL has freed the memory when it answers: who is over the limit writes right after it.
	line("lazyfree-lazy-user-flush no")
	// Every write is handed to the kernel before its answer, so that a killed process
	// loses none; a power cut may.
	line("appendonly yes\nappendfsync no\nsave \"\"\naof-rewrite-incremental-fsync no")
	line("auto-aof-rewrite-percentage 100\nauto-aof-rewrite-min-size %d", s.cfg.Limits.Redis/4)
	for _, p := range s.limits() {
		line("%s %s", p[0], p[1])
	}
	line("enable-protected-configs no\nenable-debug-command no\nenable-module-command no")
	for _, name := range gone {
		line("rename-command %s \"\"", name)
	}
	line("user %s on #%x ~* &* +@all", admin, sha256.Sum256([]byte(s.password)))
	for _, user := range s.users.lines() {
		line("%s", user)
	}
	return []byte(b.String())
}

// limits are the settings that bound what Redis uses. They are set again at each look,
// for a learner who has changed them as a user of their own making.
func (s *Store) limits() [][2]string {
	redis := s.cfg.Limits.Redis
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return [][2]string{
		{"maxmemory", number(redis)},
		// SETRANGE and SETBIT make a string of up to this size at once, whatever
		// maxmemory says.
		{"proto-max-bulk-len", number(max(redis/4, 1<<20))},
		{"client-query-buffer-limit", number(max(redis/2, 1<<20))},
		{"client-output-buffer-limit", "normal " + number(redis) + " 0 0"},
		{"maxmemory-clients", "50%"},
		// An endless Lua script: others hear BUSY after half a second, and may SCRIPT KILL.
		{"busy-reply-threshold", "500"},
	}
}

// learner is the user that a client is when it does not say who it is.
func learner() string {
	var b strings.Builder
	b.WriteString("user default on nopass ~* &* +@all")
	for _, name := range guarded {
		b.WriteString(" -" + name)
	}
	return b.String()
}
