"""redis-py against a pretended Redis."""

_REPLIES = {
    b"HELLO": b"%4\r\n+server\r\n+redis\r\n+version\r\n+7.2.4\r\n+proto\r\n:3\r\n+id\r\n:7\r\n",
    b"GET": b"$3\r\nbar\r\n",
    b"MGET": b"*2\r\n$3\r\nbar\r\n_\r\n",
    b"HGET": b"$3\r\nbar\r\n",
    b"HGETALL": b"%1\r\n$1\r\na\r\n$1\r\n1\r\n",
    b"KEYS": b"*1\r\n$3\r\nfoo\r\n",
    b"LRANGE": b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"SMEMBERS": b"~1\r\n$1\r\na\r\n",
    b"ZRANGE": b"*1\r\n*2\r\n$1\r\na\r\n,1\r\n",
    b"TYPE": b"+string\r\n",
    b"SCAN": b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\nfoo\r\n",
    b"EXEC": b"*2\r\n+OK\r\n$3\r\nbar\r\n",
    b"MULTI": b"+OK\r\n",
    b"SET": b"+OK\r\n",
    b"SELECT": b"+OK\r\n",
    b"CLIENT": b"+OK\r\n",
    b"AUTH": b"+OK\r\n",
    b"PING": b"+PONG\r\n",
    b"FAIL": b"-ERR unknown command 'FAIL'\r\n",
}


class Server:
    """Answers each command of a pipeline from the table, anything else with 1."""

    def __init__(self):
        self._in_transaction = False

    def answer(self, data):
        replies = []
        while data:
            command, data = _take(data)
            name = command[0].upper()
            reply = _REPLIES.get(name, b":1\r\n")
            if name in (b"MULTI", b"EXEC"):
                self._in_transaction = name == b"MULTI"
            elif self._in_transaction:
                reply = b"+QUEUED\r\n"
            replies.append(reply)
        return b"".join(replies)


def _take(data):
    """The words of the first command, and what follows it."""
    line, data = data.split(b"\r\n", 1)
    words = []
    for _ in range(int(line[1:])):
        length, data = data.split(b"\r\n", 1)
        n = int(length[1:])
        words.append(data[:n])
        data = data[n + 2 :]
    return words, data


def use():
    import redis

    r = redis.Redis(host="localhost", port=6379, db=0)
    r.ping()
    r.set("foo", "bar")
    print(r.get("foo"))
    r.close()
    r = redis.Redis(decode_responses=True)
    r.set("foo", "bar", ex=10)
    r.mget("foo", "nothing")
    r.delete("foo"), r.exists("foo"), r.incr("n"), r.expire("foo", 5), r.ttl("foo"), r.type("foo")
    r.hset("h", mapping={"a": 1}), r.hget("h", "a"), r.hgetall("h")
    r.rpush("l", "a", "b"), r.lrange("l", 0, -1), r.sadd("s", "a"), r.smembers("s")
    r.zadd("z", {"a": 1}), r.zrange("z", 0, -1, withscores=True)
    r.keys("*"), list(r.scan_iter())
    with r.pipeline() as p:
        p.set("foo", "bar").get("foo").execute()
    try:
        r.execute_command("FAIL")
    except redis.ResponseError as e:
        str(e)
    r.close()
