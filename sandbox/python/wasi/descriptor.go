package wasi

import (
	"io/fs"
	"os"
	"syscall"
)

// descriptor is what one number of the guest's stands for.
type descriptor struct {
	at      place // where it was opened; a folder's descriptors go by this path
	stream  bool  // standard input, output or error
	preopen bool  // a mount
	dir     bool

	file               *os.File
	charge             *charge
	pos                int64
	readable, writable bool
	appends            bool

	entries []entry // of a folder, as fd_readdir's first call found them
}

func (d *descriptor) close() error {
	if d.file == nil {
		return nil
	}
	d.at.mount.quota().closed(d.charge)
	return d.file.Close()
}

// quota is the mount's, nil when nothing is counted there.
func (m *mount) quota() *Quota {
	if !m.Writable {
		return nil
	}
	return m.Quota
}

// Bits of path_open and fd_fdstat_get.
const (
	oflagCreate = 1 << iota
	oflagDirectory
	oflagExclusive
	oflagTruncate
)

const (
	lookupFollow = 1 << 0
	fdflagAppend = 1 << 0

	rightRead         = 1 << 1
	rightSeek         = 1 << 2
	rightTell         = 1 << 5
	rightWrite        = 1 << 6
	rightsAll         = 1<<30 - 1
	rightsThatChange  = rightWrite | 1<<8 /* allocate */ | 1<<9 /* create directory */ | 1<<10 /* create file */ | 1<<11 | 1<<12 /* link */ | 1<<16 | 1<<17 /* rename */ | 1<<19 /* set size */ | 1<<20 /* set times */ | 1<<22 | 1<<23 /* set size, times of an open file */ | 1<<24 /* symlink */ | 1<<25 | 1<<26 /* remove */
	filetypeUnknown   = 0
	filetypeCharacter = 2
	filetypeDirectory = 3
	filetypeRegular   = 4
	filetypeSymlink   = 7
)

// pathOpen(dir, lookup flags, path, length, oflags, rights, inherited rights, fdflags, out)
func (f *FS) pathOpen(m Memory, a []uint64) errno {
	p, e := f.place(m, a[0], a[2], a[3])
	if e != errnoSuccess {
		return e
	}
	if m.Bytes(uint32(a[8]), 4) == nil {
		return errnoFault
	}
	if len(f.descriptors) >= f.maxOpen {
		return errnoMfile
	}
	o := opening{oflags: a[4], follow: a[1]&lookupFollow != 0, d: &descriptor{readable: a[5]&rightRead != 0, writable: a[5]&rightWrite != 0, appends: a[7]&fdflagAppend != 0}}
	if err := f.with(p, o.follow, o.open); err != nil {
		return errnoOf(err)
	}
	fd := uint32(3)
	for f.descriptors[fd] != nil {
		fd++
	}
	f.descriptors[fd] = o.d
	return put32(m, a[8], fd)
}

// opening is one path_open.
type opening struct {
	oflags uint64
	follow bool
	d      *descriptor
}

func (o *opening) open(p place) error {
	look := p.mount.Root.Lstat
	if o.follow {
		look = p.mount.Root.Stat
	}
	s, err := look(p.path)
	o.d.at = p
	switch {
	case leadsOut(err):
		return err
	case err != nil && (o.oflags&oflagCreate == 0 || o.oflags&oflagDirectory != 0):
		return err
	case err != nil:
		return o.create(p)
	case o.oflags&oflagExclusive != 0 && o.oflags&oflagCreate != 0:
		return syscall.EEXIST
	case s.Mode()&fs.ModeSymlink != 0:
		return syscall.ELOOP
	case s.IsDir():
		if o.d.writable || o.oflags&oflagTruncate != 0 {
			return syscall.EISDIR
		}
		o.d.dir = true
		return nil
	case o.oflags&oflagDirectory != 0 || p.folder:
		return syscall.ENOTDIR
	case !s.Mode().IsRegular():
		return syscall.EACCES // a pipe or a device would hold the host's thread
	}
	return o.file(p, 0)
}

// create makes the file p.
func (o *opening) create(p place) error {
	switch {
	case p.folder:
		return syscall.EISDIR
	case !p.mount.Writable:
		return syscall.EROFS
	case !p.mount.quota().admit(0):
		return syscall.ENOSPC
	}
	flags := os.O_CREATE
	if o.oflags&oflagExclusive != 0 {
		flags |= os.O_EXCL
	}
	return o.file(p, flags)
}

func (o *opening) file(p place, flags int) error {
	switch {
	case o.d.readable && o.d.writable:
		flags |= os.O_RDWR
	case o.d.writable:
		flags |= os.O_WRONLY
	}
	if o.oflags&oflagTruncate != 0 {
		flags |= os.O_TRUNC
	}
	if flags != os.O_RDONLY && !p.mount.Writable {
		return syscall.EROFS
	}
	file, err := p.mount.Root.OpenFile(p.path, flags, 0o644)
	if err != nil {
		return err
	}
	s, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	o.d.file, o.d.charge = file, p.mount.quota().opened(s)
	return nil
}

func (f *FS) fdClose(_ Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	switch {
	case d == nil:
		return errnoBadf
	case d.stream || d.preopen:
		// os.closerange(3, 256) would take the learner's whole file system away.
		return errnoSuccess
	}
	delete(f.descriptors, uint32(a[0]))
	return errnoOf(d.close())
}

func (f *FS) fdPrestatGet(m Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	if d == nil || !d.preopen {
		return errnoBadf
	}
	return put64(m, a[1], uint64(len(d.at.mount.Guest))<<32) // tag 0: a folder
}

func (f *FS) fdPrestatDirName(m Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	if d == nil || !d.preopen {
		return errnoBadf
	}
	name := d.at.mount.Guest
	if a[2] < uint64(len(name)) {
		return errnoNametoolong
	}
	b := m.Bytes(uint32(a[1]), uint32(len(name)))
	if b == nil {
		return errnoFault
	}
	copy(b, name)
	return errnoSuccess
}

// fdFdstatGet tells a descriptor's type and rights. A standard stream is never a
// character device: Python would take it for a terminal and colour its tracebacks.
func (f *FS) fdFdstatGet(m Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	if d == nil {
		return errnoBadf
	}
	kind, flags, rights := uint64(filetypeRegular), uint64(0), uint64(rightsAll)
	switch {
	case d.stream:
		kind, rights = filetypeUnknown, rights&^(rightSeek|rightTell)
	case d.dir:
		kind = filetypeDirectory
		if !d.at.mount.Writable {
			rights &^= rightsThatChange
		}
	}
	if !d.dir && !d.readable {
		rights &^= rightRead
	}
	if !d.dir && !d.writable {
		rights &^= rightWrite
	}
	if d.appends {
		flags = fdflagAppend
	}
	b := m.Bytes(uint32(a[1]), 24)
	if b == nil {
		return errnoFault
	}
	clear(b)
	put64(m, a[1], kind|flags<<16)
	put64(m, a[1]+8, rights)
	return put64(m, a[1]+16, rights)
}

func (f *FS) fdFdstatSetFlags(_ Memory, a []uint64) errno {
	d := f.descriptors[uint32(a[0])]
	if d == nil {
		return errnoBadf
	}
	d.appends = a[1]&fdflagAppend != 0
	return errnoSuccess
}

func (f *FS) fdAdvise(_ Memory, a []uint64) errno {
	if f.descriptors[uint32(a[0])] == nil {
		return errnoBadf
	}
	return errnoSuccess
}
