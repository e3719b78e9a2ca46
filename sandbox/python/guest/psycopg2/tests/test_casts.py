"""Values to Python. The expected objects were made by psycopg2-binary 2.9.13."""

import datetime as dt
import unittest

import scripted
from _psycopg import typecasts
from _psycopg.errors import DataError, InterfaceError, NotSupportedError


def zone(seconds):
    return dt.timezone(dt.timedelta(seconds=seconds))


class Casting(unittest.TestCase):
    def setUp(self):
        self.connection, _ = scripted.connect()
        self.cursor = self.connection.cursor()

    def check(self, name, wanted):
        for text, value in wanted.items():
            self.assertEqual(getattr(typecasts, name)(text, self.cursor), value, text)

    def refuse(self, name, error, *texts):
        for text in texts:
            with self.assertRaises(error, msg=text):
                getattr(typecasts, name)(text, self.cursor)

    def test_dates(self):
        self.check('DATE', {'2020-01-02': dt.date(2020, 1, 2), 'infinity': dt.date.max, '-infinity': dt.date.min})
        self.refuse('DATE', ValueError, '0001-01-01 BC', '10000-01-01', '2020-13-01')
        self.refuse('DATE', DataError, 'abc', '', '2020-1')

    def test_timestamps(self):
        for name in ('DATETIME', 'DATETIMETZ'):
            self.check(name, {
                '2020-01-02 03:04:05': dt.datetime(2020, 1, 2, 3, 4, 5),
                '2020-01-02 03:04:05.5': dt.datetime(2020, 1, 2, 3, 4, 5, 500000),
                '2020-01-02 24:00:00': dt.datetime(2020, 1, 2), '2020-01-02 03:04:60': dt.datetime(2020, 1, 2, 3, 5),
                '2020-01-02 03:04:05-03:30': dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=zone(-12600)),
                '1869-01-01 00:00:00+00:19:32': dt.datetime(1869, 1, 1, tzinfo=zone(1172))})
            self.refuse(name, ValueError, '10000-01-01 00:00:00', '2020-01-02 25:00:00')
            self.refuse(name, DataError, '2020-01-02 03:04', 'abc')
        self.check('DATETIME', {'infinity': dt.datetime.max})
        self.check('DATETIMETZ', {'infinity': dt.datetime.max.replace(tzinfo=zone(0))})

    def test_zone_factory(self):
        self.cursor.tzinfo_factory = lambda offset: dt.timezone(offset, 'mine')
        self.assertEqual(typecasts.DATETIMETZ('2020-01-02 03:04:05+02', self.cursor).tzname(), 'mine')
        self.cursor.tzinfo_factory = None
        self.assertIsNone(typecasts.DATETIMETZ('2020-01-02 03:04:05+02', self.cursor).tzinfo)

    def test_times(self):
        self.check('TIME', {
            '03:04:05.25': dt.time(3, 4, 5, 250000), '24:00:00': dt.time(0), '03:04:60': dt.time(3, 5),
            '03:04:05.123456+05:30:15': dt.time(3, 4, 5, 123456, tzinfo=zone(19815))})

    def test_intervals(self):
        self.check('INTERVAL', {
            '1 year 2 mons': dt.timedelta(425), '-1 days +02:03:04': dt.timedelta(-1, 7384), '25:00:00': dt.timedelta(1, 3600),
            '-00:00:00.000001': dt.timedelta(microseconds=-1), '@ 1 day': dt.timedelta(1), '1': dt.timedelta(0, 0, 1),
            '-1 years -2 mons +3 days -04:05:06.789': dt.timedelta(-423, 71693, 211000)})
        self.refuse('INTERVAL', OverflowError, '9999999999:00:00', '1000000000 days')
        self.refuse('INTERVAL', NotSupportedError, 'P1D')

    def test_arrays(self):
        self.check('INTEGERARRAY', {
            '{1,2}': [1, 2], '{}': [], '{{1,2},{3,NULL}}': [[1, 2], [3, None]], '[0:1]={1,2}': [1, 2], '{null}': [None]})
        self.check('STRINGARRAY', {
            r'{"a\"b",a b,"NULL",NULL,"","{,}"}': ['a"b', 'a b', 'NULL', None, '', '{,}'], '{{},{1}}': [[], ['1']],
            r'{a\,b}': ['a,b'], '{é}': ['é']})
        self.refuse('STRINGARRAY', DataError, '', '1', '{', '{1}}', '{{1}', '{' * 20 + '}' * 20)

    def test_bytea(self):
        for text, wanted in {
            r'\x6162': b'ab', r'\x': b'', '': b'', 'abc': b'abc', r'a\134b\\c\000': b'a\\b\\c\0', r'\x 61 62': b'ab',
            r'\x61E9': b'a\xe9', ''.join(rf'\{byte:03o}' for byte in range(256)): bytes(range(256)),
        }.items():
            found = typecasts.BINARY(text, self.cursor)
            self.assertEqual((type(found), bytes(found)), (memoryview, wanted))

    def test_booleans(self):
        self.check('BOOLEAN', {'t': True, 'f': False})
        self.refuse('BOOLEAN', InterfaceError, 'x', '')

    def test_null(self):
        for name in ('INTEGER', 'DATE', 'STRINGARRAY', 'BINARY'):
            self.assertIsNone(getattr(typecasts, name)(None, self.cursor))

    def test_comparison(self):
        self.assertTrue(typecasts.STRING == 25 and typecasts.STRING == typecasts.UNICODE)
        self.assertTrue(typecasts.NUMBER == typecasts.INTEGER and typecasts.INTEGER != typecasts.LONGINTEGER)

    def test_own_types_see_null(self):
        seen = typecasts.new_type((23,), 'SEEN', lambda text, cursor: ('seen', text))
        many = typecasts.new_array_type((1007,), 'MANY', seen)
        self.assertEqual(many('{1,NULL}', self.cursor), [('seen', '1'), ('seen', None)])
        typecasts.register_type(seen, self.cursor)
        self.assertEqual(typecasts.find(23, self.cursor), seen)
        self.assertIs(typecasts.find(23, self.connection.cursor()), typecasts.INTEGER)


if __name__ == '__main__':
    unittest.main()
