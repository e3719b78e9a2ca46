package crud

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/index"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// admit is asked before a document comes into a collection: before nil for an insert.
// It answers the document to store. Validators stand here.
func (w *Writer) admit(c *storage.Collection, before, after bsonval.Doc) (bsonval.Doc, error) {
	if len(after) > bsonval.MaxDocument {
		return nil, mongoerr.New(mongoerr.BSONObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and 16793600(16MB) First element: _id: %s", len(after), len(after), after.Get("_id"))
	}
	if o, ok := Buckets(c); ok { // says all that its validator does
		return after, o.Check(after)
	}
	v := c.Options.Get("validator")
	if v.Type() != bsonval.Object || w.Bypass || c.Options.Get("validationAction").Type() == bsonval.String && c.Options.Get("validationAction").Str() == "warn" {
		return after, nil
	}
	own, err := collationOf(c.Options)
	if err != nil {
		return nil, err
	}
	defer func(was bsonval.Collator) { w.Op.Collator = was }(w.Op.Collator)
	w.Op.Collator = own // whatever the operation's is
	m, err := match.Compile(v.Doc(), w.Match(w.Op, c))
	if err != nil {
		return nil, err
	}
	ok, err := m.Match(w.Op, after)
	if err != nil || ok {
		return after, err
	}
	if level := c.Options.Get("validationLevel"); before != nil && level.Type() == bsonval.String && level.Str() == "moderate" {
		if was, err := m.Match(w.Op, before); err == nil && !was {
			return after, nil
		}
	}
	var b bsonval.Builder
	b.OpenDoc("errInfo").Set("failingDocumentId", after.Get("_id")).SetDoc("details", m.Why(w.Op, after))
	b.Close()
	return nil, mongoerr.New(mongoerr.DocumentValidationFailure, "Document failed validation").With(b.Doc())
}

// after is called after a document came in: capped collections lose their oldest.
func (w *Writer) after(ns storage.NS) error { return w.cap(ns) }

// inheritCollation gives the index on _id the collection's collation.
func inheritCollation(def *index.Def, options bsonval.Doc) error {
	c, err := collationOf(options)
	if err != nil || c == nil {
		return err
	}
	def.Collator = c
	def.Spec = bsonval.BuilderOf(def.Spec).Set("collation", options.Get("collation")).Doc()
	return nil
}

// collationOf is the default collation of a collection with these options.
func collationOf(options bsonval.Doc) (bsonval.Collator, error) {
	v := options.Get("collation")
	if v.Type() != bsonval.Object {
		return nil, nil
	}
	return collation.Parse(v.Doc())
}
