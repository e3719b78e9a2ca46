"""A connection to a server at the level of the protocol: what libpq's PGconn is to psycopg2.

The connection object owns one. It knows nothing of cursors, adaptation, or transactions beyond what the server says.
Blocking use: run(). Otherwise: begin(), then advance() until it is true, with flush() and receive() in between.
"""

import os
import select
import socket

from . import report, wire
from .dial import CannotConnect, Refused
from .encodings import codec_of
from .errors import OperationalError
from .handshake import IDLE, UNKNOWN, Handshake

ACTIVE, IN_TRANSACTION, IN_ERROR = 1, 2, 3                  # with IDLE and UNKNOWN: PQtransactionStatus
_STATE = {73: IDLE, 84: IN_TRANSACTION, 69: IN_ERROR}       # I, T, E
_COPY = {71: 'in', 72: 'out', 87: 'both'}                   # G, H, W
_CHUNK = 65536            # bytes asked of the socket at once
_CANCEL_PATIENCE = 2.0    # seconds that a cancel request may take
_UTF8 = codec_of('UTF8')


class Session(Handshake):
    """options: as dsn.complete() gives them. asynchronous: never block, once connected and before."""

    def __init__(self, options, asynchronous=False):
        self.options, self.asynchronous = options, asynchronous
        self.socket = self.target = None
        self.parameters = {}
        self.pid, self.key = 0, b''
        self.transaction = UNKNOWN
        self.notices, self.notifies = [], []   # texts; (pid, channel, payload)
        self.codec = _UTF8
        self.results = []                      # of the exchange under way
        self.copy = None                       # 'in', 'out' or 'both' while a COPY lasts
        self.chunks = []                       # CopyData received
        self.used_password = self.needs_password = False
        self.error_message = None
        self._owed = 0                         # ReadyForQuery messages still to come
        self._current = None
        self._frames = wire.Frames()
        self._out = b''                        # not yet taken by a socket that doesn't block
        self._query = b''
        self._owner = os.getpid()
        self._steps, self._wants = self._handshake(), None

    def __del__(self):
        if self.socket is not None and os.getpid() == self._owner:
            self.close()

    # -- an exchange --------------------------------------------------------------------------------------------------

    def run(self, *statements):
        """Sends statements (bytes) in one go and waits; the results are those of the last, or of the first that failed."""
        self.begin(*statements)
        self.wait()
        return self.results

    def begin(self, *statements):
        self._query = statements[-1]
        self.send(b''.join(map(wire.query, statements)), len(statements))

    def send(self, data, answers=1):
        """Starts an exchange with the bytes of complete messages, which the server ends by so many ReadyForQuery."""
        if self.socket is None:
            self.lose()
        if self.copy == 'both':
            raise OperationalError('PQexec not allowed during COPY BOTH\n')
        if self._owed:
            self._drain()
        self.results, self._current = [], None
        self.chunks, self.copy = [], None
        self._owed = answers
        self.transaction = ACTIVE
        self._write(data)

    def _write(self, data):
        if self.asynchronous:
            self._out += data
            self.flush()
            return
        try:
            self.socket.sendall(data)
        except KeyboardInterrupt:
            self._drop()  # part of a message may be on its way, and no other can follow it
            raise
        except OSError:
            pass  # what the server said before it went away is still to be read; its end is noticed there

    def flush(self):
        """Gives the socket what it takes now; true when nothing is left."""
        left = memoryview(self._out)
        try:
            while left:
                left = left[self.socket.send(left):]
        except BlockingIOError:
            self._out = bytes(left)
            return False
        except OSError:
            pass  # as in _write
        self._out = b''
        return True

    def wait(self):
        """Blocks until the exchange ends or a COPY begins. An interrupt cancels the statement; the rest is read later."""
        try:
            while not self.advance():
                self.receive()
        except KeyboardInterrupt:
            self.cancel()
            raise

    def _drain(self):
        """Ends an exchange that its caller gave up, so that the next can begin."""
        if self.copy == 'in':
            self._write(wire.copy_fail(b'COPY terminated by new query'))
        while self._owed:
            self.chunks = []
            if self.advance() and self._owed and self.copy == 'in':
                self._write(wire.copy_fail(b'COPY terminated by new query'))
            elif self._owed:
                self.receive()

    @property
    def busy(self):
        return self._owed > 0

    def advance(self):
        """Takes in what has arrived; true when the exchange is over or a COPY has begun."""
        frames = self._frames
        while True:
            try:
                found = frames.next()
            except wire.BadFrame:
                self.lose('lost synchronization with server\n')
            if found is None:
                return self._owed == 0
            kind, payload = found
            if kind == 68:  # D, by far the most frequent
                self._current.rows.append(payload)
            elif self._take(kind, payload):
                return True

    def _take(self, kind, payload):
        if kind == 84:                     # T
            self._current = result = wire.Result()
            result.fields = wire.row_description(payload)
        elif kind == 67:                   # C
            self._finish().tag = payload[:-1].decode()
            self.copy = None
        elif kind == 90:                   # Z
            return self._ready(payload)
        elif kind == 69:                   # E
            self.copy = None
            self._finish().error = self._report(payload)
        elif kind == 100:                  # d
            self.chunks.append(payload)
        elif kind == 73:                   # I
            self._finish().empty = True
        elif kind in _COPY:
            self.copy = self._finish().copy = _COPY[kind]
            return True
        elif kind == 86:                   # V
            size = int.from_bytes(payload[:4], 'big', signed=True)
            self._finish().value = None if size < 0 else payload[4:]
        elif kind != 99 and not self._aside(kind, payload):  # c says only that no CopyData follows
            self.lose(f'unexpected response from server; first received character was "{chr(kind)}"\n')
        return False

    def _finish(self):
        result, self._current = self._current or wire.Result(), None
        self.results.append(result)
        return result

    def _ready(self, payload):
        self._owed -= 1
        self.transaction = _STATE.get(payload[0], UNKNOWN)
        if self._owed <= 0:
            self._owed = 0
            return True
        if not any(result.error for result in self.results):
            self.results = []
        return False

    def _aside(self, kind, payload):
        """Takes a message that may come at any time; false for others."""
        if kind == 83:                     # S
            name, value, _ = payload.split(b'\0', 2)
            self._parameter(name.decode(), value.decode('utf-8', 'replace'))
        elif kind == 78:                   # N
            self.notices.append(report.message(self._decoded(payload), with_context=False))
        elif kind == 65:                   # A
            channel, text, _ = payload[4:].split(b'\0', 2)
            self.notifies.append((int.from_bytes(payload[:4], 'big'), self._text(channel), self._text(text)))
        elif kind == 75:                   # K
            self.pid, self.key = int.from_bytes(payload[:4], 'big'), payload[4:]
        else:
            return False
        return True

    def _parameter(self, name, value):
        self.parameters[name] = value
        if name == 'client_encoding':
            try:
                self.codec = codec_of(value)
            except LookupError:
                self.codec = codec_of('LATIN1')  # takes any byte; psycopg2 complains when the encoding is used

    def _text(self, raw):
        return self.codec.decode(raw, 'replace')[0]

    def _decoded(self, payload):
        return {letter: self._text(raw) for letter, raw in report.fields(payload).items()}

    def _report(self, payload):
        found = self._decoded(payload)
        self.error_message = text = report.message(found, self._text(self._query))
        return wire.ErrorReport(found, text)

    def block(self, blocking):
        """Switches between waiting in the socket and waiting elsewhere."""
        self.asynchronous = not blocking
        if self.socket is not None:
            self.socket.setblocking(blocking)

    # -- the socket ---------------------------------------------------------------------------------------------------

    def receive(self):
        """Waits for bytes and keeps them; false if the socket doesn't block and has none. Raises OperationalError."""
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return False
        except TimeoutError:
            if self.pid:
                raise
            raise CannotConnect('timeout expired\n') from None
        except OSError:
            data = b''
        if not data:
            if not self.pid and self.transaction == UNKNOWN:
                raise Refused(report.LOST)
            self.lose()
        self._frames.feed(data)
        return True

    def receive_now(self):
        """Keeps what is there already, without waiting. Raises OperationalError."""
        while self.socket is not None and select.select([self.socket], (), (), 0)[0]:
            if not self.receive():
                return

    def write_copy(self, chunk):
        self._write(wire.copy_data(chunk))

    def end_copy(self, reason=None):
        """Ends a COPY FROM; a reason (bytes) makes it fail."""
        self.copy = None
        self._write(wire.COPY_DONE if reason is None else wire.copy_fail(reason))

    def lose(self, text=report.LOST):
        """Closes a connection that can't be used any more. Raises Lost."""
        self._drop()
        self._owed, self.copy, self.transaction, self.error_message = 0, None, UNKNOWN, text
        raise Lost(text)

    def _drop(self):
        link, self.socket = self.socket, None
        if link is not None:
            link.close()

    def close(self):
        """Says goodbye and closes; never fails."""
        if self.socket is not None:
            try:
                self.socket.setblocking(False)
                self.socket.send(wire.TERMINATE)
            except OSError:
                pass
        self._drop()
        self.transaction, self._owed, self.copy = UNKNOWN, 0, None

    def cancel(self):
        """Asks the server over a second connection to stop what it does; an OSError is returned, not raised."""
        link = socket.socket(self.target.family, socket.SOCK_STREAM)
        try:
            link.settimeout(_CANCEL_PATIENCE)
            link.connect(self.target.address)
            link.sendall(wire.cancel(self.pid, self.key))
            while link.recv(256):  # the server closes when the signal is sent
                pass
        except OSError as error:
            return error
        finally:
            link.close()
        return None


class Lost(OperationalError):
    """The connection went away. The connection object notes it and raises what the learner sees."""
