package daemon

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Children that make sessions of their own, as PostgreSQL's do, end with the server.
func TestKillTakesTheChildren(t *testing.T) {
	d := shell(t, "setsid sleep 60 & echo $! > child; setsid sleep 60 & touch ready; wait")
	d.begin(context.Background(), d.start).wait(t.Context())
	if !d.Running() {
		t.Fatal(d.Log())
	}
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	home, _ := os.Stat(d.Dir)
	if pids, err := workingIn(home); err != nil || len(pids) > 0 {
		t.Errorf("%v are left, %v", pids, err)
	}
}

func TestAnotherProcessOnTheSocketIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err := dial(t.Context(), path, os.Getpid()); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if _, err := dial(t.Context(), path, 1); err == nil {
		t.Error("connected to another process")
	}
}

func TestAwaitEndReturnsWhenTheProcessHasEnded(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		awaitEnd(cmd.Process.Pid)
		close(ended)
	}()
	select {
	case <-ended:
		t.Error("it returned while the process runs")
	case <-time.After(50 * time.Millisecond):
	}
	in.Close()
	<-ended
	if err := cmd.Wait(); err != nil {
		t.Errorf("wait: %v", err)
	}
}
