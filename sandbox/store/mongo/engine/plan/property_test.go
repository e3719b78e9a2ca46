package plan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

func newOp(t testing.TB) *opctx.Op { return opctx.New(t.Context(), time.Unix(1_700_000_000, 0)) }

// world is a collection with random documents and indexes, and random questions.
type world struct {
	*rand.Rand
	t testing.TB
}

var paths = []string{"a", "b", "a.b", "a.c", "c", "a.b.c"} //nolint:gochecknoglobals // constant

func (w *world) scalar() bsonval.Value {
	switch w.IntN(12) {
	case 0:
		return bsonval.NullValue()
	case 1:
		return bsonval.StringValue(string("abc"[w.IntN(3)]) + "xyz"[:w.IntN(3)])
	case 2:
		return bsonval.DoubleValue(float64(w.IntN(6)) + 0.5)
	case 3:
		return bsonval.LongValue(w.Int64N(6))
	case 4:
		return bsonval.BoolValue(w.IntN(2) == 0)
	case 5:
		return bsonval.DateValue(w.Int64N(4))
	}
	return bsonval.IntValue(w.Int32N(6))
}

func (w *world) value(depth int) bsonval.Value {
	switch w.IntN(8) {
	case 0:
		n := w.IntN(4)
		var b bsonval.Builder
		for range n {
			b.Item(w.value(depth + 1))
		}
		if depth > 2 {
			return w.scalar()
		}
		return b.Array()
	case 1, 2:
		if depth > 2 {
			return w.scalar()
		}
		var b bsonval.Builder
		for _, name := range []string{"b", "c"} {
			if w.IntN(3) > 0 {
				b.Set(name, w.value(depth+1))
			}
		}
		return b.Value()
	}
	return w.scalar()
}

func (w *world) document(id int) bsonval.Doc {
	var b bsonval.Builder
	b.Int32("_id", int32(id))
	for _, name := range []string{"a", "b", "c"} {
		if w.IntN(5) > 0 {
			b.Set(name, w.value(0))
		}
	}
	return b.Doc()
}

func (w *world) condition() bsonval.Value {
	one := func(name string, v bsonval.Value) bsonval.Value {
		return bsonval.DocValue(bsonval.D(bsonval.E(name, v)))
	}
	ops := []string{"$gt", "$gte", "$lt", "$lte", "$eq", "$ne"}
	switch w.IntN(16) {
	case 0:
		return bsonval.DocValue(bsonval.D(bsonval.E("$gte", w.scalar()), bsonval.E("$lt", w.scalar())))
	case 1, 2, 3, 4:
		return one(ops[w.IntN(len(ops))], w.value(1))
	case 5:
		return one("$in", bsonval.ArrayOf(w.scalar(), w.value(2), w.scalar()))
	case 6:
		return one("$nin", bsonval.ArrayOf(w.scalar(), w.scalar()))
	case 7:
		return one("$exists", bsonval.BoolValue(w.IntN(2) == 0))
	case 8:
		return one("$type", bsonval.StringValue([]string{"number", "string", "array", "object", "null"}[w.IntN(5)]))
	case 9:
		return bsonval.RegexValue([]string{"^a", "x", "^ab?", "^bx$"}[w.IntN(4)], "")
	case 10:
		return one("$not", one(ops[w.IntN(len(ops))], w.scalar()))
	case 11:
		return one("$elemMatch", bsonval.DocValue(bsonval.D(bsonval.E(ops[w.IntN(4)], w.scalar()), bsonval.E(ops[w.IntN(len(ops))], w.scalar()))))
	case 12:
		return one("$elemMatch", bsonval.DocValue(bsonval.D(bsonval.E("b", w.condition()), bsonval.E("c", w.condition()))))
	case 13:
		return one("$mod", bsonval.ArrayOf(bsonval.IntValue(2), bsonval.IntValue(w.Int32N(2))))
	}
	return w.value(1)
}

func (w *world) filter(depth int) bsonval.Doc {
	var b bsonval.Builder
	used := map[string]bool{}
	for range 1 + w.IntN(3) {
		p := paths[w.IntN(len(paths))]
		if !used[p] {
			used[p] = true
			b.Set(p, w.condition())
		}
	}
	if depth < 2 && w.IntN(4) == 0 {
		b.Set([]string{"$or", "$and", "$nor"}[w.IntN(3)], bsonval.ArrayOf(bsonval.DocValue(w.filter(depth+1)), bsonval.DocValue(w.filter(depth+1))))
	}
	return b.Doc()
}

