"""Column: one item of cursor.description."""

_NAMES = ('name', 'type_code', 'display_size', 'internal_size', 'precision', 'scale', 'null_ok')
_NUMERIC = 1700
_HEADER = 4  # bytes that PostgreSQL adds to the declared length in a type modifier


class Column:
    """Description of a column returned by a query.

    The DBAPI demands this object to be a 7-items sequence. This object respects this interface, but adds names for the
    exposed attributes and adds attribute not requested by the DBAPI.
    """

    __module__ = 'psycopg2.extensions'
    __slots__ = _NAMES + ('table_oid', 'table_column')
    __hash__ = None

    def __init__(self, name=None, type_code=None, display_size=None, internal_size=None, precision=None, scale=None,
                 null_ok=None, table_oid=None, table_column=None):
        self.name, self.type_code, self.display_size = name, type_code, display_size
        self.internal_size, self.precision, self.scale = internal_size, precision, scale
        self.null_ok, self.table_oid, self.table_column = null_ok, table_oid, table_column

    def _items(self):
        return tuple(getattr(self, name) for name in _NAMES)

    def __repr__(self):
        return f'Column(name={self.name!r}, type_code={self.type_code!r})'

    def __len__(self):
        return len(_NAMES)

    def __getitem__(self, index):
        return self._items()[index]

    def _compare(self, other, test):
        if isinstance(other, Column):
            other = other._items()
        return test(self._items(), other) if isinstance(other, tuple) else NotImplemented

    def __eq__(self, other):
        return self._compare(other, tuple.__eq__)

    def __lt__(self, other):
        return self._compare(other, tuple.__lt__)

    def __le__(self, other):
        return self._compare(other, tuple.__le__)

    def __gt__(self, other):
        return self._compare(other, tuple.__gt__)

    def __ge__(self, other):
        return self._compare(other, tuple.__ge__)

    def __getstate__(self):
        return self._items() + (self.table_oid, self.table_column)

    def __setstate__(self, state):
        self.__init__(*state)


def from_field(field, name):
    """The Column for a wire.Field whose name has been decoded."""
    size, precision, scale = field.size, None, None
    if size == -1:
        if field.type == _NUMERIC and field.modifier > 0:
            size = field.modifier >> 16
            precision, scale = size & 0xffff, field.modifier - _HEADER & 0xffff
        elif field.modifier - _HEADER > 0:
            size = field.modifier - _HEADER
    return Column(name, field.type, None, size, precision, scale, None, field.table or None,
                  field.number if field.table else None)
