package python_test

import (
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
)

// run runs one snippet that must not kill its guest.
func run(t *testing.T, g *python.Guest, source string) python.Result {
	t.Helper()
	r, err := g.Turn(t.Context(), python.Turn{Source: source, Name: "cell.py", Run: 20 * time.Second, Grace: 5 * time.Second})
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return r
}

// said runs a snippet and answers what it wrote to both streams.
func said(t *testing.T, g *python.Guest, out *pythontest.Output, source string) string {
	t.Helper()
	run(t, g, source)
	o, e := out.Take()
	return o + e
}

func TestTurnsAreLikeANotebook(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for _, c := range []struct{ source, want string }{
		{"print('hello')", "hello\n"},
		{"x = 41", ""},
		{"x + 1", "42\n"},
		{"_", "42\n"},
		{"1\n'shown'", "'shown'\n"},
		{"None", ""},
		{"import math\nmath.floor(2.5);", "2\n"},
		{"def f():\n    'doc'\n    return x\nf()", "41\n"},
		{"__name__", "'__main__'\n"},
		{"'storeroom' in dir() or 'sys' in dir()", "False\n"},
		{"import os; os.getcwd()", "'/home/learner'\n"},
		{"for c in 'äß€': print(c, end='')", "äß€"},
		{"import sys\nprint('a'); print('b', file=sys.stderr)", "a\nb\n"},
		{"", ""},
		{"# nothing", ""},
		{"x = 1\r\nx\r\n", "1\n"},
	} {
		if got := said(t, g, out, c.source); got != c.want {
			t.Errorf("%q said %q, want %q", c.source, got, c.want)
		}
	}
}

func TestPastedSnippets(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for name, c := range map[string]struct{ source, want string }{
		"indented":           {"    x = 1\n    \n    if x:\n        print(x)\n", "1\n"},
		"first line bare":    {"x = 2\n    \n    if x:\n        print(x)\n", "2\n"},
		"first line opens":   {"for i in '34':\n        print(i)\n    \n    print(5)\n", "3\n4\n5\n"},
		"tabs":               {"\tx = 6\n\tprint(x)", "6\n"},
		"triple quotes":      {"    s = '''\n    kept\nflush\n'''\n    print(s)", "\n    kept\nflush\n\n"},
		"last value":         {"    x = 7\n    x", "7\n"},
		"future":             {"    from __future__ import annotations\n    print(8)", "8\n"},
		"tags":               {"<font color=\"indigo\">print</font>(<font color=\"red\">\"9 &lt; 10\"</font>)", "9 < 10\n"},
		"raw document":       {"<pre><code class=\"language-python\">\n    <font color=\"indigo\">for</font> i <font color=\"indigo\">in</font> '1':\n        print(i)\n</code></pre>", "1\n"},
		"a fence":            {"```python\nx = 9\n\nprint(x)\n```\n", "9\n"},
		"tags that are text": {"print('<font color=\"red\">&lt;</font>')", "<font color=\"red\">&lt;</font>\n"},
	} {
		if got := said(t, g, out, c.source); got != c.want {
			t.Errorf("%s: %q said %q, want %q", name, c.source, got, c.want)
		}
	}
}

func TestTracebacksShowTheLearnersLines(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for _, c := range []struct{ source, exception, want string }{
		{"def half(n):\n    return n / 0\n\nhalf(1)", "ZeroDivisionError", `Traceback (most recent call last):
  File "cell.py", line 4, in <module>
    half(1)
    ~~~~^^^
  File "cell.py", line 2, in half
    return n / 0
           ~~^~~
ZeroDivisionError: division by zero
`},
		{"    \n    x = [1\n    x", "SyntaxError", "  File \"cell.py\", line 2\n    x = [1\n        ^\nSyntaxError: '[' was never closed\n"},
		{"x = 1\n  y = 2", "IndentationError", "  File \"cell.py\", line 2\n    y = 2\nIndentationError: unexpected indent\n"},
		{"    y = 1\n    1 / 0", "ZeroDivisionError", "Traceback (most recent call last):\n  File \"cell.py\", line 2, in <module>\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n"},
		{"class Odd(Exception): pass\nraise Odd('no')", "Odd", "Traceback (most recent call last):\n  File \"cell.py\", line 2, in <module>\n    raise Odd('no')\nOdd: no\n"},
		{"import requests", "ModuleNotFoundError", "Traceback (most recent call last):\n  File \"cell.py\", line 1, in <module>\n    import requests\n" +
			"ModuleNotFoundError: No module named 'requests'. Modules can't be installed here: use Python's own, numpy, pandas, matplotlib, psycopg2, pymongo or redis\n"},
		{"import json\njson.loads('{')", "json.decoder.JSONDecodeError", ""},
	} {
		r := run(t, g, c.source)
		_, got := out.Take()
		if r.End != python.Raised || r.Exception != c.exception {
			t.Errorf("%q ended %+v, want %s", c.source, r, c.exception)
		}
		if c.want != "" && got != c.want || strings.Contains(got, "/guest/") || strings.Contains(got, "reactor") {
			t.Errorf("%q said\n%s\nwant\n%s", c.source, got, c.want)
		}
	}
	if got := said(t, g, out, "half(2)"); !strings.Contains(got, "ZeroDivisionError") {
		t.Errorf("the guest does not go on: %q", got)
	}
}

