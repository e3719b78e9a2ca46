//go:build amd64 || arm64

package confine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ordinary is the user of the second pass when the tests run as root, and confined
// that of the programs.
const (
	ordinary = 65533
	confined = 65531
)

// stage makes a scene: folders, a listener of each kind, a process to attack.
func stage(t *testing.T) scene {
	t.Helper()
	can, err := able()
	if err != nil {
		t.Fatal(err)
	}
	if can.Landlock == 0 || !can.Seccomp {
		t.Skip("needs Landlock and seccomp filters in the kernel")
	}
	base, err := os.MkdirTemp("", "confine") // short, for the socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	s := scene{Home: base + "/home", Shared: base + "/shared", Secret: base + "/secret", Host: os.Getpid()}
	for _, dir := range []string{base, s.Home, s.Shared} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{s.Secret, s.Shared + "/file"} {
		if err := errors.Join(os.WriteFile(file, []byte("secret"), 0o600), os.Chmod(file, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	s.Unix, s.Ghost = s.Home+"/host", fmt.Sprintf("@confine-%d", os.Getpid())
	for _, l := range []struct{ network, address string }{{"tcp", "127.0.0.1:0"}, {"unix", s.Unix}, {"unix", s.Ghost}} {
		listener, err := net.Listen(l.network, l.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		if l.network == "tcp" {
			s.TCP = listener.Addr().String()
		}
	}
	if err := os.Chmod(s.Unix, 0o777); err != nil {
		t.Fatal(err)
	}
	other := exec.Command("cat") // ends with this process, also when that is killed
	hold, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Close(); other.Process.Kill(); other.Wait() })
	s.Other = other.Process.Pid
	return s
}

// role is the spec of the test binary in a role.
func role(t *testing.T, name string, s scene) Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{
		Path: self, Args: []string{string(said)}, Env: []string{roleVariable + "=" + name},
		Dir: s.Home, Read: append(Libraries(), self, s.Shared, "/absent"), Write: []string{s.Home, "/dev/null"},
		Calls: ProfileWorker,
	}
	if os.Geteuid() == 0 {
		spec.UID = confined
	}
	return spec
}

// perform runs a spec to its end and answers the outcome.
func perform(t *testing.T, spec Spec) outcome {
	t.Helper()
	var out, said bytes.Buffer
	spec.Stdout, spec.Stderr = &out, &said
	cmd, err := Command(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	var o outcome
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return o
}

// expect says of each attempt whether it must work.
func expect(t *testing.T, o outcome, allowed, denied string) {
	t.Helper()
	for _, name := range strings.Split(allowed, ", ") {
		if said, ok := o[name]; said != "" || !ok {
			t.Errorf("%s must work: %q", name, said)
		}
	}
	for _, name := range strings.Split(denied, ", ") {
		if o[name] == "" {
			t.Errorf("%s must be denied", name)
		}
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestAWorkerReachesItsHomeAndNothingOfTheHost(t *testing.T) {
	s := stage(t)
	r, w := pipe(t)
	// A descriptor that lacks close-on-exec, as a careless library would leave it.
	s.Stray = 100
	if err := unix.Dup3(int(r.Fd()), s.Stray, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s.Stray)
	spec := role(t, "worker", s)
	spec.Files = []*os.File{w}
	t.Setenv("PASSWORD_OF_THE_HOST", "secret")
	o := perform(t, spec)
	expect(t, o, "read shared, write home, make folder, use passed file",
		"read secret, read by link, read by dots, write shared, write outside, list root, read /proc, read passwords, host's tcp, "+
			"abstract socket, kill other, kill host, trace other, limit other, mount, unshare, execute home, stray")
	if want := roleVariable + "=worker"; o["environment"] != want {
		t.Errorf("environment %q, want %q", o["environment"], want)
	}
	if o["interfaces up"] != "" {
		t.Errorf("it sees the network: %s", o["interfaces up"])
	}
	if spec.UID != 0 {
		if want := fmt.Sprint(confined, " ", confined); o["user"] != want || o["groups"] != "[]" {
			t.Errorf("user %s groups %s", o["user"], o["groups"])
		}
		expect(t, o, "write home", "become root")
	}
	if got, err := os.ReadFile(s.Secret); err != nil || string(got) != "secret" {
		t.Errorf("the secret is %q %v", got, err)
	}
}

func TestASealedWorkerMakesNoSocketAndNoProcess(t *testing.T) {
	s := stage(t)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	shared, err := os.Open(s.Shared + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if err := unix.Sendmsg(fds[0], []byte("x"), unix.UnixRights(int(shared.Fd())), nil, 0); err != nil {
		t.Fatal(err)
	}
	spec := role(t, "sealed", s)
	spec.Files = []*os.File{theirs}
	o := perform(t, spec)
	expect(t, o, "stream pair, receive a file, write home, tgkill self",
		"connect, bind, execute, fork, kill self, kill other, tgkill other, datagram pair, raw pair, 32-bit numbering")
	for _, name := range []string{"clone3", "io_uring"} {
		if want := unix.ENOSYS.Error(); o[name] != want {
			t.Errorf("%s answered %q, want %q so that libraries fall back", name, o[name], want)
		}
	}
	if o["sockets on any thread"] != "0" {
		t.Errorf("%s threads could make a socket", o["sockets on any thread"])
	}
}

func TestADatabaseServerListensAndConnectsNowhere(t *testing.T) {
	s := stage(t)
	r, w := pipe(t)
	spec := role(t, "store", s)
	spec.Calls, spec.Files = ProfileStore, []*os.File{w}
	spec.Read = append(spec.Read, "/bin/sh", "/usr/bin")
	served := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		c, err := net.Dial("unix", s.Home+"/served")
		if err != nil {
			served <- line + err.Error()
			return
		}
		defer c.Close()
		answer, _ := io.ReadAll(c)
		served <- string(answer)
	}()
	o := perform(t, spec)
	expect(t, o, "listen, fork and exec, shared memory", "connect, trace, unshare, inet, inet6, netlink, vsock, packet, datagrams")
	if got := <-served; got != "served\n" {
		t.Errorf("the host got %q", got)
	}
}

func TestLimitsHoldAndCanNotBeRaised(t *testing.T) {
	s := stage(t)
	spec := role(t, "limits", s)
	spec.Rlimits = []Rlimit{{FileSize, 1 << 20}, {Data, 512 << 20}, {OpenFiles, 32}}
	expect(t, perform(t, spec), "core", "file size, data, open files, raise")
}

func TestASmallAddressSpaceDoesNotStopTheRestricting(t *testing.T) {
	s := stage(t)
	spec := role(t, "limits", s)
	spec.Path, spec.Args = "/bin/sh", []string{"-c", "ulimit -v"}
	spec.Read = append(spec.Read, "/bin", "/usr/bin")
	spec.Rlimits = []Rlimit{{AddressSpace, 128 << 20}}
	spec.Self = os.Args[0] // as a program of its own would be named
	var out, said bytes.Buffer
	spec.Stdout, spec.Stderr = &out, &said
	cmd, err := Command(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Run(); err != nil || out.String() != "131072\n" {
		t.Errorf("got %q %v %s", out.String(), err, said.String())
	}
}

func TestTheEndOfTheContextKillsTheProgram(t *testing.T) {
	s := stage(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	spec := role(t, "wait", s)
	r, w := pipe(t)
	spec.Stdout = w
	cmd, err := Command(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || line != "waiting\n" {
		t.Fatalf("%q %v", line, err)
	}
	cancel()
	err = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended by %v %v", err, cmd.ProcessState)
	}
}

func TestTheProgramDiesWithItsHost(t *testing.T) {
	if os.Getenv("CONFINE_TEST_HOST") != "" {
		s := stage(t)
		spec := role(t, "wait", s)
		spec.Stdout = os.Stdout
		cmd, err := Command(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("pid", cmd.Process.Pid)
		time.Sleep(time.Hour) // select{} would be a deadlock to Go, and end it
	}
	s := stage(t) // skips where nothing can be confined
	host := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	// It is killed and cleans up nothing: what it makes goes with this test's folders.
	host.Env = append(os.Environ(), "CONFINE_TEST_HOST=1", "TMPDIR="+filepath.Dir(s.Home))
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	pid, waiting, all := 0, false, ""
	lines := bufio.NewScanner(out)
	for (pid == 0 || !waiting) && lines.Scan() {
		waiting = waiting || lines.Text() == "waiting"
		fmt.Sscanf(lines.Text(), "pid %d", &pid)
		all += lines.Text() + "\n"
	}
	if pid == 0 || !waiting {
		t.Fatalf("the program did not start: %s", all)
	}
	host.Process.Kill()
	for lines.Scan() { // the program holds the pipe's other end too
	}
	host.Wait()
	for range 200 {
		if unix.Kill(pid, 0) != nil {
			return
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && bytes.Contains(stat, []byte(") Z ")) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the program outlives its host")
}

func TestAProgramThatCanNotStartSaysWhy(t *testing.T) {
	s := stage(t)
	spec := role(t, "worker", s)
	spec.Path = filepath.Join(s.Home, "absent")
	var said bytes.Buffer
	spec.Stderr = &said
	cmd, err := Command(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Run()
	if cmd.ProcessState.ExitCode() != Failed || !strings.Contains(said.String(), "absent: no such file") {
		t.Errorf("got %v %q", err, said.String())
	}
	spec.Path = "sh"
	if _, err := Command(t.Context(), spec); err == nil {
		t.Error("a relative path was taken")
	}
}

func TestWhatIsLackingIsSaidInWords(t *testing.T) {
	all := abilities{Spaces: unix.CLONE_NEWNET, Landlock: 7, Seccomp: true, Users: true}
	if l := all.lacks(true); len(l) != 0 {
		t.Errorf("a kernel with everything lacks %q", l)
	}
	for word, can := range map[string]abilities{
		"no Landlock (":     {Spaces: all.Spaces, Seccomp: true, Users: true},
		"scopes":            {Spaces: all.Spaces, Landlock: 5, Seccomp: true},
		"network namespace": {Landlock: 7, Seccomp: true},
		"seccomp":           {Spaces: all.Spaces, Landlock: 7},
	} {
		if l := strings.Join(can.lacks(false), "\n"); !strings.Contains(l, word) {
			t.Errorf("%q is not said: %q", word, l)
		}
	}
}

// TestAsAnOrdinaryUser runs this file's tests once more without root's rights.
func TestAsAnOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: the tests run as an ordinary user already")
	}
	dir, err := os.MkdirTemp("", "confine")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	self := filepath.Join(dir, "confine.test")
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(self, program, 0o755), os.Chown(dir, ordinary, ordinary)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.skip", "TestAsAnOrdinaryUser")
	cmd.Dir, cmd.Env = dir, []string{"TMPDIR=" + dir, "PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinary, Gid: ordinary}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := bytes.Count(out, []byte("--- SKIP")); n > 0 {
		t.Errorf("%d tests were skipped\n%s", n, out)
	}
}
