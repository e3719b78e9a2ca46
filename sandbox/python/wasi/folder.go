package wasi

import (
	"encoding/binary"
	"io/fs"
	"path"
	"syscall"
)

// entry is one name of a folder.
type entry struct {
	name  string
	inode uint64
	kind  byte
}

// list reads a folder whole, so that cookies hold while names come and go.
func (f *FS) list(at place) ([]entry, error) {
	var list []entry
	err := f.with(at, true, func(p place) error {
		folder, err := p.mount.Root.Open(p.path)
		if err != nil {
			return err
		}
		defer folder.Close()
		names, err := folder.Readdirnames(-1)
		if err != nil {
			return err
		}
		list = make([]entry, 0, len(names))
		for _, name := range names {
			s, err := p.mount.Root.Lstat(path.Join(p.path, name))
			if err == nil {
				list = append(list, entry{name, identify(s).inode, filetype(s)})
			}
		}
		return nil
	})
	return list, err
}

// fdReaddir(fd, buffer, length, cookie, out) fills the buffer with entries from number
// cookie on; the last one may be cut, then the guest asks again.
func (f *FS) fdReaddir(m Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	switch {
	case d == nil:
		return errnoBadf
	case !d.dir:
		return errnoNotdir
	}
	b := m.Bytes(uint32(a[1]), uint32(a[2]))
	if b == nil && a[2] > 0 || m.Bytes(uint32(a[4]), 4) == nil {
		return errnoFault
	}
	if a[3] == 0 || d.entries == nil {
		list, err := f.list(d.at)
		if err != nil {
			return errnoOf(err)
		}
		d.entries = list
	}
	n := 0
	for i := a[3]; i < uint64(len(d.entries)) && n < len(b); i++ {
		e := d.entries[i]
		head := make([]byte, 24, 24+len(e.name))
		binary.LittleEndian.PutUint64(head, i+1)
		binary.LittleEndian.PutUint64(head[8:], e.inode)
		binary.LittleEndian.PutUint32(head[16:], uint32(len(e.name)))
		head[20] = e.kind
		n += copy(b[n:], append(head, e.name...))
	}
	return put32(m, a[4], uint32(n))
}

func (f *FS) pathCreateDirectory(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[1], a[2])
	if e != errnoSuccess {
		return e
	}
	return f.change(p, false, func(p place) error {
		root, q := p.mount.Root, p.mount.quota()
		if _, err := root.Lstat(p.path); err == nil {
			return syscall.EEXIST
		}
		if !q.admit(0) {
			return syscall.ENOSPC
		}
		if err := root.Mkdir(p.path, 0o755); err != nil {
			return err
		}
		return named(p)
	})
}

// named counts the name p, which was just made.
func named(p place) error {
	s, err := p.mount.Root.Lstat(p.path)
	if err != nil {
		return err
	}
	p.mount.quota().named(s)
	return nil
}

func (f *FS) pathUnlinkFile(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[1], a[2])
	if e != errnoSuccess {
		return e
	}
	return f.change(p, false, func(p place) error {
		s, err := p.mount.Root.Lstat(p.path)
		switch {
		case err != nil:
			return err
		case s.IsDir():
			return syscall.EISDIR
		case p.folder:
			return syscall.ENOTDIR
		}
		return remove(p, s)
	})
}

func (f *FS) pathRemoveDirectory(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[1], a[2])
	if e != errnoSuccess {
		return e
	}
	return f.change(p, false, func(p place) error {
		s, err := p.mount.Root.Lstat(p.path)
		switch {
		case err != nil:
			return err
		case !s.IsDir():
			return syscall.ENOTDIR
		case f.holdsMount(p):
			return syscall.EBUSY
		}
		return remove(p, s)
	})
}

func remove(p place, s fs.FileInfo) error {
	if err := p.mount.Root.Remove(p.path); err != nil {
		return err
	}
	p.mount.quota().unnamed(s)
	return nil
}

// holdsMount tells whether p is a mount's own folder or has one below it.
func (f *FS) holdsMount(p place) bool {
	guest := path.Join(p.mount.Guest, p.path)
	for _, m := range f.mounts {
		if within(m.Guest, guest) {
			return true
		}
	}
	return false
}

