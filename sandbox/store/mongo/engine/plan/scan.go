package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/storage/ptree"
)

// scan is how an index is read: which values of each field, in which direction.
type scan struct {
	ix      *storage.Index
	fields  []scanField
	back    bool
	unbound bool   // explain shows no bounds
	minKey  string // min() and max() in the place of bounds; "" for none
	maxKey  string
	limits  bool
}

// scanField is one field of the keys.
type scanField struct {
	path    string
	desc    bool
	hashed  bool
	coll    bsonval.Collator
	many    bool // some document has an array there
	geo     bool // its keys are cells
	wild    bool // of a wildcard index: objects aren't keys
	subtree bool // and the keys below the path are read too
	sparse  bool // documents without the field may not be in the index
	bounds  intervals
	from    *condition // the first condition that bounds was made of
	group   string     // and the array that it speaks of one element of
}

func (f scanField) bounder() bounder { return bounder{f.coll} }

// single tells bounds of one value.
func (f scanField) single() bool { return len(f.bounds) == 1 && f.bounder().isPoint(f.bounds[0]) }

// key is the bytes of a value in the field.
func (f scanField) key(v bsonval.Value) string {
	if f.hashed {
		v = hashed(v, f.coll)
	}
	k := bsonval.AppendKey(nil, v, f.coll)
	if f.desc {
		bsonval.InvertKey(k)
	}
	return string(k)
}

// byteRange is an interval as the index's bytes have it.
type byteRange struct {
	lo, hi     string
	loIn, hiIn bool
}

func (f scanField) ranges() []byteRange {
	out := make([]byteRange, 0, len(f.bounds))
	if f.bounds.isEverything() {
		f.hashed = false // all hashes, not those between the ends'
	}
	for _, i := range f.bounds {
		r := byteRange{f.key(i.lo), f.key(i.hi), i.loIn, i.hiIn}
		if f.desc {
			r = byteRange{r.hi, r.lo, r.hiIn, r.loIn}
		}
		out = append(out, r)
	}
	sortRanges(out, f.desc || f.hashed)
	return out
}

func sortRanges(rs []byteRange, shuffled bool) {
	if !shuffled {
		return
	}
	for i := range rs { // few, and often in reverse
		for j := i; j > 0 && rs[j].lo < rs[j-1].lo; j-- {
			rs[j], rs[j-1] = rs[j-1], rs[j]
		}
	}
}

// after is above every entry that begins with prefix, and below all others above it:
// no key and no record id begins with 0xff.
func after(prefix string) string { return prefix + "\xff" }

// start makes the scan ready to run.
func (s *scan) start(x *execution, n *node) stage {
	r := &scanner{x: x, n: n, scan: s}
	if s.ix.Multikey != 0 || s.ix.Def.Kind == index.Wildcard {
		r.seen = map[int64]bool{}
	}
	if s.limits {
		r.single, r.from, r.to = true, s.minKey, s.maxKey
		if r.to == "" {
			r.to = after("")
		}
		return r
	}
	for _, f := range s.fields {
		rs := f.ranges()
		if len(rs) == 0 {
			return nothing{}
		}
		r.ranges = append(r.ranges, rs)
	}
	r.asOneRange()
	return r
}

// scanner walks over an index's entries.
type scanner struct {
	x      *execution
	n      *node
	scan   *scan
	ranges [][]byteRange
	single bool   // the bounds are one range of entries:
	from   string // the first entry at or after this one
	to     string // and all before this one
	cur    ptree.Cursor[string, struct{}]
	begun  bool
	seek   string // where to go on; "" for the next entry
	over   bool
	seen   map[int64]bool
}

// asOneRange tells whether the bounds are points, then at most one range, then
// everything: one piece of the index, whose end is known.
func (s *scanner) asOneRange() {
	prefix := ""
	i := 0
	for ; i < len(s.ranges); i++ {
		r := s.ranges[i]
		if len(r) != 1 || r[0].lo != r[0].hi {
			break
		}
		prefix += r[0].lo
	}
	s.from, s.to = prefix, after(prefix)
	if i < len(s.ranges) && !s.scan.fields[i].bounds.isEverything() {
		if len(s.ranges[i]) != 1 {
			return
		}
		r := s.ranges[i][0]
		s.from, s.to = prefix+r.lo, prefix+r.hi
		if !r.loIn {
			s.from = after(s.from)
		}
		if r.hiIn {
			s.to = after(s.to)
		}
		i++
	}
	for ; i < len(s.ranges); i++ {
		if !s.scan.fields[i].bounds.isEverything() {
			return
		}
	}
	s.single = true
}

