package postgres

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"storeroom/sandbox"
)

// Connections that the learner can't take: one for the superuser, one for the role that
// looks at the tables.
const ownConns = 2

// fileLimit bounds each file, in bytes, also between two looks of the watch. It is as
// high as the limit of all together, whose message says what to do.
func fileLimit(l sandbox.Limits) int64 { return l.Postgres }

// spare bounds what is not a table: temporary files, and the log that a replication slot
// keeps, in bytes.
func spare(l sandbox.Limits) int64 { return max(l.Postgres/4, 16<<20) }

// hba lets nobody in without a password, the superuser neither: the learner's
// connections come from the same process over the same socket as the server's own, so
// that "trust" or "peer" would let a learner be anybody.
const hba = `# TYPE  DATABASE     USER  METHOD
local   all          all   scram-sha-256
local   replication  all   scram-sha-256
`

// settings is postgresql.conf. Everything stands here and nothing in the data folder, so
// that a cluster that was made long ago runs with today's settings.
func (c *Cluster) settings() []byte {
	const mb = 1 << 20
	l := c.cfg.Limits
	spare := spare(l) / mb
	var b strings.Builder
	set := func(name string, value any) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(fmt.Sprint(value), "'", "''"))
	}
	// Who may come, and how.
	set("listen_addresses", "")
	set("port", Port)
	set("unix_socket_directories", quoteList(c.cfg.Run))
	set("unix_socket_permissions", "0700")
	set("max_connections", l.PGConns+ownConns)
	set("superuser_reserved_connections", 1)
	set("reserved_connections", ownConns-1)
	// The password is for exercise and known to all, on a socket that only its owner
	// reaches; thousands of rounds would be paid by every connect of a client whose
	// SCRAM is written in Python. The server's own roles have 256 random bits instead.
	set("password_encryption", "scram-sha-256")
	set("scram_iterations", scramRounds)

	// Who makes a role may then act as it (SET ROLE), as a superuser may anywhere.
	set("createrole_self_grant", "set, inherit")

	set("client_connection_check_interval", "1s") // a statement ends when its client has gone

	// Small. One of many on the machine: no parallel queries, no compiler, few workers.
	set("shared_buffers", "4MB")
	set("dynamic_shared_memory_type", "mmap") // files in the data folder, and nothing outside of it
	set("huge_pages", "off")
	set("io_method", "sync")
	set("jit", "off")
	set("max_worker_processes", 4)
	set("max_parallel_workers_per_gather", 0)
	set("max_parallel_maintenance_workers", 0)
	set("max_logical_replication_workers", 0)
	set("max_prepared_transactions", 10) // two-phase commit, which psycopg2's tpc_… methods need
	set("autovacuum_max_workers", 1)
	set("autovacuum_worker_slots", 1)
	set("autovacuum_naptime", "1min")

	// What is committed survives the process being killed; not a power cut.
	set("fsync", "off")
	set("full_page_writes", "off")
	set("synchronous_commit", "on")

	// Everything that a lesson on backup and replication needs, within bounds.
	set("wal_level", "logical")
	set("max_wal_senders", 4)
	set("max_replication_slots", 10)
	set("min_wal_size", "2MB")
	set("max_wal_size", "16MB")
	set("max_slot_wal_keep_size", fmt.Sprintf("%dMB", spare))
	set("temp_file_limit", fmt.Sprintf("%dMB", spare))

	// The log goes to the server's memory, the last lines of it; a learner's errors
	// are the learner's to see.
	set("log_destination", "stderr")
	set("log_min_messages", "fatal")
	set("log_checkpoints", "off")
	set("update_process_title", "off")
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	return []byte(b.String())
}

// quoteList makes one element of a setting that is a list of names.
func quoteList(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// statusFile is PostgreSQL's own lock file, in which the server notes how far it is; it
// is what pg_ctl waits for.
func (c *Cluster) statusFile() string { return filepath.Join(c.data(), "postmaster.pid") }

// ready tells whether the server takes connections: it does not for a moment after a
// session of it has crashed. The folder is the learner's: a
// server that was taken over may have put anything in the file's place.
func (c *Cluster) ready() bool {
	const statusLine, most = 8, 1024
	f, err := os.OpenFile(c.statusFile(), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= statusLine && strings.TrimSpace(lines[statusLine-1]) == "ready"
}
