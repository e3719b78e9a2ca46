"""The text of a PostgreSQL array to a list, at any depth. Source: arrays.html, "Array Input and Output Syntax"."""

import re

from .errors import DataError

_DEPTH = 16  # more than PostgreSQL's 6
# A brace, a quoted element, a bare one, or a comma.
_TOKEN = re.compile(rb'([{}])|"((?:[^"\\]|\\.)*)"|(,)|((?:[^{},"\\]|\\.)+)', re.DOTALL)
_ESCAPED = re.compile(rb'\\(.)', re.DOTALL)


def parse_array(raw, convert, takes_null):
    """convert makes an object of an element's bytes; takes_null: it wants to see None too."""
    if raw is None:
        return None
    if raw[:1] == b'[':
        raw = raw[raw.find(b'=') + 1:]  # explicit bounds have no place in a list
    if raw[:1] != b'{':
        raise DataError("array does not start with '{'")
    if len(raw) < 2 or raw[-1:] != b'}':
        raise DataError('malformed array: expected "}" at its end')
    body = raw[1:-1]
    if not body:
        return []
    if not (b'{' in body or b'"' in body or b'\\' in body or b'}' in body):
        return [_bare(part, convert, takes_null) for part in body.split(b',')]
    return _nested(raw, convert, takes_null)


def _bare(part, convert, takes_null):
    if len(part) == 4 and part.upper() == b'NULL':
        return convert(None) if takes_null else None
    return convert(part)


def _nested(raw, convert, takes_null):
    top = []
    stack = [top]
    for match in _TOKEN.finditer(raw):
        brace, quoted, comma, bare = match.groups()
        if brace == b'{':
            inner = []
            stack[-1].append(inner)
            stack.append(inner)
            if len(stack) > _DEPTH:
                raise DataError('excessive array dimensions')
        elif brace:
            stack.pop()
            if not stack:
                break
        elif quoted is not None:
            stack[-1].append(convert(_ESCAPED.sub(rb'\1', quoted)))
        elif bare is not None and not comma:
            stack[-1].append(_bare(_ESCAPED.sub(rb'\1', bare), convert, takes_null))
    if len(stack) != 1 or len(top) != 1 or match.end() != len(raw):
        raise DataError('unbalanced braces in array')
    return top[0]
