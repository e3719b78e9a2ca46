"""Sockets as learners and client libraries use them. Runs in the guest; sandbox/loopback's
python_test.go has the stores: 7 echoes, 9 never reads, 13 says hello and closes, 5432 takes
its time to start and echoes, 5433 never starts, 5434 can't be started."""

import asyncio
import errno
import gc
import io
import select
import selectors
import socket
import socketserver
import time
import unittest


class Client(unittest.TestCase):
    def dial(self, port=7, **options):
        s = socket.create_connection(("localhost", port), **options)
        self.addCleanup(s.close)
        return s

    def test_echo(self):
        s = self.dial()
        s.sendall(b"hello")
        self.assertEqual(s.recv(2, socket.MSG_PEEK), b"he")
        self.assertEqual(s.recv(100), b"hello")
        self.assertEqual(s.getpeername(), ("127.0.0.1", 7))
        self.assertEqual(s.getsockname()[0], "127.0.0.1")
        self.assertGreater(s.getsockname()[1], 1024)
        self.assertIn("raddr=('127.0.0.1', 7)", repr(s))

    def test_ipv6(self):
        with socket.socket(socket.AF_INET6) as s:
            s.connect(("::1", 7))
            s.sendall(b"six")
            self.assertEqual(s.recv(100), b"six")
            self.assertEqual(s.getpeername(), ("::1", 7, 0, 0))

    def test_makefile(self):
        s = self.dial()
        with s.makefile("rwb") as f:
            f.write(b"one\ntwo\n")
            f.flush()
            self.assertEqual([f.readline(), f.readline()], [b"one\n", b"two\n"])

    def test_receive_into(self):
        s = self.dial()
        s.sendall(b"0123456789")
        room = bytearray(20)
        self.assertEqual(s.recv_into(room, 4), 4)
        self.assertEqual(s.recv_into(memoryview(room)[4:]), 6)
        self.assertEqual(bytes(room[:10]), b"0123456789")
        with self.assertRaises(ValueError):
            s.recv_into(room, 21)
        s.sendall(b"ab")
        s.sendall(b"cd")
        self.assertEqual(s.recv(4, socket.MSG_WAITALL), b"abcd")
        s.sendmsg([b"x", bytearray(b"y"), memoryview(b"z")])
        a, b = bytearray(1), bytearray(5)
        self.assertEqual(s.recvmsg_into([a, b])[0], 3)
        self.assertEqual((bytes(a), bytes(b[:2])), (b"x", b"yz"))

    def test_end_of_stream(self):
        s = self.dial(13)
        self.assertEqual(s.makefile().read(), "hello")
        self.assertEqual(s.recv(10), b"")

    def test_half_close(self):
        s = self.dial()
        s.sendall(b"all of it")
        s.shutdown(socket.SHUT_WR)
        with self.assertRaises(BrokenPipeError):
            s.send(b"more")
        self.assertEqual(s.makefile("rb").read(), b"all of it")

    def test_megabytes(self):
        data = bytes(range(256)) * 12_000
        s = self.dial()
        s.setblocking(False)
        got, sent = bytearray(), 0
        while len(got) < len(data):
            readable, writable, _ = select.select([s], [s] if sent < len(data) else [], [], 5)
            self.assertTrue(readable or writable)
            if writable:
                sent += s.send(memoryview(data)[sent : sent + 300_000])
            if readable:
                got += s.recv(1 << 20)
        self.assertEqual(bytes(got), data)

    def test_a_reader_that_never_reads(self):
        s = self.dial(9, timeout=0.05)
        with self.assertRaises(TimeoutError):
            s.sendall(bytes(8 << 20))
        s.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                s.send(bytes(1 << 20))
        self.assertEqual(select.select([s], [s], [], 0), ([], [], []))

    def test_timeouts(self):
        s = self.dial(timeout=0.02)
        self.assertEqual(s.gettimeout(), 0.02)
        with self.assertRaisesRegex(TimeoutError, "^timed out$"):
            s.recv(1)
        with self.assertRaises(socket.timeout):
            s.recv(1)
        s.setblocking(False)
        with self.assertRaises(BlockingIOError) as caught:
            s.recv(1)
        self.assertEqual(caught.exception.errno, errno.EAGAIN)
        s.setblocking(True)
        with self.assertRaises(BlockingIOError):
            s.recv(1, socket.MSG_DONTWAIT)
        with self.assertRaises(ValueError):
            s.settimeout(-1)
        socket.setdefaulttimeout(3)
        self.addCleanup(socket.setdefaulttimeout, None)
        self.assertEqual(socket.socket().gettimeout(), 3)

    def test_connect_timeout(self):
        began = time.monotonic()
        with self.assertRaises(TimeoutError):
            socket.create_connection(("127.0.0.1", 5433), timeout=0.03)
        self.assertGreater(time.monotonic() - began, 0.025)
        with socket.socket() as s:
            s.settimeout(0.01)
            self.assertEqual(s.connect_ex(("localhost", 5433)), errno.EAGAIN)

    def test_connect_without_waiting(self):
        with socket.socket() as s:
            s.setblocking(False)
            self.assertEqual(s.connect_ex(("localhost", 5432)), errno.EINPROGRESS)
            self.assertEqual(s.connect_ex(("localhost", 5432)), errno.EALREADY)
            self.assertEqual(select.select([], [s], [], 5)[1], [s])
            self.assertEqual(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
            self.assertEqual(s.connect_ex(("localhost", 5432)), 0)
            self.assertEqual(s.connect_ex(("localhost", 5432)), errno.EISCONN)
        with socket.socket() as s:
            s.setblocking(False)
            self.assertEqual(s.connect_ex(("localhost", 5434)), errno.EINPROGRESS)
            self.assertEqual(select.select([], [s], [], 5)[1], [s])
            self.assertEqual(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNREFUSED)

    def test_what_a_closed_network_answers(self):
        for host, port in [("localhost", 22), ("127.0.0.1", 8080), ("::1", 80), ("localhost", 5434), ("", 1)]:
            with self.assertRaisesRegex(ConnectionRefusedError, "Connection refused"):
                socket.create_connection((host, port)) if host else socket.socket().connect((host, port))
        for host in "8.8.8.8", "10.0.0.1", "169.254.169.254", "2001:db8::1":
            with self.assertRaisesRegex(OSError, "Network is unreachable") as caught:
                socket.create_connection((host, 80))
            self.assertEqual(caught.exception.errno, errno.ENETUNREACH)
        for host in "example.com", "postgres", "localhost.example", "127.0.0.1.nip.io":
            with self.assertRaisesRegex(socket.gaierror, r"^\[Errno -2\] Name or service not known$"):
                socket.create_connection((host, 80))
            with self.assertRaises(socket.gaierror):
                socket.socket().connect_ex((host, 80))

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(OSError, "no datagram sockets"):
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with self.assertRaisesRegex(OSError, "no unix sockets"):
            socket.socket(socket.AF_UNIX)
        with self.assertRaises(PermissionError):
            socket.socket(socket.AF_INET, socket.SOCK_RAW)
        with self.assertRaises(OSError):
            socket.socket(77)

    def test_bad_addresses(self):
        with socket.socket() as s:
            for address, wrong in [("localhost", TypeError), (("localhost",), TypeError), (("localhost", "80"), TypeError), ((7, 7), TypeError), (("localhost", 70000), OverflowError), (("::1", 7), socket.gaierror)]:
                with self.assertRaises(wrong):
                    s.connect(address)
            with self.assertRaises(OSError) as caught:
                s.getpeername()
            self.assertEqual(caught.exception.errno, errno.ENOTCONN)
            with self.assertRaises(OSError):
                s.recv(1)
        with self.assertRaises(OSError) as caught:
            s.send(b"x")
        self.assertEqual(caught.exception.errno, errno.EBADF)
        with self.assertRaises(TypeError):
            self.dial().send("text")

    def test_too_many(self):
        held = []
        with self.assertRaisesRegex(OSError, "Too many open connections: close some first") as caught:
            while True:
                held.append(socket.create_connection(("127.0.0.1", 7)))
        self.assertEqual(caught.exception.errno, errno.EMFILE)
        self.assertGreater(len(held), 30)
        del held, caught
        gc.collect()
        self.dial()

    def test_options(self):
        s = self.dial()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.assertEqual(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)
        self.assertEqual(s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), socket.SOCK_STREAM)
        self.assertEqual(len(s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)), 8)

    def test_dup_and_detach(self):
        s = self.dial()
        other = s.dup()
        s.close()
        other.sendall(b"still")
        self.assertEqual(other.recv(10), b"still")
        again = socket.socket(fileno=other.detach())
        self.addCleanup(again.close)
        self.assertEqual((again.family, again.type), (socket.AF_INET, socket.SOCK_STREAM))
        again.sendall(b"here")
        self.assertEqual(again.recv(10), b"here")

    def test_stream_file(self):
        s = self.dial()
        self.assertEqual(s.sendfile(io.BytesIO(b"file")), 4)
        self.assertEqual(s.recv(10), b"file")


