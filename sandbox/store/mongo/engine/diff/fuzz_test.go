package diff

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Whatever a client sends as a difference is applied or refused, and what is made is a
// document.
func FuzzApply(f *testing.F) {
	f.Add(`{"a":1,"s":{"x":[1,{"y":2}]}}`, `{"d":{"a":false},"i":{"b":1},"ss":{"sx":{"a":true,"l":1,"s0":{"u":{"y":3}}}}}`)
	f.Add(`{"l":[1]}`, `{"sl":{"a":true,"u5":1}}`)
	f.Fuzz(func(t *testing.T, before, delta string) {
		var d, x bson.D
		if bson.UnmarshalExtJSON([]byte(before), false, &d) != nil || bson.UnmarshalExtJSON([]byte(delta), false, &x) != nil {
			return
		}
		raw, err := bson.Marshal(d)
		change, err2 := bson.Marshal(x)
		if err != nil || err2 != nil {
			return
		}
		out, err := Apply(bsonval.Doc(raw), bsonval.Doc(change))
		if err == nil && bson.Raw(out).Validate() != nil {
			t.Errorf("%s with %s is no document", before, delta)
		}
	})
}
