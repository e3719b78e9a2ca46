"""psycopg2 against a pretended PostgreSQL that lets everyone in."""

import struct


def _message(kind, body=b""):
    return kind + (len(body) + 4).to_bytes(4) + body


_READY = _message(b"Z", b"I")
_IN_TRANSACTION = _message(b"Z", b"T")
_SETTINGS = {
    "application_name": "", "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "integer_datetimes": "on",
    "IntervalStyle": "postgres", "is_superuser": "off", "server_encoding": "UTF8", "server_version": "18.4",
    "session_authorization": "postgres", "standard_conforming_strings": "on", "TimeZone": "UTC",
}  # fmt: skip
_COLUMNS = (("id", 23, 4, b"1"), ("name", 25, -1, b"Ada"), ("price", 1700, -1, b"9.99"), ("made", 1114, 8, b"2026-01-01 12:00:00"))


class Server:
    def __init__(self):
        self._started = False

    def answer(self, data):
        if not self._started:
            return self._start(data)
        replies = []
        while data:
            kind, size = data[:1], int.from_bytes(data[1:5])
            if kind == b"Q":
                replies.append(_result(data[5:size].decode()))
            data = data[1 + size :]
        return b"".join(replies)

    def _start(self, data):
        if data[4:8] != (3 << 16).to_bytes(4):
            return b"N"  # no TLS, no GSS
        self._started = True
        settings = (_message(b"S", f"{k}\0{v}\0".encode()) for k, v in _SETTINGS.items())
        return _message(b"R", bytes(4)) + b"".join(settings) + _message(b"K", bytes(8)) + _READY


def _result(query):
    word = query.split(None, 1)[0].upper().rstrip(";")
    if word == "SELECT":
        head = b"".join(
            name.encode() + b"\0" + struct.pack(">ihihih", 0, 0, oid, size, -1, 0) for name, oid, size, _ in _COLUMNS
        )
        row = b"".join(len(value).to_bytes(4) + value for *_, value in _COLUMNS)
        count = len(_COLUMNS).to_bytes(2)
        rows = _message(b"T", count + head) + _message(b"D", count + row) * 2
        return rows + _message(b"C", b"SELECT 2\0") + _IN_TRANSACTION
    tag = {"INSERT": "INSERT 0 1", "UPDATE": "UPDATE 1", "DELETE": "DELETE 1"}.get(word, word)
    ready = _READY if word in ("COMMIT", "ROLLBACK") else _IN_TRANSACTION
    return _message(b"C", tag.encode() + b"\0") + ready


def use():
    import psycopg2
    import psycopg2.extras

    connection = psycopg2.connect(host="localhost", database="testdb", user="postgres", password="secret")
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM table_name")
    for row in cursor.fetchall():
        print(row)
    connection.close()
    with psycopg2.connect("dbname=testdb user=postgres") as connection:
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("CREATE TABLE t (id int)")
            cursor.execute("INSERT INTO t VALUES (%s, %s, %s)", (1, "it's", None))
            cursor.execute("SELECT * FROM t WHERE id = %(id)s", {"id": 1})
            cursor.fetchone(), list(cursor), cursor.rowcount, cursor.description
            psycopg2.extras.execute_values(cursor, "INSERT INTO t (id) VALUES %s", [(1,), (2,)])
        connection.rollback()
    connection.close()
