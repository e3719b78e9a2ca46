package wasi

import (
	"io/fs"
	"path"
)

func filetype(s fs.FileInfo) byte {
	switch mode := s.Mode(); {
	case mode.IsDir():
		return filetypeDirectory
	case mode&fs.ModeSymlink != 0:
		return filetypeSymlink
	case mode.IsRegular():
		return filetypeRegular
	}
	return filetypeUnknown
}

// putStat writes a filestat: device, inode, type, links, size, and the times of the
// last access, change of content and change of any kind in nanoseconds.
func putStat(m Memory, p uint64, s fs.FileInfo) errno {
	b := m.Bytes(uint32(p), 64)
	if b == nil {
		return errnoFault
	}
	id := identify(s)
	accessed, changed, links := statTimes(s)
	for i, v := range []uint64{id.device, id.inode, uint64(filetype(s)), links, uint64(s.Size()), uint64(accessed), uint64(s.ModTime().UnixNano()), uint64(changed)} {
		put64(m, p+uint64(8*i), v)
	}
	return errnoSuccess
}

func (f *FS) fdFilestatGet(m Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	if d == nil {
		return errnoBadf
	}
	if d.stream {
		b := m.Bytes(uint32(a[1]), 64)
		if b == nil {
			return errnoFault
		}
		clear(b)
		b[16] = filetypeCharacter
		return errnoSuccess
	}
	if d.dir {
		return f.stat(m, a[1], d.at, true)
	}
	s, err := d.file.Stat()
	if err != nil {
		return errnoOf(err)
	}
	return putStat(m, a[1], s)
}

// pathFilestatGet(dir, lookup flags, path, length, out)
func (f *FS) pathFilestatGet(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[2], a[3])
	if e != errnoSuccess {
		return e
	}
	return f.stat(m, a[4], p, a[1]&lookupFollow != 0 || p.folder)
}

func (f *FS) stat(m Memory, out uint64, p place, follow bool) errno {
	var s fs.FileInfo
	err := f.with(p, follow, func(p place) (err error) {
		if follow {
			s, err = p.mount.Root.Stat(p.path)
		} else {
			s, err = p.mount.Root.Lstat(p.path)
		}
		return err
	})
	switch {
	case err != nil:
		return errnoOf(err)
	case p.folder && !s.IsDir():
		return errnoNotdir
	}
	return putStat(m, out, s)
}

// Flags of the functions that set times.
const (
	setAccessed = 1 << iota
	setAccessedNow
	setModified
	setModifiedNow
	setTimesAll = setAccessed | setAccessedNow | setModified | setModifiedNow
)

// fdFilestatSetTimes(fd, accessed, modified, flags)
func (f *FS) fdFilestatSetTimes(_ Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	switch {
	case d == nil:
		return errnoBadf
	case d.stream || a[3]&^setTimesAll != 0:
		return errnoInval
	case !d.at.mount.Writable:
		return errnoRofs
	case d.dir:
		return f.setTimes(d.at, true, a[1:4])
	}
	return errnoOf(setFileTimes(d.file, a[1], a[2], a[3]))
}

// pathFilestatSetTimes(dir, lookup flags, path, length, accessed, modified, flags)
func (f *FS) pathFilestatSetTimes(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[2], a[3])
	switch {
	case e != errnoSuccess:
		return e
	case a[6]&^setTimesAll != 0:
		return errnoInval
	}
	return f.setTimes(p, a[1]&lookupFollow != 0, a[4:7])
}

// setTimes has the links followed first: the kernel is only given a folder of ours and
// a last name in it that it must not follow.
func (f *FS) setTimes(p place, follow bool, a []uint64) errno {
	p, err := f.follow(p, follow)
	if err != nil {
		return errnoOf(err)
	}
	return f.change(p, false, func(p place) error {
		folder, err := p.mount.Root.Open(path.Dir(p.path))
		if err != nil {
			return err
		}
		defer folder.Close()
		return setNameTimes(folder, path.Base(p.path), a[0], a[1], a[2])
	})
}
