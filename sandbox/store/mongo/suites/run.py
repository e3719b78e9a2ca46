#!/usr/bin/env python3
"""Runs pymongo's own test suite, and the specification tests that it carries, against
the engine, and compares what fails with known.txt.

    python3 sandbox/store/mongo/suites/run.py [--cache DIR] [--addr HOST:PORT] [--markdown] [GROUP ...]

Nothing of the suite is kept in this repository: pip fetches pymongo's source archive,
pinned by hash in sdist.txt, into the cache. Without --addr the engine is built and
served on a free loopback port, anew for each group. The exit status is 1 when a test
fails that known.txt doesn't name, when one passes that it names, or when a group is
below its floor. A test that fails is tried once more: some of them measure time.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
CACHE = os.environ.get("STOREROOM_CACHE", ROOT / "bin" / "mongo-suites")

# Group: its test files, the percentage of applicable tests that must pass, and what the
# server or pytest is told besides.
Group = collections.namedtuple("Group", "files floor server pytest", defaults=[(), ()])
GROUPS = {
    "CRUD and bulk writes": Group("crud_unified crud_v1 client_bulk_write bulk", 99),
    "BSON corpus, in the server": Group("corpus_stored", 99),
    "BSON corpus, in the driver": Group("bson_corpus bson bson_binary_vector decimal128 raw_bson json_util json_util_integration", 99),
    "indexes and collections": Group("index_management collection_management collection collation", 99),
    "run command": Group("run_command", 99),
    "sessions": Group("sessions_unified session causal_consistency", 99),
    "transactions": Group("transactions transactions_unified", 98),
    "change streams": Group("change_stream", 99),
    "retryable reads": Group("retryable_reads retryable_reads_unified", 99),
    "retryable writes": Group("retryable_writes retryable_writes_unified operation_id_retry", 99),
    "GridFS": Group("gridfs_spec gridfs gridfs_bucket grid_file", 99),
    "cursors and databases": Group("cursor database custom_types dbref examples comment unified_format create_entities", 98),
    "commands and versions": Group("monitoring command_monitoring command_logging versioned_api versioned_api_integration read_write_concern_spec read_concern write_concern handshake_unified", 99),
    "clients and pools": Group("client client_context pooling threads connection_monitoring connection_logging compression_support", 97),
    "discovery and selection": Group("discovery_and_monitoring hello_latched heartbeat_monitoring streaming_protocol monitor topology sdam_monitoring_spec server_selection "
                                     "server_selection_logging server_selection_in_window server_selection_rtt read_preferences max_staleness", 97),
    "timeouts and backpressure": Group("csot client_backpressure", 99),
    "authentication": Group("auth auth_spec discovery_and_monitoring retryable_reads_unified retryable_writes_unified transactions_unified", 98, ("-auth",),
                            ("-k", "test_auth or (Unified and (Handshake or TestUnifiedAuth))")),
}


def prepare(cache):
    """The unpacked source archive and a Python that has pytest."""
    tree = cache / "pymongo"
    if not tree.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
        subprocess.run([*pip, "-r", HERE / "sdist.txt", "-d", cache], check=True)
        archive = next(cache.glob("pymongo-*.tar.gz"))
        with tarfile.open(archive) as tar:
            tar.extractall(cache / "unpacked", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # old Pythons have none
        next((cache / "unpacked").iterdir()).rename(tree)
    python = cache / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(cache / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", HERE / "requirements.txt"], check=True)
    return tree, python


def build(cache):
    binary = cache / "listen"
    subprocess.run(["go", "build", "-buildvcs=false", "-o", binary, "./sandbox/store/mongo/suites/listen"], cwd=ROOT, check=True)
    return binary


@contextlib.contextmanager
def serving(binary, *options):
    """Runs the engine, and answers the address that it serves on."""
    server = subprocess.Popen([binary, "-listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


class Suite:
    """Where the suite lies, and how its server is reached."""

    def __init__(self, args):
        cache = writable(args.cache)
        self.tree, self.python = prepare(cache)
        self.addr, self.seconds = args.addr, args.seconds
        self.binary = None if args.addr else build(cache)
        self.report = cache / "report.json"

    def run(self, group, ids=()):
        """Runs a group, or some tests of it, and answers what plugin.py wrote of each."""
        if self.addr:
            return self.pytest(group, ids, self.addr)
        with serving(self.binary, *group.server) as addr:
            return self.pytest(group, ids, addr)

    def pytest(self, group, ids, addr):
        host, port = addr.rsplit(":", 1)
        self.report.unlink(missing_ok=True)
        env = dict(os.environ, DB_IP="localhost" if host == "127.0.0.1" else host, DB_PORT=port, PYTHONPATH=f"{self.tree}{os.pathsep}{HERE}",
                   PYTHONDONTWRITEBYTECODE="1", SUITES_REPORT=str(self.report), SUITES_TREE=str(self.tree))
        command = [self.python, "-m", "pytest", "-q", "--timeout", "60", "-p", "plugin", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", self.tree]
        command += ids or [*(self.file(name) for name in group.files.split()), *group.pytest]
        try:
            subprocess.run(command, cwd=self.tree, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=self.seconds)
        except subprocess.TimeoutExpired:
            print(f"  not finished after {self.seconds} s", flush=True)
        return json.loads(self.report.read_text()) if self.report.exists() else {}

    def file(self, name):
        """The path of a test file: one of the suite, or ours beside this script."""
        own = HERE / f"{name}.py"
        return os.path.relpath(own, self.tree) if own.exists() else f"test/test_{name}.py"


def writable(folder):
    """The folder's path, or another one where another user has made it."""
    cache = pathlib.Path(folder).expanduser().resolve()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if os.access(cache, os.W_OK):
            return cache
    except PermissionError:
        pass
    own = pathlib.Path.home() / ".cache" / "storeroom" / "mongo-suites"
    print(f"{cache} belongs to somebody else: the suite goes to {own}")
    own.mkdir(parents=True, exist_ok=True)
    return own