func (s *scanner) work(m *member) (status, error) {
	if err := s.x.op.Check(); err != nil {
		return ended, err
	}
	if s.over || !s.step() {
		return s.end()
	}
	entry := s.cur.Key()
	if s.single && (!s.scan.back && entry >= s.to || s.scan.back && entry < s.from) {
		return s.end()
	}
	s.n.stats.keys++
	s.x.tally.KeysExamined++
	key, record := index.SplitEntry(entry)
	if !s.single && !s.within(key) {
		if s.over {
			return ended, nil
		}
		return needTime, nil
	}
	*m = member{entry: key, scan: s.scan}
	m.row.Record = record
	if s.seen != nil {
		s.n.stats.dupsTested++
		if s.seen[record] {
			s.n.stats.dupsDropped++
			return needTime, nil
		}
		s.seen[record] = true
	}
	ok, err := s.x.accepts(s.n.filter, m)
	if !ok && err == nil {
		return needTime, nil
	}
	m.row.Doc = nil
	return advanced, err
}

// end counts the look past the last entry that a COUNT_SCAN takes.
func (s *scanner) end() (status, error) {
	if !s.over && s.n.kind == "COUNT_SCAN" {
		s.n.stats.keys++
		s.x.tally.KeysExamined++
	}
	s.over = true
	return ended, nil
}

// step goes to the next entry to look at.
func (s *scanner) step() bool {
	if !s.begun {
		s.begun, s.cur = true, s.scan.ix.Keys()
		s.seek = s.first()
	} else if s.seek == "" {
		if s.scan.back {
			return s.cur.Prev()
		}
		return s.cur.Next()
	}
	s.n.stats.seeks++
	to := s.seek
	s.seek = ""
	if s.scan.back {
		return s.cur.SeekBelow(to)
	}
	return s.cur.Seek(to)
}

// first is where the scan begins.
func (s *scanner) first() string {
	if s.single {
		if s.scan.back {
			return s.to
		}
		return s.from
	}
	if s.scan.back {
		return s.rangeTop("", 0, len(s.ranges[0])-1)
	}
	return s.rangeBottom("", 0, 0)
}

// rangeBottom is the first entry behind prefix in the n-th range of the i-th field, and
// in the first ranges of the fields after it.
func (s *scanner) rangeBottom(prefix string, i, n int) string {
	for ; i < len(s.ranges); i, n = i+1, 0 {
		r := s.ranges[i][n]
		prefix += r.lo
		if !r.loIn {
			return after(prefix)
		}
	}
	return prefix
}

// rangeTop is what the last such entry comes before.
func (s *scanner) rangeTop(prefix string, i, n int) string {
	for ; i < len(s.ranges); i++ {
		r := s.ranges[i][n]
		prefix += r.hi
		if !r.hiIn {
			return prefix
		}
		if i+1 < len(s.ranges) {
			n = len(s.ranges[i+1]) - 1
		}
	}
	return after(prefix)
}

// within tells whether each field of the key is in its ranges. If not it sets where
// the next key that may be is to be looked for, or that there is none.
func (s *scanner) within(key string) bool {
	at, room := 0, false
	for i := range s.ranges {
		n := bsonval.KeyLen(key[at:], s.scan.fields[i].desc)
		part := key[at : at+n]
		in, next := place(s.ranges[i], part, s.scan.back)
		if in {
			at += n
			room = room || !last(s.ranges[i], part, s.scan.back)
			continue
		}
		prefix := key[:at]
		switch {
		case next >= 0 && s.scan.back:
			s.seek = s.rangeTop(prefix, i, next)
		case next >= 0:
			s.seek = s.rangeBottom(prefix, i, next)
		case !room: // the fields before are at their ends
			s.over = true
		case s.scan.back:
			s.seek = prefix
		default:
			s.seek = after(prefix)
		}
		return false
	}
	return true
}

// last tells whether part is the last value that the ranges hold in the scan's direction.
func last(rs []byteRange, part string, back bool) bool {
	if back {
		return rs[0].loIn && rs[0].lo == part
	}
	r := rs[len(rs)-1]
	return r.hiIn && r.hi == part
}

// place finds part among ranges: in one, or before which one in the scan's direction;
// -1 when it is past them all.
func place(rs []byteRange, part string, back bool) (in bool, next int) {
	lo, hi := 0, len(rs)
	for lo < hi { // the first range that doesn't end before part
		mid := (lo + hi) / 2
		if c := strings.Compare(rs[mid].hi, part); c < 0 || c == 0 && !rs[mid].hiIn {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(rs) {
		if c := strings.Compare(rs[lo].lo, part); c < 0 || c == 0 && rs[lo].loIn {
			return true, lo
		}
	}
	switch {
	case back:
		return false, lo - 1
	case lo == len(rs):
		return false, -1
	}
	return false, lo
}

// keyDocument is the entry's key with the names of its fields.
func (s *scan) keyDocument(doc bsonval.Doc, entry string) bsonval.Doc {
	return s.ix.Def.Values(doc, entry)
}
