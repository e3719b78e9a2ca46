package loopback

import (
	"strings"
	"testing"
)

func (g *guest) listen(family int, addr string, port int) int {
	g.t.Helper()
	fd := g.socket(family)
	st, _ := g.call(opBind, fd, port, addr)
	g.ok(st, "bind")
	st, _ = g.call(opListen, fd, 5, "")
	g.ok(st, "listen")
	return fd
}

func (g *guest) accept(fd int) (int, string) {
	g.t.Helper()
	st, b := g.call(opAccept, fd, forEver, "")
	return g.ok(st, "accept"), b
}

func TestServerInTheGuest(t *testing.T) {
	g := newGuest(t, Config{})
	server := g.listen(4, "127.0.0.1", 8000)
	st, _ := g.call(opAccept, server, 0, "")
	g.want(st, errnoAgain, "accept without a client")
	client := g.dial(8000)
	if got := g.poll(0, server, eventRead); got[server] != eventRead {
		t.Errorf("events of the server: %v", got)
	}
	conn, from := g.accept(server)
	_, names := g.call(opNames, client, 0, "")
	if names != from+"\n127.0.0.1 8000" {
		t.Errorf("client %q, accepted from %q", names, from)
	}
	g.sendAll(client, "hello")
	if got := g.read(conn, 100); got != "hello" {
		t.Errorf("received %q", got)
	}
	g.call(opShutdown, client, 1, "")
	if got := g.readAll(conn); got != "" {
		t.Errorf("received %q", got)
	}
	g.sendAll(conn, "bye")
	g.close(conn)
	if got := g.readAll(client); got != "bye" {
		t.Errorf("received %q", got)
	}
	if got := g.poll(0, client, eventRead); got[client]&eventHangup == 0 {
		t.Errorf("events of the client: %v", got)
	}
	g.want(g.send(client, "x", forEver), errnoPipe, "send to nobody")
	g.close(server)
	g.want(g.connect(g.socket(4), "", "127.0.0.1", 8000, forEver), errnoConnrefused, "connect to a closed server")
}

func TestAddressesOfServers(t *testing.T) {
	g := newGuest(t, Config{Ports: map[int]Dial{5432: serving(t, "pipe", echo)}})
	g.listen(4, "0.0.0.0", 8001)
	g.listen(6, "::", 8002)
	g.listen(4, "127.0.0.1", 8003)
	g.listen(6, "::1", 8003)
	for _, c := range []struct {
		family int
		addr   string
		port   int
		want   errno
	}{
		{4, "127.0.0.1", 8001, 0}, {4, "127.0.0.2", 8001, 0}, {6, "::1", 8001, errnoConnrefused},
		{4, "127.0.0.1", 8002, 0}, {6, "::1", 8002, 0},
		{4, "127.0.0.1", 8003, 0}, {6, "::1", 8003, 0},
	} {
		g.want(g.connect(g.socket(c.family), "", c.addr, c.port, forEver), c.want, c.addr)
	}
	for _, c := range []struct {
		family int
		addr   string
		port   int
		want   errno
	}{
		{4, "127.0.0.1", 8001, errnoAddrinuse}, {4, "0.0.0.0", 8003, errnoAddrinuse}, {4, "127.0.0.1", 5432, errnoAddrinuse},
		{4, "8.8.8.8", 9000, errnoAddrnotavail}, {4, "127.0.0.1", 70000, errnoInval}, {4, "127.0.0.1", -1, errnoInval}, {4, "::1", 9000, errnoInval},
	} {
		st, _ := g.call(opBind, g.socket(c.family), c.port, c.addr)
		g.want(st, c.want, c.addr)
	}
	fd := g.listen(4, "127.0.0.1", 0)
	if _, b := g.call(opNames, fd, 0, ""); b != "127.0.0.1 32775\n" && !strings.HasPrefix(b, "127.0.0.1 327") {
		t.Errorf("a port of its own: %q", b)
	}
	g.want(g.connect(fd, "", "127.0.0.1", 8001, forEver), errnoInval, "connect of a server")
}

func TestBacklog(t *testing.T) {
	g := newGuest(t, Config{})
	server := g.listen(4, "127.0.0.1", 8000)
	for range 5 {
		g.dial(8000)
	}
	g.want(g.connect(g.socket(4), "", "127.0.0.1", 8000, forEver), errnoConnrefused, "a sixth client")
	open := g.stack.Open()
	g.close(server)
	if g.stack.Open() != open-6 {
		t.Errorf("%d sockets were %d: nobody closes who waits", g.stack.Open(), open)
	}
}

func TestPair(t *testing.T) {
	g := newGuest(t, Config{})
	a, b := g.call(opPair, 0, 0, "")
	second := int(b[0]) | int(b[1])<<8
	big := strings.Repeat("x", 3*maxBuffer)
	sent := 0
	for {
		n := g.send(a, big[sent:], 0)
		if n < 0 {
			g.want(n, errnoAgain, "send to a full pair")
			break
		}
		sent += n
	}
	if sent != maxBuffer {
		t.Errorf("a pair holds %d bytes", sent)
	}
	if got := g.poll(0, a, eventWrite, second, eventRead|eventWrite); len(got) != 1 || got[second] != eventRead|eventWrite {
		t.Errorf("events %v", got)
	}
	if got := len(g.read(second, 1<<20)); got != maxBuffer {
		t.Errorf("received %d", got)
	}
	if got := g.poll(0, a, eventWrite); got[a] != eventWrite {
		t.Errorf("events %v", got)
	}
	g.call(opShutdown, second, 0, "")
	g.want(g.send(a, "x", 0), errnoPipe, "send to one that does not read")
	if got := g.poll(0, 4711, eventRead); got[4711] != eventInvalid {
		t.Errorf("events of nothing: %v", got)
	}
}
