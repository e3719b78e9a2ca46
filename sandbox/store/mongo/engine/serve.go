package engine

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strconv"

	"storeroom/sandbox/store/mongo/engine/command"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/wire"
)

// connection is one client.
type connection struct {
	engine *Engine
	net    net.Conn
	client *command.Conn
	in     *bufio.Reader
	out    int32 // the last reply's id
	look
}

// ServeConn speaks the wire protocol on conn until either side closes it. addr is the
// address that the client dialled, such as "localhost:27017": the replica set that
// hello tells of has that one member. It returns nil when the client went in good
// order.
func (e *Engine) ServeConn(ctx context.Context, conn net.Conn, addr string) error {
	defer conn.Close()
	c, err := e.admit(conn, addr)
	if err != nil {
		return err
	}
	defer e.dismiss(c)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.ctx, func() {
		cancel(mongoerr.New(mongoerr.InterruptedAtShutdown, "interrupted at shutdown"))
	})()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c.gone = func() {
		cancel(mongoerr.New(mongoerr.ClientDisconnect, "operation was interrupted because a client disconnected"))
	}
	return c.serve(ctx)
}

func (e *Engine) admit(conn net.Conn, addr string) (*connection, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return nil, net.ErrClosed
	case len(e.conns) >= e.opts.MaxConns:
		return nil, errors.New("too many connections")
	}
	remote := ""
	if a := conn.RemoteAddr(); a != nil {
		remote = a.String()
	}
	c := &connection{engine: e, net: conn, client: e.server.Connect(addr, remote)}
	c.in = bufio.NewReaderSize(counted{conn, e.server}, 16<<10)
	e.conns[c] = struct{}{}
	e.wg.Add(1)
	return c, nil
}

func (e *Engine) dismiss(c *connection) {
	e.mu.Lock()
	delete(e.conns, c)
	e.mu.Unlock()
	e.server.Disconnect(c.client)
	e.wg.Done()
}

// serve answers message after message.
func (c *connection) serve(ctx context.Context) error {
	for {
		c.looked()
		m, err := c.read()
		if err != nil {
			return orderly(err)
		}
		c.begin()
		err = c.answer(ctx, m)
		c.end()
		if err != nil {
			return orderly(err)
		}
	}
}

// orderly makes nil of an end that is no fault.
func orderly(err error) error {
	if errors.Is(err, errEnd) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

var errEnd = errors.New("connection ended")

// read reads the next message; one whose content is bad is answered, not an end.
func (c *connection) read() (*wire.Message, error) {
	m, err := wire.Read(c.in)
	if bad, ok := errors.AsType[*wire.BadMessage](err); ok {
		m = bad.Message
		m.Body, m.Bad = nil, bad.Err
		return m, nil
	}
	return m, err
}

// answer runs a message and sends its reply, or replies.
func (c *connection) answer(ctx context.Context, m *wire.Message) error {
	for m != nil {
		resp := c.engine.server.Handle(ctx, c.client, m)
		if resp.Doc != nil && !m.NoReply {
			if err := c.send(m, resp); err != nil {
				return err
			}
		}
		if resp.Close {
			return errEnd
		}
		m = resp.Next
	}
	return nil
}

func (c *connection) send(m *wire.Message, resp command.Response) error {
	c.out++
	b, err := m.Reply(c.out, resp.Doc, resp.Next != nil)
	if err != nil {
		return err
	}
	if resp.Next != nil {
		resp.Next.ID = c.out // the next reply answers this one
	}
	n, err := c.net.Write(b)
	c.engine.server.Traffic(0, n)
	return err
}

// counted is a connection whose bytes serverStatus tells.
type counted struct {
	net.Conn
	server *command.Server
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.server.Traffic(n, 0)
	return n, err
}

// ListenAndServe serves an engine on a listener until the context ends.
func ListenAndServe(ctx context.Context, l net.Listener, dir string, opts Options) error {
	e, err := Open(dir, opts)
	if err != nil {
		l.Close()
		return err
	}
	defer e.Close()
	return e.Serve(ctx, l)
}

// Serve accepts connections until the context ends or the listener is closed.
func (e *Engine) Serve(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		go e.ServeConn(ctx, conn, e.dialled(conn.LocalAddr())) //nolint:errcheck // a client's end is its own matter
	}
}

// dialled is the address that a client dialled, as far as a connection tells: not by
// which name. Options.Host is that name on the loopback.
func (e *Engine) dialled(local net.Addr) string {
	at, ok := local.(*net.TCPAddr)
	if !ok || e.opts.Host == "" || !at.IP.IsLoopback() {
		return local.String()
	}
	return net.JoinHostPort(e.opts.Host, strconv.Itoa(at.Port))
}
