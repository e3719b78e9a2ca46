package index

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/expr"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Hash is the number that a hashed index keeps for a value. With a collation strings
// that are equal in it have one hash.
func Hash(v bsonval.Value, coll bsonval.Collator) int64 {
	if coll != nil {
		switch v.Type() {
		case bsonval.String, bsonval.Symbol, bsonval.Object:
			v = bsonval.StringValue(string(bsonval.AppendKey(nil, v, coll)))
		}
	}
	return expr.HashedKey(v)
}

// checkHashed refuses what hashed indexes can't be.
func (d *Def) checkHashed() error {
	n := 0
	for _, f := range d.Fields {
		if f.Kind == Hashed {
			n++
		}
	}
	switch {
	case d.Unique:
		return mongoerr.New(16764, "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.")
	case n > 1:
		return mongoerr.New(31303, "A maximum of one index field is allowed to be hashed but found %d for 'key' %s", n, d.Pattern)
	}
	return nil
}

// hashed answers the one key of a document in an index with a hashed field. No path of
// the index may meet an array, not even to name a place in it.
func (d *Def) hashed(doc bsonval.Doc) (Keys, error) {
	var key []byte
	present := false
	for i, f := range d.Fields {
		v, array := throughDocuments(doc, f.Path)
		if array != "" {
			return Keys{}, mongoerr.New(16766, "hashed indexes do not currently support array values. Found array at path: %s", array)
		}
		present = present || !v.IsMissing()
		if v.IsMissing() {
			v = bsonval.NullValue()
		}
		key = d.AppendField(key, i, v)
	}
	if d.Sparse && !present {
		return Keys{}, nil
	}
	return Keys{Keys: []string{string(key)}}, nil
}

// throughDocuments is what stands at a path that leads through documents alone, Missing
// for nothing; array is the part of the path at which an array stands, "" for none.
func throughDocuments(doc bsonval.Doc, path string) (v bsonval.Value, array string) {
	v = bsonval.DocValue(doc)
	for at := 0; at < len(path); {
		if v.Type() != bsonval.Object {
			return bsonval.Value{}, ""
		}
		part, _, _ := strings.Cut(path[at:], ".")
		v, at = v.Doc().Get(part), at+len(part)+1
		if v.Type() == bsonval.Array {
			return v, path[:at-1]
		}
	}
	return v, ""
}
