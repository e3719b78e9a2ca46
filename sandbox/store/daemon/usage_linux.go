package daemon

import (
	"bytes"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// onDisk is the space that a file takes, in bytes: a sparse one takes less than its length.
func onDisk(info fs.FileInfo) int64 {
	const block = 512 // of stat, whatever the file system's own is
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * block
	}
	return info.Size()
}

// usedBy reads what a process and its children use; ok is false where the kernel does
// not list children (CONFIG_PROC_CHILDREN).
func usedBy(pid int) (f family, ok bool) {
	id := strconv.Itoa(pid)
	children, err := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
	if err != nil {
		return f, false
	}
	// Ended children count among their parent's, so that the sum never falls much.
	f.worked, f.memory = ticks(id, true), private(id)
	var most int64
	for child := range bytes.FieldsSeq(children) {
		f.worked += ticks(string(child), false)
		m := private(string(child))
		f.memory += m
		if m > most {
			most = m
			f.largest, _ = strconv.Atoi(string(child))
		}
	}
	return f, true
}

// ticks is a process's processor time by /proc/pid/stat (proc_pid_stat(5)).
func ticks(id string, withEnded bool) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every architecture with Linux's wheel
	const utime, stime, cutime, cstime = 11, 12, 13, 14
	text, err := os.ReadFile("/proc/" + id + "/stat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name may hold anything; no server's does
	fields := strings.Fields(after)
	if len(fields) <= cstime {
		return 0
	}
	which := []int{utime, stime}
	if withEnded {
		which = append(which, cutime, cstime)
	}
	var sum int64
	for _, i := range which {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		sum += n
	}
	return time.Duration(sum) * tick
}

// private is a process's resident memory that is not shared, in bytes, by
// /proc/pid/statm.
func private(id string) int64 {
	text, err := os.ReadFile("/proc/" + id + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0
	}
	resident, _ := strconv.ParseInt(fields[1], 10, 64)
	shared, _ := strconv.ParseInt(fields[2], 10, 64)
	return (resident - shared) * int64(os.Getpagesize())
}