class Server(unittest.TestCase):
    def test_accept(self):
        with socket.create_server(("localhost", 0)) as server:
            port = server.getsockname()[1]
            client = socket.create_connection(("localhost", port))
            conn, address = server.accept()
            with client, conn:
                self.assertEqual(address, client.getsockname())
                self.assertEqual(conn.getpeername(), address)
                self.assertEqual(client.getpeername(), ("127.0.0.1", port))
                client.sendall(b"question")
                self.assertEqual(conn.recv(100), b"question")
                conn.sendall(b"answer")
                conn.shutdown(socket.SHUT_WR)
                self.assertEqual(client.makefile("rb").read(), b"answer")
            server.settimeout(0.01)
            with self.assertRaises(TimeoutError):
                server.accept()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("localhost", port))

    def test_ports(self):
        with socket.create_server(("", 8000)), socket.socket() as s:
            with self.assertRaisesRegex(OSError, "Address already in use"):
                s.bind(("127.0.0.1", 8000))
            with self.assertRaisesRegex(OSError, "Address already in use"):
                s.bind(("localhost", 7))
            with self.assertRaisesRegex(OSError, "Cannot assign requested address"):
                s.bind(("192.168.1.1", 8001))
        with socket.create_server(("::", 8000), family=socket.AF_INET6, dualstack_ipv6=True):
            socket.create_connection(("127.0.0.1", 8000)).close()

    def test_socketserver(self):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(self.rfile.readline().upper())

        with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
            with socket.create_connection(server.server_address) as client:
                client.sendall(b"shout\n")
                server.handle_request()
                self.assertEqual(client.recv(100), b"SHOUT\n")

    def test_pair(self):
        a, b = socket.socketpair()
        with a, b:
            a.sendall(b"x" * 1000)
            self.assertEqual(len(b.recv(5000)), 1000)
            a.close()
            self.assertEqual(b.recv(1), b"")
            with self.assertRaises(BrokenPipeError):
                b.send(b"x")


