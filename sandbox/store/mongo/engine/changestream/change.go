package changestream

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/diff"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// change is the event of one document.
func (s *Stream) change(c *storage.Commit, op *storage.Op, at position) (bsonval.Doc, error) {
	kind := map[storage.Kind]string{storage.Insert: "insert", storage.Update: "update", storage.Replace: "replace", storage.Delete: "delete"}[op.Kind]
	b := s.begin(kind, c, op, at)
	full, err := s.fullDocument(op)
	if err != nil {
		return nil, err
	}
	b.Set("fullDocument", full)
	b.OpenDoc("ns").Str("db", op.NS.DB).Str("coll", op.NS.Coll).Close()
	doc := op.After
	if doc == nil {
		doc = op.Before
	}
	b.OpenDoc("documentKey").Set("_id", doc.Get("_id")).Close()
	if op.Kind == storage.Update {
		s.describe(b, op.Delta())
	}
	before, err := s.beforeChange(op)
	if err != nil {
		return nil, err
	}
	b.Set("fullDocumentBeforeChange", before)
	return b.Doc(), nil
}

// fullDocument is the document that an event carries; Missing for none.
func (s *Stream) fullDocument(op *storage.Op) (bsonval.Value, error) {
	switch op.Kind {
	case storage.Insert, storage.Replace:
		return bsonval.DocValue(op.After), nil
	case storage.Delete:
		return bsonval.Value{}, nil
	}
	switch s.spec.fullDocument {
	case "updateLookup":
		coll := s.store.State().ByUUID(op.UUID)
		if coll != nil {
			if record, ok := coll.ByID(op.After.Get("_id")); ok {
				doc, _ := coll.Get(record)
				return bsonval.DocValue(doc), nil
			}
		}
		return bsonval.NullValue(), nil
	case "whenAvailable", "required":
		if s.images[op.UUID] {
			return bsonval.DocValue(op.After), nil
		}
		if s.spec.fullDocument == "required" {
			return bsonval.Value{}, mongoerr.New(mongoerr.NoMatchingDocument, "Change stream was configured to require a post-image for all update events, but the post-image was not found for event: { documentKey: { _id: %s } }", op.After.Get("_id")).Labelled("NonResumableChangeStreamError")
		}
		return bsonval.NullValue(), nil
	}
	return bsonval.Value{}, nil
}

func (s *Stream) beforeChange(op *storage.Op) (bsonval.Value, error) {
	if s.spec.before == "off" || op.Kind == storage.Insert {
		return bsonval.Value{}, nil
	}
	if s.images[op.UUID] {
		return bsonval.DocValue(op.Before), nil
	}
	if s.spec.before == "required" {
		return bsonval.Value{}, mongoerr.New(mongoerr.NoMatchingDocument, "Change stream was configured to require a pre-image for all update, delete and replace events, but the pre-image was not found for event: { documentKey: { _id: %s } }", op.Before.Get("_id")).Labelled("NonResumableChangeStreamError")
	}
	return bsonval.NullValue(), nil
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
