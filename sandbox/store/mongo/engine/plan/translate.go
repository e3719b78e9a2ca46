package plan

import (
	"math"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
)

// tightness says how well bounds stand for the condition that they were made from.
type tightness int

const (
	exact       tightness = iota // a key in the bounds is a document that satisfies it
	byKey                        // the condition must be asked, and the key has what it needs
	unlessAsked                  // as exact, but the key doesn't tell null from a missing field
	byFetch                      // the condition must be asked of the whole document
)

// with is what two bounds are together.
func (t tightness) with(o tightness) tightness {
	if t > o {
		t, o = o, t
	}
	if t == byKey && o == unlessAsked {
		return byFetch
	}
	return o
}

// field is one field of an index as bounds for it are made.
type field struct {
	bounder
	multikey bool
	element  bool // the condition is on an element, of which the index has but the whole
	sparse   bool
	present  bool // only documents that have the field are in the index
	strings  bool // the index orders strings as the query does
	hashed   bool
	geo      *index.Def // the field is a geospatial index's cells; nil: values
	wild     bool       // of a wildcard index, where objects and whole arrays are no keys
	subtree  bool       // and with all that stands below the path
	dotted   bool       // the path has several parts
	arrays   bool       // some field of the index has arrays
}

// translate answers the values of the field that may satisfy p. ok is false when the
// index can't serve p at all.
func (f field) translate(p match.Pred) (l intervals, t tightness, ok bool) {
	if f.geo != nil {
		return f.cover(p)
	}
	if f.subtree {
		_, there := p.(*match.Exists)
		return everything(), exact, there
	}
	if f.wild && !scalar(p) {
		return nil, 0, false
	}
	switch p := p.(type) {
	case *match.Cmp:
		if f.sparse && p.Value.Type() == bsonval.Null {
			return nil, 0, false
		}
		if p.Op == match.EQ {
			return f.equal(p.Value)
		}
		return f.ordered(p)
	case *match.ExprCmp:
		return f.exprCmp(p)
	case *match.In:
		return f.in(p)
	case *match.Regex:
		if f.hashed || !f.strings || f.coll != nil {
			return nil, 0, false
		}
		return f.regex(p)
	case *match.Exists:
		if f.present && !f.multikey {
			return everything(), exact, true
		}
		return everything(), byFetch, true
	case *match.Type:
		return f.types(p)
	case *match.Mod:
		if f.hashed {
			return nil, 0, false
		}
		return intervals{{bsonval.DoubleValue(math.NaN()), bsonval.DoubleValue(math.Inf(1)), true, true}}, byKey, true
	case *match.Not:
		return f.not(p)
	case *match.Both:
		return f.both(p)
	case *match.ElemMatch:
		if p.Pred == nil || f.hashed || f.element {
			return nil, 0, false
		}
		inner := f
		inner.multikey, inner.sparse, inner.element = false, false, true // the conditions speak of one element, which is there
		l, _, ok = inner.translate(p.Pred)
		return l, byFetch, ok
	}
	return nil, 0, false
}

// comparable tells whether the index orders v as the query does.
func (f field) comparable(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.String, bsonval.Symbol, bsonval.Object, bsonval.Array:
		return f.strings
	}
	return true
}

func (f field) equal(v bsonval.Value) (intervals, tightness, bool) {
	if !f.comparable(v) {
		return nil, 0, false
	}
	switch v.Type() {
	case bsonval.Null:
		if f.sparse || f.hashed || f.dotted && f.arrays {
			return intervals{point(v)}, byFetch, true
		}
		return intervals{point(v)}, unlessAsked, true
	case bsonval.Array:
		if f.hashed {
			return nil, 0, false
		}
		first := v.Doc().At(0)
		if first.IsMissing() {
			first = bsonval.UndefinedValue()
		}
		return f.union(intervals{point(v), point(first)}), byFetch, true
	}
	if f.hashed {
		return intervals{point(v)}, byFetch, true
	}
	return intervals{point(v)}, exact, true
}

func (f field) ordered(p *match.Cmp) (intervals, tightness, bool) {
	v := p.Value
	if f.hashed || !f.comparable(v) {
		return nil, 0, false
	}
	upward := p.Op == match.GT || p.Op == match.GTE
	in := p.Op == match.GTE || p.Op == match.LTE
	switch v.Type() {
	case bsonval.Null, bsonval.Undefined:
		if !in {
			return nil, exact, true
		}
		return f.equal(v)
	case bsonval.Array:
		return everything(), byFetch, true
	case bsonval.MinKey:
		if upward {
			return f.beyond(interval{lo: v, hi: bsonval.MaxKeyValue(), loIn: in, hiIn: true})
		}
	case bsonval.MaxKey:
		if !upward {
			return f.beyond(interval{lo: bsonval.MinKeyValue(), hi: v, loIn: true, hiIn: in})
		}
	}
	if v.IsNaN() {
		if !in {
			return nil, exact, true
		}
		return intervals{point(v)}, exact, true
	}
	i, ok := typeRange(v.Type())
	if !ok {
		return everything(), byFetch, true
	}
	if upward {
		i.lo, i.loIn = v, in
	} else {
		i.hi, i.hiIn = v, in
	}
	if t := v.Type(); t == bsonval.Symbol || t == bsonval.DBPointer {
		return f.union(intervals{i}), byFetch, true
	}
	return f.union(intervals{i}), exact, true
}

