package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/wire"
)

func (s *Server) applyCommands() []Spec {
	return []Spec{{Name: "applyOps", Fields: "allowAtomic alwaysUpsert bypassDocumentValidation preCondition oplogApplicationMode", Run: s.applyOps, Admin: true}}
}

// applyOps does entries of an oplog again, by which mongorestore replays one and makes
// collections with their old UUIDs. Each is done by the command that it stems from, or as
// the change that it tells, one after the other; the first that fails ends it.
func (s *Server) applyOps(r *Request) (bsonval.Doc, error) {
	entries, err := r.Docs("applyOps")
	if err != nil {
		return nil, err
	}
	if err := checkEntries(entries, 0); err != nil {
		return nil, err
	}
	var done []bool
	for _, e := range entries {
		if stringOr(e.Get("op"), "") == "n" {
			continue
		}
		err := s.applyOp(r, e)
		done = append(done, err == nil)
		if err != nil {
			return nil, mongoerr.From(err).With(applied(done))
		}
	}
	return applied(done), nil
}

// applied is what applyOps answers: of how many entries it knows the outcome, and each.
func applied(done []bool) bsonval.Doc {
	var b bsonval.Builder
	b.Int32("applied", int32(len(done))).OpenArray("results")
	for _, ok := range done {
		b.Item(bsonval.BoolValue(ok))
	}
	return b.Close().Doc()
}

// maxNested is how deep applyOps may stand within applyOps.
const maxNested = 10

