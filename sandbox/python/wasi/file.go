package wasi

import (
	"encoding/binary"
	"io"
	"math"
	"syscall"
)

// open is the file behind fd: EISDIR for a folder, notFile for a standard stream.
func (f *FS) open(fd uint64, notFile errno) (*descriptor, errno) {
	d := f.descriptors[uint32(fd)]
	switch {
	case d == nil:
		return nil, errnoBadf
	case d.dir:
		return nil, errnoIsdir
	case d.stream:
		return nil, notFile
	}
	return d, errnoSuccess
}

// vector calls do with each buffer of an iovec list until one is not done whole, and
// writes the sum to out. An error counts only when nothing was done before it.
func vector(m Memory, list, count, out uint64, do func(b []byte) (int, error)) errno {
	if count > maxIovec {
		return errnoInval
	}
	iovs := m.Bytes(uint32(list), uint32(8*count))
	if iovs == nil && count > 0 || m.Bytes(uint32(out), 4) == nil {
		return errnoFault
	}
	total := uint64(0)
	for ; len(iovs) > 0; iovs = iovs[8:] {
		n := binary.LittleEndian.Uint32(iovs[4:])
		b := m.Bytes(binary.LittleEndian.Uint32(iovs), n)
		if b == nil && n > 0 {
			return errnoFault
		}
		if total+uint64(n) > math.MaxInt32 {
			return errnoInval
		}
		k, err := do(b)
		total += uint64(k)
		if err != nil && err != io.EOF && total == 0 {
			return errnoOf(err)
		}
		if err != nil || k < len(b) {
			break
		}
	}
	return put32(m, out, uint32(total))
}

func (f *FS) fdRead(m Memory, a []uint64) errno {
	if d := f.descriptors[uint32(a[0])]; d != nil && d.stream {
		if !d.readable {
			return errnoBadf
		}
		return put32(m, a[3], 0) // input() asks the host in another way
	}
	d, e := f.open(a[0], errnoBadf)
	if e != errnoSuccess {
		return e
	}
	if !d.readable {
		return errnoBadf
	}
	return vector(m, a[1], a[2], a[3], func(b []byte) (int, error) {
		n, err := d.readAt(b, d.pos)
		d.pos += int64(n)
		return n, err
	})
}

func (f *FS) fdPread(m Memory, a []uint64) errno {
	d, e := f.open(a[0], errnoSpipe)
	at := int64(a[3])
	switch {
	case e != errnoSuccess:
		return e
	case !d.readable:
		return errnoBadf
	case at < 0:
		return errnoInval
	}
	return vector(m, a[1], a[2], a[4], func(b []byte) (int, error) {
		n, err := d.readAt(b, at)
		at += int64(n)
		return n, err
	})
}

func (d *descriptor) readAt(b []byte, at int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return d.file.ReadAt(b, at)
}

func (f *FS) fdWrite(m Memory, a []uint64) errno {
	if d := f.descriptors[uint32(a[0])]; d != nil && d.stream {
		if !d.writable {
			return errnoBadf
		}
		return vector(m, a[1], a[2], a[3], func(b []byte) (int, error) { return f.print(int(a[0]), b) })
	}
	d, e := f.open(a[0], errnoBadf)
	if e == errnoIsdir {
		return errnoBadf
	}
	if e != errnoSuccess {
		return e
	}
	return vector(m, a[1], a[2], a[3], func(b []byte) (int, error) {
		if d.appends {
			s, err := d.file.Stat()
			if err != nil {
				return 0, err
			}
			d.pos = s.Size()
		}
		n, err := d.writeAt(b, d.pos)
		d.pos += int64(n)
		return n, err
	})
}

func (f *FS) fdPwrite(m Memory, a []uint64) errno {
	d, e := f.open(a[0], errnoSpipe)
	if e == errnoIsdir {
		return errnoBadf
	}
	if e != errnoSuccess {
		return e
	}
	at := int64(a[3])
	if at < 0 {
		return errnoInval
	}
	return vector(m, a[1], a[2], a[4], func(b []byte) (int, error) {
		n, err := d.writeAt(b, at)
		at += int64(n)
		return n, err
	})
}

func (f *FS) print(fd int, b []byte) (int, error) {
	if f.output != nil && len(b) > 0 {
		if err := f.output(fd, b); err != nil {
			return 0, syscall.EIO
		}
	}
	return len(b), nil
}

// writeAt writes as much of b as the quota lets grow.
func (d *descriptor) writeAt(b []byte, at int64) (int, error) {
	switch {
	case !d.writable:
		return 0, syscall.EBADF
	case len(b) == 0:
		return 0, nil
	case at > math.MaxInt64-int64(len(b)):
		return 0, syscall.EFBIG
	}
	q := d.at.mount.quota()
	if q == nil {
		return d.file.WriteAt(b, at)
	}
	was := q.length(d.charge)
	may := q.grow(d.charge, at+int64(len(b))) - at
	if may <= 0 {
		q.settle(d.charge, was)
		return 0, syscall.ENOSPC
	}
	n, err := d.file.WriteAt(b[:may], at)
	if int64(n) < may {
		q.settle(d.charge, max(was, at+int64(n)))
	}
	return n, err
}

func (f *FS) fdSeek(m Memory, a []uint64) errno {
	d, e := f.open(a[0], errnoSpipe)
	if e != errnoSuccess {
		return e
	}
	var base int64
	switch uint32(a[2]) {
	case 0:
	case 1:
		base = d.pos
	case 2:
		s, err := d.file.Stat()
		if err != nil {
			return errnoOf(err)
		}
		base = s.Size()
	default:
		return errnoInval
	}
	off := int64(a[1])
	if off > 0 && base > math.MaxInt64-off || base+off < 0 {
		return errnoInval
	}
	if e := put64(m, a[3], uint64(base+off)); e != errnoSuccess {
		return e
	}
	d.pos = base + off
	return errnoSuccess
}

func (f *FS) fdTell(m Memory, a []uint64) errno {
	d, e := f.open(a[0], errnoSpipe)
	if e != errnoSuccess {
		return e
	}
	return put64(m, a[1], uint64(d.pos))
}

// fdSync answers at once: what the guest wrote is the kernel's already, and outlives
// the death of this process.
func (f *FS) fdSync(_ Memory, a []uint64) errno {
	if f.descriptors[uint32(a[0])] == nil {
		return errnoBadf
	}
	return errnoSuccess
}

func (f *FS) fdFilestatSetSize(_ Memory, a []uint64) errno {
	d, e := f.open(a[0], errnoInval)
	size := int64(a[1])
	switch {
	case e != errnoSuccess:
		return e
	case size < 0 || !d.writable:
		return errnoInval
	}
	q := d.at.mount.quota()
	if q == nil {
		return errnoOf(d.file.Truncate(size))
	}
	was := q.length(d.charge)
	if q.grow(d.charge, size) < size {
		q.settle(d.charge, was)
		return errnoNospc
	}
	if err := d.file.Truncate(size); err != nil {
		q.settle(d.charge, was)
		return errnoOf(err)
	}
	q.settle(d.charge, size)
	return errnoSuccess
}
