package plan

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
	s.n.stats.counted = s.n.n
	return ended, nil
}
