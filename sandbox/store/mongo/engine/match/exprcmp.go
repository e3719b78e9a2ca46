package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// ExprCmp compares as an expression does, across all types, a missing value before all
// others: $_internalExprGt and its like. It says yes wherever it meets an array, so it
// only narrows what something else decides. The server makes it of $expr, and of
// conditions on a time series for its buckets.
type ExprCmp struct {
	Op    CmpOp
	Value bsonval.Value
}

// exprOps are the operators' names by those of the comparisons.
var exprOps = map[CmpOp]string{EQ: "$_internalExprEq", GT: "$_internalExprGt", GTE: "$_internalExprGte", LT: "$_internalExprLt", LTE: "$_internalExprLte"} //nolint:gochecknoglobals // constant

// Name is the operator as a filter has it.
func (p *ExprCmp) Name() string { return exprOps[p.Op] }

// exprCmp is the predicate of that name; nil for any other operator.
func exprCmp(name string, v bsonval.Value) Pred {
	for op, of := range exprOps {
		if of == name {
			return &ExprCmp{op, v}
		}
	}
	return nil
}

func (*ExprCmp) traversal() traversal { return arrayOnly }

func (p *ExprCmp) accepts(r *run, v bsonval.Value) (bool, error) {
	if v.Type() == bsonval.Array {
		return true, nil
	}
	return p.Op.holds(bsonval.CompareWith(v, p.Value, r.coll)), nil
}
