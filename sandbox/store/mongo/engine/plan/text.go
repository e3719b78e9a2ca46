package plan

import (
	"bytes"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/fts"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// textIndex is the collection's text index; there is one at most.
func (pl *planner) textIndex() (*storage.Index, error) {
	for _, ix := range pl.coll.Indexes {
		if ix.Def.Kind != index.Text {
			continue
		}
		if ix.Def.Hidden || ix.Def.Filter != nil && !pl.implies(ix.Def) {
			return nil, pl.noPlan("need exactly one text index for $text query")
		}
		return ix, nil
	}
	return nil, mongoerr.New(mongoerr.IndexNotFound, "text index required for $text query")
}

// bindText lets a $text be asked of any document, by what the index would hold.
func (pl *planner) bindText(t *match.Text) error {
	ix, err := pl.textIndex()
	if err != nil {
		return err
	}
	spec, _ := ix.Def.Text()
	q, err := fts.ParseQuery(t.Source, spec)
	if err != nil {
		return err
	}
	t.Shown = q.Shown()
	t.Match = func(doc bsonval.Doc) (bool, error) {
		ok, err := q.Positive(spec, doc)
		if err != nil || !ok {
			return false, err
		}
		return q.Accepts(spec, doc)
	}
	return nil
}

// text is the plan of a query with $text: the index is read for each word, and phrases
// and unwanted words are asked at last.
func (pl *planner) text(c *condition) (*access, error) {
	ix, err := pl.textIndex()
	if err != nil {
		return nil, err
	}
	spec, before := ix.Def.Text()
	q, err := fts.ParseQuery(c.node.(*match.Text).Source, spec)
	if err != nil {
		return nil, err
	}
	prefix, err := pl.textPrefix(before)
	if err != nil {
		return nil, err
	}
	var rest []*condition
	for _, k := range pl.cond.conjuncts() {
		if k != c {
			rest = append(rest, k)
		}
	}
	var scans []*node
	for _, t := range q.Terms {
		scans = append(scans, &node{kind: "IXSCAN", scan: termScan(ix, prefix, t)})
	}
	in := unscored(scans, rest)
	if pl.wantsScore() {
		in = scored(scans, rest, len(before)+1)
	}
	top := &node{kind: "TEXT_MATCH", kids: []*node{in}, begin: func(x *execution, n *node) stage { return &textMatch{x, n, q, spec} }}
	top.extra = func(b *bsonval.Builder, done bool) {
		b.OpenDoc("indexPrefix")
		for i, f := range before {
			b.Set(f.Path, prefix[i])
		}
		b.Close().Str("indexName", ix.Def.Name)
		q.Describe(b)
		b.Int32("textIndexVersion", int32(spec.Version))
		if done {
			b.Number("docsRejected", top.stats.needTime-in.stats.needTime)
		}
	}
	return &access{root: top, fetched: true}, nil
}

// textUnderOr is the plan of a query whose words stand in a branch of a $or: each branch
// must be one that an index answers. It is none where the query asks for no words.
func (pl *planner) textUnderOr() ([]*candidate, error) {
	if len(texts(pl.cond, nil)) == 0 {
		return nil, nil
	}
	all := pl.cond.conjuncts()
	i := slices.IndexFunc(all, func(c *condition) bool { return c.rank == rankOr && len(texts(c, nil)) > 0 })
	if i < 0 {
		return nil, pl.noPlan("No query solutions")
	}
	or, rest := all[i], slices.Delete(slices.Clone(all), i, i+1)
	n := &node{kind: "OR"}
	for _, k := range or.kids {
		sub := *pl
		sub.cond = gather(append(slices.Clone(rest), k.conjuncts()...))
		at := slices.IndexFunc(k.conjuncts(), func(c *condition) bool { _, ok := c.node.(*match.Text); return ok })
		if at >= 0 {
			words, err := sub.text(k.conjuncts()[at])
			if err != nil {
				return nil, err
			}
			n.kids = slices.Insert(n.kids, 0, words.root) // first, since what another branch finds has no score
			continue
		}
		best := pl.bestOf(sub.access(k))
		if best == nil {
			return nil, pl.noPlan("Failed to produce a solution for TEXT under OR - other non-TEXT clauses under OR have to be indexed as well.")
		}
		n.kids = append(n.kids, best.fetchedIfNeeded())
	}
	return []*candidate{pl.complete(&access{root: n, residual: rest})}, nil
}

// wantsScore tells whether somebody asks how well the documents match.
func (pl *planner) wantsScore() bool {
	const name = "textScore\x00"
	return pl.query.Score || slices.Contains(pl.query.Metas, "textScore") || bytes.Contains(pl.query.Sort, []byte(name)) || bytes.Contains(pl.query.Projection, []byte(name))
}

// scored reads all words' entries, sums their scores, and then fetches the documents.
func scored(scans []*node, rest []*condition, skip int) *node {
	or := &node{kind: "TEXT_OR", kids: scans, filter: gather(rest)}
	or.begin = func(x *execution, n *node) stage { return &textOr{x: x, n: n, skip: skip} }
	or.extra = func(b *bsonval.Builder, done bool) {
		if done {
			b.Number("docsExamined", or.stats.docs)
		}
	}
	return or
}

// unscored fetches the documents as they are found.
func unscored(scans []*node, rest []*condition) *node {
	from := &node{kind: "EOF"}
	switch {
	case len(scans) == 1:
		from = scans[0]
	case len(scans) > 1:
		from = &node{kind: "OR", kids: scans}
	}
	return &node{kind: "FETCH", kids: []*node{from}, filter: gather(rest)}
}

// textPrefix are the values that the query says the fields before the words have.
func (pl *planner) textPrefix(before []index.Field) ([]bsonval.Value, error) {
	var out []bsonval.Value
	for _, f := range before {
		found := false
		for _, k := range pl.cond.conjuncts() {
			if v, ok := k.equality(); ok && k.path == f.Path && !found {
				out, found = append(out, v), true
			}
		}
		if !found {
			return nil, mongoerr.New(mongoerr.NoQueryExecutionPlans, "error processing query: ns=%sTree: %s planner returned error :: caused by :: failed to use text index to satisfy $text query (if text index is compound, are equality predicates given for all prefix fields?)", pl.coll.NS, treeText(pl.cond))
		}
	}
	return out, nil
}

// termScan reads one word's entries, the best score first.
func termScan(ix *storage.Index, prefix []bsonval.Value, term string) *scan {
	s := newScan(ix)
	s.back, s.unbound = true, true
	for i := range s.fields {
		f := &s.fields[i]
		switch {
		case i < len(prefix):
			f.bounds = intervals{point(prefix[i])}
		case i == len(prefix):
			f.bounds = intervals{point(bsonval.StringValue(term))}
		}
	}
	return s
}

// textOr reads all words' entries, sums the scores and then fetches the documents.
type textOr struct {
	x      *execution
	n      *node
	skip   int // the fields before the score in a key
	at     int // the child being read
	scores map[int64]float64
	order  []int64
	held   *opctx.Holding
}

// textCost is what a document costs while scores are summed.
const textCost = 64

func (s *textOr) work(m *member) (status, error) {
	if s.at < len(s.n.kids) {
		st, err := s.n.kids[s.at].work(m)
		switch {
		case err != nil:
			return ended, err
		case st == ended:
			s.at++
		case st == advanced:
			return needTime, s.add(m)
		}
		return needTime, nil
	}
	if len(s.order) == 0 {
		return ended, nil
	}
	*m = member{fetched: true}
	m.row.Record = s.order[0]
	s.order = s.order[1:]
	m.row.Meta = &stream.Meta{TextScore: bsonval.DoubleValue(s.scores[m.row.Record])}
	s.n.stats.docs++
	s.x.tally.DocsExamined++
	s.x.doc(m)
	ok, err := s.x.accepts(s.n.filter, m)
	if !ok && err == nil {
		return needTime, nil
	}
	return advanced, err
}

func (s *textOr) add(m *member) error {
	key := m.entry
	for i := range s.skip {
		key = key[bsonval.KeyLen(key, m.scan.fields[i].desc):]
	}
	if s.scores == nil {
		s.scores = map[int64]float64{}
		s.held = s.x.op.Hold(func(limit int64) error {
			return mongoerr.New(mongoerr.ExceededMemoryLimit, "Query plan execution exceeded the memory limit of %d bytes while summing text scores", limit)
		})
	}
	if _, seen := s.scores[m.row.Record]; !seen {
		s.order = append(s.order, m.row.Record)
		if err := s.held.Add(textCost); err != nil {
			return err
		}
	}
	s.scores[m.row.Record] += bsonval.KeyDouble(key)
	return nil
}

// textMatch asks what the index can't: phrases and unwanted words.
type textMatch struct {
	x    *execution
	n    *node
	q    *fts.Query
	spec *fts.Spec
}

func (s *textMatch) work(m *member) (status, error) {
	st, err := s.n.kids[0].work(m)
	if st != advanced || err != nil {
		return st, err
	}
	ok, err := s.q.Accepts(s.spec, s.x.doc(m))
	if !ok && err == nil {
		return needTime, nil
	}
	return st, err
}
