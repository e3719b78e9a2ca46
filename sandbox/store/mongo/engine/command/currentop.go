package command

import (
	"strconv"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/session"
)

// shownOps is what $currentOp is asked to show.
type shownOps struct {
	allUsers, idleConnections, idleCursors bool
	idleSessions                           bool
	user                                   string // whose operations are shown without allUsers; "": everybody's
}

func parseShownOps(arg bsonval.Value) (shownOps, error) {
	show := shownOps{idleSessions: true}
	if arg.Type() != bsonval.Object {
		return show, mongoerr.New(mongoerr.FailedToParse, "$currentOp options must be specified in an object, but found: %s", arg.Type())
	}
	for name, v := range arg.Doc().All() {
		ignored := false
		to := map[string]*bool{
			"allUsers": &show.allUsers, "idleConnections": &show.idleConnections, "idleCursors": &show.idleCursors, "idleSessions": &show.idleSessions,
			"localOps": &ignored, "truncateOps": &ignored, "backtrace": &ignored, "targetAllNodes": &ignored,
		}[name]
		switch {
		case to == nil:
			return show, mongoerr.New(mongoerr.FailedToParse, "Unrecognized option '%s' in $currentOp stage.", name)
		case v.Type() != bsonval.Bool:
			return show, mongoerr.New(mongoerr.FailedToParse, "The '%s' parameter of the $currentOp stage must be a boolean value, but found: %s", name, v.Type())
		}
		*to = v.Bool()
	}
	return show, nil
}

// currentOps describes what is running now, and as asked what waits for its client.
func (s *Server) currentOps(show shownOps) []bsonval.Doc {
	now := s.opts.Clock()
	docs := s.runningOps(show, now)
	if show.idleSessions {
		docs = append(docs, s.idleSessions(show, now)...)
	}
	if show.idleCursors {
		s.cursors.Idle(func(c *cursor.Cursor) {
			if show.sees(c.User) {
				docs = append(docs, s.idleCursor(c))
			}
		})
	}
	return docs
}

func (show shownOps) sees(user string) bool {
	return show.allUsers || show.user == "" || show.user == user
}

func (s *Server) runningOps(show shownOps, now time.Time) []bsonval.Doc {
	s.mu.Lock()
	defer s.mu.Unlock()
	var docs []bsonval.Doc
	busy := map[int64]bool{}
	for id, o := range s.ops {
		busy[o.conn.ID] = true
		if show.sees(o.user.name()) {
			docs = append(docs, o.describe(id, now))
		}
	}
	if !show.idleConnections {
		return docs
	}
	for id, c := range s.conns {
		if !busy[id] && show.sees(c.userName()) {
			b := c.describe(now)
			b.Bool("active", false)
			docs = append(docs, b.Doc())
		}
	}
	return docs
}

// describe writes what is told of every operation: who asks for it.
func (c *Conn) describe(now time.Time) *bsonval.Builder {
	b := bsonval.NewBuilder(1024)
	b.Str("type", "op").Str("host", c.Addr).Str("desc", "conn"+strconv.FormatInt(c.ID, 10)).Int32("connectionId", int32(c.ID))
	b.Str("client", c.Remote).Str("appName", c.appName())
	if c.Client != nil {
		b.SetDoc("clientMetadata", c.Client)
	}
	return b.Str("currentOpTime", now.Format("2006-01-02T15:04:05.000-07:00")).Bool("isFromUserConnection", !c.Internal).Bool("threaded", true)
}

