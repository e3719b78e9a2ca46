package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
)

// Leading splits off what an index may serve: $match, $sort, $skip and $limit at the
// beginning, and $geoNear's search. What remains is the rest.
func (p *Pipeline) Leading() (Query, *Pipeline) {
	q := Query{Let: p.env.Scope, Frame: p.env.Frame, Hint: p.env.Hint, Score: p.env.scores, IndexKey: p.env.keys}
	rest := *p
	if len(rest.Stages) > 0 {
		if g, ok := rest.Stages[0].Stage.(*geoNear); ok {
			arg := g.search(p.env.Frame)
			q.Near, q.Filter = &arg, g.query
			return q, &rest
		}
		if u, ok := rest.Stages[0].Stage.(*unpack); ok {
			return p.leadingBuckets(q, u)
		}
	}
	var filters []bsonval.Doc
	sorted := false
	for len(rest.Stages) > 0 {
		s := rest.Stages[0]
		switch st := s.Stage.(type) {
		case matchStage:
			filters = append(filters, s.Arg.Doc())
		case *sortStage: // what filters after a sort filters as well before it
			if sorted || !p.mayPush(st) {
				return p.leadingEnd(q, filters, &rest)
			}
			sorted, q.Sort = true, s.Arg.Doc()
		default:
			return p.leadingEnd(q, filters, &rest)
		}
		rest.Stages = rest.Stages[1:]
	}
	return p.leadingEnd(q, filters, &rest)
}

// mayPush tells a $sort that the source can do.
func (p *Pipeline) mayPush(s *sortStage) bool {
	for _, part := range s.order.Parts {
		if part.Meta != "" {
			return false
		}
	}
	return !p.env.sortKeys
}

// leadingEnd takes a $skip and a $limit, and puts the filters together.
func (p *Pipeline) leadingEnd(q Query, filters []bsonval.Doc, rest *Pipeline) (Query, *Pipeline) {
	if len(rest.Stages) > 0 {
		if n, ok := rest.Stages[0].Stage.(skipStage); ok {
			q.Skip = int64(n)
			rest.Stages = rest.Stages[1:]
		}
	}
	if len(rest.Stages) > 0 {
		if n, ok := rest.Stages[0].Stage.(limitStage); ok {
			q.Limit = int64(n)
			rest.Stages = rest.Stages[1:]
		}
	}
	for _, f := range filters[:len(filters):len(filters)] {
		filters = append(filters, p.narrowed(f)...)
	}
	q.Projection, _ = rest.Needs()
	if q.Skip == 0 && q.Limit == 0 {
		q.Distinct, q.Whole, q.Last = rest.distinct(q.Sort)
	}
	q.Filter = allOf(filters)
	return q, rest
}

// allOf is the filter that asks all of these; nil for none.
func allOf(filters []bsonval.Doc) bsonval.Doc {
	switch len(filters) {
	case 0:
		return nil
	case 1:
		return filters[0]
	}
	var b bsonval.Builder
	b.OpenArray("$and")
	for _, f := range filters {
		b.ItemDoc(f)
	}
	return b.Doc()
}

// narrowed are filters that follow from f's $expr and that an index may serve:
// {$expr: {$eq: ["$a", "$$x"]}} can only hold where {a: <x's value>} does. They matter
// for the $match of a $lookup's pipeline.
func (p *Pipeline) narrowed(f bsonval.Doc) []bsonval.Doc {
	s, ok := p.env.Source.(Indexed)
	if !ok {
		return nil
	}
	var out []bsonval.Doc
	for _, pair := range equalities(f.Get("$expr"), nil) {
		for i, side := range pair {
			field, isField := plainField(side)
			if !isField || !s.Indexed(p.env.Op, p.env.DB, p.env.Coll, field) {
				continue
			}
			if v, ok := p.known(pair[1-i]); ok {
				out = append(out, equalTo(field, []bsonval.Value{v}))
				break
			}
		}
	}
	return out
}

// equalities are the argument pairs of the $eq that must hold for e to.
func equalities(e bsonval.Value, out [][2]bsonval.Value) [][2]bsonval.Value {
	if e.Type() != bsonval.Object {
		return out
	}
	op := e.Doc().First()
	if op.Value.Type() != bsonval.Array {
		return out
	}
	switch op.Name {
	case "$eq":
		if op.Value.Doc().Len() == 2 {
			out = append(out, [2]bsonval.Value{op.Value.Doc().At(0), op.Value.Doc().At(1)})
		}
	case "$and":
		for v := range op.Value.Doc().Values() {
			out = equalities(v, out)
		}
	}
	return out
}

// plainField is the path of "$a.b"; paths with numbers mean other things in filters.
func plainField(v bsonval.Value) (string, bool) {
	if v.Type() != bsonval.String || !strings.HasPrefix(v.Str(), "$") || strings.HasPrefix(v.Str(), "$$") {
		return "", false
	}
	path := v.Str()[1:]
	for part := range strings.SplitSeq(path, ".") {
		if _, ok := bsonval.ArrayIndex(part); ok {
			return "", false
		}
	}
	return path, path != ""
}

// known is the value of a side that doesn't depend on the collection's documents: a
// variable or a literal. Null and arrays equal other things in filters.
func (p *Pipeline) known(v bsonval.Value) (bsonval.Value, bool) {
	if v.Type() == bsonval.String && strings.HasPrefix(v.Str(), "$") {
		name, _, _ := strings.Cut(strings.TrimPrefix(v.Str(), "$$"), ".")
		if _, ok := p.env.Scope.Lookup(name); !ok || !strings.HasPrefix(v.Str(), "$$") {
			return v, false
		}
		e, err := expr.Compile(v, p.env.Scope)
		if err != nil {
			return v, false
		}
		if v, err = e.Eval(p.env.Frame); err != nil {
			return v, false
		}
	} else if v.Type() == bsonval.Object {
		return v, false
	}
	return v, !v.IsNullish() && v.Type() != bsonval.Array
}
