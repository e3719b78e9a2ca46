//go:build amd64 || arm64

package confine

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock's versions that change what we ask of it
// (Documentation/userspace-api/landlock.rst in the kernel).
const (
	netABI    = 4
	scopesABI = 6
	udpABI    = 10
)

// What a rule may allow.
const (
	canRead  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	canExec  = canRead | unix.LANDLOCK_ACCESS_FS_EXECUTE
	canWrite = canRead | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_REFER |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO
	// ofFile are the rights that make sense for what is no folder.
	ofFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// landlockABI is the kernel's version of Landlock, 0 if there is none.
func landlockABI() int {
	v, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return 0
	}
	return int(v)
}

// handled is all that a version can deny.
func handled(abi int) unix.LandlockRulesetAttr {
	fs := 13
	for _, since := range []int{2, 3, 5, 9} { // each added one right: refer, truncate, ioctl on devices, connect by path
		if abi >= since {
			fs++
		}
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: 1<<fs - 1}
	if abi >= netABI {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= udpABI {
		attr.Handled_access_net |= unix.LANDLOCK_ACCESS_NET_BIND_UDP | unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
	}
	if abi >= scopesABI {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return attr
}

// size is how much of the attributes a version knows: an older kernel refuses more.
func size(abi int) uintptr {
	switch {
	case abi >= scopesABI:
		return unsafe.Offsetof(unix.LandlockRulesetAttr{}.Quiet_access_fs)
	case abi >= netABI:
		return unsafe.Offsetof(unix.LandlockRulesetAttr{}.Scoped)
	}
	return unsafe.Offsetof(unix.LandlockRulesetAttr{}.Handled_access_net)
}

// rule allows access to one opened file or folder and all below it.
type rule struct {
	fd     int
	access uint64
}

// open opens the order's files and folders.
func (o order) open() ([]rule, error) {
	if o.Can.Landlock == 0 {
		return nil, nil
	}
	var rules []rule
	for _, list := range []struct {
		paths  []string
		access uint64
	}{{o.Read, canExec}, {o.Write, canWrite}} {
		for _, path := range list.paths {
			r, err := openRule(path, list.access)
			if errors.Is(err, unix.ENOENT) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("allow %s: %w", path, err)
			}
			rules = append(rules, r)
		}
	}
	return rules, nil
}

func openRule(path string, access uint64) (rule, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return rule{}, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return rule{}, err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFile
	}
	return rule{fd, access}, nil
}

// landlock denies this thread all files but those of rules, TCP, and signals and
// abstract sockets to the outside.
func (o order) landlock(rules []rule) error {
	abi := o.Can.Landlock
	if abi == 0 {
		return nil
	}
	attr := handled(abi)
	set, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size(abi), 0)
	if e != 0 {
		return fmt.Errorf("make Landlock's rules: %w", e)
	}
	defer unix.Close(int(set))
	for _, r := range rules {
		below := unix.LandlockPathBeneathAttr{Allowed_access: r.access & attr.Handled_access_fs, Parent_fd: int32(r.fd)}
		if _, _, e := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, set, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&below)), 0, 0, 0); e != 0 {
			return fmt.Errorf("add to Landlock's rules: %w", e)
		}
	}
	if _, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); e != 0 {
		return fmt.Errorf("restrict by Landlock: %w", e)
	}
	return nil
}
