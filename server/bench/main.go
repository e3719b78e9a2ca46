// Bench measures a running Storeroom from outside, as pages do over their websockets, and
// then its MongoDB engine beside SQLite and PostgreSQL; it prints two Markdown tables.
// `make bench` builds the program and calls it. Times are from the sending of a message to
// the arrival of the answer, so they hold the server's own time and the bench's. It starts
// its own servers on free ports, with data of their own, and ends them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	program := flag.String("program", "bin/storeroom", "the program to measure")
	rounds := flag.Int("rounds", 200, "runs behind each median")
	class := flag.Int("class", 100, "learners who press Run in the same second")
	held := flag.Int("held", 40, "learners whose memory is measured together")
	only := flag.String("only", "", "measure just one table: pages or mongo")
	size := flag.Int("documents", 100_000, "documents that the second table inserts and groups")
	times := flag.Int("times", 5, "alternating rounds behind each figure of the second table")
	cold := flag.Bool("cold", true, "fetch and prepare everything once more, in a cache of its own (needs the network, takes a minute or two)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := tables(*only, func() error { return measure(ctx, *program, *rounds, *class, *held, *cold) },
		func() error { return compare(ctx, *program, *size, *times) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// tables prints both tables, or the one that is wanted.
func tables(only string, pages, mongo func() error) error {
	fmt.Printf("%s, %d processors, %s\n\n", machine(), runtime.NumCPU(), time.Now().Format("2 January 2006"))
	switch only {
	case "":
		if err := pages(); err != nil {
			return err
		}
		fmt.Println()
		return mongo()
	case "pages":
		return pages()
	case "mongo":
		return mongo()
	}
	return fmt.Errorf("-only takes pages or mongo, not %q", only)
}

// settle is how long the server has to give back what the rush took.
const settle = 65 * time.Second

// The snippets of the document, and hello world.
const (
	hello    = "print('hello')"
	files    = "with open('file.txt', 'r') as file:\n    contents = file.read()\n    print(contents)\n\nwith open('file.txt', 'w') as file:\n    file.write('Hello World')\n"
	redis    = "import redis\nr = redis.Redis(host='localhost', port=6379, db=0)\nr.set('foo', 'bar')\nprint(r.get('foo'))\n"
	postgres = "import psycopg2\nconnection = psycopg2.connect(host='localhost', database='testdb', user='postgres', password='secret')\ncursor = connection.cursor()\ncursor.execute('SELECT * FROM table_name')\nrows = cursor.fetchall()\nfor row in rows:\n    print(row)\nconnection.close()\n"
	pymongo  = "from pymongo import MongoClient\nclient = MongoClient('localhost', 27017)\ndb = client['database_name']\ndb.collection_name.drop()\ndb.collection_name.insert_one({'name': 'John', 'age': 30})\nfor document in db.collection_name.find():\n    print(document)\nclient.close()\n"
)

func measure(ctx context.Context, program string, rounds, class, held int, cold bool) error {
	data, err := os.MkdirTemp("", "storeroom-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	if err := os.Chmod(data, 0o711); err != nil {
		return err
	}
	fmt.Print("| what | figure | load generator's CPU |\n|---|---|---|\n")
	if cold {
		if err := coldStart(ctx, program, data); err != nil {
			return err
		}
	}
	if err := starts(ctx, program, data); err != nil {
		return err
	}
	s, err := start(ctx, program, data)
	if err != nil {
		return err
	}
	b := bench{ctx: ctx, s: s}
	for _, step := range []func() error{
		func() error { return b.one(rounds) },
		func() error { return b.newcomers(rounds) },
		func() error { return b.memory(held) },
		func() error { return b.class(class) },
	} {
		if err := step(); err != nil {
			s.stop()
			return err
		}
	}
	time.Sleep(settle)
	row("server, resident memory a minute after all that", mb(rss(s.cmd.Process.Pid)), 0)
	return s.stop()
}

type bench struct {
	ctx context.Context
	s   *server
}

// one measures a learner who is there already.
func (b bench) one(rounds int) error {
	l, err := join(b.ctx, b.s.address)
	if err != nil {
		return err
	}
	defer l.leave()
	for _, c := range []struct{ name, code string }{{"hello world", hello}, {"files snippet", files}, {"Redis snippet", redis}, {"psycopg2 snippet", postgres}, {"pymongo snippet", pymongo}} {
		if _, err := l.run(b.ctx, c.code); err != nil { // the store is up from here on
			return fmt.Errorf("%s: %w", c.name, err)
		}
		cpu := ownCPU()
		var all []time.Duration
		for range rounds {
			time.Sleep(breath)
			t, err := l.run(b.ctx, c.code)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			all = append(all, t.all)
		}
		row(c.name+", running learner: p50 / p95", both(all), ownCPU()-cpu)
	}
	return b.way(l, rounds)
}

// way measures what of all times is the way to the server and back: it answers a ping at
// once.
func (b bench) way(l *learner, rounds int) error {
	cpu := ownCPU()
	var all []time.Duration
	for range rounds {
		time.Sleep(breath)
		took, err := l.ping(b.ctx)
		if err != nil {
			return fmt.Errorf("ping: %w", err)
		}
		all = append(all, took)
	}
	row("of each of these, the way to the server and back: p50 / p95", both(all), ownCPU()-cpu)
	return nil
}

// newcomers measures the first run of learners who have just come.
func (b bench) newcomers(rounds int) error {
	for _, c := range []struct {
		name, code string
		n          int
		first      bool
	}{{"hello world", hello, rounds, false}, {"first PostgreSQL row", postgres, min(rounds, 40), true}, {"Redis snippet", redis, min(rounds, 40), false}, {"pymongo snippet", pymongo, min(rounds, 40), false}} {
		cpu := ownCPU()
		var all []time.Duration
		for range c.n {
			l, err := join(b.ctx, b.s.address)
			if err != nil {
				return err
			}
			time.Sleep(pause) // a person reads before pressing Run; the pool of ready data folders fills up
			t, err := l.run(b.ctx, c.code)
			l.leave()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if c.first {
				t.all = t.first
			}
			all = append(all, t.all)
		}
		row(c.name+", new learner: p50 / p95", both(all), ownCPU()-cpu)
	}
	return nil
}

// breath is between two presses of Run by the same learner: the server shows who is
// faster than any person the door.
const breath = 120 * time.Millisecond

// pause is between a newcomer's page and the press of Run.
const pause = 300 * time.Millisecond

// memory measures what learners add who use all four stores.
func (b bench) memory(n int) error {
	// What earlier steps have left asleep or awake is counted before.
	before := b.processes()
	var learners []*learner
	for range n {
		l, err := join(b.ctx, b.s.address)
		if err != nil {
			return err
		}
		defer l.leave()
		learners = append(learners, l)
		for _, code := range []string{files, redis, postgres, pymongo} {
			if _, err := l.run(b.ctx, code); err != nil {
				return err
			}
		}
	}
	after := b.processes()
	var all int64
	var shares []string
	for _, kind := range []string{"sandbox", "postgres", "valkey"} {
		each := (after[kind] - before[kind]) / int64(n)
		all += each
		shares = append(shares, kind+" "+mb(each))
	}
	row(fmt.Sprintf("memory (PSS) a learner with all four stores in use, %d at once", n), mb(all)+" ("+strings.Join(shares, ", ")+")", 0)
	return nil
}

// processes adds up the memory of the server's children by what they are.
func (b bench) processes() map[string]int64 {
	total := map[string]int64{}
	for _, pid := range descendants(b.s.cmd.Process.Pid) {
		kind := "sandbox"
		switch name := program(pid); {
		case strings.HasPrefix(name, "postgres"):
			kind = "postgres"
		case strings.Contains(name, "valkey"), strings.Contains(name, "redis"):
			kind = "valkey"
		}
		total[kind] += pss(pid)
	}
	return total
}

// class measures learners who press Run in the same second, for the second time.
func (b bench) class(n int) error {
	learners := make([]*learner, n)
	for i := range learners {
		l, err := join(b.ctx, b.s.address)
		if err != nil {
			return err
		}
		defer l.leave()
		if _, err := l.run(b.ctx, redis); err != nil {
			return err
		}
		learners[i] = l
	}
	cpu := ownCPU()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	for _, l := range learners {
		wg.Go(func() {
			t, err := l.run(b.ctx, redis)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			}
			all = append(all, t.all)
		})
	}
	wg.Wait()
	row(fmt.Sprintf("Redis snippet, %d learners at once, second run: p50 / p95", n), both(all), ownCPU()-cpu)
	return failed
}

func row(what, figure string, cpu time.Duration) {
	used := "–"
	if cpu > 0 {
		used = ms(cpu)
	}
	fmt.Printf("| %s | %s | %s |\n", what, figure, used)
}

func both(all []time.Duration) string { return ms(median(all)) + " / " + ms(percentile(all, 95)) }

func median(all []time.Duration) time.Duration { return percentile(all, 50) }

func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*p/100)]
}

func ms(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0f ms", float64(d)/1e6)
}

func mb(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func machine() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}
