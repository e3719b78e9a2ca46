"""Large objects, by the server's lo_* functions over the protocol's function calls.

connection.lobject() makes them. Source: PostgreSQL manual, lo-interfaces.html and protocol-flow.html, "Function Call".
"""

from .errors import InterfaceError, OperationalError, ProgrammingError
from .session import Lost
from .wire import function_call

# Oids in pg_proc, fixed since each function exists.
_OPEN, _CLOSE, _READ, _WRITE, _CREATE, _UNLINK = 952, 953, 954, 955, 715, 964
_SEEK, _TELL, _TRUNCATE = 3170, 3171, 3172
_INV_WRITE, _INV_READ = 0x20000, 0x40000
_CHUNK = 0x40000   # bytes moved by one call
_ALL = 1 << 62     # more than any large object holds


def _int4(value):
    return (value & 0xffffffff).to_bytes(4, 'big')


def _int8(value):
    return value.to_bytes(8, 'big', signed=True)


def _parsed_mode(mode):
    """('r', 'w', 'rw', 'n' or '', 't' or 'b') of a mode."""
    for base in ('rw', 'r', 'w', 'n', ''):
        if mode.startswith(base):
            break
    kind = mode[len(base):] or 't'
    if kind not in ('t', 'b'):
        raise ValueError(f"bad mode for lobject: '{mode}'")
    return base, kind


class lobject:
    """A database large object."""

    __module__ = 'psycopg2.extensions'

    def __init__(self, conn, oid=0, mode=None, new_oid=0, new_file=None):
        from .connection import connection
        if not isinstance(conn, connection):
            raise TypeError(f'argument 1 must be psycopg2.extensions.connection, not {type(conn).__name__}')
        if mode is not None and not isinstance(mode, str):
            raise TypeError(f'argument 2 must be str or None, not {type(mode).__name__}')
        if not isinstance(oid, int):
            raise TypeError(f"'{type(oid).__name__}' object cannot be interpreted as an integer")
        base, kind = _parsed_mode(mode or '')
        if conn.autocommit and not conn._entered:
            raise ProgrammingError("can't use a lobject outside of transactions")
        self._conn, self._generation = conn, conn._generation
        self._fd, self._text = -1, kind == 't'
        if conn._must_begin():
            conn._begin()
        self.oid = self._found(oid, new_oid, new_file)
        if not oid and new_file is None:
            base = 'w'  # a new object is there to be filled, whatever was asked
        self.mode = (base or 'r') + kind
        if base != 'n':
            flags = {'w': _INV_WRITE, 'rw': _INV_READ | _INV_WRITE}.get(base, _INV_READ)
            self._fd = self._number(_OPEN, _int4(self.oid), _int4(flags))

    def _found(self, oid, new_oid, new_file):
        if new_file is not None:
            return self._import(new_file, new_oid)
        return oid or self._new(new_oid)

    def _new(self, oid):
        return self._number(_CREATE, _int4(oid)) & 0xffffffff

    def _import(self, path, oid):
        try:
            with open(path, 'rb') as source:
                made = self._new(oid)
                fd = self._number(_OPEN, _int4(made), _int4(_INV_READ | _INV_WRITE))
                while chunk := source.read(_CHUNK):
                    self._call(_WRITE, _int4(fd), chunk)
                self._call(_CLOSE, _int4(fd))
                return made
        except OSError as problem:
            raise OperationalError(f'could not open file "{path}": {problem.strerror}\n') from None

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, function, *arguments):
        conn = self._conn
        session = conn._session
        with conn._lock:
            try:
                session.send(function_call(function, arguments))
                session.wait()
            except Lost as lost:
                conn._raise_lost(lost)
            finally:
                conn._take_messages()
        for result in session.results:
            if result.error is not None:
                raise OperationalError(result.error.text)
        return session.results[-1].value

    def _number(self, function, *arguments):
        return int.from_bytes(self._call(function, *arguments), 'big', signed=True)

    def _check_open(self):
        if self._conn.closed or self._fd < 0:
            raise InterfaceError('lobject already closed')

    def _check_valid(self):
        conn = self._conn
        if conn.autocommit and not conn._entered:
            raise ProgrammingError("can't use a lobject outside of transactions")
        if self._generation != conn._generation:
            raise ProgrammingError("lobject isn't valid anymore")

    def _check(self):
        self._check_open()
        self._check_valid()

    # -- the public methods -------------------------------------------------------------------------------------------

    def __repr__(self):
        return f'<lobject object at {id(self):#x}; closed: {int(self._fd < 0)}>'

    @property
    def closed(self):
        """The if the large object is closed (no file-like methods)."""
        return self._fd < 0 or bool(self._conn.closed)

    def close(self):
        """close() -- Close the lobject."""
        if self.closed or self._generation != self._conn._generation:
            return
        self._call(_CLOSE, _int4(self._fd))
        self._fd = -1

    def write(self, data):
        """write(str | bytes) -- Write a string to the large object."""
        self._check_open()
        if isinstance(data, str):
            data = self._conn._encode(data)
        elif not isinstance(data, bytes):
            raise TypeError(f'lobject.write requires a string; got {type(data).__name__} instead')
        self._check_valid()
        for start in range(0, len(data), _CHUNK):
            self._call(_WRITE, _int4(self._fd), data[start:start + _CHUNK])
        return len(data)

    def read(self, size=-1):
        """read(size=-1) -- Read at most size bytes or to the end of the large object."""
        self._check()
        left = size if size >= 0 else _ALL
        parts = []
        while left > 0:
            chunk = self._call(_READ, _int4(self._fd), _int4(min(left, _CHUNK)))
            if not chunk:
                break
            parts.append(chunk)
            left -= len(chunk)
        data = b''.join(parts)
        return self._conn._decode(data) if self._text else data

    def seek(self, offset, whence=0):
        """seek(offset, whence=0) -- Set the lobject's current position."""
        self._check()
        return self._number(_SEEK, _int4(self._fd), _int8(offset), _int4(whence))

    def tell(self):
        """tell() -- Return the lobject's current position."""
        self._check()
        return self._number(_TELL, _int4(self._fd))

    def truncate(self, len=0):
        """truncate(len=0) -- Truncate large object to given size."""
        self._check()
        self._call(_TRUNCATE, _int4(self._fd), _int8(len))

    def unlink(self):
        """unlink() -- Close and then remove the lobject."""
        self._begin_again()
        if self._fd >= 0 and self._generation == self._conn._generation:
            self.close()
        self._fd = -1
        self._call(_UNLINK, _int4(self.oid))

    def _begin_again(self):
        self._conn._check_open()
        if self._conn._must_begin():
            self._conn._begin()

    def export(self, filename):
        """export(filename) -- Export large object to given file."""
        self._begin_again()
        fd = self._number(_OPEN, _int4(self.oid), _int4(_INV_READ))
        try:
            with open(filename, 'wb') as target:
                while chunk := self._call(_READ, _int4(fd), _int4(_CHUNK)):
                    target.write(chunk)
        except OSError as problem:
            raise OperationalError(f'could not open file "{filename}": {problem.strerror}\n') from None
        self._call(_CLOSE, _int4(fd))
