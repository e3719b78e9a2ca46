"""Tests of summary.py, with what the real programs print."""

import json
import unittest

import summary


def go(*events):
    reader = summary.GoTests()
    seen = [reader.line(json.dumps(e)) for e in events]
    return reader.tally(), "\n".join(filter(None, seen))


def event(action, test="", package="p", **more):
    return {"Action": action, "Package": package, **({"Test": test} if test else {}), **more}


class Go(unittest.TestCase):
    def test_a_test_with_subtests_counts_as_its_subtests(self):
        tally, _ = go(event("pass", "TestA/one"), event("pass", "TestA/two"), event("pass", "TestA"), event("pass", "TestB"), event("pass"))
        self.assertEqual((tally.passed, tally.failed, tally.skipped), (3, [], []))

    def test_a_failure_is_named_once_and_shown(self):
        tally, seen = go(event("output", "TestA/one", Output="    a_test.go:1: broken\n"), event("fail", "TestA/one"), event("fail", "TestA"), event("fail"))
        self.assertEqual(tally.failed, ["p TestA/one"])
        self.assertIn("a_test.go:1: broken", seen)

    def test_a_skip_has_its_reason(self):
        tally, _ = go(event("output", "TestA", Output="=== RUN   TestA\n"), event("output", "TestA", Output="    a_test.go:7: needs root\n"),
                      event("skip", "TestA"), event("pass"))
        self.assertEqual(tally.skipped, [("p TestA", "needs root")])

    def test_a_package_that_does_not_compile_fails(self):
        tally, seen = go({"ImportPath": "p [p.test]", "Action": "build-output", "Output": "a.go:1: undefined: x\n"},
                         {"ImportPath": "p [p.test]", "Action": "build-fail"}, event("fail", FailedBuild="p [p.test]"))
        self.assertEqual(tally.failed, ["p"])
        self.assertIn("undefined: x", seen)

    def test_a_package_that_dies_fails(self):
        tally, seen = go(event("output", "TestA", Output="panic: boom\n"), event("fail"))
        self.assertEqual(tally.failed, ["p"])
        self.assertIn("panic: boom", seen)

    def test_other_lines_are_shown(self):
        self.assertEqual(summary.GoTests().line("go: downloading x\n"), "go: downloading x")


class Node(unittest.TestCase):
    def test_leaves_are_counted(self):
        tally = summary.node("TAP version 13\n# Subtest: a\n    ok 1 - one\n    not ok 2 - two\n    ok 3 - three # SKIP needs a screen\n    1..3\n"
                             "not ok 1 - a\nok 2 - b\n1..2\n# tests 5\n")
        self.assertEqual((tally.passed, tally.failed, tally.skipped), (2, ["two"], [("three", "needs a screen")]))


class Python(unittest.TestCase):
    def test_results_are_counted(self):
        tally = summary.unittest("test_a (m.C.test_a) ... ok\ntest_b (m.C.test_b)\nThe doc. ... ok\ntest_c (m.C.test_c) ... skipped 'needs x'\n"
                                 "test_d (m.C.test_d) ... FAIL\n\n=====\nFAIL: test_d (m.C.test_d)\n-----\nTraceback\n\nRan 4 tests in 0.1s\n\nFAILED (failures=1, skipped=1)\n")
        self.assertEqual((tally.passed, tally.failed, tally.skipped), (2, ["m.C.test_d"], [("m.C.test_c", "needs x")]))


class Lessons(unittest.TestCase):
    def test_cells_are_counted(self):
        tally = summary.verify("ok      redis/set-and-get             12.0 ms\ndiffers redis/close (lessons/content/redis/close.py)\n        stdout: 1\n2 cells, 1 differ\n")
        self.assertEqual((tally.passed, tally.failed), (1, ["lesson cell redis/close"]))


class Summary(unittest.TestCase):
    def test_the_last_line_stands_alone(self):
        tally = summary.Tally()
        tally.passed, tally.failed, tally.skipped = 3, ["p TestA"], [("p TestB", "needs root")]
        self.assertEqual(list(tally.lines()), ["failed: p TestA", "skipped: p TestB: needs root", "3 passed, 1 failed, 1 skipped"])


if __name__ == "__main__":
    unittest.main()
