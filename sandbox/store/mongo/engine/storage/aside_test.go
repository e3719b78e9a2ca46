package storage

import (
	"slices"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/index"
)

// written is an index on a that is called one thing in the journal and is another.
func written(t *testing.T, name string, more ...bsonval.Element) *index.Def {
	t.Helper()
	spec := bsonval.D(bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("a", bsonval.IntValue(1))))), bsonval.E("name", bsonval.StringValue(name)))
	def, err := index.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	b := bsonval.BuilderOf(def.Spec)
	for _, e := range more {
		b.Set(e.Name, e.Value)
	}
	def.Spec = b.Doc()
	return def
}

// lost is a collation that no version has any more.
func lost() bsonval.Value {
	return bsonval.DocValue(bsonval.D(bsonval.E("locale", bsonval.StringValue("once"))))
}

// An index that was left out may be dropped later in the journal, under another name of
// its collection.
func TestWhatIsLeftOutCanBeDroppedAfterARename(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	renamed := NS{DB: testNS.DB, Coll: "renamed"}
	err := write(t, s, func(tx *Tx) error {
		if _, err := tx.Create(testNS, nil, nil); err != nil {
			return err
		}
		for _, def := range []*index.Def{idIndex(t), written(t, "locale", bsonval.E("collation", lost()))} {
			if err := tx.CreateIndex(nil, testNS, def); err != nil {
				return err
			}
		}
		if err := tx.Rename(testNS, renamed); err != nil {
			return err
		}
		return tx.DropIndex(renamed, "locale")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	if c := s.State().Collection(renamed); c == nil || len(c.Indexes) != 1 {
		t.Error("the collection is not there with its one index")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A folder opens with all its documents, whatever an earlier version took as an index or
// a collation.
func TestWhatCanNotBeMadeAgainIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	err := write(t, s, func(tx *Tx) error {
		if _, err := tx.Create(testNS, bsonval.D(bsonval.E("collation", lost())), nil); err != nil {
			return err
		}
		for _, def := range []*index.Def{
			idIndex(t), written(t, "sound"), written(t, "locale", bsonval.E("collation", lost())), written(t, "unique", bsonval.E("unique", bsonval.BoolValue(true))),
			written(t, "dropped", bsonval.E("collation", lost())),
		} {
			if err := tx.CreateIndex(nil, testNS, def); err != nil {
				return err
			}
		}
		for i := range 3 {
			if _, err := tx.Insert(testNS, bsonval.D(bsonval.E("_id", bsonval.IntValue(int32(i))), bsonval.E("a", bsonval.IntValue(7)))); err != nil {
				return err
			}
		}
		return tx.DropIndex(testNS, "dropped")
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Asides()) != 0 {
		t.Error("left out before it was read:", s.Asides())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again too, from the same journal
		s = open(t, dir, Options{})
		c := s.State().Collection(testNS)
		var names, asides []string
		for _, ix := range c.Indexes {
			names = append(names, ix.Def.Name)
		}
		for _, a := range s.Asides() {
			asides = append(asides, a.Name)
		}
		if c.Count() != 3 || !slices.Equal(names, []string{"_id_", "sound"}) || !c.Options.Get("collation").IsMissing() {
			t.Errorf("%d documents, indexes %v, options %v", c.Count(), names, c.Options)
		}
		if want := []string{"the collation", "locale", "dropped", "unique"}; !slices.Equal(asides, want) {
			t.Errorf("left out %v, want %v", asides, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
