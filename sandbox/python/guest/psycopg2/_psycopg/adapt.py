"""Python values to SQL literals: the adapters, and the registry that finds one for an object.

The query merger and psycopg2's own Python files call it. Output is psycopg2's, byte for byte.
"""

import datetime as dt
import math
from time import localtime

from .encodings import codec_of, python_name
from .errors import ProgrammingError

_LATIN1, _UTF8 = codec_of('LATIN1'), codec_of('UTF8')
_HEAP_TYPE = 1 << 9  # a class made by a class statement: C's own types are named with their module in messages

adapters = {}


class Unconnected:
    """Escaping without a connection follows the last one made, as libpq's PQescapeString does."""

    standard_strings = False


class ISQLQuote:
    """Abstract ISQLQuote protocol

    An object conform to this protocol should expose a ``getquoted()`` method returning the SQL representation of the
    object.
    """

    __module__ = 'psycopg2.extensions'

    def __init__(self, wrapped):
        self._wrapped = wrapped

    def getquoted(self):
        return None

    def getbinary(self):
        return None

    def getbuffer(self):
        return None


def type_name(value):
    """The name of a value's type as C code prints it."""
    cls = type(value)
    if cls.__flags__ & _HEAP_TYPE or cls.__module__ == 'builtins':
        return cls.__name__
    return f'{cls.__module__}.{cls.__name__}'


def adapt(obj, protocol=ISQLQuote, alternate=None):
    """adapt(obj, protocol, alternate) -> object -- adapt obj to given protocol"""
    cls = type(obj)
    adapter = adapters.get((cls, protocol))
    if adapter is not None:
        return adapter(obj)
    for owner, method, argument in ((protocol, '__adapt__', obj), (obj, '__conform__', protocol)):
        found = getattr(owner, method, None)
        if found is not None and not (method == '__conform__' and isinstance(obj, type)):
            adapted = found(argument)
            if adapted is not None:
                return adapted
    for base in cls.__mro__[1:]:
        adapter = adapters.get((base, protocol))
        if adapter is not None:
            return adapter(obj)
    raise ProgrammingError(f"can't adapt type '{type_name(obj)}'")


def quoted(obj, connection):
    """The literal (bytes) for any object; connection may be None."""
    if obj is None:
        return b'NULL'
    adapter = adapt(obj)
    if connection is not None:
        prepare = getattr(adapter, 'prepare', None)
        if prepare is not None:
            prepare(connection)
    literal = adapter.getquoted()
    if isinstance(literal, str):
        codec = connection._codec if connection is not None else _UTF8
        return codec.encode(literal)[0]
    return literal


class _Adapter:
    """What all adapters share: adapted, the protocol, str()."""

    __slots__ = ('adapted', '__weakref__')

    def __init__(self, adapted):
        self.adapted = adapted

    def __conform__(self, protocol):
        return self if protocol is ISQLQuote else None

    def __str__(self):
        return self.getquoted().decode('utf-8', 'replace')


def _published(cls):
    cls.__module__ = 'psycopg2.extensions'
    return cls


def _signed(text):
    """A negative number gets a space in front, so that "- %s" can't turn into a comment."""
    return b' ' + text if text[:1] == b'-' else text


@_published
class AsIs(_Adapter):
    """AsIs(str) -> new AsIs adapter object"""

    __slots__ = ()

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        return _UTF8.encode(str(self.adapted))[0]


@_published
class Boolean(_Adapter):
    """Boolean(str) -> new Boolean adapter object"""

    __slots__ = ()

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        return b'true' if self.adapted else b'false'


@_published
class Int(_Adapter):
    """Int(str) -> new Int adapter object"""

    __slots__ = ()

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        value = self.adapted
        return _signed(b'%d' % (value if type(value) is int else int(value)))


