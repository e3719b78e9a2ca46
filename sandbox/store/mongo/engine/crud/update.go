package crud

import (
	"storeroom/sandbox/store/mongo/engine/agg"
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/stream"
	"storeroom/sandbox/store/mongo/engine/update"
)

// Change is one update, or a delete when Update is Missing.
type Change struct {
	Filter       bsonval.Doc
	Update       bsonval.Value // an object, or an array: a pipeline
	Delta        bsonval.Doc   // in place of Update: a difference of the oplog
	ArrayFilters bsonval.Doc
	Constants    bsonval.Doc // c: variables for the pipeline
	Sort         bsonval.Doc
	Hint         bsonval.Value
	Metas        []string // {$meta: …} that is wanted of the document found
	Multi        bool
	Upsert       bool
	Document     bsonval.Doc // upsertSupplied: this is inserted when nothing matched
}

// Result says what a Change did.
type Result struct {
	Matched, Modified int64
	Upserted          bsonval.Value // the new _id; Missing: none
	Before, After     bsonval.Doc   // of the last document changed
	Meta              *stream.Meta  // what is known of it beside its fields
}

// modifier turns one document into the next.
type modifier interface {
	modify(w *Writer, doc bsonval.Doc, m *match.Matcher, insert bool) (bsonval.Doc, error)
	replaces() bool
	kind(before, after bsonval.Doc) storage.Kind
	edits() []diff.Edit // nil: not known
	// Idle tells whether modify, which made after, has changed nothing.
	Idle(before, after bsonval.Doc) bool
}

// Update applies a change that has an Update.
func (w *Writer) Update(ns storage.NS, ch Change) (Result, error) {
	var res Result
	c := w.Tx.Collection(ns)
	if o, ok := Series(c); ok {
		return w.updateSeries(ns, o, ch)
	}
	if c != nil {
		if err := w.mayChange(c); err != nil {
			return res, err
		}
	}
	env := w.Match(w.Op, c)
	env.NoExpr = ch.Upsert
	m, err := match.Compile(ch.Filter, env)
	if err != nil {
		return res, err
	}
	mod, err := w.modifier(ch, c)
	if err != nil {
		return res, err
	}
	if ch.Multi && mod.replaces() {
		return res, mongoerr.New(mongoerr.FailedToParse, "multi update is not supported for replacement-style update")
	}
	if c != nil {
		err = w.each(ns, m, ch, func(row stream.Row) error {
			return w.updateOne(ns, c, m, mod, row, &res)
		})
	}
	if err != nil || res.Matched > 0 || !ch.Upsert {
		return res, err
	}
	return w.upsert(ns, m, mod, ch)
}

// Delete removes what matches and answers how many, and the last document.
func (w *Writer) Delete(ns storage.NS, ch Change) (Result, error) {
	var res Result
	c := w.Tx.Collection(ns)
	if o, ok := Series(c); ok {
		return w.deleteSeries(ns, o, ch)
	}
	if c != nil {
		if err := w.mayChange(c); err != nil {
			return res, err
		}
	}
	m, err := match.Compile(ch.Filter, w.Match(w.Op, c))
	if err != nil || c == nil {
		return res, err
	}
	err = w.each(ns, m, ch, func(row stream.Row) error {
		if err := w.claim(ns, c, row.Record); err != nil {
			return err
		}
		res.Matched++
		res.Before, res.Meta = row.Doc, row.Meta
		return w.Tx.Delete(ns, row.Record)
	})
	return res, err
}

// each finds what matches, in a view that the changes don't touch, and calls do.
func (w *Writer) each(ns storage.NS, m *match.Matcher, ch Change, do func(stream.Row) error) error {
	q := plan.Query{Filter: m, Sort: ch.Sort, Hint: ch.Hint, Cache: w.Plans, Write: plan.Update, Metas: ch.Metas}
	if !ch.Multi {
		q.Limit = 1
	}
	p, err := plan.Choose(w.Op, w.Tx.View().Collection(ns), q)
	if err != nil {
		return err
	}
	it, err := p.Run(w.Op)
	if err != nil {
		return err
	}
	defer it.Close()
	for {
		row, ok, err := it.Next()
		if !ok || err != nil {
			return err
		}
		if err := do(row); err != nil {
			return err
		}
		if !ch.Multi {
			return nil
		}
	}
}

func (w *Writer) updateOne(ns storage.NS, c *storage.Collection, m *match.Matcher, mod modifier, row stream.Row, res *Result) error {
	next, err := mod.modify(w, row.Doc, m, false)
	if err != nil {
		return err
	}
	res.Matched++
	res.Before, res.After, res.Meta = row.Doc, next, row.Meta
	if mod.Idle(row.Doc, next) {
		return nil
	}
	if len(next) > bsonval.MaxDocument {
		return mongoerr.New(17419, "Resulting document after update is larger than %d", bsonval.MaxDocument)
	}
	if err := w.claim(ns, c, row.Record); err != nil {
		return err
	}
	if next, err = w.admit(c, row.Doc, next); err != nil {
		return err
	}
	if err := w.Tx.Update(ns, row.Record, next, mod.kind(row.Doc, next), mod.edits()...); err != nil {
		return err
	}
	res.Modified++
	res.After = next
	return nil
}

// upsert inserts what the filter's equalities and the update make together.
func (w *Writer) upsert(ns storage.NS, m *match.Matcher, mod modifier, ch Change) (Result, error) {
	var res Result
	doc, err := w.upsertion(m, mod, ch)
	if err != nil {
		return res, err
	}
	if len(doc) > bsonval.MaxDocument {
		return res, mongoerr.New(17420, "Document to upsert is larger than %d", bsonval.MaxDocument)
	}
	stored, err := w.Insert(ns, doc)
	if err != nil {
		return res, err
	}
	res.Upserted, res.After = stored.Get("_id"), stored
	return res, nil
}

