#!/usr/bin/env python3
"""Runs pymongo's own test suite, and the specification tests that it carries, against
the engine, and prints what passes, what fails by name, and what does not apply.

    python3 sandbox/store/mongo/suites/run.py [--cache DIR] [--addr HOST:PORT] [GROUP ...]

Nothing of the suite is kept in this repository: pip fetches pymongo's source archive,
pinned by hash in sdist.txt, into the cache. Without --addr the engine is built and
served on a free loopback port. The exit status is 1 when a group falls below its floor.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]

# Group: test files, and the percentage of applicable tests that must pass.
GROUPS = {
    "crud": (["test_crud_unified.py", "test_client_bulk_write.py"], 95),
    "bson corpus": (["test_bson_corpus.py", "test_bson.py"], 95),
    "index management": (["test_collection_management.py", "test_collection.py"], 90),
    "run command": (["test_run_command.py"], 95),
    "sessions": (["test_sessions_unified.py", "test_session.py"], 85),
    "transactions": (["test_transactions.py", "test_transactions_unified.py"], 85),
    "change streams": (["test_change_stream.py"], 85),
    "retryable": (["test_retryable_reads.py", "test_retryable_reads_unified.py", "test_retryable_writes.py", "test_retryable_writes_unified.py"], 85),
    "gridfs": (["test_gridfs_spec.py", "test_gridfs.py", "test_gridfs_bucket.py", "test_grid_file.py"], 95),
    "cursors and bulk": (["test_cursor.py", "test_bulk.py", "test_database.py", "test_collation.py"], 85),
    "commands and versions": (["test_command_monitoring.py", "test_versioned_api_integration.py", "test_read_write_concern_spec.py", "test_comment.py"], 85),
}

# Skips that say a test is for another server or another driver.
OTHER = re.compile(r"runOnRequirements|sharded|mongos|[Ll]oad ?balanc|not support|Must be connected to a|replica set|csfle|encryption|IPv6|SSL|TLS|snappy|version|standalone|"
                   r"[Ss]econdar|[Aa]rbiter|FIPS|mod_wsgi|gevent|eventlet|Kerberos|X509|LDAP|AWS|OIDC", re.S)


def prepare(cache):
    """The unpacked source archive and a Python that has pytest."""
    tree = cache / "pymongo"
    if not tree.exists():
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
        subprocess.run([*pip, "-r", HERE / "sdist.txt", "-d", cache], check=True)
        archive = next(cache.glob("pymongo-*.tar.gz"))
        with tarfile.open(archive) as tar:
            tar.extractall(cache / "unpacked", filter="data")
        next((cache / "unpacked").iterdir()).rename(tree)
    python = cache / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(cache / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", HERE / "requirements.txt"], check=True)
    return tree, python


def serve(cache):
    """Builds the engine and serves it; answers the process and its address."""
    binary = cache / "listen"
    subprocess.run(["go", "build", "-o", binary, "./sandbox/store/mongo/suites/listen"], cwd=ROOT, check=True)
    process = subprocess.Popen([binary, "-listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def run(python, tree, addr, files, seconds):
    """Runs test files and answers (passed, failed names, skipped for others, skipped else)."""
    host, port = addr.rsplit(":", 1)
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    env = dict(os.environ, DB_IP="localhost" if host == "127.0.0.1" else host, DB_PORT=port, PYTHONPATH=str(tree))
    present = [f"test/{f}" for f in files if (tree / "test" / f).exists()]
    command = [python, "-m", "pytest", "-q", "--timeout", "60", "-p", "no:cacheprovider", "-o", "addopts=", f"--junitxml={report}", *present]
    try:
        subprocess.run(command, cwd=tree, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds)
    except subprocess.TimeoutExpired:
        print(f"  not finished after {seconds} s: {' '.join(present)}")
    passed, failed, other, skipped = 0, [], 0, []
    if not report.exists():
        return 0, ["the whole group"], 0, []
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').removeprefix('test.')}.{case.get('name')}"
        skip = case.find("skipped")
        if skip is not None:
            text = (skip.get("message") or "") + (skip.text or "")
            if OTHER.search(text):
                other += 1
            else:
                skipped.append(f"{name}: {text.strip().splitlines()[-1][:100]}")
        elif case.find("failure") is not None or case.find("error") is not None:
            problem = case.find("failure") if case.find("failure") is not None else case.find("error")
            failed.append(f"{name}: {(problem.get('message') or '').splitlines()[0][:160] if problem.get('message') else ''}")
        else:
            passed += 1
    return passed, failed, other, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default=os.environ.get("STOREROOM_CACHE", str(pathlib.Path.home() / ".cache" / "storeroom")))
    parser.add_argument("--addr", help="a server that runs already, host:port")
    parser.add_argument("--seconds", type=int, default=600, help="time for one group")
    parser.add_argument("groups", nargs="*", help=f"some of: {', '.join(GROUPS)}")
    args = parser.parse_args()
    cache = pathlib.Path(args.cache) / "mongo-suites"
    cache.mkdir(parents=True, exist_ok=True)
    tree, python = prepare(cache)
    process, addr = (None, args.addr) if args.addr else serve(cache)
    low = []
    try:
        for name in args.groups or GROUPS:
            files, floor = GROUPS[name]
            passed, failed, other, skipped = run(python, tree, addr, files, args.seconds)
            total = passed + len(failed) + len(skipped)
            percent = 100 * passed / total if total else 0
            print(f"{name}: {passed} of {total} pass ({percent:.1f} %), {other} are for other servers or drivers", flush=True)
            for line in failed:
                print(f"  fails    {line}")
            for line in skipped:
                print(f"  skipped  {line}")
            if percent < floor:
                low.append(f"{name} is below {floor} %")
    finally:
        if process:
            process.terminate()
            process.wait()
    print("; ".join(low) or "all groups reach their floor")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
