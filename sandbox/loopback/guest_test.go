package loopback

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// patient waits as the interpreter does; stop interrupts it once.
type patient struct{ stop chan struct{} }

func (p patient) Wait(d time.Duration, ready <-chan struct{}) (bool, bool) {
	var after <-chan time.Time
	if d >= 0 {
		after = time.After(d)
	}
	select {
	case <-ready:
		return true, false
	case <-p.stop:
		return false, true
	case <-after:
		return false, false
	}
}

// guest speaks the frames of guest/_socket.py.
type guest struct {
	t      *testing.T
	stack  *Stack
	waiter patient
}

const forEver = -1

func newGuest(t *testing.T, c Config) *guest {
	t.Helper()
	if c.MaxConns == 0 {
		c.MaxConns = 64
	}
	g := &guest{t: t, stack: New(c), waiter: patient{make(chan struct{}, 1)}}
	t.Cleanup(g.stack.Close)
	return g
}

func (g *guest) call(op byte, fd, arg int, payload string) (int, string) {
	g.t.Helper()
	f := []byte{op}
	f = binary.LittleEndian.AppendUint32(f, uint32(fd))
	f = binary.LittleEndian.AppendUint32(f, uint32(int32(arg)))
	b := g.stack.Call(append(f, payload...), g.waiter)
	if len(b) < 4 {
		g.t.Fatalf("operation %c: answer %q", op, b)
	}
	return int(int32(binary.LittleEndian.Uint32(b))), string(b[4:])
}

func (g *guest) want(got int, want errno, what string) {
	g.t.Helper()
	if got != -int(want) {
		g.t.Errorf("%s: status %d, want %d (%s)", what, got, -int(want), want.text())
	}
}

func (g *guest) ok(status int, what string) int {
	g.t.Helper()
	if status < 0 {
		g.t.Fatalf("%s: %s (%d)", what, errno(-status).text(), status)
	}
	return status
}

func (g *guest) socket(family int) int {
	g.t.Helper()
	fd, _ := g.call(opSocket, 0, family, "")
	return g.ok(fd, "socket")
}

func (g *guest) connect(fd int, name, addr string, port, timeout int) int {
	g.t.Helper()
	p := string(binary.LittleEndian.AppendUint16(nil, uint16(port)))
	st, _ := g.call(opConnect, fd, timeout, p+name+"\x00"+addr)
	return st
}

func (g *guest) dial(port int) int {
	g.t.Helper()
	fd := g.socket(4)
	g.ok(g.connect(fd, "localhost", "127.0.0.1", port, forEver), "connect")
	return fd
}

func (g *guest) send(fd int, data string, timeout int) int {
	g.t.Helper()
	n, _ := g.call(opSend, fd, timeout, data)
	return n
}

func (g *guest) sendAll(fd int, data string) {
	g.t.Helper()
	for data != "" {
		data = data[g.ok(g.send(fd, data, forEver), "send"):]
	}
}

func (g *guest) receive(fd, n, timeout int) (int, string) {
	g.t.Helper()
	return g.call(opReceive, fd, timeout, string(binary.LittleEndian.AppendUint32(nil, uint32(n))))
}

func (g *guest) read(fd, n int) string {
	g.t.Helper()
	st, b := g.receive(fd, n, forEver)
	g.ok(st, "receive")
	return b
}

// readAll reads to the end.
func (g *guest) readAll(fd int) string {
	g.t.Helper()
	var all strings.Builder
	for {
		b := g.read(fd, 1<<20)
		if b == "" {
			return all.String()
		}
		all.WriteString(b)
	}
}

func (g *guest) poll(timeout int, asked ...int) map[int]byte {
	g.t.Helper()
	var p []byte
	for i := 0; i < len(asked); i += 2 {
		p = append(binary.LittleEndian.AppendUint32(p, uint32(asked[i])), byte(asked[i+1]))
	}
	st, b := g.call(opPoll, 0, timeout, string(p))
	g.ok(st, "poll")
	found := map[int]byte{}
	for ; len(b) >= 5; b = b[5:] {
		found[int(binary.LittleEndian.Uint32([]byte(b)))] = b[4]
	}
	return found
}

func (g *guest) close(fd int) {
	g.t.Helper()
	st, _ := g.call(opClose, fd, 0, "")
	g.ok(st, "close")
}

// serving is a store: serve runs for each connection, in memory or over a real socket.
func serving(t *testing.T, network string, serve func(net.Conn)) Dial {
	t.Helper()
	if network == "pipe" {
		return func(context.Context, string) (net.Conn, error) {
			a, b := Pipe()
			go func() {
				defer b.Close()
				serve(b)
			}()
			return a, nil
		}
	}
	l, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", l.Addr().String())
	}
}

func echo(c net.Conn) { io.Copy(c, c) }

var errNobody = errors.New("nobody listens")

// both runs a test against stores in memory and behind real sockets.
func both(t *testing.T, f func(t *testing.T, network string)) {
	for _, network := range []string{"pipe", "unix"} {
		t.Run(network, func(t *testing.T) { f(t, network) })
	}
}
