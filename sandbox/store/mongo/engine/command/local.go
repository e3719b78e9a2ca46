package command

import (
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/changestream"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// localState is the state as the database local shows it: with the configuration of the
// replica set, and with the oplog, which is the history of commits as far as it is kept.
// Both are made for the one command that reads them.
func (r *Request) localState(base *storage.State) *storage.State {
	s := r.Server
	config := storage.Made(crud.ReplsetNS(), [16]byte{6: 0x40, 8: 0x80, 15: 1}, nil, []bsonval.Doc{s.replicaConfig(r)})
	var entries []bsonval.Doc
	for _, c := range s.store.History() {
		if c.TS > base.TS {
			break
		}
		if e := oplogEntry(c); e != nil {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		entries = []bsonval.Doc{s.initiation(r)}
	}
	var options bsonval.Builder
	options.Bool("capped", true).Int64("size", s.store.HistoryLimit())
	oplog := storage.Made(crud.OplogNS(), [16]byte{6: 0x40, 8: 0x80, 15: 2}, options.Doc(), entries)
	return base.With(config).With(oplog)
}

// oplogEntry tells a commit as the server's oplog does: a change by itself, several in
// one applyOps as those of a transaction.
func oplogEntry(c storage.Commit) bsonval.Doc {
	b := bsonval.NewBuilder(256)
	switch ops := told(c.Ops); len(ops) {
	case 0:
		return nil
	case 1:
		writeOp(b, ops[0])
	default:
		b.Str("op", "c").Str("ns", "admin.$cmd").OpenDoc("o").OpenArray("applyOps")
		for _, op := range ops {
			b.OpenItem()
			writeOp(b, op)
			b.Close()
		}
		b.Close().Close()
	}
	b.Set("ts", bsonval.TimestampOf(c.TS)).Int64("t", 1).Int64("v", 2).Set("wall", bsonval.TimeValue(c.Wall))
	return b.Doc()
}

// told are the changes of a commit that the oplog tells: of a collMod its own words in
// place of what it did.
func told(ops []storage.Op) []storage.Op {
	modified := slices.ContainsFunc(ops, func(op storage.Op) bool { return op.Kind == storage.Modify })
	if !modified {
		return ops
	}
	return slices.DeleteFunc(slices.Clone(ops), func(op storage.Op) bool {
		return op.Kind == storage.SetOptions || op.Kind == storage.CreateIndex && op.Name != ""
	})
}

func writeOp(b *bsonval.Builder, op storage.Op) {
	kind, ns := "c", op.NS.DB+".$cmd"
	switch op.Kind {
	case storage.Insert:
		kind, ns = "i", op.NS.String()
	case storage.Update, storage.Replace:
		kind, ns = "u", op.NS.String()
	case storage.Delete:
		kind, ns = "d", op.NS.String()
	case storage.Note:
		b.Str("op", "n").Str("ns", "").SetDoc("o", op.After)
		return
	}
	b.Str("op", kind).Str("ns", ns)
	if op.Kind != storage.DropDatabase {
		b.Set("ui", bsonval.BinaryValue(4, op.UUID[:]))
	}
	id := func(d bsonval.Doc) bsonval.Doc { return bsonval.D(bsonval.E("_id", d.Get("_id"))) }
	switch op.Kind {
	case storage.Insert:
		b.SetDoc("o", op.After).SetDoc("o2", id(op.After))
	case storage.Update:
		b.SetDoc("o", op.Delta().Entry()).SetDoc("o2", id(op.After))
	case storage.Replace:
		b.SetDoc("o", op.After).SetDoc("o2", id(op.After))
	case storage.Delete:
		b.SetDoc("o", id(op.Before))
	default:
		b.SetDoc("o", catalogueOp(op))
		writeBefore(b, op)
	}
}

// writeBefore tells what was there before a change of the catalogue.
func writeBefore(b *bsonval.Builder, op storage.Op) {
	switch op.Kind {
	case storage.DropIndex:
		b.SetDoc("o2", op.Before)
	case storage.Modify:
		b.OpenDoc("o2").Set("collectionOptions_old", op.Before.Get("collectionOptions"))
		if old := op.Before.Get("indexOptions"); !old.IsMissing() {
			b.Set("indexOptions_old", old)
		}
		b.Close()
	}
}

// catalogueOp is a change of the catalogue as the command that makes it.
func catalogueOp(op storage.Op) bsonval.Doc {
	var b bsonval.Builder
	switch op.Kind {
	case storage.Create:
		b.Str("create", op.NS.Coll)
	case storage.Drop:
		return b.Str("drop", op.NS.Coll).Doc()
	case storage.Rename:
		return b.Str("renameCollection", op.NS.String()).Str("to", op.To.String()).Bool("stayTemp", false).Doc()
	case storage.SetOptions, storage.Modify:
		b.Str("collMod", op.NS.Coll)
	case storage.CreateIndex:
		b.Str("createIndexes", op.NS.Coll)
	case storage.DropIndex:
		return b.Str("dropIndexes", op.NS.Coll).Str("index", op.Name).Doc()
	case storage.DropDatabase:
		return b.Int32("dropDatabase", 1).Doc()
	}
	if len(op.After) > 0 {
		b.Fields(op.After)
	}
	if op.Kind == storage.Create && op.After.Get("viewOn").IsMissing() && op.After.Get("clusteredIndex").IsMissing() {
		changestream.WriteIDIndex(&b, op.After)
	}
	return b.Doc()
}

// isLocal tells the collections that localState makes.
func isLocal(ns storage.NS) bool { return ns == crud.OplogNS() || ns == crud.ReplsetNS() }
