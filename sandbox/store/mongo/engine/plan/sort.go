package plan

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// sorter makes the keys by which rows are ordered.
type sorter struct {
	spec  bsonval.Doc
	parts []sortPart
	plain bool // only fields, no $meta
}

// sortPart is one part of a sort: fields that an index's key would be made of, or what
// $meta reads.
type sortPart struct {
	def  *index.Def
	meta string
	desc bool
}

func newSorter(spec bsonval.Doc, coll bsonval.Collator) *sorter {
	s := &sorter{spec: spec, plain: true}
	var def *index.Def
	for path, by := range spec.All() {
		if by.Type() == bsonval.Object {
			s.parts = append(s.parts, sortPart{meta: by.Doc().First().Value.String(), desc: true})
			s.plain, def = false, nil
			continue
		}
		if def == nil {
			def = &index.Def{Collator: coll, Pattern: spec}
			s.parts = append(s.parts, sortPart{def: def})
		}
		def.Fields = append(def.Fields, index.Field{Path: path, Desc: by.Float() < 0})
	}
	return s
}

// key answers a row's key. Where a field is an array the row sorts by its least
// element, or its greatest when descending.
func (s *sorter) key(dst []byte, doc bsonval.Doc, meta *stream.Meta) ([]byte, error) {
	for _, p := range s.parts {
		if p.def == nil {
			dst = appendMeta(dst, p.meta, meta)
			continue
		}
		if k, ok := plainKey(dst, p.def, doc); ok {
			dst = k
			continue
		}
		keys, err := p.def.For(doc)
		if err != nil {
			return nil, mongoerr.New(mongoerr.BadValue, "Executor error during find command :: caused by :: cannot sort with keys that are parallel arrays")
		}
		dst = append(dst, keys.Keys[0]...)
	}
	return dst, nil
}

// plainKey serves documents whose sort fields stand at the top and hold no arrays.
func plainKey(dst []byte, def *index.Def, doc bsonval.Doc) ([]byte, bool) {
	from := len(dst)
	for i, f := range def.Fields {
		if strings.IndexByte(f.Path, '.') >= 0 {
			return dst[:from], false
		}
		v := doc.Get(f.Path)
		switch v.Type() {
		case bsonval.Array:
			return dst[:from], false
		case bsonval.Missing:
			v = bsonval.NullValue()
		}
		dst = def.AppendField(dst, i, v)
	}
	return dst, true
}

func appendMeta(dst []byte, name string, meta *stream.Meta) []byte {
	v := bsonval.NullValue()
	if meta != nil {
		switch name {
		case `"textScore"`:
			v = meta.TextScore
		case `"geoNearDistance"`:
			v = meta.GeoDistance
		case `"randVal"`:
			v = meta.Random
		}
	}
	from := len(dst)
	dst = bsonval.AppendKey(dst, v, nil)
	bsonval.InvertKey(dst[from:])
	return dst
}

// sortStage reads all rows and orders them. With a limit only the first are kept.
type sortStage struct {
	x      *execution
	n      *node
	rows   []sortRow
	held   *opctx.Holding
	sorted bool
}

type sortRow struct {
	key string
	m   member
}

func (s *sortStage) work(m *member) (status, error) {
	if s.sorted {
		if len(s.rows) == 0 {
			return ended, nil
		}
		*m = s.rows[0].m
		s.rows[0] = sortRow{}
		s.rows = s.rows[1:]
		return advanced, nil
	}
	st, err := s.n.kids[0].work(m)
	switch {
	case err != nil:
		return ended, err
	case st == ended:
		s.order()
		s.sorted = true
	case st == advanced:
		return needTime, s.keep(m)
	}
	return needTime, nil
}

func (s *sortStage) keep(m *member) error {
	doc := s.x.doc(m)
	key, err := s.n.sort.key(nil, doc, m.row.Meta)
	if err != nil {
		return err
	}
	n := int64(len(doc))
	s.n.stats.sorted += n
	if s.held == nil {
		s.held = s.x.op.HoldOrSpill(sortTooBig)
	}
	if err := s.held.Add(n + int64(len(key)) + sortOverhead); err != nil {
		return err
	}
	s.rows = append(s.rows, sortRow{string(key), *m})
	if s.n.n > 0 && int64(len(s.rows)) >= 2*s.n.n+1000 {
		s.order()
	}
	return nil
}

// sortOverhead is what a row costs while it is sorted besides its bytes.
const sortOverhead = 160

func sortTooBig(limit int64) error {
	return mongoerr.New(mongoerr.QueryExceededMemoryLimitNoDiskUseAllowed,
		"Executor error during find command :: caused by :: Sort exceeded memory limit of %d bytes, but did not opt in to external sorting.", limit)
}

// order sorts what is there, and cuts it to the limit.
func (s *sortStage) order() {
	slices.SortStableFunc(s.rows, func(a, b sortRow) int { return strings.Compare(a.key, b.key) })
	if s.n.n == 0 || int64(len(s.rows)) <= s.n.n {
		return
	}
	less := int64(0)
	for _, r := range s.rows[s.n.n:] {
		less += int64(len(r.m.row.Doc)+len(r.key)) + sortOverhead
	}
	_ = s.held.Add(-less) // fewer always fit
	clear(s.rows[s.n.n:])
	s.rows = s.rows[:s.n.n]
}

// merge reads children that are ordered already, each record once.
type merge struct {
	x     *execution
	n     *node
	heads []mergeHead
	seen  map[int64]bool
}

type mergeHead struct {
	key  string
	m    member
	over bool
	full bool
}

func newMerge(x *execution, n *node) *merge {
	return &merge{x: x, n: n, heads: make([]mergeHead, len(n.kids)), seen: map[int64]bool{}}
}

func (s *merge) work(m *member) (status, error) {
	for i := range s.heads {
		if h := &s.heads[i]; !h.over && !h.full {
			return s.fill(i, h)
		}
	}
	best := -1
	for i, h := range s.heads {
		if h.full && (best < 0 || h.key < s.heads[best].key) {
			best = i
		}
	}
	if best < 0 {
		return ended, nil
	}
	*m = s.heads[best].m
	s.heads[best].full = false
	return advanced, nil
}

func (s *merge) fill(i int, h *mergeHead) (status, error) {
	var m member
	st, err := s.n.kids[i].work(&m)
	switch {
	case err != nil:
		return ended, err
	case st == ended:
		h.over = true
	case st == advanced:
		s.n.stats.dupsTested++
		if s.seen[m.row.Record] {
			s.n.stats.dupsDropped++
			return needTime, nil
		}
		s.seen[m.row.Record] = true
		fetched := m.fetched
		key, err := s.n.sort.key(nil, s.x.doc(&m), m.row.Meta)
		if err != nil {
			return ended, err
		}
		if !fetched {
			m.row.Doc = nil
		}
		*h = mergeHead{key: string(key), m: m, full: true}
	}
	return needTime, nil
}
