// Package store is the contract of a learner's store that runs as a process of its
// own (PostgreSQL, Redis), as sandbox/host sees it, and what those stores share: their
// errors, and the shelf that is kept while they rest. Each store is one folder below.
//
// It starts nothing and speaks no protocol.
package store

import (
	"context"
	"errors"
	"net"

	"storeroom/sandbox"
)

// Store is one data store of one sandbox. Methods may be called from many goroutines.
type Store interface {
	// Name is the short name: "postgres", "redis".
	Name() string
	// Dial answers a new connection to the store, speaking the store's own protocol
	// as any client on the network would. It starts the store when it does not run,
	// once for however many ask; a caller who gives up does not end the start for
	// the others.
	Dial(ctx context.Context) (*net.UnixConn, error)
	// Running tells whether the store's process is up.
	Running() bool
	// Inspect lists what the store holds. It does not start it: a store at rest
	// answers what it held when it was last looked at, which Stop does too.
	Inspect(ctx context.Context) (sandbox.Shelf, error)
	// Stop ends the process in good order and keeps the data. Its connections are
	// closed. The next Dial starts it. A process that does not end in good order is
	// killed, at the latest when ctx ends; no data that was acknowledged is lost so.
	Stop(ctx context.Context) error
	// Kill ends the process and all that it started at once. Data stays as after a
	// crash: everything acknowledged is there at the next Dial.
	Kill() error
	// Close is Kill for good: every later Dial answers ErrClosed. It is called before
	// the store's folder is removed.
	Close() error
}

// ErrClosed answers a Dial after Close.
var ErrClosed = errors.New("the store was removed")

// ErrFull is wrapped by Dial's error when a store is so far over its limit that it is
// not started any more: only a reset helps.
var ErrFull = errors.New("the store is full")

// Unavailable is Dial's error where a part of the store is missing on this machine.
type Unavailable struct {
	Store string // "Redis"
	Why   string // why, and what to install
}

func (e *Unavailable) Error() string { return e.Store + " is not available here: " + e.Why }
