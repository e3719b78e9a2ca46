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
	if len(args) > 0 {
		switch args[0] {
		case "dump":
			return mongoDump(ctx, t, args[1:])
		case "restore":
			return mongoRestore(ctx, t, args[1:])
		}
	}
	var listen, folder string
	var memory size
	var opts engine.Options
	flags := newFlags(t, "mongo", "[dump|restore] [OPTIONS]\n\nServe Storeroom's MongoDB alone, for mongosh, Compass or a test suite, until a signal\nends it. Without --auth it asks for no password: give it addresses of this machine.\n`storeroom mongo dump` and `storeroom mongo restore` write and read archives of mongodump.")
	flags.StringVar(&listen, "listen", "localhost:27017", "`address:port` to serve on; port 0 for a free one")
	flags.StringVar(&folder, "data", "", "`folder` to keep the data in; in memory if not given")
	flags.Var(&memory, "memory", "`bytes` of documents and indexes; 0 for no limit")
	flags.BoolVar(&opts.Auth, "auth", false, "demand users and passwords; as long as there is no user, one may be made in admin from this machine")
	flags.BoolVar(&opts.TestCommands, "test-commands", false, "take configureFailPoint and the like, for drivers' tests")
	if err := parse(ownOnly(t), flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return &usageError{fmt.Sprintf("it takes options only, not %q", flags.Arg(0))}
	}
	listener, err := server.Listen(ctx, listen, "", "")
	if err != nil {
		return err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && !opts.Auth {
		fmt.Fprintf(t.err, "open to the network: whoever can reach %s can read and change the data\n", at)
	}
	opts.MemoryLimit, opts.Logger = int64(memory), quietLog(t)
	at := listener.Addr().String()
	if host, _, err := net.SplitHostPort(listen); err == nil && (host == "" || host == "localhost") {
		opts.Host = "localhost" // as clients here will write it
		at = fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	}
	fmt.Fprintf(t.out, "listening on mongodb://%s/\n", at)
	return engine.ListenAndServe(ctx, listener, folder, opts)
}

// ownOnly is a terminal without an environment: STOREROOM_DATA is the server's own
// folder, not one of storeroom mongo's.
func ownOnly(t terminal) terminal {
	t.env = func(string) string { return "" }
	return t
}
