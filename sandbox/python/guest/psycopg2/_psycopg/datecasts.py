"""Dates, times and intervals from PostgreSQL's text (datestyle ISO, intervalstyle postgres), by psycopg2's own rules.

The typecasters call these with bytes. A year is 365 days and a month 30; 24:00 is midnight of the same day.
"""

import datetime as dt
import re

from .errors import DataError, NotSupportedError

_DATE = re.compile(rb'(\d+)-(\d+)-(\d+)')
_TIME = re.compile(rb'(\d+):(\d+):(\d+)(?:\.(\d+))?(?:([-+])(\d+)(?::(\d+))?(?::(\d+))?)?')
_LARGEST = 2147483647  # of one component of an interval, as psycopg2 has it
_DAYS = {'y': 365, 'm': 30, 'd': 1}


def date(raw):
    if len(raw) == 10:
        try:
            return dt.date.fromisoformat(raw.decode('ascii'))
        except ValueError:
            pass  # for the error that psycopg2 gives
    if raw in (b'infinity', b'-infinity'):
        return dt.date.max if raw[:1] == b'i' else dt.date.min
    return dt.date(*_ymd(raw)[0])


def _ymd(raw):
    """((year, month, day), where they end)."""
    found = _DATE.match(raw)
    if found is None:
        raise DataError('unable to parse date')
    year, month, day = map(int, found.groups())
    return (-year if raw.endswith(b'BC') else year, month, day), found.end()


def _clock(raw, at=0):
    """(hour, minute, second, microsecond, offset), where offset is a timedelta or None."""
    found = _TIME.match(raw, at)
    if found is None:
        raise DataError('unable to parse time')
    hour, minute, second, fraction, sign, *zone = found.groups()
    offset = None
    if sign:
        hours, minutes, seconds = (int(part or 0) for part in zone)
        offset = dt.timedelta(seconds=hours * 3600 + minutes * 60 + seconds)
        if sign == b'-':
            offset = -offset
    return int(hour) % 24 if hour == b'24' else int(hour), int(minute), int(second), _micro(fraction), offset


def _micro(fraction):
    return int(fraction[:6].ljust(6, b'0')) if fraction else 0


def _zone(offset, factory):
    return factory(offset) if offset is not None and factory is not None else None


def timestamp(raw, factory):
    if 19 <= len(raw) <= 26:
        try:
            found = dt.datetime.fromisoformat(raw.decode('ascii'))
            if found.tzinfo is None and raw[11:13] != b'24':
                return found
        except ValueError:
            pass
    if raw in (b'infinity', b'-infinity'):
        return dt.datetime.max if raw[:1] == b'i' else dt.datetime.min
    return _timestamp(raw, factory)


def timestamp_with_zone(raw, factory):
    if raw in (b'infinity', b'-infinity'):
        limit = dt.datetime.max if raw[:1] == b'i' else dt.datetime.min
        return limit.replace(tzinfo=_zone(dt.timedelta(0), factory))
    if factory is dt.timezone:
        try:
            found = dt.datetime.fromisoformat(raw.decode('ascii'))
            if found.tzinfo is not None and raw[11:13] != b'24':
                return found
        except ValueError:
            pass
    return _timestamp(raw, factory)


def _timestamp(raw, factory):
    (year, month, day), at = _ymd(raw)
    if not raw[at:] or raw[at:] == b' BC':
        return dt.datetime(year, month, day)
    hour, minute, second, micro, offset = _clock(raw, at + 1)
    leap, second = divmod(second, 60)
    found = dt.datetime(year, month, day, hour, minute, second, micro, _zone(offset, factory))
    return found + dt.timedelta(minutes=1) if leap else found


def time(raw, factory):
    hour, minute, second, micro, offset = _clock(raw)
    if second == 60:
        hour, minute, second = (hour + (minute + 1) // 60) % 24, (minute + 1) % 60, 0
    return dt.time(hour, minute, second, micro, _zone(offset, factory))


def interval(raw):
    text = raw.decode('ascii')
    if text[:1] == 'P':
        raise NotSupportedError('iso_8601 intervalstyle currently not supported')
    words = [word for word in text.split() if word != '@'] or ['']
    if len(words) == 1 and ':' not in text:
        return dt.timedelta(microseconds=int(text))  # what Redshift sends
    days = seconds = micro = 0
    at = 0
    while at < len(words):
        word = words[at]
        if ':' in word:
            sign = -1 if word[0] == '-' else 1
            hour, minute, second, fraction = _parts(word.lstrip('+-'))
            seconds += sign * (hour * 3600 + minute * 60 + second)
            micro += sign * fraction
            at += 1
            continue
        if word != 'ago':
            unit = words[at + 1][:1] if at + 1 < len(words) and words[at + 1][:4] != 'week' else ''
            days += _component(word) * _DAYS.get(unit, 0)
        at += 2
    return dt.timedelta(days, seconds, micro)


def _parts(clock):
    """Hours, minutes, seconds and microseconds of "4:05:06.7", each checked for what an int of C holds."""
    whole, _, fraction = clock.partition('.')
    parts = [_component(part) for part in whole.split(':')] + [0]
    micro = round(_component(fraction) * 10 ** (6 - len(fraction))) if fraction else 0
    return *parts[:3], micro


def _component(text):
    value = int(text)
    if abs(value) > _LARGEST:
        raise OverflowError('interval component too big')
    return value
