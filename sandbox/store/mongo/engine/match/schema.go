package match

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

type schema struct{}

func compileSchema(d bsonval.Doc) (*schema, error) {
	return nil, mongoerr.New(mongoerr.NotImplemented, "$jsonSchema is not implemented yet")
}

func (n *Schema) matches(*run, bsonval.Doc) (bool, error) { return false, nil }
