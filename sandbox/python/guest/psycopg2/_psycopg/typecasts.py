"""The text of a PostgreSQL value to a Python object: typecasters, their registries, the built-in ones.

The cursor binds one to each column of a result. A typecaster is called with the value's text and the cursor.
"""

from decimal import Decimal

from . import datecasts
from .arraycasts import parse_array
from .errors import InterfaceError

string_types = {}
binary_types = {}


class Typecaster:
    """psycopg2._psycopg.type"""

    __slots__ = ('values', 'name', 'needs_cursor', '_binder', '__weakref__')
    __module__, __qualname__ = 'psycopg2._psycopg', 'type'
    __hash__ = None

    def __init__(self, values, name, needs_cursor, binder):
        self.values, self.name = values, name
        self.needs_cursor = needs_cursor  # a learner's function decides: it gets the cursor, and NULL as None
        self._binder = binder

    def __repr__(self):
        return f"<psycopg2._psycopg.type '{self.name}' at {id(self):#x}>"

    def __eq__(self, other):
        if isinstance(other, Typecaster):
            return bool(set(self.values) & set(other.values))
        return int(other) in self.values

    def __call__(self, *arguments):
        if len(arguments) != 2:
            raise TypeError(f'function takes exactly 2 arguments ({len(arguments)} given)')
        value, cursor = arguments
        if value is None:
            return None
        raw = value.encode() if isinstance(value, str) else value
        convert = self._binder(cursor)
        return convert(raw, cursor) if self.needs_cursor else convert(raw)

    def bind(self, cursor):
        """A function of a value's bytes, or of bytes or None and the cursor if needs_cursor. It keeps no cursor."""
        return self._binder(cursor)


Typecaster.__name__ = 'type'


def _decoder(cursor):
    """bytes to str in the encoding of the cursor's connection."""
    if cursor is None:
        return bytes.decode
    codec = cursor.connection._codec
    if codec.name == 'utf-8':
        return bytes.decode
    decode = codec.decode
    return lambda raw: decode(raw)[0]


def _plain(function):
    return lambda cursor: function


def new_type(oids, name, castobj):
    """new_type(oids, name, castobj) -> new type object"""
    if not isinstance(oids, tuple):
        raise TypeError(f'argument 1 must be tuple, not {type(oids).__name__}')
    if not isinstance(name, str):
        raise TypeError(f'argument 2 must be str, not {type(name).__name__}')

    def binder(cursor):
        decode = _decoder(cursor)
        if castobj is None:
            return decode
        return lambda raw, cursor: castobj(None if raw is None else decode(raw), cursor)
    return Typecaster(oids, name, castobj is not None, binder)


def new_array_type(oids, name, baseobj):
    """new_array_type(oids, name, baseobj) -> new type object"""
    if not isinstance(oids, tuple):
        raise TypeError(f'argument 1 must be tuple, not {type(oids).__name__}')
    if not isinstance(baseobj, Typecaster):
        raise TypeError(f'argument 3 must be psycopg2._psycopg.type, not {type(baseobj).__name__}')

    def binder(cursor):
        convert = baseobj.bind(cursor)
        if baseobj.needs_cursor:
            return lambda raw, cursor: parse_array(raw, lambda item: convert(item, cursor), True)
        return lambda raw: parse_array(raw, convert, False)
    return Typecaster(oids, name, baseobj.needs_cursor, binder)


def register_type(obj, scope=None):
    """register_type(obj, conn_or_curs) -> None -- register obj with psycopg type system"""
    if not isinstance(obj, Typecaster):
        raise TypeError(f'argument 1 must be psycopg2._psycopg.type, not {type(obj).__name__}')
    if scope is None:
        table = string_types
    elif hasattr(scope, '_session'):
        table = scope.string_types
    elif hasattr(scope, 'fetchone'):
        if scope.string_types is None:
            scope.string_types = {}
        table = scope.string_types
    else:
        raise TypeError('argument 2 must be a connection, cursor or None')
    for oid in obj.values:
        table[oid] = obj


def find(oid, cursor):
    """The typecaster for an oid: the cursor's own, its connection's, the global one, text."""
    own = cursor.string_types
    if own and oid in own:
        return own[oid]
    own = cursor.connection.string_types
    if own and oid in own:
        return own[oid]
    return string_types.get(oid, UNKNOWN)


def _boolean(raw):
    if raw == b't':
        return True
    if raw == b'f':
        return False
    if raw[:1] in (b't', b'T'):
        return True
    if raw[:1] in (b'f', b'F'):
        return False
    raise InterfaceError(f"can't parse boolean: '{raw.decode('utf-8', 'replace')}'")


def _view(data):
    return memoryview(data).cast('c')  # an item is a byte string, as with the C module


