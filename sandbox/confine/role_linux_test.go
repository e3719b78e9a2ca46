//go:build amd64 || arm64

package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleVariable makes the test binary play the confined program.
const roleVariable = "CONFINE_TEST_ROLE"

func TestMain(m *testing.M) {
	if IsChild() {
		Main()
	}
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	os.Exit(m.Run())
}

// scene is what a role finds around it.
type scene struct {
	Home   string // may be written
	Shared string // may be read
	Secret string // a file of the host, readable to everybody but for Landlock
	Host   int    // the process of the test
	Other  int    // another process of the host's user
	TCP    string // the host listens here
	Unix   string // here, in Home
	Ghost  string // and at this abstract address
	Stray  int    // a descriptor of the host that nobody passed
}

// outcome is what each attempt came to: empty when it worked.
type outcome map[string]string

// play runs a role and prints its outcome.
func play(role string) {
	var s scene
	if err := json.Unmarshal([]byte(os.Args[1]), &s); err != nil {
		panic(err)
	}
	roles := map[string]func(scene) outcome{"worker": worker, "sealed": sealedWorker, "store": database, "limits": limited, "wait": waits}
	if err := json.NewEncoder(os.Stdout).Encode(roles[role](s)); err != nil {
		panic(err)
	}
}

// text is an attempt's error, empty for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func read(name string) string  { _, err := os.ReadFile(name); return text(err) }
func write(name string) string { return text(os.WriteFile(name, []byte("x"), 0o600)) }

func dial(network, address string) string {
	c, err := net.Dial(network, address)
	if err == nil {
		c.Close()
	}
	return text(err)
}

// worker is a worker before it is sealed.
func worker(s scene) outcome {
	link := filepath.Join(s.Home, "link")
	os.Symlink(s.Secret, link)
	o := outcome{
		"read shared":     read(filepath.Join(s.Shared, "file")),
		"write home":      write(filepath.Join(s.Home, "file")),
		"make folder":     text(os.Mkdir(filepath.Join(s.Home, "folder"), 0o700)),
		"use passed file": usePassed(),
		"read secret":     read(s.Secret),
		"read by link":    read(link),
		"read by dots":    read(s.Home + "/../" + filepath.Base(s.Secret)),
		"write shared":    write(filepath.Join(s.Shared, "file")),
		"write outside":   write(s.Secret),
		"list root":       text(func() error { _, err := os.ReadDir("/"); return err }()),
		"read /proc":      read(fmt.Sprintf("/proc/%d/environ", s.Host)),
		"read passwords":  read("/etc/shadow"),
		"host's tcp":      dial("tcp", s.TCP),
		"abstract socket": dial("unix", s.Ghost),
		"kill other":      text(unix.Kill(s.Other, 0)),
		"kill host":       text(unix.Kill(s.Host, 0)),
		"trace other":     text(unix.PtraceAttach(s.Other)),
		"limit other":     text(unix.Prlimit(s.Other, unix.RLIMIT_NOFILE, nil, &unix.Rlimit{})),
		"mount":           text(unix.Mount("x", s.Home, "tmpfs", 0, "")),
		"unshare":         text(unix.Unshare(unix.CLONE_NEWUSER)),
		"become root":     text(become0()),
		"execute home":    runOwn(s.Home),
		"stray":           text(fcntl(s.Stray)),
		"environment":     strings.Join(os.Environ(), " "),
		"user":            fmt.Sprint(os.Getuid(), os.Getgid()),
	}
	o["interfaces up"] = interfaces()
	groups, _ := os.Getgroups()
	o["groups"] = fmt.Sprint(groups)
	return o
}

func become0() error {
	_, _, e := unix.RawSyscall(unix.SYS_SETRESUID, 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}

func fcntl(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err
}

func usePassed() string {
	_, err := os.NewFile(3, "passed").WriteString("hello")
	return text(err)
}

// runOwn executes a program that was put into the home folder.
func runOwn(home string) string {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		self = []byte("#!/bin/sh\n") // /proc is out of reach: an execve of it fails as well
	}
	name := filepath.Join(home, "program")
	if err := os.WriteFile(name, self, 0o700); err != nil {
		return "" // what was not tried must not pass
	}
	return text(exec.Command(name).Run())
}

// interfaces names the network interfaces that are up.
func interfaces() string {
	all, err := net.Interfaces()
	if err != nil {
		return ""
	}
	var up []string
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 {
			up = append(up, i.Name)
		}
	}
	return strings.Join(up, " ")
}

