// Package match compiles query filters and tells whether documents match them.
//
// A filter becomes a tree of Nodes that is exported, because the planner (package
// plan) reads bounds from it. Path and array semantics are the server's: a path that
// crosses an array means any of its elements, a path that ends at one means the array
// itself and each element.
package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
)

// Node is one node of a compiled filter.
type Node interface {
	matches(r *run, doc bsonval.Doc) (bool, error)
}

type (
	// And, Or and Nor hold one or more nodes; an And of none matches everything.
	And struct{ Nodes []Node }
	Or  struct{ Nodes []Node }
	Nor struct{ Nodes []Node }

	// Never matches nothing ($alwaysFalse, an empty $in).
	Never struct{}

	// Field asks one predicate of what stands at a path.
	Field struct {
		Path string
		Pred Pred
		path []string // Path cut at its dots
	}

	// Expr is $expr.
	Expr struct {
		Source bsonval.Value
		e      expr.Expr
	}

	// Text is $text. Source is its argument; Match is bound by the planner or the
	// command, which know the collection's text index; without it $text is an error.
	Text struct {
		Source bsonval.Doc
		Shown  bsonval.Doc // as explain tells it; nil: as Source
		Match  func(doc bsonval.Doc) (bool, error)
	}

	// Where is $where.
	Where struct {
		Source bsonval.Value
		e      expr.Expr
	}

	// Schema is $jsonSchema. Source is its argument.
	Schema struct {
		Source bsonval.Doc
		root   *schema
	}
)

// Pred is what a Field asks of a value.
type Pred interface {
	// traversal says how arrays at the end of the path are asked: the elements
	// and the array, or only the array, or the field as a whole.
	traversal() traversal
	// accepts tells whether one value, perhaps Missing, satisfies it.
	accepts(r *run, v bsonval.Value) (bool, error)
}

type traversal int

const (
	leafAndArray traversal = iota // each element of a final array, and the array
	arrayOnly                     // the value as it stands: $size, $elemMatch, $type:'array' …
)

// CmpOp is one of the ordering operators.
type CmpOp string

const (
	EQ  CmpOp = "$eq"
	GT  CmpOp = "$gt"
	GTE CmpOp = "$gte"
	LT  CmpOp = "$lt"
	LTE CmpOp = "$lte"
)

type (
	// Cmp is $eq, $gt, $gte, $lt, $lte with their type bracketing.
	Cmp struct {
		Op    CmpOp
		Value bsonval.Value
	}

	// In is $in: one of the values or patterns. Values are sorted.
	In struct {
		Values  []bsonval.Value
		Regexes []*Regex
		keys    map[string]bool
		null    bool
	}

	// Not is $not, $ne and $nin: the field does not satisfy Pred.
	Not struct{ Pred Pred }

	// Both is several predicates of one $not or $elemMatch.
	Both struct{ Preds []Pred }

	// Exists is $exists: true. $exists: false is a Not of it.
	Exists struct{}

	// Type is $type.
	Type struct {
		Types  []bsonval.Type
		Number bool // "number"
	}

	// Mod is $mod.
	Mod struct{ Divisor, Remainder int64 }

	// Size is $size.
	Size struct{ N int64 }

	// ElemMatch is $elemMatch: either Node for elements that are documents, or Pred
	// for values.
	ElemMatch struct {
		Node Node
		Pred Pred
	}

	// Bits is $bitsAllSet and its three sisters.
	Bits struct {
		Op   string
		Bits []uint // sorted positions
	}

	// Geo is $geoWithin, $geoIntersects, $near and $nearSphere. Test is compiled by
	// package geo; Near are left to the planner, and alone match all.
	Geo struct {
		Op     string
		Source bsonval.Doc // all that stands beside the operator
		Test   func(v bsonval.Value) (bool, error)
	}
)
