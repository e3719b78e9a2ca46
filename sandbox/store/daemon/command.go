package daemon

import (
	"context"
	"os/exec"
	"syscall"
)

// Spec is what a store's server may do. Paths are absolute.
type Spec struct {
	Path  string
	Args  []string
	Dir   string   // working folder
	Read  []string // besides what every program needs
	Write []string
	UID   int   // 0: this process's user
	Space int64 // address space of each process, bytes
	File  int64 // largest file, bytes
}

// Command is the restricted command for a server.
func Command(ctx context.Context, s Spec) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, s.Path, s.Args...)
	cmd.Dir, cmd.Env = s.Dir, []string{"LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.UID), Gid: uint32(s.UID)}
	}
	return cmd, nil
}
