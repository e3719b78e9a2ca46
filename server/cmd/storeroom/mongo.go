package main

import (
	"context"
	"fmt"
	"net"

	"storeroom/sandbox/store/mongo/engine"
	"storeroom/server"
)

// mongo is the subcommand that serves the MongoDB engine alone, without a sandbox.
func mongo(ctx context.Context, t terminal, args []string) error {
	var listen, folder string
	var memory size
	flags := newFlags(t, "mongo", "[OPTIONS]\n\nServe Storeroom's MongoDB alone, for mongosh, Compass or a test suite, until a signal\nends it. It asks for no password: give it addresses of this machine.")
	flags.StringVar(&listen, "listen", "127.0.0.1:27017", "`address:port` to serve on; port 0 for a free one")
	flags.StringVar(&folder, "data", "", "`folder` to keep the data in; in memory if not given")
	flags.Var(&memory, "memory", "`bytes` of documents and indexes; 0 for no limit")
	// The environment is not read: STOREROOM_DATA is the server's own folder.
	if err := parse(terminal{in: t.in, out: t.out, err: t.err, env: func(string) string { return "" }}, flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return &usageError{fmt.Sprintf("it takes options only, not %q", flags.Arg(0))}
	}
	listener, err := server.Listen(ctx, listen, "", "")
	if err != nil {
		return err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		fmt.Fprintf(t.err, "open to the network: whoever can reach %s can read and change the data\n", at)
	}
	fmt.Fprintf(t.out, "listening on mongodb://%s/\n", listener.Addr())
	return engine.ListenAndServe(ctx, listener, folder, engine.Options{MemoryLimit: int64(memory), Logger: quietLog(t)})
}
