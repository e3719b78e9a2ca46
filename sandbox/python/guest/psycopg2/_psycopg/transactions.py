"""Transactions of a connection: BEGIN and its characteristics, commit, two-phase commit.

A base class of connection, kept apart because it is one subject. Source: psycopg2's manual, "Transactions control".
"""

from . import xid as xids
from .errors import InterfaceError, ProgrammingError
from .handshake import IDLE

STATUS_SETUP, STATUS_READY, STATUS_BEGIN, STATUS_PREPARED = 0, 1, 2, 5
_LEVELS = {1: 'READ COMMITTED', 2: 'REPEATABLE READ', 3: 'SERIALIZABLE', 4: 'READ UNCOMMITTED'}
_LEVEL_OF = {name: level for level, name in _LEVELS.items()}
_KEEP = object()  # an argument that was not given


def _level(value):
    """The number of an isolation level given as number or name; None for the server's default."""
    if value is None:
        return None
    if isinstance(value, int):
        if value not in _LEVELS:
            raise ValueError('isolation_level must be between 1 and 4')
        return value
    if isinstance(value, bytes):
        value = value.decode('ascii', 'replace')
    if not isinstance(value, str):
        raise TypeError(f'Expected bytes or unicode string, got {type(value).__name__} instead')
    if value.lower() == 'default':
        return None
    try:
        return _LEVEL_OF[value.upper()]
    except KeyError:
        raise ValueError(f"bad value for isolation_level: '{value}'") from None


def _switch(value):
    """True, False, or None for the server's default."""
    if value is None:
        return None
    if isinstance(value, (str, bytes)):
        text = value.decode('ascii', 'replace') if isinstance(value, bytes) else value
        if text.lower() == 'default':
            return None
        raise ValueError(f"the only string accepted is 'default'; got {text}")
    return bool(value)