// beyond are the values that MinKey or MaxKey is compared with: those of all types. The
// array [MinKey] is more than MinKey, but its key is the same.
func (f field) beyond(i interval) (intervals, tightness, bool) {
	if f.multikey && !(i.loIn && i.hiIn) {
		return everything(), byFetch, true
	}
	return intervals{i}, exact, true
}

// exprCmp is a comparison across types. A missing value comes before all others, but
// stands as null in the index.
func (f field) exprCmp(p *match.ExprCmp) (intervals, tightness, bool) {
	v := p.Value
	low := v.Type().Order() <= bsonval.Null.Order() && v.Type() != bsonval.MinKey
	switch {
	case f.multikey, f.element, f.wild, !f.comparable(v), v.Type() == bsonval.Array, f.hashed && (p.Op != match.EQ || low):
		return nil, 0, false
	case f.sparse && (low || p.Op == match.LT || p.Op == match.LTE):
		return nil, 0, false
	case p.Op == match.EQ && v.Type() == bsonval.Null:
		return intervals{point(v)}, byFetch, true
	case low: // a document without the field looks like one with null
		return everything(), byFetch, true
	case p.Op == match.EQ:
		return f.equal(v)
	}
	i := interval{lo: bsonval.MinKeyValue(), hi: v, loIn: true, hiIn: p.Op == match.LTE}
	if p.Op == match.GT || p.Op == match.GTE {
		i = interval{lo: v, hi: bsonval.MaxKeyValue(), loIn: p.Op == match.GTE, hiIn: true}
	}
	return f.union(intervals{i}), exact, true
}

func (f field) in(p *match.In) (intervals, tightness, bool) {
	var all intervals
	tight := exact
	add := func(l intervals, t tightness, ok bool) bool {
		all, tight = append(all, l...), tight.with(t)
		return ok
	}
	for _, v := range p.Values {
		if f.sparse && v.Type() == bsonval.Null || !add(f.equal(v)) {
			return nil, 0, false
		}
	}
	for _, re := range p.Regexes {
		if !add(f.translate(re)) {
			return nil, 0, false
		}
	}
	return f.union(all), tight, true
}

// regex looks between the pattern's fixed beginning and what follows it, and at the
// pattern itself as a value.
func (f field) regex(p *match.Regex) (intervals, tightness, bool) {
	prefix, whole := p.Prefix()
	strings, _ := typeRange(bsonval.String)
	tight := byKey
	if after, ok := successor(prefix); ok {
		strings = interval{bsonval.StringValue(prefix), bsonval.StringValue(after), true, false}
		if whole && len(after) == len(prefix) {
			tight = exact
		}
	}
	return intervals{strings, point(p.Value)}, tight, true
}

// successor is the first string after all those that begin with prefix.
func successor(prefix string) (string, bool) {
	for n := len(prefix); n > 0; n-- {
		if c := prefix[n-1]; c < 0x7f {
			return prefix[:n-1] + string(rune(c+1)), true
		}
	}
	return "", false
}

func (f field) types(p *match.Type) (intervals, tightness, bool) {
	if f.hashed {
		return nil, 0, false
	}
	types := p.Types
	if p.Number {
		types = append(types[:len(types):len(types)], bsonval.Double)
	}
	var all intervals
	for _, t := range types {
		i, ok := typeRange(t)
		if !ok || t == bsonval.Array || t == bsonval.Undefined || t == bsonval.Null && f.sparse {
			return everything(), byFetch, true
		}
		if t.IsNumber() {
			i.lo = bsonval.DoubleValue(math.NaN())
		}
		all = append(all, i)
	}
	return f.union(all), f.typesTightness(p), true
}

