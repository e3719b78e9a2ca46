"""The cursor object: statements, results, named cursors on the server.

COPY has a module of its own. A cursor belongs to a connection, which does all the talking.
"""

from datetime import timezone

from . import typecasts
from .column import from_field
from .copying import Copying, refuse_copy
from .errors import InterfaceError, NotSupportedError, ProgrammingError
from .merge import merge
from .scope import quote_ident
from .wire import data_row, data_tuples


def _text_of(query):
    """A sql.Composable is the only object beside strings that can be a query; imported late as it imports us."""
    from psycopg2.sql import Composable
    if isinstance(query, Composable):
        return True
    raise TypeError(
        f'argument 1 must be a string or unicode object: got {type(query).__name__} instead')


class cursor(Copying):
    """A database cursor."""

    __module__ = 'psycopg2.extensions'

    connection = None      # the connection this cursor is bound to
    name = None
    arraysize = 1
    itersize = 2000        # rows that iteration over a named cursor asks for at once
    row_factory = None
    tzinfo_factory = timezone
    typecaster = None
    string_types = None
    binary_types = None
    description = None
    rowcount = -1
    rownumber = 0
    lastrowid = 0
    query = None
    statusmessage = None
    pgresult_ptr = None
    _closed = True
    _rows = None           # DataRow payloads of the last result, None for a statement that returns none
    _converters = ()
    _needs_cursor = False
    _withhold = False
    _scrollable = None
    _generation = 0        # of the transaction that a named cursor was made in

    def __init__(self, conn, name=None):
        from .connection import connection
        if not isinstance(conn, connection):
            raise TypeError(f'argument 1 must be psycopg2.extensions.connection, not {type(conn).__name__}')
        self.connection, self.name = conn, name
        self._closed = False
        self._generation = conn._generation

    def __repr__(self):
        return f'<cursor object at {id(self):#x}; closed: {int(self._closed)}>'

    # -- checks -------------------------------------------------------------------------------------------------------

    def _check_open(self):
        if self.connection is None:
            raise InterfaceError('the cursor has no connection')
        if self._closed or self.connection.closed:
            raise InterfaceError('cursor already closed')

    def _check_fetch(self, what):
        self._check_open()
        self.connection._check_idle(what)
        if self._rows is None and self.name is None:
            raise ProgrammingError('no results to fetch')

    def _check_valid(self):
        if self._generation != self.connection._generation and not self._withhold:
            raise ProgrammingError("named cursor isn't valid anymore")

    @property
    def closed(self):
        """True if cursor is closed, False if cursor is open"""
        return self._closed or self.connection is None or bool(self.connection.closed)

    # -- statements ---------------------------------------------------------------------------------------------------

    def _statement(self, query):
        """The bytes of a query. Raises ProgrammingError for an empty one."""
        if not isinstance(query, (str, bytes)) and query is not None and _text_of(query):
            query = query.as_string(self)
        if isinstance(query, str):
            query = self.connection._encode(query)
        if not query:
            raise ProgrammingError("can't execute an empty query")
        return query

    def _merged(self, query, vars):
        statement = self._statement(query)
        return statement if vars is None else merge(statement, vars, self.connection)

    def execute(self, query, vars=None):
        """execute(query, vars=None) -- Execute query with bound vars."""
        if self.name is not None:
            self._check_declarable()
        self._check_open()
        self.connection._check_idle('execute')
        self.connection._check_not_prepared('execute')
        statement = self._merged(query, vars)
        if self.name is None:
            self._execute(statement)
        else:
            self._declare(statement)

    def _check_declarable(self):
        if self.query is not None:
            raise ProgrammingError("can't call .execute() on named cursors more than once")
        conn = self.connection
        if conn is not None and conn.autocommit and not self._withhold and not conn._entered:
            raise ProgrammingError("can't use a named cursor outside of transactions")
        if conn is not None:
            self._check_valid()

    def _declare(self, statement):
        scroll = {None: b'', True: b'SCROLL ', False: b'NO SCROLL '}[self._scrollable]
        hold = b'WITH' if self._withhold else b'WITHOUT'
        self._execute(b'DECLARE %s %sCURSOR %s HOLD FOR %s' % (self._quoted_name(), scroll, hold, statement))

    def _quoted_name(self):
        return self.connection._encode(quote_ident(self.name, self.connection))

    def _execute(self, statement):
        conn = self.connection
        self._forget()
        self.query = statement
        end = statement.find(b'\0')
        sent = statement if end < 0 else statement[:end]  # what C's strings would make of it
        if conn.async_:
            conn._start(sent, self)
        else:
            self._take(conn._execute(sent, self))

    def _forget(self):
        self._rows = self.description = self.statusmessage = None
        self.rowcount, self.rownumber, self.lastrowid = -1, 0, 0

    def _take(self, results):
        """Makes the last of a statement's results the current one."""
        result = results[-1]
        if result.copy:
            refuse_copy(self.connection, result.copy)
        if result.empty:
            raise ProgrammingError("can't execute an empty query")
        self.statusmessage, self.rownumber = result.tag, 0
        if result.fields is None:
            self._rows = self.description = None
            self.rowcount, self.lastrowid = result.affected(), result.last_oid()
            return
        self._rows, self.rowcount, self.lastrowid = result.rows, len(result.rows), 0
        self._describe(result.fields)

    def _describe(self, fields):
        decode = self.connection._decode
        self.description = tuple([from_field(field, decode(field.name)) for field in fields])
        casters = [typecasts.find(field.type, self) for field in fields]
        self._needs_cursor = any([caster.needs_cursor for caster in casters])
        bound = [caster.bind(self) for caster in casters]
        self._converters = (
            [(convert, caster.needs_cursor) for convert, caster in zip(bound, casters)] if self._needs_cursor else bound)

    def executemany(self, query, vars_list):
        """executemany(query, vars_list) -- Execute many queries with bound vars."""
        if self.name is not None:
            raise ProgrammingError("can't call .executemany() on named cursors")
        self._check_open()
        self.connection._check_idle('executemany')
        self._check_sync('executemany')
        self.connection._check_not_prepared('executemany')
        self._statement(query)
        total = 0
        for vars in vars_list:
            self.execute(query, vars)
            total = -1 if self.rowcount < 0 or total < 0 else total + self.rowcount
        self._rows = self.description = None
        self.rowcount = total

    def _check_sync(self, what):
        if self.connection.async_:
            raise ProgrammingError(f'{what} cannot be used in asynchronous mode')

    def mogrify(self, query, vars=None):
        """mogrify(query, vars=None) -> str -- Return query after vars binding."""
        return self._merged(query, vars)

    def callproc(self, procname, parameters=None):
        """callproc(procname, parameters=None) -- Execute stored procedure."""
        if self.name is not None:
            raise ProgrammingError("can't call .callproc() on named cursors")
        self._check_open()
        self.connection._check_idle('callproc')
        self.connection._check_not_prepared('callproc')
        if isinstance(parameters, dict):
            for key in parameters:
                if not isinstance(key, (str, bytes)):
                    raise TypeError(f'Expected bytes or unicode string, got {type(key).__name__} instead')
            slots = ','.join(quote_ident(key, self).replace('%', '%%') + ':=%s' for key in parameters)
            values = list(parameters.values())
        elif parameters is None:
            slots, values = '', []
        else:
            slots, values = ','.join(['%s'] * len(parameters)), parameters
        query = f'SELECT * FROM {procname}({slots})'
        self.execute(query, values if values else None)
        return parameters

    # -- results ------------------------------------------------------------------------------------------------------

    def _fetch_named(self, how):
        self._check_valid()
        self.connection._check_not_prepared('fetch')
        self._send_named(b'FETCH FORWARD %s FROM ' % how)

    def _send_named(self, statement):
        results = self.connection._execute(statement + self._quoted_name(), self, begin=not self._withhold)
        self._take(results)

    def _row(self, payload):
        values = data_row(payload)
        if self._needs_cursor:
            values = [convert(value, self) if wants else None if value is None else convert(value)
                      for (convert, wants), value in zip(self._converters, values)]
        else:
            values = [None if value is None else convert(value) for convert, value in zip(self._converters, values)]
        if self.row_factory is None:
            return tuple(values)
        row = self.row_factory(self)
        for index, value in enumerate(values):
            row[index] = value
        return row

    def _next_rows(self, count):
        """The next rows of the current result."""
        start = self.rownumber
        chosen = self._rows[start:start + count]
        if self.row_factory is None and not self._needs_cursor:
            self.rownumber += len(chosen)
            return data_tuples(chosen, self._converters)
        found = []
        for payload in chosen:
            self.rownumber += 1
            found.append(self._row(payload))
        return found

    def fetchone(self):
        """fetchone() -> tuple or None

        Return the next row of a query result set in the form of a tuple (by default) or using the sequence factory
        previously set in the `row_factory` attribute. Return `!None` when no more data is available.
        """
        self._check_fetch('fetchone')
        if self.name is not None:
            self._fetch_named(b'1')
        if self.rownumber >= len(self._rows):
            return None
        self.rownumber += 1
        return self._row(self._rows[self.rownumber - 1])

    def fetchmany(self, size=None):
        """fetchmany(size=self.arraysize) -> list of tuple

        Return the next `size` rows of a query result set in the form of a list of tuples (by default) or using the
        sequence factory previously set in the `row_factory` attribute.

        Return an empty list when no more data is available.
        """
        size = self.arraysize if size is None else size
        self._check_fetch('fetchmany')
        if self.name is not None:
            self._fetch_named(b'%d' % size)
        return self._next_rows(max(size, 0))

    def fetchall(self):
        """fetchall() -> list of tuple

        Return all the remaining rows of a query result set.

        Rows are returned in the form of a list of tuples (by default) or using the sequence factory previously set in
        the `row_factory` attribute.
        """
        self._check_fetch('fetchall')
        if self.name is not None:
            self._fetch_named(b'ALL')
        return self._next_rows(len(self._rows))

    def __iter__(self):
        return self

    def __next__(self):
        self._check_fetch('__iter__' if self.name is None else 'next')
        if self.name is not None and (self._rows is None or self.rownumber >= len(self._rows)):
            self._fetch_named(b'%d' % self.itersize)
        if self.rownumber >= len(self._rows):
            raise StopIteration
        self.rownumber += 1
        return self._row(self._rows[self.rownumber - 1])

    def scroll(self, value, mode='relative'):
        """scroll(value, mode='relative') -- Scroll to new position according to mode."""
        self._check_open()
        if mode not in ('relative', 'absolute'):
            if self.name is None:
                self._check_fetch('scroll')
            raise ProgrammingError("scroll mode must be 'relative' or 'absolute'")
        if self.name is not None:
            self._check_sync('scroll')
            self._check_valid()
            self._send_named(b'MOVE ABSOLUTE %d FROM ' % value if mode == 'absolute' else b'MOVE %d FROM ' % value)
            self.rowcount = -1
            return
        self._check_fetch('scroll')
        target = value if mode == 'absolute' else self.rownumber + value
        if not 0 <= target < len(self._rows):
            raise ProgrammingError('scroll destination out of bounds')
        self.rownumber = target

    def cast(self, oid, s):
        """cast(oid, s) -> value

        Convert the string s to a Python object according to its oid.

        Look for a typecaster first in the cursor, then in its connection, then in the global register. If no suitable
        typecaster is found, leave the value as a string.
        """
        return typecasts.find(oid, self)(s, self)

    # -- the rest -----------------------------------------------------------------------------------------------------

    def close(self):
        """close() -- Close the cursor."""
        if self._closed or self.connection is None:
            return
        self.connection._check_idle('close')
        if self.name is not None:
            self._close_named()
        self._closed = True

    def _close_named(self):
        conn = self.connection
        if conn.closed or conn.get_transaction_status() in (3, 4):  # in error, unknown: it is gone already
            return
        if self.query is not None:
            self._check_valid()
        if not self._on_server():
            return
        conn._check_not_prepared('close')
        self._send_named(b'CLOSE ')

    def _on_server(self):
        """Only the server knows of a cursor that execute() did not declare, or that outlived its transaction."""
        conn = self.connection
        if self.query is not None and conn._generation == self._generation:
            return True
        if self.query is None and conn.get_transaction_status() == 0:
            return False
        literal = conn._quote_literal(self.name)
        results = conn._run(b'SELECT 1 FROM pg_catalog.pg_cursors where name = ' + literal)
        return bool(results[-1].rows)

    def __enter__(self):
        """__enter__ -> self"""
        self._check_open()
        return self

    def __exit__(self, kind, value, traceback):
        """__exit__ -- close the cursor"""
        self.close()

    def nextset(self):
        """nextset() -- Skip to next set of data.

        This method is not supported (PostgreSQL does not have multiple data sets) and will raise a NotSupportedError
        exception.
        """
        self._check_open()
        raise NotSupportedError('not supported by PostgreSQL')

    def setinputsizes(self, sizes):
        """setinputsizes(sizes) -- Set memory areas before execute.

        This method currently does nothing but it is safe to call it.
        """
        self._check_open()

    def setoutputsize(self, size, column=None):
        """setoutputsize(size, column=None) -- Set column buffer size.

        This method currently does nothing but it is safe to call it.
        """
        self._check_open()

    @property
    def withhold(self):
        """Set or return cursor use of WITH HOLD"""
        return self._withhold

    @withhold.setter
    def withhold(self, value):
        if self.name is None:
            raise ProgrammingError('trying to set .withhold on unnamed cursor')
        self._withhold = bool(value)

    @property
    def scrollable(self):
        """Set or return cursor use of SCROLL"""
        return self._scrollable

    @scrollable.setter
    def scrollable(self, value):
        if self.name is None:
            raise ProgrammingError('trying to set .scrollable on unnamed cursor')
        self._scrollable = None if value is None else bool(value)