class Transactions:
    """What connection inherits."""

    _isolation = _readonly = _deferrable = None
    _autocommit = False
    _xid = None
    _entered = False   # inside a "with connection" block
    _generation = 0    # counts the ends of transactions: a named cursor lives in one

    def _begin_statement(self):
        words = ['BEGIN']
        if self._isolation is not None:
            words.append('ISOLATION LEVEL ' + _LEVELS[self._isolation])
        if self._readonly is not None:
            words.append('READ ONLY' if self._readonly else 'READ WRITE')
        if self._deferrable is not None:
            words.append('DEFERRABLE' if self._deferrable else 'NOT DEFERRABLE')
        return ' '.join(words).encode()

    def _must_begin(self):
        return self.status == STATUS_READY and (not self._autocommit or self._entered)

    def commit(self):
        """commit() -- Commit all changes to database."""
        self._check_usable('commit')
        self._check_no_xid('commit')
        self._end(b'COMMIT')

    def rollback(self):
        """rollback() -- Roll back all changes done to database."""
        self._check_usable('rollback')
        self._check_no_xid('rollback')
        self._end(b'ROLLBACK')

    def _end(self, statement):
        with self._lock:
            if self.status != STATUS_BEGIN:
                return
            self._generation += 1
            try:
                self._run(statement)
            finally:
                # A commit that fails has ended the transaction too; an unread answer is read by the next statement.
                if not self.closed and (self._session.transaction == IDLE or self._session.busy):
                    self.status = STATUS_READY

    def __enter__(self):
        """__enter__ -> self"""
        self._check_open()
        if self._entered:
            raise ProgrammingError('the connection cannot be re-entered recursively')
        self._entered = True
        return self

    def __exit__(self, kind, value, traceback):
        """__exit__ -- commit if no exception, else roll back"""
        try:
            if kind is None:
                self.commit()
            else:
                self.rollback()
        finally:
            self._entered = False
        return None

    # -- characteristics ----------------------------------------------------------------------------------------------

    def _check_session_change(self, what):
        self._check_usable(what)
        if self.status != STATUS_READY:
            raise ProgrammingError(f'{what} cannot be used inside a transaction')
        self._check_not_prepared(what)

    def set_session(self, isolation_level=_KEEP, readonly=_KEEP, deferrable=_KEEP, autocommit=_KEEP):
        """set_session(...) -- Set one or more parameters for the next transactions.

        Accepted arguments are 'isolation_level', 'readonly', 'deferrable', 'autocommit'.
        """
        self._check_session_change('set_session')
        # None means "as before" here, unlike for the attributes.
        isolation = self._isolation if isolation_level in (_KEEP, None) else _level(isolation_level)
        only = self._readonly if readonly in (_KEEP, None) else _switch(readonly)
        defer = self._deferrable if deferrable in (_KEEP, None) else _switch(deferrable)
        auto = self._autocommit if autocommit in (_KEEP, None) else bool(autocommit)
        self._set_session(isolation, only, defer, auto)

    def _set_session(self, isolation, readonly, deferrable, autocommit):
        """In autocommit mode there is no BEGIN to carry the characteristics, so the session's defaults carry them."""
        if autocommit:
            wanted = (isolation, readonly, deferrable)
            known = (self._isolation, self._readonly, self._deferrable) if self._autocommit else (None,) * 3
        elif self._autocommit:
            wanted, known = (None,) * 3, (self._isolation, self._readonly, self._deferrable)
        else:
            wanted = known = ()
        names = ('default_transaction_isolation', 'default_transaction_read_only', 'default_transaction_deferrable')
        for name, new, old in zip(names, wanted, known):
            if new != old:
                self._set_parameter(name, new)
        self._isolation, self._readonly, self._deferrable = isolation, readonly, deferrable
        self._autocommit = autocommit

    def _set_parameter(self, name, value):
        if value is None:
            text = 'DEFAULT'
        elif isinstance(value, bool):
            text = "'on'" if value else "'off'"
        else:
            text = f"'{_LEVELS.get(value, value).lower()}'" if isinstance(value, int) else f"'{value}'"
        self._run(f'SET {name} TO {text}'.encode())

    @property
    def autocommit(self):
        """Set or return the autocommit status."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value):
        self._check_session_change('autocommit')
        self._set_session(self._isolation, self._readonly, self._deferrable, bool(value))

    @property
    def isolation_level(self):
        """Set or return the connection transaction isolation level."""
        return self._isolation

    @isolation_level.setter
    def isolation_level(self, value):
        self._check_session_change('isolation_level')
        self._set_session(_level(value), self._readonly, self._deferrable, self._autocommit)

    @property
    def readonly(self):
        """Set or return the connection read-only status."""
        return self._readonly

    @readonly.setter
    def readonly(self, value):
        self._check_session_change('readonly')
        self._set_session(self._isolation, _switch(value), self._deferrable, self._autocommit)

    @property
    def deferrable(self):
        """Set or return the connection deferrable status."""
        return self._deferrable

    @deferrable.setter
    def deferrable(self, value):
        self._check_session_change('deferrable')
        self._set_session(self._isolation, self._readonly, _switch(value), self._autocommit)

    def set_isolation_level(self, level):
        """set_isolation_level(level) -- Switch isolation level to ``level``."""
        self._check_usable('set_isolation_level')
        self._check_not_prepared('set_isolation_level')
        if isinstance(level, int) and not 0 <= level <= 4:
            raise ValueError('isolation level must be between 0 and 4')
        level = level if level == 0 else _level(level)
        self._end(b'ROLLBACK')
        if level == 0:
            self._set_session(None, self._readonly, self._deferrable, True)
        else:
            self._set_session(level, self._readonly, self._deferrable, False)

    # -- two-phase commit ---------------------------------------------------------------------------------------------

    def _check_no_xid(self, what):
        if self._xid is not None:
            raise ProgrammingError(f'{what} cannot be used during a two-phase transaction')

    def _check_not_prepared(self, what):
        if self.status == STATUS_PREPARED:
            raise ProgrammingError(f'{what} cannot be used with a prepared two-phase transaction')

    def xid(self, format_id, gtrid, bqual):
        """xid(format_id, gtrid, bqual) -- create a transaction identifier."""
        self._check_open()
        return xids.Xid(format_id, gtrid, bqual)

    def tpc_begin(self, xid):
        """tpc_begin(xid) -- begin a TPC transaction with given transaction ID xid."""
        self._check_usable('tpc_begin')
        self._check_not_prepared('tpc_begin')
        xid = xids.ensure(xid)
        if self.status != STATUS_READY:
            raise ProgrammingError('tpc_begin must be called outside a transaction')
        if self._autocommit:
            raise ProgrammingError("tpc_begin can't be called in autocommit mode")
        self._begin()
        self._xid = xid

    def tpc_prepare(self):
        """tpc_prepare() -- perform the first phase of a two-phase transaction."""
        self._check_usable('tpc_prepare')
        self._check_not_prepared('tpc_prepare')
        if self._xid is None:
            raise ProgrammingError('prepare must be called inside a two-phase transaction')
        self._tpc('PREPARE TRANSACTION', self._xid)
        self.status = STATUS_PREPARED

    def tpc_commit(self, xid=None):
        """tpc_commit([xid]) -- commit a transaction previously prepared."""
        self._tpc_finish('tpc_commit', xid, b'COMMIT', 'COMMIT PREPARED')

    def tpc_rollback(self, xid=None):
        """tpc_rollback([xid]) -- abort a transaction previously prepared."""
        self._tpc_finish('tpc_rollback', xid, b'ROLLBACK', 'ROLLBACK PREPARED')

    def _tpc_finish(self, what, xid, one_phase, two_phase):
        self._check_usable(what)
        if xid is not None:
            if self.status != STATUS_READY:
                raise ProgrammingError(
                    'tpc_commit/tpc_rollback with a xid must be called outside a transaction')
            self._tpc(two_phase, xids.ensure(xid))
            return
        if self._xid is None:
            raise ProgrammingError(
                'tpc_commit/tpc_rollback with no parameter must be called in a two-phase transaction')
        if self.status == STATUS_BEGIN:
            self._end(one_phase)
        elif self.status == STATUS_PREPARED:
            self._tpc(two_phase, self._xid)
            self.status = STATUS_READY
        else:
            raise InterfaceError('unexpected state in tpc_commit/tpc_rollback')
        self._xid = None

    def _tpc(self, command, xid):
        literal = self._quote_literal(str(xid))
        self._generation += 1
        self._run(command.encode() + b' ' + literal)

    def tpc_recover(self):
        """tpc_recover() -- returns a list of pending transaction IDs."""
        from .cursor import cursor
        self._check_usable('tpc_recover')
        self._check_not_prepared('tpc_recover')
        status = self.status
        reader = cursor(self)
        reader.execute('SELECT gid, prepared, owner, database FROM pg_prepared_xacts')
        found = []
        for gid, prepared, owner, database in reader.fetchall():
            xid = xids.Xid.from_string(gid)
            xid.prepared, xid.owner, xid.database = prepared, owner, database
            found.append(xid)
        reader.close()
        if status == STATUS_READY and self.status == STATUS_BEGIN:
            self.rollback()
        return found
