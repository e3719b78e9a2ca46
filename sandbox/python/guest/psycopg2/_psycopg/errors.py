"""The DB-API exceptions, and the details that a PostgreSQL error carries.

Everything that raises imports from here.  Texts and classes are psycopg2's own, since learners meet them in books.
"""

_FIELDS = {  # protocol-error-fields.html: the byte that names a field, by psycopg2's name for it
    'severity': 'S', 'severity_nonlocalized': 'V', 'sqlstate': 'C', 'message_primary': 'M', 'message_detail': 'D',
    'message_hint': 'H', 'statement_position': 'P', 'internal_position': 'p', 'internal_query': 'q', 'context': 'W',
    'schema_name': 's', 'table_name': 't', 'column_name': 'c', 'datatype_name': 'd', 'constraint_name': 'n',
    'source_file': 'F', 'source_line': 'L', 'source_function': 'R',
}


class Warning(Exception):
    """A database warning."""


class Error(Exception):
    """Base class for error exceptions."""

    pgerror = None  # the whole message as the server sent it, with its severity
    pgcode = None   # the SQLSTATE, five characters
    cursor = None
    _fields = None  # the server's fields by their letter; not pickled

    @property
    def diag(self):
        """A Diagnostics object to get further info about the error."""
        return Diagnostics(self)

    def __reduce__(self):
        # A cursor holds a socket, so it stays behind.
        state = {k: v for k, v in self.__dict__.items() if k not in ('cursor', '_fields')}
        return type(self), self.args, state

    def __setstate__(self, state):
        self.__dict__.update(state)


class InterfaceError(Error):
    """Error related to the database interface."""


class DatabaseError(Error):
    """Error related to the database engine."""


class InternalError(DatabaseError):
    """The database encountered an internal error."""


class OperationalError(DatabaseError):
    """Error related to database operation (disconnect, memory allocation etc)."""


class ProgrammingError(DatabaseError):
    """Error related to database programming (SQL error, table not found etc)."""


class IntegrityError(DatabaseError):
    """Error related to database integrity."""


class DataError(DatabaseError):
    """Error related to problems with the processed data."""


class NotSupportedError(DatabaseError):
    """A method or database API was used which is not supported by the database."""


class QueryCanceledError(OperationalError):
    """Error related to SQL query cancellation."""


class TransactionRollbackError(OperationalError):
    """Error causing transaction rollback (deadlocks, serialization failures, etc)."""


def _public(classes, module):
    for cls in classes:
        cls.__module__ = module  # what a traceback prints in front of the name


DBAPI = (Error, Warning, InterfaceError, DatabaseError, InternalError, OperationalError, ProgrammingError,
         IntegrityError, DataError, NotSupportedError)
_public(DBAPI, 'psycopg2')
_public((QueryCanceledError, TransactionRollbackError), 'psycopg2.extensions')


class Diagnostics:
    """Details from a database error report."""

    __module__ = 'psycopg2.extensions'
    __slots__ = ('_error', '_found')

    def __init__(self, error):
        if not isinstance(error, Error):
            raise TypeError('The argument must be a psycopg2.Error')
        self._error, self._found = error, error._fields or {}


def _field(letter):
    return property(lambda self: self._found.get(letter))


for _name, _letter in _FIELDS.items():
    setattr(Diagnostics, _name, _field(_letter))
