//go:build amd64 || arm64

package confine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// variable carries the order to the child; the program does not see it.
const variable = "STOREROOM_CONFINE"

// order is what the child is told.
type order struct {
	Path    string
	Args    []string
	Env     []string
	Dir     string
	Read    []string
	Write   []string
	Rlimits []Rlimit
	UID     int
	Calls   Profile
	Files   int // how many descriptors follow the three standard ones
	Parent  int // the process whose death is the child's too
	Can     abilities
	Probe   bool // restrict, report the abilities, and run nothing
}

// abilities are what the kernel, and the rights that Storeroom has, allow.
type abilities struct {
	Spaces   uintptr // namespaces to start a child in, as clone flags
	Landlock int     // its ABI; 0: none
	Seccomp  bool
	Users    bool // root, and may give a child a user of its own
}

// Command answers the command that runs spec's program confined, ready to Start. Its
// process group is its own, and ctx's end kills the group. The program dies with the
// thread that started it: don't start one from a goroutine that ends locked to its
// thread. After Start the caller closes its own copies of Files.
func Command(ctx context.Context, spec Spec) (*exec.Cmd, error) {
	if !filepath.IsAbs(spec.Path) {
		return nil, fmt.Errorf("confine: %q is no absolute path", spec.Path)
	}
	can, err := able()
	if err != nil {
		return nil, err
	}
	cmd, err := command(ctx, spec.Self, can.Spaces, order{
		Path: spec.Path, Args: spec.Args, Env: spec.Env, Dir: spec.Dir, Read: spec.Read, Write: spec.Write,
		Rlimits: spec.Rlimits, UID: spec.UID, Calls: spec.Calls, Files: len(spec.Files), Can: can,
	})
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = spec.Files, spec.Stdout, spec.Stderr
	return cmd, nil
}

// command executes self, or this binary again, in the given namespaces.
func command(ctx context.Context, self string, spaces uintptr, o order) (*exec.Cmd, error) {
	if os.Getenv(variable) != "" {
		return nil, errors.New("confine: this program does not call confine.Main first")
	}
	o.Parent = os.Getpid()
	said, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("confine: %w", err)
	}
	if self == "" {
		self = "/proc/self/exe" // this very binary, even when a newer one has taken its path
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"storeroom", subcommand}
	cmd.Env = []string{variable + "=" + string(said)}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: spaces}
	if spaces&syscall.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second // a grandchild may hold the output open
	return cmd, nil
}

// able probes once for the process's life: what a kernel can does not change, and a
// restriction that worked in the probe and fails later is an error and not a lack.
var able = sync.OnceValues(func() (abilities, error) { return probe(context.Background()) })

// probe restricts a child in the best namespaces that are allowed here, and asks it
// what else worked.
func probe(ctx context.Context) (abilities, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	user := uintptr(0)
	if os.Geteuid() != 0 {
		user = syscall.CLONE_NEWUSER
	}
	var last error
	for _, spaces := range []uintptr{
		user | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		user | syscall.CLONE_NEWNET,
		0,
	} {
		cmd, err := command(ctx, "", spaces, order{Probe: true})
		if err != nil {
			return abilities{}, err
		}
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Run(); err != nil {
			last = fmt.Errorf("confine: look what this kernel can: %w %s", err, said.String())
			continue
		}
		can := abilities{Spaces: spaces}
		if err := json.Unmarshal(out.Bytes(), &can); err != nil {
			return abilities{}, fmt.Errorf("confine: look what this kernel can: %w", err)
		}
		return can, nil
	}
	return abilities{}, last
}

// ManyUsers tells whether each child can have a user of its own: Storeroom is root and
// may change users.
func ManyUsers() bool {
	can, err := able()
	return err == nil && os.Geteuid() == 0 && can.Users
}

// Lacks names, in words, what this kernel or the rights that Storeroom was started
// with leave out. It is empty where everything works.
func Lacks() []string {
	can, err := able()
	if err != nil {
		return []string{"sandboxes can't be started: " + err.Error()}
	}
	return can.lacks(os.Geteuid() == 0)
}

func (can abilities) lacks(root bool) []string {
	var l []string
	apart := "by their users alone"
	if !root || !can.Users {
		apart = "by Storeroom's own checks alone, since all of them have one user"
	}
	switch {
	case can.Landlock == 0:
		l = append(l, "no Landlock (Linux 5.13 and newer have it, where it is switched on): files of sandboxes are kept apart "+apart)
	case can.Landlock < 3:
		l = append(l, "an early Landlock (Linux 6.2 has a better one): a sandbox may cut files short that it may read")
	}
	if can.Landlock < scopesABI && (!root || !can.Users) {
		l = append(l, "no Landlock scopes (Linux 6.12 has them): a database server that was taken over could send signals to processes of its user")
	}
	if can.Spaces&syscall.CLONE_NEWNET == 0 {
		l = append(l, "no network namespaces (not allowed here, as in most containers): the network is kept away by the filter of system calls alone")
	}
	if !can.Seccomp {
		l = append(l, "no filter of system calls (seccomp): a sandbox that was taken over could start programs and open sockets")
	}
	if root && !can.Users {
		l = append(l, "no right to change users (CAP_SETUID and CAP_SETGID): all sandboxes run as root; start Storeroom as an ordinary user instead")
	}
	return l
}

// Libraries are the folders and files that a program linked with the machine's C
// library must be able to read, for Spec.Read.
func Libraries() []string {
	return strings.Fields("/lib /lib64 /usr/lib /usr/lib64 /usr/libexec /etc/ld.so.cache /etc/ld.so.conf /etc/ld.so.conf.d /usr/local/lib")
}
