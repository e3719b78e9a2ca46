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
		{Name: "setFeatureCompatibilityVersion", Fields: "*", Run: func(*Request) (bsonval.Doc, error) { return nil, nil }, Admin: true},
	}
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
	return []string{"allowDiskUseByDefault", "authSchemaVersion", "authenticationMechanisms", "cursorTimeoutMillis", "enableTestCommands", "featureCompatibilityVersion",
		"internalQueryMaxBlockingSortMemoryUsageBytes", "localLogicalSessionTimeoutMinutes", "logComponentVerbosity", "logLevel", "notablescan", "quiet", "requireApiVersion",
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
	first := r.Body.First().Value
	all := first.Type() == bsonval.String && first.Str() == "*"
	if first.Type() == bsonval.Object && first.Doc().Get("allParameters").Truth() {
		all = true
	}
	n := 0
	for _, name := range parameterNames() {
		if all || !r.Body.Get(name).IsMissing() {
			b.Set(name, s.Parameter(name))
			n++
		}
	}
	if n == 0 {
		return nil, mongoerr.New(mongoerr.InvalidOptions, "no option found to get")
	}
	return b.Doc(), nil
}

// atStartOnly tells the parameters that can't be set while the server runs.
func atStartOnly(name string) bool {
	switch name {
	case "authSchemaVersion", "authenticationMechanisms", "enableTestCommands", "featureCompatibilityVersion", "localLogicalSessionTimeoutMinutes":
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
		if !slices.Contains(parameterNames(), name) {
			continue
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
