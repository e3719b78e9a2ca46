package plan

import (
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
	if first := d.First(); first.Name == "$natural" {
		if by := first.Value; !by.IsNumber() || by.Float() != 1 && by.Float() != -1 {
			return mongoerr.New(mongoerr.BadValue, "$natural hint may only accept 1 or -1, not %s", by)
		}
		pl.order = int(first.Value.Float())
		return nil
	}
	for _, ix := range pl.coll.Indexes {
		if bsonval.Compare(bsonval.DocValue(ix.Def.Pattern), bsonval.DocValue(d)) == 0 {
			return pl.hintAt(ix)
		}
	}
	return pl.badHint()
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
	return mongoerr.New(mongoerr.BadValue, "error processing query: ns=%sTree: %sSort: %s\nProj: %s\n planner returned error :: caused by :: hint provided does not correspond to an existing index",
		pl.coll.NS, treeText(pl.cond), pl.query.Sort, pl.query.Projection)
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
	if pl.hint == nil || pl.order != 0 {
		return nil, mongoerr.New(51173, "When using min()/max() a hint of which index to use must be provided")
	}
	s := newScan(pl.hint)
	s.limits = true
	var err error
	if s.minKey, err = pl.limitKey(q.Min, "min"); err != nil {
		return nil, err
	}
	if s.maxKey, err = pl.limitKey(q.Max, "max"); err != nil {
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

func (pl *planner) limitKey(d bsonval.Doc, name string) (string, error) {
	if d == nil {
		return "", nil
	}
	def := pl.hint.Def
	if def.Kind != index.Ordered {
		return "", mongoerr.New(51174, "The index chosen is not compatible with min/max")
	}
	var key []byte
	i := 0
	for path, v := range d.All() {
		if i >= len(def.Fields) || def.Fields[i].Path != path {
			return "", mongoerr.New(51174, "The index chosen is not compatible with min/max")
		}
		switch v.Type() {
		case bsonval.String, bsonval.Symbol, bsonval.Object, bsonval.Array:
			if !sameCollation(def.Collator, pl.op.Collator) {
				return "", mongoerr.New(51174, "The index chosen has not the query's collation, in which %s() compares %s", name, v)
			}
		}
		key = def.AppendField(key, i, v)
		i++
	}
	if i != len(def.Fields) {
		return "", mongoerr.New(51176, "%s() must have the same field names as the index pattern %s", name, def.Pattern)
	}
	return string(key), nil
}
