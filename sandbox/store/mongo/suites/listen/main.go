// Command listen serves the engine on a loopback port, for the test suites beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"

	"storeroom/sandbox/store/mongo/engine"
)

func main() {
	addr := flag.String("listen", "127.0.0.1:0", "host:port")
	dir := flag.String("data", "", "folder; empty keeps all in memory")
	verbose := flag.Bool("v", false, "log to standard error")
	auth := flag.Bool("auth", false, "demand authentication")
	flag.Parse()
	if err := run(*addr, *dir, *verbose, *auth); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(addr, dir string, verbose, auth bool) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	opts := engine.Options{Auth: auth, TestCommands: true, Host: "localhost"}
	if verbose {
		opts.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return engine.ListenAndServe(ctx, l, dir, opts)
}
