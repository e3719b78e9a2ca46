package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// nestedStages are the stages that hold pipelines.
func nestedStages(name string) compiler {
	switch name {
	case "$facet":
		return compileFacet
	case "$unionWith":
		return compileUnion
	case "$lookup":
		return compileLookup
	case "$graphLookup":
		return compileGraph
	}
	return nil
}

// inner is the environment of a pipeline within a stage.
func (env *Env) inner(in nesting, coll string, scope *expr.Scope) *Env {
	return &Env{Op: env.Op, DB: env.DB, Coll: coll, Source: env.Source, Scope: scope, Frame: env.Frame, Depth: env.Depth + 1, Geo: env.Geo, within: in}
}

type facetPart struct {
	name string
	p    *Pipeline
}

type facet []facetPart

func compileFacet(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	if arg.Type() != bsonval.Object || arg.Doc().IsEmpty() {
		return nil, mongoerr.New(40169, "the $facet specification must be a non-empty object")
	}
	var out facet
	for name, v := range arg.Doc().All() {
		switch {
		case strings.HasPrefix(name, "$"):
			return nil, mongoerr.New(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
		case strings.Contains(name, "."):
			return nil, mongoerr.New(16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField.")
		case v.Type() != bsonval.Array:
			return nil, mongoerr.New(40170, "arguments to $facet must be arrays, %s is type %s", name, v.Type())
		}
		p, err := Compile(v.Doc(), env.inner(inFacet, env.Coll, env.Scope))
		if err != nil {
			return nil, err
		}
		out = append(out, facetPart{name, p})
	}
	return out, nil
}

// Start implements Stage.
func (fc facet) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in)
		if err != nil {
			return nil, err
		}
		b := bsonval.NewBuilder(256)
		for _, part := range fc {
			it, err := part.p.Over(stream.Slice(rows))
			if err != nil {
				return nil, err
			}
			b.OpenArray(part.name)
			if err := appendAll(env, b, it); err != nil {
				return nil, err
			}
			b.Close()
		}
		return stream.Docs([]bsonval.Doc{b.Doc()}), nil
	}), nil
}

// readAll gathers rows, within the memory of one operation.
func readAll(env *Env, in stream.Iterator) ([]stream.Row, error) {
	var rows []stream.Row
	held := env.Op.HoldOrSpill(func(limit int64) error {
		return mongoerr.New(mongoerr.ExceededMemoryLimit, "aggregation stage holds more than its memory limit of %d bytes", limit)
	})
	for row, err := range remaining(env.Op, in) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		if err := held.Add(int64(len(row.Doc) + rowCost)); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// appendAll writes the rows' documents into the open array and closes the iterator.
func appendAll(env *Env, b *bsonval.Builder, it stream.Iterator) error {
	defer it.Close()
	held := env.Op.Hold(func(limit int64) error {
		return mongoerr.New(4031700, "document constructed by $facet is %d bytes, which exceeds the limit of %d bytes", b.Len(), limit)
	})
	for row, err := range remaining(env.Op, it) {
		if err != nil {
			return err
		}
		b.ItemDoc(row.Doc)
		if err := held.Add(int64(len(row.Doc))); err != nil {
			return err
		}
		if int64(b.Len()) > env.Op.Memory() {
			return mongoerr.New(4031700, "document constructed by $facet is %d bytes, which exceeds the limit of %d bytes", b.Len(), env.Op.Memory())
		}
	}
	return nil
}

// union is $unionWith.
type union struct{ p *Pipeline }

func compileUnion(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	coll, stages := arg, bsonval.EmptyDoc()
	if arg.Type() == bsonval.Object {
		coll = bsonval.Value{}
		for name, v := range arg.Doc().All() {
			switch name {
			case "coll":
				coll = v
			case "pipeline":
				if v.Type() != bsonval.Array {
					return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$unionWith.pipeline' is the wrong type '%s', expected type 'array'", v.Type())
				}
				stages = v.Doc()
			default:
				return nil, mongoerr.New(40415, "BSON field '$unionWith.%s' is an unknown field.", name)
			}
		}
		if coll.IsMissing() && !makesRows(stages) {
			return nil, mongoerr.New(mongoerr.FailedToParse, "$unionWith stage without explicit collection must have a pipeline with $documents as first stage")
		}
	} else if arg.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.FailedToParse, "the $unionWith stage specification must be an object or string, but found %s", arg.Type())
	}
	name := ""
	if !coll.IsMissing() {
		if coll.Type() != bsonval.String {
			return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$unionWith.coll' is the wrong type '%s', expected type 'string'", coll.Type())
		}
		name = coll.Str()
	}
	p, err := Compile(stages, env.inner(inUnion, name, env.Scope))
	return union{p}, err
}

// makesRows tells a pipeline that begins with $documents.
func makesRows(stages bsonval.Doc) bool {
	first := stages.At(0)
	return first.Type() == bsonval.Object && first.Doc().First().Name == "$documents"
}

// Start implements Stage.
func (u union) Start(_ *Env, in stream.Iterator) (stream.Iterator, error) {
	return &unioned{in: in, p: u.p}, nil
}

type unioned struct {
	in     stream.Iterator
	p      *Pipeline
	second bool
}

func (u *unioned) Next() (stream.Row, bool, error) {
	row, ok, err := u.in.Next()
	if ok || err != nil || u.second {
		return row, ok, err
	}
	u.in.Close()
	u.second = true
	in, err := u.p.Run()
	if err != nil {
		u.in = stream.Docs(nil)
		return row, false, err
	}
	u.in = in
	return u.in.Next()
}

func (u *unioned) Close() { u.in.Close() }
