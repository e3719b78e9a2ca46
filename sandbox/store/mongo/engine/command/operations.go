package command

import (
	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func (s *Server) operationCommands() []Spec {
	return []Spec{
		{Name: "currentOp", Fields: "*", Run: s.currentOp, Admin: true},
		// Compass names the operation id, which the server overlooks and then misses op.
		{Name: "killOp", Fields: "op id", Run: s.killOp, Admin: true},
	}
}

func (s *Server) currentOp(r *Request) (bsonval.Doc, error) {
	show := shownOps{allUsers: true, idleSessions: true}
	show.idleConnections, show.idleCursors = r.Body.Get("$all").Truth(), r.Body.Get("$all").Truth()
	if r.Body.Get("$ownOps").Truth() {
		show.allUsers, show.user = false, r.Conn.userName()
	}
	docs := s.currentOps(show)
	var err error
	var filter bsonval.Builder
	for name, v := range r.Body.All() {
		switch name {
		case "currentOp", "$db", "lsid", "$all", "$ownOps", "$clusterTime", "$readPreference", "comment", "maxTimeMS", "apiVersion":
		default:
			filter.Set(name, v)
		}
	}
	if docs, err = r.filtered(docs, filter.Doc()); err != nil {
		return nil, err
	}
	var b bsonval.Builder
	b.OpenArray("inprog")
	for _, d := range docs {
		b.ItemDoc(d)
	}
	b.Close()
	if s.fsync.locked() {
		b.Bool("fsyncLock", true).Str("info", "use db.fsyncUnlock() to terminate the fsync write/snapshot lock")
	}
	return b.Doc(), nil
}

func (s *Server) killOp(r *Request) (bsonval.Doc, error) {
	v := r.Body.Get("op")
	if !v.IsNumber() {
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Missing expected field \"op\"")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.ops[int32(v.Long())]; o != nil {
		o.op.Kill(mongoerr.New(mongoerr.Interrupted, "operation was interrupted"))
	}
	return bsonval.D(bsonval.E("info", bsonval.StringValue("attempting to kill op"))), nil
}
