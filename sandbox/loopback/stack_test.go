package loopback

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTalkToAStore(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		g := newGuest(t, Config{Ports: map[int]Dial{6379: serving(t, network, echo)}})
		fd := g.dial(6379)
		g.sendAll(fd, "PING\r\n")
		if st, b := g.call(opPeek, fd, forEver, "\x02\x00\x00\x00"); st != 2 || b != "PI" {
			t.Errorf("peek: %d %q", st, b)
		}
		if got := g.read(fd, 3) + g.read(fd, 100); got != "PING\r\n" {
			t.Errorf("received %q", got)
		}
		if _, b := g.call(opNames, fd, 0, ""); !strings.HasPrefix(b, "127.0.0.1 3") || !strings.HasSuffix(b, "\n127.0.0.1 6379") {
			t.Errorf("names %q", b)
		}
		six := g.socket(6)
		g.ok(g.connect(six, "::1", "::1", 6379, forEver), "connect to ::1")
		if _, b := g.call(opNames, six, 0, ""); !strings.HasSuffix(b, "\n::1 6379") {
			t.Errorf("names %q", b)
		}
	})
}

func TestNowhereElse(t *testing.T) {
	g := newGuest(t, Config{Ports: map[int]Dial{6379: func(context.Context, string) (net.Conn, error) { return nil, errNobody }}})
	for _, c := range []struct {
		family int
		addr   string
		port   int
		want   errno
	}{
		{4, "127.0.0.1", 22, errnoConnrefused},
		{4, "127.0.0.1", 6379, errnoConnrefused},
		{4, "0.0.0.0", 80, errnoConnrefused},
		{6, "::1", 80, errnoConnrefused},
		{6, "::ffff:127.0.0.1", 80, errnoConnrefused},
		{4, "8.8.8.8", 53, errnoNetunreach},
		{4, "10.0.0.1", 6379, errnoNetunreach},
		{4, "169.254.169.254", 80, errnoNetunreach},
		{6, "2001:db8::1", 80, errnoNetunreach},
		{6, "::ffff:8.8.8.8", 80, errnoNetunreach},
		{4, "::1", 6379, errnoInval},
		{4, "localhost", 6379, errnoInval},
		{4, "", 6379, errnoInval},
	} {
		g.want(g.connect(g.socket(c.family), "x", c.addr, c.port, forEver), c.want, c.addr)
	}
}

func TestDialledName(t *testing.T) {
	asked := make(chan string, 10)
	g := newGuest(t, Config{Ports: map[int]Dial{27017: func(_ context.Context, addr string) (net.Conn, error) { asked <- addr; return nil, errNobody }}})
	for name, want := range map[string]string{"localhost": "localhost:27017", "": "127.0.0.1:27017", "a b": "127.0.0.1:27017", "x\n": "127.0.0.1:27017", strings.Repeat("x", 300): "127.0.0.1:27017"} {
		g.connect(g.socket(4), name, "127.0.0.1", 27017, forEver)
		if got := <-asked; got != want {
			t.Errorf("%.10q was dialled as %q", name, got)
		}
	}
}

