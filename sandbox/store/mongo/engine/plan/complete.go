package plan

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// complete puts on top of an access what the query asks besides: documents, order,
// skip, projection, limit. It answers nil when that can't be.
func (pl *planner) complete(a *access) *candidate {
	q := pl.query
	if !a.sorted && len(q.Sort) > 5 && !onlyNatural(q.Sort) {
		if more := pl.orderScan(a); more != nil {
			a = more
		}
	}
	a = pl.withoutNulls(a)
	covered := pl.covers(a)
	n := a.root
	if !a.fetched && !covered || len(a.residual) > 0 {
		n = &node{kind: "FETCH", kids: []*node{n}, filter: gather(a.residual)}
	}
	if q.Count {
		return pl.counted(n)
	}
	if q.CountOnly && n.kind == "IXSCAN" && n.filter == nil && !n.scan.back && n.scan.oneRange() {
		n.kind = "COUNT_SCAN"
	}
	blocking := !a.sorted && len(q.Sort) > 5 && !onlyNatural(q.Sort)
	if blocking {
		n = &node{kind: "SORT", kids: []*node{n}, sort: newSorter(q.Sort, pl.op.Collator), keysOnly: covered}
		if q.Limit > 0 {
			n.n = q.Limit + q.Skip
		}
	}
	if q.ReturnKey {
		n = &node{kind: "RETURN_KEY", kids: []*node{n}}
	}
	n = pl.skipping(n, blocking)
	if len(q.Projection) > 5 && !q.ReturnKey {
		n = pl.projecting(n, projectionKind(q.Projection, covered, len(a.scans)))
	}
	if q.Limit > 0 && !blocking { // a sort gives no more than the limit
		n = &node{kind: "LIMIT", kids: []*node{n}, n: q.Limit}
	}
	return &candidate{root: pl.subplan(n)}
}

// skipping leaves rows out, before their documents are read where all of them would be.
func (pl *planner) skipping(n *node, blocking bool) *node {
	skip := pl.query.Skip
	if skip == 0 {
		return n
	}
	if !blocking && n.kind == "FETCH" && n.filter == nil {
		n.kids = []*node{{kind: "SKIP", kids: n.kids, n: skip}}
		return n
	}
	return &node{kind: "SKIP", kids: []*node{n}, n: skip}
}

// projecting applies the projection: below a sort of all rows, which then sorts less,
// when the fields that it sorts by are kept and none is computed.
func (pl *planner) projecting(n *node, kind string) *node {
	p := &node{kind: kind, spec: pl.query.Projection}
	sort := n
	if n.kind == "SKIP" {
		sort = n.kids[0]
	}
	if sort.kind != "SORT" || sort.n > 0 || !keeps(p.spec, sortFields(pl.query.Sort)) {
		p.kids = []*node{n}
		return p
	}
	p.kids = sort.kids
	sort.kids = []*node{p}
	return n
}

// keeps tells whether a projection that computes nothing leaves these fields whole.
func keeps(p bsonval.Doc, fields []string) bool {
	including := false
	for name, v := range p.All() {
		if v.Type() != bsonval.Bool && !v.IsNumber() || strings.HasSuffix(name, ".$") {
			return false
		}
		including = including || v.Truth()
	}
	for _, f := range fields {
		if !kept(p, f, including) {
			return false
		}
	}
	return true
}

// kept tells whether a projection, which includes fields or leaves them out, leaves one
// of them whole.
func kept(p bsonval.Doc, field string, including bool) bool {
	for name, v := range p.All() {
		within := name == field || strings.HasPrefix(field, name+".")
		switch {
		case including && within:
			return v.Truth() // of _id it may be false
		case !including && !v.Truth() && (within || strings.HasPrefix(name, field+".")):
			return false
		}
	}
	return !including || field == "_id"
}

// withoutNulls leaves out the conditions on null that an index says all of, where the
// index answers the rest too and nothing else of the field is wanted: its keys don't
// tell null from a missing field.
func (pl *planner) withoutNulls(a *access) *access {
	if len(a.null) == 0 || len(a.null) < len(a.residual) {
		return a
	}
	fields, _ := included(pl.query.Projection)
	fields = append(fields, sortFields(pl.query.Sort)...)
	for _, c := range a.null {
		if slices.Contains(fields, c.path) && !pl.query.Count {
			return a
		}
	}
	bare := *a
	bare.residual, bare.null = nil, nil
	if !pl.covers(&bare) {
		return a
	}
	return &bare
}

