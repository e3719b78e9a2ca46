// Package crud inserts, updates, deletes and does findAndModify within a storage
// transaction: what the write commands, $merge, $out and the bulk writes share.
//
// It knows nothing of replies, sessions or cursors.
package crud

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// Writer does the writes of one command. Store is the one that Tx belongs to.
type Writer struct {
	Op     *opctx.Op
	Store  *storage.Store
	Tx     *storage.Tx
	Many   bool // Tx is a transaction of many commands
	Client bool // and that is a client's, not one of the engine's own
	IDs    *ObjectIDs
	Match  func(op *opctx.Op, coll *storage.Collection) match.Env
	// Bypass skips validation (bypassDocumentValidation).
	Bypass bool
	Plans  *plan.Cache  // nil: none
	Series *SeriesStats // nil: nobody counts

	buckets open                       // of time series, not stored yet
	counts  map[[16]byte]*SeriesCounts // by their collection, of the transaction
}

// ObjectIDs makes new ObjectIds: seconds, five random bytes of this process, a counter.
type ObjectIDs struct {
	process [5]byte
	counter atomic.Uint32
	stamp   atomic.Uint64 // the last timestamp that was given
}

// Stamp answers a timestamp above all before it, for an empty one in a document.
func (o *ObjectIDs) Stamp(now time.Time) bsonval.Value {
	for {
		last := o.stamp.Load()
		next := max(last+1, uint64(now.Unix())<<32|1)
		if o.stamp.CompareAndSwap(last, next) {
			return bsonval.TimestampOf(next)
		}
	}
}

// NewObjectIDs begins at a random count.
func NewObjectIDs() *ObjectIDs {
	var b [9]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	o := &ObjectIDs{process: [5]byte(b[:5])}
	o.counter.Store(binary.BigEndian.Uint32(b[5:]))
	return o
}

// New answers the next id.
func (o *ObjectIDs) New(now time.Time) (id [12]byte) {
	binary.BigEndian.PutUint32(id[:], uint32(now.Unix()))
	copy(id[4:], o.process[:])
	n := o.counter.Add(1)
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return id
}

// CheckNS tells whether a collection may have that name.
func CheckNS(ns storage.NS) error {
	switch {
	case ns.DB == "" || len(ns.DB) > 63 || strings.ContainsAny(ns.DB, "/\\. \"$\x00"):
		return mongoerr.New(mongoerr.InvalidNamespace, "Invalid database name: '%s'", ns.DB)
	case ns.Coll == "" || strings.HasPrefix(ns.Coll, ".") || strings.ContainsAny(ns.Coll, "\x00") || strings.Contains(ns.Coll, "$"):
		return mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s'", ns)
	case len(ns.DB)+len(ns.Coll)+1 > 255:
		return mongoerr.New(mongoerr.InvalidNamespace, "Fully qualified namespace is too long. Namespace: %s Max: 255", ns)
	case ns == OplogNS() || ns == ReplsetNS():
		return mongoerr.New(mongoerr.IllegalOperation, "%s is written by the server alone", ns)
	case !mayBeSystem(ns):
		return mongoerr.New(mongoerr.InvalidNamespace, "Invalid system namespace: %s", ns)
	}
	return nil
}

// mayBeSystem refuses names with system. but for those that the server knows.
func mayBeSystem(ns storage.NS) bool {
	name, ok := strings.CutPrefix(ns.Coll, "system.")
	if !ok || ns.DB == "local" || ns.DB == "config" || strings.HasPrefix(name, "buckets.") {
		return true
	}
	switch name {
	case "js", "users", "views", "profile":
		return true
	case "roles", "version", "keys", "healthlog", "new_users", "backup_users":
		return ns.DB == "admin"
	}
	return false
}

// OplogNS and ReplsetNS are what a replica set's member keeps in its database local.
func OplogNS() storage.NS   { return storage.NS{DB: "local", Coll: "oplog.rs"} }
func ReplsetNS() storage.NS { return storage.NS{DB: "local", Coll: "system.replset"} }

// IDIndex is the definition of every collection's index on _id.
func IDIndex() *index.Def {
	def, err := index.Parse(bsonval.D(
		bsonval.E("v", bsonval.IntValue(2)),
		bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("_id", bsonval.IntValue(1))))),
		bsonval.E("name", bsonval.StringValue("_id_"))))
	if err != nil {
		panic(err) // a constant
	}
	return def
}

// idIndexFor is the index on _id that a collection with these options has.
func idIndexFor(options bsonval.Doc) (*index.Def, error) {
	v := options.Get("clusteredIndex")
	if !v.Truth() {
		return IDIndex(), nil
	}
	spec := IDIndex().Spec
	if v.Type() == bsonval.Object {
		spec = v.Doc()
	}
	b := bsonval.BuilderOf(spec)
	if spec.Get("unique").IsMissing() {
		b.Bool("unique", true)
	}
	return index.Parse(b.Bool("clustered", true).Doc())
}

// Create makes a collection with its index on _id; options are those of the command.
func Create(op *opctx.Op, tx *storage.Tx, ns storage.NS, options bsonval.Doc) (*storage.Collection, error) {
	return CreateAs(op, tx, ns, options, nil)
}

