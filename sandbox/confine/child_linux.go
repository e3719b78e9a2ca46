//go:build amd64 || arm64

package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// subcommand is the hidden argument of the child.
const subcommand = "confine"

// IsChild tells whether this process was started by Command to restrict itself: then
// call Main before anything else.
func IsChild() bool {
	return len(os.Args) == 2 && os.Args[1] == subcommand && os.Getenv(variable) != ""
}

// Main restricts this process and executes the program. It does not return: on an
// error it says so on standard error and exits with the status Failed.
func Main() {
	// Restrictions are a thread's. The thread that has them executes the program, and
	// the kernel ends the others then.
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	var o order
	err := json.Unmarshal([]byte(os.Getenv(variable)), &o)
	switch {
	case err != nil:
	case o.Probe:
		err = o.report()
	default:
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "confine:", err)
		os.Exit(Failed)
	}
	os.Exit(0)
}

// run comes back with an error or not at all.
func (o order) run() error {
	program, err := o.program()
	if err != nil {
		return err
	}
	// Opened before the user changes: the program's folder may be root's alone.
	rules, err := o.open()
	if err != nil {
		return err
	}
	if err := hide(3 + o.Files); err != nil {
		return fmt.Errorf("close descriptors: %w", err)
	}
	if err := o.become(); err != nil {
		return err
	}
	if err := dieWith(o.Parent); err != nil {
		return err
	}
	if err := o.enter(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if err := o.landlock(rules); err != nil {
		return err
	}
	if o.Can.Seccomp {
		if err := install(o.Calls.filter(), 0); err != nil {
			return err
		}
	}
	return program.execute()
}

// become changes to the order's user and drops root's powers, on this thread alone:
// it is the one that stays.
func (o order) become() error {
	if os.Geteuid() != 0 {
		return nil
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		// Not allowed without CAP_SETPCAP, and then there is little to drop.
		_, _, _ = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0)
	}
	if o.UID == 0 || !o.Can.Users {
		return nil
	}
	return setUser(o.UID)
}

func setUser(uid int) error {
	id := uintptr(uid)
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); e != 0 {
		return fmt.Errorf("drop groups: %w", e)
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); e != 0 {
		return fmt.Errorf("change to group %d: %w", uid, e)
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); e != 0 {
		return fmt.Errorf("change to user %d: %w", uid, e)
	}
	return nil
}

// dieWith ties this process's life to its parent's. A change of user and a fork both
// undo it, so it is done here and not by the parent alone.
func dieWith(parent int) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("tie to the parent's life: %w", err)
	}
	if unix.Getppid() != parent {
		return errors.New("the parent is gone")
	}
	return nil
}

func (o order) enter() error {
	dir := o.Dir
	if dir == "" {
		dir = "/"
	}
	if err := unix.Chdir(dir); err != nil {
		return fmt.Errorf("enter %s: %w", dir, err)
	}
	return nil
}

// hide makes the program not inherit the descriptors from first on.
func hide(first int) error {
	err := unix.CloseRange(uint(first), math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // Linux before 5.11
	if err != nil {
		return err
	}
	for _, e := range entries {
		var fd int
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// program is what to execute, with all memory that it takes: there may be none to have
// once the limits are on.
type program struct {
	path *byte
	fd   int // the program itself, when its user can't reach its path
	argv []*byte
	envp []*byte
	lims []lim
}

type lim struct {
	resource uintptr
	value    unix.Rlimit
}

// resources are the kernel's numbers.
func (r Resource) number() (uintptr, error) {
	switch r {
	case AddressSpace:
		return unix.RLIMIT_AS, nil
	case Data:
		return unix.RLIMIT_DATA, nil
	case FileSize:
		return unix.RLIMIT_FSIZE, nil
	case OpenFiles:
		return unix.RLIMIT_NOFILE, nil
	case CoreFile:
		return unix.RLIMIT_CORE, nil
	case Processes:
		return unix.RLIMIT_NPROC, nil
	}
	return 0, fmt.Errorf("there is no limit on %q", r)
}

func (o order) program() (*program, error) {
	p := &program{}
	var err error
	if p.path, err = unix.BytePtrFromString(o.Path); err != nil {
		return nil, fmt.Errorf("program %q: %w", o.Path, err)
	}
	if p.fd, err = unix.Open(o.Path, unix.O_PATH|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("program %s: %w", o.Path, err)
	}
	if p.argv, err = syscall.SlicePtrFromStrings(append([]string{o.Path}, o.Args...)); err != nil {
		return nil, fmt.Errorf("arguments: %w", err)
	}
	if p.envp, err = syscall.SlicePtrFromStrings(o.Env); err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	defaults := []Rlimit{{CoreFile, 0}, {OpenFiles, 1024}}
	for _, r := range append(defaults, o.Rlimits...) {
		n, err := r.Resource.number()
		if err != nil {
			return nil, err
		}
		p.lims = append(p.lims, lim{n, unix.Rlimit{Cur: r.Max, Max: r.Max}})
	}
	return p, nil
}

// execute puts the limits on, last of all, and becomes the program.
func (p *program) execute() error {
	for i := range p.lims {
		l := &p.lims[i]
		if e := limit(l); e != 0 {
			return fmt.Errorf("limit resource %d to %d: %w", l.resource, l.value.Max, e)
		}
	}
	_, _, e := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(p.path)), uintptr(unsafe.Pointer(&p.argv[0])), uintptr(unsafe.Pointer(&p.envp[0])))
	if e == unix.EACCES {
		var empty byte
		_, _, e = unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(p.fd), uintptr(unsafe.Pointer(&empty)), uintptr(unsafe.Pointer(&p.argv[0])), uintptr(unsafe.Pointer(&p.envp[0])), unix.AT_EMPTY_PATH, 0)
	}
	return fmt.Errorf("execute the program: %w", e)
}

// limit lowers a limit; one that is lower already stays.
func limit(l *lim) syscall.Errno {
	var now unix.Rlimit
	if _, _, e := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, l.resource, 0, uintptr(unsafe.Pointer(&now)), 0, 0); e != 0 {
		return e
	}
	l.value.Max = min(l.value.Max, now.Max)
	l.value.Cur = min(l.value.Cur, now.Max)
	_, _, e := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, l.resource, uintptr(unsafe.Pointer(&l.value)), 0, 0, 0)
	return e
}

// report is the probe: it tries each restriction and tells which worked.
func (o order) report() error {
	can := abilities{Landlock: landlockABI()}
	if os.Geteuid() == 0 {
		const nobody = 65534
		can.Users = setUser(nobody) == nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if can.Landlock > 0 {
		o.Can = can
		if err := o.landlock(nil); err != nil {
			can.Landlock = 0
		}
	}
	can.Seccomp = install(ProfileStore.filter(), 0) == nil
	said, err := json.Marshal(map[string]any{"Landlock": can.Landlock, "Seccomp": can.Seccomp, "Users": can.Users})
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(said)
	return err
}
