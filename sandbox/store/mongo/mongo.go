// TEMPORARY, NOT COMMITTED: mongocore replaces this file with the real adapter of the same signatures.
package mongo

import (
	"context"
	"errors"
	"net"

	"storeroom/sandbox"
)

type Store struct{}

func Open(dir string, l sandbox.Limits) (*Store, error)               { return nil, errors.New("no mongo yet") }
func (s *Store) Dial(ctx context.Context, addr string) (net.Conn, error) { return nil, errors.New("no mongo yet") }
func (s *Store) ServeConn(c net.Conn, addr string)                     { c.Close() }
func (s *Store) Close() error                                           { return nil }
func Inspect(ctx context.Context, dial func(ctx context.Context) (net.Conn, error)) (sandbox.Shelf, error) {
	return sandbox.Shelf{Store: "mongo", Title: "MongoDB"}, nil
}