@_published
class Float(_Adapter):
    """Float(str) -> new Float adapter object"""

    __slots__ = ()

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        value = self.adapted
        if math.isnan(value):
            return b"'NaN'::float"
        if math.isinf(value):
            return b"'Infinity'::float" if value > 0 else b"'-Infinity'::float"
        return _signed(repr(value).encode())


class Decimal(_Adapter):
    """Decimal(str) -> new Decimal adapter object"""

    __slots__ = ()
    __module__ = 'psycopg2._psycopg'

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        if not self.adapted.is_finite():
            return b"'NaN'::numeric"
        return _signed(str(self.adapted).encode())


class _Connected(_Adapter):
    __slots__ = ('_connection',)

    def __init__(self, adapted):
        self.adapted, self._connection = adapted, None

    def prepare(self, connection):
        """prepare(conn) -> prepare for quoting using conn's encoding and settings"""
        self._connection = connection

    def _quote(self, body):
        """The body between quotes, an escape string where the server wants one."""
        connection = self._connection
        return (b"E'" if connection is not None and connection._escape_strings else b"'") + body + b"'"

    def _plain_backslash(self):
        connection = self._connection
        return Unconnected.standard_strings if connection is None else not connection._escape_strings


@_published
class QuotedString(_Connected):
    """QuotedString(str) -> new quoted object"""

    __slots__ = ('_codec', '_name')

    def __init__(self, adapted):
        super().__init__(adapted)
        self._codec, self._name = _LATIN1, 'latin1'

    buffer = None

    @property
    def encoding(self):
        """current encoding of the adapter"""
        return python_name(self._connection.encoding) if self._connection is not None else self._name

    @encoding.setter
    def encoding(self, name):
        self._name, self._codec = name, codec_of(name)

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        value = self.adapted
        if isinstance(value, str):
            if '\0' in value:
                raise ValueError('A string literal cannot contain NUL (0x00) characters.')
            text = value.replace("'", "''")
            if not self._plain_backslash():
                text = text.replace('\\', '\\\\')
            codec = self._codec if self._connection is None else self._connection._codec
            return self._quote(codec.encode(text)[0])
        if not isinstance(value, bytes):
            raise TypeError("can't quote non-string object")
        if b'\0' in value:
            raise ValueError('A string literal cannot contain NUL (0x00) characters.')
        body = value.replace(b"'", b"''")
        return self._quote(body if self._plain_backslash() else body.replace(b'\\', b'\\\\'))


def _octal(data, backslash):
    """bytea in the escape format, which libpq uses while it knows no server."""
    out = []
    for byte in data:
        if byte < 32 or byte > 126:
            out.append(backslash + b'%03o' % byte)
        elif byte == 39:
            out.append(b"''")
        elif byte == 92:
            out.append(backslash * 2)
        else:
            out.append(b'%c' % byte)
    return b''.join(out)


@_published
class Binary(_Connected):
    """Binary(buffer) -> new binary object"""

    __slots__ = ()

    buffer = None

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted binary string"""
        if self.adapted is None:
            return b'NULL'
        try:
            data = bytes(memoryview(self.adapted))
        except TypeError:
            raise TypeError(f"can't escape {type_name(self.adapted)} to binary") from None
        backslash = b'\\' if self._plain_backslash() else b'\\\\'
        if self._connection is None:
            body = _octal(data, backslash)
        else:
            body = backslash + b'x' + data.hex().encode()
        return self._quote(body) + b'::bytea'


class List(_Connected):
    """List(list) -> new list wrapper object"""

    __slots__ = ()
    __module__ = 'psycopg2._psycopg'

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL-quoted string"""
        if not self.adapted:
            return b"'{}'"
        # The ARRAY constructor can't tell the type of only NULLs, at any depth: those go as a text literal.
        only_nulls, parts = True, []
        for item in self.adapted:
            part = self._item(item)
            if item is not None and not (isinstance(item, list) and part.startswith(b"'{")):
                only_nulls = False
            parts.append(part)
        if only_nulls:
            return b"'{" + b','.join(p[1:-1] if p[:1] == b"'" else p for p in parts) + b"}'"
        return b'ARRAY[' + b','.join(parts) + b']'

    def _item(self, item):
        # An empty list has no literal of its own inside an array.
        return b'ARRAY[]' if isinstance(item, list) and not item else quoted(item, self._connection)


