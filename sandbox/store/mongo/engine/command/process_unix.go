//go:build unix

package command

import (
	"runtime"
	"syscall"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// openFiles is how many files the process may have open.
func openFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(limit.Cur)
}

// statusProcess tells what the process has used of the machine.
func (s *Server) statusProcess(_ *Request, b *bsonval.Builder) {
	b.Str("note", "fields vary by platform")
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return
	}
	resident := int64(u.Maxrss)
	if runtime.GOOS == "darwin" {
		resident >>= 10 // there in bytes
	}
	b.Int64("user_time_us", u.Utime.Nano()/1000).Int64("system_time_us", u.Stime.Nano()/1000).Int64("maximum_resident_set_kb", resident)
	b.Int64("input_blocks", int64(u.Inblock)).Int64("output_blocks", int64(u.Oublock))
	b.Int64("page_reclaims", int64(u.Minflt)).Int64("page_faults", int64(u.Majflt))
	b.Int64("voluntary_context_switches", int64(u.Nvcsw)).Int64("involuntary_context_switches", int64(u.Nivcsw))
}
