package changestream

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// change is the event of one document.
func (s *Stream) change(c *storage.Commit, op *storage.Op, at position) bsonval.Doc {
	kind := map[storage.Kind]string{storage.Insert: "insert", storage.Update: "update", storage.Replace: "replace", storage.Delete: "delete"}[op.Kind]
	b := s.begin(kind, c, op, at)
	b.Set("fullDocument", s.fullDocument(c, op))
	writeNS(b, "ns", op.NS)
	doc := op.After
	if doc == nil {
		doc = op.Before
	}
	b.OpenDoc("documentKey").Set("_id", doc.Get("_id")).Close()
	if op.Kind == storage.Update {
		s.describe(b, op.Delta())
	}
	b.Set("fullDocumentBeforeChange", s.beforeChange(kind, c, op))
	return b.Doc()
}

// fullDocument is the document that an event carries; Missing for none.
func (s *Stream) fullDocument(c *storage.Commit, op *storage.Op) bsonval.Value {
	switch op.Kind {
	case storage.Insert, storage.Replace:
		return bsonval.DocValue(op.After)
	case storage.Delete:
		return bsonval.Value{}
	}
	switch s.spec.fullDocument {
	case "updateLookup":
		coll := s.store.State().ByUUID(op.UUID)
		if coll != nil {
			if record, ok := coll.ByID(op.After.Get("_id")); ok {
				doc, _ := coll.Get(record)
				return bsonval.DocValue(doc)
			}
		}
		return bsonval.NullValue()
	case "whenAvailable", "required":
		if s.images[op.UUID] {
			return bsonval.DocValue(op.After)
		}
		if s.spec.fullDocument == "required" {
			s.lack("post-image for all update events, but the post-image", "update", c, op)
		}
		return bsonval.NullValue()
	}
	return bsonval.Value{}
}

func (s *Stream) beforeChange(kind string, c *storage.Commit, op *storage.Op) bsonval.Value {
	if s.spec.before == "off" || op.Kind == storage.Insert {
		return bsonval.Value{}
	}
	if s.images[op.UUID] {
		return bsonval.DocValue(op.Before)
	}
	if s.spec.before == "required" {
		s.lack("pre-image for all update, delete and replace events, but the pre-image", kind, c, op)
	}
	return bsonval.NullValue()
}

// lack notes that the event being made has not what the stream must have. It is an error
// only if the pipeline lets the event through.
func (s *Stream) lack(what, kind string, c *storage.Commit, op *storage.Op) {
	b := bsonval.NewBuilder(128)
	writeNS(b.Str("operationType", kind), "ns", op.NS)
	b.Set("clusterTime", bsonval.TimestampOf(c.TS))
	if c.Session != nil {
		b.Int64("txnNumber", c.Number)
	}
	s.lacking = mongoerr.New(mongoerr.NoMatchingDocument, "Change stream was configured to require a %s was not found for event: %s", what, b.Doc()).Labelled("NonResumableChangeStreamError")
}

// keepsImages tells whether a collection with these options keeps pre- and post-images.
func keepsImages(options bsonval.Doc) bool {
	return options.Path("changeStreamPreAndPostImages.enabled").Truth()
}

// describe writes what an update did.
func (s *Stream) describe(b *bsonval.Builder, delta *diff.Delta) {
	if s.spec.raw {
		b.SetDoc("rawUpdateDescription", delta.Entry())
		return
	}
	d := delta.Description()
	b.OpenDoc("updateDescription").SetDoc("updatedFields", d.Updated.Doc()).Set("removedFields", d.Removed.Array()).Set("truncatedArrays", d.Truncated.Array())
	if s.spec.expanded {
		b.SetDoc("disambiguatedPaths", d.Disambiguated.Doc())
	}
	b.Close()
}
