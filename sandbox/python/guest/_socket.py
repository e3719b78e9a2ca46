"""The part of sockets that the standard library's socket.py builds on, over the host.

Every operation is one frame to sandbox/loopback, whose frame.go describes them. There
is one host here, the sandbox's own localhost: its stores, and servers of the learner's.
"""

import errno as _errno
import time as _time
from struct import Struct as _Struct

import _host
from _hostnames import ANY as _ANY
from _hostnames import ascii_name as _ascii_name
from _hostnames import lookup as _lookup
from _real_socket import *
from _hostnames import *  # again: its own numbers, and IPv6

_ask = _host.call
_frame = _Struct("<ccIi").pack
_receive_frame = _Struct("<ccIiI").pack
_status = _Struct("<i").unpack_from

_INTERRUPTED = -1000
_TIMED_OUT = -1001
_CHUNK = 128 << 10  # bytes that one frame carries at most: as much as the host holds

error = OSError
timeout = TimeoutError
has_ipv6 = True

# What the build's C library leaves out.
AF_UNIX = 3
SOCK_RAW = 3
SO_REUSEADDR, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF = 2, 4, 5, 6, 7, 8
SO_KEEPALIVE, SO_OOBINLINE, SO_LINGER, SO_REUSEPORT, SO_RCVTIMEO, SO_SNDTIMEO = 9, 10, 13, 15, 20, 21
SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN = 30, 38, 39
MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000
SOMAXCONN = 128

_FAMILIES = {AF_INET: 4, AF_INET6: 6}
_SOCKET_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC
_default_timeout = None


def _call(op, fd, arg=0, data=b""):
    """Answers the status, which is not below 0, and the whole answer."""
    frame = _frame(b"s", op, fd & 0xFFFFFFFF, arg) + data
    while True:  # an interrupted call raises KeyboardInterrupt here, or is made again
        answer = _ask(frame)
        status = _status(answer)[0]
        if status >= 0:
            return status, answer
        if status != _INTERRUPTED:
            _fail(status, answer)


def _fail(status, answer):
    text = answer[4:].decode()
    if status == _TIMED_OUT:
        raise TimeoutError(text)
    raise OSError(-status, text)


def _address(text, family):
    """The address of a "host port" of the host's."""
    if not text or family == AF_UNIX:
        return ""
    host, port = text.split(" ")
    return (host, int(port)) if family == AF_INET else (host, int(port), 0, 0)


