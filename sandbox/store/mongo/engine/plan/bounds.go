package plan

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// term is one condition on one field that bounds may be made of.
type term struct {
	path  string
	pred  match.Pred
	from  *condition // of the query's conjunction, that it is or belongs to
	group string     // the array whose one element it speaks of ($elemMatch); "" for none
}

// terms lists what the conjunction says of single fields, also within $elemMatch.
func terms(conds []*condition) []term {
	var out []term
	for _, c := range conds {
		if c.pred == nil {
			continue
		}
		out = elemTerms(append(out, term{path: c.path, pred: c.pred, from: c}), c.path, c.pred, c)
	}
	return out
}

func elemTerms(out []term, path string, p match.Pred, from *condition) []term {
	e, ok := p.(*match.ElemMatch)
	if !ok || e.Node == nil {
		return out
	}
	for _, k := range normalize(e.Node, nil).conjuncts() {
		if k.pred == nil {
			continue
		}
		full := path + "." + k.path
		out = append(out, term{path: full, pred: k.pred, from: from, group: path})
		out = elemTerms(out, full, k.pred, from)
	}
	return out
}

// usage is what came of reading a conjunction by one index.
type usage struct {
	scan     *scan
	used     int          // fields with bounds
	points   int          // leading ones that are single values
	covered  []*condition // to be asked at the index
	residual []*condition // to be asked of the document
	null     []*condition // those of them that the bounds say all of unless the field is wanted
	choice   int          // further ways to choose among conditions on an array
	empty    bool         // nothing can match
}

// newScan is a scan of the whole index. For a wildcard index path is the field asked.
func newScan(ix *storage.Index) *scan {
	s := &scan{ix: ix}
	for i, f := range ix.Def.Fields {
		s.fields = append(s.fields, scanField{
			path: f.Path, desc: f.Desc, hashed: f.Kind == index.Hashed, geo: f.Kind == index.Sphere || f.Kind == index.Flat, coll: ix.Def.Collator,
			many: ix.Multikey&(1<<i) != 0, bounds: everything(),
		})
	}
	return s
}

// use makes bounds from the conjunction's conditions. skip says which of several
// conditions on a field with arrays is to be taken.
func (pl *planner) use(ix *storage.Index, s *scan, conds []*condition, skip int) *usage {
	u := &usage{scan: s, residual: conds}
	all := terms(conds)
	state := map[*condition]tightness{}
	for i := range s.fields {
		f := &s.fields[i]
		ts := pl.termsFor(ix, s, i, all)
		if len(ts) == 0 {
			continue
		}
		if f.many {
			ts = pickOne(ts, ix, &skip, u)
		}
		pl.bind(f, ix, ts, state, u)
	}
	for i := range s.fields {
		if !s.fields[i].single() {
			break
		}
		u.points++
	}
	u.split(conds, state)
	return u
}

func (pl *planner) bind(f *scanField, ix *storage.Index, ts []term, state map[*condition]tightness, u *usage) {
	spec := pl.field(f, ix)
	bounds, used := everything(), false
	for _, t := range ts {
		l, tight, ok := spec.translate(t.pred)
		if !ok {
			continue
		}
		used = true
		bounds = spec.intersect(bounds, l)
		if t.group != "" || t.pred != t.from.pred || tight == byKey && ix.Multikey != 0 {
			tight = byFetch
		}
		had := state[t.from] // exact for none
		state[t.from] = had.with(tight)
	}
	if used {
		f.bounds, f.from, f.group = bounds, ts[0].from, ts[0].group
		u.used++
		u.empty = u.empty || len(bounds) == 0
	}
}

func (pl *planner) field(f *scanField, ix *storage.Index) field {
	var cells *index.Def
	if f.geo {
		cells = ix.Def
	}
	return field{
		geo: cells, bounder: f.bounder(), multikey: f.many, sparse: ix.Def.Sparse || f.sparse, wild: f.wild, subtree: f.subtree, hashed: f.hashed,
		present: ix.Def.Sparse && len(ix.Def.Fields) == 1,
		strings: SameCollation(f.coll, pl.op.Collator),
		dotted:  strings.IndexByte(f.path, '.') >= 0, arrays: ix.Multikey != 0,
	}
}

