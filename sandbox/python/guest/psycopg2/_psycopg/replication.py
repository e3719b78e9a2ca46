"""Streaming replication: connections and cursors that receive WAL from the server.

psycopg2.extras builds its classes on these. Source: PostgreSQL manual, protocol-replication.html.
"""

import datetime as dt
import select
import time
from struct import Struct

from .connection import connection
from .cursor import cursor
from .errors import ProgrammingError
from .session import Lost

REPLICATION_PHYSICAL, REPLICATION_LOGICAL = 12345678, 87654321
_EPOCH = 946684800          # 2000-01-01 in Unix time
_DATA = Struct('!cqqq')     # 'w', start, end of WAL, microseconds
_ALIVE = Struct('!cqqB')    # 'k', end of WAL, microseconds, answer at once
_FEEDBACK = Struct('!cqqqqB')


def _forbidden(name):
    def refuse(self, *value):
        access = 'writable' if value else 'readable'
        raise AttributeError(f"attribute '{name}' of 'psycopg2.extensions.ReplicationConnection' objects is not {access}")
    return property(refuse, refuse)


class ReplicationConnection(connection):
    """A replication connection."""

    __module__ = 'psycopg2.extensions'

    def __init__(self, dsn, async_=0, replication_type=None, **other):
        from psycopg2 import extras
        from psycopg2.extensions import make_dsn
        kinds = {REPLICATION_PHYSICAL: 'true', REPLICATION_LOGICAL: 'database'}
        if replication_type not in kinds:
            raise TypeError('replication_type must be either REPLICATION_PHYSICAL or REPLICATION_LOGICAL')
        self._type = replication_type
        self._autocommit = True  # a walsender knows no BEGIN
        super().__init__(make_dsn(dsn, replication=kinds[replication_type]), async_, **other)
        self._autocommit = True
        self.cursor_factory = extras.ReplicationCursor

    @property
    def replication_type(self):
        """replication connection type"""
        return self._type

    def _needs_datestyle(self):
        return self._type == REPLICATION_LOGICAL and super()._needs_datestyle()


for _name in ('autocommit', 'isolation_level', 'reset', 'set_isolation_level', 'set_session'):
    setattr(ReplicationConnection, _name, _forbidden(_name))


class ReplicationMessage:
    """A replication protocol message."""

    __module__ = 'psycopg2.extensions'
    __slots__ = ('cursor', 'payload', 'data_size', 'data_start', 'wal_end', '_micro')

    def __init__(self, cursor, payload, data_size, data_start, wal_end, micro):
        self.cursor, self.payload, self.data_size = cursor, payload, data_size
        self.data_start, self.wal_end, self._micro = data_start, wal_end, micro

    def __repr__(self):
        def lsn(value):
            return f'{value >> 32:X}/{value & 0xffffffff:x}'
        return (f'<ReplicationMessage object at {id(self):#x}; data_size: {self.data_size}; data_start:'
                f' {lsn(self.data_start)}; wal_end: {lsn(self.wal_end)}; send_time: {self._micro}>')

    @property
    def send_time(self):
        """send_time - Timestamp of the replication message departure from the server."""
        return dt.datetime.fromtimestamp(_EPOCH + self._micro / 1e6)


