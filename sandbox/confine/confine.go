// Package confine starts a program that can do little: a worker, PostgreSQL, Valkey.
// It re-executes Storeroom's own binary, which restricts itself (user, files, network,
// system calls, limits) and then executes the program; a restriction can't be put on a
// running Go program from outside.
//
// sandbox/host and the stores call Command, main and TestMain call IsChild and Main,
// the worker calls Seal once it is loaded. The package never starts anything by
// itself, but for one short probe of what this kernel can do.
package confine

import (
	"io"
	"os"
)

// Spec says what to run and what it may touch. Everything else is denied as far as
// this kernel can (see Lacks).
type Spec struct {
	// Self is the program that restricts itself and becomes Path: one whose main calls
	// Main. Empty: this very binary. A small one starts in 2 ms, a large one pays for
	// the initialisation of everything that it links.
	Self    string
	Path    string   // the program, absolute
	Args    []string // without the program's name
	Env     []string // the whole environment
	Dir     string   // where it starts; empty: /
	Read    []string // files and folders that it may read and execute; absent ones are passed over
	Write   []string // files and folders that it may read and write, not execute; likewise
	Rlimits []Rlimit // beside the defaults: no core file, 1,024 open files
	UID     int      // its user and group when Storeroom is root; 0 keeps the caller's
	Files   []*os.File
	Stdout  io.Writer // nil: nowhere
	Stderr  io.Writer // likewise; hears also why a program could not be started (exit status Failed)
	Calls   Profile
}

// Failed is the exit status when the restrictions could not be put on: the program has
// not run.
const Failed = 126

// Profile names the system calls that are denied from the program's first instruction.
type Profile string

// A worker that is loaded adds Seal to ProfileWorker.
const (
	// ProfileWorker denies what no worker needs even while it loads: mounts,
	// namespaces, tracing, kernel interfaces.
	ProfileWorker Profile = "worker"
	// ProfileStore denies that, connect, and every socket that is not a unix one.
	ProfileStore Profile = "store"
)

// Rlimit bounds a resource; the program can't raise it again.
type Rlimit struct {
	Resource Resource
	Max      uint64
}

// Resource names what an Rlimit bounds.
type Resource string

// There is no limit on processor time here: SIGXCPU to one backend would restart the
// whole of a PostgreSQL.
const (
	AddressSpace Resource = "as"     // bytes; kills Go programs at random, give them Data
	Data         Resource = "data"   // bytes of private writable memory
	FileSize     Resource = "fsize"  // bytes a file
	OpenFiles    Resource = "nofile" // descriptors
	CoreFile     Resource = "core"   // bytes
	Processes    Resource = "nproc"  // processes and threads of the user, machine-wide
)
