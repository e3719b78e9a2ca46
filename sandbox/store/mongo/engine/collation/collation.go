// Package collation makes collators from the collation documents that commands and
// indexes carry.
package collation

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// Parse answers the collator that a collation document describes; nil for the simple
// binary order.
func Parse(doc bsonval.Doc) (bsonval.Collator, error) {
	locale := doc.Get("locale")
	if locale.Type() != bsonval.String {
		return nil, mongoerr.New(40414, "BSON field 'collation.locale' is missing but a required field")
	}
	if locale.Str() == "simple" {
		return nil, nil
	}
	return nil, mongoerr.New(mongoerr.NotImplemented, "collation %q is not implemented yet", locale.Str())
}
