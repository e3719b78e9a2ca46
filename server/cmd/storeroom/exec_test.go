package main

import (
	"encoding/json"
	"strings"
	"testing"

	"storeroom/sandbox"
)

func TestExecPrintsWhatAPageWould(t *testing.T) {
	needsParts(t)
	dir := t.TempDir()
	one := write(t, dir, "one.py", "import sys\nx = 6\nprint('hello')\nprint('careful', file=sys.stderr)\n")
	two := write(t, dir, "two.py", "x * 7")
	bad := write(t, dir, "bad.py", "print('before')\n1/0\n")

	t.Run("files share a sandbox", func(t *testing.T) {
		got := storeroom(t, "", "exec", one, two)
		got.wants(t, 0, "hello\n42\n", "careful\n")
	})
	t.Run("the last one counts", func(t *testing.T) {
		storeroom(t, "", "exec", bad, two).wants(t, 1, "before\n", "File \"bad.py\", line 2")
		storeroom(t, "", "exec", bad, one).wants(t, 0, "hello\n", "ZeroDivisionError: division by zero")
	})
	t.Run("standard input", func(t *testing.T) {
		storeroom(t, "print(6*7)", "exec", "-").wants(t, 0, "42\n", "")
	})
	t.Run("a line for input", func(t *testing.T) {
		ask := write(t, dir, "ask.py", "print('hello', input('who? '))\nprint(input())")
		storeroom(t, "Ada\nlast", "exec", ask).wants(t, 0, "who? hello Ada\nlast\n", "")
		storeroom(t, "Ada\n", "exec", ask).wants(t, 1, "hello Ada\n", "EOFError: EOF when reading a line")
		storeroom(t, "Ada\nBob\nEve\nlast", "exec", ask, ask).wants(t, 0, "who? hello Ada\nBob\nwho? hello Eve\nlast\n", "")
	})
	t.Run("all lines of standard input", func(t *testing.T) {
		loop := write(t, dir, "loop.py", "import sys\nfor line in sys.stdin: print(line.strip().upper())\nprint('end', repr(sys.stdin.read()))")
		storeroom(t, "Ada\nBob\n", "exec", loop).wants(t, 0, "ADA\nBOB\nend ''\n", "")
		storeroom(t, "", "exec", loop, loop).wants(t, 0, "end ''\nend ''\n", "")
		read := write(t, dir, "read.py", "import sys\nprint(repr(sys.stdin.read()))")
		storeroom(t, "Ada\nBob\n", "exec", read).wants(t, 0, "'Ada\\nBob\\n'\n", "")
	})
	t.Run("an exit status", func(t *testing.T) {
		storeroom(t, "import sys\nsys.exit(3)", "exec", "-").wants(t, 1, "", "The code ended itself with exit status 3.")
		storeroom(t, "import sys\nsys.exit('no such name')", "exec", "-").wants(t, 1, "", "no such name\n")
		storeroom(t, "import sys\nsys.exit(0)", "exec", "-").wants(t, 0, "", "")
	})
	t.Run("a limit", func(t *testing.T) {
		storeroom(t, "while True: pass", "exec", "--run-time", "200ms", "-").wants(t, 1, "", "The time was up")
		storeroom(t, "print(1)#"+strings.Repeat("x", 70_000), "exec", "-").wants(t, 1, "", "The snippet is too long")
	})
	t.Run("events", func(t *testing.T) {
		got := storeroom(t, "print(6*7)", "exec", "--json", "-")
		got.wants(t, 0, `"reason":"ok"`, "")
		var last sandbox.Event
		for line := range strings.Lines(got.out) {
			var event sandbox.Event
			if err := json.Unmarshal([]byte(line), &event); err != nil || event.Seq != last.Seq+1 {
				t.Errorf("after %d came %s: %v", last.Seq, line, err)
			}
			last = event
		}
		if last.Kind != sandbox.End {
			t.Errorf("the last event is %+v", last)
		}
	})
}

func TestVerifyComparesLessons(t *testing.T) {
	needsParts(t)
	dir := t.TempDir()
	write(t, dir, "12-redis/page.md", "---\nid: redis\ntitle: R\nsection: Interacting with Redis\nlevel: 3\n---\n::cell a.py \"a\"\n\n::cell b.py \"b\"\n")
	write(t, dir, "12-redis/a.py", "name = input('who? ')\nprint(name)")
	write(t, dir, "12-redis/a.out", "#! input Ada\nwho? Ada\n")
	write(t, dir, "12-redis/b.py", "print(name.upper())\n1/0")
	write(t, dir, "12-redis/b.out", "#! error ZeroDivisionError: {{any}}\nADA\n")
	storeroom(t, "", "verify", "--content", dir).wants(t, 0, "ok      redis/b", "")

	write(t, dir, "12-redis/a.out", "#! input Ada\nwho? Bob\n")
	got := storeroom(t, "", "verify", "--content", dir, "redis")
	got.wants(t, 1, "differs redis/a (lessons/content/12-redis/a.py)\n        line 1: got \"who? Ada\", expected \"who? Bob\"", "")
	got.wants(t, 1, "2 cells, 1 differ", "")

	write(t, dir, "12-redis/b.out", "{{colour}}\n")
	storeroom(t, "", "verify", "--content", dir).wants(t, 1, "", "lessons/content/12-redis/b.out:1: unknown pattern {{colour}}")
}
