package command

import (
	"cmp"
	"strings"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

const createFields = "capped autoIndexId idIndex size max storageEngine validator validationLevel validationAction indexOptionDefaults viewOn pipeline collation changeStreamPreAndPostImages timeseries clusteredIndex expireAfterSeconds encryptedFields temp flags recordIdsReplicated"

func (s *Server) collectionCommands() []Spec {
	return []Spec{
		{Name: "create", Fields: createFields, Run: s.create, InTxn: true},
		{Name: "drop", Run: s.drop},
		{Name: "dropDatabase", Run: s.dropDatabase},
		{Name: "listCollections", Fields: "filter cursor nameOnly authorizedCollections", Run: s.listCollections},
		{Name: "listDatabases", Fields: "filter nameOnly authorizedDatabases", Run: s.listDatabases, Admin: true},
		{Name: "renameCollection", Fields: "to dropTarget", Run: s.renameCollection, Admin: true},
	}
}

func (s *Server) create(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := r.mayCreate(); err != nil {
		return nil, err
	}
	options, err := s.createOptions(r, ns)
	if err != nil {
		return nil, err
	}
	err = r.write(func(w *crud.Writer) error {
		if old := w.Tx.Collection(ns); old != nil {
			if r.Tx == nil && sameCreated(old.Options, options) {
				return nil
			}
			return mongoerr.New(mongoerr.NamespaceExists, "Collection %s already exists. NS: %s", ns, ns)
		}
		if _, ok := timeseries.Of(options); ok {
			if r.inTransaction {
				return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Cannot create a time-series collection in a multi-document transaction.")
			}
			return crud.CreateSeries(r.Op, w.Tx, ns, options)
		}
		c, err := crud.CreateAs(r.Op, w.Tx, ns, options, r.uuid)
		if err != nil {
			return err
		}
		return r.oldIDIndex(w, c)
	})
	return nil, err
}

// createOptions checks the options of create and answers them as they are kept.
func (s *Server) createOptions(r *Request, ns storage.NS) (bsonval.Doc, error) {
	if _, ok := crud.SeriesNS(ns); ok {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "%s can't be created by itself; create the time-series collection", ns)
	}
	if err := r.checkCreate(); err != nil {
		return nil, err
	}
	series := !r.Body.Get("timeseries").IsMissing()
	if series {
		if err := r.checkSeries(ns); err != nil {
			return nil, err
		}
	}
	b := bsonval.NewBuilder(128)
	for name, v := range r.Body.All() {
		if !containsField(createFields, name) {
			continue
		}
		switch name {
		case "autoIndexId":
			if !v.Truth() && r.Body.Get("clusteredIndex").Truth() {
				return nil, mongoerr.New(6026501, "The 'clusteredIndex' option does not support {autoIndexId: false}")
			}
			continue
		case "idIndex":
			if r.Body.Get("clusteredIndex").Truth() {
				return nil, mongoerr.New(mongoerr.InvalidOptions, "The 'clusteredIndex' option is not supported with the 'idIndex' option")
			}
			continue
		case "flags", "temp":
			continue
		case "capped":
			if v.Truth() {
				b.Bool(name, true)
			}
			continue
		case "collation":
			if v.Type() == bsonval.Object && v.Doc().IsEmpty() {
				return nil, mongoerr.New(40414, "BSON field 'create.collation.locale' is missing but a required field")
			}
			if err := r.collate(r.Body, nil); err != nil {
				return nil, err
			}
			if r.Op.Collator == nil {
				continue
			}
			v = bsonval.DocValue(collation.Complete(v.Doc()))
		case "clusteredIndex":
			var err error
			if v, err = clusteredOption(v); err != nil {
				return nil, err
			}
		case "expireAfterSeconds":
			var err error
			if v, err = expireOption(v, r.Body.Get("clusteredIndex").Truth(), !r.Body.Get("timeseries").IsMissing()); err != nil {
				return nil, err
			}
		}
		b.Set(name, v)
	}
	options := b.Doc()
	if err := r.checkIDIndex(options); err != nil {
		return nil, err
	}
	if err := s.checkOptions(r, ns, options); err != nil || !series {
		return options, err
	}
	return r.seriesOptions(ns, options)
}

func containsField(list, name string) bool {
	for f := range strings.FieldsSeq(list) {
		if f == name {
			return true
		}
	}
	return false
}

// checkOptions refuses options that make no sense, for create and collMod.
func (s *Server) checkOptions(r *Request, ns storage.NS, options bsonval.Doc) error {
	if v := options.Get("validator"); !v.IsMissing() {
		if v.Type() != bsonval.Object {
			return wrongType("create.validator", v, "object")
		}
		if err := mayValidate(ns, v.Doc()); err != nil {
			return err
		}
		if _, err := match.Compile(v.Doc(), s.matchEnv(r.Op, nil)); err != nil {
			return err
		}
	}
	if err := s.checkClustered(options); err != nil {
		return err
	}
	if v := options.Get("viewOn"); !v.IsMissing() {
		return s.checkView(r, ns, options)
	}
	if !options.Get("pipeline").IsMissing() {
		return mongoerr.New(mongoerr.InvalidOptions, "'pipeline' requires 'viewOn' to also be specified")
	}
	return nil
}

