package command

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/collation"
	"storeroom/sandbox/store/mongo/engine/geo"
	"storeroom/sandbox/store/mongo/engine/match"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/storage"
	"storeroom/sandbox/store/mongo/engine/wire"
)

// Request is one command on its way.
type Request struct {
	Server  *Server
	Message *wire.Message
	Conn    *Conn
	Spec    *Spec
	Op      *opctx.Op
	DB      string
	Body    bsonval.Doc
	Session *session.Session // nil: none was named

	Tx            *storage.Tx // of the transaction that the command belongs to; nil: none
	inTransaction bool
	txnNumber     int64          // -1: none
	retry         bool           // a retryable write
	earlier       *storage.Retry // what earlier tries of it have done; nil: nothing
	stmts         []int32        // numbers of its statements; nil: from firstStmt on
	firstStmt     int32
	answers       []bsonval.Doc // of a write's statements; nil for one that wasn't done
	retried       []int32       // statements that an earlier try had done
	started       bool          // startTransaction
	maxTime       time.Duration
	ctx           context.Context
	exhaust       bsonval.Doc // the command to run next for an exhaust client
	closeAfter    bool
	dropped       bool           // the connection goes without a reply
	at            *storage.State // what a snapshot read sees; nil: the newest
	atTime        uint64
	level         string      // of the read concern, as it was named
	abortAfter    bool        // a write in the transaction failed: it ends
	writeConcern  bsonval.Doc // from a fail point: a write concern error to report
	warnLabels    []string
	uuid          *[16]byte      // that create is to use, for applyOps; nil: a new one
	local         *storage.State // the state with what the database local shows; nil: not made yet
	ran           *batchRun      // of getMore: what it went on with
	asksHelp      bool           // it asks what the command is, and doesn't run it
}

func stack() string { return string(debug.Stack()) }

// parse reads what all commands share.
func (s *Server) parse(ctx context.Context, c *Conn, m *wire.Message) (*Request, error) {
	r := &Request{Server: s, Message: m, Conn: c, Body: m.Body, ctx: ctx, txnNumber: -1}
	name := m.Body.First().Name
	r.Spec = s.specs[name]
	if m.Legacy {
		r.DB, _, _ = strings.Cut(m.Namespace, ".")
		if r.Spec == nil || !r.Spec.Legacy || !strings.HasSuffix(m.Namespace, ".$cmd") {
			return nil, mongoerr.New(mongoerr.UnsupportedOpQueryCommand, "Unsupported OP_QUERY command: %s. The client driver may require an upgrade. For more details see https://dochub.mongodb.org/core/legacy-opcode-removal", name)
		}
	} else {
		db := m.Body.Get("$db")
		if db.Type() != bsonval.String {
			return nil, mongoerr.New(40571, "OP_MSG requests require a $db argument")
		}
		r.DB = db.Str()
	}
	if r.Spec == nil {
		s.counters.unknown.Add(1)
		return nil, mongoerr.New(mongoerr.CommandNotFound, "no such command: '%s'", name)
	}
	if r.DB == "" || strings.ContainsAny(r.DB, "/\\. \"$\x00") && r.DB != "$external" {
		return nil, mongoerr.New(mongoerr.InvalidNamespace, "Invalid database name: '%s'", r.DB)
	}
	if r.Spec.Admin && r.DB != "admin" {
		return nil, mongoerr.New(mongoerr.Unauthorized, "%s may only be run against the admin database.", name)
	}
	if err := r.common(); err != nil {
		return nil, err
	}
	if err := r.apiVersion(); err != nil {
		return nil, err
	}
	return r, r.concerns()
}

// common reads the generic arguments, and refuses fields that nobody knows.
func (r *Request) common() error {
	for name, v := range r.Body.All() {
		switch name {
		case "lsid":
			if err := r.lsid(v); err != nil {
				return err
			}
		case "txnNumber":
			if v.Type() != bsonval.Int64 {
				return wrongType(r.Spec.Name+".txnNumber", v, "long")
			}
			r.txnNumber = v.Int64()
		case "startTransaction":
			if !v.Bool() {
				return mongoerr.New(mongoerr.InvalidOptions, "Specifying startTransaction=false is not allowed.")
			}
			r.started = true
		case "autocommit":
			if v.Bool() {
				return mongoerr.New(mongoerr.InvalidOptions, "Specifying autocommit=true is not allowed.")
			}
			r.inTransaction = true
		case "maxTimeMS":
			if err := r.parseMaxTime(v); err != nil {
				return err
			}
		case "help":
			r.asksHelp = v.Truth()
		default:
			if !isGeneric(name) && !r.Spec.knows(name, r.Body) && (name != "collectionUUID" || !takesUUID(r.Spec.Name)) {
				return unknownField(r.Spec.Name + "." + name)
			}
		}
	}
	return nil
}

