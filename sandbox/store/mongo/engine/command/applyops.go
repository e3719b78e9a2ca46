package command

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/wire"
)

func (s *Server) applyCommands() []Spec {
	return []Spec{{Name: "applyOps", Fields: "allowAtomic alwaysUpsert bypassDocumentValidation preCondition oplogApplicationMode", Run: s.applyOps, Admin: true}}
}

// applyOps does entries of an oplog again, by which mongorestore replays one and makes
// collections with their old UUIDs. Each is done by the command that it stems from, one
// after the other; the first that fails ends it.
func (s *Server) applyOps(r *Request) (bsonval.Doc, error) {
	entries, err := r.Docs("applyOps")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := s.applyOp(r, e); err != nil {
			return nil, err
		}
	}
	var b bsonval.Builder
	b.Int32("applied", int32(len(entries))).OpenArray("results")
	for range entries {
		b.Item(bsonval.BoolValue(true))
	}
	return b.Doc(), nil
}

func (s *Server) applyOp(r *Request, e bsonval.Doc) error {
	ns, _ := storage.ParseNS(stringOr(e.Get("ns"), ""))
	o := e.Get("o")
	kind := stringOr(e.Get("op"), "")
	if kind == "n" {
		return nil
	}
	if ns.Coll == "" || o.Type() != bsonval.Object {
		return mongoerr.New(mongoerr.BadValue, "an entry of applyOps needs op, ns and o: %s", e)
	}
	cmd, err := appliedAs(kind, ns, o.Doc(), e)
	if err != nil || cmd == nil {
		return err
	}
	sub := *r
	sub.DB, sub.Body, sub.Message = ns.DB, cmd, &wire.Message{Body: cmd}
	if sub.Spec = s.specs[cmd.First().Name]; sub.Spec == nil {
		return mongoerr.New(mongoerr.CommandNotSupported, "applyOps can't do %s", cmd.First().Name)
	}
	if ui := e.Get("ui"); ui.Type() == bsonval.Binary && sub.Spec.Name == "create" {
		if _, id := ui.Binary(); len(id) == 16 {
			sub.uuid = (*[16]byte)(id)
		}
	}
	if err := s.authorize(&sub); err != nil {
		return err
	}
	reply, err := sub.Spec.Run(&sub)
	if failed := reply.Get("writeErrors"); err == nil && failed.Type() == bsonval.Array {
		return mongoerr.New(mongoerr.Code(failed.Doc().At(0).Doc().Get("code").Long()), "%s", failed.Doc().At(0).Doc().Get("errmsg").Str())
	}
	return err
}

// appliedAs is the command that an entry stems from; nil for one that does nothing.
func appliedAs(kind string, ns storage.NS, o, e bsonval.Doc) (bsonval.Doc, error) {
	var b bsonval.Builder
	id := func(d bsonval.Doc) bsonval.Doc { return bsonval.D(bsonval.E("_id", d.Get("_id"))) }
	switch kind {
	case "i":
		b.Str("update", ns.Coll).OpenArray("updates").OpenItem().SetDoc("q", id(o)).SetDoc("u", o).Bool("upsert", true).Close().Close()
	case "u":
		of := e.Get("o2")
		if of.Type() != bsonval.Object {
			return nil, mongoerr.New(mongoerr.NoSuchKey, "an update of applyOps needs o2: %s", e)
		}
		if strings.HasPrefix(o.First().Name, "$") {
			return nil, mongoerr.New(mongoerr.CommandNotSupported, "applyOps knows updates by whole documents alone, not %s", o.First().Name)
		}
		b.Str("update", ns.Coll).OpenArray("updates").OpenItem().SetDoc("q", id(of.Doc())).SetDoc("u", o).Bool("upsert", true).Close().Close()
	case "d":
		b.Str("delete", ns.Coll).OpenArray("deletes").OpenItem().SetDoc("q", id(o)).Int32("limit", 1).Close().Close()
		return b.Doc(), nil
	case "c":
		return appliedCommand(o)
	default:
		return nil, mongoerr.New(mongoerr.BadValue, "invalid op type: %s", kind)
	}
	return b.Bool("bypassDocumentValidation", true).Doc(), nil
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
