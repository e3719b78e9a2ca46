package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// takesUUID tells the commands that have a collectionUUID: they are refused on a
// collection that isn't the one with that UUID.
func takesUUID(name string) bool {
	switch name {
	case "find", "aggregate", "insert", "update", "delete", "collMod", "createIndexes", "dropIndexes", "drop", "renameCollection":
		return true
	}
	return false
}

// uuidOf reads a UUID from binary data.
func uuidOf(v bsonval.Value) (id [16]byte, err error) {
	sub, data := v.Binary()
	if sub != 4 || len(data) != 16 {
		return id, mongoerr.New(mongoerr.InvalidUUID, "uuid must be a 16-byte binary field with UUID (4) subtype")
	}
	return [16]byte(data), nil
}

// checkUUID compares the collection's UUID with the one that the command names.
func (r *Request) checkUUID() error {
	if !takesUUID(r.Spec.Name) {
		return nil
	}
	v := r.Body.Get("collectionUUID")
	if v.IsNullish() {
		return nil
	}
	if v.Type() != bsonval.Binary {
		return wrongType(r.field("collectionUUID"), v, "binData")
	}
	id, err := uuidOf(v)
	if err != nil {
		return err
	}
	ns := r.ns()
	if r.Spec.Name == "renameCollection" {
		ns, _ = storage.ParseNS(ns.Coll)
	}
	there := r.State().ByUUID(id)
	if there != nil && there.NS == ns {
		return nil
	}
	b := bsonval.NewBuilder(128)
	b.Str("db", ns.DB).Set("collectionUUID", v).Str("expectedCollection", ns.Coll)
	if there != nil && there.NS.DB == ns.DB {
		b.Str("actualCollection", there.NS.Coll)
	} else {
		b.Set("actualCollection", bsonval.NullValue())
	}
	return mongoerr.New(mongoerr.CollectionUUIDMismatch, "Collection UUID does not match that specified").With(b.Doc())
}
