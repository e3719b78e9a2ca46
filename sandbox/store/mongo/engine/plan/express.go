package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// express serves the commonest queries: equality on _id, or on a field whose index
// finds the only answer that is asked for. Writes have it for _id alone.
func (pl *planner) express() *node {
	q := pl.query
	v, ok := pl.onePoint()
	if !ok || len(q.Sort) > 5 || q.Skip > 0 || q.Distinct != "" || q.Write == Modify || q.Write != Read && pl.cond.path != "_id" {
		return nil
	}
	if len(q.Projection) > 5 && projectionKind(q.Projection, false, 1) != "PROJECTION_SIMPLE" {
		return nil
	}
	for _, ix := range pl.coll.Indexes {
		d := ix.Def
		if d.Kind != index.Ordered || d.Fields[0].Path != pl.cond.path || d.Hidden || d.Filter != nil || pl.filter != nil && d.Name != "_id_" || !(len(d.Fields) == 1 && d.Unique || q.Limit == 1) {
			continue
		}
		f := field{bounder: bounder{d.Collator}, strings: SameCollation(d.Collator, pl.op.Collator)}
		if !f.comparable(v) {
			continue
		}
		s := newScan(ix)
		s.fields[0].bounds = intervals{point(v)}
		if d.Clustered {
			return expressCluster(s, v)
		}
		return &node{kind: "EXPRESS_IXSCAN", scan: s}
	}
	return nil
}

// onePoint is the value of a query that asks for one value of one field at the top, in
// no way that binds the planner's hands.
func (pl *planner) onePoint() (bsonval.Value, bool) {
	q := pl.query
	if pl.hint != nil || pl.order != 0 || q.ReturnKey || q.Count || q.Near != nil {
		return bsonval.Value{}, false
	}
	if pl.cond.pred == nil || strings.IndexByte(pl.cond.path, '.') >= 0 {
		return bsonval.Value{}, false
	}
	v, ok := pl.cond.equality()
	switch v.Type() {
	case bsonval.Null, bsonval.Array, bsonval.Regex:
		return v, false
	}
	return v, ok
}

// idHack serves equality on _id where an express plan can't.
func (pl *planner) idHack() *node {
	q := pl.query
	v, ok := pl.onePoint()
	if !ok || pl.cond.path != "_id" || q.Skip > 0 || q.ShowRecordID || q.Distinct != "" {
		return nil
	}
	for _, ix := range pl.coll.Indexes {
		f := field{bounder: bounder{ix.Def.Collator}, strings: SameCollation(ix.Def.Collator, pl.op.Collator)}
		if ix.Def.Name != "_id_" || ix.Def.Clustered || !f.comparable(v) {
			continue
		}
		s := newScan(ix)
		s.fields[0].bounds = intervals{point(v)}
		n := &node{kind: "IDHACK", scan: s}
		if len(q.Projection) > 5 {
			n = &node{kind: projectionKind(q.Projection, false, 1), kids: []*node{n}, spec: q.Projection}
		}
		return n
	}
	return nil
}

// expressStage finds the one document that an equality on a unique field, or a limit of
// one, leaves.
type expressStage struct {
	keys *scanner
	n    *node
	done bool
}

func (s *expressStage) work(m *member) (status, error) {
	for !s.done {
		st, err := s.keys.work(m)
		if err != nil {
			return ended, err
		}
		if st == needTime {
			continue
		}
		s.done = true
		if st == advanced {
			s.n.stats.docs++
			s.keys.x.tally.DocsExamined++
			s.keys.x.doc(m)
			m.fetched = true
			return advanced, nil
		}
	}
	return ended, nil
}

// fastCountStage is the count that the collection keeps.
type fastCountStage struct{ n *node }

func (s fastCountStage) work(*member) (status, error) {
	s.n.stats.counted, s.n.stats.skipped = s.n.n, s.n.skip
	return ended, nil
}
