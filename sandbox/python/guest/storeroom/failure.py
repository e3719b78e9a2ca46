"""How an exception looks to the learner: their lines and their libraries' lines, none of ours."""

import os
import sys
import traceback

_OURS = ("/guest/", "<reactor>", "<frozen reactor>")
_MOST_NOTES = 10

# What Python adds to a module that is not there, as it starts here without the site module.
_NO_SITE = ". Site initialization is disabled, did you forget to add the site-packages directory to sys.path or to enable your virtual environment?"
_NO_MODULE = ". Modules can't be installed here: use Python's own, numpy, pandas, matplotlib, psycopg2, pymongo or redis"

# Memory that is let go when there is none left, so that the error can be shown.
reserve = [bytearray(256 * 1024)]


def keep_reserve():
    """Take the reserve back, if the turn before had to let it go."""
    if not reserve:
        try:
            reserve.append(bytearray(256 * 1024))
        except MemoryError:
            pass


def show(error):
    """Print the exception to standard error as Python does."""
    if sys.excepthook is not sys.__excepthook__:
        return _show_with_hook(error)
    report = traceback.TracebackException.from_exception(error)
    _trim(report, set())
    stream = sys.stderr or sys.__stderr__
    for line in report.format():
        stream.write(line)
    stream.flush()


def _show_with_hook(error):
    tb = error.__traceback__
    while tb and tb.tb_frame.f_code.co_filename.startswith(_OURS):
        tb = tb.tb_next
    sys.excepthook(type(error), error.with_traceback(tb), tb)


def _trim(report, seen):
    """Take our own frames out of a report and of those that it was caused by."""
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    if report.stack:
        report.stack[:] = [frame for frame in report.stack if not frame.filename.startswith(_OURS)]
    if not report.stack:
        report.stack = None  # no "Traceback" line above nothing
    text = report._str
    if text and text.endswith(_NO_SITE):
        report._str = text.removesuffix(_NO_SITE) + _NO_MODULE
    notes = report.__notes__
    if notes and len(notes) > _MOST_NOTES:
        report.__notes__ = [*notes[:_MOST_NOTES], f"… and {len(notes) - _MOST_NOTES} more notes"]
    _trim(report.__cause__, seen)
    _trim(report.__context__, seen)
    for inner in report.exceptions or ():
        _trim(inner, seen)


def class_name(cls):
    """ValueError, redis.exceptions.ConnectionError: as a traceback's last line says it."""
    if cls.__module__ in ("builtins", "__main__"):
        return cls.__qualname__
    return f"{cls.__module__}.{cls.__qualname__}"


def exit_status(error):
    """What the process would exit with; a text is printed, as Python does."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def write_plainly(text):
    """Write to standard error without needing anything of Python's streams."""
    os.write(2, text.encode())