// isGeneric tells the arguments that any command may have.
func isGeneric(name string) bool {
	switch name {
	case "collation", "$db", "$clusterTime", "$readPreference", "$query", "readConcern", "writeConcern", "comment", "apiVersion", "apiStrict", "apiDeprecationErrors",
		"$audit", "$client", "$configServerState", "$configTime", "$topologyTime", "$tenant", "$traceCtx", "mayBypassWriteBlocking", "rawData", "databaseVersion",
		"shardVersion", "serialization_context", "maxTimeMSOpOnly", "stmtId", "stmtIds",
		"lsid", "txnNumber", "startTransaction", "autocommit", "maxTimeMS", "help":
		return true
	}
	return false
}

func (r *Request) lsid(v bsonval.Value) error {
	if v.Type() != bsonval.Object {
		return wrongType(r.Spec.Name+".lsid", v, "object")
	}
	id := v.Doc().Get("id")
	if id.Type() != bsonval.Binary {
		return mongoerr.New(40414, "BSON field 'OperationSessionInfo.lsid.id' is missing but a required field")
	}
	uuid, err := uuidOf(id)
	if err != nil {
		return err
	}
	if !r.Spec.NoSession {
		r.Session = r.Server.sessions.Get(session.ID{UUID: uuid, User: r.Conn.userName()})
	}
	return nil
}

func (r *Request) parseMaxTime(v bsonval.Value) error {
	ms, ok := v.ExactLong()
	switch {
	case !v.IsNumber():
		return mongoerr.New(mongoerr.BadValue, "maxTimeMS must be a number")
	case !ok:
		return mongoerr.New(mongoerr.BadValue, "maxTimeMS has non-integral value")
	case ms < 0 || ms > 1<<31-1:
		return mongoerr.New(mongoerr.BadValue, "%d value for maxTimeMS is out of range [0, 2147483647]", ms)
	}
	r.maxTime = time.Duration(ms) * time.Millisecond
	return nil
}

func wrongType(field string, v bsonval.Value, want string) error {
	return mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s' is the wrong type '%s', expected type '%s'", field, v.Type(), want)
}

func notNumber(field string, v bsonval.Value) error {
	return mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s' is the wrong type '%s', expected types '[long, int, decimal, double]'", field, v.Type())
}

func unknownField(field string) error {
	return mongoerr.New(40415, "BSON field '%s' is an unknown field.", field)
}

func required(field string) error {
	return mongoerr.New(40414, "BSON field '%s' is missing but a required field", field)
}

// Getters of the command's own fields. A missing one gives the zero value.

func (r *Request) field(name string) string { return r.Spec.Name + "." + name }

// Doc reads an object.
func (r *Request) Doc(name string) (bsonval.Doc, error) {
	if r.Body.Get(name).IsMissing() {
		return nil, nil // as most are: the error's text isn't made for nothing
	}
	return docField(r.Body, name, r.field(name))
}

func docField(d bsonval.Doc, name, full string) (bsonval.Doc, error) {
	switch v := d.Get(name); v.Type() {
	case bsonval.Object:
		return v.Doc(), nil
	case bsonval.Missing, bsonval.Null:
		return nil, nil
	default:
		return nil, wrongType(full, v, "object")
	}
}

func arrayField(d bsonval.Doc, name, full string) (bsonval.Doc, error) {
	switch v := d.Get(name); v.Type() {
	case bsonval.Array:
		return v.Doc(), nil
	case bsonval.Missing, bsonval.Null:
		return nil, nil
	default:
		return nil, wrongType(full, v, "array")
	}
}

// Bool reads a boolean; numbers count too.
func (r *Request) Bool(name string) (bool, error) {
	if r.Body.Get(name).IsMissing() {
		return false, nil
	}
	return boolField(r.Body, name, r.field(name))
}

func boolField(d bsonval.Doc, name, full string) (bool, error) {
	v := d.Get(name)
	switch {
	case v.IsNullish(): // as in the server, null says nothing about an optional field
		return false, nil
	case v.Type() != bsonval.Bool && !v.IsNumber():
		return false, mongoerr.New(mongoerr.TypeMismatch, "BSON field '%s' is the wrong type '%s', expected types '[bool, long, int, decimal, double]'", full, v.Type())
	}
	return v.Truth(), nil
}

// Long reads a whole number; missing gives def.
func (r *Request) Long(name string, def int64) (int64, error) {
	v := r.Body.Get(name)
	if v.IsNullish() {
		return def, nil
	}
	if !v.IsNumber() {
		return 0, notNumber(r.field(name), v)
	}
	return v.Long(), nil
}

