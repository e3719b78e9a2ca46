package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) modifyCommands() []Spec {
	return []Spec{{Name: "collMod", Fields: "index validator validationLevel validationAction viewOn pipeline expireAfterSeconds timeseries changeStreamPreAndPostImages cappedSize cappedMax dryRun", Run: s.collMod}}
}

// collMod changes a collection's options, or one of its indexes.
func (s *Server) collMod(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	spec, err := r.Doc("index")
	if err != nil {
		return nil, err
	}
	var b bsonval.Builder
	err = r.write(func(w *crud.Writer) error {
		b.Reset()
		c := w.Tx.Collection(ns)
		if c == nil {
			return mongoerr.New(mongoerr.NamespaceNotFound, "ns does not exist")
		}
		if o, ok := crud.Series(c); ok {
			return r.modifySeries(w, c, o, &b)
		}
		if _, ok := crud.Buckets(c); ok {
			return mongoerr.New(mongoerr.InvalidNamespace, "collMod on a time-series collection's underlying buckets collection is not supported.")
		}
		if spec != nil {
			if err := modifyIndex(w, c, spec, &b); err != nil {
				return err
			}
		}
		options, changed, err := s.modifiedOptions(r, c)
		if err != nil {
			return err
		}
		if changed {
			if err := w.Tx.SetOptions(ns, options); err != nil {
				return err
			}
		}
		w.Tx.MarkModified(c, stateBefore(c, spec), r.modification())
		return nil
	})
	return b.Doc(), err
}

// modification is what the command asks for, as change streams tell it.
func (r *Request) modification() bsonval.Doc {
	var b bsonval.Builder
	for name, v := range r.Body.All() {
		if slices.Contains(strings.Fields(r.Spec.Fields), name) {
			b.Set(name, v)
		}
	}
	return b.Doc()
}

// stateBefore is what collMod found, as change streams tell it.
func stateBefore(c *storage.Collection, spec bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	b.OpenDoc("collectionOptions").Set("uuid", bsonval.BinaryValue(4, c.UUID[:]))
	if c.Options != nil {
		b.Fields(c.Options)
	}
	b.Close()
	if spec == nil {
		return b.Doc()
	}
	ix := findIndex(c, spec)
	b.OpenDoc("indexOptions")
	for _, name := range [...]string{"expireAfterSeconds", "hidden", "unique", "prepareUnique"} {
		if spec.Get(name).IsMissing() {
			continue
		}
		was := ix.Def.Spec.Get(name)
		if was.IsMissing() {
			was = bsonval.BoolValue(false)
		}
		b.Set(name, was)
	}
	return b.Close().Doc()
}

// modifiedOptions are the collection's options with those of the command in place.
func (s *Server) modifiedOptions(r *Request, c *storage.Collection) (bsonval.Doc, bool, error) {
	set := map[string]bsonval.Value{}
	for name, v := range r.Body.All() {
		switch name {
		case "validator", "validationLevel", "validationAction", "viewOn", "pipeline", "changeStreamPreAndPostImages":
			set[name] = v
		case "timeseries":
			return nil, false, mongoerr.New(mongoerr.InvalidOptions, "option only supported on a time-series collection: timeseries")
		case "expireAfterSeconds":
			if c.Clustered() == nil {
				return nil, false, mongoerr.New(mongoerr.InvalidOptions, "'expireAfterSeconds' option is only supported on collections clustered by _id")
			}
			only, err := withExpire(nil, v)
			if err != nil {
				return nil, false, err
			}
			set[name] = only.Get(name)
		case "cappedSize":
			set["size"] = v
		case "cappedMax":
			set["max"] = v
		}
	}
	if len(set) == 0 {
		return nil, false, nil
	}
	if _, ok := set["viewOn"]; ok && !c.IsView() {
		return nil, false, mongoerr.New(mongoerr.InvalidOptions, "option only supported on a view: viewOn")
	}
	if _, ok := set["validator"]; ok && c.IsView() {
		return nil, false, mongoerr.New(mongoerr.InvalidOptions, "option not supported on a view: validator")
	}
	var b bsonval.Builder
	for name, v := range c.Options.All() {
		if next, ok := set[name]; ok {
			v = next
			delete(set, name)
		}
		b.Set(name, v)
	}
	for name, v := range r.Body.All() { // the rest in the command's order
		if _, ok := set[name]; ok {
			if name == "validator" && v.Type() == bsonval.Object && v.Doc().IsEmpty() {
				continue
			}
			b.Set(name, set[name])
		}
	}
	options := b.Doc()
	return options, true, s.checkOptions(r, c.NS, options)
}

// modifyIndex changes an index's hidden flag or its expiry, and reports old and new.
func modifyIndex(w *crud.Writer, c *storage.Collection, spec bsonval.Doc, b *bsonval.Builder) error {
	ix := findIndex(c, spec)
	if ix == nil {
		return mongoerr.New(mongoerr.IndexNotFound, "cannot find index %s for ns %s", spec.Get("name"), c.NS)
	}
	def := ix.Def
	next := bsonval.NewBuilder(len(def.Spec) + 64)
	hidden, expire := spec.Get("hidden"), spec.Get("expireAfterSeconds")
	unique := spec.Get("unique")
	for name, v := range def.Spec.All() {
		if name == "hidden" && !hidden.IsMissing() || name == "expireAfterSeconds" && !expire.IsMissing() || name == "unique" && !unique.IsMissing() {
			continue
		}
		next.Set(name, v)
	}
	if !expire.IsMissing() {
		if def.Expire >= 0 {
			b.Set("expireAfterSeconds_old", def.Spec.Get("expireAfterSeconds"))
		}
		b.Set("expireAfterSeconds_new", expire)
		next.Set("expireAfterSeconds", expire)
	}
	if !hidden.IsMissing() {
		if def.Name == "_id_" || def.Clustered {
			return mongoerr.New(mongoerr.BadValue, "can't hide _id index")
		}
		b.Bool("hidden_old", def.Hidden).Bool("hidden_new", hidden.Truth())
		if hidden.Truth() {
			next.Bool("hidden", true)
		}
	}
	if unique.Truth() {
		b.Bool("unique_new", true)
		next.Bool("unique", true)
	}
	changed, err := index.Parse(next.Doc())
	if err != nil {
		return err
	}
	changed.Unique = changed.Unique || def.Unique
	if unique.Truth() && !def.Unique {
		if err := w.Tx.DropIndex(c.NS, def.Name); err != nil {
			return err
		}
		return w.Tx.CreateIndex(w.Op, c.NS, changed)
	}
	return w.Tx.ReplaceIndexDef(c.NS, changed)
}

func findIndex(c *storage.Collection, spec bsonval.Doc) *storage.Index {
	if name := spec.Get("name"); name.Type() == bsonval.String {
		return c.Index(name.Str())
	}
	key := spec.Get("keyPattern")
	for _, ix := range c.Indexes {
		if bsonval.Compare(bsonval.DocValue(ix.Def.Pattern), key) == 0 {
			return ix
		}
	}
	return nil
}