class Moment(_Adapter):
    """datetime(datetime, type) -> new datetime wrapper object"""

    __slots__ = ('_cast',)
    __module__, __qualname__ = 'psycopg2._psycopg', 'datetime'

    def __init__(self, adapted, cast):
        self.adapted, self._cast = adapted, cast

    def getquoted(self):
        """getquoted() -> wrapped object value as SQL date/time"""
        value = self.adapted
        if isinstance(value, dt.timedelta):
            return b"'%d days %d.%06d seconds'::interval" % (value.days, value.seconds, value.microseconds)
        return f"'{value.isoformat()}'::{self._cast}".encode()


Moment.__name__ = 'datetime'


def _expect(value, cls):
    if not isinstance(value, cls):
        raise TypeError(f'argument 1 must be datetime.{cls.__name__}, not {type_name(value)}')


def DateFromPy(date):
    """DateFromPy(datetime.date) -> new wrapper"""
    _expect(date, dt.date)
    return Moment(date, 'date')


def TimeFromPy(time):
    """TimeFromPy(datetime.time) -> new wrapper"""
    _expect(time, dt.time)
    return Moment(time, 'time' if time.tzinfo is None else 'timetz')


def TimestampFromPy(moment):
    """TimestampFromPy(datetime.datetime) -> new wrapper"""
    _expect(moment, dt.datetime)
    return Moment(moment, 'timestamp' if moment.tzinfo is None else 'timestamptz')


def IntervalFromPy(delta):
    """IntervalFromPy(datetime.timedelta) -> new wrapper"""
    _expect(delta, dt.timedelta)
    return Moment(delta, 'interval')


def Date(year, month, day):
    """Date(year, month, day) -> new date"""
    return DateFromPy(dt.date(year, month, day))


def _seconds(value):
    """(seconds, microseconds) of a float."""
    whole = math.floor(value)
    return whole, round((value - whole) * 1000000)


def Time(hour, minutes, seconds, tzinfo=None):
    """Time(hour, minutes, seconds, tzinfo=None) -> new time"""
    whole, micro = _seconds(seconds)
    return TimeFromPy(dt.time(hour, minutes, whole, micro, tzinfo))


def Timestamp(year, month, day, hour=0, minutes=0, seconds=0.0, tzinfo=None):
    """Timestamp(year, month, day, hour, minutes, seconds, tzinfo=None) -> new timestamp"""
    whole, micro = _seconds(seconds)
    return TimestampFromPy(dt.datetime(year, month, day, hour, minutes, whole, micro, tzinfo))


def DateFromTicks(ticks):
    """DateFromTicks(ticks) -> new date"""
    return Date(*localtime(ticks)[:3])


def TimeFromTicks(ticks):
    """TimeFromTicks(ticks) -> new time"""
    whole, micro = _seconds(ticks)
    return TimeFromPy(dt.time(*localtime(whole)[3:6], micro))


def TimestampFromTicks(ticks):
    """TimestampFromTicks(ticks) -> new timestamp"""
    whole, micro = _seconds(ticks)
    local = localtime(whole)
    zone = dt.timezone(dt.timedelta(seconds=local.tm_gmtoff or 0))
    return TimestampFromPy(dt.datetime(*local[:6], micro, zone))


adapters.update({(python, ISQLQuote): adapter for python, adapter in (
    (float, Float), (int, Int), (bool, Boolean), (str, QuotedString), (bytes, Binary), (bytearray, Binary),
    (memoryview, Binary), (list, List), (dt.date, DateFromPy), (dt.time, TimeFromPy),
    (dt.datetime, TimestampFromPy), (dt.timedelta, IntervalFromPy))})
