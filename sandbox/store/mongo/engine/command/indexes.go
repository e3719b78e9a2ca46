package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

func (s *Server) indexCommands() []Spec {
	return []Spec{
		{Name: "createIndexes", Fields: "indexes commitQuorum ignoreUnknownIndexOptions v", Run: s.createIndexes, InTxn: true},
		{Name: "listIndexes", Fields: "cursor includeBuildUUIDs includeIndexBuildInfo isTimeseriesNamespace", Run: s.listIndexes},
		{Name: "dropIndexes", Aliases: []string{"deleteIndexes"}, Fields: "index isTimeseriesNamespace", Run: s.dropIndexes},
	}
}

// maxIndexes is how many indexes a collection may have.
const maxIndexes = 64

func (s *Server) createIndexes(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := r.mayCreate(); err != nil {
		return nil, err
	}
	if ns == (storage.NS{DB: "config", Coll: "transactions"}) {
		return nil, mongoerr.New(mongoerr.IllegalOperation, "not allowed to create index on %s", ns)
	}
	ns, defs, err := r.askedIndexes(ns)
	if err != nil {
		return nil, err
	}
	if !haveIndexes(r.State().Collection(ns), defs) {
		if err := r.alone(ns); err != nil {
			return nil, err
		}
	}
	builds, err := r.buildIndexes(ns, defs)
	if err != nil {
		return nil, err
	}
	before, after := 0, 0
	created := false
	err = r.write(func(w *crud.Writer) error {
		created = w.Tx.Collection(ns) == nil
		c, err := w.Collection(ns)
		if err != nil {
			return err
		}
		before = len(visible(c))
		if err := r.mayIndex(c, defs); err != nil {
			return err
		}
		for i, def := range defs {
			if err := addIndex(r, w, ns, def, created, builds[i]); err != nil {
				return err
			}
		}
		after = len(visible(w.Tx.Collection(ns)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	var b bsonval.Builder
	b.Int32("numIndexesBefore", int32(before)).Int32("numIndexesAfter", int32(after)).Bool("createdCollectionAutomatically", created)
	if before == after {
		b.Str("note", "all indexes already exist")
	}
	b.Str("commitQuorum", "votingMembers")
	return b.Doc(), nil
}

// askedIndexes are the indexes that the command asks for, and the collection that gets
// them: of a time series the one with its buckets.
func (r *Request) askedIndexes(ns storage.NS) (storage.NS, []*index.Def, error) {
	specs, err := r.Docs("indexes")
	if err != nil {
		return ns, nil, err
	}
	if len(specs) == 0 {
		return ns, nil, mongoerr.New(mongoerr.BadValue, "Must specify at least one index to create")
	}
	lenient, err := r.Bool("ignoreUnknownIndexOptions")
	if err != nil {
		return ns, nil, err
	}
	series, measured := crud.Series(r.State().Collection(ns))
	if measured {
		ns = crud.BucketsNS(ns)
	}
	defs := make([]*index.Def, len(specs))
	for i, spec := range specs {
		if lenient {
			spec = index.Known(spec)
		}
		if measured {
			if spec, err = series.BucketIndex(spec); err != nil {
				return ns, nil, err
			}
		}
		if defs[i], err = parseAsked(ns, spec); err != nil {
			return ns, nil, err
		}
	}
	return ns, defs, nil
}

func parseAsked(ns storage.NS, spec bsonval.Doc) (*index.Def, error) {
	spec, err := index.Validate(spec)
	if err != nil {
		return nil, err
	}
	def, err := index.Parse(spec)
	switch {
	case err != nil:
		return nil, index.Wrong(spec, err)
	case def.Expire > maxExpire: // one that is there already may have more
		return nil, index.Wrong(spec, mongoerr.New(mongoerr.CannotCreateIndex, "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than %d", def.Expire))
	case def.Hidden && ofSystem(ns):
		return nil, errHideSystem()
	}
	return def, nil
}

// mayIndex refuses new indexes in a transaction but on a collection that it has made.
func (r *Request) mayIndex(c *storage.Collection, defs []*index.Def) error {
	if r.Tx == nil || haveIndexes(c, defs) {
		return nil
	}
	switch {
	case r.Tx.Base().Collection(c.NS) != nil:
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create new indexes on existing collection %s in a multi-document transaction.", c.NS)
	case r.inTransaction && c.Count() > 0:
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create new indexes on non-empty collection %s in a multi-document transaction.", c.NS)
	}
	return nil
}

// haveIndexes tells whether nothing is left to build, or can't be.
func haveIndexes(c *storage.Collection, defs []*index.Def) bool {
	return c != nil && !c.IsView() && !slices.ContainsFunc(defs, func(d *index.Def) bool {
		there, err := hasIndex(c, d, false)
		return err == nil && !there
	})
}

// addIndex builds an index unless it is there; one that differs is an error. build is
// one that has been made beside the writers, nil for none.
func addIndex(r *Request, w *crud.Writer, ns storage.NS, def *index.Def, created bool, build *storage.Build) error {
	there, err := hasIndex(w.Tx.Collection(ns), def, created)
	if err != nil || there {
		return err
	}
	if build != nil {
		return w.Tx.TakeIndex(r.Op, build)
	}
	return w.Tx.CreateIndex(r.Op, ns, def)
}

func inherit(def *index.Def, c *storage.Collection) error {
	v := c.Options.Get("collation")
	if v.Type() != bsonval.Object || def.Spec.Get("v").Long() == 1 { // which has none
		return nil
	}
	if def.Kind == index.Text || def.Kind == index.Flat {
		return mongoerr.New(mongoerr.CannotCreateIndex, "Index type '%s' does not support collation: %s; give the index {collation: {locale: \"simple\"}}", def.Kind, v)
	}
	d, err := index.Parse(bsonval.BuilderOf(def.Spec).Set("collation", v).Doc())
	if err == nil {
		*def = *d
	}
	return err
}

func (s *Server) listIndexes(r *Request) (bsonval.Doc, error) {
	ns, err := r.findNS()
	if err != nil {
		return nil, err
	}
	c := r.State().Collection(ns)
	if c == nil {
		return nil, mongoerr.New(mongoerr.NamespaceNotFound, "ns does not exist: %s", ns)
	}
	if ns == viewsNS(r.DB) {
		return s.list(r, ns.String(), []bsonval.Doc{crud.IDIndex().Spec})
	}
	buckets := bucketsOf(r.State().Collection, c)
	if buckets.IsView() {
		return nil, mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
	}
	return s.list(r, ns.String(), shownIndexes(c, buckets))
}

func (s *Server) dropIndexes(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	which := r.Body.Get("index")
	if which.IsMissing() {
		return nil, required("dropIndexes.index")
	}
	if err := r.alone(ns); err != nil {
		return nil, err
	}
	was := 0
	all := which.Type() == bsonval.String && which.Str() == "*"
	err = r.write(func(w *crud.Writer) error {
		c := w.Tx.Collection(ns)
		if c == nil {
			return mongoerr.New(mongoerr.NamespaceNotFound, "ns not found %s", ns)
		}
		if o, ok := crud.Series(c); ok {
			if which, err = bucketIndex(o, which); err != nil {
				return err
			}
			c = bucketsOf(w.Tx.Collection, c)
		}
		if c.IsView() {
			return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
		}
		was = len(visible(c))
		names, err := indexNames(c, which)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := w.Tx.DropIndex(c.NS, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var b bsonval.Builder
	b.Int32("nIndexesWas", int32(was))
	if all {
		b.Str("msg", "non-_id indexes dropped for collection")
	}
	return b.Doc(), nil
}

// bucketIndex is dropIndexes' choice on a time series as it is for its buckets.
func bucketIndex(o timeseries.Options, which bsonval.Value) (bsonval.Value, error) {
	if which.Type() != bsonval.Object {
		return which, nil
	}
	key, err := o.BucketKey(which.Doc())
	if err != nil {
		return which, mongoerr.New(mongoerr.IndexNotFound, "can't find index with key: %s", which)
	}
	return bsonval.DocValue(key), nil
}

// indexNames are the indexes that dropIndexes means: one, several, or all but _id's.
func indexNames(c *storage.Collection, which bsonval.Value) ([]string, error) {
	switch which.Type() {
	case bsonval.String:
		if which.Str() == "*" {
			var names []string
			for _, ix := range c.Indexes {
				if ix.Def.Name != "_id_" && !ix.Def.Clustered {
					names = append(names, ix.Def.Name)
				}
			}
			return names, nil
		}
		if by := c.Clustered(); by != nil && by.Def.Name == which.Str() {
			return nil, mongoerr.New(5979800, "cannot drop clusteredIndex by name. The clusteredIndex is %s", by.Def.Pattern)
		}
		if which.Str() == "_id_" {
			return nil, mongoerr.New(mongoerr.InvalidOptions, "cannot drop _id index")
		}
		if c.Index(which.Str()) == nil {
			return nil, mongoerr.New(mongoerr.IndexNotFound, "index not found with name [%s]", which.Str())
		}
		return []string{which.Str()}, nil
	case bsonval.Array:
		var names []string
		for v := range which.Doc().Values() {
			if v.Type() != bsonval.String {
				return nil, wrongType("dropIndexes.index", v, "string")
			}
			more, err := indexNames(c, v)
			if err != nil {
				return nil, err
			}
			names = append(names, more...)
		}
		return names, nil
	case bsonval.Object:
		name, err := indexByKey(c, which)
		if err != nil {
			return nil, err
		}
		return indexNames(c, bsonval.StringValue(name))
	}
	return nil, wrongType("dropIndexes.index", which, "string")
}

// indexByKey is the name of the one index with that key pattern.
func indexByKey(c *storage.Collection, key bsonval.Value) (string, error) {
	switch found := indexesByKey(c, key); len(found) {
	case 0:
		return "", mongoerr.New(mongoerr.IndexNotFound, "can't find index with key: %s", key)
	case 1:
		return found[0].Def.Name, nil
	default:
		return "", mongoerr.New(mongoerr.AmbiguousIndexKeyPattern, "%d indexes found for key: %s, identify by name instead. Conflicting indexes: %s, %s", len(found), key, found[0].Def.Spec, found[1].Def.Spec)
	}
}
