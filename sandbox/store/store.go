// Package store is the contract of a learner's store that runs as a process of its
// own (PostgreSQL, Redis), as sandbox/host sees it. Each store is one folder below.
package store

import (
	"context"
	"net"

	"storeroom/sandbox"
)

// Store is one data store of one sandbox. Methods may be called from many goroutines.
type Store interface {
	// Name is the short name: "postgres", "redis".
	Name() string
	// Dial answers a new connection to the store, speaking the store's own protocol
	// as any client on the network would. It starts the store when it does not run.
	Dial(ctx context.Context) (*net.UnixConn, error)
	// Running tells whether the store's process is up.
	Running() bool
	// Inspect lists what the store holds. It does not start it: a store at rest
	// answers what it held when it was stopped.
	Inspect(ctx context.Context) (sandbox.Shelf, error)
	// Stop ends the process in good order and keeps the data. The next Dial starts it.
	Stop(ctx context.Context) error
}
