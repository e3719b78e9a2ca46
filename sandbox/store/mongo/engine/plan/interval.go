package plan

import (
	"math"
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// interval is a range of values of one field, lo never above hi.
type interval struct {
	lo, hi     bsonval.Value
	loIn, hiIn bool
}

// intervals are ranges in ascending order that don't overlap.
type intervals []interval

func point(v bsonval.Value) interval { return interval{v, v, true, true} }

func everything() intervals {
	return intervals{{bsonval.MinKeyValue(), bsonval.MaxKeyValue(), true, true}}
}

func (l intervals) isEverything() bool {
	return len(l) == 1 && l[0].lo.Type() == bsonval.MinKey && l[0].hi.Type() == bsonval.MaxKey && l[0].loIn && l[0].hiIn
}

// bounder compares values as one index does.
type bounder struct{ coll bsonval.Collator }

func (b bounder) compare(x, y bsonval.Value) int { return bsonval.CompareWith(x, y, b.coll) }

// isPoint tells a range of one value.
func (b bounder) isPoint(i interval) bool {
	return i.loIn && i.hiIn && b.compare(i.lo, i.hi) == 0
}

func (b bounder) allPoints(l intervals) bool {
	for _, i := range l {
		if !b.isPoint(i) {
			return false
		}
	}
	return len(l) > 0
}

// empty tells a range that holds nothing.
func (b bounder) empty(i interval) bool {
	c := b.compare(i.lo, i.hi)
	return c > 0 || c == 0 && !(i.loIn && i.hiIn)
}

// union sorts ranges and joins those that overlap or touch.
func (b bounder) union(l intervals) intervals {
	l = slices.DeleteFunc(l, b.empty)
	slices.SortStableFunc(l, func(x, y interval) int {
		if c := b.compare(x.lo, y.lo); c != 0 {
			return c
		}
		return boolOrder(!x.loIn, !y.loIn)
	})
	var out intervals
	for _, i := range l {
		if n := len(out); n > 0 {
			last := &out[n-1]
			c := b.compare(i.lo, last.hi)
			if c < 0 || c == 0 && (i.loIn || last.hiIn) {
				if d := b.compare(i.hi, last.hi); d > 0 {
					last.hi, last.hiIn = i.hi, i.hiIn
				} else if d == 0 {
					last.hiIn = last.hiIn || i.hiIn
				}
				continue
			}
		}
		out = append(out, i)
	}
	return out
}

func boolOrder(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// intersect keeps what is in both.
func (b bounder) intersect(x, y intervals) intervals {
	var out intervals
	for i, j := 0, 0; i < len(x) && j < len(y); {
		p, q := x[i], y[j]
		both := p
		if c := b.compare(q.lo, p.lo); c > 0 || c == 0 && !q.loIn {
			both.lo, both.loIn = q.lo, q.loIn
		}
		c := b.compare(q.hi, p.hi)
		if c < 0 || c == 0 && !q.hiIn {
			both.hi, both.hiIn = q.hi, q.hiIn
		}
		if !b.empty(both) {
			out = append(out, both)
		}
		if c < 0 || c == 0 && !q.hiIn {
			j++
		} else {
			i++
		}
	}
	return out
}

// complement is everything but l.
func (b bounder) complement(l intervals) intervals {
	var out intervals
	at := interval{lo: bsonval.MinKeyValue(), loIn: true}
	for _, i := range l {
		at.hi, at.hiIn = i.lo, !i.loIn
		if !b.empty(at) {
			out = append(out, at)
		}
		at = interval{lo: i.hi, loIn: !i.hiIn}
	}
	at.hi, at.hiIn = bsonval.MaxKeyValue(), true
	if !b.empty(at) {
		out = append(out, at)
	}
	return out
}

// typeRange is the range of all values of v's type; whole is false for types whose
// values no range of their own bounds.
func typeRange(t bsonval.Type) (i interval, whole bool) {
	switch t {
	case bsonval.Int32, bsonval.Int64, bsonval.Double, bsonval.Decimal128:
		return interval{bsonval.DoubleValue(math.Inf(-1)), bsonval.DoubleValue(math.Inf(1)), true, true}, true
	case bsonval.String, bsonval.Symbol:
		return interval{bsonval.StringValue(""), bsonval.DocValue(bsonval.EmptyDoc()), true, false}, true
	case bsonval.Object:
		return interval{bsonval.DocValue(bsonval.EmptyDoc()), bsonval.ArrayOf(), true, false}, true
	case bsonval.Array:
		return interval{bsonval.ArrayOf(), bsonval.BinaryValue(0, nil), true, false}, true
	case bsonval.Binary:
		return interval{bsonval.BinaryValue(0, nil), bsonval.ObjectIDValue([12]byte{}), true, false}, true
	case bsonval.ObjectID:
		return interval{bsonval.ObjectIDValue([12]byte{}), bsonval.ObjectIDValue([12]byte([]byte(strings.Repeat("\xff", 12)))), true, true}, true
	case bsonval.Bool:
		return interval{bsonval.BoolValue(false), bsonval.BoolValue(true), true, true}, true
	case bsonval.Date:
		return interval{bsonval.DateValue(math.MinInt64), bsonval.DateValue(math.MaxInt64), true, true}, true
	case bsonval.Timestamp:
		return interval{bsonval.TimestampValue(0, 0), bsonval.TimestampValue(math.MaxUint32, math.MaxUint32), true, true}, true
	case bsonval.Regex:
		return interval{bsonval.RegexValue("", ""), leastPointer(), true, false}, true
	case bsonval.DBPointer:
		return interval{leastPointer(), bsonval.CodeValue(""), true, false}, true
	case bsonval.Code:
		return interval{bsonval.CodeValue(""), leastScoped(), true, false}, true
	case bsonval.CodeScope:
		return interval{leastScoped(), bsonval.MaxKeyValue(), true, false}, true
	case bsonval.Null, bsonval.Undefined, bsonval.MinKey, bsonval.MaxKey:
		v := bsonval.RawValue(t, nil)
		return point(v), true
	}
	return interval{}, false
}

// leastPointer is the first of the DBPointers: of no collection, to an id of zeros.
func leastPointer() bsonval.Value {
	return bsonval.RawValue(bsonval.DBPointer, append([]byte{1, 0, 0, 0, 0}, make([]byte, 12)...))
}

// leastScoped is the first piece of code with a scope: both are empty.
func leastScoped() bsonval.Value {
	return bsonval.RawValue(bsonval.CodeScope, []byte{14, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0})
}

// text is the range as explain writes it: [1, 5), ("a", {}). A descending field has
// its ends turned around.
func (i interval) text(backward bool, c bsonval.Collator) string {
	lo, hi, left, right := i.lo, i.hi, i.loIn, i.hiIn
	if backward {
		lo, hi, left, right = hi, lo, right, left
	}
	var b strings.Builder
	b.WriteByte("(["[bit(left)])
	b.WriteString(boundText(lo, c))
	b.WriteString(", ")
	b.WriteString(boundText(hi, c))
	b.WriteByte(")]"[bit(right)])
	return b.String()
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// boundText is a value as bounds show it: doubles always with a point (inf.0 too), and
// strings under a collation as the bytes of their key.
func boundText(v bsonval.Value, c bsonval.Collator) string {
	if v.Type() == bsonval.String && c != nil && v.Str() != "" {
		return "\"" + hexText(c.AppendKey(nil, v.Str())) + "\""
	}
	if v.Type() == bsonval.String || v.Type() == bsonval.Symbol {
		return "\"" + v.Str() + "\"" // without escapes
	}
	s := v.String()
	if v.Type() == bsonval.Double && !strings.ContainsAny(s, ".eE") {
		s += ".0"
	}
	return s
}

func hexText(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2+2*len(b))
	out = append(out, "0x"...)
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}
