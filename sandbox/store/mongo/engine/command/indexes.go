package command

import (
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
	specs, err := r.Docs("indexes")
	if err != nil {
		return nil, err
	}
	if len(specs) == 0 {
		return nil, mongoerr.New(mongoerr.BadValue, "Must specify at least one index to create")
	}
	lenient, err := r.Bool("ignoreUnknownIndexOptions")
	if err != nil {
		return nil, err
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
				return nil, err
			}
		}
		if defs[i], err = index.Parse(spec); err != nil {
			e := *mongoerr.From(err)
			e.Message = "Error in specification " + spec.String() + " :: caused by :: " + e.Message
			return nil, &e
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
		if r.Tx != nil && r.Tx.Base().Collection(ns) != nil {
			return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create new indexes on existing collection %s in a multi-document transaction.", ns)
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

// hasIndex tells whether the collection has that index already.
func hasIndex(c *storage.Collection, def *index.Def, created bool) (bool, error) {
	if err := mayCluster(c, def, created); err != nil {
		return false, err
	}
	if def.Collator == nil && def.Spec.Get("collation").IsMissing() {
		if err := inherit(def, c); err != nil {
			return false, err
		}
	}
	for _, ix := range c.Indexes {
		samePattern := (ix.Def.Pattern.Same(def.Pattern) || comparablePatterns(ix.Def, def)) && sameProjection(ix.Def, def)
		sameName := ix.Def.Name == def.Name
		switch {
		case samePattern && ix.Def.Clustered:
			return true, nil
		case samePattern && def.Name != ix.Def.Name && sameOptions(ix.Def, def):
			return false, mongoerr.New(mongoerr.IndexOptionsConflict, "Index already exists with a different name: %s", ix.Def.Name)
		case samePattern && sameName && (sameOptions(ix.Def, def) || ix.Def.Name == "_id_"):
			return true, nil
		case sameName && !samePattern:
			return false, mongoerr.New(mongoerr.IndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", specText(def), specText(ix.Def))
		case sameName:
			return false, mongoerr.New(mongoerr.IndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", specText(def), specText(ix.Def))
		case samePattern && ix.Def.Filter == nil && def.Filter == nil && ix.Def.Collator == def.Collator && ix.Def.Name != "_id_" && ix.Def.Unique == def.Unique && ix.Def.Sparse == def.Sparse:
			return false, mongoerr.New(mongoerr.IndexOptionsConflict, "An equivalent index already exists with a different name and options. Requested index: %s, existing index: %s", specText(def), specText(ix.Def))
		case samePattern && ix.Def.Name == "_id_":
			return true, nil
		}
	}
	if len(c.Indexes) >= maxIndexes {
		return false, mongoerr.New(mongoerr.CannotCreateIndex, "add index fails, too many indexes for %s key:%s", c.NS, def.Pattern)
	}
	return false, nil
}

// sameProjection compares what wildcard indexes take in: with the same key pattern
// there may be several.
func sameProjection(a, b *index.Def) bool {
	return bsonval.Compare(a.Spec.Get("wildcardProjection"), b.Spec.Get("wildcardProjection")) == 0
}

func inherit(def *index.Def, c *storage.Collection) error {
	v := c.Options.Get("collation")
	if v.Type() != bsonval.Object || def.Kind == index.Text || def.Kind == index.Flat {
		return nil
	}
	d, err := index.Parse(bsonval.BuilderOf(def.Spec).Set("collation", v).Doc())
	if err == nil {
		*def = *d
	}
	return err
}

func specText(d *index.Def) string { return d.Spec.String() }

func comparablePatterns(a, b *index.Def) bool {
	return bsonval.Compare(bsonval.DocValue(a.Pattern), bsonval.DocValue(b.Pattern)) == 0
}

// sameOptions compares what listIndexes would show, but for the name.
func sameOptions(a, b *index.Def) bool {
	if a.Name == "_id_" {
		return true
	}
	strip := func(d bsonval.Doc) map[string]bsonval.Value {
		out := map[string]bsonval.Value{}
		for name, v := range d.All() {
			if name != "name" && name != "key" && name != "background" && name != "v" && name != "hidden" && name != "2dsphereIndexVersion" && name != "textIndexVersion" {
				out[name] = v
			}
		}
		return out
	}
	x, y := strip(a.Spec), strip(b.Spec)
	if len(x) != len(y) {
		return false
	}
	for name, v := range x {
		if w, ok := y[name]; !ok || bsonval.Compare(v, w) != 0 {
			return false
		}
	}
	return true
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
		for _, ix := range c.Indexes {
			if bsonval.Compare(bsonval.DocValue(ix.Def.Pattern), which) == 0 {
				return indexNames(c, bsonval.StringValue(ix.Def.Name))
			}
		}
		return nil, mongoerr.New(mongoerr.IndexNotFound, "can't find index with key: %s", which)
	}
	return nil, wrongType("dropIndexes.index", which, "string")
}