class Known:
    """The failures that known.txt names: a kind, a test or its beginning with *, a reason.

    ours   the engine lacks something
    out    no server like ours can pass it: it counts as failed all the same
    needs  it needs what a machine may not have, such as DNS: it isn't counted
    """

    def __init__(self, path):
        lines = (line.split(None, 2) for line in path.read_text().splitlines() if line and not line.startswith("#"))
        self.entries = [(kind, re.compile(re.escape(name).replace(r"\*", ".*") + "$"), reason) for kind, name, reason in lines]

    def __call__(self, name):
        """(kind, reason) of a test; kind is empty for one that should pass."""
        return next(((kind, reason) for kind, pattern, reason in self.entries if pattern.match(name)), ("", ""))


class Result:
    """What a group came to."""

    def __init__(self, name, group, tests, known):
        self.name, self.floor = name, group.floor
        self.passed, self.failed, self.elsewhere, self.surprises = 0, [], collections.Counter(), []
        for test, entry in sorted(tests.items()):
            self.add(test, entry, *known(test))
        self.total = self.passed + len(self.failed)
        self.percent = 100 * self.passed / self.total if self.total else 0
        if not tests:
            self.surprises.append("nothing ran")
        if self.percent < group.floor:
            self.surprises.append(f"{self.percent:.1f} % pass: below the floor of {group.floor} %")

    def add(self, test, entry, kind, reason):
        if kind == "needs":
            self.elsewhere["another machine"] += 1
        elif entry["for"]:
            self.elsewhere[entry["for"]] += 1
        elif entry["outcome"] == "passed":
            self.passed += 1
            if kind:
                self.surprises.append(f"passes, and known.txt says that it can't: {test}")
        else:
            self.failed.append((test, kind, reason))
            if not kind:
                self.surprises.append(f"{entry['outcome']}: {test}: {entry['text']}")

    def print(self):
        apart = sum(self.elsewhere.values())
        print(f"{self.name}: {self.passed} of {self.total} pass ({self.percent:.1f} %), {apart} apart: {dict(self.elsewhere)}")
        for test, kind, reason in self.failed:
            if kind:
                print(f"  {kind:5}{test}: {reason}")
        for line in self.surprises:
            print(f"  new  {line}")
        sys.stdout.flush()


def outcome(suite, name, known):
    """Runs a group, and what failed in it unexpectedly once more."""
    group = GROUPS[name]
    tests = suite.run(group)
    again = [entry["id"] for test, entry in tests.items() if entry["outcome"] == "failed" and not known(test)[0]]
    if 0 < len(again) <= MAX_RETRIES:
        tests.update(suite.run(group, again))
    return Result(name, group, tests, known)


# With more failures than this something is broken, and trying again tells nothing.
MAX_RETRIES = 30


def markdown(results):
    """The README's table and its list of failures."""
    lines = ["| group | passed | apart |", "|---|---|---|"]
    lines += [f"| {r.name} | {r.passed} of {r.total} | {sum(r.elsewhere.values())} |" for r in results]
    for kind, title in ("ours", "ours"), ("out", "out of scope"):
        by_reason = collections.defaultdict(list)
        for r in results:
            for test, of, reason in r.failed:
                if of == kind:
                    by_reason[reason].append(f"`{test.split('.', 1)[1].removeprefix('Test')}`")
        lines += ["", f"<details><summary>The {sum(map(len, by_reason.values()))} that fail, {title}</summary>", ""]
        lines += [f"- {reason}: {', '.join(tests)}" for reason, tests in by_reason.items()]
        lines += ["", "</details>"]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default=CACHE, help="folder for the suite and its Python")
    parser.add_argument("--addr", help="a server that runs already, host:port")
    parser.add_argument("--seconds", type=int, default=1200, help="time for one group")
    parser.add_argument("--markdown", action="store_true", help="print the README's table at the end")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"some of: {', '.join(GROUPS)}")
    args = parser.parse_args()
    if unknown := set(args.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    suite, known, results = Suite(args), Known(HERE / "known.txt"), []
    for name in args.groups or GROUPS:
        results.append(outcome(suite, name, known))
        results[-1].print()
    if args.markdown:
        print(markdown(results))
    wrong = [r.name for r in results if r.surprises]
    print(f"not as expected: {', '.join(wrong)}" if wrong else "all as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
