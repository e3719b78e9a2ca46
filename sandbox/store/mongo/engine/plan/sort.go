package plan

import (
	"sort"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// SortKey appends the bytes by which row is ordered under a sort specification. A
// field that is an array sorts by its least element, or its greatest when descending.
func SortKey(dst []byte, op *opctx.Op, spec bsonval.Doc, doc bsonval.Doc) []byte {
	for path, by := range spec.All() {
		desc := by.IsNumber() && by.Float() < 0
		v := Extreme(bsonval.DocValue(doc), path, desc, op.Collator)
		from := len(dst)
		dst = bsonval.AppendKey(dst, v, op.Collator)
		if desc {
			bsonval.InvertKey(dst[from:])
		}
	}
	return dst
}

// Extreme is the value that a document is sorted by at path: the least, or greatest,
// of all that stand there; null where there is none.
func Extreme(v bsonval.Value, path string, greatest bool, c bsonval.Collator) bsonval.Value {
	var best bsonval.Value
	found := false
	spread(v, path, func(v bsonval.Value) {
		if !found {
			best, found = v, true
			return
		}
		d := bsonval.CompareWith(v, best, c)
		if greatest && d > 0 || !greatest && d < 0 {
			best = v
		}
	})
	if best.IsMissing() {
		return bsonval.NullValue()
	}
	return best
}

func spread(v bsonval.Value, path string, yield func(bsonval.Value)) {
	part, rest, more := strings.Cut(path, ".")
	switch v.Type() {
	case bsonval.Object:
		v = v.Doc().Get(part)
		if more {
			spread(v, rest, yield)
			return
		}
		if v.Type() != bsonval.Array {
			yield(v)
			return
		}
		if v.Doc().IsEmpty() {
			yield(bsonval.UndefinedValue())
		}
		for e := range v.Doc().Values() {
			yield(e)
		}
	case bsonval.Array:
		if i, ok := bsonval.ArrayIndex(part); ok {
			if e := v.Doc().At(i); !e.IsMissing() {
				if more {
					spread(e, rest, yield)
				} else {
					yield(e)
				}
				return
			}
		}
		for e := range v.Doc().Values() {
			if e.Type() == bsonval.Object {
				spread(e, path, yield)
			} else {
				yield(bsonval.NullValue())
			}
		}
	default:
		yield(bsonval.NullValue())
	}
}

// sortRows reads all rows and orders them. With a limit only the first are kept.
func sortRows(op *opctx.Op, in stream.Iterator, spec bsonval.Doc, limit int64, limited bool) (stream.Iterator, error) {
	defer in.Close()
	s := &sorter{}
	size := int64(0)
	for {
		row, ok, err := in.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		key := string(SortKey(nil, op, spec, row.Doc))
		if size += int64(len(row.Doc) + len(key) + 64); size > op.Memory() {
			return nil, mongoerr.New(mongoerr.QueryExceededMemoryLimitNoDiskUseAllowed, "Executor error during find command :: caused by :: Sort exceeded memory limit of %d bytes, but did not opt in to external sorting.", op.Memory())
		}
		s.rows, s.keys = append(s.rows, row), append(s.keys, key)
		if limited && int64(len(s.rows)) >= 2*limit+1000 {
			sort.Stable(s)
			for i := limit; i < int64(len(s.rows)); i++ {
				size -= int64(len(s.rows[i].Doc) + len(s.keys[i]) + 64)
				s.rows[i] = stream.Row{}
			}
			s.rows, s.keys = s.rows[:limit], s.keys[:limit]
		}
	}
	sort.Stable(s)
	return stream.Slice(s.rows), nil
}

type sorter struct {
	rows []stream.Row
	keys []string
}

func (s *sorter) Len() int           { return len(s.rows) }
func (s *sorter) Less(i, j int) bool { return s.keys[i] < s.keys[j] }
func (s *sorter) Swap(i, j int) {
	s.rows[i], s.rows[j] = s.rows[j], s.rows[i]
	s.keys[i], s.keys[j] = s.keys[j], s.keys[i]
}