def _binary(raw):
    if raw[:2] == b'\\x':
        try:
            return _view(bytes.fromhex(raw[2:].decode('ascii')))
        except ValueError:
            digits = bytes(c for c in raw[2:] if chr(c) in '0123456789abcdefABCDEF')
            return _view(bytes.fromhex(digits[:len(digits) // 2 * 2].decode()))
    return _view(raw if b'\\' not in raw else _unescape(raw))


def _unescape(raw):
    """bytea_output = escape: \\ooo for a byte, \\\\ for a backslash."""
    out, at = bytearray(), 0
    while at < len(raw):
        byte = raw[at]
        at += 1
        if byte == 92:
            digits = raw[at:at + 3]
            if len(digits) == 3 and all(48 <= d <= 55 for d in digits) and digits[0] < 52:
                byte, at = int(digits, 8), at + 3
            else:
                byte, at = raw[at] if at < len(raw) else 0, at + 1
        out.append(byte)
    return bytes(out)


def _decimal(raw):
    return Decimal(raw.decode())


def _with_zone(cast):
    def binder(cursor):
        factory = cursor.tzinfo_factory if cursor is not None else None
        return lambda raw: cast(raw, factory)
    return binder


_integer = _plain(int)
_float = _plain(float)
_timestamp = _with_zone(datecasts.timestamp)
_timestamp_zone = _with_zone(datecasts.timestamp_with_zone)
_time = _with_zone(datecasts.time)
_date = _plain(datecasts.date)
_interval = _plain(datecasts.interval)

_TEXT_OIDS, _TEXT_ARRAY_OIDS = (19, 18, 25, 1042, 1043), (1002, 1003, 1009, 1014, 1015)


def _builtin(name, values, binder):
    return Typecaster(values, name, False, binder)


NUMBER = _builtin('NUMBER', (20, 23, 21, 701, 700, 1700), _float)
LONGINTEGER = _builtin('LONGINTEGER', (20,), _integer)
INTEGER = _builtin('INTEGER', (23, 21), _integer)
FLOAT = _builtin('FLOAT', (701, 700), _float)
DECIMAL = _builtin('DECIMAL', (1700,), _plain(_decimal))
STRING = _builtin('STRING', _TEXT_OIDS, _decoder)
UNICODE = _builtin('UNICODE', _TEXT_OIDS, _decoder)
BYTES = _builtin('BYTES', _TEXT_OIDS, _plain(bytes))
BOOLEAN = _builtin('BOOLEAN', (16,), _plain(_boolean))
DATETIME = _builtin('DATETIME', (1114,), _timestamp)
DATETIMETZ = _builtin('DATETIMETZ', (1184,), _timestamp_zone)
TIME = _builtin('TIME', (1083, 1266), _time)
DATE = _builtin('DATE', (1082,), _date)
INTERVAL = _builtin('INTERVAL', (704, 1186), _interval)
BINARY = _builtin('BINARY', (17,), _plain(_binary))
ROWID = _builtin('ROWID', (26,), _integer)
UNKNOWN = _builtin('UNKNOWN', (705,), _decoder)
PYDATETIME = _builtin('PYDATETIME', (1114,), _timestamp)
PYDATETIMETZ = _builtin('PYDATETIMETZ', (1184,), _timestamp_zone)
PYTIME = _builtin('PYTIME', (1083, 1266), _time)
PYDATE = _builtin('PYDATE', (1082,), _date)
PYINTERVAL = _builtin('PYINTERVAL', (704, 1186), _interval)

LONGINTEGERARRAY = new_array_type((1016,), 'LONGINTEGERARRAY', LONGINTEGER)
INTEGERARRAY = new_array_type((1005, 1006, 1007), 'INTEGERARRAY', INTEGER)
FLOATARRAY = new_array_type((1021, 1022), 'FLOATARRAY', FLOAT)
DECIMALARRAY = new_array_type((1231,), 'DECIMALARRAY', DECIMAL)
STRINGARRAY = new_array_type(_TEXT_ARRAY_OIDS, 'STRINGARRAY', STRING)
UNICODEARRAY = new_array_type(_TEXT_ARRAY_OIDS, 'UNICODEARRAY', UNICODE)
BYTESARRAY = new_array_type(_TEXT_ARRAY_OIDS, 'BYTESARRAY', BYTES)
BOOLEANARRAY = new_array_type((1000,), 'BOOLEANARRAY', BOOLEAN)
DATETIMEARRAY = new_array_type((1115,), 'DATETIMEARRAY', DATETIME)
DATETIMETZARRAY = new_array_type((1185,), 'DATETIMETZARRAY', DATETIMETZ)
TIMEARRAY = new_array_type((1183, 1270), 'TIMEARRAY', TIME)
DATEARRAY = new_array_type((1182,), 'DATEARRAY', DATE)
INTERVALARRAY = new_array_type((1187,), 'INTERVALARRAY', INTERVAL)
BINARYARRAY = new_array_type((1001,), 'BINARYARRAY', BINARY)
ROWIDARRAY = new_array_type((1028, 1013), 'ROWIDARRAY', ROWID)
INETARRAY = new_array_type((1041,), 'INETARRAY', STRING)
CIDRARRAY = new_array_type((651,), 'CIDRARRAY', STRING)
MACADDRARRAY = new_array_type((1040,), 'MACADDRARRAY', STRING)
PYDATETIMEARRAY = new_array_type((1115,), 'PYDATETIMEARRAY', PYDATETIME)
PYDATETIMETZARRAY = new_array_type((1185,), 'PYDATETIMETZARRAY', PYDATETIMETZ)
PYTIMEARRAY = new_array_type((1183, 1270), 'PYTIMEARRAY', PYTIME)
PYDATEARRAY = new_array_type((1182,), 'PYDATEARRAY', PYDATE)
PYINTERVALARRAY = new_array_type((1187,), 'PYINTERVALARRAY', PYINTERVAL)

for _caster in (
        LONGINTEGER, INTEGER, FLOAT, DECIMAL, STRING, BOOLEAN, DATETIME, DATETIMETZ, TIME, DATE, INTERVAL, BINARY,
        ROWID, LONGINTEGERARRAY, INTEGERARRAY, FLOATARRAY, DECIMALARRAY, STRINGARRAY, BOOLEANARRAY, DATETIMEARRAY,
        DATETIMETZARRAY, TIMEARRAY, DATEARRAY, INTERVALARRAY, BINARYARRAY, ROWIDARRAY, UNKNOWN, INETARRAY,
        CIDRARRAY, MACADDRARRAY):
    register_type(_caster)
