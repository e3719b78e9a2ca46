package loopback_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/loopback"
	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
)

// TestSocketsInPython runs guest/tests/test_sockets.py in a guest.
func TestSocketsInPython(t *testing.T) {
	source, err := os.ReadFile("../python/guest/tests/test_sockets.py")
	if err != nil {
		t.Fatal(err)
	}
	stack := loopback.New(loopback.Config{MaxConns: 64, Ports: stores()})
	t.Cleanup(stack.Close)
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{
		python.SocketService: func(frame []byte, w python.Waiter) []byte { return stack.Call(frame, w) },
	}})
	turn := python.Turn{Source: string(source) + "\n\nunittest.main(argv=['test', '-v'], exit=False)\ngc.collect()\n", Name: "test_sockets.py", Run: time.Minute, Grace: time.Second}
	r, err := g.Turn(t.Context(), turn)
	_, report := out.Take()
	if err != nil || r.End != python.Finished || !strings.HasSuffix(report, "\nOK\n") {
		t.Errorf("%+v %v\n%s", r, err, report)
	}
	for range 1000 { // what is still being ended ends by itself; a store that never reads takes longer
		if stack.Open() <= 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d sockets are still open", stack.Open())
}

// TestStopInPython interrupts each way to wait.
func TestStopInPython(t *testing.T) {
	stack := loopback.New(loopback.Config{MaxConns: 64, Ports: stores()})
	t.Cleanup(stack.Close)
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{
		python.SocketService: func(frame []byte, w python.Waiter) []byte { return stack.Call(frame, w) },
	}})
	setup := "import socket, select, asyncio\ns = socket.create_connection(('localhost', 7))\nfull = socket.create_connection(('localhost', 9))\nkept = 1\n"
	if r, err := g.Turn(t.Context(), python.Turn{Source: setup, Run: time.Minute}); err != nil || r.End != python.Finished {
		t.Fatal(r, err)
	}
	for _, waiting := range []string{
		"s.recv(1)",
		"full.sendall(bytes(8 << 20))",
		"socket.create_connection(('localhost', 5433))",
		"socket.create_server(('localhost', 0)).accept()",
		"select.select([s], [], [])",
		"asyncio.run(asyncio.open_connection('127.0.0.1', 5433))",
	} {
		r, err := g.Turn(t.Context(), python.Turn{Source: waiting, Run: 20 * time.Millisecond, Grace: 10 * time.Second})
		if err != nil || r.Exception != "KeyboardInterrupt" || r.Interrupted != python.ByRun {
			_, report := out.Take()
			t.Errorf("%s: %+v %v\n%s", waiting, r, err, report)
		}
	}
	if r, err := g.Turn(t.Context(), python.Turn{Source: "s.sendall(b'still here'); s.recv(10), kept", Run: time.Minute}); err != nil || r.End != python.Finished {
		t.Error(r, err)
	}
}

// TestDialledNameInPython: a store learns what the learner's code calls it, although
// the standard library looks names up before it connects.
func TestDialledNameInPython(t *testing.T) {
	var asked []string
	dial := func(_ context.Context, addr string) (net.Conn, error) {
		asked = append(asked, addr)
		a, _ := loopback.Pipe()
		return a, nil
	}
	stack := loopback.New(loopback.Config{MaxConns: 64, Ports: map[int]loopback.Dial{27017: dial}})
	t.Cleanup(stack.Close)
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{Services: map[byte]python.Service{
		python.SocketService: func(frame []byte, w python.Waiter) []byte { return stack.Call(frame, w) },
	}})
	source := "import socket, asyncio\nfor h in 'localhost', '127.0.0.1', '::1', 'sandbox': socket.create_connection((h, 27017))\nkept = asyncio.run(asyncio.open_connection('localhost', 27017))\n"
	if r, err := g.Turn(t.Context(), python.Turn{Source: source, Run: time.Minute}); err != nil || r.End != python.Finished {
		_, report := out.Take()
		t.Fatal(r, err, report)
	}
	if got := strings.Join(asked, " "); got != "localhost:27017 127.0.0.1:27017 [::1]:27017 sandbox:27017 localhost:27017" {
		t.Errorf("dialled: %s", got)
	}
}

// stores are the servers that test_sockets.py expects.
func stores() map[int]loopback.Dial {
	serve := func(wait time.Duration, f func(net.Conn)) loopback.Dial {
		return func(ctx context.Context, _ string) (net.Conn, error) {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			a, b := loopback.Pipe()
			go func() {
				defer b.Close()
				f(b)
			}()
			return a, nil
		}
	}
	echo := func(c net.Conn) { io.Copy(c, c) }
	return map[int]loopback.Dial{
		7:    serve(0, echo),
		9:    func(context.Context, string) (net.Conn, error) { a, _ := loopback.Pipe(); return a, nil },
		13:   serve(0, func(c net.Conn) { io.WriteString(c, "hello") }),
		5432: serve(20*time.Millisecond, echo),
		5433: serve(time.Hour, echo),
		5434: func(context.Context, string) (net.Conn, error) { return nil, errors.New("nobody listens") },
	}
}
