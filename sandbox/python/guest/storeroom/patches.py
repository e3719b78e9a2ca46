"""What the client libraries and the standard library need where there are no threads and no TLS."""

import contextlib
import sys
import types


def executors():
    """Executors run their work at once, on the caller: the build has no threads."""
    import asyncio.base_events
    import concurrent.futures
    import concurrent.futures.thread

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()
        _settle(future, func, args, {})
        return future

    def submit(self, fn, /, *args, **kwargs):
        future = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        _settle(future, fn, args, kwargs)
        return future

    asyncio.base_events.BaseEventLoop.run_in_executor = run_in_executor
    concurrent.futures.thread.ThreadPoolExecutor.submit = submit


def _settle(future, function, args, kwargs):
    try:
        future.set_result(function(*args, **kwargs))
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        future.set_exception(e)


def password_keys():
    """hashlib.pbkdf2_hmac, which the build lacks, on the host: SCRAM needs thousands of rounds."""
    import hashlib

    import _host

    def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
        digest = hashlib.new(hash_name)
        length = digest.digest_size if dklen is None else dklen
        if iterations < 1 or length < 1:
            raise ValueError("iterations and dklen must be at least 1")
        password, salt = bytes(password), bytes(salt)
        head = b"%s\0%d\0%d\0%d\0" % (digest.name.encode(), iterations, length, len(password))
        answer = _host.call(b"k" + head + password + salt)
        if len(answer) != length:
            raise ValueError(f"unsupported hash type {hash_name}, or too many iterations")
        return answer

    if not hasattr(hashlib, "pbkdf2_hmac"):
        hashlib.pbkdf2_hmac = pbkdf2_hmac


def waits():
    """Condition.wait, and with it Event and Queue: no other thread can ever notify, and
    the build ends the interpreter where a held lock is waited for."""
    import threading
    import time

    def wait(self, timeout=None):
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        state = self._release_save()
        try:
            if timeout is not None:
                time.sleep(max(timeout, 0))
            while timeout is None:
                time.sleep(3600)
        finally:
            self._acquire_restore(state)
        return False

    threading.Condition.wait = wait


@contextlib.contextmanager
def stand_in_ssl():
    """pymongo imports ssl without asking, and the build has none. The stand-in is there
    during that import alone, so that a learner's `import ssl` tells the truth."""
    if "ssl" in sys.modules:
        yield
        return
    sys.modules["ssl"] = _ssl_stand_in()
    try:
        yield
    finally:
        del sys.modules["ssl"]


def _ssl_stand_in():
    class SSLError(OSError):
        pass

    class SSLContext:
        def __init__(self, *args):
            raise SSLError("TLS is not available here")

    m = types.ModuleType("ssl")
    m.SSLError, m.SSLContext = SSLError, SSLContext
    for name in ("SSLCertVerificationError", "SSLWantReadError", "SSLWantWriteError", "SSLEOFError", "SSLZeroReturnError"):
        setattr(m, name, type(name, (SSLError,), {}))
    m.SSLSocket = type("SSLSocket", (), {})
    m.SSLObject = type("SSLObject", (), {})
    m.CERT_NONE, m.CERT_OPTIONAL, m.CERT_REQUIRED = 0, 1, 2
    m.PROTOCOL_SSLv23, m.PROTOCOL_TLS_CLIENT, m.HAS_SNI = 2, 16, False
    return m


def pymongo_without_threads():
    """pymongo's monitors as cooperative tasks.

    One round of each runs whenever the driver waits on a condition of its own; its
    other periodic work, such as killing cursors, rides along.
    """
    import threading
    import time

    import pymongo.periodic_executor as periodic

    longest_nap = 0.02  # seconds between two rounds
    due = []

    def open_executor(self):
        self._stopped = False
        if self not in due:
            due.append(self)

    def run_due():
        for executor in list(due):
            try:
                if executor._stopped or not executor._target():
                    due.remove(executor)
            except ReferenceError:
                due.remove(executor)

    class Condition(threading.Condition):
        told = False

        def notify(self, n=1):
            self.told = True

        def wait(self, timeout=None):
            self.release()
            try:
                self.told = False
                began = time.monotonic()
                run_due()
                # A nap only when the round brought nothing that was waited for.
                if not self.told and time.monotonic() - began < 0.005:
                    time.sleep(longest_nap if timeout is None else min(timeout, longest_nap))
            finally:
                self.acquire()
            return True

    def create_condition(lock, condition_class=None):
        return Condition(lock)

    periodic.PeriodicExecutor.open = open_executor
    periodic.PeriodicExecutor.wake = lambda self: None
    periodic.PeriodicExecutor.join = lambda self, timeout=None: None
    for name, module in list(sys.modules.items()):
        if name.startswith("pymongo") and hasattr(module, "_create_condition"):
            module._create_condition = create_condition


def remember_versions():
    """redis-py looks up its own version anew for every client: 1 to 2 ms of parsing that
    never gives another answer."""
    import functools

    for name, module in list(sys.modules.items()):
        if name.startswith("redis.") and hasattr(module, "get_lib_version"):
            module.get_lib_version = functools.cache(module.get_lib_version)