// sealedWorker is a worker after Seal. Descriptor 3 is a unix socket over which the
// host sends another.
func sealedWorker(s scene) outcome {
	before, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return outcome{"socket before": text(err)}
	}
	if err := Seal(); err != nil {
		return outcome{"seal": text(err)}
	}
	o := outcome{
		"connect":          text(unix.Connect(before, &unix.SockaddrUnix{Name: s.Unix})),
		"bind":             text(unix.Bind(before, &unix.SockaddrUnix{Name: filepath.Join(s.Home, "mine")})),
		"execute":          text(unix.Exec(os.Args[0], nil, nil)),
		"kill self":        text(unix.Kill(os.Getpid(), 0)),
		"kill other":       text(unix.Kill(s.Other, 0)),
		"tgkill other":     text(unix.Tgkill(s.Other, s.Other, 0)),
		"tgkill self":      text(unix.Tgkill(os.Getpid(), os.Getpid(), 0)),
		"datagram pair":    pair(unix.SOCK_DGRAM),
		"raw pair":         pair(unix.SOCK_RAW),
		"stream pair":      pair(unix.SOCK_STREAM),
		"receive a file":   receive(3),
		"write home":       write(filepath.Join(s.Home, "after")),
		"32-bit numbering": text(highCall()),
	}
	for name, call := range map[string]uintptr{"clone3": unix.SYS_CLONE3, "io_uring": unix.SYS_IO_URING_SETUP} {
		_, _, e := unix.RawSyscall(call, 0, 0, 0)
		o[name] = text(e)
	}
	_, _, e := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	o["fork"] = text(e)
	if e == 0 {
		o["fork"] = ""
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	open := 0
	for range 8 { // new threads and old ones
		wg.Go(func() {
			runtime.LockOSThread()
			if _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err == nil {
				mu.Lock()
				defer mu.Unlock()
				open++
			}
		})
	}
	wg.Wait()
	o["sockets on any thread"] = fmt.Sprint(open)
	return o
}

func highCall() error {
	_, _, e := unix.RawSyscall(0x40000000+unix.SYS_GETPID, 0, 0, 0)
	return e
}

func pair(kind int) string {
	_, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	return text(err)
}

// receive takes one descriptor from a unix socket and reads from it.
func receive(fd int) string {
	data, oob := make([]byte, 1), make([]byte, 64)
	_, n, _, _, err := unix.Recvmsg(fd, data, oob, 0)
	if err != nil {
		return text(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Sprint("no control message: ", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return text(err)
	}
	_, err = unix.Read(fds[0], data)
	return text(err)
}

// database is a server under ProfileStore.
func database(s scene) outcome {
	listener, err := net.Listen("unix", filepath.Join(s.Home, "served"))
	o := outcome{
		"listen":        text(err),
		"fork and exec": text(exec.Command("/bin/sh", "-c", "exit 0").Run()),
		"connect":       dial("unix", s.Unix),
		"shared memory": func() string { _, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, 0o600); return text(err) }(),
		"trace":         text(unix.PtraceAttach(s.Other)),
		"unshare":       text(unix.Unshare(unix.CLONE_NEWNS)),
	}
	for name, domain := range map[string]int{"inet": unix.AF_INET, "inet6": unix.AF_INET6, "netlink": unix.AF_NETLINK, "vsock": unix.AF_VSOCK, "packet": unix.AF_PACKET} {
		_, err := unix.Socket(domain, unix.SOCK_STREAM, 0)
		o[name] = text(err)
	}
	_, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	o["datagrams"] = text(err)
	if listener != nil {
		fmt.Fprintln(os.NewFile(3, "passed"), "ready")
		if c, err := listener.Accept(); err == nil {
			fmt.Fprintln(c, "served")
			c.Close()
		}
	}
	return o
}

// limited reaches each limit.
func limited(s scene) outcome {
	signal.Ignore(unix.SIGXFSZ)
	o := outcome{"file size": text(os.WriteFile(filepath.Join(s.Home, "big"), make([]byte, 1<<20+1), 0o600))}
	_, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	o["data"] = text(err)
	for range 64 {
		if _, err = unix.Dup(0); err != nil {
			break
		}
	}
	o["open files"] = text(err)
	var core unix.Rlimit
	o["core"] = text(errors.Join(unix.Getrlimit(unix.RLIMIT_CORE, &core)))
	if core.Max != 0 {
		o["core"] = "core files are allowed"
	}
	o["raise"] = text(unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 30, Max: 1 << 30}))
	return o
}

// waits lets go of nothing until it is killed.
func waits(scene) outcome {
	fmt.Println("waiting")
	time.Sleep(time.Hour) // select{} would be a deadlock to Go, and end it
	return nil
}
