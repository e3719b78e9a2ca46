package changestream

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// Spec is what $changeStream asks for.
type Spec struct {
	NS           storage.NS // Coll "": a whole database; DB "" too: all of them
	fullDocument string
	before       string
	expanded     bool
	start        *position // nil: from now on
}

// Splits tells whether the stream is resumed within a split event.
func (s *Spec) Splits() bool { return s.start != nil && s.start.fragment > 0 }

// Parse reads the stage's argument. cluster says whether the command was made for all
// databases.
func Parse(arg bsonval.Value, ns storage.NS) (*Spec, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(50808, "$changeStream stage expects a document as argument")
	}
	s := &Spec{NS: ns, fullDocument: "default", before: "off"}
	resumes := 0
	for name, v := range arg.Doc().All() {
		n, err := s.field(name, v)
		if err != nil {
			return nil, err
		}
		resumes += n
	}
	if resumes > 1 {
		return nil, mongoerr.New(40674, "Only one type of resume option is allowed, but multiple were found.")
	}
	return s, nil
}

// field reads one option and tells whether it says where to begin.
func (s *Spec) field(name string, v bsonval.Value) (int, error) {
	switch name {
	case "fullDocument":
		return 0, word(&s.fullDocument, name, v, "default", "updateLookup", "whenAvailable", "required")
	case "fullDocumentBeforeChange":
		return 0, word(&s.before, name, v, "off", "whenAvailable", "required")
	case "showExpandedEvents":
		s.expanded = v.Truth()
	case "allChangesForCluster":
		if v.Truth() {
			if s.NS.DB != "admin" || s.NS.Coll != "" {
				return 0, mongoerr.New(mongoerr.InvalidOptions, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found %s", s.NS)
			}
			s.NS = storage.NS{}
		}
	case "resumeAfter", "startAfter":
		p, err := parseToken(v)
		if err != nil {
			return 0, err
		}
		if name == "resumeAfter" && p.kind == ofInvalidate {
			return 0, mongoerr.New(mongoerr.InvalidResumeToken, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.")
		}
		s.start = &p
		return 1, nil
	case "startAtOperationTime":
		if v.Type() != bsonval.Timestamp {
			return 0, mongoerr.New(mongoerr.TypeMismatch, "BSON field '$changeStream.startAtOperationTime' is the wrong type '%s', expected type 'timestamp'", v.Type())
		}
		p := afterCommit(v.Timestamp() - 1)
		s.start = &p
		return 1, nil
	case "matchCollectionUUIDForUpdateLookup", "showMigrationEvents", "showSystemEvents", "showRawUpdateDescription", "allowToRunOnConfigDB", "allowToRunOnSystemNS", "version":
	default:
		return 0, mongoerr.New(40415, "BSON field '$changeStream.%s' is an unknown field.", name)
	}
	return 0, nil
}

func word(to *string, name string, v bsonval.Value, words ...string) error {
	if v.Type() != bsonval.String {
		return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$changeStream.%s' is the wrong type '%s', expected type 'string'", name, v.Type())
	}
	for _, w := range words {
		if v.Str() == w {
			*to = w
			return nil
		}
	}
	return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field '$changeStream.%s' is not a valid value.", v.Str(), name)
}
