// Package wasi is the operating system that one guest's CPython sees: WASI preview 1's
// files, arguments, environment, clocks and randomness, in Go over os.Root.
//
// It owns the guest's descriptor table and the accounting of its quotas. The
// interpreter (sandbox/python) calls it from the guest's own thread, one call at a
// time. It never waits: poll_oneoff and proc_exit are the interpreter's. It never
// reaches a file outside the mounts' roots, whatever the guest's paths and symbolic
// links say.
//
// The interface: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md
package wasi

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"
)

// Memory is the guest's linear memory.
type Memory interface {
	// Bytes is the memory [p, p+n), or nil when it is not wholly inside.
	Bytes(p, n uint32) []byte
}

// Mount is a folder of the host that the guest sees.
type Mount struct {
	Guest    string   // absolute path in the guest: "/home/learner"
	Root     *os.Root // the folder; it stays the caller's to close, after FS.Close
	Writable bool     // false: every change answers EROFS
	Quota    *Quota   // nil: as much as the disk holds; may be shared by several mounts
}

// Config says what a guest sees.
type Config struct {
	Mounts []Mount  // descriptors 3, 4, 5 … in this order; an image and its forks need the same order
	Args   []string // the program's name first
	Env    []string // "NAME=value"

	// Output gets what the guest writes to descriptor 1 or 2. p is the guest's own
	// memory and is only valid during the call. nil: thrown away.
	Output func(fd int, p []byte) error

	// MaxOpen is how many descriptors the guest may hold, the standard streams and
	// the mounts included. 0: DefaultOpen.
	MaxOpen int
}

// DefaultOpen is Config.MaxOpen when it is 0.
const DefaultOpen = 256

const (
	maxPath  = 4096 // bytes of a path or of a link's target, as PATH_MAX
	maxIovec = 1024 // buffers of one read or write, as IOV_MAX
	maxLinks = 40   // symbolic links followed in one path, as the kernel's
)

// FS is one guest's files and environment. It is used by one goroutine at a time.
type FS struct {
	mounts      []*mount
	descriptors map[uint32]*descriptor
	args, env   []string
	output      func(fd int, p []byte) error
	maxOpen     int
	began       time.Time
}

// NewFS opens a file system for one guest. It counts what the quotas' folders hold,
// so an earlier FS over the same folders must be closed before.
func NewFS(c Config) (*FS, error) {
	f := &FS{args: c.Args, env: c.Env, output: c.Output, maxOpen: c.MaxOpen, began: time.Now(), descriptors: map[uint32]*descriptor{}}
	if f.maxOpen == 0 {
		f.maxOpen = DefaultOpen
	}
	for fd := range uint32(3) {
		f.descriptors[fd] = &descriptor{stream: true, readable: fd == 0, writable: fd != 0}
	}
	for i, m := range c.Mounts {
		if !path.IsAbs(m.Guest) || path.Clean(m.Guest) != m.Guest || m.Root == nil {
			return nil, fmt.Errorf("mount %q: need a clean absolute path and a root", m.Guest)
		}
		mt := &mount{Mount: m}
		f.mounts = append(f.mounts, mt)
		f.descriptors[uint32(3+i)] = &descriptor{at: place{mount: mt, path: "."}, dir: true, preopen: true}
	}
	return f, f.count()
}

// count fills every quota with what its mounts hold now.
func (f *FS) count() error {
	seen := map[*Quota]bool{}
	for _, m := range f.mounts {
		if m.Quota != nil && !seen[m.Quota] {
			seen[m.Quota] = true
			m.Quota.reset()
		}
	}
	counted := map[*os.Root]bool{}
	for _, m := range f.mounts {
		if m.Quota == nil || counted[m.Root] {
			continue
		}
		counted[m.Root] = true
		if err := m.Quota.countFolder(m.Root, "."); err != nil {
			return fmt.Errorf("count files of %s: %w", m.Guest, err)
		}
	}
	return nil
}

// Close closes every file that the guest left open. The mounts' roots stay open.
func (f *FS) Close() error {
	var errs []error
	for fd, d := range f.descriptors {
		errs = append(errs, d.close())
		delete(f.descriptors, fd)
	}
	return errors.Join(errs...)
}

