package host_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
	"storeroom/sandbox/host/hosttest"
)

// The document's four snippets, as they stand there.
const (
	readThenWrite = "with open('file.txt', 'r') as file:\n    contents = file.read()\n    print(contents)\n\nwith open('file.txt', 'w') as file:\n    file.write('Hello World')\n"
	setAndGet     = "import redis\n\n# Connecting to Redis\nr = redis.Redis(host='localhost', port=6379, db=0)\n\n# Setting a key-value\nr.set('foo', 'bar')\n\n# Retrieving the value\nprint(r.get('foo'))\n"
	selectAll     = "import psycopg2\n\nconnection = psycopg2.connect(\n    host=\"localhost\",\n    database=\"testdb\",\n    user=\"postgres\",\n    password=\"secret\")\n\ncursor = connection.cursor()\n\n# Executing SQL queries\ncursor.execute(\"SELECT * FROM table_name\")\nrows = cursor.fetchall()\n\nfor row in rows:\n    print(row)\n\n# Closing the connection\nconnection.close()\n"
	insertAndFind = "from pymongo import MongoClient\n\nclient = MongoClient('localhost', 27017)\ndb = client['database_name']\ndb.collection_name.insert_one({\"name\": \"John\", \"age\": 30})\ndocuments = db.collection_name.find()\n\nfor document in documents:\n    print(document)\n"
)

func TestVariablesStayBetweenCells(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "x = 41\nprint('hello')").OK(t, "hello\n")
	hosttest.Run(t, h, id, "x + 1").OK(t, "42\n")
}

func TestEachSnippetOfTheDocumentReachesItsStore(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	if r := hosttest.Run(t, h, id, readThenWrite); r.Reason != sandbox.OK || !strings.Contains(r.Stdout, "before you") {
		t.Errorf("files: %+v", r)
	}
	hosttest.Run(t, h, id, readThenWrite).OK(t, "Hello World\n")
	hosttest.Run(t, h, id, setAndGet).OK(t, "b'bar'\n")
	if r := hosttest.Run(t, h, id, selectAll); r.Reason != sandbox.OK || !strings.HasPrefix(r.Stdout, "(1, 'Ada', 'London', datetime.date(2024, 3, 1), Decimal('97.5'))\n") {
		t.Errorf("PostgreSQL: %+v", r)
	}
	if r := hosttest.Run(t, h, id, insertAndFind); r.Reason != sandbox.OK || !strings.Contains(r.Stdout, "'name': 'John', 'age': 30}") {
		t.Errorf("MongoDB: %+v", r)
	}
	shelves, err := h.Shelves(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"file.txt 11 B", "table_name 5 rows", "collection_name 1 document", "foo “bar”"} {
		if len(shelves[i].Items) == 0 || shelves[i].Items[0].Name+" "+shelves[i].Items[0].Detail != want {
			t.Errorf("shelf %d is %+v, wanted %s", i, shelves[i], want)
		}
	}
}

func TestWhereThereIsNoRedisItsCellsSayWhatToInstall(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	h.WithoutRedis("install redis-server")
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "import redis\nredis.Redis().set('foo', 'bar')")
	if got.Reason != sandbox.Error || !strings.Contains(got.Stderr, "Connection refused") {
		t.Errorf("got %+v", got)
	}
	if said := strings.Join(got.Notices, "|"); said != "Redis is not available here: install redis-server" {
		t.Errorf("the notices are %q", said)
	}
	hosttest.Run(t, h, id, "from pymongo import MongoClient\nMongoClient().db.c.insert_one({'_id': 1}).inserted_id").OK(t, "1\n")
}

func TestStopKeepsTheVariables(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	r := hosttest.Start(t, h, id, "kept = 7\nprint('on')\nwhile True: pass", nil)
	r.Saw(sandbox.Stdout, "on")
	h.Stop(id, r.ID)
	if got := r.Wait(); got.Reason != sandbox.Stopped || got.Text == "" || len(got.Notices) != 0 {
		t.Errorf("got %+v", got)
	}
	hosttest.Run(t, h, id, "kept").OK(t, "7\n")
}

