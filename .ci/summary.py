"""Counts what test programs say: passed, failed, skipped, and why.

test.py feeds it; it runs nothing itself.
"""

import json
import re


class Tally:
    """What has been counted so far. Failures and skips have names."""

    def __init__(self):
        self.passed = 0
        self.failed = []  # names
        self.skipped = []  # (name, reason)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def lines(self):
        """The summary, its last line in the form that scripts read."""
        for name in self.failed:
            yield f"failed: {name}"
        for name, reason in self.skipped:
            yield f"skipped: {name}: {reason}"
        yield f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"


class GoTests:
    """Reads the events of `go test -json`, one line at a time.

    A test with subtests counts as its subtests. A package that fails without a failing
    test (it does not compile, it panics) counts as one failure.
    """

    def __init__(self):
        self.outcomes = {}  # (package, test) -> pass, fail or skip
        self.output = {}  # (package, test) -> lines, kept until the outcome is known
        self.broken = []

    def line(self, text):
        """Takes a line and answers what a person should see now, or nothing."""
        try:
            event = json.loads(text)
        except ValueError:
            return text.rstrip()
        action, package, test = event.get("Action"), event.get("Package") or event.get("ImportPath", ""), event.get("Test", "")
        key = (package, test)
        if action in ("output", "build-output"):
            self.output.setdefault(key, []).append(event["Output"])
            return None
        if action not in ("pass", "fail", "skip"):
            return None
        said = self.output.pop(key, [])
        if test:
            self.outcomes[key] = action
            if action == "skip":
                self.outcomes[key] = ("skip", reason(said))
            return f"--- {package} {test}\n{shortened(said)}" if action == "fail" else None
        return self.package(event, package, action, said)

    def package(self, event, package, action, said):
        if action != "fail":
            return f"{package} ok, {event.get('Elapsed', 0):.1f} s" if action == "pass" else None
        if not any(p == package and outcome == "fail" for (p, _), outcome in self.outcomes.items()):
            self.broken.append(package)
        # What a test that never ended has said, and what the compiler has.
        rest = [line for (p, _), lines in self.output.items() if p == package or p.startswith(package + " ") for line in lines]
        rest += self.output.pop((event.get("FailedBuild", ""), ""), [])
        return f"{package} FAILED\n{shortened(rest + said)}"

    def tally(self):
        tally = Tally()
        parents = {(package, test[: slash.start()]) for package, test in self.outcomes for slash in re.finditer("/", test)}
        for (package, test), outcome in self.outcomes.items():
            name = f"{package} {test}"
            if isinstance(outcome, tuple):
                tally.skipped.append((name, outcome[1]))
            elif outcome == "fail" and not self.fails_below(package, test):
                tally.failed.append(name)
            elif outcome == "pass" and (package, test) not in parents:
                tally.passed += 1
        tally.failed += self.broken
        return tally

    def fails_below(self, package, test):
        return any(o == "fail" and p == package and t.startswith(test + "/") for (p, t), o in self.outcomes.items())


def shortened(said, most=200):
    """A failure's output without its middle, when it is very long."""
    if len(said) > most:
        said = said[: most // 2] + [f"    ... {len(said) - most} lines left out ...\n"] + said[-most // 2 :]
    return "".join(said).rstrip()


def reason(said):
    """The text that a Go test gave to t.Skip: the line with file and number."""
    for line in said:
        match = re.match(r"\s+\S+\.go:\d+: (.*)", line)
        if match:
            return match.group(1).strip()
    return "no reason given"


def node(output):
    """Counts what `node --test` printed in the TAP format.

    A test with subtests counts as its subtests.
    """
    tally = Tally()
    deeper = 0  # how deep the test before was: its parent comes after it
    for line in output.splitlines():
        match = re.match(r"( *)(ok|not ok) \d+(?: - (.*?))?(?: # (SKIP|TODO)\b *(.*))?$", line)
        if not match:
            continue
        depth, result, name, directive, why = len(match[1]), match[2], match[3] or "a test", match[4], match[5]
        parent, deeper = deeper > depth, depth
        if directive == "SKIP":
            tally.skipped.append((name, why or "no reason given"))
        elif parent:
            continue
        elif result == "ok":
            tally.passed += 1
        else:
            tally.failed.append(name)
    return tally


def unittest(output):
    """Counts what `python3 -m unittest -v` printed."""
    tally = Tally()
    lines = output.splitlines()
    for before, line in zip([""] + lines, lines):
        failed = re.match(r"(?:FAIL|ERROR): \S+ \((\S+?)\)", line)
        skipped = re.search(r"\.\.\. skipped (.*)$", line)
        if failed:
            tally.failed.append(failed[1])
        elif skipped:
            # A test with a docstring has its name on the line above.
            name = re.search(r"\((\S+)\)", line) or re.search(r"\((\S+)\)", before)
            tally.skipped.append((name[1] if name else "a test", skipped[1].strip("'\"")))
    ran = re.search(r"^Ran (\d+) tests?", output, re.M)
    if ran:
        tally.passed = max(0, int(ran[1]) - len(tally.failed) - len(tally.skipped))
    return tally


def verify(output):
    """Counts the cells that `storeroom verify` printed."""
    tally = Tally()
    for line in output.splitlines():
        match = re.match(r"(ok|differs) +(\S+)", line)
        if match and match[1] == "ok":
            tally.passed += 1
        elif match:
            tally.failed.append(f"lesson cell {match[2]}")
    return tally
