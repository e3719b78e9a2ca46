"""How a session starts: sockets tried one after the other, the startup message, authentication.

A base class of Session. It is a generator, so that a blocking connection, an asynchronous one and one under a wait
callback go through the same steps. Source: PostgreSQL manual, protocol-flow.html, "Start-up".
"""

import errno
import os
import socket

from . import auth, report, wire
from .dial import CannotConnect, Refused, check, targets, whole_number
from .dsn import password_from_file
from .encodings import codec_of
from .errors import OperationalError

READ, WRITE = 1, 2     # what a handshake waits for; psycopg2's POLL_READ, POLL_WRITE
IDLE, UNKNOWN = 0, 4   # PQtransactionStatus at its end, and before
_NOT_NOW = '57P03'     # the SQLSTATE of a server that is starting or stopping
_UTF8 = codec_of('UTF8')
_METHODS = {  # of an authentication request: its name in require_auth, what the server asked for
    0: ('none', 'server did not complete authentication'),
    3: ('password', 'server requested a cleartext password'),
    5: ('md5', 'server requested a hashed password'),
    10: ('scram-sha-256', 'server requested SASL authentication'),
}


class Handshake:
    """What Session inherits. Session sets socket, options and the rest, and provides receive() and _drop()."""

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
            check(self.options)
            for target in targets(self.options):
                self.target = target
                try:
                    yield from self._dial(target)
                    yield from self._start()
                    return
                except CannotConnect as failure:
                    failures.append(target.label + str(failure))
                    if isinstance(failure, Refused):
                        break
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
        scram = []
        while True:
            try:
                found = self._frames.next()
            except wire.BadFrame:
                raise Refused(_not_postgres(self._frames.buffer[self._frames.at])) from None
            if found is None:
                yield READ
                continue
            kind, payload = found
            if kind == 82:    # R
                self._authenticate(payload, scram)
            elif kind == 69:  # E
                refusal = self._report(payload)
                raise (CannotConnect if refusal.code == _NOT_NOW else Refused)(refusal.text)
            elif kind == 90:  # Z
                self.transaction = IDLE
                self._check_target()
                return
            elif not self._aside(kind, payload) and kind != 118:  # v: the server knows only an older minor protocol
                raise Refused(_not_postgres(kind))

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
        password = self.options.get('password') or password_from_file(
            self.options, self.target.host, self.target.port)
        self.needs_password = not password
        if not password:
            raise Refused('fe_sendauth: no password supplied\n')
        self.used_password = True
        return password

    def _authenticate(self, payload, scram):
        method, rest = int.from_bytes(payload[:4], 'big'), payload[4:]
        if method in _METHODS and not (method == 0 and self.used_password):
            self._check_method(*_METHODS[method], method == 10)
        try:
            answer = self._answer(method, rest, scram)
        except auth.Unproven as doubt:
            raise Refused(str(doubt)) from None
        if answer is not None:
            self.socket.sendall(answer)

    def _answer(self, method, rest, scram):
        """The message that answers an authentication request, or None where none is due."""
        if method == 3:
            return wire.password(self._password().encode())
        if method == 5:
            return wire.password(auth.md5(self.options['user'].encode(), self._password().encode(), rest))
        if method == 10:
            if auth.MECHANISM not in rest.split(b'\0'):
                raise Refused("none of the server's SASL authentication mechanisms are supported\n")
            scram.append(auth.Scram(self._password()))
            return wire.sasl_initial(auth.MECHANISM, scram[0].first())
        if method == 11:
            return wire.sasl_response(scram[0].final(rest))
        if method == 12:
            scram[0].check(rest)
        elif method != 0:
            raise Refused(f'authentication method {method} not supported\n')
        return None

    def _check_method(self, name, request, sasl):
        """Raises Refused if the options rule this method out."""
        if self.options.get('channel_binding') == 'require':
            raise Refused('channel binding required, but ' + (
                'SSL not in use\n' if sasl else 'server authenticated client without channel binding\n'))
        wanted = self.options.get('require_auth')
        if not wanted:
            return
        words = [word.strip() for word in wanted.split(',')]
        if '!' + name in words or (words[0][:1] != '!' and name not in words):
            raise Refused(f'authentication method requirement "{wanted}" failed: {request}\n')

    def _check_target(self):
        wanted = self.options.get('target_session_attrs', 'any')
        standby = self.parameters.get('in_hot_standby') == 'on'
        readonly = standby or self.parameters.get('default_transaction_read_only') == 'on'
        wrong = {'read-write': (readonly, 'session is read-only'), 'read-only': (not readonly, 'session is not read-only'),
                 'primary': (standby, 'server is in hot standby mode'),
                 'standby': (not standby, 'server is not in hot standby mode')}.get(wanted)
        if wrong and wrong[0]:
            raise CannotConnect(wrong[1] + '\n')


def _not_postgres(kind):
    return f'expected authentication request from server, but received {chr(kind)}\n'


def _network_text(target, error):
    if isinstance(error, TimeoutError):
        return 'timeout expired\n'
    return target.refused(error.errno or errno.ECONNREFUSED)
