"""Connections and cursors against a server that says what the test wrote down."""

import errno
import io
import unittest

import scripted
from _psycopg import auth, errors, wire
from _psycopg.adapt import AsIs
from scripted import FAILED, GREETING, IN_TRANSACTION, READY, columns, connect, done, report, row

BEGUN = done('BEGIN') + IN_TRANSACTION
ONE = columns(('a', 23)) + row(b'1') + done('SELECT 1') + IN_TRANSACTION
MISSING = dict(S='ERROR', C='42P01', M='relation "foo" does not exist', P='15')


class Starting(unittest.TestCase):
    def test_startup_message(self):
        _, link = connect(dsn='host=127.0.0.1 user=u dbname=d application_name=x options=-ca')
        self.assertEqual(link.sent, [
            b'\0\0\0\x3a\0\3\0\0user\0u\0database\0d\0options\0-ca\0application_name\0x\0\0'])

    def test_no_statement_before_the_first(self):
        made, link = connect()
        self.assertEqual((len(link.sent), made.server_version, made.encoding, made.status), (1, 180004, 'UTF8', 1))

    def test_datestyle(self):
        greeting = GREETING.replace(b'ISO, MDY', b'German, ')
        _, link = connect(done('SET') + READY, greeting=greeting)
        self.assertEqual(link.sent[1:], [wire.query(b"SET DATESTYLE TO 'ISO'")])

    def test_passwords(self):
        ask = wire.message(b'R', b'\0\0\0\5salt')
        made, link = connect(greeting=ask + GREETING, dsn='host=127.0.0.1 user=u password=p')
        self.assertEqual(link.sent[1], wire.password(auth.md5(b'u', b'p', b'salt')))
        self.assertEqual(made.dsn, 'user=u password=xxx host=127.0.0.1')
        self.refused(ask, 'fe_sendauth: no password supplied\n')

    def refused(self, greeting, text, dsn='host=127.0.0.1 user=u'):
        with self.assertRaises(errors.OperationalError) as caught:
            connect(greeting=greeting, dsn=dsn)
        self.assertEqual(str(caught.exception), 'connection to server at "127.0.0.1", port 5432 failed: ' + text)

    def test_refusals(self):
        self.refused(report(S='FATAL', C='3D000', M='database "u" does not exist'), 'FATAL:  database "u" does not exist\n')
        self.refused(ConnectionRefusedError(111, 'x'), 'server closed the connection unexpectedly\n'
                     '\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\n')
        self.refused(TimeoutError('timed out'), 'timeout expired\n')
        self.refused(b'HTTP/1.1 400', 'expected authentication request from server, but received H\n')

    def test_where_nothing_can_be_reached(self):
        for number, host, text in (
            (errno.ECONNREFUSED, '127.0.0.1', 'connection to server at "127.0.0.1", port 5432 failed: Connection refused\n'
             '\tIs the server running on that host and accepting TCP/IP connections?\n'),
            (errno.ENETUNREACH, '10.0.0.9', 'connection to server at "10.0.0.9", port 5432 failed: Network is unreachable\n'
             '\tIs the server running on that host and accepting TCP/IP connections?\n'),
            (errno.EAFNOSUPPORT, '/tmp', 'connection to server on socket "/tmp/.s.PGSQL.5432" failed: No such file or directory\n'
             '\tIs the server running locally and accepting connections on that socket?\n'),
        ):
            class Closed(scripted.Socket):
                def connect(self, address):
                    raise OSError(number, 'x')
            with self.subTest(host), scripted.sockets(Closed()), self.assertRaises(errors.OperationalError) as caught:
                from _psycopg.connection import connection
                connection(f'host={host} user=u')
            self.assertEqual(str(caught.exception), text)

    def test_second_host_after_a_refused_first(self):
        class Closed(scripted.Socket):
            def connect(self, address):
                raise ConnectionRefusedError(111, 'Connection refused')
        with scripted.sockets(Closed(), scripted.Socket(GREETING)):
            from _psycopg.connection import connection
            made = connection('host=127.0.0.1,127.0.0.2 port=1,2 user=u')
        self.assertEqual(made.info.port, 2)


