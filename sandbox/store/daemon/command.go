package daemon

import (
	"context"
	"os/exec"

	"storeroom/sandbox/confine"
)

// Spec is what a store's server may do. Paths are absolute.
type Spec struct {
	Path  string
	Args  []string
	Dir   string   // working folder
	Read  []string // besides the C library and the few devices that every program needs
	Write []string
	UID   int   // 0: this process's user
	Space int64 // address space of each process, bytes
	File  int64 // largest file, bytes
}

// Command is the confined command for a server: no network, no connection of its own to
// any socket, no core file. There is no limit on processor time: SIGXCPU to one backend
// would restart the whole of a PostgreSQL.
func Command(ctx context.Context, s Spec) (*exec.Cmd, error) {
	return confine.Command(ctx, confine.Spec{
		Path: s.Path, Args: s.Args, Dir: s.Dir, UID: s.UID,
		Env:  []string{"LC_ALL=C", "TZ=UTC"},
		Read: append(append(confine.Libraries(), "/dev/urandom", "/dev/zero", "/sys/devices/system/cpu"), s.Read...),
		// Both servers open the null device for writing.
		Write: append([]string{"/dev/null"}, s.Write...),
		Rlimits: []confine.Rlimit{
			{Resource: confine.AddressSpace, Max: uint64(s.Space)},
			{Resource: confine.FileSize, Max: uint64(s.File)},
		},
		Calls: confine.ProfileStore,
	})
}
