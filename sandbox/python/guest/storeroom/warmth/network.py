"""A pretended sandbox/loopback: it answers the frames of _socket, whose form is in frame.go."""

import contextlib
import errno
import struct

_head = struct.Struct("<cIi")
_event = struct.Struct("<IB")


@contextlib.contextmanager
def pretended(servers):
    """While it lasts, sockets lead to servers: {port: class with answer(bytes) -> bytes}."""
    import _socket

    real, _socket._ask = _socket._ask, _Network(servers)
    try:
        yield
    finally:
        _socket._ask = real


class _Network:
    def __init__(self, servers):
        self._servers = servers
        self._connections = {}
        self._next = 1000

    def __call__(self, frame):
        operation, fd, argument = _head.unpack_from(frame, 1)
        status, payload = self._answer(operation, fd, frame[1 + _head.size :])
        return status.to_bytes(4, "little", signed=True) + payload

    def _answer(self, operation, fd, payload):
        match operation:
            case b"n":
                self._next += 1
                return self._next, b""
            case b"c":
                port = int.from_bytes(payload[:2], "little")
                self._connections[fd] = _Connection(self._servers[port]())
            case b"s":
                self._connections[fd].send(payload)
                return len(payload), b""
            case b"r":
                data = self._connections[fd].receive(int.from_bytes(payload, "little"))
                return (len(data), data) if data else (-errno.EAGAIN, b"")
            case b"p":
                return 0, b"".join(self._ready(*entry) for entry in _event.iter_unpack(payload))
            case b"i":
                return 0, b"127.0.0.1 40000\n127.0.0.1 1"
            case b"x":
                self._connections.pop(fd, None)
        return 0, b""

    def _ready(self, fd, events):
        connection = self._connections.get(fd)
        readable = 1 if connection and connection.waiting else 0
        events &= 2 | readable
        return _event.pack(fd, events) if events else b""


class _Connection:
    def __init__(self, server):
        self._server = server
        self.waiting = b""

    def send(self, data):
        self.waiting += self._server.answer(data)

    def receive(self, size):
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data
