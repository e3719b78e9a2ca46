package wasi

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
)

type mount struct{ Mount }

// place is a path inside a mount.
type place struct {
	mount  *mount
	path   string // relative, slashes; "." is the mount's own folder
	folder bool   // the guest wrote a slash at its end: only a folder will do
}

// place resolves a path argument (fd, pointer, length) of the guest's.
func (f *FS) place(m Memory, fd, p, n uint64) (place, errno) {
	d := f.descriptors[uint32(fd)]
	switch {
	case d == nil:
		return place{}, errnoBadf
	case !d.dir:
		return place{}, errnoNotdir
	}
	name, e := pathArgument(m, p, n)
	if e != errnoSuccess {
		return place{}, e
	}
	return f.join(d.at, name)
}

func pathArgument(m Memory, p, n uint64) (string, errno) {
	switch {
	case n == 0:
		return "", errnoNoent
	case n > maxPath:
		return "", errnoNametoolong
	}
	b := m.Bytes(uint32(p), uint32(n))
	if b == nil {
		return "", errnoFault
	}
	name := string(b)
	if strings.IndexByte(name, 0) >= 0 {
		return "", errnoInval
	}
	return name, errnoSuccess
}

// join is name as seen from the folder at. A name that climbs above its mount is taken
// in the guest's own tree, so that ../../tmp/x from /home/learner is /tmp/x.
func (f *FS) join(at place, name string) (place, errno) {
	folder := strings.HasSuffix(name, "/") || strings.HasSuffix(name, "/.")
	parents, climbs := false, path.IsAbs(name)
	depth := 0
	for part := range strings.SplitSeq(at.path+"/"+name, "/") {
		switch part {
		case "", ".":
		case "..":
			parents = true
			if depth--; depth < 0 {
				climbs = true
			}
		default:
			depth++
		}
	}
	if parents && !climbs {
		// os.Root goes back through links as the kernel does; cleaning would not.
		return place{at.mount, strings.TrimRight(at.path+"/"+name, "/"), folder}, errnoSuccess
	}
	guest := path.Join(at.mount.Guest, at.path, name)
	if path.IsAbs(name) {
		guest = path.Clean(name)
	}
	p, ok := f.find(guest)
	if !ok {
		return place{}, errnoNoent
	}
	p.folder = folder
	return p, errnoSuccess
}

// find is the innermost mount that holds a clean absolute path of the guest's.
func (f *FS) find(guest string) (place, bool) {
	var best *mount
	for _, m := range f.mounts {
		if within(guest, m.Guest) && (best == nil || len(m.Guest) >= len(best.Guest)) {
			best = m
		}
	}
	if best == nil {
		return place{}, false
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(guest, best.Guest), "/")
	if rel == "" {
		rel = "."
	}
	return place{mount: best, path: rel}, true
}

// follow is p without any symbolic link on its way, and none at its end either when
// last is set. Links are read in the guest's tree: an absolute one begins at its "/".
func (f *FS) follow(p place, last bool) (place, error) {
	todo := strings.Split(p.mount.Guest+"/"+p.path, "/")
	at, links := "/", 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		target, err := f.link(next)
		if err != nil {
			return place{}, err
		}
		if target == "" || len(todo) == 0 && !last {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return place{}, syscall.ELOOP
		}
		if path.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	to, ok := f.find(at)
	if !ok {
		return place{}, syscall.ENOENT
	}
	to.folder = p.folder
	return to, nil
}

// link is the target of the symbolic link at guest, "" when there is none.
func (f *FS) link(guest string) (string, error) {
	p, ok := f.find(guest)
	if !ok || p.path == "." {
		return "", nil
	}
	s, err := p.mount.Root.Lstat(p.path)
	if err != nil || s.Mode()&fs.ModeSymlink == 0 {
		return "", nil // what is missing is found out by the call itself
	}
	return p.mount.Root.Readlink(p.path)
}

// with does one operation on p. When os.Root refuses because a link leads out of the
// mount, the links are followed in the guest's tree and the operation is tried there.
func (f *FS) with(p place, last bool, do func(place) error) error {
	err := do(p)
	if !leadsOut(err) {
		return err
	}
	to, ferr := f.follow(p, last)
	if ferr != nil {
		return ferr
	}
	return do(to)
}

// change is with for an operation that writes to the mount.
func (f *FS) change(p place, last bool, do func(place) error) errno {
	return errnoOf(f.with(p, last, func(p place) error {
		if !p.mount.Writable {
			return syscall.EROFS
		}
		return do(p)
	}))
}
