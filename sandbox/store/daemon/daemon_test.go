package daemon

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The stores' own suites test starting, stopping and killing with the real servers; here
// is what needs a server that misbehaves.

func TestTailKeepsTheEnd(t *testing.T) {
	var l tail
	for range 1000 {
		l.Write([]byte(strings.Repeat("x", 99) + "\n"))
	}
	l.Write([]byte("the last line\n"))
	if got := l.String(); len(got) > 3*tailSize || !strings.HasSuffix(got, "the last line") {
		t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-20):])
	}
	l.Write([]byte(strings.Repeat("y", 2*tailSize)))
	if got := l.String(); len(got) != tailSize {
		t.Errorf("%d bytes", len(got))
	}
}

// shell is a daemon that runs a script in its own folder.
func shell(t *testing.T, script string) *Daemon {
	t.Helper()
	dir := t.TempDir()
	d := New(Config{
		Name: "shell", Dir: dir, Socket: filepath.Join(dir, "s"), Signal: syscall.SIGTERM,
		Command: func(ctx context.Context) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script)
			cmd.Dir = dir
			return cmd, nil
		},
		Ready: func(context.Context) bool { _, err := os.Stat(filepath.Join(dir, "ready")); return err == nil },
	})
	t.Cleanup(func() { d.Close() })
	return d
}

func TestAStartThatFailsSaysWhy(t *testing.T) {
	_, err := shell(t, "echo no such luck >&2; exit 3").Dial(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such luck") {
		t.Error(err)
	}
}

// A server that does not heed its signal is killed when the time is over.
func TestStopKillsTheStubborn(t *testing.T) {
	d := shell(t, "trap '' TERM; touch ready; while :; do sleep 0.01; done")
	d.begin(context.Background(), d.start).wait(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Stop(ctx); err != nil || d.Running() {
		t.Error(err)
	}
}

// A process that is up and does not listen is started again, as often as Dial tries.
func TestADeafServerIsReplaced(t *testing.T) {
	d := shell(t, "echo life >> lives; touch ready; exec sleep 600")
	if _, err := d.Dial(t.Context()); err == nil {
		t.Fatal("connected to nothing")
	}
	if text, _ := os.ReadFile(filepath.Join(d.Dir, "lives")); strings.Count(string(text), "life") < 2 {
		t.Errorf("lives: %q", text)
	}
}

func TestFolderRefusesALink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/tmp", link); err != nil {
		t.Fatal(err)
	}
	if err := Folder(link, 0); err == nil {
		t.Error("took a link for a folder")
	}
}