func TestOurFramesAreHiddenInChainsAndLibraries(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for _, source := range []string{
		"try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e",
		"raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
		"import socket\nsocket.create_connection(('localhost', 1))",
		"import time\ntime.sleep(-1)",
		"class Bad:\n    def __repr__(self): raise ValueError\nBad()",
	} {
		r := run(t, g, source)
		if _, got := out.Take(); r.End != python.Raised || strings.Contains(got, "/guest/") || !strings.Contains(got, `File "cell.py"`) {
			t.Errorf("%q ended %+v and said\n%s", source, r, got)
		}
	}
}

func TestExits(t *testing.T) {
	e := pythontest.ForTest(t)
	g, out, _ := pythontest.Guest(t, e, python.GuestConfig{})
	for _, c := range []struct {
		source, stderr string
		status         int
	}{
		{"import sys; sys.exit()", "", 0},
		{"import sys; sys.exit(3)", "", 3},
		{"import sys; sys.exit('bye')", "bye\n", 1},
		{"exit()", "", 0},
		{"quit(4)", "", 4},
		{"raise SystemExit", "", 0},
	} {
		r := run(t, g, c.source)
		if _, stderr := out.Take(); r.End != python.Quit || r.Status != c.status || stderr != c.stderr {
			t.Errorf("%q ended %+v and said %q", c.source, r, stderr)
		}
	}
	if r := run(t, g, "import os; os._exit(5)"); r.End != python.Exited || r.Status != 5 || g.Alive() {
		t.Errorf("os._exit ended %+v, alive %v", r, g.Alive())
	}
	if _, err := g.Turn(t.Context(), python.Turn{}); err != python.ErrDead {
		t.Errorf("a turn after os._exit: %v", err)
	}
}

func TestForksDiffer(t *testing.T) {
	e := pythontest.ForTest(t)
	const source = `import random, uuid, secrets, tempfile
from bson import ObjectId
for value in random.random(), uuid.uuid4(), uuid.uuid1(), secrets.token_hex(), tempfile.mktemp(), ObjectId(), str(ObjectId())[-6:]:
    print(value)`
	seen := map[string]bool{}
	for range 2 {
		g, out, _ := pythontest.Guest(t, e, python.GuestConfig{})
		for line := range strings.Lines(said(t, g, out, source)) {
			if seen[line] {
				t.Errorf("two forks made the same %q", line)
			}
			seen[line] = true
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d values, want 14: %v", len(seen), seen)
	}
}

func TestForksDoNotSeeEachOther(t *testing.T) {
	e := pythontest.ForTest(t)
	a, _, _ := pythontest.Guest(t, e, python.GuestConfig{})
	b, out, _ := pythontest.Guest(t, e, python.GuestConfig{})
	run(t, a, "secret = 42\nopen('file.txt', 'w').write('mine')\nimport math; math.pi = 3")
	if got := said(t, b, out, "import os, math\n'secret' in globals(), os.listdir('.'), math.pi"); got != "(False, [], 3.141592653589793)\n" {
		t.Errorf("the other fork sees %s", got)
	}
}

func TestFilesStay(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	for _, c := range []struct{ source, want string }{
		{"with open('a.txt', 'w') as f: f.write('hi')", ""},
		{"print(open('a.txt').read())", "hi\n"},
		{"import os; os.mkdir('d'); os.rename('a.txt', 'd/b.txt'); print(sorted(os.listdir('/home/learner/d')))", "['b.txt']\n"},
		{"sorted(os.listdir('/'))", "['guest', 'home', 'site', 'tmp', 'usr']\n"},
		{"import tempfile\nwith tempfile.TemporaryFile() as f: print(f.write(b'x'))", "1\n"},
	} {
		if got := said(t, g, out, c.source); got != c.want {
			t.Errorf("%q said %q, want %q", c.source, got, c.want)
		}
	}
	for _, source := range []string{"open('/guest/storeroom/x.py', 'w')", "open('/site/x.py', 'w')", "os.mkdir('/usr/x')", "open('/etc/passwd')"} {
		if r := run(t, g, source); r.End != python.Raised {
			t.Errorf("%q ended %+v", source, r)
		}
	}
}

func TestPasswordKeys(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	// RFC 7914, section 11, and a length of our own.
	got := said(t, g, out, "import hashlib\nprint(hashlib.pbkdf2_hmac('sha256', b'passwd', b'salt', 1, 64).hex())\nprint(len(hashlib.pbkdf2_hmac('sha1', b'p', b's', 4096)))")
	const want = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
		"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783\n20\n"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := said(t, g, out, "hashlib.pbkdf2_hmac('sha256', b'p', b's', 10**9)"); !strings.Contains(got, "ValueError") {
		t.Errorf("endless work said %q", got)
	}
}
