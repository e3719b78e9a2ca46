package plan

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
)

// withComparisons adds to a $expr the comparisons of fields with constants that must
// hold for it to: an index may serve them. {$expr: {$gt: ["$a", 5]}} gets
// {a: {$_internalExprGt: 5}}, as in the server.
func (c *condition) withComparisons(n *match.Expr) *condition {
	return and(comparisons(n.Source, []*condition{c}))
}

// withPresence adds to a $jsonSchema that the fields it requires are there, which
// indexes can tell.
func (c *condition) withPresence(n *match.Schema) *condition {
	required := n.Source.Get("required")
	if required.Type() != bsonval.Array {
		return c
	}
	all := []*condition{c}
	for v := range required.Doc().Values() {
		if name := v.Str(); name != "" && name[0] != '$' && !strings.Contains(name, ".") { // else it is no path
			all = append(all, normalize(match.NewField(name, &match.Exists{}), nil))
		}
	}
	return and(all)
}

// turned are the operators that compare, and what they are with their sides exchanged.
var turned = map[string]match.CmpOp{"$eq": match.EQ, "$gt": match.LT, "$gte": match.LTE, "$lt": match.GT, "$lte": match.GTE} //nolint:gochecknoglobals // constant

func comparisons(e bsonval.Value, out []*condition) []*condition {
	if e.Type() != bsonval.Object || e.Doc().Len() != 1 {
		return out
	}
	op := e.Doc().First()
	back, compares := turned[op.Name]
	if op.Value.Type() != bsonval.Array || op.Name != "$and" && !compares {
		return out
	}
	args := op.Value.Doc().Slice()
	if op.Name == "$and" {
		for _, a := range args {
			out = comparisons(a, out)
		}
		return out
	}
	if len(args) != 2 {
		return out
	}
	if c := comparison(args[0], args[1], match.CmpOp(op.Name)); c != nil {
		return append(out, c)
	}
	if c := comparison(args[1], args[0], back); c != nil {
		return append(out, c)
	}
	return out
}

// comparison is that of a field with a constant; nil when one of the two is none.
func comparison(field, constant bsonval.Value, op match.CmpOp) *condition {
	v, ok := literal(constant)
	if !ok || field.Type() != bsonval.String || !strings.HasPrefix(field.Str(), "$") || strings.HasPrefix(field.Str(), "$$") || len(field.Str()) == 1 {
		return nil
	}
	path := field.Str()[1:]
	if numeric(path) {
		return nil // a place in an array to a filter, a field's name to an expression
	}
	n := match.NewField(path, &match.ExprCmp{Op: op, Value: v})
	return &condition{node: n, path: path, pred: n.Pred, rank: predRank(n.Pred)}
}

// literal is the value of an expression that is one.
func literal(e bsonval.Value) (bsonval.Value, bool) {
	switch e.Type() {
	case bsonval.Object:
		if op := e.Doc().First(); e.Doc().Len() == 1 && (op.Name == "$literal" || op.Name == "$const") {
			t := op.Value.Type()
			return op.Value, t != bsonval.Object && t != bsonval.Array && t != bsonval.Regex && t != bsonval.Undefined
		}
		return e, false
	case bsonval.Array, bsonval.Regex, bsonval.Undefined:
		return e, false
	case bsonval.String:
		return e, !strings.HasPrefix(e.Str(), "$")
	}
	return e, true
}
