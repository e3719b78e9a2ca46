"""Functions that take a connection or a cursor as the scope in which they hold."""

from . import auth
from .connection import connection, ensure_text
from .errors import ProgrammingError
from .wire import data_row


def owner_of(scope, message):
    """The connection that a function's scope argument (a connection or a cursor) names. Raises TypeError."""
    if isinstance(scope, connection):
        return scope
    owner = getattr(scope, 'connection', None)
    if isinstance(owner, connection):
        return owner
    raise TypeError(message)


def quote_ident(ident, scope):
    """quote_ident(str, conn_or_curs) -> str -- wrapper around PQescapeIdentifier"""
    owner_of(scope, 'argument 2 must be a connection or a cursor')
    return '"' + ensure_text(ident).replace('"', '""') + '"'


def encrypt_password(password, user, scope=None, algorithm=None):
    """encrypt_password(password, user, [scope], [algorithm]) -- Prepares the encrypted form of a PostgreSQL password."""
    password, user = ensure_text(password), ensure_text(user)
    owner = None if scope is None else owner_of(scope, 'the scope must be a connection or a cursor')
    if algorithm is not None:
        algorithm = ensure_text(algorithm)
    if algorithm is None and owner is not None:
        shown = owner._run(b'SHOW password_encryption')[-1]
        algorithm = data_row(shown.rows[0])[0].decode()
    if algorithm == 'md5':
        return auth.md5_verifier(user, password)
    if owner is None:
        raise ProgrammingError("password encryption (other than 'md5' algorithm) requires a connection or cursor")
    if algorithm not in ('scram-sha-256', 'on'):
        raise ProgrammingError(
            f'password encryption failed: unrecognized password encryption algorithm "{algorithm}"\n')
    return auth.scram_verifier(password)
