package plan

import (
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// maxIntersections bounds the pairs of indexes that are tried for one query, as in the
// server.
const maxIntersections = 3

// intersections are the ways to read two indexes at once and keep the records that are
// in both. Each must be asked for one value, so that its records come in order.
func (pl *planner) intersections(conds []*condition) []*access {
	type point struct {
		ix *storage.Index
		u  *usage
	}
	var points []point
	for _, ix := range pl.coll.Indexes {
		if ix.Def.Kind != index.Ordered || ix.Def.Clustered || len(ix.Def.Fields) != 1 || !pl.usable(ix) {
			continue
		}
		u := pl.use(ix, newScan(ix), conds, 0)
		if u.used == 1 && u.points == 1 {
			points = append(points, point{ix, u})
		}
	}
	var out []*access
	for i, p := range points {
		for _, q := range points[i+1:] {
			if len(out) == maxIntersections {
				return out
			}
			n := &node{kind: "AND_SORTED", begin: func(_ *execution, n *node) stage { return &andSorted{n: n} }}
			for _, u := range []*usage{p.u, q.u} {
				s := *u.scan
				n.kids = append(n.kids, &node{kind: "IXSCAN", scan: &s})
			}
			out = append(out, &access{root: n, residual: conds})
		}
	}
	return out
}

// andSorted gives the records that all its children give, in their order.
type andSorted struct {
	n      *node
	at     int   // the child to read next
	target int64 // the record that some have given
	agreed int   // how many have
}

func (s *andSorted) work(m *member) (status, error) {
	st, err := s.n.kids[s.at].work(m)
	if st != advanced || err != nil {
		return st, err
	}
	switch record := m.row.Record; {
	case s.agreed > 0 && record < s.target:
		return needTime, nil
	case s.agreed > 0 && record == s.target:
		s.agreed++
	default:
		s.target, s.agreed = record, 1
	}
	s.at = (s.at + 1) % len(s.n.kids)
	if s.agreed < len(s.n.kids) {
		return needTime, nil
	}
	s.agreed = 0
	return advanced, nil
}
