"""What a connection hands out beside cursors: large objects, two-phase transactions, replication, asynchronous use."""

import unittest
from unittest import mock

import scripted
from _psycopg import errors, wire
from _psycopg.column import Column
from _psycopg.connection import POLL_OK, POLL_READ, connection
from _psycopg.notify import Notify
from _psycopg.replication import ReplicationCursor
from _psycopg.xid import Xid
from scripted import IN_TRANSACTION, READY, columns, connect, done, row

BEGUN = done('BEGIN') + IN_TRANSACTION


def answer(value):
    return wire.message(b'V', len(value).to_bytes(4, 'big') + value) + IN_TRANSACTION


def number(value):
    return answer(value.to_bytes(4, 'big'))


class LargeObjects(unittest.TestCase):
    def test_write_and_read(self):
        made, link = connect(BEGUN, number(4242), number(0), number(3), answer('é1'.encode()), answer(b''), number(0))
        found = made.lobject()
        self.assertEqual((found.oid, found.mode, found.write('é1')), (4242, 'wt', 3))
        self.assertEqual(found.read(), 'é1')
        found.close()
        self.assertTrue(found.closed)
        self.assertEqual(link.sent[4], wire.function_call(955, (b'\0\0\0\0', 'é1'.encode())))

    def test_outside_of_transactions(self):
        made, _ = connect()
        made.autocommit = True
        with self.assertRaisesRegex(errors.ProgrammingError, "can't use a lobject outside of transactions"):
            made.lobject()


class TwoPhases(unittest.TestCase):
    def test_statements(self):
        made, link = connect(BEGUN, done('PREPARE TRANSACTION') + READY, done('COMMIT PREPARED') + READY)
        made.tpc_begin(made.xid(42, 'gtrid', 'bqual'))
        made.tpc_prepare()
        with self.assertRaisesRegex(errors.ProgrammingError, 'prepared two-phase transaction'):
            made.cursor().execute('select 1')
        made.tpc_commit()
        self.assertEqual(link.sent[2:], [wire.query(b"PREPARE TRANSACTION '42_Z3RyaWQ=_YnF1YWw='"),
                                         wire.query(b"COMMIT PREPARED '42_Z3RyaWQ=_YnF1YWw='")])
        self.assertEqual(made.status, 1)

    def test_characteristics(self):
        made, link = connect(done('BEGIN') + IN_TRANSACTION, done('SET') + IN_TRANSACTION)
        made.set_session('serializable', readonly=True, deferrable=False)
        made.cursor().execute('set x to 1')
        self.assertEqual(link.sent[1], wire.query(b'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY NOT DEFERRABLE'))


class Asynchronous(unittest.TestCase):
    def test_query(self):
        made, link = connect(BlockingIOError(), columns(('a', 23)), row(b'1') + done('SELECT 1') + READY)
        made.async_ = 1
        made._session.block(False)
        made._autocommit = True
        cursor = made.cursor()
        cursor.execute('select 1')
        self.assertTrue(made.isexecuting())
        with self.assertRaisesRegex(errors.ProgrammingError, 'while an asynchronous query is underway'):
            cursor.fetchone()
        self.assertEqual([made.poll(), made.poll(), made.poll()], [POLL_READ, POLL_READ, POLL_OK])
        self.assertEqual((cursor.fetchall(), made.isexecuting()), ([(1,)], False))

    def test_wait_callback(self):
        def wait(waiting):
            while waiting.poll() != POLL_OK:
                pass
        made, link = connect(BEGUN, done('SELECT 0') + IN_TRANSACTION)
        with mock.patch('_psycopg.green._callback', [wait]):
            made.cursor().execute('select')
        self.assertEqual(link.sent[1:], [wire.query(b'BEGIN'), wire.query(b'select')])

    def test_callback_that_fails_closes_the_connection(self):
        made, _ = connect()
        with mock.patch('_psycopg.green._callback', [lambda waiting: 1 / 0]), self.assertRaises(ZeroDivisionError):
            made.cursor().execute('select')
        self.assertTrue(made.closed)


class Replication(unittest.TestCase):
    def test_stream(self):
        alive = wire.copy_data(b'k' + (99).to_bytes(8, 'big') + bytes(8) + b'\1')
        data = wire.copy_data(b'w' + (5).to_bytes(8, 'big') + (77).to_bytes(8, 'big') + (10).to_bytes(8, 'big') + b'BEGIN')
        made, link = connect(wire.message(b'W', b'\0\0\0') + alive + data)
        made._autocommit = True
        cursor = ReplicationCursor(made)
        cursor.start_replication_expert('START_REPLICATION SLOT x LOGICAL 0/0', decode=True)
        with mock.patch('select.select', lambda *arguments: ([], [], [])):
            message = cursor.read_message()
            self.assertEqual((message.payload, message.data_start, message.wal_end, cursor.wal_end), ('BEGIN', 5, 77, 77))
            self.assertIsNone(cursor.read_message())
        self.assertEqual(link.sent[2][:6], b'd\0\0\0\x26r')  # the keepalive wanted an answer
        with self.assertRaisesRegex(errors.OperationalError, 'not allowed during COPY BOTH'):
            cursor.execute('select 1')


class Values(unittest.TestCase):
    def test_xid(self):
        self.assertEqual(tuple(Xid.from_string('42_Z3RyaWQ=_YnF1YWw=')), (42, 'gtrid', 'bqual'))
        for text in ('99_xxx_yyy', 'hello', '', '1_é_'):
            self.assertEqual((Xid.from_string(text).format_id, str(Xid.from_string(text))), (None, text))
        for arguments in ((-1, '', ''), (1 << 31, '', ''), (0, 'x' * 65, ''), (0, 'é', '')):
            with self.assertRaises(ValueError):
                Xid(*arguments)

    def test_notify(self):
        self.assertEqual(Notify(1, 'a'), (1, 'a'))
        self.assertNotEqual(Notify(1, 'a', 'x'), Notify(1, 'a', 'y'))
        self.assertEqual((list(Notify(1, 'a', 'x')), hash(Notify(1, 'a'))), ([1, 'a'], hash((1, 'a'))))

    def test_column(self):
        column = Column('n', 1700, None, 5, 5, 2)
        self.assertEqual((column[0:2], len(column), repr(column)), (('n', 1700), 7, "Column(name='n', type_code=1700)"))
        self.assertEqual(column, ('n', 1700, None, 5, 5, 2, None))

    def test_errors_are_attributes_of_the_connection(self):
        made, _ = connect()
        self.assertIs(made.ProgrammingError, errors.ProgrammingError)
        self.assertIsInstance(made, connection)


if __name__ == '__main__':
    unittest.main()