class ReplicationCursor(cursor):
    """A database replication cursor."""

    __module__ = 'psycopg2.extensions'

    wal_end = 0
    _consuming = False
    _decodes = False
    _interval = 10.0                 # seconds between feedback messages
    _written = _flushed = _applied = 0
    _last_io = _last_feedback = 0.0  # Unix time

    @property
    def autocommit(self):
        return True

    @property
    def io_timestamp(self):
        """the timestamp of latest IO with the server"""
        return dt.datetime.fromtimestamp(self._last_io)

    @property
    def feedback_timestamp(self):
        """the timestamp of the latest feedback message sent to the server"""
        return dt.datetime.fromtimestamp(self._last_feedback)

    def start_replication_expert(self, command, decode=False, status_interval=10):
        """start_replication_expert(command, decode=False, status_interval=10) -- Start replication with a given command."""
        self._check_open()
        self.connection._check_idle('start_replication_expert')
        self.connection._check_not_prepared('start_replication_expert')
        if status_interval < 1.0:
            raise ProgrammingError('status_interval must be >= 1 (sec)')
        statement = self._statement(command)
        self._decodes, self._interval = bool(decode), float(status_interval)
        self._last_io = self._last_feedback = time.time()
        if self.connection.async_:
            self._forget()
            self.connection._start(statement, self)
        else:
            self._take(self.connection._execute(statement, self, begin=False))

    def _take(self, results):
        if results[-1].copy == 'both':
            self._rows = self.description = None
            return
        super()._take(results)

    # -- the stream ---------------------------------------------------------------------------------------------------

    def _guarded(self, step, *arguments):
        try:
            return step(*arguments)
        except Lost as lost:
            self.connection._raise_lost(lost, self)

    def read_message(self):
        """read_message() -- Try reading a replication message from the server (non-blocking)."""
        self._check_open()
        self.connection._check_not_prepared('read_message')
        session = self.connection._session
        while True:
            if session.chunks:
                found = self._understood(session.chunks.pop(0))
                if found is not None:
                    return found
                continue
            if session.copy != 'both':
                self._stream_ended(session)
                return None
            if not select.select([session.socket], (), (), 0)[0] and not self._guarded(session.advance):
                if not session.chunks:
                    self._feedback_if_due()
                    return None
                continue
            if self._guarded(session.receive):
                self._last_io = time.time()
                self._guarded(session.advance)

    def _stream_ended(self, session):
        from .connection import raise_report
        if session.busy:
            self._guarded(session.wait)
        for result in session.results:
            if result.error is not None:
                raise_report(result.error, self)

    def _understood(self, chunk):
        """The message of a piece of the stream; None for one that only keeps the connection alive."""
        if chunk[:1] == b'w':
            _, start, end, micro = _DATA.unpack_from(chunk)
            payload = chunk[_DATA.size:]
            self.wal_end = end
            size = len(payload)
            if self._decodes:
                payload = self.connection._decode(payload)
            return ReplicationMessage(self, payload, size, start, end, micro)
        if chunk[:1] == b'k':
            _, self.wal_end, _, wants_answer = _ALIVE.unpack_from(chunk)
            if wants_answer:
                self._feedback(False)
        return None

    def _feedback_if_due(self):
        if time.time() - self._last_feedback >= self._interval:
            self._feedback(False)

    def _feedback(self, reply):
        now = time.time()
        message = _FEEDBACK.pack(b'r', self._written, self._flushed, self._applied, int((now - _EPOCH) * 1e6), reply)
        session = self.connection._session
        session.write_copy(message)
        session.flush()
        self._last_feedback = self._last_io = now

    def send_feedback(self, write_lsn=0, flush_lsn=0, apply_lsn=0, reply=False, force=False):
        """send_feedback(write_lsn=0, flush_lsn=0, apply_lsn=0, reply=False, force=False) -- Update a replication
        feedback, optionally request a reply or force sending a feedback message regardless of the timeout."""
        self._check_open()
        self._written = max(self._written, write_lsn)
        self._flushed = max(self._flushed, flush_lsn)
        self._applied = max(self._applied, apply_lsn)
        if (force or reply) and self.connection._session.copy == 'both':
            self._feedback(bool(reply))

    def consume_stream(self, consume, keepalive_interval=None):
        """consume_stream(consumer, keepalive_interval=None) -- Consume replication stream."""
        self._check_open()
        self._check_sync('consume_stream')
        self.connection._check_not_prepared('consume_stream')
        if keepalive_interval is not None:
            if keepalive_interval < 1.0:
                raise ProgrammingError('keepalive_interval must be >= 1 (sec)')
            self._interval = float(keepalive_interval)
        if self._consuming:
            raise ProgrammingError('consume_stream cannot be used when already in the consume_stream loop')
        session = self.connection._session
        if session.copy != 'both':
            raise ProgrammingError('consume_stream: not replicating, call start_replication first')
        self._consuming = True
        try:
            while True:
                message = self.read_message()
                if message is not None:
                    consume(message)
                elif session.copy != 'both':
                    return
                else:
                    due = self._last_feedback + self._interval - time.time()
                    select.select([session.socket], (), (), max(due, 0))
        finally:
            self._consuming = False
