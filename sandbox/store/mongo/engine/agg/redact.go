package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// redactor is $redact. The three answers are variables that hold their own names.
type redactor struct {
	e       expr.Expr
	current int // the slot of $$CURRENT: the level that is looked at
	answers [3]int
}

const (
	descend = iota
	prune
	keep
)

func compileRedact(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	r := &redactor{}
	scope, slot := env.Scope.Define("CURRENT")
	r.current = slot
	for i, name := range [...]string{"DESCEND", "PRUNE", "KEEP"} {
		scope, r.answers[i] = scope.Define(name)
	}
	var err error
	if r.e, err = expr.Compile(arg, scope); err != nil {
		return nil, err
	}
	return each(r.apply), nil
}

func (r *redactor) apply(f *expr.Frame, row stream.Row) (bsonval.Doc, error) {
	f.Reset(row)
	for i, slot := range r.answers {
		f.Set(slot, bsonval.StringValue([...]string{"descend", "prune", "keep"}[i]))
	}
	v, err := r.level(f, bsonval.DocValue(row.Doc))
	if err != nil || v.IsMissing() {
		return nil, err
	}
	return v.Doc(), nil
}

// level redacts one document; Missing means that it is pruned.
func (r *redactor) level(f *expr.Frame, v bsonval.Value) (bsonval.Value, error) {
	if err := f.Op.Check(); err != nil {
		return v, err
	}
	f.Set(r.current, v)
	answer, err := r.e.Eval(f)
	if err != nil {
		return v, err
	}
	switch {
	case answer.Same(f.Var(r.answers[keep])):
		return v, nil
	case answer.Same(f.Var(r.answers[prune])):
		return bsonval.Value{}, nil
	case !answer.Same(f.Var(r.answers[descend])):
		return v, mongoerr.New(17053, "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned %s", answer)
	}
	b := bsonval.NewBuilder(v.Size())
	for it := v.Doc().Iter(); it.Next(); {
		below, err := r.value(f, it.Value())
		if err != nil {
			return v, err
		}
		b.Set(it.Name(), below)
	}
	return b.Value(), nil
}

func (r *redactor) value(f *expr.Frame, v bsonval.Value) (bsonval.Value, error) {
	switch v.Type() {
	case bsonval.Object:
		return r.level(f, v)
	case bsonval.Array:
		b := bsonval.NewBuilder(v.Size())
		for item := range v.Doc().Values() {
			below, err := r.value(f, item)
			if err != nil {
				return v, err
			}
			if !below.IsMissing() {
				b.Item(below)
			}
		}
		return b.Array(), nil
	}
	return v, nil
}
