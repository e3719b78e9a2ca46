package plan

import (
	"fmt"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// readHint finds the index that the query names, by name or key pattern.
func (pl *planner) readHint() error {
	v := pl.query.Hint
	if pl.filter != nil {
		return nil // a filter has the last word
	}
	switch v.Type() {
	case bsonval.Missing:
		return nil
	case bsonval.Object:
		return pl.hintPattern(v.Doc())
	case bsonval.String:
		if v.Str() == "$natural" {
			pl.order = 1
			return nil
		}
		for _, ix := range pl.coll.Indexes {
			if ix.Def.Name == v.Str() {
				return pl.hintAt(ix)
			}
		}
		return pl.badHint()
	}
	return mongoerr.New(mongoerr.FailedToParse, "Hint must be a string or an object")
}

func (pl *planner) hintPattern(d bsonval.Doc) error {
	if d.IsEmpty() {
		return nil
	}
	if d.Len() > 1 && !d.Get("$natural").IsMissing() {
		return mongoerr.New(mongoerr.BadValue, "Cannot include '$natural' in compound hint: %s", d)
	}
	if first := d.First(); first.Name == "$natural" {
		if by := first.Value; !by.IsNumber() || by.Float() != 1 && by.Float() != -1 {
			return mongoerr.New(mongoerr.BadValue, "$natural hint may only accept 1 or -1, not %s", by)
		}
		pl.order = int(first.Value.Float())
		return nil
	}
	var found []*storage.Index
	for _, ix := range pl.coll.Indexes {
		if bsonval.Compare(bsonval.DocValue(ix.Def.Pattern), bsonval.DocValue(d)) == 0 {
			found = append(found, ix)
		}
	}
	switch len(found) {
	case 0:
		return pl.badHint()
	case 1:
		return pl.hintAt(found[0])
	}
	return pl.failed(mongoerr.BadValue, fmt.Sprintf("Hint matched multiple indexes, must hint by index name. Matched: %s and %s", found[0].Def.Spec, found[1].Def.Spec))
}

// naturalHint refuses a hint that a sort by $natural can't follow.
func (pl *planner) naturalHint() error {
	switch {
	case pl.hint != nil:
		return mongoerr.New(mongoerr.BadValue, "index hint not allowed with $natural sort order")
	case pl.order != 0 && pl.order != int(pl.query.Sort.First().Value.Float()):
		return mongoerr.New(mongoerr.BadValue, "$natural hint must be in the same direction as $natural sort order")
	}
	return nil
}

// hintAt refuses a hidden index; the query then fails as for one that isn't there.
func (pl *planner) hintAt(ix *storage.Index) error {
	if ix.Def.Hidden {
		return pl.badHint()
	}
	pl.hint = ix
	return nil
}

func (pl *planner) badHint() error {
	return pl.failed(mongoerr.BadValue, "hint provided does not correspond to an existing index")
}

// noPlan is the error of a query that can't be answered as it must be.
func (pl *planner) noPlan(why string) error { return pl.failed(mongoerr.NoQueryExecutionPlans, why) }

// failed is an error in the query's planning.
func (pl *planner) failed(code mongoerr.Code, why string) error {
	return mongoerr.New(code, "error processing query: ns=%sTree: %sSort: %s\nProj: %s\n planner returned error :: caused by :: %s",
		pl.coll.NS, treeText(pl.cond), pl.query.Sort, pl.query.Projection, why)
}

// treeText is the condition as the server's messages show it.
func treeText(c *condition) string {
	var b strings.Builder
	writeTree(&b, c, 0)
	return b.String()
}

func writeTree(b *strings.Builder, c *condition, depth int) {
	b.WriteString(strings.Repeat("    ", depth))
	switch {
	case c.rank == rankAnd:
		b.WriteString("$and\n")
	case c.rank == rankOr:
		b.WriteString("$or\n")
	case c.pred != nil:
		inner := c.document().First().Value.Doc().First()
		b.WriteString(c.path + " " + inner.Name + " " + inner.Value.String() + "\n")
		return
	default:
		b.WriteString(c.document().String() + "\n")
		return
	}
	for _, k := range c.kids {
		writeTree(b, k, depth+1)
	}
}

// limited is a scan between min() and max(), which need a hint.
func (pl *planner) limited() ([]*candidate, error) {
	q := pl.query
	switch {
	case pl.order != 0 && !q.Hint.IsMissing():
		return nil, pl.noPlan("min() and max() need the hint of an index, not $natural")
	case q.Min != nil && q.Max != nil && !sameNames(q.Min, q.Max):
		return nil, mongoerr.New(51176, "min() and max() must have the same field names")
	case pl.hint == nil:
		return nil, mongoerr.New(51173, "When using min()/max() a hint of which index to use must be provided")
	}
	s := newScan(pl.hint)
	s.limits = true
	var err error
	if s.minKey, err = pl.limitKey(q.Min); err != nil {
		return nil, err
	}
	if s.maxKey, err = pl.limitKey(q.Max); err != nil {
		return nil, err
	}
	if q.Min != nil && q.Max != nil && s.minKey >= s.maxKey {
		return nil, mongoerr.New(51175, "The value provided for min() does not come before the value provided for max() in the hinted index")
	}
	if pl.hint.Def.Clustered {
		return []*candidate{pl.complete(pl.limitedCluster(s))}, nil
	}
	a := &access{root: &node{kind: "IXSCAN", scan: s}, scans: []*scan{s}, residual: pl.cond.conjuncts()}
	return []*candidate{pl.complete(a)}, nil
}

// sameNames tells whether two documents have the same fields in the same order.
func sameNames(a, b bsonval.Doc) bool {
	x, y := a.Iter(), b.Iter()
	for x.Next() {
		if !y.Next() || x.Name() != y.Name() {
			return false
		}
	}
	return !y.Next()
}

// limitKey is the key that the scan begins or ends at. It is made of the values as they
// are given: a hashed index is asked for a range of hashes.
func (pl *planner) limitKey(d bsonval.Doc) (string, error) {
	if d == nil {
		return "", nil
	}
	def := pl.hint.Def
	if def.Kind != index.Ordered && def.Kind != index.Hashed || !sameNames(d, def.Pattern) {
		return "", mongoerr.New(51174, "The index chosen is not compatible with min/max")
	}
	var key []byte
	for _, f := range def.Fields {
		v := d.Get(f.Path)
		switch v.Type() {
		case bsonval.String, bsonval.Symbol, bsonval.Object, bsonval.Array:
			if !SameCollation(def.Collator, pl.op.Collator) {
				return "", mongoerr.New(51174, "The index chosen has not the query's collation, in which min() and max() compare %s", v)
			}
		}
		from := len(key)
		key = bsonval.AppendKey(key, v, def.Collator)
		if f.Desc {
			bsonval.InvertKey(key[from:])
		}
	}
	return string(key), nil
}