// subplan tops the plan of a query that is a $or of conditions, which the server plans
// branch by branch.
func (pl *planner) subplan(n *node) *node {
	if pl.cond.rank != rankOr || pl.hint != nil || pl.query.Min != nil || pl.query.Max != nil || onlyNatural(pl.query.Sort) {
		return n
	}
	return &node{kind: "SUBPLAN", kids: []*node{n}}
}

// counted ends a plan that only counts.
func (pl *planner) counted(n *node) *candidate {
	q := pl.query
	if n.kind == "IXSCAN" && n.filter == nil && n.scan.oneRange() {
		n.kind = "COUNT_SCAN"
	}
	return &candidate{root: &node{kind: "COUNT", kids: []*node{pl.subplan(n)}, n: q.Limit, skip: q.Skip}}
}

// oneRange tells bounds that are one piece of the index.
func (s *scan) oneRange() bool {
	r := scanner{scan: s}
	for _, f := range s.fields {
		r.ranges = append(r.ranges, f.ranges())
		if len(f.bounds) == 0 {
			return false
		}
	}
	r.asOneRange()
	return r.single
}

// fastCount is a count of everything, which needs no look at any document.
func (pl *planner) fastCount() *node {
	q := pl.query
	if !q.Count || nonEmpty(pl.cond) != nil || pl.hint != nil {
		return nil
	}
	n := int64(pl.coll.Count())
	n = max(0, n-q.Skip)
	if q.Limit > 0 {
		n = min(n, q.Limit)
	}
	return &node{kind: "RECORD_STORE_FAST_COUNT", n: n, skip: min(q.Skip, int64(pl.coll.Count()))}
}

// covers tells whether the index's keys alone answer the query.
func (pl *planner) covers(a *access) bool {
	q := pl.query
	if a.fetched || a.mixed || len(a.residual) > 0 || len(a.scans) == 0 {
		return false
	}
	if q.Count || q.CountOnly && len(q.Sort) <= 5 {
		return true
	}
	if q.ReturnKey {
		return pl.inKeys(a.scans[0], sortFields(q.Sort))
	}
	fields, ok := included(q.Projection)
	if !ok || q.ShowRecordID {
		return false
	}
	for _, s := range a.scans {
		if !pl.inKeys(s, fields) || !a.sorted && !pl.inKeys(s, sortFields(q.Sort)) {
			return false
		}
	}
	return true
}

func sortFields(sort bsonval.Doc) []string {
	var out []string
	for path := range sort.All() {
		out = append(out, path)
	}
	return out
}

// inKeys tells whether the scan's keys hold all these fields as the documents do.
func (pl *planner) inKeys(s *scan, fields []string) bool {
	for _, path := range fields {
		ok := slices.ContainsFunc(s.fields, func(f scanField) bool {
			return f.path == path && !f.many && !f.hashed && f.plain()
		})
		if !ok {
			return false
		}
	}
	return s.ix.Def.Kind == index.Ordered || s.ix.Def.Kind == index.Hashed || s.ix.Def.Kind == index.Wildcard
}

// plain tells whether the field's keys are the values: not what a collation makes of a
// string.
func (f scanField) plain() bool { return f.coll == nil || f.noStrings() }

// noStrings tells whether nothing is within the field's bounds that a collation compares.
func (f scanField) noStrings() bool {
	for _, i := range f.bounds {
		if i.hi.Type().Order() >= bsonval.String.Order() && i.lo.Type().Order() <= bsonval.Array.Order() {
			return false
		}
	}
	return true
}

// included answers the fields that an inclusion keeps; ok is false for any other
// projection.
func included(p bsonval.Doc) ([]string, bool) {
	var out []string
	id := true
	for name, v := range p.All() {
		switch {
		case v.Type() != bsonval.Bool && !v.IsNumber() || strings.HasSuffix(name, ".$"):
			return nil, false
		case v.Truth():
			if name != "_id" {
				out = append(out, name)
			}
		case name == "_id":
			id = false
		default:
			return nil, false
		}
	}
	if id {
		out = append(out, "_id")
	}
	return out, len(out) > 0 && (len(out) > 1 || !id || !p.Get("_id").IsMissing())
}

// projectionKind is the stage that applies a projection: the quickest one for fields at
// the top that are kept or left out, covered when the keys of one scan hold them.
func projectionKind(p bsonval.Doc, covered bool, scans int) string {
	for name, v := range p.All() {
		if v.Type() != bsonval.Bool && !v.IsNumber() || strings.Contains(name, ".") {
			return "PROJECTION_DEFAULT"
		}
	}
	switch {
	case !covered:
		return "PROJECTION_SIMPLE"
	case scans == 1:
		return "PROJECTION_COVERED"
	}
	return "PROJECTION_DEFAULT"
}
