package command

import (
	"cmp"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) bulkCommands() []Spec {
	return []Spec{{Name: "bulkWrite", Fields: "ops nsInfo ordered errorsOnly bypassDocumentValidation let cursor bypassEmptyTsReplacement", Run: s.bulkWrite, Write: true, InTxn: true, Admin: true}}
}

// bulkOp is one operation of a client-level bulkWrite.
type bulkOp struct {
	kind   string // "insert", "update", "delete"
	ns     storage.NS
	doc    bsonval.Doc
	change crud.Change
	source bsonval.Doc
}

// bulkTotals are the counts of the reply.
type bulkTotals struct{ inserted, matched, modified, upserted, deleted, errors int64 }

func (s *Server) bulkWrite(r *Request) (bsonval.Doc, error) {
	ops, err := r.bulkOps()
	if err != nil {
		return nil, err
	}
	ordered := true
	if !r.Body.Get("ordered").IsMissing() {
		if ordered, err = r.Bool("ordered"); err != nil {
			return nil, err
		}
	}
	errorsOnly, err := r.Bool("errorsOnly")
	if err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	answers, failed, err := r.batch(len(ops), ordered, func(w *crud.Writer, i int) (bsonval.Doc, error) { return ops[i].run(r, w) })
	if err != nil {
		return nil, err
	}
	if len(failed) > 0 && r.Tx != nil {
		r.abortAfter = true
	}
	total := bulkTotals{errors: int64(len(failed))}
	var docs []bsonval.Doc
	for i, a := range answers {
		if a == nil {
			if len(failed) > 0 && failed[0].index == i {
				docs, failed = append(docs, bulkError(i, failed[0].err)), failed[1:]
			}
			continue
		}
		total.add(ops[i].kind, a)
		if !errorsOnly {
			docs = append(docs, bsonval.NewBuilder(64).Double("ok", 1).Int32("idx", int32(i)).Fields(a).Doc())
		}
	}
	return s.bulkReply(r, docs, total)
}

// add counts what one operation did.
func (t *bulkTotals) add(kind string, answer bsonval.Doc) {
	n := answer.Get("n").Long()
	switch kind {
	case "insert":
		t.inserted += n
	case "delete":
		t.deleted += n
	default:
		t.modified += answer.Get("nModified").Long()
		if answer.Get("upserted").IsMissing() {
			t.matched += n
		} else {
			t.upserted++
		}
	}
}

func (s *Server) bulkReply(r *Request, docs []bsonval.Doc, total bulkTotals) (bsonval.Doc, error) {
	size := int64(1 << 40)
	if opts, err := r.Doc("cursor"); err != nil {
		return nil, err
	} else if v := opts.Get("batchSize"); v.IsNumber() {
		size = v.Long()
	}
	c := &cursor.Cursor{NS: "admin.$cmd.bulkWrite", Op: r.Op, Rows: streamDocs(docs), Command: r.Body}
	reply, err := s.firstBatch(r, c, size, false, 0)
	if err != nil {
		return nil, err
	}
	b := bsonval.BuilderOf(reply)
	b.Int32("nErrors", int32(total.errors)).Int32("nInserted", int32(total.inserted)).Int32("nMatched", int32(total.matched))
	b.Int32("nModified", int32(total.modified)).Int32("nUpserted", int32(total.upserted)).Int32("nDeleted", int32(total.deleted))
	r.writeRetried(b)
	return b.Doc(), nil
}

func bulkError(i int, e *mongoerr.Error) bsonval.Doc {
	b := bsonval.NewBuilder(128)
	b.Double("ok", 0).Int32("idx", int32(i)).Int32("code", int32(e.Code)).Str("errmsg", e.Message)
	if e.Info != nil {
		b.Fields(e.Info)
	}
	b.Int32("n", 0)
	return b.Doc()
}

// run does the operation.
func (o *bulkOp) run(r *Request, w *crud.Writer) (bsonval.Doc, error) {
	if err := cmp.Or(r.mayWrite(o.ns), r.mayRetry(o.change.Multi, "multi=true")); err != nil {
		return nil, err
	}
	if o.kind == "insert" {
		_, err := w.Insert(o.ns, o.doc)
		return answer(1), err
	}
	if err := r.collate(o.source, w.Tx.Collection(o.ns)); err != nil {
		return nil, err
	}
	if o.kind == "delete" {
		res, err := w.Delete(o.ns, o.change)
		return answer(res.Matched), err
	}
	res, err := w.Update(o.ns, o.change)
	return updateAnswer(res), err
}

// bulkOps reads the operations and the namespaces that they speak of.
func (r *Request) bulkOps() ([]bulkOp, error) {
	infos, err := r.Docs("nsInfo")
	if err != nil {
		return nil, err
	}
	spaces := make([]storage.NS, len(infos))
	for i, info := range infos {
		v := info.Get("ns")
		if v.Type() != bsonval.String {
			return nil, wrongType("bulkWrite.nsInfo.ns", v, "string")
		}
		ns, ok := storage.ParseNS(v.Str())
		if !ok {
			return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s'", v.Str())
		}
		spaces[i] = ns
	}
	docs, err := r.Docs("ops")
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 || len(docs) > maxBatch {
		return nil, mongoerr.New(mongoerr.InvalidLength, "Write batch sizes must be between 1 and %d. Got %d operations.", maxBatch, len(docs))
	}
	ops := make([]bulkOp, len(docs))
	for i, d := range docs {
		if ops[i], err = parseBulkOp(d, spaces); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

func parseBulkOp(d bsonval.Doc, spaces []storage.NS) (bulkOp, error) {
	first := d.First()
	o := bulkOp{kind: first.Name, source: d}
	i := first.Value.Long()
	if !first.Value.IsNumber() {
		return o, notNumber("bulkWrite.ops."+first.Name, first.Value)
	}
	if i < 0 || i >= int64(len(spaces)) {
		return o, mongoerr.New(mongoerr.BadValue, "BulkWrite ops entry %s has an invalid nsInfo index.", d)
	}
	o.ns = spaces[i]
	prefix := "bulkWrite.ops."
	var err error
	switch o.kind {
	case "insert":
		o.doc, err = docField(d, "document", prefix+"document")
		if err == nil && o.doc == nil {
			err = required(prefix + "document")
		}
		return o, err
	case "update", "delete":
		o.change, err = parseBulkChange(d, o.kind)
		return o, err
	}
	return o, mongoerr.New(mongoerr.FailedToParse, "The first field of a bulkWrite operation must be 'insert', 'update', or 'delete', not '%s'", o.kind)
}

func parseBulkChange(d bsonval.Doc, kind string) (ch crud.Change, err error) {
	for name, v := range d.All() {
		full := "bulkWrite.ops." + name
		switch name {
		case kind, "collation":
		case "filter":
			ch.Filter, err = docField(d, name, full)
		case "updateMods":
			ch.Update = v
		case "multi":
			ch.Multi, err = boolField(d, name, full)
		case "upsert":
			ch.Upsert, err = boolField(d, name, full)
		case "arrayFilters":
			ch.ArrayFilters, err = arrayField(d, name, full)
		case "hint":
			ch.Hint = v
		case "constants":
			ch.Constants, err = docField(d, name, full)
		case "sort":
			ch.Sort, err = docField(d, name, full)
		default:
			err = unknownField(full)
		}
		if err != nil {
			return ch, err
		}
	}
	if ch.Filter == nil {
		return ch, required("bulkWrite.ops.filter")
	}
	if kind == "update" && ch.Update.IsMissing() {
		return ch, required("bulkWrite.ops.updateMods")
	}
	return ch, nil
}
