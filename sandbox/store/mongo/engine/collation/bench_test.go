package collation

import (
	"testing"

	"storeroom/sandbox/store/mongo/engine/bsonval/bsontest"
)

func BenchmarkKey(b *testing.B) {
	for _, c := range []struct{ json, s string }{{`{"locale":"en"}`, "some words of a text"}, {`{"locale":"de","strength":2}`, "Große Straße in München"}, {`{"locale":"sv"}`, "some words of a text"}} {
		coll, err := Parse(bsontest.Doc(b, c.json))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.json, func(b *testing.B) {
			var key []byte
			for b.Loop() {
				key = coll.AppendKey(key[:0], c.s)
			}
		})
	}
}
