package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// indexScan reads points of an index's leading fields.
type indexScan struct {
	ix       *storage.Index
	prefixes []string // the keys to look up, each the start of entries
}

// boundsFor answers the points that the filter asks of an index's first fields, and
// how many fields those are; 0 when the index serves nothing.
func boundsFor(op *opctx.Op, ix *storage.Index, m *match.Matcher) (*indexScan, int) {
	d := ix.Def
	if d.Kind != index.Ordered || d.Hidden || d.Filter != nil || d.Sparse || d.Collator != nil || op.Collator != nil {
		return nil, 0
	}
	prefixes := []string{""}
	score := 0
	for i, f := range d.Fields {
		values := equalities(m.Root, f.Path)
		if values == nil || len(prefixes)*len(values) > 1000 {
			break
		}
		var next []string
		for _, p := range prefixes {
			for _, v := range values {
				next = append(next, string(d.AppendField([]byte(p), i, v)))
			}
		}
		prefixes, score = next, score+1
		if ix.Multikey != 0 {
			break
		}
	}
	return &indexScan{ix, prefixes}, score
}

// equalities are the values that path must equal one of; nil when it need not.
func equalities(n match.Node, path string) []bsonval.Value {
	switch n := n.(type) {
	case *match.And:
		for _, x := range n.Nodes {
			if vs := equalities(x, path); vs != nil {
				return vs
			}
		}
	case *match.Field:
		if n.Path != path {
			return nil
		}
		switch p := n.Pred.(type) {
		case *match.Cmp:
			if p.Op == match.EQ && plain(p.Value) {
				return []bsonval.Value{p.Value}
			}
		case *match.In:
			if len(p.Regexes) > 0 || len(p.Values) == 0 {
				return nil
			}
			for _, v := range p.Values {
				if !plain(v) {
					return nil
				}
			}
			return p.Values
		}
	}
	return nil
}

func plain(v bsonval.Value) bool { return v.Type() != bsonval.Array && v.Type() != bsonval.Null }

func (s *indexScan) run(op *opctx.Op, c *storage.Collection) stream.Iterator {
	cur := s.ix.Keys()
	seen := map[int64]bool{}
	at, begun := 0, false
	return stream.Func(func() (stream.Row, bool, error) {
		for at < len(s.prefixes) {
			if err := op.Check(); err != nil {
				return stream.Row{}, false, err
			}
			prefix := s.prefixes[at]
			ok := false
			if begun {
				ok = cur.Next()
			} else {
				begun, ok = true, cur.Seek(prefix)
			}
			if !ok || len(cur.Key()) < len(prefix) || cur.Key()[:len(prefix)] != prefix {
				at, begun = at+1, false
				continue
			}
			op.Work.KeysExamined++
			_, record := index.SplitEntry(cur.Key())
			if len(s.prefixes) > 1 || s.ix.Multikey != 0 {
				if seen[record] {
					continue
				}
				seen[record] = true
			}
			op.Work.DocsExamined++
			doc, _ := c.Get(record)
			return stream.Row{Doc: doc, Record: record}, true, nil
		}
		return stream.Row{}, false, nil
	})
}
