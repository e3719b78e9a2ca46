"""Standard streams: output goes out line by line and before every wait; input asks the host."""

import io
import sys
import time

import _host

_LINE = b"l"
_INTERRUPTED, _ANSWERED = 0, 1


def flush():
    """Write out what was printed, also where the learner has put other streams in place."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # None, closed, or not a stream: the learner's own doing


class Stdin(io.TextIOBase):
    """sys.stdin. Each line is one question to the host, which can wait and be interrupted."""

    encoding, errors, name, mode = "utf-8", "strict", "<stdin>", "r"

    def readable(self):
        return True

    def fileno(self):
        raise io.UnsupportedOperation("fileno")

    def readline(self, size=-1):
        flush()
        while True:
            answer = _host.call(_LINE)
            if answer[0] == _ANSWERED:
                return answer[1:].decode("utf-8", "replace")
            # Interrupted: the KeyboardInterrupt comes at this loop's head.

    def read(self, size=-1):
        lines = []
        while line := self.readline():
            lines.append(line)
        return "".join(lines)


_sleep = time.sleep


def sleep(seconds, /):
    if sys.stdout is sys.__stdout__:
        sys.stdout.flush()
    _sleep(seconds)


def install():
    """Put the streams in place, in the image."""
    sys.stdin = sys.__stdin__ = Stdin()
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sleep.__doc__, sleep.__module__, sleep.__qualname__ = _sleep.__doc__, "time", "sleep"
    time.sleep = sleep