// A store that takes its time, and one that never answers.
func TestConnectWaits(t *testing.T) {
	let := make(chan struct{})
	slow := func(ctx context.Context, _ string) (net.Conn, error) {
		select {
		case <-let:
			a, _ := Pipe()
			return a, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	g := newGuest(t, Config{Ports: map[int]Dial{5432: slow}})
	fd := g.socket(4)
	g.want(g.connect(fd, "", "127.0.0.1", 5432, 1), timedOut, "connect with a timeout")
	fd = g.socket(4)
	g.want(g.connect(fd, "", "127.0.0.1", 5432, 0), errnoInprogress, "connect without waiting")
	g.want(g.connect(fd, "", "127.0.0.1", 5432, 0), errnoAlready, "connect again")
	g.want(g.send(fd, "x", 0), errnoAgain, "send before it is up")
	if got := g.poll(0, fd, eventRead|eventWrite); len(got) != 0 {
		t.Errorf("events before it is up: %v", got)
	}
	g.waiter.stop <- struct{}{}
	g.want(g.connect(fd, "", "127.0.0.1", 5432, forEver), interrupted, "a stop while connecting")
	close(let)
	if got := g.poll(forEver, fd, eventWrite); got[fd] != eventWrite {
		t.Errorf("events when it is up: %v", got)
	}
	if st, _ := g.call(opError, fd, 0, ""); st != 0 {
		t.Errorf("error %d", st)
	}
	g.ok(g.connect(fd, "", "127.0.0.1", 5432, 0), "the first connect after")
	g.want(g.connect(fd, "", "127.0.0.1", 5432, 0), errnoIsconn, "one more")
}

func TestRefusedWithoutWaiting(t *testing.T) {
	g := newGuest(t, Config{Ports: map[int]Dial{5432: func(context.Context, string) (net.Conn, error) { return nil, errNobody }}})
	fd := g.socket(4)
	g.want(g.connect(fd, "", "127.0.0.1", 5432, 0), errnoInprogress, "connect")
	if got := g.poll(forEver, fd, eventWrite); got[fd]&(eventWrite|eventError) != eventWrite|eventError {
		t.Errorf("events %v", got)
	}
	if st, _ := g.call(opError, fd, 0, ""); st != int(errnoConnrefused) {
		t.Errorf("error %d", st)
	}
	if st, _ := g.call(opError, fd, 0, ""); st != 0 {
		t.Errorf("the error is told twice: %d", st)
	}
}

func TestEndAndHalfClose(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		g := newGuest(t, Config{Ports: map[int]Dial{1: serving(t, network, func(c net.Conn) {
			b, _ := io.ReadAll(c) // answers only after the guest's end
			c.Write([]byte(strings.ToUpper(string(b))))
		})}})
		fd := g.dial(1)
		g.sendAll(fd, "hello")
		st, _ := g.call(opShutdown, fd, 1, "")
		g.ok(st, "shutdown")
		g.want(g.send(fd, "more", forEver), errnoPipe, "send after shutdown")
		if got := g.readAll(fd); got != "HELLO" {
			t.Errorf("received %q", got)
		}
		if got := g.poll(0, fd, eventRead); got[fd]&eventRead == 0 {
			t.Errorf("events at the end: %v", got)
		}
	})
}

func TestStoreGoesAway(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		g := newGuest(t, Config{Ports: map[int]Dial{1: serving(t, network, func(c net.Conn) { c.Write([]byte("bye")) })}})
		fd := g.dial(1)
		if got := g.readAll(fd); got != "bye" {
			t.Errorf("received %q", got)
		}
		for range 100 {
			if st := g.send(fd, "x", forEver); st < 0 {
				g.want(st, errnoPipe, "send")
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Error("writes to a store that is gone never fail")
	})
}

func TestTimeoutsAndStop(t *testing.T) {
	g := newGuest(t, Config{Ports: map[int]Dial{1: serving(t, "pipe", echo)}})
	fd := g.dial(1)
	st, _ := g.receive(fd, 10, 0)
	g.want(st, errnoAgain, "receive without waiting")
	st, _ = g.receive(fd, 10, 1)
	g.want(st, timedOut, "receive with a timeout")
	g.waiter.stop <- struct{}{}
	st, _ = g.receive(fd, 10, forEver)
	g.want(st, interrupted, "a stop while receiving")
	if got := g.poll(1, fd, eventRead); len(got) != 0 {
		t.Errorf("events %v", got)
	}
}

// Megabytes, both ways, held back by whoever is slower.
func TestBackPressure(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		var c net.Conn
		ready := make(chan struct{})
		done := make(chan struct{})
		g := newGuest(t, Config{Ports: map[int]Dial{1: serving(t, network, func(conn net.Conn) {
			c = conn
			close(ready)
			<-done
		})}})
		fd := g.dial(1)
		<-ready
		sent := 0
		chunk := strings.Repeat("x", 64<<10)
		for {
			n := g.send(fd, chunk, 0)
			if n < 0 {
				g.want(n, errnoAgain, "send to a store that does not read")
				if got := g.poll(1, fd, eventWrite); len(got) == 0 {
					break
				}
				continue
			}
			if sent += n; sent > 4<<20 {
				t.Fatal("sends to a store that does not read never wait")
			}
		}
		g.want(g.send(fd, "x", 1), timedOut, "send with a timeout")
		g.waiter.stop <- struct{}{}
		g.want(g.send(fd, "x", forEver), interrupted, "a stop while sending")
		var read sync.WaitGroup
		read.Go(func() {
			if n, err := io.CopyN(io.Discard, c, int64(sent)); err != nil {
				t.Errorf("the store read %d of %d: %v", n, sent, err)
			}
		})
		read.Wait()
		// The other way: the store can't write for ever either.
		c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		written := 0
		for written < 8<<20 {
			n, err := c.Write([]byte(chunk))
			if written += n; err != nil {
				break
			}
		}
		if written >= 8<<20 {
			t.Error("a store fills the host's memory")
		}
		close(done)
		if got := len(g.readAll(fd)); got != written {
			t.Errorf("received %d of %d bytes", got, written)
		}
	})
}

