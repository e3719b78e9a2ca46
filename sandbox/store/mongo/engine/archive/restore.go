package archive

import (
	"context"
	"io"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/timeseries"
)

// RestoreOptions say what comes out of an archive; the zero value is all, beside what
// is there.
type RestoreOptions struct {
	Drop bool                  // a collection of the archive replaces the one that is there
	Keep func(storage.NS) bool // nil: every collection
}

// Target is where collections come back. What it was given is there after Commit, all
// of it or nothing.
type Target interface {
	Has(ns storage.NS) bool
	Drop(ns storage.NS) error
	Create(ns storage.NS, options bsonval.Doc) error
	Index(ns storage.NS, spec bsonval.Doc) error
	Insert(ns storage.NS, doc bsonval.Doc) error // DuplicateKey leaves the document out
	Commit() error
}

// Restore reads an archive into a target and commits it. Collections that are there
// keep their options and documents, as with mongorestore: a document whose key is taken
// is skipped. Validators are not asked. Anything else that goes wrong leaves the target
// as it was.
func Restore(ctx context.Context, r io.Reader, to Target, o RestoreOptions) (Summary, error) {
	in, err := newReader(r)
	if err != nil {
		return Summary{}, err
	}
	all, err := in.prelude()
	if err != nil {
		return Summary{}, err
	}
	t := &restoring{ctx: ctx, to: to, wanted: map[storage.NS]*described{}}
	for _, d := range all {
		if !theirOwn(d.ns) && (o.Keep == nil || o.Keep(d.ns)) {
			if err := t.create(d, o.Drop); err != nil {
				return Summary{}, err
			}
		}
	}
	if err := in.blocks(t.insert); err != nil {
		return Summary{}, err
	}
	if err := t.index(all); err != nil {
		return Summary{}, err
	}
	return t.sum, to.Commit()
}

type restoring struct {
	ctx    context.Context
	to     Target
	wanted map[storage.NS]*described // by the name that its documents go by
	sum    Summary
}

// data is the name that the collection's documents go by in the archive.
func (d *described) data() storage.NS {
	if d.kind == "timeseries" {
		return storage.NS{DB: d.ns.DB, Coll: timeseries.Prefix + d.ns.Coll}
	}
	return d.ns
}

func (t *restoring) create(d *described, drop bool) error {
	t.wanted[d.data()] = d
	t.sum.Collections++
	if t.to.Has(d.ns) {
		if !drop {
			return nil
		}
		if err := t.to.Drop(d.ns); err != nil {
			return err
		}
	}
	return t.to.Create(d.ns, d.options)
}

func (t *restoring) insert(ns storage.NS, doc bsonval.Doc) error {
	if err := t.ctx.Err(); err != nil {
		return context.Cause(t.ctx)
	}
	d := t.wanted[ns]
	if d == nil {
		return nil
	}
	err := t.to.Insert(d.data(), doc)
	switch {
	case mongoerr.Is(err, mongoerr.DuplicateKey):
		t.sum.Skipped++
		return nil
	case err == nil:
		t.sum.Documents++
	}
	return err
}

// index builds the indexes, once the documents are there.
func (t *restoring) index(all []*described) error {
	for _, d := range all {
		if t.wanted[d.data()] == nil {
			continue
		}
		for _, spec := range d.indexes {
			if onID(spec) {
				continue // every collection has it
			}
			if err := t.to.Index(d.ns, spec); err != nil {
				return err
			}
		}
	}
	return nil
}

// onID tells the index on _id that comes with a collection, also a clustered one's.
func onID(spec bsonval.Doc) bool {
	key := spec.Get("key")
	return key.Type() == bsonval.Object && key.Doc().Len() == 1 && key.Doc().First().Name == "_id" && key.Doc().First().Value.Float() > 0
}
