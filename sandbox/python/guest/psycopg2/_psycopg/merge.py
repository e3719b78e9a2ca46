"""Client-side interpolation: a query with %s or %(name)s and its arguments to the bytes that are sent.

The cursor calls merge(); the errors for wrong placeholders are psycopg2's.
"""

import re

from .adapt import quoted
from .errors import ProgrammingError

# Captures what follows a percent sign; text that still holds one afterwards is malformed.
_PLACEHOLDER = re.compile(rb'%(%|s|\([^)%]*\)s)')


def merge(query, arguments, connection):
    """query and result are bytes in the connection's encoding."""
    parts = _PLACEHOLDER.split(query)
    if b'%' in b''.join(parts[::2]):
        _complain(query, arguments, connection)
    position = None  # stays None until a placeholder shows that arguments count by position
    names = None
    for i in range(1, len(parts), 2):
        token = parts[i]
        if token == b'%':
            continue
        if token == b's':
            if names is not None:
                raise ProgrammingError("argument formats can't be mixed")
            position = position or 0
            parts[i] = quoted(_item(arguments, position), connection)
            position += 1
        else:
            if position is not None:
                raise ProgrammingError("argument formats can't be mixed")
            names = {} if names is None else names
            if token not in names:
                names[token] = quoted(arguments[connection._decode(token[1:-2])], connection)
            parts[i] = names[token]
    if position is not None and position < len(arguments):
        raise TypeError('not all arguments converted during string formatting')
    return b''.join(parts)


def _item(arguments, index):
    if isinstance(arguments, dict):
        raise TypeError('dict is not a sequence')
    if not hasattr(arguments, '__getitem__'):
        raise TypeError(f"'{type(arguments).__name__}' object does not support indexing")
    if isinstance(arguments, tuple) and index >= len(arguments):
        raise IndexError('tuple index out of range')
    return arguments[index]


_ANY = re.compile(rb'%(?:(%)|\(([^)%]*)(\))?|())', re.DOTALL)


def _complain(query, arguments, connection):
    """Raises what is wrong with a malformed query: first its arguments are looked up in order, then formats checked."""
    position, named, places = None, False, []
    for match in _ANY.finditer(query):
        percent, name, closed, _ = match.groups()
        if percent:
            continue
        places.append(match.end())
        if name is not None:
            if not closed:
                raise ProgrammingError("incomplete placeholder: '%(' without ')'")
            if position is not None:
                raise ProgrammingError("argument formats can't be mixed")
            named = True
            quoted(arguments[connection._decode(name)], connection)
        else:
            if named:
                raise ProgrammingError("argument formats can't be mixed")
            position = position or 0
            quoted(_item(arguments, position), connection)
            position += 1
    for at in places:
        char = query[at:at + 1]
        if not char:
            raise ValueError('incomplete format')
        if char not in b's%':
            raise ValueError(f"unsupported format character '{char.decode('latin1')}' (0x{char[0]:x}) at index {at}")
    raise ValueError('incomplete format')