// What was sent before close arrives, although the store is slow to read it.
func TestCloseDelivers(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		got := make(chan int, 1)
		let := make(chan struct{})
		g := newGuest(t, Config{Ports: map[int]Dial{1: serving(t, network, func(c net.Conn) {
			<-let
			b, _ := io.ReadAll(c)
			got <- len(b)
		})}})
		fd := g.dial(1)
		sent := 0
		for {
			n := g.send(fd, strings.Repeat("x", 50_000), 0)
			if n < 0 {
				break
			}
			sent += n
		}
		g.close(fd)
		if g.stack.Open() != 1 {
			t.Error("a connection that still sends is not counted")
		}
		close(let)
		if n := <-got; n != sent {
			t.Errorf("%d of %d bytes arrived", n, sent)
		}
		for range 1000 {
			if g.stack.Open() == 0 {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Error("the connection never ends")
	})
}

func TestConnectionsAreCounted(t *testing.T) {
	g := newGuest(t, Config{MaxConns: 5, Ports: map[int]Dial{1: serving(t, "pipe", echo)}})
	var fds []int
	for range 5 {
		fds = append(fds, g.dial(1))
	}
	st, text := g.call(opSocket, 0, 4, "")
	g.want(st, errnoMfile, "a sixth socket")
	if text != "Too many open connections: close some first" {
		t.Errorf("text %q", text)
	}
	st, _ = g.call(opPair, 0, 0, "")
	g.want(st, errnoMfile, "a pair")
	dup, _ := g.call(opDup, fds[0], 0, "")
	g.ok(dup, "dup")
	g.close(fds[0])
	g.sendAll(dup, "still here")
	if got := g.read(dup, 100); got != "still here" {
		t.Errorf("received %q", got)
	}
	g.close(dup)
	g.socket(4) // at once
	st, _ = g.call(opDup, fds[0], 0, "")
	g.want(st, errnoBadf, "dup of a closed one")
}

func TestCloseFreesEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	hang := func(ctx context.Context, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	mute := func(c net.Conn) { io.Copy(io.Discard, c) }
	stuck := make(chan struct{})
	c := Config{MaxConns: 64, Ports: map[int]Dial{1: serving(t, "pipe", mute), 2: hang, 3: serving(t, "pipe", func(net.Conn) { <-stuck })}}
	g := &guest{t: t, stack: New(c)}
	for range 10 {
		g.dial(1)
		g.connect(g.socket(4), "", "127.0.0.1", 2, 0)
		fd := g.dial(3)
		for g.send(fd, strings.Repeat("x", 50_000), 0) > 0 {
		}
		g.close(fd)
	}
	g.stack.Close()
	close(stuck)
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		b := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, b[:runtime.Stack(b, true)])
	}
	if g.stack.Open() != 0 {
		t.Errorf("%d sockets are left", g.stack.Open())
	}
	st, _ := g.call(opSocket, 0, 4, "")
	g.want(st, errnoMfile, "a socket after the end")
}

func TestTap(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	g := newGuest(t, Config{Ports: map[int]Dial{6379: serving(t, "pipe", echo)}, Tap: func(p Piece) {
		mu.Lock()
		defer mu.Unlock()
		if p.Port != 6379 || p.At.IsZero() || p.Conn == 0 {
			t.Errorf("piece %+v", p)
		}
		seen = append(seen, map[bool]string{true: ">", false: "<"}[p.Sent]+string(p.Bytes))
	}})
	fd := g.dial(6379)
	for _, s := range []string{"one", "two"} {
		g.sendAll(fd, s)
		g.read(fd, 100)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(seen, " "); got != ">one <one >two <two" {
		t.Errorf("seen: %s", got)
	}
}
