package command

import (
	"testing"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func field(name string, v bsonval.Value) bsonval.Doc { return bsonval.D(bsonval.E(name, v)) }

// validate finds the index that is broken, and says so of that one alone.
func TestValidateFindsTheBrokenIndex(t *testing.T) {
	tx, c := filled(t)
	ix, err := index.Parse(bsonval.D(bsonval.E("v", bsonval.IntValue(2)), bsonval.E("key", bsonval.DocValue(field("a", bsonval.IntValue(1)))), bsonval.E("name", bsonval.StringValue("a_1"))))
	if err != nil {
		t.Fatal(err)
	}
	op := opctx.New(t.Context(), time.Now())
	whole := run(t, op, c)
	if !whole.Get("valid").Truth() || whole.Get("errors").Doc().Len() != 0 || !whole.Path("indexDetails._id_.valid").Truth() {
		t.Errorf("%s", whole)
	}
	lacking := *c
	lacking.Indexes = []*storage.Index{c.Indexes[0], {Def: ix}} // it has no keys
	got := run(t, op, &lacking)
	if got.Get("valid").Truth() || !got.Path("indexDetails._id_.valid").Truth() || got.Path("indexDetails.a_1.valid").Truth() {
		t.Errorf("%s", got)
	}
	if entries := got.Get("missingIndexEntries").Doc(); entries.Len() != 2 || entries.At(0).Doc().Path("indexKey.a").Long() != 5 || entries.At(0).Doc().Get("indexName").Str() != "a_1" {
		t.Errorf("missing: %s", entries)
	}
	if errs := got.Get("errors").String(); errs != `[ "Index with name 'a_1' has inconsistencies." ]` {
		t.Error(errs)
	}
	stray := *storage.Made(c.NS, c.UUID, nil, nil)
	stray.Indexes = c.Indexes // with the keys of documents that are gone
	got = run(t, op, &stray)
	if got.Get("valid").Truth() || got.Path("indexDetails._id_.valid").Truth() || got.Get("extraIndexEntries").Doc().Len() != 2 {
		t.Errorf("%s", got)
	}
	tx.Rollback()
}

func run(t *testing.T, op *opctx.Op, c *storage.Collection) bsonval.Doc {
	t.Helper()
	v := &validation{r: &Request{Server: &Server{}, Op: op}, c: c}
	if err := v.check(); err != nil {
		t.Fatal(err)
	}
	return v.report()
}

// filled is a collection of two documents, in a store of its own.
func filled(t *testing.T) (*storage.Tx, *storage.Collection) {
	t.Helper()
	store, err := storage.Open("", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := store.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ns := storage.NS{DB: "d", Coll: "c"}
	op := opctx.New(t.Context(), time.Now())
	w := &crud.Writer{Op: op, Store: store, Tx: tx, IDs: crud.NewObjectIDs(), Match: (&Server{}).matchEnv}
	for i := range int32(2) {
		if _, err := w.Insert(ns, bsonval.D(bsonval.E("_id", bsonval.IntValue(i)), bsonval.E("a", bsonval.IntValue(5)))); err != nil {
			t.Fatal(err)
		}
	}
	return tx, tx.View().Collection(ns)
}
