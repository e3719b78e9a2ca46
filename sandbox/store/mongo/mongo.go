// Package mongo is a learner's MongoDB: the engine below it, in the sandbox's own process.
// The engine's commands land next; until then connections are refused.
package mongo

import (
	"context"
	"net"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
)

// Store is one learner's MongoDB.
type Store struct{}

func unavailable() error {
	return &store.Unavailable{Store: "MongoDB", Why: "its engine is still being built"}
}

// Open answers that there is none yet.
func Open(dir string, l sandbox.Limits) (*Store, error) { return nil, unavailable() }

// Dial is never reached.
func (s *Store) Dial(ctx context.Context, addr string) (net.Conn, error) { return nil, unavailable() }

// ServeConn is never reached.
func (s *Store) ServeConn(c net.Conn, addr string) { c.Close() }

// Inspect lists nothing.
func Inspect(ctx context.Context, dial func(ctx context.Context) (net.Conn, error)) (sandbox.Shelf, error) {
	return sandbox.Shelf{Store: "mongo", Title: "MongoDB"}, nil
}