// CreateAs is Create with a UUID; nil makes a new one.
func CreateAs(op *opctx.Op, tx *storage.Tx, ns storage.NS, options bsonval.Doc, uuid *[16]byte) (*storage.Collection, error) {
	if err := CheckNS(ns); err != nil {
		return nil, err
	}
	if err := checkCase(tx.View(), ns.DB); err != nil {
		return nil, err
	}
	c, err := tx.Create(ns, options, uuid)
	if err != nil || c.IsView() {
		return c, err
	}
	def, err := idIndexFor(options)
	if err != nil {
		return nil, err
	}
	if err := inheritCollation(def, options); err != nil {
		return nil, err
	}
	return c, tx.CreateIndex(op, ns, def)
}

// checkCase refuses a new database that another one is, but for its letters' case.
func checkCase(state *storage.State, db string) error {
	for _, other := range state.Databases() {
		if other != db && strings.EqualFold(other, db) {
			return mongoerr.New(mongoerr.DatabaseDifferCase, "db already exists with different case already have: [%s] trying to create [%s]", other, db)
		}
	}
	return nil
}

// Collection answers the collection, made if it isn't there.
func (w *Writer) Collection(ns storage.NS) (*storage.Collection, error) {
	if c := w.Tx.Collection(ns); c != nil {
		return c, w.mayChange(c)
	}
	if _, ok := SeriesNS(ns); ok {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Cannot create %s by writing to it; create the time-series collection", ns)
	}
	return Create(w.Op, w.Tx, ns, nil)
}

// mayChange refuses what is no collection, and in a transaction of many commands what
// is capped.
func (w *Writer) mayChange(c *storage.Collection) error {
	if w.Client && c.Options.Get("capped").Truth() {
		return mongoerr.New(mongoerr.OperationNotSupportedInTransaction, "Collection '%s' is a capped collection. Writes in transactions are not allowed on capped collections.", c.NS)
	}
	return notView(c)
}

// notView refuses what is no collection.
func notView(c *storage.Collection) error {
	if _, ok := Series(c); ok {
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a timeseries collection", c.NS)
	}
	if c.IsView() {
		return mongoerr.New(mongoerr.CommandNotSupportedOnView, "Namespace %s is a view, not a collection", c.NS)
	}
	return nil
}

// Insert adds one document: _id is made if it has none and put first. It answers the
// document as stored. Measurements of a time series are stored by Flush.
func (w *Writer) Insert(ns storage.NS, doc bsonval.Doc) (bsonval.Doc, error) {
	if o, ok := Series(w.Tx.Collection(ns)); ok {
		return w.measure(ns, o, doc)
	}
	doc, err := w.prepare(doc) // a document that can't be makes no collection
	if err != nil {
		return nil, err
	}
	c, err := w.Collection(ns)
	if err != nil {
		return nil, err
	}
	if doc, err = w.admit(c, nil, doc); err != nil {
		return nil, err
	}
	if _, err := w.Tx.Insert(ns, doc); err != nil {
		return nil, err
	}
	return doc, w.after(ns)
}

// prepare puts _id first, and fills empty timestamps.
func (w *Writer) prepare(doc bsonval.Doc) (bsonval.Doc, error) {
	if len(doc) > bsonval.MaxDocument {
		return nil, mongoerr.New(mongoerr.BadValue, "object to insert too large. size in bytes: %d, max size: %d", len(doc), bsonval.MaxDocument)
	}
	first, ids, stamps := true, 0, false
	idFirst := false
	for name, v := range doc.All() {
		if name == "_id" {
			ids++
			idFirst = first
			if err := checkID(v); err != nil {
				return nil, err
			}
		}
		stamps = stamps || v.Type() == bsonval.Timestamp && v.Timestamp() == 0 && name != "_id"
		first = false
	}
	if ids > 1 {
		return nil, mongoerr.New(mongoerr.BadValue, "can't have multiple _id fields in one document")
	}
	if idFirst && !stamps {
		return doc.Clone(), nil
	}
	id := doc.Get("_id")
	if id.IsMissing() {
		id = bsonval.ObjectIDValue(w.IDs.New(w.Op.Now))
	}
	b := bsonval.NewBuilder(len(doc) + 24)
	b.Set("_id", id)
	for it := doc.Iter(); it.Next(); {
		switch v := it.Value(); {
		case it.Name() == "_id":
		case v.Type() == bsonval.Timestamp && v.Timestamp() == 0:
			b.Set(it.Name(), w.IDs.Stamp(w.Op.Now))
		default:
			b.Raw(it.Raw())
		}
	}
	return b.Doc(), nil
}

func checkID(v bsonval.Value) error {
	switch v.Type() {
	case bsonval.Array, bsonval.Regex, bsonval.Undefined:
		return mongoerr.New(mongoerr.InvalidIdField, "The '_id' value cannot be of type %s", v.Type())
	case bsonval.Object:
		for name := range v.Doc().All() {
			if strings.HasPrefix(name, "$") {
				return mongoerr.New(mongoerr.DollarPrefixedFieldName, "_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", name)
			}
		}
	}
	return nil
}

// claim takes a record before it is changed.
func (w *Writer) claim(ns storage.NS, c *storage.Collection, record int64) error {
	if w.Many {
		return w.Tx.Claim(ns, record)
	}
	if w.Store.Claimed(c, record) {
		return mongoerr.New(mongoerr.WriteConflict, "WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.")
	}
	return nil
}