// checkView compiles a view's pipeline, and looks for cycles.
func (s *Server) checkView(r *Request, ns storage.NS, options bsonval.Doc) error {
	on := options.Get("viewOn")
	if on.Type() != bsonval.String {
		return wrongType("create.viewOn", on, "string")
	}
	if on.Str() == "" {
		return mongoerr.New(mongoerr.BadValue, "'viewOn' cannot be empty")
	}
	if v := options.Get("pipeline"); !v.IsMissing() && v.Type() != bsonval.Array {
		return wrongType("create.pipeline", v, "array")
	} else if err := s.checkViewPipeline(r, storage.NS{DB: ns.DB, Coll: on.Str()}, v); err != nil {
		return err
	}
	return r.checkViewGraph(ns, options)
}

// checkViewPipeline finds what would be wrong at each read of the view: a stage that
// isn't one, or one that views don't have.
func (s *Server) checkViewPipeline(r *Request, on storage.NS, pipeline bsonval.Value) error {
	if pipeline.IsMissing() {
		return nil
	}
	for v := range pipeline.Doc().Values() {
		if v.Type() != bsonval.Object {
			continue // Compile tells
		}
		switch name := v.Doc().First().Name; name {
		case "$out", "$merge", "$changeStream":
			return mongoerr.New(mongoerr.OptionNotSupportedOnView, "The aggregation stage %s cannot be used in the pipeline of a view; leave it out", name)
		}
	}
	_, err := agg.Compile(pipeline.Doc(), &agg.Env{Op: r.Op, DB: on.DB, Coll: on.Coll, Geo: geo.Condition, Source: &source{r: r}, Scope: expr.NewScope(r.Op.Let), Frame: expr.NewFrame(r.Op)})
	return err
}

func (s *Server) drop(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(s.mayDropProfile(ns), r.alone(ns)); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	err = r.write(func(w *crud.Writer) error {
		b.Reset()
		c := w.Tx.Collection(ns)
		if ns == viewsNS(r.DB) {
			return dropViews(w, r.DB, &b)
		}
		if c == nil {
			return nil // no error since 7.0
		}
		if buckets := bucketsOf(w.Tx.Collection, c); !buckets.IsView() {
			b.Int32("nIndexesWas", int32(len(visible(buckets))))
		}
		b.Str("ns", ns.String())
		return crud.Drop(w.Tx, c)
	})
	return b.Doc(), err
}

func (s *Server) dropDatabase(r *Request) (bsonval.Doc, error) {
	if v := r.Body.First().Value; !v.IsNumber() || v.Float() != 1 {
		return nil, mongoerr.New(5255100, "Have to pass 1 as 'drop' parameter")
	}
	if r.DB == "admin" || r.DB == "config" || r.DB == "local" {
		return nil, mongoerr.New(mongoerr.IllegalOperation, "Dropping the '%s' database is prohibited.", r.DB)
	}
	if err := r.alone(storage.NS{DB: r.DB}); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	err := r.write(func(w *crud.Writer) error {
		b.Reset()
		all := w.Tx.View().Collections(r.DB)
		for _, c := range all {
			if err := w.Tx.Drop(c.NS); err != nil {
				return err
			}
		}
		if len(all) > 0 {
			w.Tx.MarkDropped(r.DB)
			b.Str("dropped", r.DB)
		}
		return nil
	})
	return b.Doc(), err
}

func (s *Server) listCollections(r *Request) (bsonval.Doc, error) {
	filter, err := r.Doc("filter")
	if err != nil {
		return nil, err
	}
	nameOnly, err := r.Bool("nameOnly")
	if err != nil {
		return nil, err
	}
	var docs []bsonval.Doc
	sees := r.sees(true)
	for _, c := range r.State().Collections(r.DB) {
		if !sees(c.NS) {
			continue
		}
		docs = append(docs, collectionInfo(c, nameOnly))
	}
	docs, err = r.filtered(docs, filter)
	if err != nil {
		return nil, err
	}
	return s.list(r, r.DB+".$cmd.listCollections", docs)
}

func collectionInfo(c *storage.Collection, nameOnly bool) bsonval.Doc {
	b := bsonval.NewBuilder(256)
	kind := "collection"
	if _, ok := crud.Series(c); ok {
		kind = "timeseries"
	} else if c.IsView() {
		kind = "view"
	}
	b.Str("name", c.NS.Coll).Str("type", kind)
	if nameOnly {
		return b.Doc()
	}
	b.SetDoc("options", shownOptions(c))
	b.OpenDoc("info").Bool("readOnly", kind == "view")
	if !c.IsView() {
		b.Set("uuid", bsonval.BinaryValue(4, c.UUID[:]))
	}
	b.Close()
	switch {
	case len(c.Indexes) > 0 && c.Clustered() == nil:
		b.SetDoc("idIndex", c.Indexes[0].Def.Spec)
	case c.NS.Coll == "system.views":
		b.SetDoc("idIndex", crud.IDIndex().Spec)
	}
	return b.Doc()
}

