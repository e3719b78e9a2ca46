package bsonval

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
)

// Collator orders strings by the rules of a language. Package collation makes them;
// nil stands for the simple binary order.
type Collator interface {
	// Compare answers a negative number, 0 or a positive one.
	Compare(a, b string) int
	// AppendKey appends bytes that compare as Compare does.
	AppendKey(dst []byte, s string) []byte
}

// Compare orders a and b across all types in the simple binary order: negative when
// a comes first, 0 when equal. Numbers compare by value whatever their types, NaN
// before all of them, -0 equal to 0. Missing equals undefined and comes before null.
func Compare(a, b Value) int { return CompareWith(a, b, nil) }

// Equal is Compare(a, b) == 0: 1 and 1.0 are equal.
func Equal(a, b Value) bool { return CompareWith(a, b, nil) == 0 }

// CompareWith is Compare with strings ordered by c, at any depth.
func CompareWith(a, b Value, c Collator) int {
	if d := int(order[a.t]) - int(order[b.t]); d != 0 {
		return d
	}
	switch a.t {
	case Int32, Int64, Double, Decimal128:
		return compareNumbers(a, b)
	case String, Symbol:
		if c != nil {
			return c.Compare(a.Str(), b.Str())
		}
		return cmp.Compare(a.Str(), b.Str())
	case Object, Array:
		return CompareDocs(a.Doc(), b.Doc(), a.t == Object, c)
	case Bool, Timestamp:
		return cmp.Compare(a.n, b.n)
	case Date:
		return cmp.Compare(int64(a.n), int64(b.n))
	case ObjectID:
		return bytes.Compare(a.b, b.b)
	case Code:
		return cmp.Compare(a.Str(), b.Str())
	case Binary:
		return compareBinary(a.b, b.b)
	case Regex, DBPointer, CodeScope:
		return compareRare(a, b)
	}
	return 0
}

// CompareDocs compares element by element: type, then name when names is set, then
// value; the one that ends first comes first.
func CompareDocs(a, b Doc, names bool, c Collator) int {
	x, y := a.Iter(), b.Iter()
	for {
		switch p, q := x.Next(), y.Next(); {
		case !p && !q:
			return 0
		case !p:
			return -1
		case !q:
			return 1
		}
		v, w := x.Value(), y.Value()
		if d := int(order[v.t]) - int(order[w.t]); d != 0 {
			return d
		}
		if names {
			if d := cmp.Compare(x.Name(), y.Name()); d != 0 {
				return d
			}
		}
		if d := CompareWith(v, w, c); d != 0 {
			return d
		}
	}
}

// compareBinary orders by length, then subtype, then bytes, as the server does.
func compareBinary(a, b []byte) int {
	x, y := binary.LittleEndian.Uint32(a), binary.LittleEndian.Uint32(b)
	if x != y {
		return cmp.Compare(x, y)
	}
	return bytes.Compare(a[4:], b[4:])
}

func compareRare(a, b Value) int {
	switch a.t {
	case Regex:
		p, o := a.Regex()
		q, r := b.Regex()
		return cmp.Or(cmp.Compare(p, q), cmp.Compare(o, r))
	case DBPointer:
		return cmp.Or(cmp.Compare(len(a.b), len(b.b)), bytes.Compare(a.b[4:], b.b[4:]))
	}
	p, s := a.CodeScope()
	q, t := b.CodeScope()
	if d := cmp.Compare(p, q); d != 0 {
		return d
	}
	return CompareDocs(s, t, true, nil)
}

func compareNumbers(a, b Value) int {
	switch {
	case a.t == Decimal128 || b.t == Decimal128:
		return compareDecimals(a, b)
	case a.t == Double && b.t == Double:
		return cmp.Compare(a.Double(), b.Double()) // NaN first, -0 equals 0
	case a.t == Double:
		return compareDoubleLong(a.Double(), int64(b.n))
	case b.t == Double:
		return -compareDoubleLong(b.Double(), int64(a.n))
	}
	return cmp.Compare(int64(a.n), int64(b.n))
}

// compareDoubleLong compares exactly, also where a long is no double.
func compareDoubleLong(f float64, i int64) int {
	switch {
	case math.IsNaN(f) || f < -(1<<63):
		return -1
	case f >= 1<<63:
		return 1
	}
	whole, frac := math.Modf(f)
	if d := cmp.Compare(int64(whole), i); d != 0 {
		return d
	}
	return cmp.Compare(frac, 0)
}

func compareDecimals(a, b Value) int {
	x, y := a.decimal(), b.decimal()
	if x.class != y.class || x.class != finite {
		return cmp.Compare(x.class, y.class)
	}
	return x.rat().Cmp(y.rat())
}

// rat is the exact value of a finite decimal.
func (d decimal) rat() *big.Rat {
	if d.exp >= 0 {
		return new(big.Rat).SetInt(new(big.Int).Mul(d.digits, pow10(d.exp)))
	}
	return new(big.Rat).SetFrac(d.digits, pow10(-d.exp))
}
