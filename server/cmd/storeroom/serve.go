package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"time"

	"storeroom/lessons"
	"storeroom/sandbox"
	"storeroom/sandbox/host"
	"storeroom/server"
)

// drainWithin bounds an orderly end: sockets and stores are given so long.
const drainWithin = 20 * time.Second

// serverGC is how much garbage, in percent of what lives, the server lets come together. It
// holds little and makes little; learners' sandboxes need the memory more.
const serverGC = 50

// serveOptions are the flags of serve.
type serveOptions struct {
	folders
	limits    sandbox.Limits
	listen    string
	word      string
	cert, key string
	proxy     bool
	log       string
	verbose   bool
	awake     int
	pool      int
}

func serveFlags(t terminal, args []string) (o serveOptions, err error) {
	flags := newFlags(t, "serve", "[OPTIONS]\n\nServe the course to browsers, until a signal ends it.")
	flags.StringVar(&o.listen, "listen", server.DefaultListen, "`address:port` to serve on; :7070 opens it to the network")
	flags.StringVar(&o.word, "code", "", "`word` that visitors must say at the door")
	flags.StringVar(&o.cert, "tls-cert", "", "`file` of a certificate, to serve https")
	flags.StringVar(&o.key, "tls-key", "", "`file` of its key")
	flags.BoolVar(&o.proxy, "proxy", false, "a reverse proxy stands before it: believe its X-Forwarded-For, -Proto and -Host")
	flags.StringVar(&o.log, "log", "text", "`form` of the log on standard error: text or json")
	flags.BoolVar(&o.verbose, "verbose", false, "log more")
	flags.IntVar(&o.awake, "awake", 0, "`number` of sandboxes that may be awake at once; 0 goes by the machine's memory")
	flags.IntVar(&o.pool, "pool", 0, "`number` of PostgreSQL data folders kept ready; 0 for a few")
	folderFlags(flags, &o.folders, "cache", "data", "run")
	limitFlags(flags, &o.limits)
	if err := parse(t, flags, args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, &usageError{fmt.Sprintf("it takes options only, not %q", flags.Arg(0))}
	case o.word != "" && strings.TrimSpace(o.word) == "":
		return o, &usageError{"--code needs a word that can be said at the door"}
	case o.log != "text" && o.log != "json":
		return o, &usageError{fmt.Sprintf("--log is text or json, not %q", o.log)}
	}
	o.word = strings.TrimSpace(o.word) // as what visitors say
	return o, o.folders.check()
}

// serve is the subcommand that serves the course.
func serve(ctx context.Context, t terminal, args []string) (err error) {
	o, err := serveFlags(t, args)
	if err != nil {
		return err
	}
	debug.SetGCPercent(serverGC)
	log := newLog(t.err, o.log, o.verbose)
	course, err := lessons.Load(lessons.Content())
	if err != nil {
		return err
	}
	listener, err := server.Listen(ctx, o.listen, o.cert, o.key)
	if err != nil {
		return err
	}
	defer listener.Close()
	config := host.Config{Cache: o.cache, Data: o.data, Run: o.run, Limits: o.limits, Log: log, MaxAwake: o.awake, Pool: o.pool}
	if err := host.Check(config); err != nil {
		return err // before a minute of preparing
	}
	if err := prepareAside(ctx, t, o.cache); err != nil {
		return err
	}
	boxes, err := host.Open(ctx, config)
	if err != nil {
		return err
	}
	program, err := server.New(server.Config{
		Listener: listener, TLS: o.cert != "", Proxy: o.proxy, Word: o.word, Data: o.data,
		Limits: o.limits, Course: course, Host: counted{boxes}, Log: log,
	})
	if err != nil {
		return errors.Join(err, closeHost(ctx, boxes))
	}
	warn(t.err, o, listener.Addr(), boxes.Lacks())
	fmt.Fprintf(t.out, "listening on %s\n", program.URL())
	if links := program.Links(); len(links) > 0 {
		fmt.Fprintf(t.out, "for others in the network: %s\n", strings.Join(links, " or "))
	}
	return serveUntil(ctx, t, program, boxes)
}

// serveUntil serves until ctx ends or serving fails, and then closes everything in order.
func serveUntil(ctx context.Context, t terminal, program *server.Server, boxes *host.Host) error {
	served := make(chan error, 1)
	go func() { served <- program.Serve() }()
	var failed error
	select {
	case failed = <-served:
	case <-ctx.Done():
		fmt.Fprintln(t.err, "stopping: what learners made is kept")
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	return errors.Join(failed, program.Close(closing), closeHost(closing, boxes))
}

// closeHost closes the sandboxes, also when ctx has ended.
func closeHost(ctx context.Context, boxes *host.Host) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	return boxes.Close(ctx)
}

// counted is the host as the server wants it.
type counted struct{ *host.Host }

func (c counted) Health(ctx context.Context) (server.Counts, error) {
	counts, err := c.Host.Health(ctx)
	return server.Counts(counts), err
}

func newLog(to io.Writer, form string, verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		options.Level = slog.LevelDebug
	}
	if form == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// warn says what the operator should know before anybody comes.
func warn(to io.Writer, o serveOptions, at net.Addr, lacks []string) {
	if tcp, ok := at.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		fmt.Fprintf(to, "open to the network: whoever can reach %s can run Python in a sandbox on this machine\n", at)
		if o.word == "" {
			fmt.Fprintln(to, "  anybody may come in: --code WORD asks for a word at the door")
		}
		if o.cert == "" && !o.proxy {
			fmt.Fprintln(to, "  others in the network can read along: use --tls-cert and --tls-key, or a proxy with https and --proxy")
		}
		if o.proxy {
			fmt.Fprintln(to, "  who gets here around the proxy can make up addresses, and so guess on: let the proxy alone reach this port")
		}
		if len(lacks) > 0 {
			fmt.Fprintln(to, "  this machine can't keep sandboxes apart as well as it should, see below: open it to people that you trust")
		}
	}
	for _, lack := range lacks {
		fmt.Fprintf(to, "missing on this machine: %s\n", lack)
	}
}
