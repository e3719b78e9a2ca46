package agg

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
)

// firstStages are the stages that can only stand first: they make rows of their own or
// say how the collection is read.
func firstStages(name string) compiler {
	switch name {
	case "$documents":
		return compileDocuments
	case "$collStats", "$indexStats", "$currentOp", "$changeStream", "$listSessions", "$listLocalSessions", "$planCacheStats", "$listCatalog":
		return compileSpecial
	case "$listSampledQueries", "$queryStats", "$querySettings", "$operationMetrics":
		return func(*Env, string, bsonval.Value) (Stage, error) {
			return nil, mongoerr.New(mongoerr.CommandNotSupported, "the stage %s is not supported by this server", name)
		}
	case "$shardedDataDistribution":
		return func(*Env, string, bsonval.Value) (Stage, error) {
			return nil, mongoerr.New(6789101, "The $shardedDataDistribution stage can only be run on mongoS")
		}
	case "$geoNear":
		return compileGeoNear
	case "$search", "$searchMeta", "$vectorSearch", "$listSearchIndexes":
		return func(*Env, string, bsonval.Value) (Stage, error) {
			return nil, mongoerr.New(31082, "Using %s and similar aggregation stages requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable.", name)
		}
	case "$changeStreamSplitLargeEvent":
		return func(_ *Env, name string, arg bsonval.Value) (Stage, error) {
			if arg.Type() != bsonval.Object || !arg.Doc().IsEmpty() {
				return nil, mongoerr.New(7182800, "%s spec should be an empty object", name)
			}
			return nil, mongoerr.New(mongoerr.IllegalOperation, "%s can only be used in a $changeStream pipeline", name)
		}
	}
	return nil
}

// special is a stage that the source answers.
type special struct {
	name string
	arg  bsonval.Value
}

func compileSpecial(env *Env, name string, arg bsonval.Value) (Stage, error) {
	if name == "$currentOp" && (env.DB != "admin" || env.Coll != "") {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "$currentOp must be run against the 'admin' database with {aggregate: 1}")
	}
	return special{name, arg}, nil
}

func (special) source() {}

// Start implements Stage.
func (s special) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	in.Close()
	it, ok, err := env.Source.Special(env.Op, env.DB, env.Coll, s.name, s.arg)
	if err == nil && !ok {
		err = mongoerr.New(mongoerr.CommandNotSupported, "the stage %s is not supported by this server", s.name)
	}
	return it, err
}

// documents is $documents.
type documents struct{ e expr.Expr }

func compileDocuments(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	e, err := expr.Compile(arg, env.Scope)
	return documents{e}, err
}

func (documents) source() {}

// Start implements Stage.
func (d documents) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	in.Close()
	env.Frame.ResetDoc(bsonval.EmptyDoc())
	v, err := d.e.Eval(env.Frame)
	if err != nil {
		return nil, err
	}
	if v.Type() != bsonval.Array {
		return nil, mongoerr.New(5858203, "an array is expected, but $documents evaluates to %s", v.Type())
	}
	var docs []bsonval.Doc
	for item := range v.Doc().Values() {
		if item.Type() != bsonval.Object {
			return nil, mongoerr.New(40228, "'newRoot' expression  must evaluate to an object, but resulting value was: %s. Type of resulting value: '%s'.", item, item.Type())
		}
		docs = append(docs, item.Doc())
	}
	return stream.Docs(docs), nil
}
