package plan

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/match"
)

// filterOrder is how a partial index's filter orders strings, and whether the query does
// so too.
type filterOrder struct {
	coll bsonval.Collator
	same bool
}

// implied tells whether every document that satisfies have satisfies want too. It is
// cautious: false says nothing.
func implied(want, have *condition, of filterOrder) bool {
	switch want.rank {
	case rankAnd:
		for _, w := range want.kids {
			if !implied(w, have, of) {
				return false
			}
		}
		return true
	case rankOr:
		for _, w := range want.kids {
			if implied(w, have, of) {
				return true
			}
		}
	}
	switch have.rank {
	case rankAnd:
		for _, h := range have.kids {
			if implied(want, h, of) {
				return true
			}
		}
		return false
	case rankOr:
		for _, h := range have.kids {
			if !implied(want, h, of) {
				return false
			}
		}
		return len(have.kids) > 0
	}
	if want.pred == nil || have.pred == nil || want.path != have.path {
		return false
	}
	return impliedPred(want.pred, have.pred, of)
}

func impliedPred(want, have match.Pred, of filterOrder) bool {
	if in, ok := have.(*match.In); ok && len(in.Regexes) == 0 && len(in.Values) > 0 {
		for _, v := range in.Values {
			if !impliedPred(want, &match.Cmp{Op: match.EQ, Value: v}, of) {
				return false
			}
		}
		return true
	}
	switch want := want.(type) {
	case *match.Exists:
		return present(have)
	case *match.Type:
		return impliedType(want, have)
	case *match.Cmp:
		h, ok := have.(*match.Cmp)
		return ok && impliedCmp(want, h, of)
	case *match.In:
		h, ok := have.(*match.Cmp)
		if !ok || h.Op != match.EQ || !plain(h.Value, of) {
			return false
		}
		for _, v := range want.Values {
			if bsonval.CompareWith(v, h.Value, of.coll) == 0 {
				return true
			}
		}
	}
	return false
}

// present tells a condition that no document without the field satisfies.
func present(p match.Pred) bool {
	switch p := p.(type) {
	case *match.Cmp:
		return p.Value.Type() != bsonval.Null
	case *match.Exists, *match.Type, *match.Regex, *match.Mod, *match.Size, *match.ElemMatch, *match.Bits, *match.Geo:
		return true
	case *match.Not:
		c, ok := p.Pred.(*match.Cmp)
		return ok && c.Op == match.EQ && c.Value.Type() == bsonval.Null
	}
	return false
}

// impliedType compares what is known of the value's type. An array's elements are
// asked too, so that the types need only hold for one of them in both.
func impliedType(want *match.Type, have match.Pred) bool {
	accepts := func(t bsonval.Type) bool {
		if want.Number && t.IsNumber() {
			return true
		}
		for _, w := range want.Types {
			if w == t {
				return true
			}
		}
		return false
	}
	h, ok := have.(*match.Type)
	if !ok {
		return false
	}
	for _, t := range h.Types {
		if !accepts(t) {
			return false
		}
	}
	return !h.Number || want.Number
}

// plain tells a value that the index's filter compares as the query does.
func plain(v bsonval.Value, of filterOrder) bool {
	if of.same {
		return true
	}
	switch v.Type() {
	case bsonval.String, bsonval.Symbol, bsonval.Object, bsonval.Array:
		return false
	}
	return true
}

// impliedCmp compares ranges: x > 5 implies x > 3.
func impliedCmp(want, have *match.Cmp, of filterOrder) bool {
	w, h := want.Value, have.Value
	if w.Type().Order() != h.Type().Order() || !plain(h, of) || w.Type() == bsonval.Array || w.IsNaN() || h.IsNaN() {
		return false
	}
	c := bsonval.CompareWith(h, w, of.coll)
	switch want.Op {
	case match.EQ:
		return have.Op == match.EQ && c == 0
	case match.GT:
		return c > 0 && (have.Op == match.EQ || have.Op == match.GT || have.Op == match.GTE) || c == 0 && have.Op == match.GT
	case match.GTE:
		return c >= 0 && (have.Op == match.EQ || have.Op == match.GT || have.Op == match.GTE)
	case match.LT:
		return c < 0 && (have.Op == match.EQ || have.Op == match.LT || have.Op == match.LTE) || c == 0 && have.Op == match.LT
	}
	return c <= 0 && (have.Op == match.EQ || have.Op == match.LT || have.Op == match.LTE)
}

// SameFilter tells filters of partial indexes that are one in their normal form.
func SameFilter(a, b *match.Matcher) bool {
	if a == nil || b == nil {
		return a == b
	}
	return string(normalize(a.Root, nil).document()) == string(normalize(b.Root, nil).document())
}
