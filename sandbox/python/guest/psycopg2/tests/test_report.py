"""Error texts, as libpq 17 wrote them for the same fields."""

import pickle
import unittest

import scripted  # noqa: F401
from _psycopg import errors, report, sqlstates


class Pointer(unittest.TestCase):
    def check(self, query, position, wanted):
        self.assertEqual(report.pointer(query, position), wanted)

    def test_short(self):
        self.check('select * from foo', 15, 'LINE 1: select * from foo\n                      ^\n')

    def test_line(self):
        self.check('select 1,\n2, foo\n, 3', 14, 'LINE 2: 2, foo\n           ^\n')
        self.check('a\r\nb\rc', 6, 'LINE 3: c\n        ^\n')

    def test_tabs_and_wide_characters(self):
        self.check('select\t\té, foo', 9, 'LINE 1: select  é, foo\n                ^\n')
        self.check("select 'x一一一一一', foo", 18, "LINE 1: select 'x一一一一一', foo\n" + ' ' * 30 + '^\n')

    def test_long(self):
        query = 'select ' + '1,' * 50 + ' foo ' + ',1' * 50
        self.check(query, 109, 'LINE 1: ...' + ',1' * 24 + ', foo ,1,1,1...\n' + ' ' * 61 + '^\n')
        query = 'select 1 as x, ' + 'x' * 100 + ' foo'
        self.check(query, 16, 'LINE 1: ' + query[:60] + '...\n' + ' ' * 23 + '^\n')

    def test_positions_outside(self):
        self.check('select', 9, '')
        self.check('', 0, '')


class Message(unittest.TestCase):
    def test_all_parts(self):
        found = {'S': 'ERROR', 'M': 'hi', 'D': 'd', 'H': 'h', 'W': 'PL', 'p': '8', 'q': 'select foo'}
        self.assertEqual(report.message(found, 'do'), 'ERROR:  hi\nLINE 1: select foo\n               ^\n'
                                                      'DETAIL:  d\nHINT:  h\nQUERY:  select foo\nCONTEXT:  PL\n')
        self.assertEqual(report.message({'S': 'NOTICE', 'M': 'n', 'W': 'w'}, with_context=False), 'NOTICE:  n\n')

    def test_severity(self):
        self.assertEqual(report.without_severity('FATAL:  x\n'), 'x\n')
        self.assertEqual(report.without_severity('NOTICE:  x\n'), 'NOTICE:  x\n')


class Classes(unittest.TestCase):
    def test_classes(self):
        for code, name, base in (('42P01', 'UndefinedTable', errors.ProgrammingError),
                                 ('23505', 'UniqueViolation', errors.IntegrityError),
                                 ('40P01', 'DeadlockDetected', errors.TransactionRollbackError),
                                 ('57014', 'QueryCanceled', errors.QueryCanceledError),
                                 ('XX000', 'InternalError_', errors.InternalError),
                                 ('0A000', 'FeatureNotSupported', errors.NotSupportedError)):
            found = sqlstates.class_for(code)
            self.assertEqual((found.__name__, found.__base__), (name, base))
        self.assertEqual(len(sqlstates.BY_CODE), 254)

    def test_unknown_codes_go_by_their_class(self):
        for code, base in (('23999', errors.IntegrityError), ('99999', errors.DatabaseError), ('42ABC', errors.ProgrammingError)):
            self.assertIs(sqlstates.class_for(code), base)

    def test_pickle(self):
        error = errors.OperationalError('x')
        error.pgcode, error.cursor = '57014', object()
        kind, arguments, state = error.__reduce__()
        self.assertEqual((kind, arguments, state), (errors.OperationalError, ('x',), {'pgcode': '57014'}))
        self.assertEqual(pickle.loads(pickle.dumps(state)), state)

    def test_diagnostics(self):
        error = errors.Error('x')
        self.assertIsNone(error.diag.sqlstate)
        error._fields = {'C': '42P01', 't': 'users'}
        self.assertEqual((error.diag.sqlstate, error.diag.table_name), ('42P01', 'users'))


if __name__ == '__main__':
    unittest.main()
