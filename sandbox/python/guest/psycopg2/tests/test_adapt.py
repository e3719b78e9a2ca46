"""Literals and interpolation. The expected bytes were written by psycopg2-binary 2.9.13."""

import datetime as dt
import unittest
from decimal import Decimal

import scripted
from _psycopg.adapt import AsIs, Binary, ISQLQuote, QuotedString, adapt, adapters, quoted
from _psycopg.adapt import Decimal as NumericAdapter
from _psycopg.errors import ProgrammingError
from _psycopg.merge import merge

UTC = dt.timezone.utc


class Literals(unittest.TestCase):
    def setUp(self):
        self.connection, _ = scripted.connect()

    def test_values(self):
        for value, wanted in (
            (None, b'NULL'), (1, b'1'), (-1, b' -1'), (True, b'true'), (1.5, b'1.5'), (-1.5, b' -1.5'),
            (float('nan'), b"'NaN'::float"), (float('-inf'), b"'-Infinity'::float"),
            ('é', "'é'".encode()), ("it's", b"'it''s'"), ('a\\b', b"'a\\b'"),
            (b"a\0\\'", b"'\\x61005c27'::bytea"), (bytearray(b'x'), b"'\\x78'::bytea"), (b'', b"'\\x'::bytea"),
            ([], b"'{}'"), ([None], b"'{NULL}'"), ([1, None, -1], b'ARRAY[1,NULL, -1]'), ([[]], b'ARRAY[ARRAY[]]'),
            ([[None], [None]], b"'{{NULL},{NULL}}'"), ([[None], [1]], b"ARRAY['{NULL}',ARRAY[1]]"),
            (dt.date(1, 1, 1), b"'0001-01-01'::date"), (dt.time(1, 2, 3, 4), b"'01:02:03.000004'::time"),
            (dt.time(1, 2, tzinfo=UTC), b"'01:02:00+00:00'::timetz"),
            (dt.datetime(2020, 1, 2, 3), b"'2020-01-02T03:00:00'::timestamp"),
            (dt.datetime(2020, 1, 2, tzinfo=UTC), b"'2020-01-02T00:00:00+00:00'::timestamptz"),
            (dt.timedelta(-1, 2, 3), b"'-1 days 2.000003 seconds'::interval"),
        ):
            self.assertEqual(quoted(value, self.connection), wanted, value)

    def test_decimal(self):
        for text, wanted in (('1E+3', b'1E+3'), ('-0.5', b' -0.5'), ('NaN', b"'NaN'::numeric"), ('inf', b"'NaN'::numeric")):
            self.assertEqual(NumericAdapter(Decimal(text)).getquoted(), wanted)

    def test_server_without_standard_strings(self):
        greeting = scripted.GREETING.replace(scripted.parameter('standard_conforming_strings', 'on'),
                                             scripted.parameter('standard_conforming_strings', 'off'))
        old, _ = scripted.connect(greeting=greeting)
        self.assertEqual(quoted('a\\', old), b"E'a\\\\'")
        self.assertEqual(quoted(b'a', old), b"E'\\\\x61'::bytea")

    def test_refusals(self):
        with self.assertRaisesRegex(ValueError, r'A string literal cannot contain NUL \(0x00\) characters\.'):
            quoted('a\0', self.connection)
        for value, name in (({}, 'dict'), (UTC, 'datetime.timezone'), (object(), 'object')):
            with self.assertRaisesRegex(ProgrammingError, f"can't adapt type '{name}'"):
                adapt(value)
        with self.assertRaisesRegex(TypeError, "can't escape int to binary"):
            Binary(1).getquoted()

    def test_injection_stays_inside_the_quotes(self):
        for nasty in ("'; drop table users; --", "\\'; --", "''", "'" * 7):
            literal = QuotedString(nasty)
            literal.prepare(self.connection)
            inner = literal.getquoted().decode()[1:-1]
            self.assertEqual(inner.replace("''", ''), nasty.replace("'", ''))

    def test_own_adapters(self):
        class Point:
            pass

        class Near(Point):
            pass

        class Speaks:
            def __conform__(self, protocol):
                return AsIs('spoken') if protocol is ISQLQuote else None
        adapters[(Point, ISQLQuote)] = lambda point: AsIs("'(1,2)'")
        self.addCleanup(adapters.pop, (Point, ISQLQuote))
        self.assertEqual(quoted(Near(), self.connection), b"'(1,2)'")
        self.assertEqual(quoted(Speaks(), self.connection), b'spoken')


class Merging(unittest.TestCase):
    def setUp(self):
        self.connection, _ = scripted.connect()

    def test_good(self):
        for query, arguments, wanted in (
            ('%s', (1,), '1'), ('é %s', ('é',), "é 'é'"), ('select 1', (1, 2), 'select 1'), ('select %% 1', (), 'select % 1'),
            ('%(a)s %(a)s', {'a': 'x'}, "'x' 'x'"), ('%()s', {'': 2}, '2'), ('%s %% %s', (None, '%s'), "NULL % '%s'"),
            ('%s', 'a', "'a'"), ('%s', [1], '1'), ('%(é)s', {'é': 1}, '1'),
        ):
            self.assertEqual(merge(query.encode(), arguments, self.connection).decode(), wanted)

    def test_bad(self):
        for query, arguments, error, text in (
            ('%s %s', (1,), IndexError, 'tuple index out of range'),
            ('%s', (1, 2), TypeError, 'not all arguments converted during string formatting'),
            ('%(a)s', {}, KeyError, "'a'"),
            ('%(a)s', (1,), TypeError, 'tuple indices must be integers or slices, not str'),
            ('%s', {'a': 1}, TypeError, 'dict is not a sequence'),
            ('%s', 5, TypeError, "'int' object does not support indexing"),
            ('%d', (1,), ValueError, "unsupported format character 'd' (0x64) at index 1"),
            ('%(a)d', {'a': 1}, ValueError, "unsupported format character 'd' (0x64) at index 4"),
            ('%', (1,), ValueError, 'incomplete format'),
            ('a %', (), IndexError, 'tuple index out of range'),
            ('%(a', {'a': 1}, ProgrammingError, "incomplete placeholder: '%(' without ')'"),
            ('%(a, %(b)', {'a': 1}, ProgrammingError, "incomplete placeholder: '%(' without ')'"),
            ('%(a)s %s', {'a': 1}, ProgrammingError, "argument formats can't be mixed"),
            ('like "a%" and %s', (1, 2), ValueError, "unsupported format character '\"' (0x22) at index 8"),
        ):
            with self.assertRaises(error) as caught:
                merge(query.encode(), arguments, self.connection)
            self.assertEqual(str(caught.exception), text, query)


if __name__ == '__main__':
    unittest.main()
