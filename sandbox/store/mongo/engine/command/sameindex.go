package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/plan"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// hasIndex tells whether the collection has that index already; one that would stand in
// its way is an error.
func hasIndex(c *storage.Collection, def *index.Def, created bool) (bool, error) {
	if err := mayCluster(c, def, created); err != nil {
		return false, err
	}
	if index.ForID(def.Pattern) {
		return true, sameCollationAsID(c, def)
	}
	if def.Collator == nil && !def.Binary {
		if err := inherit(def, c); err != nil {
			return false, err
		}
	}
	if ix := c.Index(def.Name); ix != nil {
		switch {
		case !sameSignature(ix.Def, def):
			return false, mongoerr.New(mongoerr.IndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s", def.Spec, ix.Def.Spec)
		case !sameOptions(ix.Def, def):
			return false, mongoerr.New(mongoerr.IndexOptionsConflict, "An equivalent index already exists with the same name but different options. Requested index: %s, existing index: %s", def.Spec, ix.Def.Spec)
		}
		return true, nil
	}
	for _, ix := range c.Indexes {
		switch {
		case !sameSignature(ix.Def, def):
		case !sameOptions(ix.Def, def):
			return false, mongoerr.New(mongoerr.IndexOptionsConflict, "An equivalent index already exists with a different name and options. Requested index: %s, existing index: %s", def.Spec, ix.Def.Spec)
		default:
			return false, mongoerr.New(mongoerr.IndexOptionsConflict, "Index already exists with a different name: %s", ix.Def.Name)
		}
	}
	return false, hasRoom(c, def)
}

// hasRoom refuses a second text index, and one index too many.
func hasRoom(c *storage.Collection, def *index.Def) error {
	if len(c.Indexes) >= maxIndexes {
		return mongoerr.New(mongoerr.CannotCreateIndex, "add index fails, too many indexes for %s key:%s", c.NS, def.Pattern)
	}
	for _, ix := range c.Indexes {
		if def.Kind == index.Text && ix.Def.Kind == index.Text {
			return mongoerr.New(mongoerr.CannotCreateIndex, "only one text index per collection allowed, found existing text index \"%s\"", ix.Def.Name)
		}
	}
	return nil
}

// sameCollationAsID refuses the index on _id, which every collection has, with another
// collation than the collection's.
func sameCollationAsID(c *storage.Collection, def *index.Def) error {
	asked := def.Spec.Get("collation")
	own := c.Options.Get("collation")
	if def.Collator == nil && !def.Binary {
		return nil
	}
	if own.Type() != bsonval.Object {
		own = simpleCollation()
	} else {
		own = bsonval.DocValue(collation.Complete(own.Doc()))
	}
	if def.Collator == nil {
		asked = simpleCollation()
	}
	if bsonval.Compare(asked, own) == 0 {
		return nil
	}
	return mongoerr.New(mongoerr.BadValue, "The _id index must have the same collation as the collection. Index collation: %s, collection collation: %s", asked, own)
}

func simpleCollation() bsonval.Value {
	return bsonval.DocValue(bsonval.D(bsonval.E("locale", bsonval.StringValue("simple"))))
}

// sameSignature compares what tells indexes of one collection apart.
func sameSignature(a, b *index.Def) bool {
	return comparablePatterns(a, b) && bsonval.Compare(a.Spec.Get("collation"), b.Spec.Get("collation")) == 0 &&
		a.Sparse == b.Sparse && a.Unique == b.Unique && plan.SameFilter(a.Filter, b.Filter) && index.SameFields(a, b)
}

func comparablePatterns(a, b *index.Def) bool {
	return bsonval.CompareDocs(a.Pattern, b.Pattern, true, nil) == 0
}

// sameOptions compares what listIndexes would show besides the name and the signature.
func sameOptions(a, b *index.Def) bool {
	strip := func(d bsonval.Doc) map[string]bsonval.Value {
		out := map[string]bsonval.Value{}
		for name, v := range d.All() {
			switch name {
			case "key", "name", "v", "background", "hidden", "unique", "sparse", "collation", "partialFilterExpression", "wildcardProjection", "textIndexVersion", "2dsphereIndexVersion":
			default:
				out[name] = v
			}
		}
		return out
	}
	x, y := strip(a.Spec), strip(b.Spec)
	if len(x) != len(y) {
		return false
	}
	for name, v := range x {
		if w, ok := y[name]; !ok || bsonval.Compare(v, w) != 0 {
			return false
		}
	}
	return true
}
