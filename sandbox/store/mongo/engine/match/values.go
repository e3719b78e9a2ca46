package match

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Values yields what stands at path in doc, as distinct counts it: the elements of
// arrays on the way and of one at the end; nothing where there is nothing.
func Values(doc bsonval.Doc, path string, yield func(bsonval.Value)) {
	values(bsonval.DocValue(doc), strings.Split(path, "."), yield)
}

func values(v bsonval.Value, path []string, yield func(bsonval.Value)) {
	if len(path) == 0 {
		switch v.Type() {
		case bsonval.Missing:
		case bsonval.Array:
			for e := range v.Doc().Values() {
				yield(e)
			}
		default:
			yield(v)
		}
		return
	}
	switch v.Type() {
	case bsonval.Object:
		values(v.Doc().Get(path[0]), path[1:], yield)
	case bsonval.Array:
		if i, ok := bsonval.ArrayIndex(path[0]); ok {
			values(v.Doc().At(i), path[1:], yield)
		}
		for e := range v.Doc().Values() {
			if e.Type() == bsonval.Object {
				values(e, path, yield)
			}
		}
	}
}