// filtered keeps the documents that a filter matches.
func (r *Request) filtered(docs []bsonval.Doc, filter bsonval.Doc) ([]bsonval.Doc, error) {
	if len(filter) <= 5 {
		return docs, nil
	}
	env := r.Server.matchEnv(r.Op, nil)
	env.Bare = true
	m, err := match.Compile(filter, env)
	if err != nil {
		return nil, err
	}
	frame := expr.NewFrame(r.Op)
	var out []bsonval.Doc
	for _, d := range docs {
		ok, err := m.MatchIn(frame, stream.Row{Doc: d})
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, d)
		}
	}
	return out, nil
}

func (s *Server) listDatabases(r *Request) (bsonval.Doc, error) {
	filter, err := r.Doc("filter")
	if err != nil {
		return nil, err
	}
	nameOnly, err := r.Bool("nameOnly")
	if err != nil {
		return nil, err
	}
	state := r.State()
	var docs []bsonval.Doc
	sees := r.sees(!r.Body.Get("authorizedDatabases").Truth())
	for _, name := range databaseNames(state) {
		if !sees(storage.NS{DB: name}) {
			continue
		}
		size := int64(0)
		empty := true
		for _, c := range state.Collections(name) {
			size += c.Bytes
			for _, ix := range c.Indexes {
				size += ix.Bytes
			}
			empty = false
		}
		var b bsonval.Builder
		b.Str("name", name)
		if !nameOnly {
			b.Int64("sizeOnDisk", size).Bool("empty", empty)
		}
		docs = append(docs, b.Doc())
	}
	if docs, err = r.filtered(docs, filter); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	total := int64(0)
	b.OpenArray("databases")
	for _, d := range docs {
		total += d.Get("sizeOnDisk").Long()
		b.ItemDoc(d)
	}
	b.Close()
	if !nameOnly {
		b.Int64("totalSize", total).Int64("totalSizeMb", total>>20)
	}
	return b.Doc(), nil
}

// databaseNames are the databases that there are; admin, config and local always.
func databaseNames(state *storage.State) []string {
	names := state.Databases()
	for _, always := range []string{"admin", "config", "local"} {
		at, found := 0, false
		for at < len(names) && names[at] <= always {
			found = found || names[at] == always
			at++
		}
		if !found {
			names = append(names[:at], append([]string{always}, names[at:]...)...)
		}
	}
	return names
}

func (s *Server) renameCollection(r *Request) (bsonval.Doc, error) {
	from, err := r.Str("renameCollection")
	if err != nil {
		return nil, err
	}
	to, err := r.Str("to")
	if err != nil {
		return nil, err
	}
	dropTarget, err := r.Bool("dropTarget")
	if err != nil {
		return nil, err
	}
	source, okFrom := storage.ParseNS(from)
	target, okTo := storage.ParseNS(to)
	switch {
	case !okFrom:
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s'", from)
	case !okTo:
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid target namespace: %s", to)
	}
	for i, ns := range [...]storage.NS{source, target} {
		err := crud.CheckNS(ns)
		if ns.DB != "admin" {
			err = cmp.Or(err, r.mayWrite(ns))
		}
		if err != nil {
			return nil, mongoerr.New(mongoerr.IllegalOperation, "error with %s namespace: %s", [...]string{"source", "target"}[i], err)
		}
		if _, ok := crud.SeriesNS(ns); ok {
			return nil, mongoerr.New(mongoerr.IllegalOperation, "Cannot rename to or from the buckets of a time-series collection: %s", ns)
		}
	}
	if err := r.alone(source, target); err != nil {
		return nil, err
	}
	return nil, r.write(func(w *crud.Writer) error {
		c := w.Tx.Collection(source)
		switch {
		case c == nil:
			return mongoerr.New(mongoerr.NamespaceNotFound, "Source collection %s does not exist", source)
		case c.IsView():
			return mongoerr.New(mongoerr.CommandNotSupportedOnView, "cannot rename view: %s", source)
		case source == target:
			return mongoerr.New(mongoerr.IllegalOperation, "Can't rename a collection to itself")
		}
		if there := w.Tx.Collection(target); there != nil {
			if there.IsView() {
				return mongoerr.New(mongoerr.NamespaceExists, "a view already exists with that name: %s", target)
			}
			if !dropTarget {
				return mongoerr.New(mongoerr.NamespaceExists, "target namespace exists")
			}
			if err := w.Tx.Drop(target); err != nil {
				return err
			}
		}
		return w.Tx.Rename(source, target)
	})
}
