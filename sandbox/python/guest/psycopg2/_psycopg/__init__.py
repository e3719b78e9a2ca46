"""psycopg2._psycopg in Python: the module that psycopg2's own files expect to be written in C.

It speaks PostgreSQL's protocol over the standard socket module. The wheel's psycopg2 package imports it as
psycopg2._psycopg, once the folder above this one is on psycopg2.__path__; it never starts a thread and needs neither
ssl nor libpq.
"""

from .adapt import (                                                                            # noqa: F401
    AsIs, Binary, Boolean, Date, DateFromPy, DateFromTicks, Decimal, Float, Int, IntervalFromPy, ISQLQuote, List,
    QuotedString, Time, TimeFromPy, TimeFromTicks, Timestamp, TimestampFromPy, TimestampFromTicks, adapt, adapters)
from .column import Column                                                                      # noqa: F401
from .connection import _connect, connection, parse_dsn                                         # noqa: F401
from .conninfo import ConnectionInfo                                                            # noqa: F401
from .cursor import cursor                                                                      # noqa: F401
from .encodings import encodings                                                                # noqa: F401
from .errors import (                                                                           # noqa: F401
    DBAPI, DatabaseError, DataError, Diagnostics, Error, IntegrityError, InterfaceError, InternalError, NotSupportedError,
    OperationalError, ProgrammingError, QueryCanceledError, TransactionRollbackError, Warning)
from .green import get_wait_callback, set_wait_callback                                         # noqa: F401
from .lobject import lobject                                                                    # noqa: F401
from .notify import Notify                                                                      # noqa: F401
from .replication import (                                                                      # noqa: F401
    REPLICATION_LOGICAL, REPLICATION_PHYSICAL, ReplicationConnection, ReplicationCursor, ReplicationMessage)
from .scope import encrypt_password, quote_ident                                                # noqa: F401
from .sqlstates import BY_CODE as sqlstate_errors
from .typecasts import (                                                                        # noqa: F401
    BINARY, BINARYARRAY, BOOLEAN, BOOLEANARRAY, BYTES, BYTESARRAY, CIDRARRAY, DATE, DATEARRAY, DATETIME,
    DATETIMEARRAY, DATETIMETZ, DATETIMETZARRAY, DECIMAL, DECIMALARRAY, FLOAT, FLOATARRAY, INETARRAY, INTEGER,
    INTEGERARRAY, INTERVAL, INTERVALARRAY, LONGINTEGER, LONGINTEGERARRAY, MACADDRARRAY, NUMBER, PYDATE,
    PYDATEARRAY, PYDATETIME, PYDATETIMEARRAY, PYDATETIMETZ, PYDATETIMETZARRAY, PYINTERVAL, PYINTERVALARRAY, PYTIME,
    PYTIMEARRAY, ROWID, ROWIDARRAY, STRING, STRINGARRAY, TIME, TIMEARRAY, UNICODE, UNICODEARRAY, UNKNOWN,
    binary_types, new_array_type, new_type, register_type, string_types)
from .xid import Xid                                                                            # noqa: F401

__doc__ = 'psycopg2 PostgreSQL driver'
__version__ = '2.9.13 (dt dec pq3 ext lo64)'
__libpq_version__ = 170011  # that of psycopg2-binary 2.9.13, whose behaviour this follows
apilevel, threadsafety, paramstyle = '2.0', 2, 'pyformat'


def libpq_version():
    """Query actual libpq version loaded."""
    return __libpq_version__


def _fill_errors():
    """psycopg2.errors gets the class of each SQLSTATE, as the C module does it."""
    from psycopg2 import errors as public
    for found in (*DBAPI, QueryCanceledError, TransactionRollbackError, *sqlstate_errors.values()):
        setattr(public, found.__name__, found)


if __name__ == 'psycopg2._psycopg':
    _fill_errors()
