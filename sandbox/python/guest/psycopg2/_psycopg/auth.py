"""Proof of a password to the server: SCRAM-SHA-256, md5.

The session calls it during the start of a connection. Source: RFC 5802, RFC 7677, PostgreSQL's sasl-authentication.html.
"""

import base64
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

MECHANISM = b'SCRAM-SHA-256'


class Unproven(Exception):
    """The exchange can't go on; the text is libpq's."""


def md5(user, password, salt):
    """The answer to AuthenticationMD5Password; user and password as bytes."""
    inner = hashlib.md5(password + user).hexdigest().encode()
    return b'md5' + hashlib.md5(inner + salt).hexdigest().encode()


def md5_verifier(user, password):
    """What PostgreSQL stores for a password under md5."""
    return 'md5' + hashlib.md5((password + user).encode()).hexdigest()


def _pbkdf2(password, salt, rounds):
    """PBKDF2-HMAC-SHA-256; some builds of hashlib come without it."""
    native = getattr(hashlib, 'pbkdf2_hmac', None)  # looked up at each call: the sandbox may provide it late
    if native is not None:
        return native('sha256', password, salt, rounds)
    keyed = hmac.new(password, digestmod=hashlib.sha256)

    def step(block):
        one = keyed.copy()
        one.update(block)
        return one.digest()
    last = step(salt + b'\0\0\0\1')
    total = int.from_bytes(last, 'big')
    for _ in range(rounds - 1):
        last = step(last)
        total ^= int.from_bytes(last, 'big')
    return total.to_bytes(32, 'big')


def _prohibited(char):
    return (stringprep.in_table_c12(char) or stringprep.in_table_c21_c22(char) or stringprep.in_table_c3(char)
            or stringprep.in_table_c4(char) or stringprep.in_table_c5(char) or stringprep.in_table_c6(char)
            or stringprep.in_table_c7(char) or stringprep.in_table_c8(char) or stringprep.in_table_c9(char)
            or stringprep.in_table_a1(char))


def saslprep(password):
    """RFC 4013; where it forbids a password PostgreSQL takes the bytes as they are."""
    if password.isascii():
        return password
    text = ''.join(' ' if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    text = unicodedata.normalize('NFKC', text)
    if not text or any(map(_prohibited, text)):
        return password
    if any(map(stringprep.in_table_d1, text)):
        if any(map(stringprep.in_table_d2, text)):
            return password
        if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
            return password
    return text


class Scram:
    """The client's side of one SCRAM-SHA-256 exchange, without channel binding."""

    def __init__(self, password, nonce=None):
        self._password = saslprep(password).encode('utf-8', 'surrogateescape')
        self._nonce = nonce or base64.b64encode(secrets.token_bytes(18)).decode()
        self._first = 'n=,r=' + self._nonce
        self._signature = None

    def first(self):
        return ('n,,' + self._first).encode()

    def final(self, challenge):
        """client-final-message for the server's first message."""
        text = challenge.decode('utf-8', 'replace')
        found = _attributes(text)
        try:
            nonce, salt, rounds = found['r'], base64.b64decode(found['s'], validate=True), int(found['i'])
        except (KeyError, ValueError):
            raise Unproven('malformed SCRAM message (invalid server-first-message)\n') from None
        if not nonce.startswith(self._nonce) or rounds < 1:
            raise Unproven('invalid SCRAM response (nonce mismatch)\n')
        salted = _pbkdf2(self._password, salt, rounds)
        bare = 'c=biws,r=' + nonce
        signed = f'{self._first},{text},{bare}'.encode()
        client_key = hmac.digest(salted, b'Client Key', 'sha256')
        stored = hashlib.sha256(client_key).digest()
        mask = hmac.digest(stored, signed, 'sha256')
        proof = bytes(a ^ b for a, b in zip(client_key, mask))
        server_key = hmac.digest(salted, b'Server Key', 'sha256')
        self._signature = hmac.digest(server_key, signed, 'sha256')
        return f'{bare},p={base64.b64encode(proof).decode()}'.encode()

    def check(self, outcome):
        """Raises Unproven unless the server proved that it knows the password too."""
        found = _attributes(outcome.decode('utf-8', 'replace'))
        if 'e' in found:
            raise Unproven(f'error received from server in SCRAM exchange: {found["e"]}\n')
        try:
            right = hmac.compare_digest(base64.b64decode(found.get('v', '')), self._signature or b'')
        except ValueError:
            right = False
        if not right:
            raise Unproven('incorrect server signature\n')


def _attributes(text):
    return {part[0]: part[2:] for part in text.split(',') if part[1:2] == '='}


def scram_verifier(password, rounds=4096):
    """What PostgreSQL stores for a password: the text to send in CREATE ROLE ... PASSWORD."""
    salt = secrets.token_bytes(16)
    salted = _pbkdf2(saslprep(password).encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b'Client Key', 'sha256')).digest()
    server = hmac.digest(salted, b'Server Key', 'sha256')
    text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return 'SCRAM-SHA-256${}:{}${}:{}'.format(rounds, *text)
