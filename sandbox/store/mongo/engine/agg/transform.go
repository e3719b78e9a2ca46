package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/project"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// transformStages are the stages that make one document of each.
func transformStages(name string) compiler {
	switch name {
	case "$project":
		return compileProject
	case "$unset":
		return compileUnset
	case "$addFields", "$set":
		return compileAddFields
	case "$replaceRoot", "$replaceWith":
		return compileReplaceRoot
	case "$redact":
		return compileRedact
	}
	return nil
}

// each is a stage of a function from document to document. A nil document is left out.
type each func(f *expr.Frame, row stream.Row) (bsonval.Doc, error)

func (fn each) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return &mapped{Iterator: in, env: env, fn: fn}, nil
}

type mapped struct {
	stream.Iterator
	env *Env
	fn  each
}

func (m *mapped) Next() (stream.Row, bool, error) {
	for {
		row, ok, err := m.Iterator.Next()
		if !ok || err != nil {
			return row, false, err
		}
		if err := m.env.Op.Check(); err != nil {
			return row, false, err
		}
		d, err := m.fn(m.env.Frame, row)
		if err != nil {
			return row, false, err
		}
		if d != nil {
			row.Doc = d
			return row, true, nil
		}
	}
}

// caused says in which stage's specification an error stands.
func caused(stage string, err error) error {
	if err == nil {
		return nil
	}
	return mongoerr.From(err).Within("Invalid " + stage)
}

func compileProject(env *Env, name string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(15969, "$project specification must be an object")
	}
	if arg.Doc().IsEmpty() {
		return nil, mongoerr.New(51272, "Invalid $project :: caused by :: projection specification must have at least one field")
	}
	p, err := project.Compile(arg.Doc(), project.Env{Scope: env.Scope, Match: env.matchEnv()})
	if err != nil {
		return nil, caused(name, err)
	}
	return each(func(f *expr.Frame, row stream.Row) (bsonval.Doc, error) { return p.Apply(f, row) }), nil
}

func compileUnset(env *Env, name string, arg bsonval.Value) (Stage, error) {
	paths := []bsonval.Value{arg}
	if arg.Type() == bsonval.Array {
		paths = arg.Doc().Slice()
	}
	if len(paths) == 0 {
		return nil, mongoerr.New(31119, "$unset specification must be a string or an array with at least one field")
	}
	b := bsonval.NewBuilder(64)
	for _, p := range paths {
		if p.Type() != bsonval.String {
			return nil, mongoerr.New(31002, "$unset specification must be a string or an array containing only string values")
		}
		b.Int32(p.Str(), 0)
	}
	p, err := project.Compile(b.Doc(), project.Env{Scope: env.Scope, Match: env.matchEnv()})
	if err != nil {
		return nil, caused(name, err)
	}
	return each(func(f *expr.Frame, row stream.Row) (bsonval.Doc, error) { return p.Apply(f, row) }), nil
}

func compileReplaceRoot(env *Env, name string, arg bsonval.Value) (Stage, error) {
	if name == "$replaceRoot" {
		spec := arg
		if spec.Type() != bsonval.Object {
			return nil, mongoerr.New(40229, "expected an object as specification for $replaceRoot stage, got %s", spec.Type())
		}
		arg = bsonval.Value{}
		for field, v := range spec.Doc().All() {
			if field != "newRoot" {
				return nil, mongoerr.New(40415, "BSON field '$replaceRoot.%s' is an unknown field.", field)
			}
			arg = v
		}
		if arg.IsMissing() {
			return nil, mongoerr.New(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field")
		}
	}
	e, err := expr.Compile(arg, env.Scope)
	if err != nil {
		return nil, err
	}
	return each(func(f *expr.Frame, row stream.Row) (bsonval.Doc, error) {
		f.Reset(row)
		v, err := e.Eval(f)
		if err != nil {
			return nil, err
		}
		if v.Type() != bsonval.Object {
			word := "'newRoot' expression "
			if name == "$replaceWith" {
				word = "'replacement document' "
			}
			return nil, mongoerr.New(40228, "%s must evaluate to an object, but resulting value was: %s. Type of resulting value: '%s'. Input document: %s", word, orMissing(v), v.Type(), row.Doc)
		}
		return v.Doc(), nil
	}), nil
}

func orMissing(v bsonval.Value) string {
	if v.IsMissing() {
		return "MISSING"
	}
	return v.String()
}
