"""Proofs of a password, against the examples of the standards."""

import hashlib
import unittest
from unittest import mock

import scripted  # noqa: F401
from _psycopg import auth


class Scram(unittest.TestCase):
    """RFC 7677, section 3."""

    nonce = 'rOprNGfwEbeRWgbNEkqO'
    first = b'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
    final = b'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

    def exchange(self, password='pencil'):
        # The example names its user in the first message; PostgreSQL's clients leave it empty.
        made = auth.Scram(password, self.nonce)
        made._first = 'n=user,r=' + self.nonce
        return made

    def test_example(self):
        made = self.exchange()
        self.assertTrue(made.final(self.first).endswith(b',p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='))
        made.check(self.final)

    def test_without_the_fast_function(self):
        with mock.patch.object(hashlib, 'pbkdf2_hmac', None):
            self.test_example()

    def test_server_that_does_not_know_the_password(self):
        for outcome, text in ((b'v=AAAA', 'incorrect server signature\n'), (b'v=', 'incorrect server signature\n'),
                              (b'e=other-error', 'error received from server in SCRAM exchange: other-error\n')):
            made = self.exchange()
            made.final(self.first)
            with self.assertRaises(auth.Unproven) as caught:
                made.check(outcome)
            self.assertEqual(str(caught.exception), text)

    def test_bad_challenges(self):
        for challenge in (b'', b'r=x,s=AA==,i=1', self.first.replace(b'4096', b'0'), self.first.replace(b'W22', b'*'),
                          self.first.replace(b'4096', b'x')):
            with self.assertRaises(auth.Unproven):
                self.exchange().final(challenge)


class Preparation(unittest.TestCase):
    def test_saslprep(self):
        for given, wanted in (('pencil', 'pencil'), ('I\u00adX', 'IX'), ('\u2168', 'IX'), ('a\u00a0b', 'a b'),
                              ('\u0007é', '\u0007é'), ('\u06271', '\u06271')):
            self.assertEqual(auth.saslprep(given), wanted)


class Others(unittest.TestCase):
    def test_md5(self):
        inner = hashlib.md5(b'xu').hexdigest().encode()
        self.assertEqual(auth.md5(b'u', b'x', b'salt'), b'md5' + hashlib.md5(inner + b'salt').hexdigest().encode())

    def test_verifiers(self):
        self.assertEqual(auth.md5_verifier('ashesh', 'psycopg2'), 'md594839d658c28a357126f105b9cb14cfc')
        self.assertRegex(auth.scram_verifier('x', 2), r'^SCRAM-SHA-256\$2:[^:$]+\$[^:$]+:[^:$]+$')


if __name__ == '__main__':
    unittest.main()
