package plan

import (
	"cmp"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
)

// condition is a filter in its normal form: nested conjunctions are one, a $or of
// equalities on one field is a $in, and the order is the server's.
type condition struct {
	node match.Node   // asks it of a document
	kids []*condition // of a conjunction, disjunction or $nor
	path string       // of a field's
	pred match.Pred
	rank int
}

// The server's order of conditions in a conjunction, as far as it shows in explain.
const (
	rankAnd = iota
	rankOr
	rankElemMatchObject
	rankElemMatchValue
	rankSize
	rankEQ
	rankLTE
	rankLT
	rankGT
	rankGTE
	rankRegex
	rankMod
	rankExists
	rankIn
	rankBits
	rankNot
	rankNor
	rankType
	rankGeo
	rankWhere
	rankExpr
	rankNever
	rankText
	rankExprEQ
	rankExprGT
	rankExprGTE
	rankExprLT
	rankExprLTE
	rankOther
)

// normalize answers the filter in normal form.
func normalize(n match.Node, coll bsonval.Collator) *condition {
	c := &condition{node: n, rank: rankOther}
	switch n := n.(type) {
	case *match.And:
		return conjunction(n.Nodes, coll)
	case *match.Or:
		return disjunction(n, coll)
	case *match.Nor:
		c.rank = rankNor
		for _, x := range n.Nodes {
			c.kids = append(c.kids, normalize(x, coll))
		}
	case *match.Field:
		if unsatisfiable(n.Pred) {
			return never()
		}
		if not, ok := n.Pred.(*match.Not); ok && unsatisfiable(not.Pred) {
			return conjunction(nil, coll)
		}
		c.path, c.pred, c.rank = n.Path, n.Pred, predRank(n.Pred)
	case *match.Expr:
		c.rank = rankExpr
		return c.withComparisons(n)
	case *match.Schema:
		return c.withPresence(n)
	case *match.Where:
		c.rank = rankWhere
	case *match.Never:
		c.rank = rankNever
	case *match.Text:
		c.rank = rankText
	}
	return c
}

// unsatisfiable tells a condition that no value satisfies: { $in: [] }.
func unsatisfiable(p match.Pred) bool {
	in, ok := p.(*match.In)
	return ok && len(in.Values)+len(in.Regexes) == 0
}

func never() *condition { return &condition{node: &match.Never{}, rank: rankNever} }

// always tells the conjunction of nothing.
func (c *condition) always() bool { return c.rank == rankAnd && len(c.kids) == 0 }

func predRank(p match.Pred) int {
	switch p := p.(type) {
	case *match.Cmp:
		switch p.Op {
		case match.EQ:
			return rankEQ
		case match.LTE:
			return rankLTE
		case match.LT:
			return rankLT
		case match.GT:
			return rankGT
		}
		return rankGTE
	case *match.ExprCmp:
		return exprRank(p.Op)
	case *match.In:
		return rankIn
	case *match.Regex:
		return rankRegex
	case *match.Mod:
		return rankMod
	case *match.Exists:
		return rankExists
	case *match.Size:
		return rankSize
	case *match.Not:
		return rankNot
	case *match.Type:
		return rankType
	case *match.Bits:
		return rankBits
	case *match.Geo:
		return rankGeo
	case *match.ElemMatch:
		if p.Node != nil {
			return rankElemMatchObject
		}
		return rankElemMatchValue
	}
	return rankOther
}

func exprRank(op match.CmpOp) int {
	switch op {
	case match.EQ:
		return rankExprEQ
	case match.GT:
		return rankExprGT
	case match.GTE:
		return rankExprGTE
	case match.LT:
		return rankExprLT
	}
	return rankExprLTE
}

func conjunction(nodes []match.Node, coll bsonval.Collator) *condition {
	var kids []*condition
	for _, n := range nodes {
		k := normalize(n, coll)
		switch k.rank {
		case rankNever:
			return k
		case rankAnd:
			kids = append(kids, k.kids...)
		default:
			kids = append(kids, k)
		}
	}
	return and(kids)
}

// and is the conjunction of conditions in normal form, none of which is one; of one
// condition it is that.
func and(kids []*condition) *condition {
	if len(kids) == 1 {
		return kids[0]
	}
	c := &condition{rank: rankAnd, kids: kids}
	c.sort()
	c.node = conjunct(kids)
	return c
}

// conjunct is the node that asks all the conditions.
func conjunct(cs []*condition) match.Node {
	nodes := make([]match.Node, len(cs))
	for i, k := range cs {
		nodes[i] = k.node
	}
	if len(nodes) == 1 {
		return nodes[0]
	}
	return &match.And{Nodes: nodes}
}

func (c *condition) sort() {
	slices.SortStableFunc(c.kids, func(a, b *condition) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.path, b.path))
	})
}

// disjunction joins nested ones, and makes a $in of equalities on the same field.
func disjunction(or *match.Or, coll bsonval.Collator) *condition {
	c := &condition{rank: rankOr}
	for _, n := range or.Nodes {
		k := normalize(n, coll)
		switch {
		case k.always():
			return k
		case k.rank == rankNever:
		case k.rank == rankOr:
			c.kids = append(c.kids, k.kids...)
		default:
			c.kids = append(c.kids, k)
		}
	}
	if len(c.kids) == 0 {
		return never()
	}
	c.joinEqualities(coll)
	if len(c.kids) == 1 {
		return c.kids[0]
	}
	c.sort()
	nodes := make([]match.Node, len(c.kids))
	for i, k := range c.kids {
		nodes[i] = k.node
	}
	c.node = &match.Or{Nodes: nodes}
	return c
}

func (c *condition) joinEqualities(coll bsonval.Collator) {
	values := map[string][]bsonval.Value{}
	for _, k := range c.kids {
		if v, ok := k.equality(); ok {
			values[k.path] = append(values[k.path], v)
		}
	}
	var kids []*condition
	for _, k := range c.kids {
		_, ok := k.equality()
		vs := values[k.path]
		switch {
		case !ok || len(vs) == 1:
			kids = append(kids, k)
		case len(vs) > 1:
			kids = append(kids, normalize(match.NewIn(k.path, vs, coll), coll))
			values[k.path] = []bsonval.Value{}
		}
	}
	c.kids = kids
}

// equality answers the value that the condition says the field equals.
func (c *condition) equality() (bsonval.Value, bool) {
	p, ok := c.pred.(*match.Cmp)
	if !ok || p.Op != match.EQ {
		return bsonval.Value{}, false
	}
	return p.Value, true
}

// conjuncts are the conditions that must all hold.
func (c *condition) conjuncts() []*condition {
	if c == nil {
		return nil
	}
	if c.rank == rankAnd {
		return c.kids
	}
	return []*condition{c}
}
