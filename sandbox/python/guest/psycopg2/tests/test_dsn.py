"""Connection strings and what completes them."""

import os
import tempfile
import unittest
from unittest import mock

import scripted  # noqa: F401
from _psycopg import dsn


class Parsing(unittest.TestCase):
    def test_good(self):
        for text, wanted in {
            '': {}, 'dbname=': {'dbname': ''}, "dbname='a b' user = x": {'user': 'x', 'dbname': 'a b'},
            r'dbname=a\ b': {'dbname': 'a b'}, 'dbname==1': {'dbname': '=1'}, r"dbname='it\'s'": {'dbname': "it's"},
            'port=5 port=6': {'port': '6'}, "user=''": {'user': ''}, 'postgres://': {},
            'postgresql://u:p@h:1/db?application_name=x%20y':
                {'user': 'u', 'password': 'p', 'host': 'h', 'port': '1', 'dbname': 'db', 'application_name': 'x y'},
            'postgresql://[::1]:5/d': {'dbname': 'd', 'host': '::1', 'port': '5'},
            'postgresql://h1:1,h2:2/d': {'dbname': 'd', 'host': 'h1,h2', 'port': '1,2'},
            'postgresql:///d?host=/tmp': {'dbname': 'd', 'host': '/tmp'},
            'postgresql://u:p:q@h': {'user': 'u', 'password': 'p:q', 'host': 'h'},
            'postgresql://h/d?ssl=true': {'dbname': 'd', 'host': 'h', 'sslmode': 'require'},
        }.items():
            self.assertEqual(dsn.parse(text), wanted, text)

    def test_bad(self):
        for text, wanted in {
            'foo': 'missing "=" after "foo" in connection info string\n',
            'dbname=a b': 'missing "=" after "b" in connection info string\n',
            'foo=1': 'invalid connection option "foo"\n',
            '=1': 'invalid connection option ""\n',
            "dbname='a": 'unterminated quoted string in connection info string\n',
            'postgresql://h/%zz': 'invalid percent-encoded token: "%zz"\n',
            'postgresql://h/d?user=%00': 'forbidden value %00 in percent-encoded value: "%00"\n',
            'postgresql://h/d?x': 'missing key/value separator "=" in URI query parameter: "x"\n',
            'postgresql://h/d?a=b=c': 'extra key/value separator "=" in URI query parameter: "a"\n',
            'postgresql://h/db?foo=1': 'invalid URI query parameter: "foo"\n',
        }.items():
            with self.assertRaises(dsn.BadDsn) as caught:
                dsn.parse(text)
            self.assertEqual(str(caught.exception), wanted)

    def test_join_is_read_back(self):
        options = {'user': "o'x", 'dbname': 'a b', 'host': '', 'options': r'-c a\=b'}
        self.assertEqual(dsn.parse(dsn.join(options)), options)


class Completing(unittest.TestCase):
    def test_environment_and_defaults(self):
        with mock.patch.dict(os.environ, {'PGHOST': 'db', 'PGUSER': 'me', 'HOME': '/h'}, clear=True):
            found = dsn.complete({'user': 'you', 'host': ''})
        self.assertEqual((found['user'], found['host'], found['dbname'], found['port']), ('you', 'db', 'you', '5432'))
        self.assertEqual(found['passfile'], '/h/.pgpass')

    def test_passwords_are_not_shown(self):
        self.assertEqual(dsn.shown({'user': 'u', 'password': 'p', 'sslpassword': 'q'}), {'user': 'u'})

    def test_service_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'services')
            with open(path, 'w') as file:
                file.write('# services\n[other]\nhost=no\n\n[mine]\nhost=yes\nport=7\n[later]\nport=8\n')
            with mock.patch.dict(os.environ, {'PGSERVICEFILE': path}, clear=True):
                found = dsn.complete({'service': 'mine', 'port': '9', 'user': 'u'})
                self.assertEqual((found['host'], found['port']), ('yes', '9'))
                with self.assertRaisesRegex(dsn.BadDsn, 'definition of service "none" not found'):
                    dsn.complete({'service': 'none'})

    def test_password_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'pgpass')
            with open(path, 'w') as file:
                file.write('#x:*:*:*:no\nh:1:d:u:one\n*:*:*:u:a\\:b\\\\c\n')
            options = {'passfile': path, 'dbname': 'd', 'user': 'u'}
            self.assertEqual(dsn.password_from_file(options, 'h', '1'), 'one')
            self.assertEqual(dsn.password_from_file(options, 'h', '2'), 'a:b\\c')
            self.assertIsNone(dsn.password_from_file({**options, 'user': 'v'}, 'h', '1'))
            self.assertIsNone(dsn.password_from_file({**options, 'passfile': folder + '/none'}, 'h', '1'))


if __name__ == '__main__':
    unittest.main()
