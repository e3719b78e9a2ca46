"""Runs one snippet as a notebook would: in __main__, showing the value of a last expression."""

import sys

import _host

from . import cell, failure, streams

_TAKE, _REPORT = b"t", b"e"


def turn():
    """Take the snippet from the host, run it, and report how it ended.

    The report is a letter and a text: o; x and the exception's class; q and the
    exit status.
    """
    try:
        report = _run()
    except KeyboardInterrupt:  # it came while our own lines ran
        report = b"xKeyboardInterrupt"
        failure.write_plainly("KeyboardInterrupt\n")
    except MemoryError:
        report = b"xMemoryError"
        failure.write_plainly("MemoryError\n")
    _host.call(_REPORT + report)


def _run():
    name, _, source = _host.call(_TAKE).decode("utf-8", "replace").partition("\0")
    failure.keep_reserve()
    try:
        for code in cell.compile_cell(source, name):
            exec(code, sys.modules["__main__"].__dict__)
        streams.flush()
        return b"o"
    except SystemExit as e:
        streams.flush()
        return b"q%d" % failure.exit_status(e)
    except BaseException as e:
        if isinstance(e, MemoryError):
            failure.reserve.clear()  # before anything else that takes memory
        streams.flush()
        failure.show(e)
        return b"x" + failure.class_name(type(e)).encode()