// split tells the conditions that the bounds say all about from those still to ask.
func (u *usage) split(conds []*condition, state map[*condition]tightness) {
	u.residual, u.covered, u.null = nil, nil, nil
	for _, c := range conds {
		t, ok := state[c]
		switch {
		case ok && t == exact:
		case ok && t == byKey:
			u.covered = append(u.covered, c)
		case ok && t == unlessAsked:
			u.null = append(u.null, c)
			u.residual = append(u.residual, c)
		default:
			u.residual = append(u.residual, c)
		}
	}
}

// forget leaves to others the conditions that are asked elsewhere too. What they have
// bounded stays, but an index whose first field only they bound is no use.
func (u *usage) forget(also []*condition) {
	if len(also) == 0 {
		return
	}
	keep := func(cs []*condition) []*condition {
		return slices.DeleteFunc(cs, func(c *condition) bool { return slices.Contains(also, c) })
	}
	u.residual, u.covered, u.null = keep(u.residual), keep(u.covered), keep(u.null)
	if f := &u.scan.fields[0]; f.from != nil && slices.Contains(also, f.from) {
		u.used = 0
	}
}

// termsFor are the conditions that may bound the i-th field together with those
// already bound before it.
func (pl *planner) termsFor(ix *storage.Index, s *scan, i int, all []term) []term {
	f := &s.fields[i]
	if f.many && numeric(f.path) {
		return nil // "a.0" means a place to the index and more to the filter
	}
	spec := pl.field(f, ix)
	var out []term
	for _, t := range all {
		if t.path != f.path {
			continue
		}
		if _, _, ok := spec.translate(t.pred); !ok {
			continue
		}
		if f.many && pl.clashes(s, i, t) {
			continue
		}
		out = append(out, t)
	}
	return out
}

// clashes tells whether the field shares an array with an earlier bound field. Then two
// conditions may be satisfied by different elements, unless one $elemMatch asks both.
func (pl *planner) clashes(s *scan, i int, t term) bool {
	for _, f := range s.fields[:i] {
		if !f.many || f.bounds.isEverything() {
			continue
		}
		shared := commonPath(f.path, s.fields[i].path)
		together := t.group != "" && f.from == t.from && f.group == t.group && len(shared) <= len(t.group)
		if shared != "" && !together {
			return true
		}
	}
	return false
}

// commonPath is the part that two paths share, in whole names.
func commonPath(a, b string) string {
	n := 0
	for i := 0; ; i++ {
		endA, endB := i == len(a) || a[i] == '.', i == len(b) || b[i] == '.'
		if endA && endB {
			n = i
		}
		if i == len(a) || i == len(b) || a[i] != b[i] {
			return a[:n]
		}
	}
}

func numeric(path string) bool {
	for part := range strings.SplitSeq(path, ".") {
		if _, ok := bsonval.ArrayIndex(part); ok {
			return true
		}
	}
	return false
}

// single tells whether an element of the array that t speaks of has at most one value
// at t's path.
func (t term) single(ix *storage.Index) bool {
	if t.group == "" || ix.Def.Kind != index.Ordered && ix.Def.Kind != index.Wildcard {
		return false
	}
	for array := range ix.Arrays {
		if len(array) > len(t.group) && commonPath(array, t.path) == array {
			return false
		}
	}
	return true
}

// pickOne keeps one condition, or those that one $elemMatch asks: on a field with
// arrays the others may be satisfied by other elements.
func pickOne(ts []term, ix *storage.Index, skip *int, u *usage) []term {
	var groups [][]term
next:
	for _, t := range ts {
		if t.single(ix) {
			for i, g := range groups {
				if g[0].from == t.from && g[0].group == t.group {
					groups[i] = append(g, t)
					continue next
				}
			}
		}
		groups = append(groups, []term{t})
	}
	u.choice += len(groups) - 1
	at := min(*skip, len(groups)-1)
	*skip -= at
	return groups[at]
}

// SameCollation tells collators that order alike; nil is the simple one.
func SameCollation(a, b bsonval.Collator) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, ok := a.(interface{ Spec() string })
	y, also := b.(interface{ Spec() string })
	return ok && also && x.Spec() == y.Spec()
}
