// Package expr compiles and evaluates aggregation expressions: what stands in
// $project, $expr, $set with a pipeline, accumulators' arguments.
//
// An expression is compiled once into a tree of Expr with variables bound to slots,
// then evaluated for many documents in a Frame. Each family of operators is one file
// with one lookup function, listed in families.
package expr

import (
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Expr is a compiled expression. It holds no state: many frames may share it.
type Expr interface {
	// Eval answers the expression's value for the frame's row. Missing means that
	// a field would not be there at all.
	Eval(f *Frame) (bsonval.Value, error)
}

// Frame is what an expression sees while it is evaluated: the document, and the
// variables that $let, $map and the command have set. One goroutine uses it.
type Frame struct {
	Op   *opctx.Op
	Row  stream.Row
	root bsonval.Value
	vars []bsonval.Value

	scratch []byte                    // for keys that are looked at and forgotten
	zones   map[string]*time.Location // time zones that the documents named
}

// NewFrame makes a frame for a pipeline or a query under op, with the command's let
// variables set as scope was told about them.
func NewFrame(op *opctx.Op) *Frame {
	f := &Frame{Op: op}
	slot := 0
	for _, v := range op.Let.All() {
		if v.Type() == bsonval.Undefined { // a command's way to keep one without a value
			v = bsonval.Value{}
		}
		f.Set(slot, v)
		slot++
	}
	return f
}

// Reset makes row the document that fields and $$ROOT speak of.
func (f *Frame) Reset(row stream.Row) {
	f.Row = row
	f.root = bsonval.DocValue(row.Doc)
}

// ResetDoc is Reset for a document without anything beside it.
func (f *Frame) ResetDoc(d bsonval.Doc) { f.Reset(stream.Row{Doc: d}) }

// Root is $$ROOT.
func (f *Frame) Root() bsonval.Value { return f.root }

// Set gives the variable in that slot its value.
func (f *Frame) Set(slot int, v bsonval.Value) {
	for len(f.vars) <= slot {
		f.vars = append(f.vars, bsonval.Value{})
	}
	f.vars[slot] = v
}

// Var is the value of the variable in that slot.
func (f *Frame) Var(slot int) bsonval.Value {
	if slot >= len(f.vars) {
		return bsonval.Value{}
	}
	return f.vars[slot]
}

// Scope knows the variables' names while compiling. It is immutable: Define answers
// an inner one.
type Scope struct {
	outer *Scope
	name  string
	slot  int
	depth int
}

// NewScope is the outermost scope of a command, with its let variables.
func NewScope(let bsonval.Doc) *Scope {
	s := &Scope{slot: -1}
	for name := range let.All() {
		s, _ = s.Define(name)
	}
	return s
}

// Define answers a scope in which name is bound, and the slot to Set. A name that is
// bound already is hidden by the new one.
func (s *Scope) Define(name string) (*Scope, int) {
	inner := &Scope{outer: s, name: name, slot: s.slot + 1, depth: s.depth}
	return inner, inner.slot
}

// Lookup answers the slot of a variable.
func (s *Scope) Lookup(name string) (slot int, ok bool) {
	for ; s != nil && s.outer != nil; s = s.outer {
		if s.name == name {
			return s.slot, true
		}
	}
	return 0, false
}

// deeper is the scope one level of nesting further in.
func (s *Scope) deeper() (*Scope, error) {
	if s.depth >= maxDepth {
		return nil, mongoerr.New(mongoerr.Overflow, "expression nests more than %d levels deep", maxDepth)
	}
	inner := *s
	inner.depth++
	return &inner, nil
}

// maxDepth bounds the nesting of expressions: the evaluator calls itself.
const maxDepth = 500

// Const is an expression that always has that value.
func Const(v bsonval.Value) Expr { return constant{v} }

// IsConst tells a compiled constant and its value.
func IsConst(e Expr) (bsonval.Value, bool) {
	c, ok := e.(constant)
	return c.v, ok
}

type constant struct{ v bsonval.Value }

func (c constant) Eval(*Frame) (bsonval.Value, error) { return c.v, nil }

// Func makes an expression of a Go function.
type Func func(f *Frame) (bsonval.Value, error)

func (fn Func) Eval(f *Frame) (bsonval.Value, error) { return fn(f) }

// Beyond is s whose new slots lie beyond those of inner, which was defined from it.
// The step between them has no name, so that no variable of s changes its slot.
func (s *Scope) Beyond(inner *Scope) *Scope {
	return &Scope{outer: s, slot: inner.slot, depth: s.depth}
}
