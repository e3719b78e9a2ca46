package loopback

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// errno is an error as the guest numbers it: WASI's own numbers, and two answers that
// are no error of a socket's.
type errno int

const (
	errnoAddrinuse    errno = 3
	errnoAddrnotavail errno = 4
	errnoAfnosupport  errno = 5
	errnoAgain        errno = 6
	errnoAlready      errno = 7
	errnoBadf         errno = 8
	errnoConnaborted  errno = 13
	errnoConnrefused  errno = 14
	errnoConnreset    errno = 15
	errnoInprogress   errno = 26
	errnoInval        errno = 28
	errnoIsconn       errno = 30
	errnoMfile        errno = 33
	errnoNetunreach   errno = 40
	errnoNotconn      errno = 53
	errnoNotsup       errno = 58
	errnoPipe         errno = 64
	errnoTimedout     errno = 73

	interrupted errno = 1000 // the guest's code has an exception to raise; then it may ask again
	timedOut    errno = 1001 // the socket's own timeout passed
)

// text is what a learner reads, as other systems say it.
func (e errno) text() string {
	switch e {
	case errnoAddrinuse:
		return "Address already in use"
	case errnoAddrnotavail:
		return "Cannot assign requested address"
	case errnoAfnosupport:
		return "Address family not supported by protocol"
	case errnoAgain:
		return "Resource temporarily unavailable"
	case errnoAlready:
		return "Operation already in progress"
	case errnoBadf:
		return "Bad file descriptor"
	case errnoConnaborted:
		return "Software caused connection abort"
	case errnoConnrefused:
		return "Connection refused"
	case errnoConnreset:
		return "Connection reset by peer"
	case errnoInprogress:
		return "Operation now in progress"
	case errnoInval:
		return "Invalid argument"
	case errnoIsconn:
		return "Transport endpoint is already connected"
	case errnoMfile:
		return "Too many open connections: close some first"
	case errnoNetunreach:
		return "Network is unreachable"
	case errnoNotconn:
		return "Transport endpoint is not connected"
	case errnoNotsup:
		return "Operation not supported"
	case errnoPipe:
		return "Broken pipe"
	case errnoTimedout:
		return "Connection timed out"
	case timedOut:
		return "timed out"
	}
	return ""
}

// errnoOfDial translates an error of a store that was dialled. One that can't be
// started is to the guest a port where nobody listens.
func errnoOfDial(err error) errno {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return errnoTimedout
	}
	return errnoConnrefused
}

// errnoOfWrite translates an error of writing to a store.
func errnoOfWrite(err error) errno {
	if errors.Is(err, syscall.ECONNRESET) {
		return errnoConnreset
	}
	return errnoPipe
}
