package command

import (
	"slices"
	"sync"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func (s *Server) parameterCommands() []Spec {
	return []Spec{
		{Name: "getParameter", Fields: "*", Run: s.getParameter, Admin: true},
		{Name: "setParameter", Fields: "*", Run: s.setParameter, Admin: true},
		{Name: "setFeatureCompatibilityVersion", Fields: "confirm downgradeOnDiskChanges fromConfigServer", Run: setCompatibility, Admin: true},
	}
}

// setCompatibility takes the version that the server is of, and no other.
func setCompatibility(r *Request) (bsonval.Doc, error) {
	v := r.Body.First().Value
	if v.Type() != bsonval.String {
		return nil, mongoerr.New(mongoerr.TypeMismatch, "Command argument must be of type String, but was of type %s", v.Type())
	}
	switch {
	case v.Str() != "8.0" && v.Str() != "7.0":
		return nil, mongoerr.New(mongoerr.BadValue, "Invalid command argument. Expected '8.0' or '7.0', found %s in: %s. See https://docs.mongodb.com/master/release-notes/8.0-compatibility/#feature-compatibility.", v.Str(), r.Body)
	case !r.Body.Get("confirm").Truth():
		return nil, mongoerr.New(7369100, "Once you have upgraded to %s, you will not be able to downgrade FCV and binary version without support assistance. Please re-run this command with 'confirm: true' to acknowledge this and continue with the FCV upgrade.", v.Str())
	case v.Str() == "7.0":
		return nil, mongoerr.New(mongoerr.CommandNotSupported, "this server is of version 8.0, and its data with it: the version can't be set to 7.0")
	}
	return nil, nil
}

// parameters are what setParameter has changed.
type parameters struct {
	mu  sync.Mutex
	set map[string]bsonval.Value
}

// defaultParameter answers the parameters that the server knows.
func (s *Server) defaultParameter(name string) bsonval.Value {
	switch name {
	case "featureCompatibilityVersion":
		return bsonval.DocValue(bsonval.D(bsonval.E("version", bsonval.StringValue("8.0"))))
	case "authenticationMechanisms":
		return bsonval.ArrayOf(bsonval.StringValue("SCRAM-SHA-1"), bsonval.StringValue("SCRAM-SHA-256"))
	case "authSchemaVersion":
		return bsonval.IntValue(authSchema)
	case "logComponentVerbosity":
		return quietComponents()
	case "enableTestCommands":
		return bsonval.BoolValue(s.opts.Tests)
	case "requireApiVersion", "notablescan", "quiet":
		return bsonval.BoolValue(false)
	case "enableLocalhostAuthBypass":
		return bsonval.BoolValue(true)
	case "internalQueryFrameworkControl":
		return bsonval.StringValue("forceClassicEngine")
	case "maxBSONDepth":
		return bsonval.IntValue(200)
	case "maxLogSizeKB":
		return bsonval.IntValue(10)
	case "logLevel", "ttlMonitorSleepSecs":
		return bsonval.IntValue(map[string]int32{"ttlMonitorSleepSecs": 60}[name])
	case "ttlMonitorEnabled", "allowDiskUseByDefault":
		return bsonval.BoolValue(true)
	case "cursorTimeoutMillis":
		return bsonval.LongValue(cursor.Timeout.Milliseconds())
	case "transactionLifetimeLimitSeconds":
		return bsonval.IntValue(60)
	case "localLogicalSessionTimeoutMinutes":
		return bsonval.IntValue(30)
	case "internalQueryMaxBlockingSortMemoryUsageBytes", "internalQueryExecMaxBlockingSortBytes":
		return bsonval.IntValue(100 << 20)
	case "scramIterationCount":
		return bsonval.IntValue(10_000)
	case "scramSHA256IterationCount":
		return bsonval.IntValue(15_000)
	}
	return bsonval.Value{}
}

func parameterNames() []string {
	return []string{"allowDiskUseByDefault", "authSchemaVersion", "authenticationMechanisms", "cursorTimeoutMillis", "enableLocalhostAuthBypass", "enableTestCommands", "featureCompatibilityVersion",
		"internalQueryFrameworkControl", "internalQueryMaxBlockingSortMemoryUsageBytes", "localLogicalSessionTimeoutMinutes", "logComponentVerbosity", "logLevel", "maxBSONDepth", "maxLogSizeKB", "notablescan", "quiet", "requireApiVersion",
		"scramIterationCount", "scramSHA256IterationCount", "transactionLifetimeLimitSeconds", "ttlMonitorEnabled", "ttlMonitorSleepSecs"}
}

// Parameter is a parameter's value now, Missing for one that isn't known.
func (s *Server) Parameter(name string) bsonval.Value {
	s.params.mu.Lock()
	defer s.params.mu.Unlock()
	if v, ok := s.params.set[name]; ok {
		return v
	}
	return s.defaultParameter(name)
}

func (s *Server) getParameter(r *Request) (bsonval.Doc, error) {
	var b bsonval.Builder
	all, details, at, err := r.askedParameters()
	if err != nil {
		return nil, err
	}
	n := 0
	for _, name := range parameterNames() {
		if !all && r.Body.Get(name).IsMissing() || at == "runtime" && atStartOnly(name) || at == "startup" && name == "featureCompatibilityVersion" {
			continue
		}
		n++
		if !details {
			b.Set(name, s.Parameter(name))
			continue
		}
		b.OpenDoc(name).Set("value", s.Parameter(name)).Bool("settableAtRuntime", !atStartOnly(name)).Bool("settableAtStartup", name != "featureCompatibilityVersion").Close()
	}
	if n == 0 {
		return nil, mongoerr.New(mongoerr.InvalidOptions, "no option found to get")
	}
	return b.Doc(), nil
}

// askedParameters reads whether getParameter is asked for all parameters, with details,
// or for those alone that can be set at one time.
func (r *Request) askedParameters() (all, details bool, at string, err error) {
	switch v := r.Body.First().Value; v.Type() {
	case bsonval.String:
		return v.Str() == "*", false, "", nil
	case bsonval.Object:
		for name, v := range v.Doc().All() {
			switch name {
			case "allParameters":
				all = v.Truth()
			case "showDetails":
				details = v.Truth()
			case "setAt":
				if at = stringOr(v, ""); at != "startup" && at != "runtime" {
					return all, details, at, mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field 'getParameter.setAt' is not a valid value.", at)
				}
			default:
				return all, details, at, unknownField("getParameter." + name)
			}
		}
	}
	return all, details, at, nil
}

// atStartOnly tells the parameters that can't be set while the server runs.
func atStartOnly(name string) bool {
	switch name {
	case "authSchemaVersion", "authenticationMechanisms", "enableLocalhostAuthBypass", "enableTestCommands", "featureCompatibilityVersion", "internalQueryFrameworkControl",
		"localLogicalSessionTimeoutMinutes", "maxBSONDepth":
		return true
	}
	return false
}

// least is the smallest value that a parameter may have.
func least(name string) int64 {
	if name == "scramIterationCount" || name == "scramSHA256IterationCount" {
		return 5000
	}
	return 0
}

func (s *Server) setParameter(r *Request) (bsonval.Doc, error) {
	var was bsonval.Value
	n := 0
	for name, v := range r.Body.All() {
		if name == r.Body.First().Name || isGeneric(name) {
			continue
		}
		if !slices.Contains(parameterNames(), name) {
			return nil, mongoerr.New(mongoerr.InvalidOptions, "attempted to set unrecognized parameter [%s], use help:true to see options ", name)
		}
		was = s.Parameter(name)
		switch {
		case atStartOnly(name):
			return nil, mongoerr.New(mongoerr.IllegalOperation, "not allowed to change [%s] at runtime", name)
		case was.IsNumber() != v.IsNumber() || was.Type() == bsonval.Bool && v.Type() != bsonval.Bool:
			return nil, mongoerr.New(mongoerr.BadValue, "Failed to set server parameter %s: %s is no %s", name, v, was.Type())
		case was.IsNumber() && v.Long() < least(name):
			return nil, mongoerr.New(mongoerr.BadValue, "Invalid value for parameter %s: %s is not greater than or equal to %d", name, v, least(name))
		case name == "logComponentVerbosity" && v.Type() == bsonval.Object:
			v = bsonval.DocValue(merged(was.Doc(), v.Doc()))
		}
		s.params.mu.Lock()
		if s.params.set == nil {
			s.params.set = map[string]bsonval.Value{}
		}
		s.params.set[name] = v.Clone()
		s.params.mu.Unlock()
		n++
	}
	if n == 0 {
		return nil, mongoerr.New(mongoerr.InvalidOptions, "no option found to set, use help:true to see options ")
	}
	s.retime()
	var b bsonval.Builder
	b.Set("was", was)
	return b.Doc(), nil
}

// quietComponents are the log's levels as they are from the start.
func quietComponents() bsonval.Value {
	var b bsonval.Builder
	b.Int32("verbosity", 0)
	for _, name := range [...]string{"accessControl", "command", "control", "geo", "index", "network", "query", "replication", "storage", "transaction", "write"} {
		b.OpenDoc(name).Int32("verbosity", -1).Close()
	}
	return b.Value()
}

// merged is a document with the fields of another, which wins, at every level.
func merged(under, over bsonval.Doc) bsonval.Doc {
	var b bsonval.Builder
	for name, v := range under.All() {
		switch w := over.Get(name); {
		case w.IsMissing():
		case w.Type() == bsonval.Object && v.Type() == bsonval.Object:
			v = bsonval.DocValue(merged(v.Doc(), w.Doc()))
		default:
			v = w
		}
		b.Set(name, v)
	}
	for name, v := range over.All() {
		if under.Get(name).IsMissing() {
			b.Set(name, v)
		}
	}
	return b.Doc()
}