func TestStopEndsWhatCatchesEverything(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	r := hosttest.Start(t, h, id, "print('on')\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass", nil)
	r.Saw(sandbox.Stdout, "on")
	h.Stop(id, r.ID)
	if got := r.Wait(); got.Reason != sandbox.Stopped || len(got.Notices) != 1 {
		t.Errorf("got %+v", got)
	}
	hosttest.Run(t, h, id, "print('alive')").OK(t, "alive\n")
}

func TestTheDeadlineHoldsForLoopsAndSleep(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Run = 300 * time.Millisecond
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	for _, code := range []string{"while True: pass", "import time\ntime.sleep(60)", "sum(range(10**11))"} {
		if got := hosttest.Run(t, h, id, code); got.Reason != sandbox.Timeout || !strings.Contains(got.Text, "300ms") {
			t.Errorf("%s: %+v", code, got)
		}
	}
}

func TestInputWaitsForAPersonAndDoesNotCount(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Run, c.Limits.PerCore = 500*time.Millisecond, 1
	h := hosttest.Open(t, c)
	id, other := hosttest.New(t, h), hosttest.New(t, h)
	r := hosttest.Start(t, h, id, "name = input('Who? ')\nprint('Hello', name)", nil)
	r.Saw(sandbox.Input, "")
	hosttest.Run(t, h, other, "print('not held up')").OK(t, "not held up\n")
	time.Sleep(time.Second) // longer than a run may take
	if err := h.Input(id, r.ID, "Ada"); err != nil {
		t.Fatal(err)
	}
	r.Wait().OK(t, "Who? Hello Ada\n")
	if got := r.Now().Millis; got > 500 {
		t.Errorf("%v ms counted", got)
	}
	if err := h.Input(id, r.ID, "again"); err == nil {
		t.Error("a line was taken that nothing asked for")
	}
}

func TestInputEndsAsPythonEndsIt(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	r := hosttest.Start(t, h, id, "import sys\nprint(list(sys.stdin), repr(sys.stdin.read()))\ninput('more? ')", nil)
	r.Saw(sandbox.Input, "")
	if err := h.EndInput(id, r.ID); err != nil {
		t.Fatal(err)
	}
	got := r.Wait()
	if got.Reason != sandbox.Error || got.Stdout != "[] ''\nmore? " || !strings.HasSuffix(got.Stderr, "EOFError: EOF when reading a line\n") {
		t.Errorf("got %+v", got)
	}
	if err := h.EndInput(id, r.ID); !errors.Is(err, host.ErrNotAsking) {
		t.Errorf("after its end: %v", err)
	}
	next := hosttest.Start(t, h, id, "print(input())", nil) // a run's end of input is its own
	next.Saw(sandbox.Input, "")
	if err := h.Input(id, next.ID, "Ada"); err != nil {
		t.Fatal(err)
	}
	next.Wait().OK(t, "Ada\n")
}

func TestARunThatExitsSaysSo(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	for _, code := range []string{"import sys\nsys.exit(3)", "exit(3)", "import os\nos._exit(3)"} {
		if got := hosttest.Run(t, h, id, code); got.Reason != sandbox.Error || got.Text != "The code ended itself with exit status 3." {
			t.Errorf("%s: got %s %q", code, got.Reason, got.Text)
		}
	}
	if got := hosttest.Run(t, h, id, "import sys\nsys.exit('no such name')"); got.Reason != sandbox.Error || got.Stderr != "no such name\n" {
		t.Errorf("got %+v", got)
	}
	hosttest.Run(t, h, id, "import sys\nsys.exit()").OK(t, "")
}

func TestInputGivesUp(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Answer = 200 * time.Millisecond
	h := hosttest.Open(t, c)
	if got := hosttest.Run(t, h, hosttest.New(t, h), "input()"); got.Reason != sandbox.Timeout || !strings.Contains(got.Text, "input()") {
		t.Errorf("got %+v", got)
	}
}

