// Package mongo is the learner's MongoDB: the engine below it, opened in the sandbox's
// folder with the sandbox's limits, and the list of what it holds.
//
// The worker's process opens a Store and serves the learner's connections from it. The
// host, which has no Store, looks at the shelf through a connection (Inspect).
package mongo

import (
	"context"
	"fmt"
	"net"

	"storeroom/sandbox"
	"storeroom/sandbox/loopback"
	"storeroom/sandbox/store/mongo/engine"
)

// collections is how many collections a learner may have: each costs a little memory
// that the quota on documents doesn't count.
const collections = 500

// Store is one learner's MongoDB. Methods may be called from many goroutines.
type Store struct{ engine *engine.Engine }

// Open opens the learner's database in dir, which is made if it isn't there; "" keeps
// it in memory. Limits.Mongo bounds documents and indexes, in bytes.
func Open(dir string, limits sandbox.Limits) (*Store, error) {
	e, err := engine.Open(dir, engine.Options{
		MemoryLimit: limits.Mongo, Collections: collections, MaxConns: limits.Conns,
		Polling: true, // the interpreter has no threads to keep a hello waiting in
	})
	if err != nil {
		return nil, fmt.Errorf("open mongodb: %w", err)
	}
	return &Store{e}, nil
}

// Dial answers a new connection to the store. addr is the address that the learner's
// code dialled, such as "localhost:27017": drivers are told that the store is there.
func (s *Store) Dial(_ context.Context, addr string) (net.Conn, error) {
	client, server := loopback.Pipe()
	go s.ServeConn(server, addr)
	return client, nil
}

// ServeConn speaks MongoDB's protocol on conn until either side closes it.
func (s *Store) ServeConn(conn net.Conn, addr string) {
	// How a client went is its own matter.
	_ = s.engine.ServeConn(context.Background(), conn, addr)
}

// EndBusy closes the connections made by Dial that the engine works for now, with that
// work. What came by ServeConn has somebody who waits.
func (s *Store) EndBusy() {
	s.engine.CloseBusy(func(c net.Conn) bool {
		_, visitor := c.(*net.UnixConn)
		return !visitor
	})
}

// Close ends all connections. Everything that was acknowledged is kept.
func (s *Store) Close() error { return s.engine.Close() }
