package wasi

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// memory is a guest's memory of a fixed size.
type memory []byte

func (m memory) Bytes(p, n uint32) []byte {
	if uint64(p)+uint64(n) > uint64(len(m)) {
		return nil
	}
	return m[p : p+n]
}

// guest calls the functions as a program in WebAssembly would: paths at 0x1000 and
// 0x2000, data at 0x4000, results at 0x100.
type guest struct {
	t     *testing.T
	fs    *FS
	m     memory
	calls map[string]Function
	home  string // the host's folder behind /home/learner, descriptor 3
	out   map[int]string
}

const (
	atOut, atIovec, atPath, atOther, atData = 0x100, 0x200, 0x1000, 0x3000, 0x8000

	homeFD, tmpFD, siteFD = 3, 4, 5
	read, write           = rightRead, rightWrite
)

func newGuest(t *testing.T, q *Quota) *guest {
	t.Helper()
	g := &guest{t: t, m: make(memory, 1<<20), calls: map[string]Function{}, home: t.TempDir(), out: map[int]string{}}
	site := t.TempDir()
	if err := os.WriteFile(filepath.Join(site, "module.py"), []byte("x = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	skeleton := t.TempDir()
	if err := os.MkdirAll(filepath.Join(skeleton, "home", "learner"), 0o755); err != nil {
		t.Fatal(err)
	}
	mounts := []Mount{
		{Guest: "/home/learner", Root: root(t, g.home), Writable: true, Quota: q},
		{Guest: "/tmp", Root: root(t, t.TempDir()), Writable: true, Quota: q},
		{Guest: "/site", Root: root(t, site)},
		{Guest: "/", Root: root(t, skeleton)},
	}
	fs, err := NewFS(Config{Mounts: mounts, Args: []string{"python"}, Env: []string{"HOME=/home/learner", "LANG="}, MaxOpen: 40,
		Output: func(fd int, p []byte) error { g.out[fd] += string(p); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	g.fs = fs
	for _, f := range Functions() {
		g.calls[f.Name] = f
	}
	return g
}

func root(t *testing.T, dir string) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func (g *guest) call(name string, args ...uint64) errno {
	g.t.Helper()
	f, ok := g.calls[name]
	if !ok || len(args) != len(f.Params) {
		g.t.Fatalf("%s with %d arguments", name, len(args))
	}
	return errno(f.Call(g.fs, g.m, args))
}

func (g *guest) want(got, want errno, what string) {
	g.t.Helper()
	if got != want {
		g.t.Errorf("%s: errno %d, want %d", what, got, want)
	}
}

func (g *guest) ok(e errno, what string) {
	g.t.Helper()
	if e != errnoSuccess {
		g.t.Fatalf("%s: errno %d", what, e)
	}
}

func (g *guest) u32(p int) uint64 { return uint64(binary.LittleEndian.Uint32(g.m[p:])) }
func (g *guest) u64(p int) uint64 { return binary.LittleEndian.Uint64(g.m[p:]) }

func (g *guest) put(at int, s string) (uint64, uint64) {
	copy(g.m[at:], s)
	return uint64(at), uint64(len(s))
}

func (g *guest) iovec(p, n uint64) {
	binary.LittleEndian.PutUint32(g.m[atIovec:], uint32(p))
	binary.LittleEndian.PutUint32(g.m[atIovec+4:], uint32(n))
}

func (g *guest) openAt(dir uint64, path string, oflags, rights, fdflags uint64) (uint64, errno) {
	g.t.Helper()
	p, n := g.put(atPath, path)
	e := g.call("path_open", dir, lookupFollow, p, n, oflags, rights, 0, fdflags, atOut)
	return g.u32(atOut), e
}

func (g *guest) mustOpen(path string, oflags, rights uint64) uint64 {
	g.t.Helper()
	fd, e := g.openAt(homeFD, path, oflags, rights, 0)
	g.ok(e, "open "+path)
	return fd
}

func (g *guest) write(fd uint64, s string) (uint64, errno) {
	g.t.Helper()
	p, n := g.put(atData, s)
	g.iovec(p, n)
	e := g.call("fd_write", fd, atIovec, 1, atOut)
	return g.u32(atOut), e
}

func (g *guest) read(fd uint64, n int) string {
	g.t.Helper()
	g.iovec(atData, uint64(n))
	g.ok(g.call("fd_read", fd, atIovec, 1, atOut), "read")
	return string(g.m[atData : atData+g.u32(atOut)])
}

func (g *guest) close(fd uint64) {
	g.t.Helper()
	g.ok(g.call("fd_close", fd), "close")
}

func (g *guest) writeFile(path, text string) errno {
	g.t.Helper()
	fd, e := g.openAt(homeFD, path, oflagCreate|oflagTruncate, write, 0)
	if e != errnoSuccess {
		return e
	}
	defer g.close(fd)
	_, e = g.write(fd, text)
	return e
}

func (g *guest) readFile(path string) (string, errno) {
	g.t.Helper()
	fd, e := g.openAt(homeFD, path, 0, read, 0)
	if e != errnoSuccess {
		return "", e
	}
	defer g.close(fd)
	return g.read(fd, 4096), errnoSuccess
}

// on calls a function of one path.
func (g *guest) on(name, path string) errno {
	g.t.Helper()
	p, n := g.put(atPath, path)
	return g.call(name, homeFD, p, n)
}

func (g *guest) unlink(path string) errno { g.t.Helper(); return g.on("path_unlink_file", path) }
func (g *guest) mkdir(path string) errno  { g.t.Helper(); return g.on("path_create_directory", path) }
func (g *guest) rmdir(path string) errno  { g.t.Helper(); return g.on("path_remove_directory", path) }

func (g *guest) symlink(target, path string) errno {
	g.t.Helper()
	t, tn := g.put(atOther, target)
	p, n := g.put(atPath, path)
	return g.call("path_symlink", t, tn, homeFD, p, n)
}

func (g *guest) link(old, new string) errno {
	g.t.Helper()
	o, on := g.put(atOther, old)
	p, n := g.put(atPath, new)
	return g.call("path_link", homeFD, 0, o, on, homeFD, p, n)
}

func (g *guest) renameTo(old string, dir uint64, new string) errno {
	g.t.Helper()
	o, on := g.put(atOther, old)
	p, n := g.put(atPath, new)
	return g.call("path_rename", homeFD, o, on, dir, p, n)
}

func (g *guest) rename(old, new string) errno { g.t.Helper(); return g.renameTo(old, homeFD, new) }

type stat struct {
	inode, kind, links, size, accessed, modified, changed uint64
}

func (g *guest) statAt(dir uint64, path string, flags uint64) (stat, errno) {
	g.t.Helper()
	p, n := g.put(atPath, path)
	e := g.call("path_filestat_get", dir, flags, p, n, atOut)
	return stat{g.u64(atOut + 8), g.u64(atOut + 16), g.u64(atOut + 24), g.u64(atOut + 32), g.u64(atOut + 40), g.u64(atOut + 48), g.u64(atOut + 56)}, e
}

func (g *guest) stat(path string) (stat, errno)  { return g.statAt(homeFD, path, lookupFollow) }
func (g *guest) lstat(path string) (stat, errno) { return g.statAt(homeFD, path, 0) }

func (g *guest) names(fd uint64) map[string]byte {
	g.t.Helper()
	found := map[string]byte{}
	const room = 200
	for cookie := uint64(0); ; {
		g.ok(g.call("fd_readdir", fd, atData, room, cookie, atOut), "readdir")
		used := g.u32(atOut)
		b := g.m[atData : atData+used]
		for len(b) >= 24 {
			n := int(binary.LittleEndian.Uint32(b[16:]))
			if len(b) < 24+n {
				break
			}
			cookie = binary.LittleEndian.Uint64(b)
			found[string(b[24:24+n])] = b[20]
			b = b[24+n:]
		}
		if used < room {
			return found
		}
	}
}
