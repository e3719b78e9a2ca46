package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

func newOp(t testing.TB) *opctx.Op { return opctx.New(t.Context(), time.Unix(1_700_000_000, 0)) }

func collect(it stream.Iterator) ([]bsonval.Doc, error) {
	var out []bsonval.Doc
	for {
		row, ok, err := it.Next()
		if err != nil || !ok {
			return out, err
		}
		out = append(out, row.Doc)
	}
}

func ids(docs []bsonval.Doc) string {
	var out []string
	for _, d := range docs {
		out = append(out, d.Get("_id").String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// every answers what a scan of the whole collection without a plan finds.
func every(t testing.TB, op *opctx.Op, c *storage.Collection, m *match.Matcher) []bsonval.Doc {
	var out []bsonval.Doc
	cur := c.Records()
	for ok := cur.First(); ok; ok = cur.Next() {
		hit, err := m.MatchIn(expr.NewFrame(op), stream.Row{Doc: cur.Value()})
		if err != nil {
			t.Fatal(err)
		}
		if hit {
			out = append(out, cur.Value())
		}
	}
	return out
}

func TestAQueryWithIndexesFindsWhatOneWithoutFinds(t *testing.T) {
	for seed := range uint64(200) {
		checkWorld(t, seed)
	}
}

// FuzzQueries asks random questions of random collections, each number another world.
func FuzzQueries(f *testing.F) {
	f.Add(uint64(1 << 40))
	f.Fuzz(checkWorld)
}

// checkWorld makes a collection with indexes and asks it all kinds of questions.
func checkWorld(t *testing.T, seed uint64) {
	w := &world{rand.New(rand.NewPCG(seed, 1)), t}
	c := w.collection(60, 4)
	checkKeys(t, c)
	for range 60 {
		op := newOp(t)
		op.Collator, _ = collation.Parse(collations()[max(0, w.IntN(5)-2)])
		f := w.filter(0)
		m, err := match.Compile(f, match.Env{Op: op})
		if err != nil {
			continue
		}
		q := Query{Filter: m}
		if w.IntN(2) == 0 {
			q.Sort = w.pattern()
		}
		if w.IntN(4) == 0 {
			q.Skip, q.Limit = w.Int64N(4), w.Int64N(6)
		}
		if w.IntN(4) == 0 {
			q.Projection = bsonval.BuilderOf(w.pattern()).Int32("_id", w.Int32N(2)).Doc()
		}
		w.hint(c, &q)
		checkQuery(t, op, c, q, seed)
	}
}

// hint names an index now and then, but for those that don't hold every document.
func (w *world) hint(c *storage.Collection, q *Query) {
	if w.IntN(4) > 0 {
		return
	}
	name := fmt.Sprint("i", w.IntN(4))
	if d := c.Index(name).Def; !d.Sparse && d.Filter == nil && d.Kind != index.Wildcard && !d.Hidden {
		q.Hint = bsonval.StringValue(name)
	}
}

func checkQuery(t *testing.T, op *opctx.Op, c *storage.Collection, q Query, seed uint64) {
	t.Helper()
	want := every(t, op, c, q.Filter)
	p, err := Choose(op, c, q)
	var got []bsonval.Doc
	if err == nil {
		it, _ := p.Run(op)
		got, err = collect(it)
	}
	if err != nil {
		if strings.Contains(err.Error(), "parallel") {
			return
		}
		t.Fatalf("seed %d: %s: %v", seed, q.Filter.Source, err)
	}
	if !sameRows(op, q, got, want) {
		t.Fatalf("seed %d: %s sort %s skip %d limit %d %v\nplan %s\nfound %s\n want %s", seed, q.Filter.Source, q.Sort, q.Skip, q.Limit, op.Collator, p.root.describe(true), ids(got), ids(want))
	}
	checkOrder(t, op, p, q, got)
	checkWork(t, op, p)
	if q.Limit == 0 && q.Skip == 0 {
		checkCount(t, op, c, q.Filter, len(want))
	}
}

// sameRows compares what a plan found with what there is: with a limit the sorts' keys,
// since rows that sort alike may come in any order.
func sameRows(op *opctx.Op, q Query, got, want []bsonval.Doc) bool {
	switch {
	case q.Limit > 0 || q.Skip > 0:
	case len(got) > 0 && got[0].Get("_id").IsMissing(): // the projection left it out
		return len(got) == len(want)
	default:
		return ids(got) == ids(want)
	}
	from := min(int(q.Skip), len(want))
	to := len(want)
	if q.Limit > 0 {
		to = min(from+int(q.Limit), to)
	}
	if len(q.Sort) <= 5 {
		return len(got) == to-from
	}
	s := newSorter(q.Sort, op.Collator)
	keys := func(docs []bsonval.Doc) []string {
		var out []string
		for _, d := range docs {
			k, err := s.key(nil, d, nil)
			if err != nil {
				return nil
			}
			out = append(out, string(k))
		}
		return out
	}
	all := keys(want)
	slices.Sort(all)
	return all == nil && len(want) > 0 || slices.Equal(keys(got), all[from:to])
}

// checkKeys compares the indexes as they came to be with ones made anew.
func checkKeys(t *testing.T, c *storage.Collection) {
	t.Helper()
	for _, ix := range c.Indexes {
		var want, got []string
		cur := c.Records()
		for ok := cur.First(); ok; ok = cur.Next() {
			keys, err := ix.Def.For(cur.Value())
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys.Keys {
				want = append(want, fmt.Sprint([]byte(k), cur.Key()))
			}
		}
		for k, ok := ix.Keys(), ix.Len() > 0; ok; {
			if len(got) == 0 {
				ok = k.First()
			} else {
				ok = k.Next()
			}
			if ok {
				key, record := index.SplitEntry(k.Key())
				got = append(got, fmt.Sprint([]byte(key), record))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("index %s holds\n%q\nmade anew\n%q", ix.Def.Pattern, got, want)
		}
	}
}

func checkOrder(t *testing.T, op *opctx.Op, p *Plan, q Query, got []bsonval.Doc) {
	t.Helper()
	if len(q.Sort) <= 5 {
		return
	}
	s := newSorter(q.Sort, op.Collator)
	last := ""
	for _, d := range got {
		k, err := s.key(nil, d, nil)
		if err != nil {
			return
		}
		if string(k) < last {
			t.Fatalf("not in the order %s: %s", q.Sort, p.root.describe(true))
		}
		last = string(k)
	}
}

// checkWork compares explain's counts with what the operation was charged for.
func checkWork(t *testing.T, op *opctx.Op, p *Plan) {
	t.Helper()
	keys, docs := p.root.examined()
	if keys != op.Work.KeysExamined || docs != op.Work.DocsExamined {
		t.Fatalf("explain says %d keys and %d documents, the operation %+v: %s", keys, docs, op.Work, p.root.describe(true))
	}
}

func checkCount(t *testing.T, op *opctx.Op, c *storage.Collection, m *match.Matcher, want int) {
	t.Helper()
	p, err := Choose(op, c, Query{Filter: m, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.Count(op); err != nil || n != int64(want) {
		t.Fatalf("count of %s is %d, %v; want %d: %s", m.Source, n, err, want, p.root.describe(true))
	}
}
