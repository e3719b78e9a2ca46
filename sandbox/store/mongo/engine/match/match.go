package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// Env is what a filter is compiled in.
type Env struct {
	Op    *opctx.Op   // its Collator orders strings
	Scope *expr.Scope // variables that $expr may use; nil: none
	// Plain refuses the operators that need more than a value: in array filters, in $pull.
	Plain bool
	// NoExpr refuses $expr: an upsert couldn't tell what the new document is to have.
	NoExpr bool
	// Bare refuses those alone that need a collection: in filters of lists.
	Bare bool
	// Geo compiles a geospatial operator; nil: they are refused.
	Geo func(op string, arg bsonval.Doc) (func(bsonval.Value) (bool, error), error)
}

// Matcher is a compiled filter. It holds no state of a run: goroutines may share it.
type Matcher struct {
	Source bsonval.Doc
	Root   Node
	env    Env
}

// run is one document's examination.
type run struct {
	op    *opctx.Op
	frame *expr.Frame
	coll  bsonval.Collator
	row   stream.Row
	index int // the place in the array that a positional $ means; -1: none
}

// Match tells whether doc matches, under op.
func (m *Matcher) Match(op *opctx.Op, doc bsonval.Doc) (bool, error) {
	_, ok, err := m.MatchIndex(op, doc)
	return ok, err
}

// MatchIndex is Match that also answers the place in the array that made it match,
// for the positional operator; -1 where no array was crossed.
func (m *Matcher) MatchIndex(op *opctx.Op, doc bsonval.Doc) (index int, ok bool, err error) {
	r := &run{op: op, coll: op.Collator, row: stream.Row{Doc: doc}, index: -1}
	ok, err = m.Root.matches(r, doc)
	return r.index, ok, err
}

// MatchIn is Match for a row within a pipeline, whose variables frame holds.
func (m *Matcher) MatchIn(frame *expr.Frame, row stream.Row) (bool, error) {
	return new(Asker).Ask(m.Root, frame, row)
}

// Asker is MatchIn for one goroutine with many rows, which costs no memory for each.
type Asker struct{ run run }

// Ask tells whether the row matches root, with the variables that frame holds.
func (a *Asker) Ask(root Node, frame *expr.Frame, row stream.Row) (bool, error) {
	a.run = run{op: frame.Op, coll: frame.Op.Collator, row: row, frame: frame, index: -1}
	return root.matches(&a.run, row.Doc)
}

// Fields are the paths that the filter asks about, in order, each once.
func (m *Matcher) Fields() []string { return fields(m.Root, nil) }

func fields(n Node, out []string) []string {
	switch n := n.(type) {
	case *And:
		return fieldsOf(n.Nodes, out)
	case *Or:
		return fieldsOf(n.Nodes, out)
	case *Nor:
		return fieldsOf(n.Nodes, out)
	case *Field:
		for _, p := range out {
			if p == n.Path {
				return out
			}
		}
		return append(out, n.Path)
	}
	return out
}

func fieldsOf(nodes []Node, out []string) []string {
	for _, n := range nodes {
		out = fields(n, out)
	}
	return out
}

// MatchPartial is Match for an index's partialFilterExpression, which depends on the
// document and the index's collation alone.
func (m *Matcher) MatchPartial(doc bsonval.Doc, coll bsonval.Collator) (bool, error) {
	r := run{coll: coll, row: stream.Row{Doc: doc}, index: -1}
	return m.Root.matches(&r, doc)
}
