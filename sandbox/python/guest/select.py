"""Waiting for several sockets, over the host. Files and the standard streams are always ready."""

import errno as _errno
import os as _os
from struct import Struct as _Struct

import _socket

error = OSError
PIPE_BUF = 4096
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 1, 2, 4, 8, 16, 32
POLLRDNORM, POLLWRNORM = 64, 256

_READ, _WRITE, _INVALID, _HANGUP, _ERROR = 1, 2, 4, 8, 16  # as in sandbox/loopback's poll.go
_FIRST_SOCKET = 1000  # below are files
_entry = _Struct("<IB")


def _number(file):
    """The descriptor of an object, as select and poll take them."""
    fd = file if isinstance(file, int) else file.fileno()
    if not isinstance(fd, int):
        raise TypeError("argument must be an int, or have a fileno() method")
    if fd < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({fd})")
    return fd


def _wait(wanted, milliseconds):
    """Which of {descriptor: events} have events, within so many milliseconds (-1: for ever)."""
    found = {}
    entries = []
    for fd, events in wanted.items():
        if fd >= _FIRST_SOCKET:
            entries.append(_entry.pack(fd, events))
            continue
        try:
            _os.fstat(fd)
        except OSError:
            events = _INVALID
        if events:
            found[fd] = events
    if entries or not found and milliseconds:
        answer = _socket._call(b"p", 0, 0 if found else milliseconds, b"".join(entries))[1]
        found.update(_entry.iter_unpack(answer[4:]))
    return found


def _milliseconds(value):
    """Rounded up: who waits for a while must not wake before it is over."""
    return min(-int(-value // 1), 0x7FFFFFFF)


@staticmethod  # so that a class may keep it as an attribute, like the built-in one; selectors does
def select(rlist, wlist, xlist, timeout=None):
    reading = [(f, _number(f)) for f in rlist]
    writing = [(f, _number(f)) for f in wlist]
    wanted = dict.fromkeys([_number(f) for f in xlist], 0)
    for _, fd in reading:
        wanted[fd] = wanted.get(fd, 0) | _READ
    for _, fd in writing:
        wanted[fd] = wanted.get(fd, 0) | _WRITE
    if timeout is not None and timeout < 0:
        raise ValueError("timeout must be non-negative")
    found = _wait(wanted, -1 if timeout is None else _milliseconds(timeout * 1000))
    if any(events & _INVALID for events in found.values()):
        raise OSError(_errno.EBADF, "Bad file descriptor")
    readable = [f for f, fd in reading if found.get(fd, 0) & (_READ | _HANGUP | _ERROR)]
    writable = [f for f, fd in writing if found.get(fd, 0) & (_WRITE | _ERROR)]
    return readable, writable, []


class poll:
    def __init__(self):
        self._masks = {}

    def register(self, fd, eventmask=POLLIN | POLLPRI | POLLOUT):
        self._masks[_number(fd)] = eventmask

    def modify(self, fd, eventmask):
        fd = _number(fd)
        if fd not in self._masks:
            raise FileNotFoundError(_errno.ENOENT, "No such file or directory")
        self._masks[fd] = eventmask

    def unregister(self, fd):
        del self._masks[_number(fd)]

    def poll(self, timeout=None):
        wanted = {fd: _READ * bool(mask & (POLLIN | POLLRDNORM)) | _WRITE * bool(mask & (POLLOUT | POLLWRNORM)) for fd, mask in self._masks.items()}
        found = _wait(wanted, -1 if timeout is None or timeout < 0 else _milliseconds(timeout))
        return [(fd, _mask(events) & (self._masks[fd] | POLLERR | POLLHUP | POLLNVAL)) for fd, events in found.items()]


def _mask(events):
    mask = 0
    if events & _READ:
        mask |= POLLIN | POLLRDNORM
    if events & _WRITE:
        mask |= POLLOUT | POLLWRNORM
    if events & _INVALID:
        mask |= POLLNVAL
    if events & _HANGUP:
        mask |= POLLHUP
    if events & _ERROR:
        mask |= POLLERR
    return mask
