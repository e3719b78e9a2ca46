package command

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) writeCommands() []Spec {
	return []Spec{
		{Name: "insert", Fields: "documents ordered bypassDocumentValidation encryptionInformation bypassEmptyTsReplacement", Run: s.insert, Write: true, InTxn: true},
		{Name: "update", Fields: "updates ordered bypassDocumentValidation let runtimeConstants bypassEmptyTsReplacement", Run: s.update, Write: true, InTxn: true},
		{Name: "delete", Fields: "deletes ordered let runtimeConstants", Run: s.delete, Write: true, InTxn: true},
		{Name: "findAndModify", Aliases: []string{"findandmodify"}, Fields: "query sort remove update new fields upsert bypassDocumentValidation arrayFilters hint let collation runtimeConstants", Run: s.findAndModify, Write: true, InTxn: true},
	}
}

// maxBatch is how many statements a write command may have.
const maxBatch = 100_000

// write runs do in the request's transaction, or in one of its own that is committed
// when do succeeds. One that conflicts with an open transaction is tried again until
// the other has ended.
func (r *Request) write(do func(w *crud.Writer) error) error {
	if err := r.changesBlocked(); err != nil {
		return err
	}
	bypass, err := r.Bool("bypassDocumentValidation")
	if err != nil {
		return err
	}
	w := &crud.Writer{Op: r.Op, Store: r.Server.store, IDs: r.Server.ids, Match: r.Server.matchEnv, Bypass: bypass, Plans: r.Server.plans, Series: &r.Server.series}
	if r.Tx != nil {
		w.Tx, w.Many, w.Client = r.Tx, true, r.inTransaction
		return do(w)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := r.writeOnce(w, do)
		if !mongoerr.Is(err, mongoerr.WriteConflict) {
			return err
		}
		r.Op.Clash()
		if err := sleep(r.Op.Context(), wait); err != nil {
			return err
		}
	}
}

