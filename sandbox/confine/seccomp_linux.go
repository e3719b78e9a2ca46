//go:build amd64 || arm64

package confine

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filter is a program for the kernel's filter of system calls: what is not named is
// allowed. The kernel keeps a table of the calls that need no look at their arguments,
// so a long list costs nothing where it does not match.
type filter struct {
	absent []uint32 // fail with ENOSYS, so that libraries fall back
	denied []uint32 // fail with EPERM
	only   []only
}

// only allows a call if all its conditions hold, and denies it with EPERM.
type only struct {
	call uint32
	when []condition
}

// condition holds if the low half of an argument, masked, is among the values.
type condition struct {
	arg    uint32
	mask   uint32
	values []uint32
}

// What the filter answers (include/uapi/linux/seccomp.h).
const (
	answerAllow = unix.SECCOMP_RET_ALLOW
	answerKill  = unix.SECCOMP_RET_KILL_PROCESS
	answerErrno = unix.SECCOMP_RET_ERRNO
)

// Offsets in struct seccomp_data, on little-endian machines.
const (
	dataCall = 0
	dataArch = 4
	dataArgs = 16
)

// filter is what the program may not call from its first instruction on.
func (p Profile) filter() filter {
	f := filter{
		absent: []uint32{unix.SYS_CLONE3, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER},
		denied: slices.Concat(kernelCalls, kernelCallsHere),
		only: []only{
			// Of itself and not of others of its user.
			{unix.SYS_PRLIMIT64, []condition{{0, ^uint32(0), []uint32{0}}}},
			// unix_create makes a datagram socket of SOCK_RAW, and datagrams reach any path.
			{unix.SYS_SOCKETPAIR, []condition{connected}},
		},
	}
	const spaces = unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	f.only = append(f.only, only{unix.SYS_CLONE, []condition{{0, spaces, []uint32{0}}}})
	if p == ProfileStore {
		f.denied = append(f.denied, unix.SYS_CONNECT)
		f.only = append(f.only, only{unix.SYS_SOCKET, []condition{{0, ^uint32(0), []uint32{unix.AF_UNIX}}, connected}})
	}
	return f
}

// connected allows socket types whose messages go to their peer alone.
var connected = condition{1, 0xf, []uint32{unix.SOCK_STREAM, unix.SOCK_SEQPACKET}}

// sealed is what a loaded worker may not call any more: it has its descriptors, and
// gets others over them.
func sealed(pid int) filter {
	return filter{
		denied: slices.Concat([]uint32{
			unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
			unix.SYS_EXECVE, unix.SYS_EXECVEAT,
			unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO,
			unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL,
			unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SEMGET, unix.SYS_MSGGET, unix.SYS_MQ_OPEN,
			unix.SYS_SETPGID, unix.SYS_SETSID,
		}, forksHere),
		only: []only{
			{unix.SYS_CLONE, []condition{{0, unix.CLONE_THREAD, []uint32{unix.CLONE_THREAD}}}},
			// Go preempts its own threads with it.
			{unix.SYS_TGKILL, []condition{{0, ^uint32(0), []uint32{uint32(pid)}}}},
		},
	}
}

// Seal takes from the running worker, on all its threads, what it needs no more once
// it is loaded: sockets, connections, programs, processes, signals. A kernel without
// filters is no error; Lacks has named it.
func Seal() error {
	if _, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(new(uint32(answerErrno))))); e != 0 {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	if err := install(sealed(os.Getpid()), unix.SECCOMP_FILTER_FLAG_TSYNC); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// install puts the filter on this thread, or with the flag TSYNC on all.
func install(f filter, flags uintptr) error {
	code := f.compile()
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	thread, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	if e != 0 {
		return fmt.Errorf("filter system calls: %w", e)
	}
	if thread != 0 {
		return fmt.Errorf("filter system calls: thread %d has another filter", thread)
	}
	return nil
}

// compile writes the filter in the kernel's terms. Blocks end in an answer on every
// way, so none has to load the call's number again.
func (f filter) compile() []unix.SockFilter {
	code := []unix.SockFilter{
		load(dataArch),
		jump(unix.BPF_JEQ, arch, 1, 0),
		answer(answerKill), // another ABI has other numbers
		load(dataCall),
		// Numbers that came after this was written, and on x86_64 those of x32.
		jump(unix.BPF_JGT, lastCall, 0, 1),
		answer(answerErrno | uint32(unix.ENOSYS)),
	}
	for _, call := range f.absent {
		code = append(code, jump(unix.BPF_JEQ, call, 0, 1), answer(answerErrno|uint32(unix.ENOSYS)))
	}
	for _, call := range f.denied {
		code = append(code, jump(unix.BPF_JEQ, call, 0, 1), answer(answerErrno|uint32(unix.EPERM)))
	}
	for _, o := range f.only {
		block := o.compile()
		code = append(code, jump(unix.BPF_JEQ, o.call, 0, uint8(len(block))))
		code = append(code, block...)
	}
	return append(code, answer(answerAllow))
}

func (o only) compile() []unix.SockFilter {
	var code []unix.SockFilter
	for _, c := range o.when {
		code = append(code, load(dataArgs+8*c.arg), unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: c.mask})
		for i, v := range c.values {
			// To the next condition, past the other values and the denial.
			code = append(code, jump(unix.BPF_JEQ, v, uint8(len(c.values)-i), 0))
		}
		code = append(code, answer(answerErrno|uint32(unix.EPERM)))
	}
	return append(code, answer(answerAllow))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func answer(with uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: with}
}
