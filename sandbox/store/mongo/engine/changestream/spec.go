package changestream

import (
	"slices"
	"strings"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// Spec is what $changeStream asks for.
type Spec struct {
	NS           storage.NS // Coll "": a whole database; DB "" too: all of them
	fullDocument string
	before       string
	start        *position // nil: from now on

	expanded bool // showExpandedEvents: also what happens to the catalogue
	system   bool // showSystemEvents: also collections whose name begins with "system."
	raw      bool // showRawUpdateDescription: updates as the oplog has them
	cluster  bool // allChangesForCluster
	onConfig bool // allowToRunOnConfigDB
	onSystem bool // allowToRunOnSystemNS

	starts []string // the options that say where to begin
}

// Splits tells whether the stream is resumed within a split event.
func (s *Spec) Splits() bool { return s.start != nil && s.start.fragment > 0 }

// Parse reads the stage's argument. ns is what the command was made on.
func Parse(arg bsonval.Value, ns storage.NS) (*Spec, error) {
	if arg.Type() != bsonval.Object {
		return nil, mongoerr.New(50808, "$changeStream stage expects a document as argument")
	}
	s := &Spec{NS: ns, fullDocument: "default", before: "off"}
	for name, v := range arg.Doc().All() {
		if err := s.field(name, v); err != nil {
			return nil, err
		}
	}
	if err := s.place(); err != nil {
		return nil, err
	}
	if s.cluster {
		s.NS = storage.NS{}
	}
	return s, s.checkStart()
}

// place checks what the stream is opened on.
func (s *Spec) place() error {
	ns := s.NS
	onAdmin := ns.DB == "admin"
	switch {
	case s.cluster && (!onAdmin || ns.Coll != ""):
		return mongoerr.New(mongoerr.InvalidOptions, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found %s", shown(ns))
	case onAdmin && !s.cluster, ns.DB == "local", ns.DB == "config" && !s.onConfig:
		return mongoerr.New(mongoerr.InvalidNamespace, "$changeStream may not be opened on the internal %s database", ns.DB)
	case strings.HasPrefix(ns.Coll, systemPrefix) && !s.onSystem:
		return mongoerr.New(mongoerr.InvalidNamespace, "$changeStream may not be opened on the internal %s collection", ns)
	}
	return nil
}

// systemPrefix begins the names of the server's own collections.
const systemPrefix = "system."

// shown is how an error names what an aggregation is on.
func shown(ns storage.NS) string {
	if ns.Coll == "" {
		return ns.DB + ".$cmd.aggregate"
	}
	return ns.String()
}

// checkStart checks the places to begin at against one another.
func (s *Spec) checkStart() error {
	has := func(name string) bool { return slices.Contains(s.starts, name) }
	switch {
	case has(resumeAfter) && has(startAfter):
		return mongoerr.New(50865, "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage")
	case has(startAtTime) && len(s.starts) > 1:
		return mongoerr.New(40674, "Only one type of resume option is allowed, but multiple were found")
	case has(resumeAfter) && s.start.kind == ofInvalidate:
		return mongoerr.New(mongoerr.InvalidResumeToken, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification")
	}
	return nil
}

// The options that say where to begin.
const (
	resumeAfter = "resumeAfter"
	startAfter  = "startAfter"
	startAtTime = "startAtOperationTime"
)

// field reads one option.
func (s *Spec) field(name string, v bsonval.Value) error {
	switch name {
	case "fullDocument":
		return word(&s.fullDocument, name, v, "default", "updateLookup", "whenAvailable", "required")
	case "fullDocumentBeforeChange":
		return word(&s.before, name, v, "off", "whenAvailable", "required")
	case resumeAfter, startAfter:
		p, err := parseToken(name, v)
		s.start, s.starts = &p, append(s.starts, name)
		return err
	case startAtTime:
		if v.Type() != bsonval.Timestamp {
			return wrongType(name, v, "timestamp")
		}
		p := afterCommit(v.Timestamp() - 1)
		s.start, s.starts = &p, append(s.starts, name)
		return nil
	}
	return s.flag(name, v)
}

// flag reads an option that is true or false. Those that mean nothing on one node, as
// there are no migrations and each lookup is by the collection's UUID, are only checked.
func (s *Spec) flag(name string, v bsonval.Value) error {
	var unused bool
	to, ok := map[string]*bool{
		"showExpandedEvents": &s.expanded, "showSystemEvents": &s.system, "showRawUpdateDescription": &s.raw,
		"allChangesForCluster": &s.cluster, "allowToRunOnConfigDB": &s.onConfig, "allowToRunOnSystemNS": &s.onSystem,
		"showMigrationEvents": &unused, "matchCollectionUUIDForUpdateLookup": &unused,
	}[name]
	switch {
	case !ok:
		return mongoerr.New(40415, "BSON field '$changeStream.%s' is an unknown field.", name)
	case v.Type() != bsonval.Bool:
		return wrongType(name, v, "bool")
	}
	*to = v.Bool()
	return nil
}

func wrongType(name string, v bsonval.Value, want string) error {
	return mongoerr.New(mongoerr.TypeMismatch, "BSON field '$changeStream.%s' is the wrong type '%s', expected type '%s'", name, v.Type(), want)
}

func word(to *string, name string, v bsonval.Value, words ...string) error {
	if v.Type() != bsonval.String {
		return wrongType(name, v, "string")
	}
	if !slices.Contains(words, v.Str()) {
		return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field '$changeStream.%s' is not a valid value.", v.Str(), name)
	}
	*to = v.Str()
	return nil
}