class socket:
    """One socket; socket.socket is a subclass of it."""

    __slots__ = ("_family", "_type", "_proto", "_fd", "_seconds", "_wait", "_options")

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        self._fd = -1
        self._options = None
        self._set_timeout(_default_timeout)
        self._proto = 0 if proto == -1 else proto
        kind = SOCK_STREAM if type == -1 else int(type)
        self._type = kind & ~_SOCKET_FLAGS
        if fileno is not None:
            self._adopt(family, fileno)
        else:
            self._family = AF_INET if family == -1 else int(family)
            self._check()
            self._fd = _call(b"n", 0, _FAMILIES[self._family])[0]
        if kind & SOCK_NONBLOCK:
            self._set_timeout(0.0)

    def _adopt(self, family, fileno):
        if not isinstance(fileno, int):
            raise TypeError(f"an integer is required (got type {type(fileno).__name__})")
        if fileno < 0:
            raise ValueError("negative file descriptor")
        if family == -1:
            family = AF_INET6 if b":" in _call(b"i", fileno)[1][4:] else AF_INET
        self._family, self._fd = int(family), fileno

    def _check(self):
        if self._family == AF_UNIX:
            raise OSError(_errno.EAFNOSUPPORT, "Address family not supported: the sandbox has no unix sockets, use localhost and a port")
        if self._family not in _FAMILIES:
            raise OSError(_errno.EAFNOSUPPORT, "Address family not supported by protocol")
        if self._type == SOCK_DGRAM:
            raise OSError(_errno.EPROTONOSUPPORT, "Protocol not supported: the sandbox has no datagram sockets (UDP), use SOCK_STREAM (TCP)")
        if self._type == SOCK_RAW:
            raise PermissionError(_errno.EPERM, "Operation not permitted")
        if self._type != SOCK_STREAM or self._proto not in (0, IPPROTO_TCP):
            raise OSError(_errno.EPROTONOSUPPORT, "Protocol not supported")

    def __del__(self):
        if self._fd >= 0:
            self.close()

    def __repr__(self):
        return f"<socket object, fd={self._fd}, family={self._family}, type={self._type}, proto={self._proto}>"

    family = property(lambda self: self._family)
    type = property(lambda self: self._type)
    proto = property(lambda self: self._proto)
    timeout = property(lambda self: self._seconds)

    def fileno(self):
        return self._fd

    def detach(self):
        fd, self._fd = self._fd, -1
        return fd

    def close(self):
        fd, self._fd = self._fd, -1
        if fd >= 0:
            _call(b"x", fd)

    # Waiting.

    def _set_timeout(self, seconds):
        self._seconds = seconds
        self._wait = -1 if seconds is None else min(-int(-seconds * 1000 // 1), 0x7FFFFFFF)

    def gettimeout(self):
        return self._seconds

    def settimeout(self, value):
        self._set_timeout(_seconds(value))

    def setblocking(self, flag):
        self._set_timeout(None if flag else 0.0)

    def getblocking(self):
        return self._seconds != 0.0

    # Options are kept and told again; those that matter to others do nothing here.

    def setsockopt(self, level, name, value, length=None):
        if self._fd < 0:
            raise OSError(_errno.EBADF, "Bad file descriptor")
        if value is None:
            value = bytes(length)
        elif not isinstance(value, int):
            value = bytes(value)
        if self._options is None:
            self._options = {}
        self._options[level, name] = value

    def getsockopt(self, level, name, length=0):
        value = self._option(level, name)
        if not length:
            return value if isinstance(value, int) else int.from_bytes(value[:4], "little")
        if isinstance(value, int):
            value = value.to_bytes(4, "little", signed=value < 0)
        return value[:length]

    def _option(self, level, name):
        if self._fd < 0:
            raise OSError(_errno.EBADF, "Bad file descriptor")
        if level == SOL_SOCKET:
            if name == SO_ERROR:
                return _call(b"e", self._fd)[0]
            if name in (SO_TYPE, SO_PROTOCOL, SO_DOMAIN):
                return {SO_TYPE: self._type, SO_PROTOCOL: IPPROTO_TCP, SO_DOMAIN: self._family}[name]
            if name in (SO_RCVBUF, SO_SNDBUF):
                return _CHUNK
        return (self._options or {}).get((level, name), 0)

    # Connecting.

    def _resolve(self, address, call):
        """The numeric host, the host as it was asked for, and the port of an address."""
        if not isinstance(address, tuple):
            kind = "AF_INET6" if self._family == AF_INET6 else "AF_INET"
            raise TypeError(f"{call}(): {kind} address must be tuple, not {type(address).__name__}")
        if len(address) < 2 or len(address) > (2 if self._family == AF_INET else 4):
            raise TypeError(f"{call}(): wrong number of values in the address {address!r}: need (host, port)")
        host, port = address[:2]
        if not isinstance(port, int):
            raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
        if not 0 <= port <= 0xFFFF:
            raise OverflowError(f"{call}(): port must be 0-65535.")
        name = _ascii_name(host)
        if name == "":
            return _ANY[self._family], "localhost", port
        if name == "<broadcast>":
            return "255.255.255.255", name, port
        return _lookup(name, self._family)[0][1], getattr(host, "asked", name), port

    def connect(self, address):
        if self._family == AF_UNIX:
            raise OSError(_errno.EAFNOSUPPORT, "Address family not supported: the sandbox has no unix sockets")
        host, asked, port = self._resolve(address, "connect")
        _call(b"c", self._fd, self._wait, port.to_bytes(2, "little") + f"{asked}\0{host}".encode())

    def connect_ex(self, address):
        try:
            self.connect(address)
        except (gaierror, herror):
            raise
        except OSError as e:
            return e.errno or _errno.EAGAIN
        return 0

    def bind(self, address):
        host, _, port = self._resolve(address, "bind")
        _call(b"b", self._fd, port, host.encode())

    def listen(self, backlog=SOMAXCONN):
        _call(b"l", self._fd, max(0, min(backlog, SOMAXCONN)))

    def _accept(self):
        fd, answer = _call(b"a", self._fd, self._wait)
        return fd, _address(answer[4:].decode(), self._family)

    def _names(self):
        return _call(b"i", self._fd)[1][4:].decode().split("\n")

    def getsockname(self):
        return _address(self._names()[0], self._family)

    def getpeername(self):
        names = self._names()
        if not names[1]:
            if self._family == AF_UNIX:
                return ""
            raise OSError(_errno.ENOTCONN, "Transport endpoint is not connected")
        return _address(names[1], self._family)

    def shutdown(self, how):
        if how not in (SHUT_RD, SHUT_WR, SHUT_RDWR):
            raise OSError(_errno.EINVAL, "Invalid argument")
        _call(b"h", self._fd, how - SHUT_RD)

    # Receiving.

    def _receive(self, size, flags):
        """The answer with at most size bytes, after its status."""
        if flags:
            wait = 0 if flags & MSG_DONTWAIT else self._wait
            return _call(b"k" if flags & MSG_PEEK else b"r", self._fd, wait, size.to_bytes(4, "little"))[1]
        frame = _receive_frame(b"s", b"r", self._fd & 0xFFFFFFFF, self._wait, size)
        while True:  # as in _call
            answer = _ask(frame)
            status = _status(answer)[0]
            if status >= 0:
                return answer
            if status != _INTERRUPTED:
                _fail(status, answer)

    def recv(self, bufsize, flags=0):
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        data = self._receive(min(bufsize, 0x7FFFFFFF), flags)[4:]
        if flags & MSG_WAITALL and not flags & MSG_PEEK:
            while data and len(data) < bufsize:
                more = self._receive(bufsize - len(data), flags)[4:]
                if not more:
                    break
                data += more
        return data

    def recv_into(self, buffer, nbytes=0, flags=0):
        view = memoryview(buffer).cast("B")
        if nbytes < 0:
            raise ValueError("negative buffersize in recv_into")
        if nbytes > len(view):
            raise ValueError("buffer too small for requested bytes")
        size = nbytes or len(view)
        if flags & MSG_WAITALL:
            data = self.recv(size, flags)
        else:
            data = memoryview(self._receive(size, flags))[4:]
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, bufsize, flags=0):
        return self.recv(bufsize, flags), None

    def recvfrom_into(self, buffer, nbytes=0, flags=0):
        return self.recv_into(buffer, nbytes, flags), None

    def recvmsg(self, bufsize, ancbufsize=0, flags=0):
        return self.recv(bufsize, flags), [], 0, None

    def recvmsg_into(self, buffers, ancbufsize=0, flags=0):
        views = [memoryview(b).cast("B") for b in buffers]
        data = memoryview(self.recv(sum(map(len, views)), flags))
        got = len(data)
        for view in views:
            n = min(len(view), len(data))
            view[:n], data = data[:n], data[n:]
        return got, [], 0, None

    # Sending.

    def send(self, data, flags=0):
        if type(data) is not bytes or len(data) > _CHUNK:
            data = memoryview(data).cast("B")[:_CHUNK].tobytes()
        return _call(b"s", self._fd, 0 if flags & MSG_DONTWAIT else self._wait, data)[0]

    def sendall(self, data, flags=0):
        sent = self.send(data, flags)
        size = len(data) if type(data) is bytes else memoryview(data).nbytes
        if sent == size:
            return
        rest = memoryview(data).cast("B")[sent:]
        before, until = self._wait, self._seconds and _time.monotonic() + self._seconds
        try:
            while rest:
                if until:
                    self._wait = max(1, int((until - _time.monotonic()) * 1000))
                rest = rest[self.send(rest, flags) :]
        finally:
            self._wait = before

    def sendto(self, data, *args):
        return self.send(data, args[0] if len(args) > 1 else 0)

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None):
        return self.send(b"".join(buffers), flags)


SocketType = socket


def _seconds(value):
    if value is None:
        return None
    value = float(value)
    if not value >= 0:
        raise ValueError("Timeout value out of range")
    return value


def getdefaulttimeout():
    return _default_timeout


def setdefaulttimeout(timeout):
    global _default_timeout
    _default_timeout = _seconds(timeout)


def socketpair(family=AF_UNIX, type=SOCK_STREAM, proto=0):
    if type & ~_SOCKET_FLAGS != SOCK_STREAM:
        raise OSError(_errno.EPROTONOSUPPORT, "Protocol not supported: the sandbox has stream sockets only")
    a, answer = _call(b"P", 0)
    return socket(family, type, proto, a), socket(family, type, proto, int.from_bytes(answer[4:8], "little"))


def dup(fd):
    return _call(b"d", fd)[0]


def close(fd):
    _call(b"x", fd)