// checkEntries refuses what may not stand in applyOps, before any of it is done.
func checkEntries(entries []bsonval.Doc, depth int) error {
	for _, e := range entries {
		if stringOr(e.Get("op"), "") != "c" || e.Get("o").Type() != bsonval.Object {
			continue
		}
		o := e.Get("o").Doc()
		switch o.First().Name {
		case "dropDatabase":
			switch {
			case depth > 0:
				return mongoerr.New(9585500, "dropDatabase is not allowed inside nested applyOps")
			case len(entries) > 1:
				return mongoerr.New(6275900, "dropDatabase in an applyOps must be the only entry")
			}
		case "applyOps":
			if depth >= maxNested {
				return mongoerr.New(mongoerr.FailedToParse, "Too many nested applyOps")
			}
			nested, err := innerEntries(o.First().Value)
			if err != nil {
				return err
			}
			if err := checkEntries(nested, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func innerEntries(v bsonval.Value) ([]bsonval.Doc, error) {
	if v.Type() != bsonval.Array {
		return nil, wrongType("applyOps.applyOps", v, "array")
	}
	var out []bsonval.Doc
	for e := range v.Doc().Values() {
		if e.Type() != bsonval.Object {
			return nil, wrongType("applyOps.applyOps", e, "object")
		}
		out = append(out, e.Doc())
	}
	return out, nil
}

func (s *Server) applyOp(r *Request, e bsonval.Doc) error {
	ns, _ := storage.ParseNS(stringOr(e.Get("ns"), ""))
	o := e.Get("o")
	kind := stringOr(e.Get("op"), "")
	if ns.Coll == "" || o.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.BadValue, "an entry of applyOps needs op, ns and o: %s", e)
	}
	if kind != "c" {
		if there, err := applicable(r.State().Collection(ns), kind, ns, e); !there || err != nil {
			return err
		}
	}
	if kind == "u" {
		return s.applyUpdate(r, ns, o.Doc(), e)
	}
	cmd, err := appliedAs(kind, ns, o.Doc())
	if err != nil || cmd == nil {
		return err
	}
	sub, err := s.applying(r, ns, cmd)
	if err != nil {
		return err
	}
	if ui := e.Get("ui"); ui.Type() == bsonval.Binary && sub.Spec.Name == "create" {
		if _, id := ui.Binary(); len(id) == 16 {
			sub.uuid = (*[16]byte)(id)
		}
	}
	reply, err := sub.Spec.Run(sub)
	if failed := reply.Get("writeErrors"); err == nil && failed.Type() == bsonval.Array {
		return mongoerr.New(mongoerr.Code(failed.Doc().At(0).Doc().Get("code").Long()), "%s", failed.Doc().At(0).Doc().Get("errmsg").Str())
	}
	return err
}

// applying is the request that a command of an entry makes, if the client may make it.
func (s *Server) applying(r *Request, ns storage.NS, cmd bsonval.Doc) (*Request, error) {
	sub := *r
	sub.DB, sub.Body, sub.Message = ns.DB, cmd, &wire.Message{Body: cmd}
	if sub.Spec = s.specs[cmd.First().Name]; sub.Spec == nil {
		return nil, mongoerr.New(mongoerr.CommandNotSupported, "applyOps can't do %s", cmd.First().Name)
	}
	return &sub, s.authorize(&sub)
}

// applicable tells whether there is a collection for a change of a document. A delete
// where there is none has nothing to do.
func applicable(c *storage.Collection, kind string, ns storage.NS, e bsonval.Doc) (bool, error) {
	switch {
	case isLocal(ns): // the command refuses it
		return true, nil
	case c == nil && kind == "d":
		return false, nil
	case c == nil && (kind == "i" || kind == "u"):
		return false, mongoerr.New(mongoerr.NamespaceNotFound, "cannot apply insert or update operation on a non-existent namespace %s: %s", ns, e)
	case c != nil && c.IsView():
		return false, mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
	}
	if ui := e.Get("ui"); c != nil && ui.Type() == bsonval.Binary {
		if _, id := ui.Binary(); string(id) != string(c.UUID[:]) {
			return false, mongoerr.New(mongoerr.UnknownError, "applyOps had one or more errors applying ops")
		}
	}
	return true, nil
}

// applyUpdate does an update again: a whole document, or the difference to it.
func (s *Server) applyUpdate(r *Request, ns storage.NS, o, e bsonval.Doc) error {
	of := e.Get("o2")
	if of.Type() != bsonval.Object || of.Doc().Get("_id").IsMissing() {
		return mongoerr.New(mongoerr.NoSuchKey, "Failed to apply update due to missing _id: %s", e)
	}
	delta, err := diff.ParseEntry(o)
	if err != nil {
		return err
	}
	var b bsonval.Builder
	sub, err := s.applying(r, ns, b.Str("update", ns.Coll).Bool("bypassDocumentValidation", true).Doc())
	if err != nil {
		return err
	}
	if err := r.mayWrite(ns); err != nil {
		return err
	}
	ch := crud.Change{Filter: byID(of.Doc()), Update: bsonval.DocValue(o), Delta: delta, Upsert: true}
	if v := r.Body.Get("alwaysUpsert"); !v.IsMissing() {
		ch.Upsert = v.Truth() || e.Get("b").Truth()
	}
	var res crud.Result
	err = sub.write(func(w *crud.Writer) error {
		res, err = w.Update(ns, ch)
		return err
	})
	if err == nil && res.Matched == 0 && res.Upserted.IsMissing() {
		return mongoerr.New(mongoerr.UnknownError, "applyOps had one or more errors applying ops")
	}
	return err
}

func byID(d bsonval.Doc) bsonval.Doc { return bsonval.D(bsonval.E("_id", d.Get("_id"))) }

// appliedAs is the command that an entry stems from; nil for one that does nothing.
func appliedAs(kind string, ns storage.NS, o bsonval.Doc) (bsonval.Doc, error) {
	if (kind == "i" || kind == "d") && o.Get("_id").IsMissing() {
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Failed to apply %s due to missing _id: %s", map[string]string{"i": "insert", "d": "delete"}[kind], o)
	}
	var b bsonval.Builder
	switch kind {
	case "i":
		b.Str("update", ns.Coll).OpenArray("updates").OpenItem().SetDoc("q", byID(o)).SetDoc("u", o).Bool("upsert", true).Close().Close()
		return b.Bool("bypassDocumentValidation", true).Doc(), nil
	case "d":
		b.Str("delete", ns.Coll).OpenArray("deletes").OpenItem().SetDoc("q", byID(o)).Int32("limit", 1).Close().Close()
		return b.Doc(), nil
	case "c":
		return appliedCommand(o)
	}
	return nil, mongoerr.New(mongoerr.BadValue, "invalid op type: %s", kind)
}

// appliedCommand is a change of the catalogue as a command takes it.
func appliedCommand(o bsonval.Doc) (bsonval.Doc, error) {
	name := o.First().Name
	var b bsonval.Builder
	switch name {
	case "createIndexes":
		spec := lacking(o, "createIndexes")
		if onlyID(spec) {
			return nil, nil // it came with the collection
		}
		b.Set("createIndexes", o.First().Value).OpenArray("indexes").ItemDoc(spec)
		return b.Doc(), nil
	case "create":
		return lacking(o, "idIndex"), nil
	case "drop":
		return bsonval.D(o.First()), nil
	case "renameCollection":
		return lacking(o, "stayTemp"), nil
	case "collMod", "dropIndexes", "dropDatabase", "applyOps":
		return o, nil
	}
	return nil, mongoerr.New(mongoerr.CommandNotSupported, "applyOps can't do %s", name)
}

// lacking is a document without one field.
func lacking(d bsonval.Doc, field string) bsonval.Doc {
	b := bsonval.NewBuilder(len(d))
	for it := d.Iter(); it.Next(); {
		if it.Name() != field {
			b.Raw(it.Raw())
		}
	}
	return b.Doc()
}

func onlyID(spec bsonval.Doc) bool { return stringOr(spec.Get("name"), "") == "_id_" }
