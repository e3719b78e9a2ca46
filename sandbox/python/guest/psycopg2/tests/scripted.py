"""A server that says what a test wrote down, in place of a socket."""

import contextlib
import pathlib
import sys
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from _psycopg import wire  # noqa: E402
from _psycopg.connection import connection  # noqa: E402

READY = b'Z\0\0\0\5I'
IN_TRANSACTION = b'Z\0\0\0\5T'
FAILED = b'Z\0\0\0\5E'


def parameter(name, value):
    return wire.message(b'S', name.encode() + b'\0' + value.encode() + b'\0')


def done(tag):
    return wire.message(b'C', tag.encode() + b'\0')


def columns(*described):
    """RowDescription for (name, type oid) pairs."""
    body = len(described).to_bytes(2, 'big')
    for name, oid in described:
        body += name.encode() + b'\0' + wire._COLUMN.pack(0, 0, oid, -1, -1, 0)
    return wire.message(b'T', body)


def row(*values):
    body = len(values).to_bytes(2, 'big')
    for value in values:
        body += b'\xff\xff\xff\xff' if value is None else len(value).to_bytes(4, 'big') + value
    return wire.message(b'D', body)


def report(kind=b'E', **fields):
    return wire.message(kind, b''.join(k.encode() + v.encode() + b'\0' for k, v in fields.items()) + b'\0')


GREETING = b''.join([
    wire.message(b'R', b'\0\0\0\0'), parameter('client_encoding', 'UTF8'), parameter('DateStyle', 'ISO, MDY'),
    parameter('server_version', '18.4'), parameter('standard_conforming_strings', 'on'),
    wire.message(b'K', b'\0\0\0\7' + b'\0\0\0\x2a'), READY])


class Socket:
    """Hands out the given pieces one at a time; an exception among them is raised. Keeps what is sent."""

    def __init__(self, *pieces):
        self.pieces, self.sent, self.open = list(pieces), [], True

    def recv(self, size):
        if not self.pieces:
            return b''
        piece = self.pieces.pop(0)
        if isinstance(piece, BaseException):
            raise piece
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def sendall(self, data):
        self.sent.append(bytes(data))

    def send(self, data):
        self.sent.append(bytes(data))
        return len(data)

    def close(self):
        self.open = False

    def fileno(self):
        return 77

    def connect(self, address):
        self.address = address

    def settimeout(self, seconds):
        self.timeout = seconds

    def setblocking(self, blocking):
        self.timeout = None if blocking else 0

    def setsockopt(self, *arguments):
        pass


@contextlib.contextmanager
def sockets(*links):
    """While it lasts, each new socket is the next of links."""
    waiting = list(links)
    with mock.patch('socket.socket', lambda *arguments: waiting.pop(0)):
        yield


def connect(*pieces, dsn='host=127.0.0.1 user=u dbname=d', greeting=GREETING):
    """(connection, Socket) of a server that greets and then says pieces."""
    link = Socket(greeting, *pieces)
    with sockets(link):
        made = connection(dsn)
    return made, link