// Str reads a string.
func (r *Request) Str(name string) (string, error) {
	v := r.Body.Get(name)
	switch v.Type() {
	case bsonval.String:
		return v.Str(), nil
	case bsonval.Missing:
		return "", nil
	}
	return "", wrongType(r.field(name), v, "string")
}

// Docs reads an array of documents, from the body or from a document sequence.
func (r *Request) Docs(name string) ([]bsonval.Doc, error) {
	if docs, ok := r.Message.Sequences[name]; ok {
		return docs, nil
	}
	v := r.Body.Get(name)
	switch v.Type() {
	case bsonval.Array:
	case bsonval.Missing:
		return nil, required(r.field(name))
	default:
		return nil, wrongType(r.field(name), v, "array")
	}
	var docs []bsonval.Doc
	for name, e := range v.Doc().All() {
		if e.Type() != bsonval.Object {
			return nil, wrongType(r.field(name), e, "object")
		}
		docs = append(docs, e.Doc())
	}
	return docs, nil
}

// ns is the collection that the command's first field names; only the database when
// that is no string.
func (r *Request) ns() storage.NS {
	v := r.Body.First().Value
	if v.Type() != bsonval.String {
		return storage.NS{DB: r.DB}
	}
	return storage.NS{DB: r.DB, Coll: v.Str()}
}

// namespace is a command's target as the profiler and currentOp tell it: one on no
// collection of its database is on $cmd.
func (sp *Spec) namespace(target storage.NS, db string) string {
	switch {
	case target.Coll != "":
		return target.String()
	case sp.Name == "aggregate":
		return db + ".$cmd.aggregate"
	default:
		return db + ".$cmd"
	}
}

func (r *Request) namespace() string { return r.Spec.namespace(r.target(), r.DB) }

// Collection is ns where a collection must be named.
func (r *Request) Collection() (storage.NS, error) {
	v := r.Body.First().Value
	if v.Type() != bsonval.String {
		switch r.Spec.Name { // those that the server reads by an older hand
		case "count", "distinct", "validate", "planCacheClear", "planCacheSetFilter", "planCacheClearFilters", "planCacheListFilters", "compact", "convertToCapped", "cloneCollectionAsCapped", "dataSize":
			return storage.NS{}, mongoerr.New(mongoerr.InvalidNamespace, "collection name has invalid type %s", v.Type())
		}
		return storage.NS{}, mongoerr.New(mongoerr.BadValue, "Collection name has invalid type %s", v.Type())
	}
	ns := storage.NS{DB: r.DB, Coll: v.Str()}
	return ns, namedCollection(ns)
}

func namedCollection(ns storage.NS) error {
	if ns.Coll == "" || strings.HasPrefix(ns.Coll, ".") || strings.Contains(ns.Coll, "\x00") {
		return mongoerr.New(mongoerr.InvalidNamespace, "Invalid namespace specified '%s'", ns)
	}
	return nil
}

// State is the database as the command sees it: the transaction's, or the newest.
func (r *Request) State() *storage.State {
	if r.Tx != nil {
		return r.Tx.View()
	}
	state := r.at
	if state == nil {
		state = r.Server.store.State()
	}
	if r.DB != "local" {
		return r.withViews(state)
	}
	if r.local == nil {
		r.local = r.localState(state)
	}
	return r.local
}

// collate reads a collation for the operation; a collection's own is the default.
func (r *Request) collate(d bsonval.Doc, coll *storage.Collection) error {
	v := d.Get("collation")
	r.Op.CollatorInherited = v.IsMissing()
	switch {
	case coll == nil:
	case v.IsMissing():
		v = coll.Options.Get("collation")
	case coll.IsView() && v.Type() == bsonval.Object && !sameCollation(v, coll.Options.Get("collation")):
		return mongoerr.New(mongoerr.OptionNotSupportedOnView, "Cannot override a view's default collation")
	}
	switch v.Type() {
	case bsonval.Missing:
		r.Op.Collator = nil
		return nil
	case bsonval.Object:
		if v.Doc().IsEmpty() {
			r.Op.Collator = nil
			return nil
		}
		c, err := collation.Parse(v.Doc())
		r.Op.Collator = c
		return err
	}
	return wrongType(r.field("collation"), v, "object")
}

// sameCollation tells whether a collation that was asked for is a view's own, of which
// Missing is the simple one.
func sameCollation(asked, own bsonval.Value) bool {
	spec := func(v bsonval.Value) string {
		if v.Type() != bsonval.Object || v.Doc().IsEmpty() || stringOr(v.Doc().Get("locale"), "") == "simple" {
			return ""
		}
		return collation.Complete(v.Doc()).String()
	}
	return spec(asked) == spec(own)
}

// matchEnv is what filters on coll, which may be nil, are compiled in.
func (s *Server) matchEnv(op *opctx.Op, _ *storage.Collection) match.Env {
	return match.Env{Op: op, Geo: geo.Condition}
}
