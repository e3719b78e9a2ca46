package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// planner makes the candidates for one query.
type planner struct {
	op    *opctx.Op
	coll  *storage.Collection
	query *Query
	cond  *condition
	hint  *storage.Index // nil: none
	order int            // hint on $natural: 1 or -1; 0: none
	// filter says which indexes may be used; nil: any.
	filter *IndexFilter
	also   []*condition // of a branch of a $or: those beside the $or, which may bound an index's later fields
}

// candidate is one way to answer the whole query.
type candidate struct {
	root   *node
	score  float64
	failed error
	rows   []member // found in the trial
	tally  opctx.Work
	tried  opctx.Work  // what the trial alone examined
	stages bsonval.Doc // and how the stages stood at its end, for explain
	run    *execution
	over   bool
}

// maxCandidates bounds how many plans compete.
const maxCandidates = 64

// candidates answers the plans to choose from, at least one.
func (pl *planner) candidates() ([]*candidate, error) {
	if err := pl.readHint(); err != nil {
		return nil, err
	}
	if onlyNatural(pl.query.Sort) {
		if err := pl.naturalHint(); err != nil {
			return nil, err
		}
		pl.order = int(pl.query.Sort.First().Value.Float())
	}
	if pl.query.Tailable && pl.mustIndex() {
		return nil, pl.noPlan("Running with 'notablescan', so tailable cursors (which always do a table scan) are not allowed")
	}
	if pl.query.Min != nil || pl.query.Max != nil {
		return pl.limited()
	}
	if special, err := pl.special(); special != nil || err != nil {
		return special, err
	}
	if pl.cond.rank == rankNever {
		return []*candidate{{root: pl.empty()}}, nil
	}
	if n := pl.express(); n != nil {
		return []*candidate{{root: n}}, nil
	}
	if n := pl.idHack(); n != nil {
		return []*candidate{{root: n}}, nil
	}
	if n := pl.distinct(); n != nil {
		return []*candidate{{root: n}}, nil
	}
	if pl.order != 0 {
		if pl.mustIndex() {
			return nil, pl.noPlan("hint $natural is not allowed, because 'notablescan' is enabled")
		}
		return pl.scanAll(), nil
	}
	if n := pl.fastCount(); n != nil {
		return []*candidate{{root: n}}, nil
	}
	return pl.competing()
}

