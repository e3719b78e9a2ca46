package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Why tells why a document does not match, as the error of a validator does.
func (m *Matcher) Why(op *opctx.Op, doc bsonval.Doc) bsonval.Doc {
	r := &run{op: op, coll: op.Collator, row: stream.Row{Doc: doc}, index: -1}
	b := bsonval.NewBuilder(256)
	r.why(b, m.Root, doc, false)
	return b.Doc()
}

// why appends what n, which is not satisfied (or is, when turned), found in d.
func (r *run) why(b *bsonval.Builder, n Node, d bsonval.Doc, turned bool) {
	switch n := n.(type) {
	case *And:
		r.clauses(b, "$and", n.Nodes, d, turned)
	case *Or:
		r.clauses(b, "$or", n.Nodes, d, turned)
	case *Nor:
		r.clauses(b, "$nor", n.Nodes, d, !turned)
	case *Schema:
		b.Fields(n.Why(d))
	case *Field:
		r.whyField(b, n, d, turned)
	default:
		name := "$expr"
		var spec bsonval.Builder
		writeNode(&spec, n)
		as := spec.Doc()
		if first := as.First().Name; first != "" {
			name = first
		}
		b.Str("operatorName", name).SetDoc("specifiedAs", as).Str("reason", turnedReason("expression did not match", "expression did match", turned))
		if name == "$expr" {
			b.Bool("expressionResult", turned)
		}
	}
}

func turnedReason(plain, other string, turned bool) string {
	if turned {
		return other
	}
	return plain
}

// clauses lists the nodes that are to blame, each with its place.
func (r *run) clauses(b *bsonval.Builder, name string, nodes []Node, d bsonval.Doc, turned bool) {
	list := "clausesNotSatisfied"
	if turned {
		list = "clausesSatisfied"
	}
	b.Str("operatorName", name).OpenArray(list)
	for i, n := range nodes {
		if ok, err := n.matches(r, d); err != nil || ok != turned {
			continue
		}
		b.OpenItem().Int32("index", int32(i)).OpenDoc("details")
		r.why(b, n, d, turned)
		b.Close().Close()
	}
	b.Close()
}

func (r *run) whyField(b *bsonval.Builder, n *Field, d bsonval.Doc, turned bool) {
	var spec bsonval.Builder
	writeNode(&spec, n)
	as := spec.Doc()
	if not, ok := n.Pred.(*Not); ok {
		b.Str("operatorName", "$not").OpenDoc("details")
		r.whyField(b, newField(n.Path, not.Pred), d, !turned)
		b.Close()
		return
	}
	operator := as.First().Value.Doc().First().Name
	b.Str("operatorName", operator).SetDoc("specifiedAs", as)
	var values []bsonval.Value
	value := standing(bsonval.DocValue(d), n.path)
	if value.IsMissing() {
		if _, exists := n.Pred.(*Exists); exists {
			b.Str("reason", "path does not exist")
			return
		}
		b.Str("reason", "field was missing")
		return
	}
	if value.Type() == bsonval.Array && n.Pred.traversal() == leafAndArray {
		values = append(value.Doc().Slice(), value)
	}
	plain, other := reasons(n.Pred)
	b.Str("reason", turnedReason(plain, other, turned))
	if values != nil {
		b.Set("consideredValues", bsonval.ArrayOf(values...))
		return
	}
	b.Set("consideredValue", value)
	if _, ok := n.Pred.(*Type); ok {
		b.Str("consideredType", value.Type().String())
	}
}

// standing is what stands at a path, as far as arrays don't make it several values.
func standing(v bsonval.Value, path []string) bsonval.Value {
	for _, part := range path {
		switch v.Type() {
		case bsonval.Object:
			v = v.Doc().Get(part)
		case bsonval.Array:
			i, ok := bsonval.ArrayIndex(part)
			if !ok {
				return v
			}
			v = v.Doc().At(i)
		default:
			return bsonval.Value{}
		}
	}
	return v
}

// reasons are the server's words for a condition that failed, and for one under a
// negation that did not.
func reasons(p Pred) (failed, succeeded string) {
	switch p.(type) {
	case *Cmp:
		return "comparison failed", "comparison succeeded"
	case *In:
		return "no matching value found in array", "matching value found in array"
	case *Exists:
		return "path does not exist", "path does exist"
	case *Type:
		return "type did not match", "type did match"
	case *Regex:
		return "regular expression did not match", "regular expression did match"
	case *Size:
		return "array length was not equal to given size", "array length was equal to given size"
	case *Mod:
		return "$mod did not evaluate to expected remainder", "$mod did evaluate to expected remainder"
	case *ElemMatch:
		return "array did not satisfy the child predicate", "array did satisfy the child predicate"
	case *Bits:
		return "bitwise operator failed to match", "bitwise operator matched successfully"
	case *Geo:
		return "none of the considered geometries was contained within the expression's geometry", "at least one of the considered geometries was contained within the expression's geometry"
	}
	return "condition failed", "condition succeeded"
}
