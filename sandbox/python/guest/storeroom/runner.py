"""Runs one snippet as a notebook would: in __main__, showing the value of a last expression."""

import sys

import _host

from . import cell, failure, streams

_TAKE, _REPORT = b"t", b"e"


def turns():
    """Run snippet after snippet, until the host has no more."""
    while True:
        try:
            taken = _host.call(_TAKE)
            if not taken:
                return
            turn(*taken.decode("utf-8", "replace").split("\0", 1))
        except KeyboardInterrupt:  # it came too late for the turn that it was meant for
            pass


def turn(name, source):
    """Run a snippet and report how it ended.

    The report is a letter and a text: o; x and the exception's class; q and the
    exit status.
    """
    try:
        report = _run(name, source)
    except KeyboardInterrupt:  # it came while our own lines ran
        report = b"xKeyboardInterrupt"
        failure.write_plainly("KeyboardInterrupt\n")
    except MemoryError:
        report = b"xMemoryError"
        failure.write_plainly("MemoryError\n")
    _host.call(_REPORT + report)


def _run(name, source):
    failure.keep_reserve()
    try:
        for code in _compile(source, name):
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


def _compile(source, name):
    """The cell's code. Where the turns before have left no memory, the reserve must do: the
    cell may be the one that lets go of some."""
    try:
        return list(cell.compile_cell(source, name))
    except MemoryError:
        failure.reserve.clear()
        return list(cell.compile_cell(source, name))
