"""Error and notice texts exactly as libpq words them at its default verbosity.

The session calls it with the fields of an ErrorResponse or NoticeResponse; it never touches the connection.
"""

from unicodedata import east_asian_width

LOST = ('server closed the connection unexpectedly\n'
        '\tThis probably means the server terminated abnormally\n'
        '\tbefore or while processing the request.\n')

_WIDTH = 60       # columns of a statement's line that are shown
_RIGHT = 10       # columns kept visible right of the error
_SEVERITIES = ('ERROR:  ', 'FATAL:  ', 'PANIC:  ')


def fields(payload):
    """{letter: bytes} of an ErrorResponse or NoticeResponse."""
    return {chr(part[0]): part[1:] for part in payload.split(b'\0') if part}


def message(found, query=None, with_context=True):
    """The text that libpq's PQresultErrorMessage gives. found holds str by letter, query is the statement sent."""
    if 'M' not in found:
        return 'no error information available\n'
    out = [found.get('S', 'ERROR'), ':  ', found['M']]
    position, statement = found.get('P'), query
    if position is None:
        position, statement = found.get('p'), found.get('q')
    if position and not statement:
        out.append(f' at character {position}')
    out.append('\n')
    if position and statement:
        out.append(pointer(statement, int(position)))
    for letter, label in (('D', 'DETAIL'), ('H', 'HINT'), ('q', 'QUERY'), ('W', 'CONTEXT')):
        if letter in found and (letter != 'W' or with_context):
            out.append(f'{label}:  {found[letter]}\n')
    return ''.join(out)


def without_severity(text):
    return text[8:] if text[:8] in _SEVERITIES else text


def _line_of(text, index):
    """(number, start, end) of the line that holds text[index]; either of CR, LF and CRLF ends a line."""
    number, start = 1, 0
    for i, char in enumerate(text):
        if char not in '\r\n':
            continue
        if i >= index:
            return number, start, i
        if char == '\r' or i == 0 or text[i - 1] != '\r':
            number += 1
        start = i + 1
    return number, start, len(text)


def _columns(text):
    """The screen column at which each character begins, and the one after the last."""
    column, found = 0, [0]
    for char in text:
        column += 2 if east_asian_width(char) in 'WF' else 1
        found.append(column)
    return found


def pointer(query, position):
    """The lines "LINE 1: select ..." and "^" for an error at a 1-based character position."""
    index = position - 1
    if not 0 <= index <= len(query):
        return ''
    text = query.replace('\t', ' ')
    number, start, end = _line_of(text, index)
    column = _columns(text)
    before = after = False
    if column[end] - column[start] > _WIDTH:
        if column[start] + _WIDTH >= column[index] + _RIGHT:
            while column[end] - column[start] > _WIDTH:
                end, after = end - 1, True
        else:
            while column[index] + _RIGHT < column[end]:
                end, after = end - 1, True
            while column[end] - column[start] > _WIDTH:
                start, before = start + 1, True
    head = f'LINE {number}: ' + ('...' if before else '')
    indent = len(head) + column[index] - column[start]
    return head + text[start:end] + ('...' if after else '') + '\n' + ' ' * indent + '^\n'