// typesTightness is how well a key's place tells its type: numbers of all kinds lie
// together, and so do strings and symbols.
func (f field) typesTightness(p *match.Type) tightness {
	has := func(t bsonval.Type) bool { return slices.Contains(p.Types, t) }
	numbers := 0
	for _, t := range []bsonval.Type{bsonval.Int32, bsonval.Int64, bsonval.Double, bsonval.Decimal128} {
		if has(t) {
			numbers++
		}
	}
	switch {
	case has(bsonval.Null) || has(bsonval.Undefined) || f.coll != nil && (has(bsonval.String) || has(bsonval.Object)):
		return byFetch
	case f.wild && has(bsonval.Object):
		return byFetch
	case numbers > 0 && numbers < 4 && !p.Number, has(bsonval.String) != has(bsonval.Symbol):
		return byKey
	}
	return exact
}

// not looks everywhere but where the condition is surely satisfied.
func (f field) not(p *match.Not) (intervals, tightness, bool) {
	_, exists := p.Pred.(*match.Exists)
	if f.hashed && !exists {
		return nil, 0, false
	}
	missing := false // a document without the field satisfies p
	switch in := p.Pred.(type) {
	case *match.Exists:
		if f.sparse {
			return nil, 0, false
		}
		return intervals{point(bsonval.NullValue())}, byFetch, true
	case *match.Cmp:
		null := in.Value.Type() == bsonval.Null && in.Op != match.LT && in.Op != match.GT
		missing = !null
		if null {
			return f.notNull()
		}
		if in.Value.Type() == bsonval.Array {
			return nil, 0, false
		}
	case *match.In:
		missing = true
		for _, v := range in.Values {
			if v.Type() == bsonval.Null {
				missing = false
			}
			if v.Type() == bsonval.Array {
				return f.notNullOrEmpty(in)
			}
		}
		if len(in.Regexes) > 0 || !missing && f.multikey {
			return nil, 0, false
		}
	default:
		return nil, 0, false
	}
	if f.sparse && missing {
		return nil, 0, false
	}
	all := f
	all.sparse = all.sparse && missing // what isn't there doesn't satisfy p
	l, t, ok := all.translate(p.Pred)
	if !ok || t != exact && t != unlessAsked {
		return nil, 0, false
	}
	if f.multikey {
		return f.complement(l), byFetch, true
	}
	return f.complement(l), exact, true
}

// notNull is { $ne: null }: in an index without arrays the key says it all.
func (f field) notNull() (intervals, tightness, bool) {
	if f.multikey {
		return nil, 0, false
	}
	return f.complement(intervals{point(bsonval.NullValue())}), exact, true
}

// notNullOrEmpty is { $nin: [ null, [] ] }, the only list with an array that an index
// serves, as in the server.
func (f field) notNullOrEmpty(p *match.In) (intervals, tightness, bool) {
	if f.multikey || len(p.Values) != 2 || len(p.Regexes) > 0 || f.coll != nil || !f.strings {
		return nil, 0, false
	}
	null, empty := p.Values[0], p.Values[1]
	if null.Type() != bsonval.Null || empty.Type() != bsonval.Array || !empty.Doc().IsEmpty() {
		return nil, 0, false
	}
	return f.complement(intervals{point(null), point(empty)}), byFetch, true
}

func (f field) both(p *match.Both) (intervals, tightness, bool) {
	if f.multikey {
		return nil, 0, false
	}
	l, tight := everything(), exact
	for _, x := range p.Preds {
		more, t, ok := f.translate(x)
		if !ok {
			return nil, 0, false
		}
		l, tight = f.intersect(l, more), tight.with(t)
	}
	return l, tight, true
}

// scalar tells a condition that no object and no whole array satisfies, and none that
// isn't there: what a wildcard index can serve.
func scalar(p match.Pred) bool {
	switch p := p.(type) {
	case *match.Cmp:
		empty := p.Op == match.EQ || p.Op == match.LTE && p.Value.Type() == bsonval.Object
		return scalarValue(p.Value) || empty && emptyValue(p.Value)
	case *match.In:
		for _, v := range p.Values {
			if !scalarValue(v) && !emptyValue(v) {
				return false
			}
		}
		return true
	case *match.Regex, *match.Mod:
		return true
	case *match.Type:
		for _, t := range p.Types {
			if t == bsonval.Object || t == bsonval.Array || t == bsonval.Null || t == bsonval.Undefined {
				return false
			}
		}
		return true
	case *match.ElemMatch:
		return p.Pred != nil && scalar(p.Pred)
	case *match.Both:
		for _, x := range p.Preds {
			if !scalar(x) {
				return false
			}
		}
		return true
	}
	return false
}

// emptyValue tells the objects and arrays that are keys of a wildcard index, the array
// as undefined.
func emptyValue(v bsonval.Value) bool {
	return (v.Type() == bsonval.Object || v.Type() == bsonval.Array) && v.Doc().IsEmpty()
}

func scalarValue(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.Object, bsonval.Array, bsonval.Null, bsonval.Undefined, bsonval.MinKey, bsonval.MaxKey:
		return false
	}
	return true
}