class Waiting(unittest.TestCase):
    def test_select(self):
        with socket.create_connection(("localhost", 7)) as s:
            self.assertEqual(select.select([s], [s], [s], 0), ([], [s], []))
            s.send(b"x")
            self.assertEqual(select.select([s.fileno()], [], [], 5), ([s.fileno()], [], []))
        with self.assertRaises(ValueError):
            select.select([s], [], [])
        with self.assertRaises(OSError):
            select.select([4711], [], [], 0)
        began = time.monotonic()
        select.select([], [], [], 0.02)
        self.assertGreater(time.monotonic() - began, 0.019)
        with open("/home/learner/ready", "w") as f, socket.create_connection(("localhost", 7)) as s:
            self.assertEqual(select.select([s], [f], [], 5), ([], [f], []))

    def test_poll(self):
        p = select.poll()
        with socket.create_connection(("localhost", 13)) as s:
            p.register(s, select.POLLIN)
            self.assertEqual(p.poll(5000), [(s.fileno(), select.POLLIN)])
            p.modify(s, select.POLLOUT)
            self.assertEqual(p.poll(5000)[0][1] & select.POLLOUT, select.POLLOUT)
            p.unregister(s)
            self.assertEqual(p.poll(1), [])
            with self.assertRaises(KeyError):
                p.unregister(s)

    def test_many_with_selectors(self):
        with selectors.DefaultSelector() as selector:
            clients = [socket.create_connection(("localhost", 7)) for _ in range(40)]
            for i, s in enumerate(clients):
                selector.register(s, selectors.EVENT_READ, i)
                s.sendall(b"%d" % i)
            got = {}
            while len(got) < len(clients):
                events = selector.select(5)
                self.assertTrue(events)
                for key, _ in events:
                    got[key.data] = key.fileobj.recv(10)
                    selector.unregister(key.fileobj)
            self.assertEqual(got, {i: b"%d" % i for i in range(40)})
            for s in clients:
                s.close()

    def test_asyncio(self):
        async def serve(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        async def ask(port, line):
            reader, writer = await asyncio.open_connection("localhost", port)
            writer.write(line)
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return answer

        async def main():
            server = await asyncio.start_server(serve, "localhost", 8765)
            async with server:
                answers = await asyncio.gather(*(ask(8765, b"line %d\n" % i) for i in range(8)), ask(7, b"store\n"))
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await asyncio.open_connection("127.0.0.1", 5433)
            with self.assertRaises(OSError):
                await asyncio.open_connection("localhost", 5434)
            return answers

        self.assertEqual(asyncio.run(main()), [b"LINE %d\n" % i for i in range(8)] + [b"store\n"])


class Names(unittest.TestCase):
    def test_getaddrinfo(self):
        four = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5432))
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 5432, 0, 0))
        get = socket.getaddrinfo
        self.assertEqual(get("localhost", 5432), [four, six])
        self.assertEqual(get("LOCALHOST.", "postgresql", socket.AF_INET), [four])
        self.assertEqual(get(b"::1", b"5432", 0, socket.SOCK_STREAM), [six])
        self.assertEqual(get("0:0::1", 5432), [six])
        self.assertEqual(get("127.1", 5432)[0], four)
        self.assertEqual(get(None, 80, flags=socket.AI_PASSIVE)[0][4], ("0.0.0.0", 80))
        self.assertEqual(get(None, 80)[1][4], ("::1", 80, 0, 0))
        self.assertEqual(get("localhost", None, flags=socket.AI_CANONNAME)[0][3], "localhost")
        self.assertEqual(get("8.8.8.8", "https")[0][4], ("8.8.8.8", 443))
        for args, code in [
            (("localhost", 80, 0, 0, 0, socket.AI_NUMERICHOST), socket.EAI_NONAME),
            (("::1", 80, socket.AF_INET), socket.EAI_ADDRFAMILY),
            (("localhost", "nosuch"), socket.EAI_SERVICE),
            (("localhost", "http", 0, 0, 0, socket.AI_NUMERICSERV), socket.EAI_NONAME),
            (("localhost", 80, 99), socket.EAI_FAMILY),
            (("localhost", 80, 0, 99), socket.EAI_SOCKTYPE),
            ((None, None), socket.EAI_NONAME),
            (("example.com", 80), socket.EAI_NONAME),
        ]:
            with self.assertRaises(socket.gaierror) as caught:
                get(*args)
            self.assertEqual(caught.exception.errno, code)

    def test_other_lookups(self):
        self.assertEqual(socket.gethostname(), "sandbox")
        self.assertEqual(socket.gethostbyname(socket.gethostname()), "127.0.0.1")
        self.assertEqual(socket.gethostbyaddr("127.0.0.1"), ("localhost", [], ["127.0.0.1"]))
        self.assertEqual(socket.getfqdn("127.0.0.1"), "localhost")
        self.assertEqual(socket.getnameinfo(("127.0.0.1", 6379), 0), ("localhost", "redis"))
        self.assertEqual(socket.getnameinfo(("8.8.8.8", 1), 0), ("8.8.8.8", "1"))
        self.assertEqual(socket.getservbyname("http"), 80)
        self.assertTrue(socket.has_ipv6)
        with self.assertRaises(socket.herror):
            socket.gethostbyaddr("8.8.8.8")
        with self.assertRaises(socket.gaierror):
            socket.gethostbyname("example.com")
