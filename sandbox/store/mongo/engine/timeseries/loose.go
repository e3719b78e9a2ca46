package timeseries

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// looser makes conditions on buckets of conditions on measurements: a bucket that holds
// a measurement that satisfies one satisfies the other.
type looser struct {
	opts     Options
	collated bool // strings compare otherwise than in control.min and control.max
}

// maxListed bounds the values of a $in that are asked of buckets one by one.
const maxListed = 100

// loose answers the conditions that follow from one part of a filter; none when nothing
// follows.
func (l looser) loose(name string, v bsonval.Value) []bsonval.Doc {
	switch {
	case name == "$or" && allObjects(v) && !v.Doc().IsEmpty():
		return either(v.Doc(), func(branch bsonval.Value) []bsonval.Doc { return l.all(branch.Doc()) })
	case name == "$and" && allObjects(v):
		var out []bsonval.Doc
		for part := range v.Doc().Values() {
			out = append(out, l.all(part.Doc())...)
		}
		return out
	case name == "" || name[0] == '$':
		return nil
	case l.opts.root(name):
		return []bsonval.Doc{l.opts.toBucket(bsonval.D(bsonval.E(name, v)))}
	case v.Type() != bsonval.Object || v.Doc().First().Name == "" || v.Doc().First().Name[0] != '$':
		return l.compared(name, "$eq", v)
	}
	var out []bsonval.Doc
	for op, x := range v.Doc().All() {
		out = append(out, l.compared(name, op, x)...)
	}
	return out
}

// all are the conditions that follow from a whole filter.
func (l looser) all(filter bsonval.Doc) []bsonval.Doc {
	var out []bsonval.Doc
	for name, v := range filter.All() {
		out = append(out, l.loose(name, v)...)
	}
	return out
}

// either is the condition that follows from one of several; each must have one.
func either(several bsonval.Doc, follows func(bsonval.Value) []bsonval.Doc) []bsonval.Doc {
	b := bsonval.NewBuilder(256)
	b.OpenArray("$or")
	for v := range several.Values() {
		parts := follows(v)
		if len(parts) == 0 {
			return nil
		}
		b.ItemDoc(conjunction(parts))
	}
	return []bsonval.Doc{b.Close().Doc()}
}

// compared are the conditions that follow from one operator on a field that isn't the
// source's.
func (l looser) compared(path, op string, v bsonval.Value) []bsonval.Doc {
	switch op {
	case "$in":
		return l.listed(path, v)
	case "$exists":
		if !v.Truth() || path == l.opts.Time {
			return nil
		}
		yes := bsonval.D(bsonval.E("$exists", bsonval.BoolValue(true)))
		return []bsonval.Doc{bsonval.D(bsonval.E(minPath+path, bsonval.DocValue(yes))), bsonval.D(bsonval.E(maxPath+path, bsonval.DocValue(yes)))}
	case "$geoWithin", "$within", "$geoIntersects":
		if path == l.opts.Time {
			return nil
		}
		within := bsonval.D(bsonval.E("withinRegion", v), bsonval.E("field", bsonval.StringValue(path)))
		return []bsonval.Doc{bsonval.D(bsonval.E("$_internalBucketGeoWithin", bsonval.DocValue(within)))}
	case "$eq", "$gt", "$gte", "$lt", "$lte":
	default:
		return nil
	}
	switch {
	case path == l.opts.Time:
		if v.Type() != bsonval.Date {
			return nil
		}
		return l.opts.dated(op, v.Int64())
	case !l.eligible(v):
		return nil
	case op == "$eq":
		return []bsonval.Doc{asks(minPath+path, "$_internalExprLte", v), asks(maxPath+path, "$_internalExprGte", v)}
	case op == "$gt":
		return []bsonval.Doc{asks(maxPath+path, "$_internalExprGt", v)}
	case op == "$gte":
		return []bsonval.Doc{asks(maxPath+path, "$_internalExprGte", v)}
	case op == "$lt":
		return []bsonval.Doc{asks(minPath+path, "$_internalExprLt", v)}
	}
	return []bsonval.Doc{asks(minPath+path, "$_internalExprLte", v)}
}

// eligible tells a value whose place between the least and the greatest says something.
// Objects and arrays are bounded part by part, and null equals what isn't there.
func (l looser) eligible(v bsonval.Value) bool {
	switch v.Type() {
	case bsonval.Object, bsonval.Array, bsonval.Null, bsonval.Undefined, bsonval.Regex, bsonval.MinKey, bsonval.MaxKey:
		return false
	case bsonval.String, bsonval.Symbol:
		return !l.collated
	}
	return true
}

