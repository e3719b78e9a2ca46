"""Messages of PostgreSQL's frontend/backend protocol 3.0: how they are built, framed and read.

The session sends what is built here and asks Frames for what came; nothing here touches a socket.
Source: PostgreSQL manual, protocol-message-formats.html.
"""

from struct import Struct

_LENGTH = Struct('!I')
_HEAD = Struct('!cI')
_COLUMN = Struct('!IhIhih')
_PROTOCOL = _LENGTH.pack(196608)  # 3.0
_CANCEL = _LENGTH.pack(80877102)

MAX_MESSAGE = 0x3fffffff  # bytes; PostgreSQL sends none longer, so a larger length means lost framing

TERMINATE = b'X\0\0\0\4'
COPY_DONE = b'c\0\0\0\4'


def message(kind, payload):
    return _HEAD.pack(kind, len(payload) + 4) + payload


def startup(parameters, codec):
    parts = [_PROTOCOL]
    for name, value in parameters:
        parts += [name.encode('ascii'), b'\0', codec.encode(value)[0], b'\0']
    parts.append(b'\0')
    body = b''.join(parts)
    return _LENGTH.pack(len(body) + 4) + body


def cancel(pid, key):
    return _LENGTH.pack(12 + len(key)) + _CANCEL + _LENGTH.pack(pid) + key


def query(sql):
    return _HEAD.pack(b'Q', len(sql) + 5) + sql + b'\0'


def password(text):
    return message(b'p', text + b'\0')


def sasl_initial(mechanism, response):
    return message(b'p', mechanism + b'\0' + _LENGTH.pack(len(response)) + response)


def sasl_response(response):
    return message(b'p', response)


def copy_data(chunk):
    return _HEAD.pack(b'd', len(chunk) + 4) + chunk


def copy_fail(reason):
    return message(b'f', reason + b'\0')


def function_call(oid, arguments):
    """A call of a function by oid with binary arguments (bytes), and a binary result."""
    parts = [_LENGTH.pack(oid), b'\0\1\0\1', len(arguments).to_bytes(2, 'big')]
    for value in arguments:
        parts += [_LENGTH.pack(len(value)), value]
    parts.append(b'\0\1')
    return message(b'F', b''.join(parts))


class Field:
    """One column of a result, as RowDescription gives it."""

    __slots__ = ('name', 'table', 'number', 'type', 'size', 'modifier', 'format')

    def __init__(self, name, table, number, type, size, modifier, format):
        self.name = name          # bytes, in the client encoding
        self.table = table        # oid, 0 for an expression
        self.number = number      # of the column in its table
        self.type = type          # oid
        self.size = size          # bytes, -1 for variable length
        self.modifier = modifier  # atttypmod
        self.format = format      # 0 text, 1 binary


def row_description(payload):
    found, at = [], 2
    for _ in range(int.from_bytes(payload[:2], 'big')):
        end = payload.index(b'\0', at)
        found.append(Field(payload[at:end], *_COLUMN.unpack_from(payload, end + 1)))
        at = end + 19
    return found


def data_row(payload):
    """The values of a DataRow: bytes, or None for NULL."""
    values, at = [], 2
    for _ in range(payload[0] << 8 | payload[1]):
        size, = _LENGTH.unpack_from(payload, at)
        at += 4
        if size == 0xffffffff:
            values.append(None)
        else:
            values.append(payload[at:at + size])
            at += size
    return values


def data_tuples(payloads, converters):
    """The rows of many DataRows, each value made by its column's converter: the loop where large results spend time."""
    found, size_at = [], _LENGTH.unpack_from
    for payload in payloads:
        row, at = [], 2
        for convert in converters:
            size, = size_at(payload, at)
            at += 4
            if size == 0xffffffff:
                row.append(None)
            else:
                end = at + size
                row.append(convert(payload[at:end]))
                at = end
        found.append(tuple(row))
    return found


class BadFrame(Exception):
    """A message with an impossible length: the stream is out of step."""


class Frames:
    """Cuts the bytes that arrive into messages. Bytes of an unfinished message wait unjoined, so a long one costs once."""

    __slots__ = ('buffer', 'at', '_waiting', '_missing')

    def __init__(self):
        self.buffer, self.at = b'', 0
        self._waiting, self._missing = [], 0

    def feed(self, data):
        if self._waiting or self.at < len(self.buffer):
            self._waiting.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b''.join([self.buffer[self.at:], *self._waiting])
            self._waiting = []
        self.buffer, self.at = data, 0

    def next(self):
        """(kind, payload) of the next whole message, or None. Raises BadFrame."""
        buffer, at = self.buffer, self.at
        left = len(buffer) - at
        if left < 5 or self._waiting:
            if not self._waiting:
                self._missing = 5 - left
            return None
        size, = _LENGTH.unpack_from(buffer, at + 1)
        if not 4 <= size <= MAX_MESSAGE:
            raise BadFrame(size)
        if left <= size:
            self._missing = size + 1 - left
            return None
        self.at = at + size + 1
        return buffer[at], buffer[at + 5:self.at]


class Result:
    """What the server answered to one statement."""

    __slots__ = ('fields', 'rows', 'tag', 'error', 'copy', 'value', 'empty')

    def __init__(self):
        self.fields = None   # list of Field for a statement that returns rows
        self.rows = []       # DataRow payloads, taken apart when fetched
        self.tag = None      # the command tag, str
        self.error = None    # ErrorReport
        self.copy = None     # 'in', 'out' or 'both'
        self.value = None    # result of a function call, bytes
        self.empty = False   # the statement was empty

    def affected(self):
        """The number of rows that the command tag names; -1 if it names none."""
        word = self.tag.rpartition(' ')[2] if self.tag else ''
        return int(word) if word.isdigit() else -1

    def last_oid(self):
        words = self.tag.split() if self.tag else ()
        return int(words[1]) if len(words) == 3 and words[0] == 'INSERT' else 0


class ErrorReport:
    """An ErrorResponse: its fields as str by letter, and the text that libpq makes of them."""

    __slots__ = ('fields', 'text', 'code')

    def __init__(self, fields, text):
        self.fields, self.text, self.code = fields, text, fields.get('C')
