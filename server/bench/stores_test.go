package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"storeroom/sandbox/parts"
	"storeroom/sandbox/store/mongo/engine"
)

// Every contender gives the answers that race checks, or the figures compare nothing.
func TestContendersAnswerAlike(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go engine.ListenAndServe(ctx, listener, "", engine.Options{})
	dir, err := os.MkdirTemp("/tmp", "storeroom-bench-") // which PostgreSQL's user can enter
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o711)
	for name, open := range map[string]func() (contender, error){
		"ours":   func() (contender, error) { return connectMongo("mongodb://"+listener.Addr().String()+"/", "") },
		"sqlite": func() (contender, error) { return openSQLite(ctx, filepath.Join(dir, "sqlite")) },
		"postgres": func() (contender, error) {
			if set := parts.ForTest(t); set.Postgres == "" {
				t.Skipf("needs PostgreSQL: %v", set.Missing)
			}
			return openPostgres(ctx, filepath.Join(dir, "postgres"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.close(); err != nil {
					t.Error(err)
				}
			}()
			if err := newRace(ctx, []contender{c}, 1100, 20).round(0); err != nil {
				t.Error(err)
			}
		})
	}
}
