"""What runs once, before the interpreter's memory is kept as the image."""

import gc
import importlib.machinery
import importlib.util
import os
import sys

from . import patches, streams, warmth

HOME = "/home/learner"

_BOOT_ONLY = "storeroom.boot", "storeroom.patches", "storeroom.warmth"

# Modules that learners' snippets and the client libraries use: imported here, they
# cost a fork nothing.
_STANDARD = """
    array ast asyncio base64 bisect calendar collections collections.abc concurrent.futures
    contextlib contextvars copy csv dataclasses datetime decimal difflib email.message enum
    errno fractions functools getpass glob gzip hashlib heapq hmac html http.client importlib
    inspect io ipaddress itertools json keyword linecache locale logging logging.handlers math
    numbers operator os os.path pathlib pickle platform pprint queue random re secrets selectors
    shelve shutil signal socket sqlite3 stat statistics string struct tempfile textwrap threading
    time timeit tokenize traceback types typing unicodedata unittest urllib.parse urllib.request
    uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
    encodings.idna encodings.ascii encodings.latin_1 stringprep
"""


def run():
    sys.dont_write_bytecode = True
    sys.path[:] = ["", *[p for p in sys.path if p not in ("", "/site", "/guest")], "/site", "/guest"]
    os.chdir(HOME)
    streams.install()
    _sockets()
    for name in _STANDARD.split():
        importlib.import_module(name)
    patches.executors()
    patches.waits()
    patches.password_keys()
    _clients()
    patches.pymongo_without_threads()
    patches.remember_versions()
    warmth.warm()


def finish():
    """The last thing before the image is taken."""
    for name in [name for name in sys.modules if name.startswith(_BOOT_ONLY)]:
        del sys.modules[name]
        vars(sys.modules["storeroom"]).pop(name.partition(".")[2], None)
    import linecache

    linecache.clearcache()
    gc.collect()
    gc.disable()
    _keep_for_ever()
    gc.enable()
    gc.freeze()


def _keep_for_ever():
    """Make all objects immortal: a fork that uses them does not write to their pages."""
    import array
    import itertools
    import types

    import _host

    # Those that end with what runs now, and the reserve, whose memory must come back.
    mortal = types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.TracebackType, bytearray
    pending = gc.get_objects()
    while pending:
        batch = [one for one in pending[-4096:] if type(one) not in mortal]
        del pending[-4096:]
        firsts = _host.call(b"i" + array.array("I", map(id, batch)).tobytes())
        batch = list(itertools.compress(batch, firsts))
        pending += gc.get_referents(*batch)
        for one in batch:
            if type(one) is types.CodeType:  # which the collector does not look into
                pending += one.co_consts, one.co_names, one.co_filename, one.co_name, one.co_qualname
                pending += one.co_linetable, one.co_exceptiontable, *one.co_varnames, *one.co_cellvars, *one.co_freevars


def _sockets():
    """Replace _socket and select by those that reach the host; the built-in _socket
    stays as _real_socket, for its constants."""
    if not os.path.exists("/guest/_socket.py"):
        return
    spec = importlib.machinery.ModuleSpec("_socket", importlib.machinery.BuiltinImporter, origin="built-in")
    real = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(real)
    sys.modules["_real_socket"] = real
    sys.modules.pop("_socket", None)
    for name in ("_socket", "select"):
        _load(name, f"/guest/{name}.py")


def _load(name, path, folders=None):
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _clients():
    # redis and http.client first: they look for ssl by themselves and must not find
    # the stand-in that pymongo needs.
    import redis
    import redis.asyncio

    with patches.stand_in_ssl():
        import gridfs
        import pymongo
    if os.path.exists("/guest/psycopg2/_psycopg/__init__.py"):
        # The wheel's own Python files, over our _psycopg.
        _load("psycopg2", "/site/psycopg2/__init__.py", ["/site/psycopg2", "/guest/psycopg2"])
        for name in ("errorcodes", "errors", "extensions", "extras", "pool", "sql", "tz"):
            importlib.import_module(f"psycopg2.{name}")
