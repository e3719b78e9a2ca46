package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

func hashed(v bsonval.Value, coll bsonval.Collator) bsonval.Value {
	return bsonval.LongValue(index.Hash(v, coll))
}

// order is what the key pattern says of the field: 1, -1, "hashed"; a wildcard's path
// has the wildcard's.
func (f scanField) order(pattern bsonval.Doc) bsonval.Value {
	if v := pattern.Get(f.path); !v.IsMissing() {
		return v
	}
	if f.desc {
		return bsonval.IntValue(-1)
	}
	return bsonval.IntValue(1)
}

// arrays are the parts of the field's path at which documents have arrays.
func (s *scan) arrays(f scanField) []string {
	if !f.many {
		return nil
	}
	var out []string
	for i := 0; i <= len(f.path); i++ {
		if i == len(f.path) || f.path[i] == '.' {
			if s.ix.Arrays[f.path[:i]] {
				out = append(out, f.path[:i])
			}
		}
	}
	if out == nil {
		out = []string{strings.SplitN(f.path, ".", 2)[0]}
	}
	return out
}

// describeCount writes the ends of a COUNT_SCAN.
func (s *scan) describeCount(b *bsonval.Builder) {
	s.describeIndex(b)
	start, end := bsonval.NewBuilder(64), bsonval.NewBuilder(64)
	startIn, endIn := true, true
	for _, f := range s.fields {
		i := f.bounds[0]
		lo, hi, loIn, hiIn := i.lo, i.hi, i.loIn, i.hiIn
		if f.desc {
			lo, hi, loIn, hiIn = hi, lo, hiIn, loIn
		}
		start.Set(f.path, lo)
		end.Set(f.path, hi)
		startIn, endIn = startIn && loIn, endIn && hiIn
	}
	b.OpenDoc("indexBounds").SetDoc("startKey", start.Doc()).Bool("startKeyInclusive", startIn)
	b.SetDoc("endKey", end.Doc()).Bool("endKeyInclusive", endIn).Close()
}
