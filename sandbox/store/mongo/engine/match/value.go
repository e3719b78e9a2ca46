package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// ValueMatcher matches single values, as $pull does with an array's elements.
type ValueMatcher struct {
	doc   *Matcher // for elements that are documents
	preds []Pred
}

// CompileValue compiles $pull's condition: an object of operators, or a pattern, asks
// the value; any other object is a filter for documents; all else must be equal.
func CompileValue(v bsonval.Value, env Env) (*ValueMatcher, error) {
	first := ""
	if v.Type() == bsonval.Object {
		first = v.Doc().First().Name
	}
	logical := first == "$and" || first == "$or" || first == "$nor"
	if v.Type() == bsonval.Object && (!isOperators(v) || logical) {
		m, err := Compile(v.Doc(), env)
		return &ValueMatcher{doc: m}, err
	}
	c := &compiler{env: env}
	preds, err := c.condition("", v)
	return &ValueMatcher{preds: preds}, err
}

// Match tells whether v matches.
func (m *ValueMatcher) Match(op *opctx.Op, v bsonval.Value) (bool, error) {
	if m.doc != nil {
		if v.Type() != bsonval.Object {
			return false, nil
		}
		return m.doc.Match(op, v.Doc())
	}
	wrapped := bsonval.D(bsonval.E("", v))
	r := &run{op: op, coll: op.Collator, row: stream.Row{Doc: wrapped}, index: -1}
	for _, p := range m.preds {
		if ok, err := (&Field{path: []string{""}, Pred: p}).matches(r, wrapped); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// CompileElemMatch compiles the argument of a projection's $elemMatch.
func CompileElemMatch(v bsonval.Value, env Env) (*ElemMatch, error) {
	p, err := (&compiler{env: env}).elemMatch(v)
	if err != nil {
		return nil, err
	}
	return p.(*ElemMatch), nil
}

// First answers the place of the first element of v that matches, -1 for none.
func (p *ElemMatch) First(op *opctx.Op, v bsonval.Value) (int, error) {
	r := &run{op: op, coll: op.Collator, index: -1}
	ok, err := p.accepts(r, v)
	if !ok {
		return -1, err
	}
	return r.index, err
}
