package command

import (
	"context"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// Restoring brings collections back as package archive finds them, in one transaction:
// nobody sees anything of it before Commit. It must be ended by Commit or Rollback.
type Restoring struct {
	server *Server
	op     *opctx.Op
	writer *crud.Writer
}

// Restore begins a restore.
func (s *Server) Restore(ctx context.Context) *Restoring {
	op := opctx.New(ctx, s.opts.Clock())
	tx := s.store.BeginAt(s.store.State())
	return &Restoring{server: s, op: op, writer: &crud.Writer{
		Op: op, Store: s.store, Tx: tx, Many: true, IDs: s.ids, Match: s.matchEnv, Bypass: true, Plans: s.plans,
	}}
}

// Has tells whether there is a collection or a view of that name.
func (t *Restoring) Has(ns storage.NS) bool { return t.writer.Tx.Collection(ns) != nil }

// Drop removes a collection.
func (t *Restoring) Drop(ns storage.NS) error {
	return crud.Drop(t.writer.Tx, t.writer.Tx.Collection(ns))
}

// Create makes a collection, with the checks of the command create.
func (t *Restoring) Create(ns storage.NS, options bsonval.Doc) error {
	b := bsonval.NewBuilder(len(options) + 64)
	b.Str("create", ns.Coll).Fields(options)
	r := &Request{
		Server: t.server, Spec: t.server.specs["create"], Op: t.op, Tx: t.writer.Tx, DB: ns.DB, Body: b.Doc(), txnNumber: -1,
		Conn: &Conn{Internal: true},
	}
	if err := r.common(); err != nil {
		return err
	}
	_, err := t.server.create(r)
	return err
}

// Index builds an index. Options that the server doesn't know, which old servers let
// pass, are left out as mongorestore does it.
func (t *Restoring) Index(ns storage.NS, spec bsonval.Doc) error {
	if o, ok := crud.Series(t.writer.Tx.Collection(ns)); ok {
		var err error
		if spec, err = o.BucketIndex(spec); err != nil {
			return err
		}
		ns = crud.BucketsNS(ns)
	}
	def, err := index.Parse(index.Known(spec))
	if err != nil {
		return err
	}
	def.Binary = def.Collator == nil // the collection's collation isn't the index's unless it is written
	return addIndex(&Request{Op: t.op}, t.writer, ns, def, false, nil)
}

// Insert adds a document; validators are not asked.
func (t *Restoring) Insert(ns storage.NS, doc bsonval.Doc) error {
	if err := t.op.Check(); err != nil {
		return err
	}
	if named := map[storage.NS]string{usersNS(): "user", rolesNS(): "role"}[ns]; named != "" {
		if err := checkAuthz(doc, named); err != nil {
			return err
		}
	}
	_, err := t.writer.Insert(ns, doc)
	return err
}

// Commit makes all of it visible at once.
func (t *Restoring) Commit() error {
	err := t.writer.Tx.Commit()
	if mongoerr.Is(err, mongoerr.WriteConflict) {
		return mongoerr.New(mongoerr.WriteConflict, "others wrote into the collections while they were restored: nothing was restored, try again")
	}
	return err
}

// Rollback ends it without a trace; after Commit it does nothing.
func (t *Restoring) Rollback() { t.writer.Tx.Rollback() }
