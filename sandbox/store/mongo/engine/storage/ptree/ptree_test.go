package ptree

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A tree and its clones behave as sorted maps, whatever is done to the others.
func TestTreeIsASortedMapAndClonesAreIndependent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	type pair struct {
		tree Tree[int, int]
		want map[int]int
	}
	all := []*pair{{want: map[int]int{}}}
	for step := range 40_000 {
		p := all[rng.IntN(len(all))]
		k := rng.IntN(3000)
		if rng.IntN(5) < 3 {
			p.tree.Set(k, step)
			p.want[k] = step
		} else {
			_, had := p.tree.Delete(k)
			if _, ok := p.want[k]; ok != had {
				t.Fatalf("delete %d: had %v, want %v", k, had, ok)
			}
			delete(p.want, k)
		}
		if step%8000 == 7999 {
			c := &pair{p.tree.Clone(), map[int]int{}}
			for k, v := range p.want {
				c.want[k] = v
			}
			all = append(all, c)
		}
	}
	for _, p := range all {
		check(t, &p.tree, p.want)
	}
}

func check(t *testing.T, tree *Tree[int, int], want map[int]int) {
	t.Helper()
	var keys []int
	for k := range want {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if tree.Len() != len(keys) {
		t.Fatalf("len %d, want %d", tree.Len(), len(keys))
	}
	c := tree.Cursor()
	i := 0
	for ok := c.First(); ok; ok = c.Next() {
		if c.Key() != keys[i] || c.Value() != want[keys[i]] {
			t.Fatalf("item %d is %d:%d, want %d:%d", i, c.Key(), c.Value(), keys[i], want[keys[i]])
		}
		i++
	}
	if i != len(keys) {
		t.Fatalf("walked %d of %d", i, len(keys))
	}
	for ok := c.Last(); ok; ok = c.Prev() {
		i--
		if c.Key() != keys[i] {
			t.Fatalf("backwards %d, want %d", c.Key(), keys[i])
		}
	}
	if i != 0 {
		t.Fatalf("%d not walked backwards", i)
	}
	for k := range 3001 {
		j, _ := slices.BinarySearch(keys, k)
		if ok := c.Seek(k); ok != (j < len(keys)) || ok && c.Key() != keys[j] {
			t.Fatalf("seek %d", k)
		}
		if ok := c.SeekBelow(k); ok != (j > 0) || ok && c.Key() != keys[j-1] {
			t.Fatalf("seek below %d", k)
		}
	}
}
