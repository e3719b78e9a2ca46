package wasi

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// errno is WASI's own numbering of errors.
type errno uint32

const (
	errnoSuccess     errno = 0
	errnoAcces       errno = 2
	errnoAgain       errno = 6
	errnoBadf        errno = 8
	errnoBusy        errno = 10
	errnoExist       errno = 20
	errnoFault       errno = 21
	errnoFbig        errno = 22
	errnoIntr        errno = 27
	errnoInval       errno = 28
	errnoIO          errno = 29
	errnoIsdir       errno = 31
	errnoLoop        errno = 32
	errnoMfile       errno = 33
	errnoMlink       errno = 34
	errnoNametoolong errno = 37
	errnoNoent       errno = 44
	errnoNospc       errno = 51
	errnoNotdir      errno = 54
	errnoNotempty    errno = 55
	errnoNotsock     errno = 57
	errnoNotsup      errno = 58
	errnoPerm        errno = 63
	errnoRofs        errno = 69
	errnoSpipe       errno = 70
	errnoXdev        errno = 75
	errnoNotcapable  errno = 76
)

// errnoOf translates an error of package os.
func errnoOf(err error) errno {
	var n syscall.Errno
	switch {
	case err == nil:
		return errnoSuccess
	case errors.As(err, &n):
		return errnoOfHost(n)
	case errors.Is(err, fs.ErrNotExist):
		return errnoNoent
	case errors.Is(err, fs.ErrExist):
		return errnoExist
	case errors.Is(err, os.ErrClosed):
		return errnoBadf
	}
	return errnoNotcapable // os.Root: the path leads out
}

func errnoOfHost(n syscall.Errno) errno {
	switch n {
	case syscall.EACCES:
		return errnoAcces
	case syscall.EAGAIN:
		return errnoAgain
	case syscall.EBADF:
		return errnoBadf
	case syscall.EBUSY:
		return errnoBusy
	case syscall.EDQUOT, syscall.ENOSPC:
		return errnoNospc
	case syscall.EEXIST:
		return errnoExist
	case syscall.EFBIG:
		return errnoFbig
	case syscall.EINTR:
		return errnoIntr
	case syscall.EINVAL:
		return errnoInval
	case syscall.EISDIR:
		return errnoIsdir
	case syscall.ELOOP:
		return errnoLoop
	case syscall.EMFILE, syscall.ENFILE:
		return errnoMfile
	case syscall.EMLINK:
		return errnoMlink
	case syscall.ENAMETOOLONG:
		return errnoNametoolong
	case syscall.ENOENT:
		return errnoNoent
	case syscall.ENOTDIR:
		return errnoNotdir
	case syscall.ENOTEMPTY:
		return errnoNotempty
	case syscall.EOPNOTSUPP:
		return errnoNotsup
	case syscall.EPERM:
		return errnoPerm
	case syscall.EROFS:
		return errnoRofs
	case syscall.ESPIPE:
		return errnoSpipe
	case syscall.EXDEV:
		return errnoXdev
	}
	return errnoIO
}

// leadsOut tells whether os.Root refused a path because it would leave the root: the
// only errors of its that carry no number of the kernel's.
func leadsOut(err error) bool {
	var n syscall.Errno
	return err != nil && !errors.As(err, &n) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) && !errors.Is(err, os.ErrClosed)
}
