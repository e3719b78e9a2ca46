"""Xid: the identifier of a two-phase transaction, and its form on the server."""

import re
from base64 import b64decode, b64encode

_TEXT = re.compile(r'(\d+)_([^_]*)_([^_]*)$')


class Xid:
    """A transaction identifier used for two-phase commit.

    Usually returned by the connection methods `~connection.xid()` and `~connection.tpc_recover()`.
    `!Xid` instances can be unpacked as a 3-item tuples containing the items :samp:`({format_id},{gtrid},{bqual})`.
    The `!str()` of the object returns the *transaction ID* used in the commands sent to the server.
    """

    __module__ = 'psycopg2.extensions'
    __slots__ = ('format_id', 'gtrid', 'bqual', 'prepared', 'owner', 'database')

    def __init__(self, format_id, gtrid, bqual):
        if not isinstance(format_id, int):
            raise TypeError(f"'{type(format_id).__name__}' object cannot be interpreted as an integer")
        if not 0 <= format_id <= 0x7fffffff:
            raise ValueError('format_id must be a non-negative 32-bit integer')
        self._check(gtrid, 'gtrid', 2)
        self._check(bqual, 'bqual', 3)
        self._set(format_id, gtrid, bqual)

    @staticmethod
    def _check(text, name, place):
        if not isinstance(text, str):
            raise TypeError(f'argument {place} must be str, not {type(text).__name__}')
        if len(text) > 64:
            raise ValueError(f'{name} must be a string no longer than 64 characters')
        if not all(' ' <= char < '\x7f' for char in text):
            raise ValueError(f'{name} must contain only printable characters.')

    def _set(self, format_id, gtrid, bqual):
        self.format_id, self.gtrid, self.bqual = format_id, gtrid, bqual
        self.prepared = self.owner = self.database = None

    def __str__(self):
        if self.format_id is None:
            return self.gtrid
        parts = (b64encode(part.encode('ascii')).decode() for part in (self.gtrid, self.bqual))
        return '{}_{}_{}'.format(self.format_id, *parts)

    def __repr__(self):
        if self.format_id is None:
            return f'<Xid: {self.gtrid!r} (unparsed)>'
        return f'<Xid: ({self.format_id!r}, {self.gtrid!r}, {self.bqual!r})>'

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return (self.format_id, self.gtrid, self.bqual)[index]

    @staticmethod
    def from_string(text):
        """Create a Xid object from a string representation. Static method."""
        if not isinstance(text, str):
            raise TypeError('not a valid transaction id')
        found = _TEXT.match(text)
        if found is not None:
            try:
                parts = [b64decode(part, validate=True).decode('ascii') for part in found.groups()[1:]]
                return Xid(int(found[1]), *parts)
            except ValueError:
                pass  # an identifier that somebody else made
        xid = Xid.__new__(Xid)
        xid._set(None, text, None)
        return xid


def ensure(value):
    """An Xid for an Xid or a string."""
    return value if isinstance(value, Xid) else Xid.from_string(value)
