package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// collScan reads every document in the natural order, or against it.
type collScan struct {
	x     *execution
	n     *node
	cur   storage.Natural
	begun bool
}

func (s *collScan) work(m *member) (status, error) {
	if err := s.x.op.Check(); err != nil {
		return ended, err
	}
	if !s.step() {
		return ended, nil
	}
	s.n.stats.docs++
	s.x.tally.DocsExamined++
	*m = member{fetched: true}
	m.row.Doc, m.row.Record = s.cur.Value(), s.cur.Key()
	ok, err := s.x.accepts(s.n.filter, m)
	if err != nil {
		return ended, err
	}
	if !ok {
		return needTime, nil
	}
	return advanced, nil
}

func (s *collScan) step() bool {
	switch {
	case !s.begun:
		s.cur, s.begun = s.x.coll.Natural(), true
		if s.n.back {
			return s.cur.Last()
		}
		return s.cur.First()
	case s.n.back:
		return s.cur.Prev()
	}
	return s.cur.Next()
}

// fetch reads the document of each row.
type fetch struct {
	x *execution
	n *node
}

func (s *fetch) work(m *member) (status, error) {
	st, err := s.n.kids[0].work(m)
	if st != advanced || err != nil {
		return st, err
	}
	if m.fetched {
		s.n.stats.hadAlready++
	} else {
		s.n.stats.docs++
		s.x.tally.DocsExamined++
		m.fetched = true
		if s.x.doc(m) == nil {
			return needTime, nil
		}
	}
	ok, err := s.x.accepts(s.n.filter, m)
	if !ok && err == nil {
		return needTime, nil
	}
	return st, err
}

type limitStage struct {
	n    *node
	left int64
}

func (s *limitStage) work(m *member) (status, error) {
	if s.left == 0 {
		return ended, nil
	}
	st, err := s.n.kids[0].work(m)
	if st == advanced {
		s.left--
	}
	return st, err
}

type skipStage struct {
	n    *node
	left int64
}

func (s *skipStage) work(m *member) (status, error) {
	st, err := s.n.kids[0].work(m)
	if st == advanced && s.left > 0 {
		s.left--
		return needTime, err
	}
	return st, err
}

// orStage reads its children one after the other, each record once.
type orStage struct {
	n    *node
	at   int
	seen map[int64]bool
}

func (s *orStage) work(m *member) (status, error) {
	st, err := s.n.kids[s.at].work(m)
	switch {
	case err != nil:
		return ended, err
	case st == ended:
		if s.at++; s.at < len(s.n.kids) {
			return needTime, nil
		}
		s.at--
		return ended, nil
	case st == advanced:
		s.n.stats.dupsTested++
		if s.seen[m.row.Record] {
			s.n.stats.dupsDropped++
			return needTime, nil
		}
		s.seen[m.row.Record] = true
	}
	return st, nil
}

// countStage counts, but for the first rows, and gives none.
type countStage struct{ n *node }

func (s countStage) work(m *member) (status, error) {
	stats := &s.n.stats
	if s.n.n > 0 && stats.counted == s.n.n {
		return ended, nil
	}
	st, err := s.n.kids[0].work(m)
	if st != advanced {
		return st, err
	}
	if stats.skipped < s.n.skip {
		stats.skipped++
	} else {
		stats.counted++
	}
	return needTime, err
}

// returnKey puts the index's key in the place of the document.
type returnKey struct {
	x *execution
	n *node
}

func (s *returnKey) work(m *member) (status, error) {
	st, err := s.n.kids[0].work(m)
	if st == advanced {
		doc := bsonval.EmptyDoc()
		if m.scan != nil {
			doc = m.scan.keyDocument(s.x.doc(m), m.entry)
		}
		if s.x.asked.order != nil {
			doc = s.x.withSortKeys(doc, s.x.sortKey(m))
		}
		m.row.Doc = doc
	}
	return st, err
}