class Statements(unittest.TestCase):
    def test_begin_rides_with_the_first_statement(self):
        made, link = connect(BEGUN + ONE, ONE, done('COMMIT') + READY)
        cursor = made.cursor()
        cursor.execute('select %s as a', (1,))
        self.assertEqual(cursor.fetchall(), [(1,)])
        cursor.execute('select 1 as a')
        made.commit()
        self.assertEqual(link.sent[1:], [wire.query(b'BEGIN') + wire.query(b'select 1 as a'),
                                         wire.query(b'select 1 as a'), wire.query(b'COMMIT')])

    def test_any_pieces(self):
        stream = BEGUN + ONE
        made, _ = connect(*[bytes([b]) for b in stream])
        cursor = made.cursor()
        cursor.execute('select 1 as a')
        self.assertEqual((cursor.fetchone(), cursor.fetchone()), ((1,), None))
        self.assertEqual((cursor.statusmessage, cursor.rowcount, cursor.description[0].name), ('SELECT 1', 1, 'a'))

    def test_error(self):
        made, _ = connect(BEGUN + report(**MISSING) + FAILED)
        cursor = made.cursor()
        with self.assertRaises(errors.ProgrammingError) as caught:
            cursor.execute('select * from foo')
        error = caught.exception
        self.assertEqual(str(error), 'relation "foo" does not exist\nLINE 1: select * from foo\n                      ^\n')
        self.assertEqual((error.pgcode, error.cursor is cursor, type(error).__name__), ('42P01', True, 'UndefinedTable'))
        self.assertEqual((made.status, made.get_transaction_status()), (2, 3))

    def test_lost_connection(self):
        made, _ = connect(BEGUN)
        with self.assertRaisesRegex(errors.OperationalError, 'server closed the connection unexpectedly'):
            made.cursor().execute('select 1')
        self.assertEqual(made.closed, 2)
        with self.assertRaisesRegex(errors.InterfaceError, 'connection already closed'):
            made.commit()

    def test_garbage_closes_the_connection(self):
        for garbage in (b'D\0\0\0\0', b'\xff\0\0\0\4'):
            made, link = connect(garbage)
            with self.assertRaises(errors.OperationalError):
                made.cursor().execute('select 1')
            self.assertEqual((made.closed, link.open), (2, False))

    def test_notices_and_notifies(self):
        heard = wire.message(b'A', b'\0\0\0\x09news\0hello\0')
        made, _ = connect(BEGUN + report(b'N', S='NOTICE', M='n') + heard + ONE)
        made.cursor().execute('select 1')
        self.assertEqual((made.notices, [tuple(made.notifies[0])]), (['NOTICE:  n\n'], [(9, 'news')]))
        self.assertEqual(made.notifies[0].payload, 'hello')

    def test_interrupt_cancels_and_leaves_a_usable_connection(self):
        cancelled = report(S='ERROR', C='57014', M='canceling statement due to user request') + FAILED
        made, link = connect(BEGUN, KeyboardInterrupt(), cancelled, done('ROLLBACK') + READY)
        second = scripted.Socket()
        with scripted.sockets(second), self.assertRaises(KeyboardInterrupt):
            made.cursor().execute('select pg_sleep(100)')
        self.assertEqual(second.sent, [wire.cancel(7, b'\0\0\0\x2a')])
        made.rollback()
        self.assertEqual((made.closed, made.status, made.get_transaction_status()), (0, 1, 0))

    def test_with(self):
        made, link = connect(BEGUN + ONE, done('COMMIT') + READY, BEGUN + ONE, done('ROLLBACK') + READY)
        with made:
            made.cursor().execute('select 1')
        with self.assertRaises(ZeroDivisionError), made:
            made.cursor().execute('select 1')
            1 / 0
        self.assertEqual([link.sent[2], link.sent[4]], [wire.query(b'COMMIT'), wire.query(b'ROLLBACK')])

    def test_named_cursor(self):
        made, link = connect(BEGUN + done('DECLARE CURSOR') + IN_TRANSACTION, ONE)
        cursor = made.cursor('n"x')
        cursor.execute('select 1 as a')
        self.assertEqual(cursor.fetchone(), (1,))
        self.assertEqual(link.sent[2], wire.query(b'FETCH FORWARD 1 FROM "n""x"'))
        self.assertEqual(cursor.query, b'DECLARE "n""x" CURSOR WITHOUT HOLD FOR select 1 as a')


class Copying(unittest.TestCase):
    def test_from(self):
        begun = BEGUN + wire.message(b'G', b'\0\0\0')
        made, link = connect(begun, done('COPY 2') + IN_TRANSACTION)
        cursor = made.cursor()
        cursor.copy_from(io.StringIO('1\ta\n2\té\n'), 't', columns=('a', 'b'))
        self.assertEqual(link.sent[2:], [wire.copy_data('1\ta\n2\té\n'.encode()), wire.COPY_DONE])
        self.assertEqual((cursor.rowcount, cursor.query),
                         (2, b'COPY "t"("a","b") FROM stdin WITH DELIMITER AS \'\t\' NULL AS \'\\N\''))

    def test_to(self):
        begun = BEGUN + wire.message(b'H', b'\0\0\0') + wire.copy_data(b'1\n')
        made, _ = connect(begun, wire.copy_data('é\n'.encode()) + wire.COPY_DONE + done('COPY 2') + IN_TRANSACTION)
        target = io.StringIO()
        made.cursor().copy_to(target, 't')
        self.assertEqual(target.getvalue(), '1\né\n')

    def test_execute_refuses(self):
        made, _ = connect(BEGUN + wire.message(b'H', b'\0\0\0'), wire.COPY_DONE + done('COPY 0') + IN_TRANSACTION, ONE)
        with self.assertRaisesRegex(errors.ProgrammingError, r"can't execute COPY TO: use the copy_to\(\) method instead"):
            made.cursor().execute('copy t to stdout')
        made.cursor().execute('select 1 as a')


class Objects(unittest.TestCase):
    def test_before_init(self):
        from _psycopg.connection import connection
        from _psycopg.cursor import cursor
        bare = connection.__new__(connection)
        self.assertEqual((bare.closed, bare.info.status, bare.info.host, bare.get_transaction_status()), (2, 1, None, 4))
        with self.assertRaisesRegex(errors.InterfaceError, 'the cursor has no connection'):
            cursor.__new__(cursor).execute('select 1')

    def test_close_says_goodbye(self):
        made, link = connect()
        made.close()
        made.close()
        self.assertEqual((link.sent[1:], link.open, made.closed), ([wire.TERMINATE], False, 1))

    def test_async_attribute(self):
        made, _ = connect()
        self.assertEqual((made.async_, getattr(made, 'async')), (0, 0))

    def test_as_is(self):
        self.assertEqual(str(AsIs('now()')), 'now()')


if __name__ == '__main__':
    unittest.main()
