package plan

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// valid refuses what can't stand together in one query, whether or not there is a
// collection: more than one $text or $near, either with another order or hint, and a
// sort or projection by what the query finds out nothing about. metas are the names in
// its projection.
func (q *Query) valid(cond *condition, metas []string) error {
	near, err := nearCondition(cond, true)
	if err != nil {
		return err
	}
	texts := texts(cond, nil)
	refused := func(why string) error { return mongoerr.New(mongoerr.BadValue, "%s", why) }
	natural, hinted := onlyNatural(q.Sort), q.hinted()
	switch {
	case len(texts) > 1:
		return refused("Too many text expressions")
	case len(texts) == 1 && underNor(cond, false):
		return refused("text expression not allowed in nor")
	case near != nil && q.Near != nil:
		return refused("Too many geoNear expressions")
	case near != nil && q.Tailable:
		return refused("Tailable cursors and geo $near cannot be used together")
	case near != nil && natural:
		return refused("geoNear expression not allowed with $natural sort order")
	case near != nil && hinted == natOrder:
		return refused("geoNear expression not allowed with $natural hint")
	case near != nil && len(texts) > 0:
		return refused("text and geoNear not allowed in same query")
	case len(texts) > 0 && natural:
		return refused("text expression not allowed with $natural sort order")
	case len(texts) > 0 && hinted != "":
		return refused("text and hint not allowed in same query")
	}
	return q.metaAvailable(metas, len(texts) > 0, near != nil || q.Near != nil)
}

// natOrder is the hint at the collection itself.
const natOrder = "$natural"

// hinted is the name of the index that the query wants, "$natural" for none, "" where it
// doesn't say.
func (q *Query) hinted() string {
	switch v := q.Hint; v.Type() {
	case bsonval.String:
		return v.Str()
	case bsonval.Object:
		if !v.Doc().IsEmpty() {
			return v.Doc().First().Name
		}
	}
	return ""
}

// texts are the query's conditions by words.
func texts(c *condition, out []*condition) []*condition {
	if _, ok := c.node.(*match.Text); ok {
		return append(out, c)
	}
	for _, k := range c.kids {
		out = texts(k, out)
	}
	return out
}

func underNor(c *condition, within bool) bool {
	if _, ok := c.node.(*match.Text); ok {
		return within
	}
	return slices.ContainsFunc(c.kids, func(k *condition) bool { return underNor(k, within || c.rank == rankNor) })
}

// metaAvailable refuses a sort or projection by a score or distance that nothing gives.
func (q *Query) metaAvailable(metas []string, text, near bool) error {
	if slices.Contains(metas, "sortKey") && len(q.Sort) <= 5 {
		return mongoerr.New(mongoerr.BadValue, "cannot use sortKey $meta projection without a sort")
	}
	return expr.MetaAvailable(slices.Concat(metas, expr.Metas(bsonval.DocValue(q.Sort)), q.Metas), text, near)
}
