package command

import (
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// clusterParameterCommands are for the parameters that all members of a cluster share:
// https://www.mongodb.com/docs/manual/reference/cluster-parameters/
func (s *Server) clusterParameterCommands() []Spec {
	return []Spec{
		{Name: "getClusterParameter", Fields: "omitInFTDC", Run: s.getClusterParameter, Admin: true},
		{Name: "setClusterParameter", Fields: "clusterParameterTime", Run: s.setClusterParameter, Admin: true},
	}
}

func clusterParametersNS() storage.NS { return storage.NS{DB: "config", Coll: "clusterParameters"} }

// clusterParameter is a parameter as it is from the start; nil for one that isn't known.
func clusterParameter(name string) bsonval.Doc {
	var b bsonval.Builder
	switch name {
	case "changeStreamOptions":
		b.OpenDoc("preAndPostImages").Str("expireAfterSeconds", "off").Close()
	case "defaultMaxTimeMS":
		b.Int64("readOperations", 0)
	default:
		return nil
	}
	return b.Doc()
}

// clusterParameterNow is a parameter as it is.
func (s *Server) clusterParameterNow(name string) bsonval.Doc {
	if set := s.lookupID(clusterParametersNS(), name); set != nil {
		return set
	}
	known := clusterParameter(name)
	if known == nil {
		return nil
	}
	b := bsonval.NewBuilder(len(known) + 64)
	return b.Str("_id", name).Set("clusterParameterTime", bsonval.TimestampValue(0, 0)).Fields(known).Doc()
}

func (s *Server) getClusterParameter(r *Request) (bsonval.Doc, error) {
	var names []string
	switch v := r.Body.First().Value; v.Type() {
	case bsonval.String:
		if names = []string{v.Str()}; v.Str() == "*" {
			names = []string{"changeStreamOptions", "defaultMaxTimeMS"}
		}
	case bsonval.Array:
		for e := range v.Doc().Values() {
			names = append(names, stringOr(e, e.String()))
		}
		if names == nil {
			return nil, mongoerr.New(mongoerr.BadValue, "Must supply at least one cluster server parameter name to getClusterParameter")
		}
	default:
		return nil, mongoerr.New(mongoerr.TypeMismatch, "BSON field 'getClusterParameter.getClusterParameter' is the wrong type '%s', expected types '[string, array]'", v.Type())
	}
	var b bsonval.Builder
	b.OpenArray("clusterParameters")
	for _, name := range names {
		d := s.clusterParameterNow(name)
		if d == nil {
			return nil, mongoerr.New(mongoerr.NoSuchKey, "Unknown server parameter: %s", name)
		}
		b.ItemDoc(d)
	}
	return b.Doc(), nil
}

func (s *Server) setClusterParameter(r *Request) (bsonval.Doc, error) {
	v := r.Body.First().Value
	if v.Type() != bsonval.Object {
		return nil, wrongType("setClusterParameter.setClusterParameter", v, "object")
	}
	if v.Doc().Len() != 1 {
		return nil, mongoerr.New(mongoerr.InvalidOptions, "setClusterParameter only supports setting exactly one parameter")
	}
	p := v.Doc().First()
	known := clusterParameter(p.Name)
	if known == nil {
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Unknown server parameter: %s", p.Name)
	}
	if p.Value.Type() != bsonval.Object {
		return nil, mongoerr.New(mongoerr.IllegalOperation, "Cluster parameter value must be an object")
	}
	if err := checkClusterParameter(p.Name, p.Value.Doc()); err != nil {
		return nil, err
	}
	b := bsonval.NewBuilder(256)
	b.Str("_id", p.Name).Set("clusterParameterTime", s.now()).Fields(merged(known, p.Value.Doc()))
	return nil, r.put(clusterParametersNS(), b.Doc())
}

// checkClusterParameter refuses values that a parameter can't have, and those that it
// could have but that would do nothing here.
func checkClusterParameter(name string, d bsonval.Doc) error {
	for field, v := range d.All() {
		switch {
		case name == "defaultMaxTimeMS" && field == "readOperations":
			if ms, whole := v.ExactLong(); !v.IsNumber() || !whole || ms < 0 || ms > 1<<31-1 {
				return mongoerr.New(mongoerr.BadValue, "readOperations must be a whole number of milliseconds from 0 to 2147483647, not %s", v)
			}
		case name == "changeStreamOptions" && field == "preAndPostImages" && v.Type() == bsonval.Object:
			expire := v.Doc().Get("expireAfterSeconds")
			if expire.IsNumber() && expire.Float() > 0 {
				return mongoerr.New(mongoerr.CommandNotSupported, "pre- and post-images go with the oplog here: expireAfterSeconds can only be \"off\"")
			}
			if stringOr(expire, "") != "off" {
				return mongoerr.New(mongoerr.BadValue, "Expected a positive integer or 'off', got %s", expire)
			}
		default:
			return unknownField(name + "." + field)
		}
	}
	return nil
}

// defaultTime is the limit of a read that names none, 0 for none: the cluster parameter
// defaultMaxTimeMS, which doesn't bind those who may do everything.
func (r *Request) defaultTime() time.Duration {
	if r.Conn.Internal || r.Conn.User == nil || !r.Body.Get("maxTimeMS").IsMissing() {
		return 0
	}
	switch r.Spec.Name {
	case "find", "aggregate", "count", "distinct", "dbHash":
	default:
		return 0
	}
	set := r.Server.lookupID(clusterParametersNS(), "defaultMaxTimeMS")
	if set == nil || r.may(need{action: "bypassDefaultMaxTimeMS"}) {
		return 0
	}
	return time.Duration(set.Get("readOperations").Long()) * time.Millisecond
}