func (w *world) pattern() bsonval.Doc {
	var b bsonval.Builder
	for _, i := range w.Perm(len(paths))[:1+w.IntN(3)] {
		b.Int32(paths[i], int32(1-2*w.IntN(2)))
	}
	return b.Doc()
}

func (w *world) index(i int) *index.Def {
	var b bsonval.Builder
	key := w.pattern()
	switch w.IntN(8) {
	case 0:
		key = bsonval.D(bsonval.E("$**", bsonval.IntValue(1)))
	case 1:
		key = bsonval.D(bsonval.E(paths[w.IntN(len(paths))]+".$**", bsonval.IntValue(1)))
	case 2:
		key = bsonval.D(bsonval.E([]string{"b", "c"}[w.IntN(2)], bsonval.StringValue("hashed")))
	}
	b.SetDoc("key", key).Str("name", fmt.Sprint("i", i))
	if !strings.Contains(key.String(), "$**") {
		w.options(&b, w.IntN(6))
	}
	def, err := index.Parse(b.Doc())
	if err != nil {
		w.t.Fatal(err)
	}
	return def
}

func (w *world) options(b *bsonval.Builder, which int) {
	switch which {
	case 0:
		b.Bool("sparse", true)
	case 1:
		b.SetDoc("partialFilterExpression", bsonval.D(bsonval.E(paths[w.IntN(len(paths))], bsonval.DocValue(bsonval.D(bsonval.E("$gt", bsonval.IntValue(w.Int32N(3))))))))
	}
}

// collection makes a store with one collection, c of database d.
func (w *world) collection(docs, indexes int) *storage.Collection {
	w.t.Helper()
	store, err := storage.Open("", storage.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	tx, err := store.Begin(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	ns := storage.NS{DB: "d", Coll: "c"}
	if _, err := tx.Create(ns, nil, nil); err != nil {
		w.t.Fatal(err)
	}
	idDef, _ := index.Parse(bsonval.D(bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))), bsonval.E("name", bsonval.StringValue("_id_"))))
	idDef.Unique = true
	_ = tx.CreateIndex(nil, ns, idDef)
	for i := range indexes {
		if err := tx.CreateIndex(nil, ns, w.index(i)); err != nil {
			w.t.Fatal(err)
		}
	}
	for i := range docs {
		_, _ = tx.Insert(ns, w.document(i)) // one with parallel arrays stays out
	}
	if err := tx.Commit(); err != nil {
		w.t.Fatal(err)
	}
	return store.State().Collection(ns)
}

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
	for seed := range uint64(60) {
		w := &world{rand.New(rand.NewPCG(seed, 1)), t}
		c := w.collection(60, 4)
		for range 60 {
			op := newOp(t)
			f := w.filter(0)
			m, err := match.Compile(f, match.Env{Op: op})
			if err != nil {
				continue
			}
			want := every(t, op, c, m)
			q := Query{Filter: m}
			if w.IntN(2) == 0 {
				q.Sort = w.pattern()
			}
			if w.IntN(4) == 0 {
				q.Hint = bsonval.StringValue(fmt.Sprint("i", w.IntN(4)))
				if d := c.Index(q.Hint.Str()).Def; d.Sparse || d.Filter != nil || d.Kind == index.Wildcard {
					q.Hint = bsonval.Value{}
				}
			}
			p, err := Choose(op, c, q)
			var got []bsonval.Doc
			if err == nil {
				it, _ := p.Run(op)
				got, err = collect(it)
			}
			if err != nil {
				if strings.Contains(err.Error(), "parallel") {
					continue
				}
				t.Fatalf("seed %d: %s: %v", seed, f, err)
			}
			if ids(got) != ids(want) {
				t.Fatalf("seed %d: %s sort %s\nplan %s\nfound %s\n want %s", seed, f, q.Sort, p.root.describe(true), ids(got), ids(want))
			}
			checkOrder(t, op, p, q, got)
			checkWork(t, op, p)
			checkCount(t, op, c, m, len(want))
		}
	}
}

func checkOrder(t *testing.T, op *opctx.Op, p *Plan, q Query, got []bsonval.Doc) {
	t.Helper()
	if len(q.Sort) <= 5 {
		return
	}
	s := newSorter(q.Sort, nil)
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
