"""COPY between a file object and the server; a base class of cursor."""

import io

from .connection import raise_report
from .errors import ProgrammingError
from .scope import quote_ident

_READ_SIZE = 8192  # bytes or characters asked of the file at once


def refuse_copy(connection, direction):
    """Ends a COPY that execute() started, and says which method is for it."""
    session = connection._session
    if direction == 'in':
        session.end_copy(b'use copy_from()')
    session.wait()
    word, method = ('TO', 'copy_to') if direction == 'out' else ('FROM', 'copy_from')
    raise ProgrammingError(f"can't execute COPY {word}: use the {method}() method instead")


class Copying:
    """What cursor inherits."""

    def copy_from(self, file, table, sep='\t', null='\\N', size=_READ_SIZE, columns=None):
        """copy_from(file, table, sep='\\t', null='\\\\N', size=8192, columns=None) -- Copy table from file."""
        self._check_copy('copy_from', file, 'read')
        self._copy(self._copy_statement(table, columns, 'FROM stdin', sep, null), file, size)

    def copy_to(self, file, table, sep='\t', null='\\N', columns=None):
        """copy_to(file, table, sep='\\t', null='\\\\N', columns=None) -- Copy table to file."""
        self._check_copy('copy_to', file, 'write')
        self._copy(self._copy_statement(table, columns, 'TO stdout', sep, null), file, _READ_SIZE)

    def copy_expert(self, sql, file, size=_READ_SIZE):
        """copy_expert(sql, file, size=8192) -- Submit a user-composed COPY statement.

        `file` must be an open, readable file for COPY FROM or an open, writable file for COPY TO. The optional `size`
        argument, when specified for a COPY FROM statement, will be passed to file's read method to control the read
        buffer size.
        """
        self._check_open()
        self.connection._check_idle('copy_expert')
        self._check_copy_mode('copy_expert')
        statement = self._statement(sql)
        if not hasattr(file, 'read') and not hasattr(file, 'write'):
            raise TypeError('file must be a readable file-like object for COPY FROM; a writable file-like object '
                            'for COPY TO.')
        self._copy(statement, file, size)

    def _check_copy(self, what, file, method):
        if not hasattr(file, method):
            raise TypeError(f'argument 1 must have a .{method}() method')
        self._check_open()
        self.connection._check_idle(what)
        self._check_copy_mode(what)

    def _check_copy_mode(self, what):
        from .green import get_wait_callback
        self._check_sync(what)
        if get_wait_callback() is not None:
            raise ProgrammingError(f'{what} cannot be used with an asynchronous callback.')
        self.connection._check_not_prepared(what)

    def _copy_statement(self, table, columns, direction, sep, null):
        conn = self.connection
        names = ''
        if columns is not None:
            names = '(' + ','.join(quote_ident(name, conn) for name in columns) + ')'
        head = f'COPY {quote_ident(table, conn)}{names} {direction} WITH DELIMITER AS '
        return conn._encode(head) + conn._quote_literal(sep) + b' NULL AS ' + conn._quote_literal(null)

    def _copy(self, statement, file, size):
        conn = self.connection
        with conn._lock:
            self._forget()
            self.query = statement
            results = conn._execute(statement, self)
            direction = results[-1].copy if results else None
            try:
                if direction == 'in':
                    self._copy_in(file, size)
                elif direction == 'out':
                    self._copy_out(file)
                else:
                    self._take(results)
                    return
            finally:
                conn._take_messages()
            self._copied()

    def _copied(self):
        results = self.connection._session.results
        for result in results:
            if result.error is not None:
                raise_report(result.error, self)
        self.statusmessage, self.rowcount = '', results[-1].affected()  # libpq keeps no command tag here

    def _guarded(self, step, *arguments):
        from .session import Lost
        try:
            return step(*arguments)
        except Lost as lost:
            self.connection._raise_lost(lost, self)

    def _copy_in(self, file, size):
        session, encode = self.connection._session, self.connection._encode
        reason = None
        try:
            while True:
                chunk = file.read(size)
                if not chunk:
                    break
                if isinstance(chunk, str):
                    chunk = encode(chunk)
                elif not isinstance(chunk, (bytes, bytearray, memoryview)):
                    raise TypeError(f'read() returned {type(chunk).__name__}, not bytes or str')
                session.write_copy(bytes(chunk))
        except KeyboardInterrupt:
            session.end_copy(b'interrupted')
            raise
        except Exception as problem:
            reason = f'error in .read() call: {type(problem).__name__} {problem}'.encode('utf-8', 'replace')
        session.end_copy(reason)
        self._guarded(session.wait)

    def _copy_out(self, file):
        session = self.connection._session
        write = file.write
        decode = self.connection._decode if isinstance(file, io.TextIOBase) else None
        try:
            done = False
            while not done:
                done = self._guarded(session.advance)
                chunks, session.chunks = session.chunks, []
                for chunk in chunks:
                    write(decode(chunk) if decode else chunk)
                if not done:
                    self._guarded(session.receive)
        except KeyboardInterrupt:
            session.cancel()  # the next statement reads what is still on its way
            raise