// pathRename(dir, path, length, newDir, newPath, newLength). Mounts of different roots
// are different devices: shutil.move then copies.
func (f *FS) pathRename(m Memory, a []uint64) errno {
	from, e := f.place(m, a[0], a[1], a[2])
	if e != errnoSuccess {
		return e
	}
	to, e := f.place(m, a[3], a[4], a[5])
	if e != errnoSuccess {
		return e
	}
	return f.pair(from, to, false, f.rename)
}

// pair is change for two places.
func (f *FS) pair(from, to place, last bool, do func(from, to place) error) errno {
	return f.change(from, last, func(from place) error {
		return f.with(to, false, func(to place) error {
			switch {
			case !to.mount.Writable:
				return syscall.EROFS
			case from.mount.Root != to.mount.Root:
				return syscall.EXDEV
			}
			return do(from, to)
		})
	})
}

func (f *FS) rename(from, to place) error {
	root := from.mount.Root
	old, err := root.Lstat(from.path)
	if err != nil {
		return err
	}
	if f.holdsMount(from) || f.holdsMount(to) {
		return syscall.EBUSY
	}
	if (from.folder || to.folder) && !old.IsDir() {
		return syscall.ENOTDIR
	}
	over, missing := root.Lstat(to.path)
	if missing == nil && over.IsDir() {
		err = f.renameOverFolder(from, to)
	} else {
		err = root.Rename(from.path, to.path)
	}
	if err != nil {
		return err
	}
	if missing == nil && identify(over) != identify(old) { // two names of one file: both stay
		to.mount.quota().unnamed(over)
	}
	return nil
}

// renameOverFolder leaves it to the kernel what may take the place of a folder: an empty
// one goes, which os.Rename refuses for portability's sake.
func (f *FS) renameOverFolder(from, to place) error {
	from, err := f.follow(from, false)
	if err != nil {
		return err
	}
	if to, err = f.follow(to, false); err != nil {
		return err
	}
	source, err := from.mount.Root.Open(path.Dir(from.path))
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := to.mount.Root.Open(path.Dir(to.path))
	if err != nil {
		return err
	}
	defer target.Close()
	return renameName(source, path.Base(from.path), target, path.Base(to.path))
}

// pathLink(dir, lookup flags, path, length, newDir, newPath, newLength)
func (f *FS) pathLink(m Memory, a []uint64) errno {
	from, e := f.place(m, a[0], a[2], a[3])
	if e != errnoSuccess {
		return e
	}
	to, e := f.place(m, a[4], a[5], a[6])
	if e != errnoSuccess {
		return e
	}
	if a[1]&lookupFollow != 0 {
		var err error
		if from, err = f.follow(from, true); err != nil {
			return errnoOf(err)
		}
	}
	return f.pair(from, to, false, func(from, to place) error {
		s, err := from.mount.Root.Lstat(from.path)
		switch {
		case err != nil:
			return err
		case s.IsDir():
			return syscall.EPERM
		case from.folder || to.folder:
			return syscall.ENOTDIR
		case !to.mount.quota().admit(0):
			return syscall.ENOSPC
		}
		if err := from.mount.Root.Link(from.path, to.path); err != nil {
			return err
		}
		return named(to)
	})
}

// pathSymlink(target, length, dir, path, length). A target may be any text; following
// it stays in the guest's tree.
func (f *FS) pathSymlink(m Memory, a []uint64) errno {
	target, e := pathArgument(m, a[0], a[1])
	if e != errnoSuccess {
		return e
	}
	p, e := f.place(m, a[2], a[3], a[4])
	if e != errnoSuccess {
		return e
	}
	return f.change(p, false, func(p place) error {
		root := p.mount.Root
		if _, err := root.Lstat(p.path); err == nil {
			return syscall.EEXIST
		}
		if p.folder {
			return syscall.ENOENT
		}
		if !p.mount.quota().admit(int64(len(target))) {
			return syscall.ENOSPC
		}
		if err := root.Symlink(target, p.path); err != nil {
			return err
		}
		return named(p)
	})
}

// pathReadlink(dir, path, length, buffer, size, out)
func (f *FS) pathReadlink(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[1], a[2])
	if e != errnoSuccess {
		return e
	}
	b := m.Bytes(uint32(a[3]), uint32(a[4]))
	if b == nil && a[4] > 0 {
		return errnoFault
	}
	var target string
	err := f.with(p, false, func(p place) (err error) {
		target, err = p.mount.Root.Readlink(p.path)
		return err
	})
	if err != nil {
		return errnoOf(err)
	}
	return put32(m, a[5], uint32(copy(b, target)))
}
