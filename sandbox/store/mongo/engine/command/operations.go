package command

import (
	"strconv"

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

// currentOps describes what is running now.
func (s *Server) currentOps(bsonval.Value) ([]bsonval.Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Clock()
	var docs []bsonval.Doc
	for id, o := range s.ops {
		b := bsonval.NewBuilder(512)
		b.Str("type", "op").Str("host", o.conn.Addr).Str("desc", "conn"+strconv.FormatInt(o.conn.ID, 10)).Int32("connectionId", int32(o.conn.ID))
		b.Str("client", o.conn.Remote).Str("appName", o.conn.appName())
		if o.conn.Client != nil {
			b.SetDoc("clientMetadata", o.conn.Client)
		}
		b.Bool("active", true).Str("currentOpTime", now.Format("2006-01-02T15:04:05.000-07:00")).Int32("opid", id)
		b.Int64("secs_running", int64(now.Sub(o.began).Seconds())).Int64("microsecs_running", now.Sub(o.began).Microseconds())
		b.Str("op", profileKind(o.command.First().Name)).Str("ns", o.ns).Bool("redacted", false).SetDoc("command", o.command)
		if msg, done, total := o.op.Progress(); msg != "" {
			percent := 100 * done / max(total, 1)
			b.Str("msg", msg+" "+msg+": "+strconv.FormatInt(done, 10)+"/"+strconv.FormatInt(total, 10)+" "+strconv.FormatInt(percent, 10)+"%")
			b.OpenDoc("progress").Number("done", done).Number("total", total).Close()
		}
		b.Int32("numYields", 0).Bool("waitingForLock", false)
		docs = append(docs, b.Doc())
	}
	return docs, nil
}

func (s *Server) currentOp(r *Request) (bsonval.Doc, error) {
	docs, err := s.currentOps(bsonval.Value{})
	if err != nil {
		return nil, err
	}
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
