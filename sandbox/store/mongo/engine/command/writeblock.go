package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/crud"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) writeBlockCommands() []Spec {
	return []Spec{
		{Name: "setUserWriteBlockMode", Fields: "global reason", Run: s.setWriteBlock, Admin: true},
		{Name: "appendOplogNote", Fields: "data maxClusterTime", Run: s.appendOplogNote, Admin: true},
		{Name: "autoCompact", Fields: "freeSpaceTargetMB runOnce", Run: s.autoCompact, Admin: true},
	}
}

// writeBlockNS is where the server keeps that users may not write.
func writeBlockNS() storage.NS {
	return storage.NS{DB: "config", Coll: "user_writes_critical_sections"}
}

// setWriteBlock keeps users from writing into any database but the server's own, or lets
// them write again.
func (s *Server) setWriteBlock(r *Request) (bsonval.Doc, error) {
	if r.Body.Get("global").IsMissing() {
		return nil, required("setUserWriteBlockMode.global")
	}
	on, err := r.Bool("global")
	if err != nil {
		return nil, err
	}
	if !on {
		return nil, r.remove(writeBlockNS(), "")
	}
	var b bsonval.Builder
	b.Str("_id", "").Bool("blockNewUserShardedDDL", false).Bool("blockUserWrites", true)
	return nil, r.write(func(w *crud.Writer) error {
		c, err := w.Collection(writeBlockNS())
		if err != nil {
			return err
		}
		if _, ok := c.ByID(bsonval.StringValue("")); ok {
			return nil
		}
		_, err = w.Insert(writeBlockNS(), b.Doc())
		return err
	})
}

// blocked tells whether setUserWriteBlockMode keeps the user from writing into a
// database. As in the server, who may do everything may do that too, and without users
// that is everybody.
func (r *Request) blocked(db string) error {
	switch {
	case r.Conn.Internal || r.Conn.User == nil || db == "admin" || db == "config" || db == "local":
		return nil
	case r.Server.lookupID(writeBlockNS(), "") == nil || r.may(need{action: "bypassWriteBlockingMode"}):
		return nil
	}
	return mongoerr.New(mongoerr.UserWritesBlocked, "User writes blocked")
}

// changesBlocked is blocked for the commands that write otherwise than by statements.
func (r *Request) changesBlocked() error {
	switch r.Spec.Name {
	case "renameCollection":
		to, _ := storage.ParseNS(stringOr(r.Body.Get("to"), ""))
		return r.blocked(to.DB)
	case "create", "drop", "dropDatabase", "createIndexes", "dropIndexes", "collMod", "convertToCapped", "cloneCollectionAsCapped", "aggregate":
		return r.blocked(r.DB)
	}
	return nil
}

// appendOplogNote writes a message into the oplog, which changes nothing.
func (s *Server) appendOplogNote(r *Request) (bsonval.Doc, error) {
	data := r.Body.Get("data")
	switch data.Type() {
	case bsonval.Object:
	case bsonval.Missing:
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Missing expected field \"data\"")
	default:
		return nil, mongoerr.New(mongoerr.TypeMismatch, "\"data\" had the wrong type. Expected object, found %s", data.Type())
	}
	if latest := r.Body.Get("maxClusterTime"); latest.Type() == bsonval.Timestamp {
		if now := s.now(); bsonval.Compare(latest, now) <= 0 {
			return nil, mongoerr.New(mongoerr.StaleClusterTime, "Requested maxClusterTime %s is less or equal to the last primary OpTime: %s", latest, now)
		}
	}
	return nil, r.write(func(w *crud.Writer) error {
		w.Tx.MarkNote(data.Doc().Clone())
		return nil
	})
}

// autoCompact makes the folder smaller when there is enough to gain. The store does
// that by itself later on, whatever the command says.
func (s *Server) autoCompact(r *Request) (bsonval.Doc, error) {
	on := r.Body.First().Value
	if on.Type() != bsonval.Bool {
		return nil, wrongType("autoCompact.autoCompact", on, "bool")
	}
	const defaultTarget = 20 // MiB
	target, err := r.Long("freeSpaceTargetMB", defaultTarget)
	if err != nil {
		return nil, err
	}
	if target < 1 {
		return nil, mongoerr.New(51024, "BSON field 'freeSpaceTargetMB' value must be >= 1, actual value '%d'", target)
	}
	if !on.Bool() || s.store.Garbage() < target<<20 {
		return nil, nil
	}
	_, err = s.store.Compact(r.Op.Context())
	return nil, err
}
