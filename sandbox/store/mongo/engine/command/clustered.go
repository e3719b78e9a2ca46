package command

import (
	"math"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// clusteredOption checks create's clusteredIndex and answers it with the defaults
// filled in; Missing when it is false.
func clusteredOption(v bsonval.Value) (bsonval.Value, error) {
	const field = "create.clusteredIndex"
	switch {
	case v.Type() == bsonval.Bool && !v.Bool():
		return bsonval.Value{}, nil
	case v.Type() == bsonval.Bool:
		return v, mongoerr.New(5979703, "The 'clusteredIndex' legacy format {clusteredIndex: <bool>} is only supported for specific internal collections and vice versa")
	case v.Type() != bsonval.Object:
		return v, mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s' is the wrong type '%s', expected types '[bool, object]'", field, v.Type())
	}
	spec := v.Doc()
	if err := clusteredFields(spec, field); err != nil {
		return v, err
	}
	name := "_id_"
	if n := spec.Get("name"); n.Type() == bsonval.String {
		name = n.Str()
	}
	version := spec.Get("v")
	switch {
	case !spec.Get("unique").Truth():
		return v, mongoerr.New(5979700, "The clusteredIndex option requires unique: true to be specified")
	case bsonval.Compare(spec.Get("key"), bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))) != 0:
		return v, mongoerr.New(mongoerr.InvalidIndexSpecificationOption, "The clusteredIndex option is only supported for key: {_id: 1}")
	case !version.IsMissing() && version.Long() != 2:
		return v, mongoerr.New(5979704, "The only supported clusteredIndex version is v: 2")
	}
	var b bsonval.Builder
	b.Int32("v", 2).OpenDoc("key").Int32("_id", 1).Close().Str("name", name).Bool("unique", true)
	return b.Value(), nil
}

// clusteredFields checks the types of clusteredIndex's fields.
func clusteredFields(spec bsonval.Doc, field string) error {
	for name, v := range spec.All() {
		full := field + "." + name
		switch name {
		case "key":
			if v.Type() != bsonval.Object {
				return wrongType(full, v, "object")
			}
		case "name":
			if v.Type() != bsonval.String {
				return wrongType(full, v, "string")
			}
		case "unique":
			if _, err := boolField(spec, name, full); err != nil {
				return err
			}
		case "v":
			if !v.IsNumber() {
				return wrongType(full, v, "int")
			}
		default:
			return unknownField(full)
		}
	}
	for _, name := range [...]string{"key", "unique"} {
		if spec.Get(name).IsMissing() {
			return required(field + "." + name)
		}
	}
	return nil
}

// checkClustered refuses options that a clustered collection can't have.
func (s *Server) checkClustered(options bsonval.Doc) error {
	if options.Get("clusteredIndex").Type() != bsonval.Object {
		return nil
	}
	switch {
	case !options.Get("size").IsMissing():
		return mongoerr.New(6049200, "'size' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?")
	case !options.Get("max").IsMissing():
		return mongoerr.New(6049204, "'max' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?")
	case options.Get("capped").Truth():
		return mongoerr.New(6127800, "Clustered capped collection only available with 'enableTestCommands' server parameter")
	case !options.Get("viewOn").IsMissing():
		return mongoerr.New(6026500, "The 'clusteredIndex' option is not supported with views")
	}
	return nil
}

// maxExpire is the longest time until documents expire, in seconds.
const maxExpire = math.MaxInt32

// expireOption checks create's expireAfterSeconds.
func expireOption(v bsonval.Value, clustered, series bool) (bsonval.Value, error) {
	switch {
	case !v.IsNumber():
		return v, notNumber("create.expireAfterSeconds", v)
	case !clustered && !series:
		return v, mongoerr.New(mongoerr.InvalidOptions, "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified")
	case v.Long() < 0:
		return v, mongoerr.New(mongoerr.InvalidOptions, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %d", v.Long())
	case v.Long() > maxExpire:
		return v, mongoerr.New(mongoerr.InvalidOptions, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number than %d", v.Long())
	}
	return bsonval.LongValue(v.Long()), nil
}

// listedSpec is an index as listIndexes shows it: the one that a collection is
// clustered by tells when its documents expire.
func listedSpec(c *storage.Collection, d *index.Def) bsonval.Doc {
	expire := c.Options.Get("expireAfterSeconds")
	if !d.Clustered || expire.IsMissing() {
		return d.Spec
	}
	b := bsonval.NewBuilder(len(d.Spec) + 32)
	for name, v := range d.Spec.All() {
		if name == "clustered" {
			b.Set("expireAfterSeconds", expire)
		}
		b.Set(name, v)
	}
	return b.Doc()
}

// visible are the indexes that listIndexes and the statistics show: all but the one
// that a time series' buckets are ordered by.
func visible(c *storage.Collection) []*storage.Index {
	if c.Clustered() != nil && c.Options.Get("clusteredIndex").Type() == bsonval.Bool {
		return c.Indexes[1:]
	}
	return c.Indexes
}

// secondary are the indexes beside the documents: all but the one that a collection is
// clustered by.
func secondary(c *storage.Collection) []*storage.Index {
	if c.Clustered() != nil {
		return c.Indexes[1:]
	}
	return c.Indexes
}

// mayCluster refuses the clustered option where createIndexes doesn't repeat the index
// that the collection has been made with.
func mayCluster(c *storage.Collection, def *index.Def, created bool) error {
	by := c.Clustered()
	switch {
	case !def.Clustered:
	case created:
		return mongoerr.New(6100900, "Cannot implicitly create a clustered collection with createIndexes; create it with the clusteredIndex option")
	case by == nil || !comparablePatterns(by.Def, def):
		return mongoerr.New(6243700, "Cannot create index with option 'clustered' that does not match an existing clustered index")
	}
	return nil
}