// listed is what follows from a $in: of one value at least.
func (l looser) listed(path string, v bsonval.Value) []bsonval.Doc {
	if v.Type() != bsonval.Array || v.Doc().IsEmpty() || v.Doc().Len() > maxListed {
		return nil
	}
	return either(v.Doc(), func(x bsonval.Value) []bsonval.Doc { return l.compared(path, "$eq", x) })
}

func asks(path, op string, v bsonval.Value) bsonval.Doc {
	return bsonval.D(bsonval.E(path, bsonval.DocValue(bsonval.D(bsonval.E(op, v)))))
}

// dated are the conditions that follow from one on the measurements' date: of the dates
// between which a bucket's lie, of how far they can be apart, and of the _id that begins
// with the first of them.
func (o Options) dated(op string, ms int64) []bsonval.Doc {
	span := o.MaxSpan * 1000
	var out []bsonval.Doc
	add := func(d bsonval.Doc, ok bool) {
		if ok {
			out = append(out, d)
		}
	}
	below := func(op string) { // buckets that begin before ms, and end not much later
		add(asks(minPath+o.Time, op, bsonval.DateValue(ms)), true)
		add(asks(maxPath+o.Time, op, bsonval.DateValue(ms+span)), ms+span > ms)
	}
	above := func(op string) { // buckets that end after ms, and begin not much earlier
		add(asks(maxPath+o.Time, op, bsonval.DateValue(ms)), true)
		add(asks(minPath+o.Time, op, bsonval.DateValue(ms-span)), ms-span < ms)
	}
	switch op {
	case "$eq":
		add(asks(minPath+o.Time, "$_internalExprLte", bsonval.DateValue(ms)), true)
		add(asks(minPath+o.Time, "$_internalExprGte", bsonval.DateValue(ms-span)), ms-span < ms)
		add(asks(maxPath+o.Time, "$_internalExprGte", bsonval.DateValue(ms)), true)
		add(asks(maxPath+o.Time, "$_internalExprLte", bsonval.DateValue(ms+span)), ms+span > ms)
		add(idOf("$lte", ms+999, 0xff))
		add(idOf("$gte", ms-span, 0))
	case "$gt":
		above("$_internalExprGt")
		add(idOf("$gt", ms-span, 0xff))
	case "$gte":
		above("$_internalExprGte")
		add(idOf("$gte", ms-span, 0))
	case "$lt":
		below("$_internalExprLt")
		add(idOf("$lt", ms+999, 0))
	case "$lte":
		below("$_internalExprLte")
		add(idOf("$lte", ms+999, 0xff))
	}
	return out
}

// idOf is a condition on the _id by the date that it begins with; none for a date that
// no _id can say: those of such buckets say the nearest one.
func idOf(op string, ms int64, rest byte) (bsonval.Doc, bool) {
	if ms < 1000 || floorSeconds(ms) >= math.MaxUint32 {
		return nil, false
	}
	return asks("_id", op, idAt(ms, rest)), true
}

// Whole is the filter on buckets all of whose measurements satisfy these filters, as
// explain shows it; nil where only single measurements tell.
func (o Options) Whole(filters []bsonval.Doc) bsonval.Doc {
	var out []bsonval.Doc
	for _, f := range filters {
		if f.Len() == 1 && f.First().Name == "$and" {
			parts := make([]bsonval.Doc, 0, 4)
			for v := range f.First().Value.Doc().Values() {
				parts = append(parts, v.Doc())
			}
			whole := o.Whole(parts)
			if whole == nil {
				return nil
			}
			out = append(out, whole)
			continue
		}
		for name, v := range f.All() {
			if name != o.Time || v.Type() != bsonval.Object || v.Doc().Len() != 1 {
				return nil
			}
			parts := wholly(name, v.Doc().First())
			if parts == nil {
				return nil
			}
			out = append(out, parts...)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return conjunction(out)
}

// wholly are the conditions on a bucket of which all dates satisfy one.
func wholly(name string, op bsonval.Element) []bsonval.Doc {
	if op.Value.Type() != bsonval.Date {
		return nil
	}
	least, most := asks(minPath+name, op.Name, op.Value), asks(maxPath+name, op.Name, op.Value)
	switch op.Name {
	case "$gt", "$gte":
		return []bsonval.Doc{least}
	case "$lt", "$lte":
		return []bsonval.Doc{most}
	case "$eq":
		return []bsonval.Doc{least, most}
	}
	return nil
}
