package command

import (
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// maxCapped is the most bytes of documents that a capped collection may be said to
// hold, and maxCappedDocs the most documents.
const (
	maxCapped     = 1 << 50
	maxCappedDocs = 1<<31 - 1
)

// checkCapped checks a capped collection's size or number of documents; full is the
// command's name for it.
func checkCapped(full string, v bsonval.Value) error {
	size := full == "create.size" || full == "collMod.cappedSize"
	switch n := v.Long(); {
	case !v.IsNumber():
		return notNumber(full, v)
	case size && n < 1:
		return mongoerr.New(51024, "BSON field '%s' value must be >= 1, actual value '%d'", full, n)
	case size && n > maxCapped:
		return mongoerr.New(51024, "BSON field '%s' value must be <= %d, actual value '%d'", full, int64(maxCapped), n)
	case !size && n > maxCappedDocs:
		return mongoerr.New(mongoerr.BadValue, "max in a capped collection has to be < 2^31 or not set")
	}
	return nil
}

// checkValidation checks validationLevel and validationAction.
func checkValidation(full string, v bsonval.Value) error {
	if v.Type() != bsonval.String {
		return wrongType(full, v, "string")
	}
	switch v.Str() {
	case "off", "strict", "moderate":
		if full == "create.validationLevel" || full == "collMod.validationLevel" {
			return nil
		}
	case "error", "warn":
		if full == "create.validationAction" || full == "collMod.validationAction" {
			return nil
		}
	}
	return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field '%s' is not a valid value.", v.Str(), full)
}

// checkCreate checks the types of create's options and which of them go together.
func (r *Request) checkCreate() error {
	for name, v := range r.Body.All() {
		var err error
		switch name {
		case "capped":
			_, err = boolField(r.Body, name, r.field(name))
		case "size", "max":
			err = checkCapped("create."+name, v)
		case "validationLevel", "validationAction":
			err = checkValidation("create."+name, v)
		case "changeStreamPreAndPostImages":
			err = checkPreImages("create."+name, v)
		case "autoIndexId":
			err = r.checkAutoIndexID(v)
		case "storageEngine":
			err = checkEngine("create.storageEngine", v)
		case "indexOptionDefaults":
			err = checkIndexDefaults(v)
		}
		if err != nil {
			return err
		}
	}
	capped, view := r.Body.Get("capped").Truth(), !r.Body.Get("viewOn").IsMissing()
	limited := !r.Body.Get("size").IsMissing() || !r.Body.Get("max").IsMissing()
	switch {
	case r.Body.Get("clusteredIndex").Truth(): // has its own words for it
	case capped && r.Body.Get("size").IsMissing():
		return mongoerr.New(mongoerr.InvalidOptions, "the 'size' field is required when 'capped' is true")
	case !capped && limited:
		return mongoerr.New(mongoerr.InvalidOptions, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present")
	case view && !r.Body.Get("idIndex").IsMissing():
		return mongoerr.New(mongoerr.InvalidOptions, "'idIndex' is not allowed with 'viewOn'")
	}
	return nil
}

// sameCreated tells whether a collection that is there has the options that create asks
// for, in which case there is nothing to do.
func sameCreated(there, asked bsonval.Doc) bool {
	get := func(d bsonval.Doc, name string) bsonval.Value {
		v := d.Get(name)
		if name == "pipeline" && v.Type() == bsonval.Array && v.Doc().IsEmpty() {
			return bsonval.Value{} // as if left out
		}
		return v
	}
	for _, d := range [...]bsonval.Doc{there, asked} {
		for name := range d.All() {
			a, b := get(there, name), get(asked, name)
			if a.IsMissing() != b.IsMissing() || !a.IsMissing() && bsonval.Compare(a, b) != 0 {
				return false
			}
		}
	}
	return true
}

// checkIDIndex checks create's idIndex, in which a client may say of which version the
// index on _id is to be.
func (r *Request) checkIDIndex(options bsonval.Doc) error {
	spec, err := r.Doc("idIndex")
	if err != nil || spec == nil {
		return err
	}
	key := spec.Get("key")
	switch {
	case key.Type() != bsonval.Object:
		return mongoerr.New(mongoerr.FailedToParse, "The 'key' field is a required property of an index specification")
	case bsonval.Compare(key, bsonval.DocValue(crud.IDIndex().Pattern)) != 0:
		return mongoerr.New(mongoerr.BadValue, "The field 'key' for an _id index must be {_id: 1}, but got %s", key)
	}
	for name := range spec.All() {
		switch name {
		case "key", "name", "ns", "v", "collation":
		default:
			return mongoerr.New(mongoerr.InvalidIndexSpecificationOption, "The field '%s' is not valid for an _id index specification. Specification: %s", name, spec)
		}
	}
	def, err := index.Parse(bsonval.BuilderOf(lacking(spec, "name")).Str("name", "_id_").Doc())
	if err != nil {
		return err
	}
	if own := spec.Get("collation"); own.Type() == bsonval.Object {
		want := options.Get("collation")
		same := want.Type() == bsonval.Object && def.Collator != nil && collation.Complete(own.Doc()).Same(collation.Complete(want.Doc()))
		if !same && (want.Type() == bsonval.Object || def.Collator != nil) {
			return mongoerr.New(mongoerr.BadValue, "The _id index must have the same collation as the collection. Index collation: %s, collection collation: %s", own, want)
		}
	}
	return nil
}

// oldIDIndex makes the index on _id one of version 1 where create asks for that.
func (r *Request) oldIDIndex(w *crud.Writer, c *storage.Collection) error {
	v := r.Body.Get("idIndex")
	if c.IsView() || c.Clustered() != nil || v.Type() != bsonval.Object || v.Doc().Get("v").Long() != 1 {
		return nil
	}
	def, err := index.Parse(replaced(c.Indexes[0].Def.Spec, map[string]bsonval.Value{"v": bsonval.IntValue(1)}))
	if err != nil {
		return err
	}
	return w.Tx.ReplaceIndexDef(c.NS, def)
}

// mayValidate refuses validators where collections have none, and what they can't ask.
func mayValidate(ns storage.NS, validator bsonval.Doc) error {
	switch {
	case validator.IsEmpty():
		return nil
	case ns.DB == "admin" || ns.DB == "local" || ns.DB == "config":
		return mongoerr.New(mongoerr.InvalidOptions, "Document validators are not allowed on collection %s in the %s database", ns, ns.DB)
	case strings.HasPrefix(ns.Coll, "system."):
		return mongoerr.New(mongoerr.InvalidOptions, "Document validators not allowed on system collection %s", ns)
	}
	return mayAsk(validator)
}

// mayAsk looks for the operators that need more than a document to answer.
func mayAsk(filter bsonval.Doc) error {
	for name, v := range filter.All() {
		switch name {
		case "$text", "$where":
			return mongoerr.New(mongoerr.BadValue, "%s is not allowed in this context", name)
		case "$near", "$nearSphere", "$geoNear":
			return mongoerr.New(mongoerr.BadValue, "$geoNear, $near, and $nearSphere are not allowed in this context")
		case "$and", "$or", "$nor":
			if v.Type() != bsonval.Array {
				continue // Compile tells
			}
			for part := range v.Doc().Values() {
				if part.Type() == bsonval.Object {
					if err := mayAsk(part.Doc()); err != nil {
						return err
					}
				}
			}
		case "$expr", "$jsonSchema", "$comment":
		default:
			if v.Type() == bsonval.Object && v.Doc().First().Name != "" && v.Doc().First().Name[0] == '$' {
				if err := mayAsk(v.Doc()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkEngine checks options for storage engines. Those of wiredTiger are kept and have
// no effect.
func checkEngine(full string, v bsonval.Value) error {
	if v.Type() != bsonval.Object {
		return wrongType(full, v, "object")
	}
	for name, options := range v.Doc().All() {
		switch {
		case options.Type() != bsonval.Object:
			return mongoerr.New(mongoerr.BadValue, "'%s.%s' has to be an embedded document", full, name)
		case name != "wiredTiger" && name != "persistentTree":
			return mongoerr.New(mongoerr.InvalidOptions, "%s is not a registered storage engine for this server", name)
		}
	}
	return nil
}

func checkIndexDefaults(v bsonval.Value) error {
	const full = "create.indexOptionDefaults"
	if v.Type() != bsonval.Object {
		return wrongType(full, v, "object")
	}
	for name, x := range v.Doc().All() {
		if name != "storageEngine" {
			return unknownField(full + "." + name)
		}
		if err := checkEngine(full+"."+name, x); err != nil {
			return err
		}
	}
	return nil
}

// checkPreImages checks changeStreamPreAndPostImages.
func checkPreImages(full string, v bsonval.Value) error {
	if v.Type() != bsonval.Object {
		return wrongType(full, v, "object")
	}
	for name := range v.Doc().All() {
		if name != "enabled" {
			return unknownField(full + "." + name)
		}
	}
	if v.Doc().Get("enabled").IsMissing() {
		return required(full + ".enabled")
	}
	_, err := boolField(v.Doc(), "enabled", full+".enabled")
	return err
}

// checkAutoIndexID refuses a collection without an index on _id but in the database
// local, where the option has no effect here: there is always one.
func (r *Request) checkAutoIndexID(v bsonval.Value) error {
	on, err := boolField(r.Body, "autoIndexId", r.field("autoIndexId"))
	switch {
	case err != nil:
		return err
	case r.Body.Get("clusteredIndex").Truth(): // has its own words for it
		return nil
	case !on && r.DB != "local":
		return mongoerr.New(mongoerr.InvalidOptions, "autoIndexId:false is not allowed for collections in a non-local database")
	case !r.Body.Get("idIndex").IsMissing():
		return mongoerr.New(mongoerr.InvalidOptions, "'idIndex' is not allowed with 'autoIndexId': %s", v)
	}
	return nil
}
