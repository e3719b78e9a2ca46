package host_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/host/hosttest"
)

// hostileArg makes the test's binary the worker that was taken over.
const hostileArg = "taken-over"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == hostileArg {
		takenOver(os.Args[2])
		os.Exit(0)
	}
	hosttest.Main(m)
}

// targets are what the worker that was taken over goes for.
type targets struct {
	Files   []string // to read
	Writes  []string // to write
	Sockets []string // to connect to
	Network string   // a listener on the host's loopback
	PIDs    []int    // to kill
	Home    string   // its own
}

// takenOver tries everything with the worker's own rights, in native code, and prints
// what worked, a line each.
func takenOver(said string) {
	var t targets
	if err := json.Unmarshal([]byte(said), &t); err != nil {
		fmt.Println("no targets:", err)
		return
	}
	if err := confine.Seal(); err != nil {
		fmt.Println("not sealed:", err)
	}
	try := func(what string, err error) {
		if err == nil {
			fmt.Println("worked:", what)
		}
	}
	for _, f := range t.Files {
		_, err := os.ReadFile(f)
		try("read "+f, err)
		_, err = os.ReadDir(f)
		try("list "+f, err)
		link := filepath.Join(t.Home, "link")
		os.Remove(link)
		os.Symlink(f, link)
		_, err = os.ReadFile(link)
		try("read by a link "+f, err)
	}
	for _, f := range t.Writes {
		try("write "+f, os.WriteFile(f, []byte("x"), 0o644))
		try("truncate "+f, os.Truncate(f, 0))
		try("remove "+f, os.Remove(f))
	}
	for _, s := range t.Sockets {
		_, err := net.Dial("unix", s)
		try("connect to "+s, err)
	}
	_, err := net.Dial("tcp", t.Network)
	try("connect to "+t.Network, err)
	_, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	try("make a socket", err)
	for _, pid := range t.PIDs {
		try("signal "+strconv.Itoa(pid), syscall.Kill(pid, 0))
		try("trace "+strconv.Itoa(pid), syscall.PtraceAttach(pid))
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		try("read the environment of "+strconv.Itoa(pid), err)
		_, err = os.ReadFile(fmt.Sprintf("/proc/%d/mem", pid))
		try("read the memory of "+strconv.Itoa(pid), err)
	}
	try("start a program", exec.Command("/bin/true").Run())
	try("become root", syscall.Setuid(0))
	try("mount", unix.Mount("none", t.Home, "tmpfs", 0, ""))
	try("make a namespace", unix.Unshare(unix.CLONE_NEWUSER))
	try("own file", os.WriteFile(filepath.Join(t.Home, "mine"), []byte("x"), 0o600))
	fmt.Println("done")
}

