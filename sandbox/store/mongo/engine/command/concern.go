package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// concerns reads readConcern and writeConcern.
func (r *Request) concerns() error {
	if v := r.Body.Get("readConcern"); !v.IsMissing() {
		if v.Type() != bsonval.Object {
			return wrongType("readConcern", v, "object")
		}
		if err := r.readConcern(v.Doc()); err != nil {
			return err
		}
	}
	v := r.Body.Get("writeConcern")
	if v.IsMissing() {
		return nil
	}
	if v.Type() != bsonval.Object {
		return wrongType("writeConcern", v, "object")
	}
	switch {
	case r.inTransaction && !v.Doc().IsEmpty() && r.Spec.Name != "commitTransaction" && r.Spec.Name != "abortTransaction":
		return mongoerr.New(mongoerr.InvalidOptions, "writeConcern is not allowed within a multi-statement transaction")
	case !v.Doc().IsEmpty() && onlyReads(r.Spec.Name):
		return mongoerr.New(mongoerr.InvalidOptions, "Command does not support writeConcern")
	}
	return r.parseWriteConcern(v.Doc())
}

func (r *Request) readConcern(d bsonval.Doc) error {
	level := "local"
	for name, v := range d.All() {
		switch name {
		case "level":
			if v.Type() != bsonval.String {
				return wrongType("readConcern.level", v, "string")
			}
			level = v.Str()
			r.level = level
		case "afterClusterTime", "atClusterTime":
			if v.Type() != bsonval.Timestamp {
				return wrongType("readConcern."+name, v, "timestamp")
			}
			if name == "atClusterTime" {
				r.atTime = v.Timestamp()
			} else if now := r.Server.now(); v.Timestamp() > now.Timestamp() {
				return mongoerr.New(mongoerr.InvalidOptions, "readConcern afterClusterTime value must not be greater than the current clusterTime. Requested clusterTime: %s; current clusterTime: %s", v, now)
			}
		case "provenance", "afterOpTime", "allowTransactionTableSnapshot", "waitLastStableRecoveryTimestamp":
		default:
			return unknownField("readConcern." + name)
		}
	}
	switch level {
	case "local", "majority":
	case "linearizable", "available":
		if r.inTransaction {
			return mongoerr.New(mongoerr.InvalidOptions, "The readConcern level must be either 'local', 'majority' or 'snapshot' in order to run in a transaction")
		}
	case "snapshot":
		return r.snapshotRead()
	default:
		return mongoerr.New(mongoerr.BadValue, "Enumeration value '%s' for field 'readConcern.level' is not a valid value.", level)
	}
	if r.atTime != 0 {
		return mongoerr.New(mongoerr.InvalidOptions, "readConcern level must be 'snapshot' when atClusterTime is specified")
	}
	return nil
}

// snapshotRead pins the state that a read outside of a transaction sees: the one at
// atClusterTime, or the newest, whose time the reply then names.
func (r *Request) snapshotRead() error {
	if r.inTransaction {
		return nil
	}
	switch r.Spec.Name {
	case "getMore":
		return nil // its cursor has a snapshot
	case "find", "aggregate", "distinct":
	default:
		return mongoerr.New(mongoerr.InvalidOptions, "Command %s does not support { readConcern: { level: \"snapshot\" } }", r.Spec.Name)
	}
	if r.atTime == 0 {
		r.at = r.Server.store.Pin()
		r.atTime = r.at.TS
		return nil
	}
	var err error
	r.at, err = r.Server.store.At(r.atTime)
	return err
}

// atClusterTime is the field that snapshot reads answer.
func (r *Request) atClusterTime(b *bsonval.Builder) {
	if r.at != nil {
		b.Set("atClusterTime", bsonval.TimestampOf(r.atTime))
	}
}

// parseWriteConcern finds out whether a replica set of one can satisfy it: if not the
// write is done all the same, and the reply says so.
func (r *Request) parseWriteConcern(d bsonval.Doc) error {
	for name, v := range d.All() {
		switch name {
		case "w":
			if err := r.parseW(d, v); err != nil {
				return err
			}
		case "j", "fsync":
			if v.Type() != bsonval.Bool && !v.IsNumber() {
				return mongoerr.New(mongoerr.TypeMismatch, "BSON field 'writeConcern.%s' is the wrong type '%s', expected types '[bool, long, int, decimal, double]'", name, v.Type())
			}
		case "wtimeout", "provenance", "getLastError", "wOpTime", "wElectionId":
		default:
			return unknownField("writeConcern." + name)
		}
	}
	return nil
}

func (r *Request) parseW(d bsonval.Doc, v bsonval.Value) error {
	code, text := mongoerr.UnsatisfiableWriteConcern, "Not enough data-bearing nodes"
	switch v.Type() {
	case bsonval.String:
		if v.Str() == "majority" {
			return nil
		}
		code, text = mongoerr.UnknownReplWriteConcern, "No write concern mode named '"+v.Str()+"' found in replica set configuration"
	case bsonval.Object:
		return nil
	default:
		if !v.IsNumber() {
			return mongoerr.New(mongoerr.FailedToParse, "w has to be a number, string, or object; found: %s", v.Type())
		}
		n := v.Long()
		if n < 0 || n > 50 {
			return mongoerr.New(mongoerr.FailedToParse, "w has to be a non-negative number and not greater than 50; found: %d", n)
		}
		if n <= 1 {
			return nil
		}
	}
	var b bsonval.Builder
	b.Int32("code", int32(code)).Str("codeName", code.String()).Str("errmsg", text)
	b.OpenDoc("errInfo").OpenDoc("writeConcern").Set("w", v).Number("wtimeout", d.Get("wtimeout").Long()).Str("provenance", "clientSupplied").Close().Close()
	r.writeConcern = b.Doc()
	return nil
}

// onlyReads tells commands that have no write concern.
func onlyReads(name string) bool {
	switch name {
	case "find", "count", "distinct", "getMore", "listCollections", "listIndexes", "listDatabases", "explain", "dbStats", "collStats", "dataSize":
		return true
	}
	return false
}
