package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Describe is the filter as explain shows it: { $and: [ { a: { $eq: 1 } }, … ] }.
func (m *Matcher) Describe() bsonval.Doc {
	b := bsonval.NewBuilder(128)
	if and, ok := m.Root.(*And); ok && len(and.Nodes) > 1 {
		writeNodes(b, "$and", and.Nodes)
	} else {
		writeNode(b, m.Root)
	}
	return b.Doc()
}

// writeNode appends a filter's fields.
func writeNode(b *bsonval.Builder, n Node) {
	switch n := n.(type) {
	case *And:
		for _, k := range n.Nodes {
			writeNode(b, k)
		}
	case *Or:
		writeNodes(b, "$or", n.Nodes)
	case *Nor:
		writeNodes(b, "$nor", n.Nodes)
	case *Field:
		if g, ok := n.Pred.(*BucketGeo); ok {
			b.SetDoc("$_internalBucketGeoWithin", g.Arg)
			return
		}
		b.OpenDoc(n.Path)
		WritePred(b, n.Pred)
		b.Close()
	case *Expr:
		b.Set("$expr", n.Source)
	case *Where:
		b.Set("$where", n.Source)
	case *Text:
		b.SetDoc("$text", n.Source)
	case *Schema:
		b.SetDoc("$jsonSchema", n.Source)
	case *Never:
		b.Int32("$alwaysFalse", 1)
	}
}

func writeNodes(b *bsonval.Builder, name string, nodes []Node) {
	b.OpenArray(name)
	for _, n := range nodes {
		b.OpenItem()
		writeNode(b, n)
		b.Close()
	}
	b.Close()
}

// WritePred appends a condition's operators: $gt: 5.
func WritePred(b *bsonval.Builder, p Pred) {
	switch p := p.(type) {
	case *Cmp:
		b.Set(string(p.Op), p.Value)
	case *ExprCmp:
		b.Set(p.Name(), p.Value)
	case *In:
		b.OpenArray("$in")
		for _, v := range p.Values {
			b.Item(v)
		}
		for _, re := range p.Regexes {
			b.Item(re.Value)
		}
		b.Close()
	case *Not:
		b.OpenDoc("$not")
		WritePred(b, p.Pred)
		b.Close()
	case *Both:
		for _, x := range p.Preds {
			WritePred(b, x)
		}
	case *Exists:
		b.Bool("$exists", true)
	case *Type:
		writeTypes(b, p)
	case *Mod:
		b.Set("$mod", bsonval.ArrayOf(bsonval.NumberValue(p.Divisor), bsonval.NumberValue(p.Remainder)))
	case *Size:
		b.Number("$size", p.N)
	case *Regex:
		pattern, options := p.Value.Regex()
		b.Str("$regex", pattern)
		if options != "" {
			b.Str("$options", options)
		}
	case *ElemMatch:
		b.OpenDoc("$elemMatch")
		if p.Node != nil {
			writeNode(b, p.Node)
		} else {
			WritePred(b, p.Pred)
		}
		b.Close()
	case *Bits:
		b.OpenArray(p.Op)
		for _, i := range p.Bits {
			b.Item(bsonval.IntValue(int32(i)))
		}
		b.Close()
	case *Geo:
		b.Fields(p.Source)
	}
}

func writeTypes(b *bsonval.Builder, p *Type) {
	b.OpenArray("$type")
	if p.Number {
		b.ItemStr("number")
	}
	for _, t := range p.Types {
		b.Item(bsonval.IntValue(int32(t.Code())))
	}
	b.Close()
}