// competing are the plans by indexes, of which a trial picks one; where none of them
// serves, the scan of all.
func (pl *planner) competing() ([]*candidate, error) {
	var out []*candidate
	for _, s := range pl.access(pl.cond) {
		if c := pl.complete(s); c != nil && len(out) < maxCandidates {
			out = append(out, c)
		}
	}
	if len(out) > 1 {
		for _, s := range pl.intersections(pl.cond.conjuncts()) {
			out = append(out, pl.complete(s))
		}
	}
	out = append(out, pl.forSort(out)...)
	if len(out) == 0 && pl.hint != nil {
		if k := pl.hint.Def.Kind; k == index.Text || k == index.Wildcard {
			return nil, pl.noPlan("No query solutions")
		}
		if c := pl.complete(pl.wholeIndex(pl.hint)); c != nil {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		if out = pl.scanAll(); pl.mustIndex() && out[0].root.scansAll() {
			return nil, pl.noPlan("No indexed plans available, and running with 'notablescan'")
		}
	}
	return out, nil
}

// mustIndex tells whether the parameter notablescan keeps the query from reading the
// whole collection, as it may when it asks for all, or of the server's own collections.
func (pl *planner) mustIndex() bool {
	ns := pl.coll.NS
	return pl.op.NoTableScan && nonEmpty(pl.cond) != nil && !strings.HasPrefix(ns.Coll, "system.") && ns.DB != "admin" && ns.DB != "config" && ns.DB != "local"
}

// scansAll tells a plan that reads the whole collection.
func (n *node) scansAll() bool {
	all := false
	n.walk(func(n *node) { all = all || n.kind == "COLLSCAN" })
	return all
}

// empty is the plan of a query that nothing can match. A count is shown as one.
func (pl *planner) empty() *node {
	n := &node{kind: "EOF"}
	if pl.query.Count {
		return pl.counted(n).root
	}
	return n
}

// scanAll reads the whole collection.
func (pl *planner) scanAll() []*candidate {
	if ix := pl.coll.Clustered(); ix != nil {
		for _, a := range pl.byCluster(ix, pl.cond.conjuncts()) {
			a.root.turn(pl.order < 0)
			return []*candidate{pl.complete(a)}
		}
	}
	return []*candidate{pl.complete(pl.everyDocument())}
}

func (pl *planner) everyDocument() *access {
	n := &node{kind: "COLLSCAN", back: pl.order < 0, filter: nonEmpty(pl.cond)}
	return &access{root: n, fetched: true}
}

func onlyNatural(sort bsonval.Doc) bool {
	return len(sort) > 5 && sort.First().Name == "$natural"
}

func nonEmpty(c *condition) *condition {
	if c == nil || c.rank == rankAnd && len(c.kids) == 0 {
		return nil
	}
	return c
}

// gather makes one condition of several.
func gather(cs []*condition) *condition {
	switch len(cs) {
	case 0:
		return nil
	case 1:
		return cs[0]
	}
	return &condition{rank: rankAnd, kids: cs, node: conjunct(cs)}
}

// access is a way to reach the records that match, before documents are fetched.
type access struct {
	root     *node
	scans    []*scan
	residual []*condition // to ask of the document
	null     []*condition // those of them that needn't be asked unless their fields are wanted
	fetched  bool         // rows have their documents
	mixed    bool         // some rows have
	sorted   bool         // they come in the order that is asked for
	score    int          // how narrow the bounds are, to choose within a $or
}

// access answers the ways that indexes offer for a condition.
func (pl *planner) access(c *condition) []*access {
	conds := c.conjuncts()
	var out []*access
	for _, ix := range pl.coll.Indexes {
		if pl.usable(ix) {
			out = append(out, pl.byIndex(ix, conds)...)
		}
	}
	for i, k := range conds {
		if k.rank != rankOr {
			continue
		}
		rest := append(append([]*condition(nil), conds[:i]...), conds[i+1:]...)
		if a := pl.byOr(k, rest); a != nil {
			out = append(out, a)
		}
	}
	return out
}

// usable tells whether the index may serve the query at all.
func (pl *planner) usable(ix *storage.Index) bool {
	d := ix.Def
	switch {
	case pl.hint != nil && ix.Def != pl.hint.Def:
		return false
	case pl.filter != nil && !pl.filter.allows(d):
		return false
	case d.Hidden && pl.hint == nil:
		return false
	case d.Kind == index.Text:
		return false
	case d.Filter != nil && !pl.implies(d):
		return false
	}
	return true
}

// byIndex answers the scans of one index, one for each choice of conditions where
// arrays don't let all of them bound it.
func (pl *planner) byIndex(ix *storage.Index, conds []*condition) []*access {
	if ix.Def.Clustered {
		return pl.byCluster(ix, conds)
	}
	var out []*access
	for _, s := range pl.shapes(ix, conds) {
		for skip := 0; ; skip++ {
			u := pl.use(ix, s(), append(conds[:len(conds):len(conds)], pl.also...), skip)
			u.forget(pl.also)
			if u.used == 0 || !u.firstBound() || !u.geoBound() {
				break
			}
			out = append(out, pl.scanned(u))
			if skip >= u.choice || skip > 8 {
				break
			}
		}
	}
	return out
}

// firstBound tells whether a condition stands behind the first field's bounds, and in a
// scan of one path of a wildcard index behind that path's.
func (u *usage) firstBound() bool {
	f := u.scan.fields
	if f[0].path == "$_path" {
		return f[1].from != nil
	}
	for i := 1; i < len(f); i++ {
		if f[i].wild && f[i-1].bounds[0].lo.Type() == bsonval.String && f[i].from == nil {
			return false
		}
	}
	return f[0].from != nil
}

// geoBound tells whether a geospatial index is asked for a place: it doesn't hold
// documents without one.
func (u *usage) geoBound() bool {
	geo := false
	if u.scan.ix.Def.HoldsAll() {
		return true
	}
	for _, f := range u.scan.fields {
		if f.geo && f.from != nil {
			return true
		}
		geo = geo || f.geo
	}
	return !geo
}

// shapes are the keys that the index offers: its own fields, or for a wildcard index
// one for each path that is asked.
func (pl *planner) shapes(ix *storage.Index, conds []*condition) []func() *scan {
	if ix.Def.Kind != index.Wildcard {
		return []func() *scan{func() *scan { return newScan(ix) }}
	}
	return pl.wildcards(ix, conds)
}

func (pl *planner) scanned(u *usage) *access {
	n := &node{kind: "IXSCAN", scan: u.scan, filter: gather(u.covered)}
	a := &access{root: n, scans: []*scan{u.scan}, residual: u.residual, null: u.null, score: 4*u.points + 2*u.used}
	if u.empty {
		a.score = 1 << 20
	}
	return a
}

// wholeIndex reads an index from one end to the other.
func (pl *planner) wholeIndex(ix *storage.Index) *access {
	if ix.Def.Clustered {
		return pl.everyDocument()
	}
	s := newScan(ix)
	return &access{root: &node{kind: "IXSCAN", scan: s}, scans: []*scan{s}, residual: pl.cond.conjuncts()}
}

// byOr reads an index for each branch. Each must have one.
func (pl *planner) byOr(or *condition, rest []*condition) *access {
	n := &node{kind: "OR"}
	a := &access{residual: rest, sorted: len(pl.query.Sort) > 5, fetched: true}
	for _, k := range or.kids {
		best := pl.bestOf(pl.branch(k, rest))
		if best == nil {
			return nil
		}
		best.sorted = pl.orderBranch(best)
		a.sorted = a.sorted && best.sorted
		a.mixed = a.mixed || len(best.residual) > 0
		a.fetched = a.fetched && len(best.residual) > 0
		a.scans = append(a.scans, best.scans...)
		n.kids = append(n.kids, best.fetchedIfNeeded())
	}
	a.root = n
	if one := joinScans(n.kids, or); one != nil {
		n.kids, a.scans, a.sorted = []*node{one}, []*scan{one.scan}, false
		a.root = one
		return a
	}
	if a.sorted {
		n.kind, n.sort = "SORT_MERGE", newSorter(pl.query.Sort, pl.op.Collator)
	}
	return a
}

// branch is access to a part of a $or, in which a partial index must be implied by
// that part or the whole. The conditions beside the $or bound what fields they can.
func (pl *planner) branch(k *condition, rest []*condition) []*access {
	sub := *pl
	sub.also = append(rest[:len(rest):len(rest)], pl.also...)
	sub.cond = gather(append(append([]*condition(nil), pl.cond.conjuncts()...), k.conjuncts()...))
	return sub.access(k)
}

func (pl *planner) bestOf(all []*access) *access {
	var best *access
	for _, a := range all {
		if best == nil || a.score > best.score {
			best = a
		}
	}
	return best
}

// fetchedIfNeeded puts a FETCH on top where a document must be asked.
func (a *access) fetchedIfNeeded() *node {
	if len(a.residual) == 0 {
		return a.root
	}
	return &node{kind: "FETCH", kids: []*node{a.root}, filter: gather(a.residual)}
}

// joinScans makes one scan of several of the same index that differ in its first field's
// bounds alone; or is the condition that the whole of them serves.
func joinScans(kids []*node, or *condition) *node {
	var all intervals
	var filter *condition
	for _, k := range kids {
		if k.kind != "IXSCAN" || k.scan.ix != kids[0].scan.ix || k.scan.back || k.scan.fields[0].wild || k.scan.fields[0].path == "$_path" {
			return nil
		}
		for _, f := range k.scan.fields[1:] {
			if !f.bounds.isEverything() {
				return nil
			}
		}
		if k.filter != nil {
			filter = or
		}
		all = append(all, k.scan.fields[0].bounds...)
	}
	s := newScan(kids[0].scan.ix)
	s.fields[0].bounds = s.fields[0].bounder().union(all)
	s.fields[0].from = or
	return &node{kind: "IXSCAN", scan: s, filter: filter}
}

// implies tells whether every document that the query may answer is in a partial
// index with that filter.
func (pl *planner) implies(d *index.Def) bool {
	return implied(normalize(d.Filter.Root, d.Collator), pl.cond, filterOrder{d.Collator, SameCollation(d.Collator, pl.op.Collator)})
}
