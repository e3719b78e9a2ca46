package index

import (
	"slices"
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Whatever a specification and a document are, they are refused, or the keys are sorted
// and what listIndexes shows makes the same index again.
func FuzzIndex(f *testing.F) {
	doc := bsonval.D(bsonval.E("_id", bsonval.IntValue(1)), bsonval.E("a", bsonval.ArrayOf(bsonval.DocValue(bsonval.D(bsonval.E("b", bsonval.StringValue("Running dogs")))), bsonval.IntValue(5))),
		bsonval.E("p", bsonval.ArrayOf(bsonval.DoubleValue(1), bsonval.DoubleValue(2))))
	for path, by := range map[string]bsonval.Value{
		"a": bsonval.IntValue(1), "a.b": bsonval.StringValue("text"), "$**": bsonval.IntValue(-1), "_id": bsonval.StringValue("hashed"), "p": bsonval.StringValue("2d"), "a.$**": bsonval.IntValue(1),
	} {
		key := bsonval.D(bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E(path, by)))), bsonval.E("name", bsonval.StringValue("n")))
		f.Add([]byte(key), []byte(doc))
	}
	f.Add([]byte(bsonval.D(bsonval.E("key", bsonval.DocValue(bsonval.D(bsonval.E("p", bsonval.StringValue("2dsphere")), bsonval.E("a.b", bsonval.IntValue(1))))), bsonval.E("name", bsonval.StringValue("n")))), []byte(doc))
	f.Fuzz(func(t *testing.T, spec, doc []byte) {
		if bsonval.Validate(spec) != nil || bsonval.Validate(doc) != nil {
			return
		}
		d, err := Parse(spec)
		if err != nil {
			return
		}
		keys, err := d.For(doc)
		if err != nil {
			return
		}
		if !slices.IsSorted(keys.Keys) {
			t.Errorf("%s: keys %q", d.Spec, keys.Keys)
		}
		again, err := Parse(d.Spec)
		if err != nil {
			t.Fatalf("%s is shown as %s: %v", bsonval.Doc(spec), d.Spec, err)
		}
		if more, err := again.For(doc); err != nil || !slices.Equal(more.Keys, keys.Keys) {
			t.Errorf("%s is shown as %s: keys %q and %q, %v", bsonval.Doc(spec), d.Spec, keys.Keys, more.Keys, err)
		}
	})
}
