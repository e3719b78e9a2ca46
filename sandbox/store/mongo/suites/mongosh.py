#!/usr/bin/env python3
"""Runs mongosh, the real one, against the engine: what it does when it starts, and what
a teacher types into it (mongosh.js).

    python3 sandbox/store/mongo/suites/mongosh.py [--cache DIR]

npm fetches it, pinned, into the cache. It needs Node 20 or later. The exit status is 1
when a check of mongosh.js fails.
"""

import argparse
import os
import subprocess
import sys

import run

PACKAGE = "mongosh@2.12.0"


def installed(cache):
    """The path of mongosh in the cache."""
    folder = cache / PACKAGE
    program = folder / "node_modules" / ".bin" / "mongosh"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, PACKAGE], check=True)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default=run.CACHE, help="folder for mongosh")
    args = parser.parse_args()
    cache = run.writable(args.cache)
    shell, binary = installed(cache), run.build(cache)
    home = cache / "mongosh-home"  # its settings and logs, apart from the user's own
    home.mkdir(exist_ok=True)
    with run.serving(binary) as addr:
        port = addr.rsplit(":", 1)[1]
        done = subprocess.run([shell, "--norc", f"mongodb://localhost:{port}/test", run.HERE / "mongosh.js"], env=dict(os.environ, HOME=str(home)),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    last = done.stdout.rstrip().rsplit("\n", 1)[-1]
    if done.returncode or not last.startswith("mongosh: "):
        print(done.stdout)
        return 1
    print(last)
    return 0


if __name__ == "__main__":
    sys.exit(main())
