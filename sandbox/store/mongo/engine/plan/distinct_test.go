package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// groupKey is what $group by a field makes of a document: null for a missing field.
func groupKey(d bsonval.Doc, path string) string {
	v := d.Get(path)
	if v.IsMissing() {
		v = bsonval.NullValue()
	}
	return string(bsonval.AppendKey(nil, v, nil))
}

// For each group the plan's first row in the order (or the last) sorts as the first of
// all of the group's documents.
func TestADistinctScanGivesTheRowThatAGroupWants(t *testing.T) {
	used := 0
	for seed := range uint64(300) {
		w := &world{rand.New(rand.NewPCG(seed, 7)), t}
		c := w.collection(50, 4)
		for range 20 {
			op := newOp(t)
			m, err := match.Compile(w.filter(2), match.Env{Op: op})
			if err != nil || w.IntN(3) > 0 {
				m, _ = match.Compile(bsonval.EmptyDoc(), match.Env{Op: op})
			}
			path := []string{"a", "b", "c"}[w.IntN(3)]
			q := Query{Filter: m, Distinct: path, Grouped: true}
			if w.IntN(2) == 0 {
				q.Sort, q.Whole, q.Last = w.pattern(), true, w.IntN(2) == 0
			}
			p, err := Choose(op, c, q)
			if err != nil || !p.Distinct() {
				continue
			}
			used++
			checkGroups(t, p, c, q, path)
		}
	}
	if used < 50 {
		t.Error("only", used, "distinct scans")
	}
}

func checkGroups(t *testing.T, p *Plan, c *storage.Collection, q Query, path string) {
	t.Helper()
	op := newOp(t)
	it, err := p.Run(op)
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(it)
	if err != nil {
		t.Fatal(err)
	}
	s := newSorter(q.Sort, nil)
	best := map[string]string{}
	for _, d := range every(t, op, c, q.Filter) {
		k, err := s.key(nil, d, nil)
		if err != nil {
			return
		}
		g := groupKey(d, path)
		if had, ok := best[g]; !ok || !q.Last && string(k) < had || q.Last && string(k) > had {
			best[g] = string(k)
		}
	}
	var groups []string
	for _, d := range got {
		g := groupKey(d, path)
		groups = append(groups, g)
		k, _ := s.key(nil, d, nil)
		if len(q.Sort) > 5 && string(k) != best[g] {
			t.Fatalf("%s by %s sort %s last %v: %s isn't the one\n%s", q.Filter.Source, path, q.Sort, q.Last, d, p.root.describe(true))
		}
	}
	slices.Sort(groups)
	if n := len(slices.Compact(groups)); n != len(best) || n != len(got) {
		t.Fatalf("%s by %s sort %s: %d rows of %d groups, not %d\n%s", q.Filter.Source, path, q.Sort, len(got), n, len(best), p.root.describe(true))
	}
}
