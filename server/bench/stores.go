package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// contender is a store of documents under measurement. Collections (tables) have no
// index but that of _id until one is made. Every method waits for the store's answer.
type contender interface {
	name() string
	clear(ctx context.Context, coll string) error // there, and empty
	insert(ctx context.Context, coll string, docs []person) error
	index(ctx context.Context, coll string) error // on key, unique; and makes what is there known to the planner
	find(ctx context.Context, coll, key string) (person, error)
	update(ctx context.Context, coll string, id int32) error // adds 1 to amount
	remove(ctx context.Context, coll string, id int32) error
	count(ctx context.Context, coll string, least int) (int64, error) // of amounts from least on
	group(ctx context.Context, coll string, least int) ([]total, error)
	join(ctx context.Context, left, right string) (int, error) // reads every document with its friend
	ping(ctx context.Context) error                            // the shortest question: what driver and connection take
	idle(ctx context.Context) (int64, error)                   // bytes that an empty instance takes; called first
	close() error
}

// Sizes of the second table's smaller collections.
const (
	batch = 1000   // documents in an insert_many
	joins = 10_000 // documents on each side of a join
	small = 1000   // documents of a learner's collection
	calls = 1000   // short operations behind a median in each round
)

// compare prints the second table: the engine beside SQLite and PostgreSQL.
func compare(ctx context.Context, program string, size, times int) error {
	dir, err := os.MkdirTemp("", "storeroom-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil {
		return err
	}
	var all []contender
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	for _, open := range []func() (contender, error){
		func() (contender, error) { return openMongo(ctx, program, "") },
		func() (contender, error) { return openMongo(ctx, program, filepath.Join(dir, "mongo")) },
		func() (contender, error) { return openSQLite(ctx, filepath.Join(dir, "sqlite")) },
		func() (contender, error) { return openPostgres(ctx, filepath.Join(dir, "postgres")) },
	} {
		c, err := open()
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	r := newRace(ctx, all, size, calls)
	for _, c := range all {
		n, err := c.idle(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		r.idle = append(r.idle, fmt.Sprintf("%d kB", n/1000))
	}
	for range times {
		for i := range all {
			if err := r.round(i); err != nil {
				return fmt.Errorf("%s: %w", all[i].name(), err)
			}
		}
	}
	r.print()
	return nil
}

// race collects the figures.
type race struct {
	ctx   context.Context
	all   []contender
	docs  []person
	calls int                          // in each round, of what is short
	order []string                     // of the rows
	took  map[string][][]time.Duration // by row, then by contender
	cpu   map[string]time.Duration     // of the load generator, for the first contender
	idle  []string                     // memory by contender
}

func newRace(ctx context.Context, all []contender, size, calls int) *race {
	return &race{ctx: ctx, all: all, docs: people(size), calls: calls, took: map[string][][]time.Duration{}, cpu: map[string]time.Duration{}}
}

// round measures one contender once.
func (r *race) round(i int) error {
	c := r.all[i]
	for _, step := range []func(int, contender) error{r.bulk, r.groups, r.joined, r.lesson} {
		if err := step(i, c); err != nil {
			return err
		}
	}
	return nil
}

// time measures n calls, each by itself.
func (r *race) time(row string, i, n int, call func(int) error) error {
	if r.took[row] == nil {
		r.order = append(r.order, row)
		r.took[row] = make([][]time.Duration, len(r.all))
	}
	cpu := ownCPU()
	for k := range n {
		began := time.Now()
		if err := call(k); err != nil {
			return fmt.Errorf("%s: %w", row, err)
		}
		r.took[row][i] = append(r.took[row][i], time.Since(began))
	}
	if i == 0 {
		r.cpu[row] += ownCPU() - cpu
	}
	return nil
}

// fill puts documents into an empty collection.
func (r *race) fill(c contender, coll string, n int) error {
	if err := c.clear(r.ctx, coll); err != nil {
		return err
	}
	for at := 0; at < n; at += batch {
		if err := c.insert(r.ctx, coll, r.docs[at:min(n, at+batch)]); err != nil {
			return err
		}
	}
	return nil
}

func (r *race) bulk(i int, c contender) error {
	if err := c.clear(r.ctx, "people"); err != nil {
		return err
	}
	n := len(r.docs)
	if err := r.time(fmt.Sprintf("insert %d documents by %d", n, batch), i, 1, func(int) error { return r.fill(c, "people", n) }); err != nil {
		return err
	}
	if err := r.time(fmt.Sprintf("make an index over %d", n), i, 1, func(int) error { return c.index(r.ctx, "people") }); err != nil {
		return err
	}
	return r.time(fmt.Sprintf("find one of %d by an indexed key: p50", n), i, 2*r.calls, func(k int) error {
		want := k * 7919 % n
		got, err := c.find(r.ctx, "people", keyOf(want))
		if err == nil && int(got.ID) != want {
			return fmt.Errorf("found %d, not %d", got.ID, want)
		}
		return err
	})
}

func (r *race) groups(i int, c contender) error {
	want := map[string]total{}
	for _, p := range r.docs {
		t := want[p.City]
		t.City, t.N, t.Sum, t.Most = p.City, t.N+1, t.Sum+int64(p.Amount), max(t.Most, int64(p.Amount))
		want[p.City] = t
	}
	return r.time(fmt.Sprintf("`$group` of %d into %d: count, sum, max", len(r.docs), len(want)), i, 3, func(int) error {
		all, err := c.group(r.ctx, "people", 0)
		if err == nil && len(all) != len(want) {
			return fmt.Errorf("%d groups, not %d", len(all), len(want))
		}
		for _, t := range all {
			if t != want[t.City] {
				return fmt.Errorf("%+v, not %+v", t, want[t.City])
			}
		}
		return err
	})
}

func (r *race) joined(i int, c contender) error {
	n := min(joins, len(r.docs))
	docs := people(n) // whose friends are among them
	for _, coll := range []string{"left", "right"} {
		if err := c.clear(r.ctx, coll); err != nil {
			return err
		}
		for at := 0; at < n; at += batch {
			if err := c.insert(r.ctx, coll, docs[at:min(n, at+batch)]); err != nil {
				return err
			}
		}
	}
	if err := c.index(r.ctx, "right"); err != nil {
		return err
	}
	return r.time(fmt.Sprintf("`$lookup` of %d in %d by an index, all read", n, n), i, 3, func(int) error {
		got, err := c.join(r.ctx, "left", "right")
		if err == nil && got != n {
			return fmt.Errorf("%d pairs, not %d", got, n)
		}
		return err
	})
}

// lesson measures what learners do all day, in a collection of a thousand.
func (r *race) lesson(i int, c contender) error {
	n := min(small, len(r.docs))
	if err := r.fill(c, "class", n); err != nil {
		return err
	}
	for _, s := range []struct {
		row  string
		n    int
		call func(k int) error
	}{
		{"empty round trip: p50", r.calls, func(int) error { return c.ping(r.ctx) }},
		{"insert one: p50", r.calls, func(k int) error {
			p := r.docs[k%len(r.docs)]
			p.ID, p.Key = int32(n+k), keyOf(len(r.docs)+k)
			return c.insert(r.ctx, "class", []person{p})
		}},
		{"update one by _id: p50", r.calls, func(k int) error { return c.update(r.ctx, "class", int32(k%n)) }},
		{"delete one by _id: p50", r.calls, func(k int) error { return c.remove(r.ctx, "class", int32(n+k)) }},
		{fmt.Sprintf("find one of %d without an index: p50", n), r.calls / 10, func(k int) error {
			_, err := c.find(r.ctx, "class", keyOf(k*7919%n))
			return err
		}},
		{fmt.Sprintf("count some of %d without an index: p50", n), r.calls / 10, func(int) error {
			_, err := c.count(r.ctx, "class", 500)
			return err
		}},
		{fmt.Sprintf("`$match`, `$group`, `$sort` over %d: p50", n), r.calls / 10, func(int) error {
			_, err := c.group(r.ctx, "class", 500)
			return err
		}},
	} {
		if err := r.time(s.row, i, s.n, s.call); err != nil {
			return err
		}
	}
	return nil
}

// print writes the table: medians, and for the first contender what each call cost here.
func (r *race) print() {
	head, line := "| what |", "|---|"
	for _, c := range r.all {
		head, line = head+" "+c.name()+" |", line+"---|"
	}
	fmt.Printf("%s load generator's CPU a call, first column |\n%s---|\n", head, line)
	for _, row := range r.order {
		var cells []string
		for i := range r.all {
			cells = append(cells, brief(median(r.took[row][i])))
		}
		fmt.Printf("| %s | %s | %s |\n", row, strings.Join(cells, " | "), brief(r.cpu[row]/time.Duration(len(r.took[row][0]))))
	}
	fmt.Printf("| memory of an empty instance | %s | – |\n", strings.Join(r.idle, " | "))
}

// brief is ms, with microseconds below one.
func brief(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return ms(d)
}