func TestFloodIsCutAndKept(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Output = 64 << 10
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "while True: print('x' * 1000)")
	if got.Reason != sandbox.Output || len(got.Stdout) != 64<<10 {
		t.Errorf("%s after %d bytes: %s", got.Reason, len(got.Stdout), got.Text)
	}
	hosttest.Run(t, h, id, "print('next')").OK(t, "next\n")
}

func TestTooManyEventsAreCut(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Events = 50
	h := hosttest.Open(t, c)
	got := hosttest.Run(t, h, hosttest.New(t, h), "import sys\nwhile True:\n  print('o')\n  print('e', file=sys.stderr)")
	if got.Reason != sandbox.Output || len(got.Events) > 60 {
		t.Errorf("%s after %d events", got.Reason, len(got.Events))
	}
}

func TestMemoryEndsTheRunAndNotTheSandbox(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "kept = 1\nx = []\nwhile True: x.append(bytearray(10**6))")
	if got.Reason != sandbox.Memory || !strings.Contains(got.Text, "256 MiB") {
		t.Errorf("got %s %q %q", got.Reason, got.Text, got.Stderr)
	}
	hosttest.Run(t, h, id, "del x\nkept").OK(t, "1\n")
}

func TestALongSnippetIsRefused(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	got := hosttest.Run(t, h, hosttest.New(t, h), strings.Repeat("#", 65<<10))
	if got.Reason != sandbox.Quota || !strings.Contains(got.Text, "64 KiB") {
		t.Errorf("got %+v", got)
	}
}

func TestASecondRunAtOnceIsBusy(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	r := hosttest.Start(t, h, id, "print('on')\nimport time\ntime.sleep(30)", nil)
	r.Saw(sandbox.Stdout, "on")
	if got := hosttest.Run(t, h, id, "1"); got.Reason != sandbox.Busy {
		t.Errorf("got %+v", got)
	}
	h.Stop(id, r.ID)
	r.Wait()
}

func TestACrashedInterpreterIsReplaced(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "import os\nos.abort()")
	if got.Reason != sandbox.Error || len(got.Notices) != 1 {
		t.Errorf("got %+v", got)
	}
	hosttest.Run(t, h, id, "print(open('notes.md').readline())").OK(t, "# Notes\n\n")
}

func TestDataOutlivesTheHost(t *testing.T) {
	c := hosttest.Config(t)
	h, err := host.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "x = 1\n"+setAndGet).OK(t, "b'bar'\n")
	hosttest.Run(t, h, id, insertAndFind)
	hosttest.Run(t, h, id, "import psycopg2\nc = psycopg2.connect(dbname='testdb', user='postgres', password='secret')\nwith c: c.cursor().execute('CREATE TABLE kept (n int)')\nopen('kept.txt', 'w').write('here') and None").OK(t, "")
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	h = hosttest.Open(t, c)
	shelves, err := h.Shelves(t.Context(), id)
	if err != nil || len(shelves[2].Items) != 1 {
		t.Errorf("the shelf of MongoDB at rest: %+v %v", shelves, err)
	}
	got := hosttest.Run(t, h, id, "print(open('kept.txt').read(), redis.Redis().get('foo') if 'redis' in dir() else 'fresh')")
	if got.Stdout != "here fresh\n" || len(got.Notices) != 1 {
		t.Errorf("after a restart: %+v", got)
	}
	hosttest.Run(t, h, id, "import redis, psycopg2, pymongo\nprint(redis.Redis().get('foo'))\nc = psycopg2.connect(dbname='testdb', user='postgres', password='secret').cursor()\nc.execute('SELECT count(*) FROM kept')\nprint(c.fetchone(), pymongo.MongoClient()['database_name'].collection_name.count_documents({}))").OK(t, "b'bar'\n(0,) 1\n")
}