func (r *Request) writeOnce(w *crud.Writer, do func(w *crud.Writer) error) error {
	tx, err := r.Server.store.Begin(r.Op.Context())
	if err != nil {
		return err
	}
	defer tx.Rollback()
	w.Use(tx)
	if err := do(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	r.remember(tx)
	defer r.Server.relieve()
	if err := tx.Commit(); err != nil {
		return err
	}
	w.Committed()
	return nil
}

// alone waits until no open transaction uses the collections, before one is dropped,
// renamed or given another shape; a namespace without a collection is a whole database.
func (r *Request) alone(all ...storage.NS) error {
	if r.Tx != nil {
		return nil
	}
	defer r.Op.Await(false)
	for wait := time.Millisecond; slices.ContainsFunc(all, r.Server.store.Busy); wait = min(2*wait, 50*time.Millisecond) {
		r.Op.Await(true)
		if err := sleep(r.Op.Context(), wait); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return mongoerr.From(context.Cause(ctx))
	}
}

// batch runs the statements of a write command, each for itself: a failed one stops
// the rest only when ordered. It answers what each gave, nil for those that weren't
// done, and the writeErrors. What an earlier try of the same command has done is not
// done again.
func (r *Request) batch(n int, ordered bool, each func(w *crud.Writer, i int) (bsonval.Doc, error)) ([]bsonval.Doc, []writeError, error) {
	var failed []writeError
	err := r.write(func(w *crud.Writer) error {
		failed, r.answers, r.retried = nil, make([]bsonval.Doc, n), nil
		for i := range n {
			if err := r.Op.Check(); err != nil {
				return err
			}
			if r.answers[i] = r.answered(i); r.answers[i] != nil {
				continue
			}
			answer, err := each(w, i)
			if err == nil {
				r.answers[i] = answer
				continue
			}
			if fatal(err) {
				return err
			}
			failed = append(failed, writeError{i, mongoerr.From(err)})
			if ordered || r.Tx != nil {
				return nil
			}
		}
		return nil
	})
	return r.answers, failed, err
}

// tried is how many of n statements a batch has come to.
func tried(n int, ordered bool, failed []writeError) int64 {
	if ordered && len(failed) > 0 {
		return int64(failed[0].index) + 1
	}
	return int64(n)
}

// fatal tells the errors that end a whole command, not one statement.
func fatal(err error) bool {
	switch mongoerr.From(err).Code {
	case mongoerr.WriteConflict, mongoerr.Interrupted, mongoerr.MaxTimeMSExpired, mongoerr.InterruptedAtShutdown, mongoerr.ShutdownInProgress, mongoerr.InternalError:
		return true
	}
	return errors.Is(err, context.Canceled)
}

type writeError struct {
	index int
	err   *mongoerr.Error
}

// writeReply ends the reply of a write command.
func (r *Request) writeReply(b *bsonval.Builder, failed []writeError) bsonval.Doc {
	if len(failed) > 0 {
		b.OpenArray("writeErrors")
		for _, f := range failed {
			b.OpenItem().Int32("index", int32(f.index)).Int32("code", int32(f.err.Code))
			if f.err.Info != nil {
				b.Fields(f.err.Info)
			}
			b.Str("errmsg", f.err.Message).Close()
		}
		b.Close()
		if r.Tx != nil {
			r.abortAfter = true
		}
	}
	b.Set("electionId", bsonval.ObjectIDValue(r.Server.election)).SetDoc("opTime", r.Server.opTime())
	r.writeRetried(b)
	return b.Doc()
}

// statements reads the array of a write command.
func (r *Request) statements(name string) (docs []bsonval.Doc, ordered bool, err error) {
	if docs, err = r.Docs(name); err != nil {
		return nil, false, err
	}
	if len(docs) == 0 || len(docs) > maxBatch {
		return nil, false, mongoerr.New(mongoerr.InvalidLength, "Write batch sizes must be between 1 and %d. Got %d operations.", maxBatch, len(docs))
	}
	ordered = true
	if v := r.Body.Get("ordered"); !v.IsMissing() {
		if ordered, err = r.Bool("ordered"); err != nil {
			return nil, false, err
		}
	}
	return docs, ordered, nil
}

func (s *Server) insert(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	docs, ordered, err := r.statements("documents")
	if err != nil {
		return nil, err
	}
	one := answer(1)
	answers, failed, err := r.batch(len(docs), ordered, func(w *crud.Writer, i int) (bsonval.Doc, error) {
		if err := r.mayWrite(ns); err != nil {
			return nil, err
		}
		_, err := w.Insert(ns, docs[i])
		return one, err
	})
	s.counters.insert.Add(tried(len(docs), ordered || r.Tx != nil, failed))
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(128)
	b.Int32("n", int32(total(answers, "n")))
	return r.writeReply(b, failed), nil
}

// mayWrite keeps clients out of what the server keeps itself, and of what is blocked.
func (r *Request) mayWrite(ns storage.NS) error {
	if ns.Coll == "system.profile" || ns.Coll == "system.views" || ns.DB == "admin" && (ns.Coll == "system.users" || ns.Coll == "system.roles") {
		return mongoerr.New(mongoerr.InvalidNamespace, "cannot write to %s", ns)
	}
	return r.blocked(ns.DB)
}

func (s *Server) update(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	docs, ordered, err := r.statements("updates")
	if err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	changes := make([]crud.Change, len(docs))
	for i, d := range docs {
		if changes[i], err = parseUpdate(d); err != nil {
			return nil, err
		}
		s.counters.updates.count(changes[i])
	}
	answers, failed, err := r.batch(len(docs), ordered, func(w *crud.Writer, i int) (bsonval.Doc, error) {
		if err := cmp.Or(r.mayWrite(ns), r.mayRetry(changes[i].Multi, "multi=true")); err != nil {
			return nil, err
		}
		if err := r.collate(docs[i], w.Tx.Collection(ns)); err != nil {
			return nil, err
		}
		res, err := w.Update(ns, changes[i])
		return updateAnswer(res), err
	})
	s.counters.update.Add(tried(len(docs), ordered || r.Tx != nil, failed))
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(256)
	b.Int32("n", int32(total(answers, "n")))
	writeUpserted(b, answers)
	b.Int32("nModified", int32(total(answers, "nModified")))
	return r.writeReply(b, failed), nil
}

// writeUpserted lists the _ids that updates have made.
func writeUpserted(b *bsonval.Builder, answers []bsonval.Doc) {
	opened := false
	for i, a := range answers {
		up := a.Get("upserted")
		if up.IsMissing() {
			continue
		}
		if !opened {
			opened = true
			b.OpenArray("upserted")
		}
		b.OpenItem().Int32("index", int32(i)).Fields(up.Doc()).Close()
	}
	if opened {
		b.Close()
	}
}

func parseUpdate(d bsonval.Doc) (crud.Change, error) {
	var ch crud.Change
	var supplied bool
	const prefix = "update.updates."
	var err error
	for name, v := range d.All() {
		switch name {
		case "q":
			ch.Filter, err = docField(d, name, prefix+name)
		case "u":
			ch.Update = v
		case "c":
			ch.Constants, err = docField(d, name, prefix+name)
		case "multi":
			ch.Multi, err = boolField(d, name, prefix+name)
		case "upsert":
			ch.Upsert, err = boolField(d, name, prefix+name)
		case "arrayFilters":
			ch.ArrayFilters, err = arrayField(d, name, prefix+name)
		case "hint":
			ch.Hint = v
		case "sort":
			ch.Sort, err = docField(d, name, prefix+name)
		case "upsertSupplied":
			supplied, err = boolField(d, name, prefix+name)
		case "collation", "sampleId", "allowShardKeyUpdatesWithoutFullShardKeyInQuery":
		default:
			err = unknownField("update.updates." + name)
		}
		if err != nil {
			return ch, err
		}
	}
	if supplied {
		v := ch.Constants.Get("new")
		if !ch.Upsert || v.Type() != bsonval.Object {
			return ch, mongoerr.New(mongoerr.FailedToParse, "upsertSupplied needs upsert: true, and the document to insert as c.new")
		}
		ch.Document = v.Doc()
	}
	switch {
	case ch.Filter == nil:
		return ch, required("update.updates.q")
	case ch.Update.IsMissing():
		return ch, required("update.updates.u")
	case ch.Multi && len(ch.Sort) > 5:
		return ch, mongoerr.New(mongoerr.FailedToParse, "Cannot specify sort with multi=true")
	case ch.Update.Type() == bsonval.Array:
		return ch, knownStages(ch.Update.Doc())
	}
	return ch, nil
}

// knownStages refuses an update's pipeline with a stage that doesn't exist. As in the
// server that fails the whole command, not only the one update.
func knownStages(pipeline bsonval.Doc) error {
	for v := range pipeline.Values() {
		if v.Type() != bsonval.Object {
			continue
		}
		if name := v.Doc().First().Name; !agg.Known(name) {
			return mongoerr.New(40324, "Unrecognized pipeline stage name: '%s'", name)
		}
	}
	return nil
}

func (s *Server) delete(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	docs, ordered, err := r.statements("deletes")
	if err != nil {
		return nil, err
	}
	if err := r.let(); err != nil {
		return nil, err
	}
	changes := make([]crud.Change, len(docs))
	for i, d := range docs {
		if changes[i], err = parseDelete(d); err != nil {
			return nil, err
		}
	}
	answers, failed, err := r.batch(len(docs), ordered, func(w *crud.Writer, i int) (bsonval.Doc, error) {
		if err := cmp.Or(r.mayWrite(ns), r.mayRetry(changes[i].Multi, "limit=0")); err != nil {
			return nil, err
		}
		if err := r.collate(docs[i], w.Tx.Collection(ns)); err != nil {
			return nil, err
		}
		res, err := w.Delete(ns, changes[i])
		return answer(res.Matched), err
	})
	s.counters.delete.Add(tried(len(docs), ordered || r.Tx != nil, failed))
	if err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(128)
	b.Int32("n", int32(total(answers, "n")))
	return r.writeReply(b, failed), nil
}

func parseDelete(d bsonval.Doc) (crud.Change, error) {
	ch := crud.Change{Multi: true}
	const prefix = "delete.deletes."
	for name, v := range d.All() {
		var err error
		switch name {
		case "q":
			ch.Filter, err = docField(d, name, prefix+name)
		case "limit":
			if limit, ok := v.ExactLong(); !ok || limit != 0 && limit != 1 {
				err = mongoerr.New(mongoerr.FailedToParse, "The limit field in delete objects must be 0 or 1. Got %s", v)
			} else {
				ch.Multi = limit == 0
			}
		case "hint":
			ch.Hint = v
		case "collation", "sampleId":
		default:
			err = unknownField("delete.deletes." + name)
		}
		if err != nil {
			return ch, err
		}
	}
	if ch.Filter == nil {
		return ch, required("delete.deletes.q")
	}
	if d.Get("limit").IsMissing() {
		return ch, required("delete.deletes.limit")
	}
	return ch, nil
}
