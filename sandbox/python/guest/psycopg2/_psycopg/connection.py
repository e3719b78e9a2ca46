"""The connection object, and the functions of the module that make one or need one.

It owns a Session, turns what the server reports into exceptions, notices and notifies, and hands out cursors.
"""

import threading
import weakref

from . import dsn as dsns, errors, green, report
from .adapt import QuotedString, Unconnected
from .conninfo import ConnectionInfo
from .encodings import clean
from .errors import InterfaceError, OperationalError, ProgrammingError
from .handshake import READ, UNKNOWN, WRITE
from .notify import Notify
from .session import Lost, Session
from .sqlstates import class_for
from .transactions import STATUS_BEGIN, STATUS_PREPARED, STATUS_READY, STATUS_SETUP, Transactions

POLL_OK, POLL_READ, POLL_WRITE = 0, READ, WRITE
_NOTICES_KEPT = 50
_CONNECTING = 20  # a status of psycopg2's own between SETUP and READY
_SET_DATESTYLE = b"SET DATESTYLE TO 'ISO'"


def ensure_text(value):
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise TypeError(f'Expected bytes or unicode string, got {type(value).__name__} instead')
    return value


def parse_dsn(dsn):
    """parse_dsn(dsn) -> dict -- parse a connection string into parameters"""
    try:
        return dsns.parse(ensure_text(dsn))
    except dsns.BadDsn as bad:
        raise ProgrammingError(f'invalid dsn: {bad}') from None


def raise_report(found, cursor=None):
    """Raises the exception for an ErrorReport."""
    text = report.without_severity(found.text)
    error = class_for(found.code)(text) if found.code else errors.DatabaseError(text)
    error.pgerror, error.pgcode, error.cursor, error._fields = found.text, found.code, cursor, found.fields
    raise error