// upsertion is the document that an upsert inserts.
func (w *Writer) upsertion(m *match.Matcher, mod modifier, ch Change) (bsonval.Doc, error) {
	begin := seed
	if ch.Document != nil || mod.replaces() {
		begin = seedID
	}
	base, err := begin(m.Root)
	if err != nil {
		return nil, err
	}
	if ch.Document != nil {
		u, err := update.Compile(ch.Document, update.Env{Op: w.Op})
		if err != nil {
			return nil, err
		}
		mod = operators{u}
	}
	return mod.modify(w, base, m, true)
}

// Check refuses an update that can't be compiled, without looking for documents.
func (w *Writer) Check(ch Change, c *storage.Collection) error {
	_, err := w.modifier(ch, c)
	return err
}

func (w *Writer) modifier(ch Change, c *storage.Collection) (modifier, error) {
	if ch.Delta != nil {
		return delta(ch.Delta), nil
	}
	switch ch.Update.Type() {
	case bsonval.Array:
		return w.pipeline(ch)
	case bsonval.Object:
		if ch.Constants != nil {
			return nil, mongoerr.New(51198, "Constant values may only be specified for pipeline updates")
		}
		u, err := update.Compile(ch.Update.Doc(), update.Env{Op: w.Op, ArrayFilters: ch.ArrayFilters, Match: w.Match(w.Op, c)})
		return operators{u}, err
	}
	return nil, mongoerr.New(mongoerr.FailedToParse, "Update argument must be either an object or an array")
}

// operators is an update document.
type operators struct{ *update.Update }

func (u operators) replaces() bool     { return u.IsReplacement() }
func (u operators) edits() []diff.Edit { return u.Edits() }

func (u operators) kind(bsonval.Doc, bsonval.Doc) storage.Kind {
	if u.IsReplacement() {
		return storage.Replace
	}
	return storage.Update
}

func (u operators) modify(w *Writer, doc bsonval.Doc, m *match.Matcher, insert bool) (bsonval.Doc, error) {
	index := -1
	if u.Positional() && !insert {
		var err error
		if index, _, err = m.MatchIndex(w.Op, doc); err != nil {
			return nil, err
		}
	}
	next, err := u.Apply(doc, index, insert)
	if err != nil || !u.IsReplacement() {
		return next, err
	}
	return w.stamped(next), nil
}

// stamped fills the empty timestamps of a replacement.
func (w *Writer) stamped(doc bsonval.Doc) bsonval.Doc {
	for _, v := range doc.All() {
		if v.Type() == bsonval.Timestamp && v.Timestamp() == 0 {
			out, err := w.prepare(doc)
			if err != nil {
				return doc
			}
			return out
		}
	}
	return doc
}

// pipelined is an update by aggregation stages.
type pipelined struct {
	stages *agg.Pipeline
}

func (w *Writer) pipeline(ch Change) (modifier, error) {
	for v := range ch.Update.Doc().Values() {
		name := ""
		if v.Type() == bsonval.Object {
			name = v.Doc().First().Name
		}
		switch name {
		case "$addFields", "$set", "$project", "$unset", "$replaceRoot", "$replaceWith":
		default:
			return nil, mongoerr.New(mongoerr.InvalidOptions, "%s is not allowed to be used within an update", name)
		}
	}
	if len(ch.ArrayFilters) > 5 {
		return nil, mongoerr.New(mongoerr.FailedToParse, "arrayFilters may not be specified for pipeline-syle updates")
	}
	scope := expr.NewScope(w.Op.Let)
	frame := expr.NewFrame(w.Op)
	for name, v := range ch.Constants.All() {
		var slot int
		scope, slot = scope.Define(name)
		frame.Set(slot, v)
	}
	p, err := agg.Compile(ch.Update.Doc(), &agg.Env{Op: w.Op, Scope: scope, Frame: frame})
	return pipelined{p}, err
}

func (pipelined) replaces() bool     { return false }
func (pipelined) edits() []diff.Edit { return nil }

// Idle implements modifier.
func (pipelined) Idle(before, after bsonval.Doc) bool { return after.Same(before) }

func (pipelined) kind(before, after bsonval.Doc) storage.Kind {
	if diff.Replaces(before, after) {
		return storage.Replace
	}
	return storage.Update
}

func (p pipelined) modify(_ *Writer, doc bsonval.Doc, _ *match.Matcher, insert bool) (bsonval.Doc, error) {
	it, err := p.stages.Over(stream.Docs([]bsonval.Doc{doc}))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	row, ok, err := it.Next()
	if err != nil || !ok {
		return nil, err
	}
	was, is := doc.Get("_id"), row.Doc.Get("_id")
	switch {
	case is.IsMissing() && !was.IsMissing(): // $replaceWith keeps it
		return bsonval.NewBuilder(len(row.Doc)+20).Set("_id", was).Fields(row.Doc).Doc(), nil
	case !was.IsMissing() && bsonval.Compare(was, is) != 0:
		return nil, mongoerr.New(mongoerr.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
	}
	return row.Doc, nil
}

// delta is an update by a difference of the oplog.
type delta bsonval.Doc

func (delta) replaces() bool                             { return false }
func (delta) edits() []diff.Edit                         { return nil }
func (delta) kind(bsonval.Doc, bsonval.Doc) storage.Kind { return storage.Update }

// Idle implements modifier.
func (delta) Idle(before, after bsonval.Doc) bool { return after.Same(before) }

func (d delta) modify(_ *Writer, doc bsonval.Doc, _ *match.Matcher, _ bool) (bsonval.Doc, error) {
	return diff.Apply(doc, bsonval.Doc(d))
}
