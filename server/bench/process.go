package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a Storeroom that the bench has started.
type server struct {
	cmd     *exec.Cmd
	address string
	started time.Duration // from exec to the line that names the address
}

// start runs the program with folders of the bench's own.
func start(ctx context.Context, program, data string, more ...string) (*server, error) {
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(data, "data"), "--run", filepath.Join(data, "run"), "--seats-per-minute", "1000000"}, more...)
	return launch(exec.CommandContext(ctx, program, args...))
}

// launch starts a command that prints "listening on" and its address when it is ready.
func launch(cmd *exec.Cmd) (*server, error) {
	s := &server{cmd: cmd}
	s.cmd.Stderr = os.Stderr
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = time.Minute
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), "listening on "); ok {
			s.address, s.started = strings.TrimSuffix(strings.Fields(after)[0], "/"), time.Since(began)
			go func() {
				for lines.Scan() {
				}
			}()
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not start"), s.cmd.Wait())
}

func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return nil
	}
	return err
}

// descendants are the processes below pid, itself left out.
func descendants(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The name in parentheses may hold anything; the parent is the second field after it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	var all []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		all = append(all, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

// program is the name of the program that a process runs, as the process tells it.
func program(pid int) string {
	said, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	name, _, _ := strings.Cut(string(said), "\x00")
	return filepath.Base(name)
}

// pss is a process's proportional set size in bytes: what it shares counts by its share.
func pss(pid int) int64 { return field(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:") }

// rss is a process's resident memory in bytes, what it shares included.
func rss(pid int) int64 { return field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:") }

func field(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
