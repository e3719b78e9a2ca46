package host_test

import (
	"strconv"
	"strings"
	"testing"

	"storeroom/sandbox"
	"storeroom/sandbox/host/hosttest"
)

func TestAFullHomeSaysSoAndCanBeEmptied(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.FileBytes = 1 << 20
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 65536)")
	if got.Reason != sandbox.Quota || !strings.Contains(got.Text, "1 MiB") || !strings.Contains(got.Text, "os.remove") {
		t.Errorf("got %s %q %q", got.Reason, got.Text, got.Stderr)
	}
	hosttest.Run(t, h, id, "import os\nos.remove('big')\nprint(open('small', 'w').write('fits'))").OK(t, "4\n")
}

func TestTooManyFilesSayso(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Files = 20
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, "for i in range(100): open(f'f{i}', 'w').close()")
	if got.Reason != sandbox.Quota || !strings.Contains(got.Text, "20 files") {
		t.Errorf("got %s %q", got.Reason, got.Text)
	}
}

func TestAFullMongoRefusesAndLetsDelete(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Mongo = 16 << 20 // a few make the limit of memory so low that the race detector does not fit
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	fill := "from pymongo import MongoClient\nfrom pymongo.errors import PyMongoError\nc = MongoClient()['d']['c']\ntry:\n    for i in range(1000): c.insert_one({'_id': i, 'text': 'x' * 100_000})\n    print('took all')\nexcept PyMongoError as e:\n    print('refused', i > 5)\n"
	hosttest.Run(t, h, id, fill).OK(t, "refused True\n")
	hosttest.Run(t, h, id, "c.delete_many({})\nprint(c.insert_one({'_id': 'small'}).inserted_id)").OK(t, "small\n")
}

func TestAFullRedisRefusesAndLetsDelete(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Redis = 4 << 20
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "import redis\nr = redis.Redis()\ntry:\n    for i in range(1000): r.set(i, 'x' * 100_000)\n    print('took all')\nexcept redis.exceptions.OutOfMemoryError:\n    print('refused')").OK(t, "refused\n")
	hosttest.Run(t, h, id, "r.flushall()\nprint(r.set('small', 1))").OK(t, "True\n")
}

func TestARunThatAFullRedisEndsSaysWhatToDo(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Redis = 4 << 20
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	for _, fill := range []string{
		"import redis\nr = redis.Redis()\nfor i in range(1000): r.set(i, 'x' * 100_000)",
		"p = r.pipeline()\nfor i in range(50): p.set(f'p{i}', 'x' * 100_000)\np.execute()",
	} {
		got := hosttest.Run(t, h, id, fill)
		if got.Reason != sandbox.Quota || !strings.Contains(got.Text, "Redis is full: it holds up to 4 MiB") || !strings.Contains(got.Text, "r.flushdb()") || !strings.Contains(got.Stderr, "OutOfMemoryError") {
			t.Errorf("%s: got %s %q %q", fill, got.Reason, got.Text, got.Stderr)
		}
	}
	hosttest.Run(t, h, id, "r.flushdb()\nprint(r.set('small', 1))").OK(t, "True\n")
}

func TestTooManyConnectionsAreRefused(t *testing.T) {
	c := hosttest.Config(t)
	c.Limits.Conns = 5
	h := hosttest.Open(t, c)
	id := hosttest.New(t, h)
	hosttest.Run(t, h, id, "import socket\nkeep = []\ntry:\n    while True: keep.append(socket.create_connection(('localhost', 6379)))\nexcept OSError as e:\n    print(len(keep))\nkeep.clear()\nimport redis\nprint(redis.Redis().ping())").OK(t, "5\nTrue\n")
}

func TestTheOldestSleeperGoesWhenTheDiskIsFull(t *testing.T) {
	c := hosttest.Config(t)
	c.MaxAwake = 1
	c.Limits.SleepDisk = 1
	h := hosttest.Open(t, c)
	old, young := hosttest.New(t, h), hosttest.New(t, h)
	hosttest.Run(t, h, old, "print('here')").OK(t, "here\n")
	hosttest.Run(t, h, young, "print('here')").OK(t, "here\n") // old sleeps now
	h.Forget()
	if h.Exists(old) {
		t.Error("the sleeper was kept")
	}
	if !h.Exists(young) {
		t.Error("the one that is awake was removed")
	}
}

func TestOneConnectionTooManyIsNamed(t *testing.T) {
	h := hosttest.Open(t, hosttest.Config(t))
	id := hosttest.New(t, h)
	got := hosttest.Run(t, h, id, `import psycopg2
login = "dbname=testdb user=postgres password=secret"
keep = [psycopg2.connect(login) for i in range(`+strconv.Itoa(h.Limits.PGConns)+`)]
print("all")
psycopg2.connect(login)`)
	if got.Stdout != "all\n" || got.Reason != sandbox.Error || len(got.Notices) != 1 || !strings.Contains(got.Notices[0], "takes 18 connections at once") {
		t.Errorf("%+v", got)
	}
	hosttest.Run(t, h, id, "keep.pop().close()\nkeep.append(psycopg2.connect(login))\nprint('one more')").OK(t, "one more\n")
}
