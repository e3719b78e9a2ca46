package command

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
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
	dryRun, err := r.dryRun(spec)
	if err != nil {
		return nil, err
	}
	if on, pipeline := r.Body.Get("viewOn"), r.Body.Get("pipeline"); r.Conn.User != nil && on.IsMissing() != pipeline.IsMissing() {
		return nil, mongoerr.New(mongoerr.InvalidOptions, "Must specify both 'viewOn' and 'pipeline' when modifying a view and auth is enabled")
	}
	if err := r.alone(ns); err != nil {
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
		if err := r.mayModify(c); err != nil {
			return err
		}
		before := stateBefore(c, spec)
		if spec != nil {
			if err := modifyIndex(w, c, spec, dryRun, &b); err != nil {
				return err
			}
		}
		options, changed, err := s.modifiedOptions(r, c)
		if err != nil || dryRun {
			return err
		}
		if changed {
			if err := w.Tx.SetOptions(ns, options); err != nil {
				return err
			}
		}
		w.Tx.MarkModified(c, before, r.modification())
		return nil
	})
	return b.Doc(), err
}

// dryRun tells whether collMod is only to say what would come of it, which it does for
// an index that is to become unique.
func (r *Request) dryRun(spec bsonval.Doc) (bool, error) {
	dry, err := r.Bool("dryRun")
	if err != nil || !dry {
		return false, err
	}
	for name := range r.Body.All() {
		if containsField(r.Spec.Fields, name) && name != "dryRun" && name != "index" {
			return false, mongoerr.New(mongoerr.InvalidOptions, "dryRun is for an index that becomes unique alone; leave '%s' out", name)
		}
	}
	if spec == nil || !spec.Get("unique").Truth() || spec.Len() != 2 {
		return false, mongoerr.New(mongoerr.InvalidOptions, "dryRun is for an index that becomes unique alone; ask for nothing else")
	}
	return true, nil
}

// mayModify refuses what a view, or a collection that is none, doesn't have.
func (r *Request) mayModify(c *storage.Collection) error {
	for name, v := range r.Body.All() {
		switch name {
		case "viewOn", "pipeline":
			if !c.IsView() {
				return mongoerr.New(mongoerr.InvalidOptions, "'%s' option only supported on a view", name)
			}
		case "index", "validator", "validationLevel", "validationAction", "changeStreamPreAndPostImages", "expireAfterSeconds", "timeseries", "cappedSize", "cappedMax":
			if c.IsView() {
				return mongoerr.New(mongoerr.InvalidOptions, "option not supported on a view: %s", name)
			}
		}
		switch name {
		case "cappedSize", "cappedMax":
			if !c.Options.Get("capped").Truth() {
				return mongoerr.New(mongoerr.InvalidOptions, "option not supported on a collection that isn't capped: %s", name)
			}
			if err := checkCapped("collMod."+name, v); err != nil {
				return err
			}
		case "validationLevel", "validationAction":
			if err := checkValidation("collMod."+name, v); err != nil {
				return err
			}
		case "changeStreamPreAndPostImages":
			if err := checkPreImages("collMod."+name, v); err != nil {
				return err
			}
		}
	}
	return nil
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
	if ix == nil {
		return b.Doc() // the change fails
	}
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
