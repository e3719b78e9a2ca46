package plan

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// distinct is the plan that reads one entry of an index for each value of a field; nil
// where no index answers the whole query, and its order, so.
func (pl *planner) distinct() *node {
	q := pl.query
	if q.Distinct == "" || q.Skip > 0 || q.Limit > 0 || pl.order != 0 || q.Count {
		return nil
	}
	var best *scan
	at := 0
	for _, ix := range pl.coll.Indexes {
		s, i := pl.distinctBy(ix)
		if s != nil && (best == nil || len(s.fields) < len(best.fields)) {
			best, at = s, i
		}
	}
	if best == nil {
		return nil
	}
	n := &node{kind: "DISTINCT_SCAN", scan: best}
	n.begin = func(x *execution, n *node) stage {
		keys, ok := best.start(x, n).(*scanner)
		if !ok {
			return nothing{}
		}
		return &distinctStage{keys: keys, at: at, nulls: !q.Grouped}
	}
	fields, ok := included(q.Projection)
	if q.Whole && (!ok || !pl.inKeys(best, fields)) {
		return &node{kind: "FETCH", kids: []*node{n}}
	}
	if len(q.Projection) <= 5 {
		return n
	}
	return &node{kind: projectionKind(q.Projection, true, 1), kids: []*node{n}, spec: q.Projection}
}

// distinctBy is the scan of one index, and the place of the field in its keys.
func (pl *planner) distinctBy(ix *storage.Index) (*scan, int) {
	q := pl.query
	if ix.Def.Kind != index.Ordered && ix.Def.Kind != index.Hashed || ix.Def.Clustered || !pl.usable(ix) || !SameCollation(ix.Def.Collator, pl.op.Collator) {
		return nil, 0
	}
	s := newScan(ix)
	at := slices.IndexFunc(s.fields, func(f scanField) bool { return f.path == q.Distinct })
	conds := pl.cond.conjuncts()
	switch {
	case at < 0 || s.fields[at].hashed, ix.Def.Filter != nil && len(conds) == 0, s.fields[at].many && (q.Grouped || len(conds) > 0):
		return nil, 0 // of an array every element counts, not only those that match
	case len(conds) == 0:
		if at > 0 || ix.Def.Sparse {
			return nil, 0
		}
	default:
		u := pl.use(ix, s, conds, 0)
		if u.used == 0 || !u.firstBound() || len(u.residual)+len(u.covered) > 0 {
			return nil, 0
		}
	}
	if q.Grouped && !s.fixedBefore(at) || !pl.distinctOrder(s) {
		return nil, 0
	}
	return s, at
}

// fixedBefore tells whether the fields before the one at that place have one value each,
// so that the entries of one value lie together.
func (s *scan) fixedBefore(at int) bool {
	for _, f := range s.fields[:at] {
		if !f.single() {
			return false
		}
	}
	return true
}

// distinctOrder gives the scan the direction in which the wanted row of each value comes
// first. With arrays the last of an order isn't the first of the opposite one: documents
// sort by their least element in one and by their greatest in the other.
func (pl *planner) distinctOrder(s *scan) bool {
	if len(pl.query.Sort) <= 5 {
		return true
	}
	ok, back := pl.ordered(s, 0)
	s.back = back != pl.query.Last
	return ok && (!pl.query.Last || s.ix.Multikey == 0)
}

// distinctStage skips to the next value of a field after each row.
type distinctStage struct {
	keys  *scanner
	at    int  // the field
	nulls bool // all nulls are wanted: documents without the field stand among them
}

func (s *distinctStage) work(m *member) (status, error) {
	st, err := s.keys.work(m)
	if st != advanced || err != nil {
		return st, err
	}
	end := 0
	var part string
	for _, f := range s.keys.scan.fields[:s.at+1] {
		n := bsonval.KeyLen(m.entry[end:], f.desc)
		part = m.entry[end : end+n]
		end += n
	}
	f := s.keys.scan.fields[s.at]
	if s.nulls && part == f.key(bsonval.NullValue()) {
		return st, nil
	}
	s.keys.seek = m.entry[:end]
	if !s.keys.scan.back {
		s.keys.seek = after(m.entry[:end])
	}
	return st, nil
}

// Distinct tells whether the plan reads one entry for each value.
func (p *Plan) Distinct() bool {
	found := false
	p.root.walk(func(n *node) { found = found || n.kind == "DISTINCT_SCAN" })
	return found
}
