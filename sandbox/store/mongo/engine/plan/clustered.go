package plan

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/storage/ptree"
)

// cluster is the part of a clustered collection that a scan reads: the entries from
// one on and before another, and the values of _id that explain shows for the two.
type cluster struct {
	from, to string
	min, max bsonval.Value // Missing: no bound
	back     bool
}

const clusteredScan = "CLUSTERED_IXSCAN"

// byCluster reads what the conditions on _id leave of a clustered collection: all
// between the least and the greatest value that may match. Every document there is
// asked the whole condition, as the server does.
func (pl *planner) byCluster(ix *storage.Index, conds []*condition) []*access {
	u := pl.use(ix, newScan(ix), conds, 0)
	if u.used == 0 || !u.firstBound() {
		return nil
	}
	f := &u.scan.fields[0]
	if len(f.bounds) == 0 {
		return []*access{{root: &node{kind: "EOF"}, fetched: true, score: 1 << 20}}
	}
	first, last := f.bounds[0], f.bounds[len(f.bounds)-1]
	r := cluster{from: f.key(first.lo), to: f.key(last.hi), min: recordBound(first.lo), max: recordBound(last.hi)}
	if r.min.IsMissing() && r.max.IsMissing() {
		return nil
	}
	if !first.loIn {
		r.from = after(r.from)
	}
	if last.hiIn {
		r.to = after(r.to)
	}
	return []*access{{root: clusterNode(u.scan, r, gather(conds)), fetched: true, score: 4*u.points + 2*u.used}}
}

// recordBound is a bound as explain shows it: the numbers begin with NaN.
func recordBound(v bsonval.Value) bsonval.Value {
	switch {
	case v.Type() == bsonval.MinKey || v.Type() == bsonval.MaxKey:
		return bsonval.Value{}
	case v.Type() == bsonval.Double && math.IsInf(v.Double(), -1):
		return bsonval.DoubleValue(math.NaN())
	}
	return v
}

func clusterNode(s *scan, r cluster, filter *condition) *node {
	n := &node{kind: clusteredScan, scan: s, filter: filter, cluster: &r}
	n.begin = func(x *execution, n *node) stage {
		return &clusterStage{x: x, n: n, cur: s.ix.Keys()}
	}
	return n
}

// orderCluster makes a scan of a clustered collection go in the query's order, when
// that begins with _id; nil when it doesn't.
func (pl *planner) orderCluster(a *access) *access {
	ix := pl.coll.Clustered()
	first := pl.query.Sort.First()
	if ix == nil || first.Name != "_id" || !first.Value.IsNumber() || !SameCollation(ix.Def.Collator, pl.op.Collator) {
		return nil
	}
	back := first.Value.Float() < 0
	if pl.order != 0 && back != (pl.order < 0) {
		return nil
	}
	n := *a.root
	n.turn(back)
	out := *a
	out.root, out.sorted = &n, true
	return &out
}

// turn gives a scan of a whole or a clustered collection its direction.
func (n *node) turn(back bool) {
	n.back = back
	if n.cluster != nil {
		r := *n.cluster
		r.back = back
		n.cluster = &r
	}
}

// limitedCluster is a scan of a clustered collection between min() and max().
func (pl *planner) limitedCluster(s *scan) *access {
	q := pl.query
	r := cluster{from: s.minKey, to: s.maxKey, min: q.Min.First().Value, max: q.Max.First().Value}
	if r.to == "" {
		r.to = after("")
	}
	return &access{root: clusterNode(s, r, nonEmpty(pl.cond)), fetched: true}
}

func (n *node) describeCluster(b *bsonval.Builder) {
	b.Str("direction", direction(n.cluster.back))
	b.Set("minRecord", n.cluster.min).Set("maxRecord", n.cluster.max)
}

// clusterStage reads a part of a clustered collection. The document after its end is
// looked at too, and counted, as in the server.
type clusterStage struct {
	x     *execution
	n     *node
	cur   ptree.Cursor[string, struct{}]
	begun bool
}

func (s *clusterStage) work(m *member) (status, error) {
	if err := s.x.op.Check(); err != nil {
		return ended, err
	}
	if !s.step() {
		return ended, nil
	}
	s.n.stats.docs++
	s.x.tally.DocsExamined++
	entry, r := s.cur.Key(), s.n.cluster
	if !r.back && entry >= r.to || r.back && entry < r.from {
		return ended, nil
	}
	*m = member{fetched: true}
	_, m.row.Record = index.SplitEntry(entry)
	m.row.Doc, _ = s.x.coll.Get(m.row.Record)
	ok, err := s.x.accepts(s.n.filter, m)
	if !ok && err == nil {
		return needTime, nil
	}
	return advanced, err
}

func (s *clusterStage) step() bool {
	r := s.n.cluster
	switch {
	case !s.begun && r.back:
		s.begun = true
		return s.cur.SeekBelow(r.to)
	case !s.begun:
		s.begun = true
		return s.cur.Seek(r.from)
	case r.back:
		return s.cur.Prev()
	}
	return s.cur.Next()
}

// expressCluster is the plan for one value of _id.
func expressCluster(s *scan, v bsonval.Value) *node {
	n := &node{kind: "EXPRESS_CLUSTERED_IXSCAN", scan: s}
	n.begin = func(x *execution, n *node) stage {
		return &expressClusterStage{x: x, n: n, id: v}
	}
	return n
}

type expressClusterStage struct {
	x    *execution
	n    *node
	id   bsonval.Value
	done bool
}

func (s *expressClusterStage) work(m *member) (status, error) {
	record, ok := s.x.coll.ByID(s.id)
	if s.done || !ok {
		return ended, nil
	}
	s.done = true
	s.n.stats.docs++
	s.x.tally.DocsExamined++
	*m = member{fetched: true}
	m.row.Record = record
	m.row.Doc, _ = s.x.coll.Get(record)
	return advanced, nil
}
