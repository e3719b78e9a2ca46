package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// maxExplode bounds the scans that one scan of many points is made into, to be merged
// in the order that is asked for.
const maxExplode = 200

// orderScan makes an access give its rows in the query's order, by the index's own
// order, or by merging one scan for each point; nil when the index can't.
func (pl *planner) orderScan(a *access) *access {
	if a.root.kind == "COLLSCAN" || a.root.kind == clusteredScan {
		return pl.orderCluster(a)
	}
	if a.root.kind != "IXSCAN" || len(a.scans) != 1 {
		return nil
	}
	s := *a.scans[0]
	if ok, back := pl.ordered(&s, 0); ok {
		s.back = back
		n := *a.root
		n.scan = &s
		return &access{root: &n, scans: []*scan{&s}, residual: a.residual, null: a.null, sorted: true, score: a.score}
	}
	return pl.exploded(a)
}

// orderBranch does so for a branch of a $or, and tells whether it could.
func (pl *planner) orderBranch(a *access) bool {
	if len(pl.query.Sort) <= 5 || onlyNatural(pl.query.Sort) {
		return false
	}
	more := pl.orderScan(a)
	if more == nil || more.root.kind != "IXSCAN" {
		return false
	}
	*a = *more
	return true
}

// ordered tells whether a scan gives the rows in the query's order, and whether it must
// go backward for that. The first fields may each have several points, loose many.
func (pl *planner) ordered(s *scan, loose int) (ok, back bool) {
	if s.ix.Def.Kind != index.Ordered && s.ix.Def.Kind != index.Wildcard {
		return false, false
	}
	want := pl.query.Sort.Elements()
	at, decided := 0, false
	fixed := s.fixed(loose)
	for i := range s.fields {
		f := &s.fields[i]
		for at < len(want) && fixed[want[at].Name] {
			at++
		}
		if at == len(want) {
			break
		}
		if f.path == want[at].Name && i >= loose {
			if want[at].Value.Type() == bsonval.Object || !pl.mayOrder(s, i) {
				return false, false
			}
			reverse := f.desc != (want[at].Value.Float() < 0)
			if decided && reverse != back {
				return false, false
			}
			decided, back = true, reverse
			at++
			continue
		}
		if i >= loose && !f.single() || f.hashed {
			return false, false
		}
	}
	for at < len(want) && fixed[want[at].Name] {
		at++
	}
	return at == len(want), back
}

// fixed are the fields that have one value in all rows.
func (s *scan) fixed(loose int) map[string]bool {
	out := map[string]bool{}
	for i, f := range s.fields {
		if i >= loose && !f.many && !f.hashed && !f.geo && f.single() {
			out[f.path] = true
		}
	}
	return out
}

// mayOrder tells whether the i-th field orders rows as a sort would: a field with
// arrays only when nothing keeps any of their elements out.
func (pl *planner) mayOrder(s *scan, i int) bool {
	f := &s.fields[i]
	if !SameCollation(f.coll, pl.op.Collator) && !f.noStrings() || f.hashed {
		return false
	}
	if !f.many {
		return true
	}
	if numeric(f.path) || s.ix.Def.Sparse || f.wild { // a sparse index leaves out elements without the field
		return false
	}
	for _, g := range s.fields {
		if g.many && !g.bounds.isEverything() {
			return false
		}
	}
	return true
}

// exploded is a merge of scans, one for each combination of the leading points.
func (pl *planner) exploded(a *access) *access {
	s := a.scans[0]
	total, loose := 1, 0
	for ; loose < len(s.fields); loose++ {
		f := &s.fields[loose]
		if !f.bounder().allPoints(f.bounds) || f.path == pl.query.Sort.First().Name {
			break
		}
		if total *= len(f.bounds); total > maxExplode {
			return nil
		}
	}
	if total < 2 {
		return nil
	}
	ok, back := pl.ordered(s, loose)
	if !ok {
		return nil
	}
	n := &node{kind: "SORT_MERGE", sort: newSorter(pl.query.Sort, pl.op.Collator)}
	out := &access{root: n, residual: a.residual, null: a.null, sorted: true, score: a.score}
	for _, one := range points(s, loose) {
		one.back = back
		n.kids = append(n.kids, &node{kind: "IXSCAN", scan: one, filter: a.root.filter})
		out.scans = append(out.scans, one)
	}
	return out
}

// points are the scans of which s is the union, by its first fields' points.
func points(s *scan, fields int) []*scan {
	out := []*scan{s}
	for i := range fields {
		var next []*scan
		for _, old := range out {
			for _, p := range s.fields[i].bounds {
				c := *old
				c.fields = append([]scanField(nil), old.fields...)
				c.fields[i].bounds = intervals{p}
				next = append(next, &c)
			}
		}
		out = next
	}
	return out
}

// forSort adds scans of whole indexes that give the order, when no candidate does.
func (pl *planner) forSort(have []*candidate) []*candidate {
	if len(pl.query.Sort) <= 5 || onlyNatural(pl.query.Sort) || pl.query.Count {
		return nil
	}
	for _, c := range have {
		if !c.has("SORT") {
			return nil
		}
	}
	var out []*candidate
	for _, ix := range pl.coll.Indexes {
		d := ix.Def
		if d.Kind != index.Ordered || d.Sparse || !pl.usable(ix) || d.Filter != nil && pl.hint == nil {
			continue
		}
		if a := pl.orderScan(pl.wholeIndex(ix)); a != nil {
			out = append(out, pl.complete(a))
		}
	}
	return out
}

// has tells whether a stage of that kind is in the plan.
func (c *candidate) has(kind string) bool {
	found := false
	c.root.walk(func(n *node) { found = found || n.kind == kind })
	return found
}