func TestAWorkerThatWasTakenOverReachesNothing(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	mine, other := hosttest.New(t, h), hosttest.New(t, h)
	for _, id := range []string{mine, other} {
		hosttest.Run(t, h, id, setAndGet).OK(t, "b'bar'\n")
		if r := hosttest.Run(t, h, id, selectAll); r.Reason != sandbox.OK {
			t.Fatalf("PostgreSQL: %+v", r)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(targets{
		Files: []string{
			h.Folder(other, "home/file.txt"), h.Folder(other, "home"), h.Folder(other, "mongo"), h.Folder(other, "redis/data"), h.Folder(other, "postgres/data/PG_VERSION"),
			h.Folder(mine, "sandbox.json"), h.Folder(mine, "postgres/secret"), h.Folder(mine, "redis/redis.conf"), h.Folder(mine, ".."),
			"/etc/passwd", "/etc/shadow", "/root", "/tmp", "/proc/1/environ", "/proc/self/maps", "/proc/net/unix",
		},
		Writes:  []string{program, h.Folder(other, "home/file.txt"), h.Folder(mine, "sandbox.json"), "/tmp/storeroom-was-here"},
		Sockets: []string{h.Socket(other, "redis"), h.Socket(other, "postgres"), h.Socket(mine, "redis")},
		Network: listener.Addr().String(),
		PIDs:    []int{os.Getpid(), h.PID(other), 1},
		Home:    h.Folder(mine, "home"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{mine, other} {
		for _, s := range []string{"redis", "postgres"} {
			if _, err := os.Stat(h.Socket(id, s)); err != nil {
				t.Fatalf("the test does not know where %s listens: %v", s, err)
			}
		}
	}
	out, err := h.Hostile(t.Context(), mine, hostileArg, string(said))
	if err != nil || !strings.HasSuffix(out, "done\n") {
		t.Fatalf("the attempts did not run: %v\n%s", err, out)
	}
	if worked := strings.TrimSuffix(out, "done\n"); worked != "worked: own file\n" {
		t.Errorf("a worker that was taken over could do more than write its own file:\n%s", worked)
	}
}

func TestAKilledWorkerIsThereAgainWithItsData(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "open('a.txt', 'w').write('kept') and None\n"+setAndGet).OK(t, "b'bar'\n")
	hosttest.Run(t, h, id, insertAndFind)
	r := hosttest.Start(t, h, id, "print('on')\nwhile True: pass", nil)
	r.Saw(sandbox.Stdout, "on")
	syscall.Kill(h.PID(id), syscall.SIGKILL)
	if got := r.Wait(); got.Reason != sandbox.Lost || got.Text == "" {
		t.Errorf("the run that was going on: %+v", got)
	}
	got := hosttest.Run(t, h, id, "import redis, pymongo\nprint(open('a.txt').read(), redis.Redis().get('foo'), pymongo.MongoClient()['database_name'].collection_name.count_documents({}))")
	got.OK(t, "kept b'bar' 1\n")
	if len(got.Notices) != 1 {
		t.Errorf("the learner was not told that variables are gone: %v", got.Notices)
	}
}

func TestAWorkerThatCanNotStartIsNoticed(t *testing.T) {
	c := hosttest.Config(t)
	var log strings.Builder
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	if err := os.RemoveAll(filepath.Join(c.Data, "sandboxes", id, "tmp")); err != nil {
		t.Fatal(err)
	}
	if r := hosttest.Run(t, h, id, "print(1)"); r.Reason != sandbox.Internal || r.Text == "" {
		t.Errorf("the run: %+v", r)
	}
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if said := log.String(); !strings.Contains(said, "the sandbox's process ended") {
		t.Errorf("it was not noticed:\n%s", said)
	}
}

// fromPython are attempts to leave the sandbox; each prints "denied" or what it got.
var fromPython = map[string]string{
	"read above the home":        "open('../../../../etc/passwd').read()",
	"read an absolute path":      "open('/etc/passwd').read()",
	"read another's home":        "open('OTHER/home/file.txt').read()",
	"list the host's root":       "[n for n in os.listdir('/') if n in ('etc', 'proc', 'root', 'sys', 'dev')] or 1/0",
	"read through a link":        "os.symlink('/etc/passwd', 'l1'), open('l1').read()",
	"read through a link upward": "os.symlink('../../../../../../etc/passwd', 'l2'), open('l2').read()",
	"read through a folder link": "os.symlink('..', 'l3'), os.symlink('l3/../../../etc', 'l4'), open('l4/passwd').read()",
	"hard link from outside":     "os.link('/etc/passwd', 'h1'), open('h1').read()",
	"rename to the outside":      "os.rename('notes.md', '/notes.md')",
	"write the library":          "open('/usr/local/lib/python315.zip', 'ab', 0).write(b'x')",
	"write our files":            "open('/guest/x.py', 'w')",
	"write the client libraries": "open('/site/redis/x.py', 'w')",
	"proc":                       "open('/proc/self/environ').read()",
	"the environment":            "[k for k in os.environ if 'STOREROOM' in k or k in ('PATH', 'SSH_AUTH_SOCK')] or 1/0",
	"start a program":            "__import__('subprocess').run(['/bin/true'])",
	"system":                     "os.system('true') == 0 or 1/0",
	"fork":                       "os.fork()",
	"kill":                       "os.kill(os.getppid(), 9)",
	"the host's port":            "socket.create_connection(('127.0.0.1', PORT), timeout=2)",
	"the host's port by ::1":     "socket.create_connection(('::1', PORT), timeout=2)",
	"the host's port by 0.0.0.0": "socket.create_connection(('0.0.0.0', PORT), timeout=2)",
	"a private address":          "socket.create_connection(('10.0.0.1', 80), timeout=2)",
	"the metadata service":       "socket.create_connection(('169.254.169.254', 80), timeout=2)",
	"a name":                     "socket.create_connection(('example.com', 80), timeout=2)",
	"datagrams":                  "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
	"a unix socket":              "socket.socket(socket.AF_UNIX).connect('SOCKET')",
	"raw frames to the host":     "[__import__('_host').call(bytes([b]) * 9) for b in range(256)] and 1/0",
}

func TestPythonCannotLeaveTheSandbox(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	mine, other := hosttest.New(t, h), hosttest.New(t, h)
	hosttest.Run(t, h, other, setAndGet).OK(t, "b'bar'\n")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fill := strings.NewReplacer("PORT", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), "OTHER", h.Folder(other, ""), "SOCKET", h.Socket(other, "redis"))
	for name, attempt := range fromPython {
		got := hosttest.Run(t, h, mine, "import os, socket\ntry:\n    print('got', "+fill.Replace(attempt)+")\nexcept BaseException as e:\n    print('denied')")
		if got.Stdout != "denied\n" {
			t.Errorf("%s: %q %q, ended with %s", name, got.Stdout, got.Stderr, got.Reason)
		}
	}
	hosttest.Run(t, h, mine, "print('alive')").OK(t, "alive\n")
}

func TestALearnerSeesNothingOfAnother(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	ada, grace := hosttest.New(t, h), hosttest.New(t, h)
	everywhere := "import psycopg2, pymongo, redis\nopen('WHO.txt', 'w').write('WHO')\nredis.Redis().set('who', 'WHO')\npymongo.MongoClient()['d']['c'].insert_one({'who': 'WHO'})\n" +
		"c = psycopg2.connect(dbname='testdb', user='postgres', password='secret')\nwith c: c.cursor().execute(\"CREATE TABLE t AS SELECT 'WHO' AS who\")\nNone"
	for _, id := range []string{ada, grace} {
		who := map[string]string{ada: "ada", grace: "grace"}[id]
		hosttest.Run(t, h, id, strings.ReplaceAll(everywhere, "WHO", who)).OK(t, "")
	}
	look := "import os\nq = c.cursor()\nq.execute('SELECT who FROM t')\nprint([f for f in os.listdir() if f in ('ada.txt', 'grace.txt')], redis.Redis().get('who'), [d['who'] for d in pymongo.MongoClient()['d']['c'].find()], q.fetchall())"
	hosttest.Run(t, h, ada, look).OK(t, "['ada.txt'] b'ada' ['ada'] [('ada',)]\n")
	hosttest.Run(t, h, grace, look).OK(t, "['grace.txt'] b'grace' ['grace'] [('grace',)]\n")
}

// bombs use up what they can.
var bombs = map[string]string{
	"endless loop":       "while True: pass",
	"endless recursion":  "def f(): return f()\nf()",
	"deep nesting":       "import json\nx = []\nfor i in range(10**5): x = [x]\njson.dumps(x)",
	"memory bomb":        "x = []\nwhile True: x.append(bytearray(10**7))",
	"output flood":       "while True: print('x' * 10000)",
	"error flood":        "import sys\nwhile True: sys.stderr.write('x' * 10000)",
	"many files":         "i = 0\nwhile True:\n    open(f'f{i}', 'w').close()\n    i += 1",
	"a large file":       "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 10**6)",
	"many connections":   "import socket\nkeep = []\nwhile True: keep.append(socket.create_connection(('localhost', 6379)))",
	"a large value":      "import redis\nr = redis.Redis()\nwhile True: r.append('k', b'x' * 10**6)",
	"regular expression": "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
	"a large number":     "10 ** (10 ** 8)",
	"catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
	"unbounded C loop":   "sum(range(10 ** 12))",
}

func TestBombsHurtNobodyElse(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Run, c.Limits.PerCore = 2*time.Second, 4
	h := hosttest.Open(t, c)
	bomber, neighbour := hosttest.New(t, h), hosttest.New(t, h)
	hosttest.Run(t, h, neighbour, "n = 0\n"+setAndGet).OK(t, "b'bar'\n")
	for name, bomb := range bombs {
		r := hosttest.Start(t, h, bomber, bomb, nil)
		for range 5 {
			hosttest.Run(t, h, neighbour, "print(redis.Redis().get('foo'))").OK(t, "b'bar'\n")
		}
		if got := r.Wait(); got.Reason == sandbox.OK || got.Reason == sandbox.Internal || got.Reason == sandbox.Lost {
			t.Errorf("%s ended with %s %q", name, got.Reason, got.Text)
		}
		// What a bomb leaves behind may take Python down once more when it is cleared away,
		// as a very deep list does; then it is a fresh one that clears the folder.
		hosttest.Run(t, h, bomber, "keep = x = None")
		if got := hosttest.Run(t, h, bomber, "import os\nfor f in os.listdir():\n    if f.startswith(('f', 'big')): os.remove(f)"); got.Reason != sandbox.OK {
			t.Errorf("after %s: %+v", name, got)
		}
	}
	if err := h.Reset(t.Context(), bomber); err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, h, bomber, "print('fresh')").OK(t, "fresh\n")
}

// A script without an end outlives the run that has started it, but not the look at the
// shelves after it.
func TestAnEndlessScriptEndsWithItsRun(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "import redis\nr = redis.Redis(socket_timeout=0.3, retry=None)\nr.set('foo', 'bar')").OK(t, "True\n")
	for _, script := range []string{"while true do end", "redis.call('set', 'x', 1) while true do end"} {
		got := hosttest.Run(t, h, id, "r.eval(\""+script+"\", 0)")
		if got.Reason != sandbox.Error || !strings.Contains(got.Stderr, "TimeoutError") {
			t.Errorf("%s: %+v", script, got)
		}
		if _, err := h.Shelves(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		hosttest.Run(t, h, id, "r = redis.Redis()\nprint(r.get('foo'))\nr = redis.Redis(socket_timeout=0.3, retry=None)").OK(t, "b'bar'\n")
	}
}

// Neither do statements without an end that an asynchronous connection leaves behind: they
// are interrupted, and what catches that is ended. A transaction that is open stays.
func TestEndlessStatementsEndAfterTheirRun(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, `import psycopg2, select
login = "dbname=testdb user=postgres password=secret"
kept = psycopg2.connect(login)
cursor = kept.cursor()
cursor.execute("CREATE TABLE open_one (n int)")
def leave(statement):
    c = psycopg2.connect(login, async_=1)
    while (state := c.poll()) != psycopg2.extensions.POLL_OK:
        select.select([c], [c], [], 1)
    c.cursor().execute(statement)
    return c
left = [leave("DO $$ BEGIN LOOP END LOOP END $$"),
    leave("DO $$ BEGIN LOOP BEGIN LOOP END LOOP; EXCEPTION WHEN query_canceled THEN END; END LOOP; END $$")]`).OK(t, "")
	const count = `c = psycopg2.connect(login)
q = c.cursor()
q.execute("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND usename = 'postgres'")
print(q.fetchone()[0])
c.close()`
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Second) {
		if got := hosttest.Run(t, h, id, count); got.Stdout == "0\n" {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the statements go on: %+v", got)
		}
	}
	hosttest.Run(t, h, id, "cursor.execute('SELECT count(*) FROM open_one')\nkept.rollback()\nprint('kept')").OK(t, "kept\n")
}

// Nor do operations of MongoDB whose answer nobody waits for.
func TestEndlessOperationsEndAfterTheirRun(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, `import bson, socket, struct, pymongo
kept = pymongo.MongoClient()
endless = {"$sum": {"$map": {"input": {"$range": [0, 10**6]}, "in": {"$sum": {"$range": [0, 10**5]}}}}}
body = bson.encode({"aggregate": 1, "pipeline": [{"$documents": [{}]}, {"$project": {"x": endless}}], "cursor": {}, "$db": "test"})
left = socket.create_connection(("localhost", 27017))
left.sendall(struct.pack("<iiiiiB", 21 + len(body), 1, 0, 2013, 0, 0) + body)`).OK(t, "")
	const count = `print(sum("$documents" in str(op.get("command")) for op in kept.admin.aggregate([{"$currentOp": {}}])))`
	hosttest.Run(t, h, id, count).OK(t, "1\n")
	for end := time.Now().Add(time.Minute); ; time.Sleep(3 * time.Second) {
		if got := hosttest.Run(t, h, id, count); got.Stdout == "0\n" {
			break
		} else if time.Now().After(end) {
			t.Fatalf("the operation goes on: %+v", got)
		}
	}
}