class connection(Transactions):
    """connection(dsn, ...) -> new connection object

    :Groups:
      * `DBAPI-2.0 errors`: Error, Warning, InterfaceError,
        DatabaseError, InternalError, OperationalError,
        ProgrammingError, IntegrityError, DataError, NotSupportedError
    """

    __module__ = 'psycopg2.extensions'

    # What a connection has before, or without, its __init__.
    dsn = None
    closed = 2            # 0 open, 1 closed, 2 "something horrible happened"
    status = STATUS_SETUP
    server_version = 0
    protocol_version = 3
    async_ = 0
    cursor_factory = None
    _session = None
    _pending = None       # weak reference to the cursor of a query under way
    _waiting = False      # a query was started that poll() must bring to its end

    def __init__(self, dsn, async_=0, **other):
        async_ = other.pop('async', async_)
        if other:
            raise TypeError(f"'{next(iter(other))}' is an invalid keyword argument for this function")
        text = ensure_text(dsn)
        self.dsn = text
        self.notices, self.notifies = [], []
        self.string_types, self.binary_types = {}, {}
        self._lock = threading.RLock()
        self.async_ = int(bool(async_))
        try:
            given = dsns.parse(text)
            if 'password' in given:
                self.dsn = dsns.join({**given, 'password': 'xxx'})
            options = dsns.complete(given)
        except dsns.BadDsn as bad:
            raise OperationalError(str(bad)) from None
        waits = bool(async_) or green.get_wait_callback() is not None
        self._session = Session(options, asynchronous=waits)
        self.closed = 0
        try:
            self._connect(bool(async_), waits)
        except BaseException:
            self.closed = 2
            raise

    def _connect(self, stays_async, waits):
        if not waits:
            self._session.connect()
            self._setup()
            return
        self.status = _CONNECTING
        self._autocommit = stays_async
        self._wanted = self._session.proceed()
        if not stays_async:
            green.get_wait_callback()(self)
            if self.status != STATUS_READY:
                raise OperationalError('the wait callback returned before the connection was made')
            self._session.block(True)

    def _setup(self):
        """What follows the handshake: the server's version, dates in ISO form."""
        self._take_greeting()
        if self._needs_datestyle():
            self._run(_SET_DATESTYLE)
        self.status = STATUS_READY

    def _take_greeting(self):
        parameters = self._session.parameters
        self.server_version = _version_number(parameters.get('server_version', '0'))
        Unconnected.standard_strings = not self._escape_strings
        self._take_messages()

    def _needs_datestyle(self):
        return not self._session.parameters.get('DateStyle', 'ISO').startswith('ISO')

    def __repr__(self):
        return f"<connection object at {id(self):#x}; dsn: '{self.dsn}', closed: {int(self.closed)}>"

    # -- checks -------------------------------------------------------------------------------------------------------

    def _check_open(self):
        if self.closed:
            raise InterfaceError('connection already closed')

    def _check_usable(self, what):
        self._check_open()
        if self.async_:
            raise ProgrammingError(f'{what} cannot be used in asynchronous mode')

    def _check_idle(self, what):
        if self._waiting:
            raise ProgrammingError(f'{what} cannot be used while an asynchronous query is underway')

    # -- text ---------------------------------------------------------------------------------------------------------

    @property
    def _codec(self):
        return self._session.codec

    def _decode(self, raw):
        return self._session.codec.decode(raw)[0]

    def _encode(self, text):
        return self._session.codec.encode(text)[0]

    @property
    def _escape_strings(self):
        return self._session.parameters.get('standard_conforming_strings') == 'off'

    def _quote_literal(self, text):
        literal = QuotedString(text)
        literal.prepare(self)
        return literal.getquoted()

    @property
    def encoding(self):
        """The current client encoding."""
        return clean(self._session.parameters.get('client_encoding', '')) if self._session else None

    def set_client_encoding(self, encoding):
        """set_client_encoding(encoding) -- Set client encoding to ``encoding``."""
        self._check_usable('set_client_encoding')
        self._check_not_prepared('set_client_encoding')
        name = clean(ensure_text(encoding))
        if name == self.encoding:
            return
        self._end(b'ROLLBACK')
        self._set_parameter('client_encoding', name)

    # -- exchanges ----------------------------------------------------------------------------------------------------

    def _run(self, *statements, cursor=None):
        """Runs statements (bytes) to their end and returns the results of the last. Raises what the server reports."""
        with self._lock:
            if self._session.socket is None:
                self._check_open()
            try:
                if green.get_wait_callback() is not None and not self.async_:
                    results = self._run_green(statements)
                else:
                    results = self._session.run(*statements)
            except Lost as lost:
                self._raise_lost(lost, cursor)
            finally:
                self._take_messages()
        for result in results:
            if result.error is not None:
                self._note_fatal()
                raise_report(result.error, cursor)
        return results

    def _run_green(self, statements):
        callback, session = green.get_wait_callback(), self._session
        results = []
        for statement in statements:
            session.block(False)
            try:
                session.begin(statement)
                self._waiting = True
                callback(self)
                results = session.results
            except Lost:
                raise
            except BaseException:
                # Whoever waits has failed, and there is no other way to learn where the protocol stands.
                self._abandon()
                raise
            finally:
                self._waiting = False
            session.block(True)
        return results

    def _abandon(self):
        self._session.close()
        self.closed = 2

    def _raise_lost(self, lost, cursor=None):
        self.closed = 2
        self._waiting, self._pending = False, None
        error = OperationalError(str(lost))
        error.pgerror, error.cursor = str(lost), cursor
        raise error from None

    def _note_fatal(self):
        """A FATAL error is the last word of a server that hangs up."""
        if self._session.socket is None:
            self.closed = 2

    def _begin(self):
        self._run(self._begin_statement())
        self.status = STATUS_BEGIN

    def _execute(self, statement, cursor, begin=True):
        """Runs a cursor's statement, in a transaction if there must be one."""
        with self._lock:
            if not (begin and self._must_begin()):
                return self._run(statement, cursor=cursor)
            opening = self._begin_statement()
            if opening == b'BEGIN' and green.get_wait_callback() is None:
                # A bare BEGIN can't fail, so it needs no round trip of its own.
                self.status = STATUS_BEGIN
                return self._run(opening, statement, cursor=cursor)
            self._begin()
            return self._run(statement, cursor=cursor)

    def _start(self, statement, cursor):
        """Sends a statement on an asynchronous connection; poll() brings its result."""
        try:
            self._session.begin(statement)
        except Lost as lost:
            self._raise_lost(lost, cursor)
        self._waiting, self._pending = True, weakref.ref(cursor)

    def _take_messages(self):
        """Moves what the server said beside its answers to notices and notifies."""
        session = self._session
        if session.notices:
            said, session.notices = session.notices, []
            try:
                for text in said:
                    self.notices.append(text)
                if isinstance(self.notices, list) and len(self.notices) > _NOTICES_KEPT:
                    del self.notices[:-_NOTICES_KEPT]
            except Exception:
                pass  # notices may be anything that the learner put there; psycopg2 lets it fail quietly
        if session.notifies:
            said, session.notifies = session.notifies, []
            if hasattr(self.notifies, 'append'):
                for message in said:
                    self.notifies.append(Notify(*message))

    def poll(self):
        """poll() -> int -- Advance the connection or query process without blocking."""
        self._check_open()
        try:
            if self.status == _CONNECTING:
                return self._poll_connecting()
            state = self._poll_query()
        except Lost as lost:
            self._raise_lost(lost, self._pending and self._pending())
        finally:
            self._take_messages()
        if state == POLL_OK and self._pending is not None:
            self._deliver()
        return state

    def _poll_connecting(self):
        session = self._session
        if self._wanted is not None:
            try:
                self._wanted = session.proceed()
            except OperationalError:
                self.closed = 2
                raise
            if self._wanted is not None:
                return self._wanted
            self._take_greeting()
            if self._needs_datestyle():
                session.begin(_SET_DATESTYLE)
        if not session.flush():
            return POLL_WRITE
        if session.busy:
            session.receive()
            if not session.advance():
                return POLL_READ
        self.status = STATUS_READY
        return POLL_OK

    def _poll_query(self):
        session = self._session
        if not session.flush():
            return POLL_WRITE
        if not self._waiting:
            if not session.busy and not session.copy:
                session.receive_now()
                session.advance()
            return POLL_OK
        if not session.advance():
            session.receive()
            if not session.advance():
                return POLL_READ
        self._waiting = False
        return POLL_OK

    def _deliver(self):
        """Gives the results of an asynchronous query to the cursor that asked."""
        reference, self._pending = self._pending, None
        cursor = reference()
        if cursor is None:
            raise InterfaceError('the asynchronous cursor has disappeared')
        for result in self._session.results:
            if result.error is not None:
                raise_report(result.error, cursor)
        cursor._take(self._session.results)

    # -- the public rest ----------------------------------------------------------------------------------------------

    def cursor(self, name=None, cursor_factory=None, withhold=False, scrollable=None):
        """cursor(name=None, cursor_factory=extensions.cursor, withhold=False) -- new cursor

        Return a new cursor.

        The ``cursor_factory`` argument can be used to create non-standard cursors by passing a class different from the
        default. Note that the new class *should* be a sub-class of `extensions.cursor`.

        :rtype: `extensions.cursor`
        """
        from .cursor import cursor
        self._check_open()
        if self.status not in (STATUS_READY, STATUS_BEGIN, STATUS_PREPARED):
            raise OperationalError('asynchronous connection attempt underway')
        if name is not None:
            name = ensure_text(name)
            if self.async_:
                raise ProgrammingError('asynchronous connections cannot produce named cursors')
        factory = cursor_factory or self.cursor_factory or cursor
        made = factory(self, name)
        if not isinstance(made, cursor):
            raise TypeError('cursor factory must be subclass of psycopg2.extensions.cursor')
        if withhold:
            made.withhold = withhold
        if scrollable is not None:
            made.scrollable = scrollable
        return made

    def lobject(self, oid=0, mode=None, new_oid=0, new_file=None, lobject_factory=None):
        """lobject(oid=0, mode=0, new_oid=0, new_file=None, lobject_factory=extensions.lobject) -- new lobject

        Return a new lobject.

        :rtype: `extensions.lobject`
        """
        from .lobject import lobject
        self._check_usable('lobject')
        self._check_not_prepared('lobject')
        made = (lobject_factory or lobject)(self, oid, mode, new_oid, new_file)
        if not isinstance(made, lobject):
            raise TypeError('lobject factory must be subclass of psycopg2.extensions.lobject')
        return made

    def close(self):
        """close() -- Close the connection."""
        if self.closed == 1 or self._session is None:
            return
        with self._lock:
            self.closed = 1
            self._session.close()

    def cancel(self):
        """cancel() -- cancel the current operation"""
        self._check_open()
        self._check_not_prepared('cancel')
        if self.status == _CONNECTING:
            raise OperationalError('asynchronous connection attempt underway')
        problem = self._session.cancel()
        if problem is not None:
            raise OperationalError(f'cancel request failed: {problem.strerror or problem}')

    def reset(self):
        """reset() -- Reset current connection to defaults."""
        self._check_usable('reset')
        with self._lock:
            self._generation += 1
            if self.status == STATUS_BEGIN and not self._autocommit:
                self._run(b'ABORT')
            self._run(b'RESET ALL')
            self._run(b'SET SESSION AUTHORIZATION DEFAULT')
            self._isolation = self._readonly = self._deferrable = self._xid = None
            self._autocommit = False
            self._setup()

    def fileno(self):
        """fileno() -> int -- Return file descriptor associated to database connection."""
        self._check_open()
        return self._session.socket.fileno()

    def isexecuting(self):
        """isexecuting() -> bool -- Return True if the connection is executing an asynchronous operation."""
        return bool(self.async_) and (self._waiting or self.status == _CONNECTING)

    def get_backend_pid(self):
        """get_backend_pid() -- Get backend process id."""
        self._check_open()
        return self._session.pid

    def get_parameter_status(self, parameter):
        """get_parameter_status(parameter) -- Get backend parameter status.

        If server did not report requested parameter, None is returned.
        """
        self._check_open()
        return self._session.parameters.get(parameter)

    def get_transaction_status(self):
        """get_transaction_status() -- Get backend transaction status."""
        return self._session.transaction if self._session is not None else UNKNOWN

    def get_dsn_parameters(self):
        """get_dsn_parameters() -- Get effective connection parameters."""
        self._check_open()
        return dsns.shown(self._session.options)

    def get_native_connection(self):
        """get_native_connection() -- Return the object that speaks to the server."""
        self._check_open()
        return self._session

    @property
    def info(self):
        """info -- Get connection info."""
        return ConnectionInfo(self)

    pgconn_ptr = None  # there is no PGconn structure to point at


for _error in errors.DBAPI:
    setattr(connection, _error.__name__, property(lambda self, error=_error: error, doc=_error.__doc__))
setattr(connection, 'async', property(lambda self: self.async_, doc='True if the connection is asynchronous.'))


def _version_number(text):
    """180004 for "18.4", 90605 for "9.6.5"."""
    parts = []
    for part in text.split(' ')[0].split('.'):
        digits = ''.join(c for i, c in enumerate(part) if part[:i + 1].isdigit())
        parts.append(int(digits or 0))
    parts += [0, 0]
    if parts[0] >= 10:
        return parts[0] * 10000 + parts[1]
    return parts[0] * 10000 + parts[1] * 100 + parts[2]


def _connect(dsn, connection_factory=None, **kwasync):
    """_connect(dsn, [connection_factory], [async]) -- New database connection."""
    return (connection_factory or connection)(dsn, **kwasync)
