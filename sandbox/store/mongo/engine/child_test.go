package engine_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"storeroom/sandbox/store/mongo/engine"
)

// The test binary serves a folder when it is started with these.
const (
	childFolder = "MONGO_ENGINE_CHILD"
	childReply  = "MONGO_ENGINE_KILL_AT" // the number of the reply that it dies before
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		at, _ := strconv.Atoi(os.Getenv(childReply))
		if err := serveFolder(dir, int64(at)); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveFolder prints its address and serves until it is killed.
func serveFolder(dir string, killAt int64) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e, err := engine.Open(dir, engine.Options{})
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return e.Serve(context.Background(), mortal{Listener: l, at: killAt, replies: new(atomic.Int64)})
}

// mortal is a listener whose connections kill the process instead of sending a reply.
type mortal struct {
	net.Listener
	at      int64
	replies *atomic.Int64
}

func (l mortal) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return mortalConn{c, l}, err
}

type mortalConn struct {
	net.Conn
	l mortal
}

func (c mortalConn) Write(b []byte) (int, error) {
	if c.l.replies.Add(1) == c.l.at {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return c.Conn.Write(b)
}

// child starts a process that serves the folder and answers its address.
func child(t testing.TB, dir string, killAt int) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir, childReply+"="+strconv.Itoa(killAt))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	line := bufio.NewScanner(out)
	line.Scan()
	if _, _, err := net.SplitHostPort(line.Text()); err != nil {
		t.Fatalf("the child said %q", line.Text())
	}
	return cmd, line.Text()
}
