package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

// offered is a store that gets a port of this machine.
type offered struct {
	name    string // as the host knows it
	title   string
	address string // flag: where to listen; "" for not at all
	string  func(address string) string
}

func storeOffers() []*offered {
	return []*offered{
		{name: "postgres", title: "PostgreSQL", string: func(at string) string { return "postgres://postgres:secret@" + at + "/testdb" }},
		{name: "redis", title: "Redis", string: func(at string) string { return "redis://" + at + "/0" }},
		{name: "mongo", title: "MongoDB", string: func(at string) string { return "mongodb://" + at + "/" }},
	}
}

// stores is the subcommand that offers one sandbox's stores on ports of this machine.
func stores(ctx context.Context, t terminal, args []string) (err error) {
	var f folders
	var limits sandbox.Limits
	offers := storeOffers()
	flags := newFlags(t, "stores", "[OPTIONS]\n\nStart one fresh sandbox's stores on ports of this machine alone, and print a connection\nstring each, until a signal ends it and the data goes. Without a port all three are\nstarted on free ones.")
	for _, o := range offers {
		flags.StringVar(&o.address, o.name, "", "`port` for "+o.title+", as 5432 or :5432; 0 for a free one")
	}
	folderFlags(flags, &f, "cache")
	limitFlags(flags, &limits)
	if err := parse(t, flags, args); err != nil {
		return err
	}
	f.data, f.run = f.cache, f.cache // not used here
	if err := f.check(); err != nil {
		return err
	}
	listeners, err := listenAll(ctx, offers)
	if err != nil {
		return err
	}
	boxes, closeAll, err := openAlone(ctx, t, f.cache, limits, quietLog(t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	id, err := boxes.Create(ctx)
	if err != nil {
		return err
	}
	return offer(ctx, t, boxes, id, listeners)
}

// listenAll takes the ports of the stores that are wanted: all when none was named.
func listenAll(ctx context.Context, offers []*offered) (map[*offered]net.Listener, error) {
	none := true
	for _, o := range offers {
		none = none && o.address == ""
	}
	listeners := map[*offered]net.Listener{}
	for _, o := range offers {
		address := o.address
		if none {
			address = "0"
		}
		if address == "" {
			continue
		}
		listener, err := listenLocally(ctx, address)
		if err != nil {
			for _, open := range listeners {
				open.Close()
			}
			return nil, fmt.Errorf("--%s %s: %w", o.name, address, err)
		}
		listeners[o] = listener
	}
	return listeners, nil
}

// listenLocally takes "5432", ":5432" or "127.0.0.1:5432". The stores' passwords are known
// to everybody, so no address is taken that others can reach.
func listenLocally(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = "", address
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, &usageError{fmt.Sprintf("%q is not an address of this machine alone: give a port only", host)}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errors.New("another program listens there: choose another port, or 0 for a free one")
	case errors.Is(err, syscall.EACCES):
		return nil, errors.New("this user may not listen there: choose a port above 1023, or 0 for a free one")
	case errors.As(err, &name), errors.As(err, new(*net.AddrError)):
		return nil, &usageError{"it must be a port such as 5432, or 0 for a free one"}
	}
	return listener, err
}

// offer serves the stores until ctx ends.
func offer(ctx context.Context, t terminal, boxes *host.Host, id string, listeners map[*offered]net.Listener) error {
	var all sync.WaitGroup
	for _, o := range storeOrder(listeners) {
		listener := listeners[o]
		at := listener.Addr().String()
		fmt.Fprintf(t.out, "%-10s  %s\n", o.title, o.string(at))
		all.Go(func() {
			acceptAll(ctx, listener, func(ctx context.Context) (net.Conn, error) { return boxes.DialAs(ctx, id, o.name, at) },
				func(err error) { fmt.Fprintf(t.err, "storeroom stores: %s: %v\n", o.title, err) })
		})
	}
	fmt.Fprintln(t.out, "until you press Ctrl-C")
	<-ctx.Done()
	for _, listener := range listeners {
		listener.Close()
	}
	all.Wait()
	return nil
}

// storeOrder is the order in which stores are always named.
func storeOrder(listeners map[*offered]net.Listener) (order []*offered) {
	for _, known := range storeOffers() {
		for o := range listeners {
			if o.name == known.name {
				order = append(order, o)
			}
		}
	}
	return order
}

// acceptAll connects each client with a connection of its own to the store, until the
// listener is closed; then it cuts those that are left.
func acceptAll(ctx context.Context, listener net.Listener, dial func(context.Context) (net.Conn, error), report func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		clients.Go(func() {
			defer client.Close()
			store, err := dial(ctx)
			if err != nil {
				report(err)
				return
			}
			defer store.Close()
			defer context.AfterFunc(ctx, func() { client.Close(); store.Close() })()
			join(client, store)
		})
	}
}

// join passes bytes both ways until both sides have ended.
func join(client, store net.Conn) {
	var both sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{client: store, store: client} {
		both.Go(func() {
			io.Copy(to, from) // an end of either side is no error here
			if half, ok := to.(interface{ CloseWrite() error }); ok {
				half.CloseWrite()
			} else {
				to.Close()
			}
		})
	}
	both.Wait()
}