func (o *running) describe(id int32, now time.Time) bsonval.Doc {
	b := o.conn.describe(now)
	b.Bool("active", true).Int32("opid", id)
	if o.user != nil {
		b.OpenArray("effectiveUsers").OpenItem().Str("user", o.user.User).Str("db", o.user.DB).Close().Close()
	}
	if o.session != nil {
		b.SetDoc("lsid", o.session.Doc())
	}
	if o.txnNumber >= 0 {
		b.OpenDoc("transaction").OpenDoc("parameters").Int64("txnNumber", o.txnNumber)
		if o.inTransaction {
			b.Bool("autocommit", false)
		}
		b.Close().Close()
	}
	b.Int64("secs_running", int64(now.Sub(o.began).Seconds())).Int64("microsecs_running", now.Sub(o.began).Microseconds())
	b.Str("op", profileKind(o.command.First().Name)).Str("ns", o.spec.namespace(o.target, o.op.DB)).Bool("redacted", false).SetDoc("command", o.command)
	if summary := o.op.PlanSummary(); summary != "" {
		b.Str("planSummary", summary)
	}
	if msg, done, total := o.op.Progress(); msg != "" {
		percent := 100 * done / max(total, 1)
		b.Str("msg", msg+" "+msg+": "+strconv.FormatInt(done, 10)+"/"+strconv.FormatInt(total, 10)+" "+strconv.FormatInt(percent, 10)+"%")
		b.OpenDoc("progress").Number("done", done).Number("total", total).Close()
	}
	if o.op.Killed() {
		b.Bool("killPending", true)
	}
	if n := o.op.Clashes(); n > 0 {
		b.Number("writeConflicts", n)
	}
	b.Int32("numYields", 0).OpenDoc("locks").Close().Bool("waitingForLock", o.op.Awaits()).OpenDoc("lockStats").Close()
	b.Bool("waitingForFlowControl", false).OpenDoc("flowControlStats").Close()
	return b.Doc()
}

// idleSessions are the transactions that wait for their client's next command.
func (s *Server) idleSessions(show shownOps, now time.Time) []bsonval.Doc {
	var docs []bsonval.Doc
	for _, sess := range s.sessions.All() {
		if !show.sees(sess.ID.User) {
			continue
		}
		if t := openTransaction(sess); t != nil {
			b := bsonval.NewBuilder(512)
			b.Str("type", "idleSession").Str("desc", "inactive transaction").SetDoc("lsid", sess.ID.Doc())
			b.OpenDoc("transaction").OpenDoc("parameters").Int64("txnNumber", t.number).Bool("autocommit", false).Close()
			b.Set("startWallClockTime", bsonval.StringValue(t.began.Format("2006-01-02T15:04:05.000-07:00")))
			b.Int64("timeOpenMicros", now.Sub(t.began).Microseconds())
			limit := time.Duration(s.Parameter("transactionLifetimeLimitSeconds").Long()) * time.Second
			b.Str("expiryTime", t.began.Add(limit).Format("2006-01-02T15:04:05.000-07:00")).Close()
			b.Bool("waitingForLock", false).Bool("active", false).OpenDoc("locks").Close()
			docs = append(docs, b.Doc())
		}
	}
	return docs
}

// openTransaction is a copy of the session's transaction; nil for none that is idle.
func openTransaction(sess *session.Session) *transaction {
	release, ok := sess.TryCheckout()
	if !ok {
		return nil
	}
	defer release()
	if t, ok := sess.Txn.(*transaction); ok && t.phase == open {
		return &transaction{number: t.number, began: t.began}
	}
	return nil
}

func (s *Server) idleCursor(c *cursor.Cursor) bsonval.Doc {
	b := bsonval.NewBuilder(512)
	b.Str("type", "idleCursor").Str("ns", c.NS)
	if c.Session != nil {
		b.SetDoc("lsid", c.Session.Doc())
	}
	b.OpenDoc("cursor").Int64("cursorId", c.ID).Set("createdDate", bsonval.TimeValue(c.Created())).Set("lastAccessDate", bsonval.TimeValue(c.LastUse()))
	b.Int64("nDocsReturned", c.Docs).Int64("nBatchesReturned", c.Batches).Bool("noCursorTimeout", c.NoTimeout).Bool("tailable", c.Tailable).Bool("awaitData", c.Await)
	b.SetDoc("originatingCommand", c.Command).Int32("operationUsingCursorId", c.Op.ID).Close()
	if plan := c.Op.PlanSummary(); plan != "" {
		b.Str("planSummary", plan)
	}
	return b.Doc()
}
