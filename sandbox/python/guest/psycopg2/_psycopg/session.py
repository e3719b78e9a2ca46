"""A connection to a server at the level of the protocol: what libpq's PGconn is to psycopg2.

The connection object owns one. It knows nothing of cursors, adaptation, or transactions beyond what the server says.
Blocking use: run(). Otherwise: begin(), then advance() until it is true, with flush() and receive() in between.
"""

import errno
import os
import select
import socket

from . import auth, report, wire
from .dial import CannotConnect, targets, whole_number
from .encodings import codec_of
from .errors import OperationalError

READ, WRITE = 1, 2                                     # what a handshake waits for; psycopg2's POLL_READ, POLL_WRITE
IDLE, ACTIVE, IN_TRANSACTION, IN_ERROR, UNKNOWN = range(5)  # PQtransactionStatus
_STATE = {73: IDLE, 84: IN_TRANSACTION, 69: IN_ERROR}       # I, T, E
_COPY = {71: 'in', 72: 'out', 87: 'both'}                   # G, H, W
_CHUNK = 65536            # bytes asked of the socket at once
_CANCEL_PATIENCE = 2.0    # seconds that a cancel request may take
_UTF8 = codec_of('UTF8')


class Session:
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

    # -- starting -----------------------------------------------------------------------------------------------------

    def connect(self):
        """Connects and waits. Raises OperationalError."""
        while self.proceed():
            pass
        self.socket.settimeout(None)

    def proceed(self):
        """Goes on connecting: READ or WRITE when the socket must become so, None at the end. Raises OperationalError."""
        failure, steps = None, self._steps
        if self._wants == READ:
            try:
                if not self.receive():
                    return READ
            except (CannotConnect, OSError) as problem:
                failure = problem
        try:
            self._wants = next(steps) if failure is None else steps.throw(failure)
        except StopIteration:
            self._wants = None
        return self._wants

    def _handshake(self):
        failures = []
        try:
            for target in targets(self.options):
                self.target = target
                try:
                    yield from self._dial(target)
                    yield from self._start()
                    return
                except CannotConnect as failure:
                    failures.append(target.label + str(failure))
                except OSError as error:
                    failures.append(target.label + _network_text(target, error))
                self._drop()
        except CannotConnect as failure:
            failures.append(str(failure))
        self.error_message = ''.join(failures)
        raise OperationalError(self.error_message)

    def _dial(self, target):
        timeout = whole_number(self.options, 'connect_timeout', 0)
        self.socket = link = socket.socket(target.family, socket.SOCK_STREAM)
        self._frames = wire.Frames()
        if not self.asynchronous:
            # libpq rounds a timeout of one second up to two.
            link.settimeout(max(timeout, 2) if timeout > 0 else None)
            link.connect(target.address)
        else:
            link.setblocking(False)
            number = link.connect_ex(target.address)
            if number in (errno.EINPROGRESS, errno.EWOULDBLOCK):
                yield WRITE
                number = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
        if target.family != getattr(socket, 'AF_UNIX', None):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _start(self):
        if self.options.get('sslmode') in ('require', 'verify-ca', 'verify-full'):
            raise CannotConnect('server does not support SSL, but SSL was required\n')
        self.socket.sendall(wire.startup(self._startup_parameters(), _UTF8))
        scram, proven = [], False
        while True:
            found = self._frames.next()
            if found is None:
                yield READ
                continue
            kind, payload = found
            if kind == 82:    # R
                self._authenticate(payload, scram)
                proven = proven or payload[:4] == b'\0\0\0\0'
            elif kind == 69:  # E
                raise CannotConnect(self._report(payload).text)
            elif kind == 90:  # Z
                self.transaction = IDLE
                self._check_target()
                return
            elif not self._aside(kind, payload) and kind != 118:  # v: the server knows only an older minor protocol
                raise CannotConnect(f'expected authentication request from server, but received {chr(kind)}\n')

    def _startup_parameters(self):
        options = self.options
        yield 'user', options['user']
        yield 'database', options['dbname']
        for name in ('replication', 'options'):
            if options.get(name):
                yield name, options[name]
        application = options.get('application_name') or options.get('fallback_application_name')
        if application:
            yield 'application_name', application
        encoding = options.get('client_encoding')
        if encoding:
            yield 'client_encoding', 'UTF8' if encoding == 'auto' else encoding
        for variable, name in (('PGDATESTYLE', 'datestyle'), ('PGTZ', 'timezone'), ('PGGEQO', 'geqo')):
            value = os.environ.get(variable)
            if value and value.lower() != 'default':
                yield name, value

    def _password(self):
        from .dsn import password_from_file
        password = self.options.get('password') or password_from_file(
            self.options, self.target.host, self.target.port)
        self.needs_password = not password
        if not password:
            raise CannotConnect('fe_sendauth: no password supplied\n')
        self.used_password = True
        return password

    def _authenticate(self, payload, scram):
        method, rest = int.from_bytes(payload[:4], 'big'), payload[4:]
        send = self.socket.sendall
        try:
            if method == 3:
                send(wire.password(self._password().encode()))
            elif method == 5:
                send(wire.password(auth.md5(self.options['user'].encode(), self._password().encode(), rest)))
            elif method == 10:
                if auth.MECHANISM not in rest.split(b'\0'):
                    raise CannotConnect("none of the server's SASL authentication mechanisms are supported\n")
                scram.append(auth.Scram(self._password()))
                send(wire.sasl_initial(auth.MECHANISM, scram[0].first()))
            elif method == 11:
                send(wire.sasl_response(scram[0].final(rest)))
            elif method == 12:
                scram[0].check(rest)
            elif method != 0:
                raise CannotConnect(f'authentication method {method} not supported\n')
        except auth.Refused as refusal:
            raise CannotConnect(str(refusal)) from None

    def _check_target(self):
        wanted = self.options.get('target_session_attrs', 'any')
        standby = self.parameters.get('in_hot_standby') == 'on'
        readonly = standby or self.parameters.get('default_transaction_read_only') == 'on'
        wrong = {'read-write': (readonly, 'session is read-only'), 'read-only': (not readonly, 'session is not read-only'),
                 'primary': (standby, 'server is in hot standby mode'),
                 'standby': (not standby, 'server is not in hot standby mode')}.get(wanted)
        if wrong and wrong[0]:
            raise CannotConnect(wrong[1] + '\n')

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
        except OSError:
            pass  # what the server said before it went away is still to be read; its end is noticed there

    def flush(self):
        """Gives the socket what it takes now; true when nothing is left."""
        while self._out:
            try:
                self._out = self._out[self.socket.send(self._out):]
            except BlockingIOError:
                return False
            except OSError:
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
        if self.copy in ('in', 'both'):
            self._write(wire.copy_fail(b'COPY terminated by new query'))
        while self._owed:
            self.chunks = []
            if self.advance() and self._owed and self.copy in ('in', 'both'):
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
                raise CannotConnect(report.LOST)
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


def _network_text(target, error):
    if isinstance(error, TimeoutError):
        return 'timeout expired\n'
    return target.refused(error.errno or errno.ECONNREFUSED)