func TestResetGivesAFreshSandbox(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, setAndGet).OK(t, "b'bar'\n")
	hosttest.Run(t, h, id, "open('mine.txt', 'w').write('x')\ny = 1")
	running := hosttest.Start(t, h, id, "print('on')\nimport time\ntime.sleep(30)", nil)
	running.Saw(sandbox.Stdout, "on")
	if err := h.Reset(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := running.Wait(); got.Reason != sandbox.Stopped {
		t.Errorf("the run that went on: %+v", got)
	}
	got := hosttest.Run(t, h, id, "import os, redis\nprint(sorted(os.listdir()), redis.Redis().get('foo'), 'y' in dir())")
	got.OK(t, "['file.txt', 'notes.md'] None False\n")
	if len(got.Notices) != 0 {
		t.Errorf("a fresh sandbox was told %v", got.Notices)
	}
}

func TestDeleteLeavesNothing(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, setAndGet).OK(t, "b'bar'\n")
	if err := h.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if h.Exists(id) {
		t.Error("it is still known")
	}
	if got := hosttest.Run(t, h, id, "1"); got.Reason != sandbox.Lost || !strings.Contains(got.Text, "Reload") {
		t.Errorf("got %+v", got)
	}
}

func TestCloseTellsTheRuns(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	r := hosttest.Start(t, h, hosttest.New(t, h), "print('on')\nwhile True: pass", nil)
	r.Saw(sandbox.Stdout, "on")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := r.Wait(); got.Reason != sandbox.Shutdown {
		t.Errorf("got %+v", got)
	}
}

func TestTheLeastRecentlyUsedSleepsWhenThereIsNoRoom(t *testing.T) {
	c := hosttest.Config(t)
	c.MaxAwake = 2
	h := hosttest.Open(t, c)
	var ids []string
	for range 3 {
		ids = append(ids, hosttest.New(t, h))
		hosttest.Run(t, h, ids[len(ids)-1], "x = 1").OK(t, "")
	}
	health, err := h.Health(t.Context())
	if err != nil || health.Awake != 2 || health.Asleep != 1 {
		t.Errorf("health %+v %v", health, err)
	}
	if got := hosttest.Run(t, h, ids[0], "print('x' in dir())"); got.Stdout != "False\n" || len(got.Notices) != 1 {
		t.Errorf("the one that slept: %+v", got)
	}
}

func TestASandboxThatRestsSleepsAndWakes(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Rest = 100 * time.Millisecond
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "x = 1\nopen('kept.txt', 'w').close()\n"+setAndGet).OK(t, "b'bar'\n")
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if health, err := h.Health(t.Context()); err == nil && health.Awake == 0 && health.Asleep == 1 && !h.Running(id, "redis") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the sandbox did not fall asleep")
		}
	}
	got := hosttest.Run(t, h, id, "import os, redis\nprint('x' in dir(), os.path.exists('kept.txt'), redis.Redis().get('foo'))")
	got.OK(t, "False True b'bar'\n")
	if len(got.Notices) != 1 || !strings.Contains(got.Notices[0], "variables and imports of earlier runs are gone") {
		t.Errorf("it woke with %q", got.Notices)
	}
}

func TestAnIdleStoreRests(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Idle = 100 * time.Millisecond
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, setAndGet+"r.close()").OK(t, "b'bar'\n")
	for end := time.Now().Add(20 * time.Second); h.Running(id, "redis"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("Redis did not stop")
		}
	}
	hosttest.Run(t, h, id, "print(redis.Redis().get('foo'))").OK(t, "b'bar'\n")
}

func TestTheShelfFollowsAConnectionThatStaysOpen(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "import psycopg2, pymongo, redis\ndb = pymongo.MongoClient()['d']\nr = redis.Redis()\nc = psycopg2.connect(dbname='testdb', user='postgres', password='secret')\nc.autocommit = True\nq = c.cursor()\ndb.first.insert_one({})\nr.set('first', 1)\nq.execute('CREATE TABLE first (n int)')").OK(t, "")
	if _, err := h.Shelves(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	hosttest.Run(t, h, id, "db.second.insert_one({})\nr.set('second', 1)\nq.execute('CREATE TABLE second (n int)')").OK(t, "")
	shelves, err := h.Shelves(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shelves[1:] {
		if !slices.ContainsFunc(s.Items, func(i sandbox.Item) bool { return i.Name == "second" }) {
			t.Errorf("%s shows %+v", s.Store, s.Items)
		}
	}
}
