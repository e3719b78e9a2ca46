"""Runs every test of Storeroom and ends with what passed, failed and was skipped.

`make test` calls it from the project's folder, with the program built. What a machine
lacks is a skip with a name; with STOREROOM_CI=1 it is a failure.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import summary

os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # the tree stays as it is

PROGRAM = os.path.join("bin", "storeroom")

# Where goroutines share memory. sandbox/confine and the stores that are processes have
# little of that, and their tests take a minute each under the detector.
RACE = ["./lessons/...", "./server/...", "./web", "./sandbox/host", "./sandbox/loopback/...", "./sandbox/parts", "./sandbox/python/...",
        "./sandbox/store/files", "./sandbox/store/mongo/...", "./sandbox/worker/..."]

# The flags that the program was built with: what was compiled for it is compiled once.
AS_BUILT = ["-trimpath"]

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def main():
    total = summary.Tally()
    for title, step in STEPS:
        print(f"\n== {title}", flush=True)
        start = time.monotonic()
        total.add(step())
        print(f"   {time.monotonic() - start:.1f} s", flush=True)
    print("\n== summary")
    for line in total.lines():
        print(line)
    return 1 if total.failed else 0


def run(command, cwd=".", env=None, each=print):
    """Runs a command, gives every line to each, and answers (status, output)."""
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, text=True, errors="replace")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if each:
            each(line.rstrip(), flush=True)
    return process.wait(), "".join(lines)


def one(name, status):
    """A step that is a single test."""
    tally = summary.Tally()
    if status == 0:
        tally.passed = 1
    else:
        tally.failed.append(name)
    return tally


def whole(name, status, tally):
    """A step's count; a command that failed without naming a test is a failure itself."""
    if status != 0 and not tally.failed:
        tally.failed.append(f"{name} (exit status {status})")
    if status == 0 and tally.passed == 0 and not tally.skipped:
        tally.failed.append(f"{name} ran no test")
    return tally


def lack(name, why):
    """Something that this machine does not have."""
    tally = summary.Tally()
    if os.environ.get("STOREROOM_CI") == "1":
        tally.failed.append(f"{name}: {why}")
    else:
        tally.skipped.append((name, why))
    print(f"   {name}: {why}")
    return tally


def prepare():
    status, _ = run([PROGRAM, "prepare"])
    return one("storeroom prepare", status)


def types():
    status, _ = run(["npm", "run", "--silent", "check"], cwd="web")
    return one("the front end's types", status)


def page():
    return node("the front end's tests", "test")


def node(name, script, env=None):
    tap = " ".join([os.environ.get("NODE_OPTIONS", ""), "--test-reporter=tap"]).strip()
    status, output = run(["npm", "run", "--silent", script], cwd="web", env={"NODE_OPTIONS": tap, **(env or {})}, each=None)
    tally = summary.node(output)
    if status != 0:
        print(output)
    return whole(name, status, tally)


def python():
    total = summary.Tally()
    for folder in python_tests():
        status, output = run([sys.executable, "-m", "unittest", "discover", "-v", "-p", "test_*.py", "-s", folder], each=None)
        if status != 0:
            print(output)
        total.add(whole(f"Python tests in {folder}", status, summary.unittest(output)))
    return total


def python_tests():
    """The folders that hold tests for the machine's own Python.

    Those in guest/tests run in the sandbox's Python, and Go tests run them there.
    """
    for root in [".ci", "sandbox"]:
        for folder, below, files in os.walk(root):
            below[:] = [b for b in below if os.path.join(folder, b) != os.path.join("sandbox", "python", "guest", "tests")]
            if any(re.fullmatch(r"test_.*\.py", f) for f in files):
                yield folder


def vet():
    status, _ = run(["go", "vet", *AS_BUILT, "./..."])
    return one("go vet", status)


def go(arguments, env=None):
    reader = summary.GoTests()

    def each(line, flush):
        seen = reader.line(line)
        if seen:
            print(seen, flush=flush)

    status, _ = run(["go", "test", "-json", *AS_BUILT, *arguments], env=env, each=each)
    return status, reader.tally()


def go_tests():
    status, tally = go(["-timeout", "15m", "./..."])
    return whole("go test", status, tally)


def race():
    name = "data races (go test -race)"
    if not shutil.which("gcc"):
        return lack(name, "needs gcc: install it (Debian and Ubuntu: apt-get install gcc libc6-dev)")
    status, tally = go(["-race", "-short", "-timeout", "15m", *RACE], env={"CGO_ENABLED": "1"})
    if status != 0:
        # The same tests as before: only the failures count, and their names say where.
        tally.passed, tally.failed, tally.skipped = 0, [f"{test} (under -race)" for test in tally.failed], []
        return whole(name, status, tally)
    tally.passed, tally.skipped = 1, []  # the same tests as before: counted once
    return tally


def verify():
    status, output = run([PROGRAM, "verify"])
    return whole("storeroom verify", status, summary.verify(output))


def browser():
    name = "end-to-end tests"
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        return lack(name, "needs Chromium: install it (Debian: apt-get install chromium) or name one in CHROMIUM")
    return node(name, "e2e", env={"CHROMIUM": found})


STEPS = [
    ("prepare: parts and Python", prepare),
    ("the front end's types", types),
    ("the front end", page),
    ("Python", python),
    ("go vet", vet),
    ("go test", go_tests),
    ("go test -race", race),
    ("the lessons", verify),
    ("end to end, in a browser", browser),
]

if __name__ == "__main__":
    sys.exit(main())
