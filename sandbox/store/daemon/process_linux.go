package daemon

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listenedBy makes sure that the socket behind c is listened on by process pid: the
// kernel keeps the credentials of the process that called listen.
func listenedBy(c *net.UnixConn, pid int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if credErr != nil {
		return credErr
	}
	if int(cred.Pid) != pid {
		return fmt.Errorf("another process (%d) listens on the socket of %d", cred.Pid, pid)
	}
	return nil
}

// awaitEnd returns when our child pid has ended, and leaves it to be waited for. Waiting
// for it at once would hold a thread for each learner's server; where the kernel has no
// descriptors of processes that others can wait for it returns at once.
func awaitEnd(pid int) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "process")
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(fd uintptr) bool {
		ended := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ended, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// killIn kills every process whose working folder is dir, until none is left.
func killIn(dir string, within time.Duration) error {
	home, err := os.Stat(dir)
	if err != nil {
		return nil // no folder yet, so nobody is in it
	}
	for end := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		pids, err := workingIn(home)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("processes %v in %s do not end", pids, dir)
		}
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGKILL) // it may be gone by now
		}
	}
}

// workingIn lists the processes whose working folder is home. The folder is compared
// by device and inode: a process in a namespace may see it under another path.
func workingIn(home os.FileInfo) ([]int, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A zombie has no folder, another user's can't be looked at: both are skipped.
		if cwd, err := os.Stat("/proc/" + name + "/cwd"); err == nil && os.SameFile(cwd, home) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
