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

// currentOp is the stage $currentOp with its old options, and a filter of all the other
// fields: https://www.mongodb.com/docs/manual/reference/command/currentOp/
func (s *Server) currentOp(r *Request) (bsonval.Doc, error) {
	show := shownOps{allUsers: !r.Body.Get("$ownOps").Truth(), idleSessions: true, idleConnections: r.Body.Get("$all").Truth(), user: r.Conn.userName()}
	docs := s.currentOps(show)
	var err error
	var filter bsonval.Builder
	for name, v := range r.Body.All() {
		if name != r.Body.First().Name && name != "$all" && name != "$ownOps" && name != "$truncateOps" && !isGeneric(name) {
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

// killOp ends an operation: any for who has the right to, else one's own.
func (s *Server) killOp(r *Request) (bsonval.Doc, error) {
	v := r.Body.Get("op")
	if v.IsMissing() {
		return nil, mongoerr.New(mongoerr.NoSuchKey, "Did not provide \"op\" field")
	}
	id, whole := v.ExactLong()
	switch {
	case !v.IsNumber():
		return nil, mongoerr.New(mongoerr.TypeMismatch, "Expected \"op\" field to be a number, but found %s", v.Type())
	case !whole || id < -1<<31 || id > 1<<31-1:
		return nil, mongoerr.New(mongoerr.BadValue, "invalid op : %s. Op ID cannot be represented with 32 bits", v)
	}
	any := r.may(need{action: "killop"})
	killed := s.killOps(func(o *running) bool {
		return o.op.ID == int32(id) && (any || o.user.name() == r.Conn.userName())
	})
	if !any && killed == 0 {
		return nil, mongoerr.New(mongoerr.Unauthorized, "Unauthorized")
	}
	return bsonval.D(bsonval.E("info", bsonval.StringValue("attempting to kill op"))), nil
}

// killOps makes operations end at the next opportunity, and tells how many.
func (s *Server) killOps(which func(*running) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.ops {
		if which(o) {
			o.op.Kill(mongoerr.New(mongoerr.Interrupted, "operation was interrupted"))
			n++
		}
	}
	return n
}
