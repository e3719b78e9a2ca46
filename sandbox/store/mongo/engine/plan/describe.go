package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
)

// document is the condition as explain shows it: { a: { $eq: 1 } }.
func (c *condition) document() bsonval.Doc {
	if c == nil {
		return bsonval.EmptyDoc()
	}
	var b bsonval.Builder
	c.write(&b)
	return b.Doc()
}

// Normal is a filter in its normal form, as explain shows it.
func Normal(m *match.Matcher, coll bsonval.Collator) bsonval.Doc {
	return normalize(m.Root, coll).document()
}

func (c *condition) write(b *bsonval.Builder) {
	switch c.rank {
	case rankAnd:
		if len(c.kids) > 0 {
			writeList(b, "$and", c.kids)
		}
		return
	case rankOr:
		writeList(b, "$or", c.kids)
		return
	case rankNor:
		writeList(b, "$nor", c.kids)
		return
	}
	switch n := c.node.(type) {
	case *match.Field:
		if g, ok := n.Pred.(*match.BucketGeo); ok {
			b.SetDoc("$_internalBucketGeoWithin", g.Arg)
			return
		}
		b.OpenDoc(n.Path)
		writePred(b, n.Pred)
		b.Close()
	case *match.Expr:
		b.Set("$expr", n.Source)
	case *match.Where:
		b.Set("$where", n.Source)
	case *match.Text:
		shown := n.Shown
		if shown == nil {
			shown = n.Source
		}
		b.SetDoc("$text", shown)
	case *match.Schema:
		b.SetDoc("$jsonSchema", n.Source)
	case *match.Never:
		b.Int32("$alwaysFalse", 1)
	}
}

func writeList(b *bsonval.Builder, name string, kids []*condition) {
	b.OpenArray(name)
	for _, k := range kids {
		b.ItemDoc(k.document())
	}
	b.Close()
}

func writePred(b *bsonval.Builder, p match.Pred) {
	if e, ok := p.(*match.ElemMatch); ok && e.Node != nil {
		b.OpenDoc("$elemMatch")
		normalize(e.Node, nil).write(b)
		b.Close()
		return
	}
	match.WritePred(b, p)
}

// shape is the condition without its values: queries of one shape share plans.
func (c *condition) shape(b *strings.Builder) {
	if c == nil {
		return
	}
	b.WriteByte(byte('A' + c.rank))
	b.WriteString(c.path)
	b.WriteByte(0)
	if c.pred != nil {
		shapePred(b, c.pred)
	}
	if len(c.kids) == 0 && c.pred == nil {
		b.Write(c.document())
	}
	for _, k := range c.kids {
		k.shape(b)
	}
	b.WriteByte(';')
}

func shapePred(b *strings.Builder, p match.Pred) {
	switch p := p.(type) {
	case *match.Not:
		b.WriteByte('!')
		b.WriteByte(byte('A' + predRank(p.Pred)))
		shapePred(b, p.Pred)
	case *match.Cmp:
		b.WriteByte('0' + p.Value.Type().Order()%8)
		if p.Value.Type() == bsonval.Null || p.Value.Type() == bsonval.Array {
			b.WriteString(p.Value.Type().String())
		}
	case *match.ExprCmp:
		b.WriteByte('0' + p.Value.Type().Order()%8)
	case *match.In:
		if len(p.Regexes) > 0 {
			b.WriteByte('r')
		}
	case *match.Both:
		for _, x := range p.Preds {
			shapePred(b, x)
		}
	case *match.ElemMatch:
		if p.Node != nil {
			normalize(p.Node, nil).shape(b)
		} else {
			shapePred(b, p.Pred)
		}
	}
}