// Function is one import of module wasi_snapshot_preview1.
type Function struct {
	Name   string
	Params string // one letter a parameter: 'i' is i32, 'I' is i64

	// Call answers an errno of WASI, 0 for success. The arguments are those of
	// Params, in order, zero-extended.
	Call func(f *FS, m Memory, args []uint64) uint32
}

// Functions are all that CPython imports from wasi_snapshot_preview1, but for
// poll_oneoff and proc_exit. Each answers one i32, the errno.
func Functions() []Function {
	table := []struct {
		name, params string
		call         func(*FS, Memory, []uint64) errno
	}{
		{"args_get", "ii", (*FS).argsGet},
		{"args_sizes_get", "ii", (*FS).argsSizesGet},
		{"environ_get", "ii", (*FS).environGet},
		{"environ_sizes_get", "ii", (*FS).environSizesGet},
		{"clock_res_get", "ii", (*FS).clockResGet},
		{"clock_time_get", "iIi", (*FS).clockTimeGet},
		{"random_get", "ii", (*FS).randomGet},
		{"sched_yield", "", (*FS).schedYield},
		{"fd_advise", "iIIi", (*FS).fdAdvise},
		{"fd_close", "i", (*FS).fdClose},
		{"fd_datasync", "i", (*FS).fdSync},
		{"fd_fdstat_get", "ii", (*FS).fdFdstatGet},
		{"fd_fdstat_set_flags", "ii", (*FS).fdFdstatSetFlags},
		{"fd_filestat_get", "ii", (*FS).fdFilestatGet},
		{"fd_filestat_set_size", "iI", (*FS).fdFilestatSetSize},
		{"fd_filestat_set_times", "iIIi", (*FS).fdFilestatSetTimes},
		{"fd_pread", "iiiIi", (*FS).fdPread},
		{"fd_prestat_get", "ii", (*FS).fdPrestatGet},
		{"fd_prestat_dir_name", "iii", (*FS).fdPrestatDirName},
		{"fd_pwrite", "iiiIi", (*FS).fdPwrite},
		{"fd_read", "iiii", (*FS).fdRead},
		{"fd_readdir", "iiiIi", (*FS).fdReaddir},
		{"fd_seek", "iIii", (*FS).fdSeek},
		{"fd_sync", "i", (*FS).fdSync},
		{"fd_tell", "ii", (*FS).fdTell},
		{"fd_write", "iiii", (*FS).fdWrite},
		{"path_create_directory", "iii", (*FS).pathCreateDirectory},
		{"path_filestat_get", "iiiii", (*FS).pathFilestatGet},
		{"path_filestat_set_times", "iiiiIIi", (*FS).pathFilestatSetTimes},
		{"path_link", "iiiiiii", (*FS).pathLink},
		{"path_open", "iiiiiIIii", (*FS).pathOpen},
		{"path_readlink", "iiiiii", (*FS).pathReadlink},
		{"path_remove_directory", "iii", (*FS).pathRemoveDirectory},
		{"path_rename", "iiiiii", (*FS).pathRename},
		{"path_symlink", "iiiii", (*FS).pathSymlink},
		{"path_unlink_file", "iii", (*FS).pathUnlinkFile},
		{"sock_accept", "iii", (*FS).sock},
		{"sock_recv", "iiiiii", (*FS).sock},
		{"sock_send", "iiiii", (*FS).sock},
		{"sock_shutdown", "ii", (*FS).sock},
	}
	list := make([]Function, 0, len(table))
	for _, t := range table {
		call := t.call
		arity := len(t.params)
		list = append(list, Function{Name: t.name, Params: t.params, Call: func(f *FS, m Memory, args []uint64) uint32 {
			if len(args) < arity {
				return uint32(errnoInval)
			}
			return uint32(call(f, m, args))
		}})
	}
	return list
}

// sock answers every sock_ function: no descriptor of WASI's is a socket here, the
// guest's sockets go through sandbox/loopback.
func (f *FS) sock(_ Memory, a []uint64) errno {
	if f.descriptors[uint32(a[0])] == nil {
		return errnoBadf
	}
	return errnoNotsock
}

// within tells whether guest path p is dir or inside it.
func within(p, dir string) bool {
	return dir == "/" || p == dir || strings.HasPrefix(p, dir) && p[len(dir)] == '/'
}
