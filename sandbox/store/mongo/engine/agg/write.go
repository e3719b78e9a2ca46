package agg

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// writeStages are the stages that write and stand last.
func writeStages(name string) compiler {
	switch name {
	case "$out":
		return compileOut
	case "$merge":
		return compileMerge
	}
	return nil
}

type outStage struct {
	db, coll string
	series   bsonval.Doc // timeseries; nil: none
}

func compileOut(env *Env, _ string, arg bsonval.Value) (Stage, error) {
	o := outStage{db: env.DB}
	switch arg.Type() {
	case bsonval.String:
		o.coll = arg.Str()
	case bsonval.Object:
		for name, v := range arg.Doc().All() {
			switch {
			case name == "timeseries" && v.Type() != bsonval.Object:
				return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$out.timeseries' is the wrong type '%s', expected type 'object'", v.Type())
			case name == "timeseries":
				if _, err := timeseries.Parse(v.Doc(), "$out.timeseries."); err != nil {
					return nil, err
				}
				o.series = v.Doc()
			case name != "db" && name != "coll":
				return nil, mongoerr.New(40415, "BSON field '$out.%s' is an unknown field.", name)
			case v.Type() != bsonval.String:
				return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$out.%s' is the wrong type '%s', expected type 'string'", name, v.Type())
			case name == "db":
				o.db = v.Str()
			default:
				o.coll = v.Str()
			}
		}
	default:
		return nil, mongoerr.New(16990, "$out only supports a string or object argument, but found %s", arg.Type())
	}
	switch {
	case o.coll == "":
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid $out target namespace, %s.%s", o.db, o.coll)
	case strings.HasPrefix(o.coll, "system."):
		return nil, mongoerr.New(17385, "Can't $out to special collection: %s", o.coll)
	case isInternal(o.db):
		return nil, mongoerr.New(31321, "Can't $out to internal database: %s", o.db)
	}
	return o, nil
}

// isInternal tells the databases that are the server's own.
func isInternal(db string) bool { return db == "admin" || db == "config" || db == "local" }

// mayMergeInto refuses the same for $merge.
func mayMergeInto(db, coll string) error {
	switch {
	case strings.HasPrefix(coll, "system."):
		return mongoerr.New(31319, "Cannot $merge to special collection: %s", coll)
	case isInternal(db):
		return mongoerr.New(31320, "Cannot $merge to internal database: %s", db)
	}
	return nil
}

// Start implements Stage.
func (o outStage) Start(env *Env, in stream.Iterator) (stream.Iterator, error) {
	return blocking(in, func() (stream.Iterator, error) {
		rows, err := readAll(env, in)
		if err != nil {
			return nil, err
		}
		docs := make([]bsonval.Doc, len(rows))
		for i, r := range rows {
			docs[i] = r.Doc
		}
		return stream.Docs(nil), env.Source.Replace(env.Op, o.db, o.coll, docs, o.series)
	}), nil
}
