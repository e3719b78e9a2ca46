package command

import (
	"net"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
)

// profileEntry is what system.profile tells of a command that is done:
// https://www.mongodb.com/docs/manual/reference/database-profiler/
func (r *Request) profileEntry(reply bsonval.Doc, failed error, took time.Duration) bsonval.Doc {
	b := bsonval.NewBuilder(1024)
	b.Str("op", profileKind(r.Spec.Name)).Str("ns", r.namespace()).SetDoc("command", r.profiledCommand())
	r.profileCursor(b, reply)
	p, work := r.Op.Plan, r.Op.Work
	if r.Spec.Name == "aggregate" {
		p = r.Op.First()
	}
	if r.ran != nil {
		p, work = r.ran.plan, r.ran.work
	}
	r.profileWork(b, p, work, reply, "numYield")
	b.OpenDoc("locks").Close().OpenDoc("flowControl").Close()
	if wc := r.Body.Get("writeConcern"); wc.Type() == bsonval.Object {
		b.Set("writeConcern", wc)
	}
	b.OpenDoc("storage").Close()
	if failed != nil {
		e := mongoerr.From(failed)
		b.Double("ok", 0).Str("errMsg", e.Message).Str("errName", e.Code.String()).Int32("errCode", int32(e.Code))
	}
	b.Number("responseLength", int64(len(reply))).Str("protocol", "op_msg").Number("millis", took.Milliseconds()).Number("workingMillis", took.Milliseconds())
	if p != nil {
		b.Str("planSummary", p.Summary()).Number("planningTimeMicros", p.PlanningTime().Microseconds())
		if stats := r.profiledStages(p.ExecStats(), reply); stats != nil && r.ran == nil {
			b.SetDoc("execStats", stats)
		}
	}
	r.profileWho(b)
	return b.Doc()
}

// profileWork tells, in the profiler and in the log, what was examined and what came of
// it; p is nil for a command without a plan.
func (r *Request) profileWork(b *bsonval.Builder, p opctx.Plan, work opctx.Work, reply bsonval.Doc, yields string) {
	if p != nil {
		b.Number("keysExamined", work.KeysExamined).Number("docsExamined", work.DocsExamined)
		if p.Sorts() {
			b.Bool("hasSortStage", true)
		}
		if p.MultiPlanned() {
			b.Bool("fromMultiPlanner", true)
		}
	}
	r.profileWrites(b, reply)
	b.Int32(yields, 0)
	if batch, ok := batchOf(reply); ok {
		b.Number("nreturned", int64(batch.Len()))
	}
	if p != nil {
		hash := p.QueryHash()
		b.Str("queryHash", hash).Str("planCacheShapeHash", hash).Str("planCacheKey", p.PlanKey()).Str("queryFramework", "classic")
	}
}

func (r *Request) profileWho(b *bsonval.Builder) {
	client, _, err := net.SplitHostPort(r.Conn.Remote)
	if err != nil {
		client = r.Conn.Remote
	}
	b.Set("ts", bsonval.TimeValue(r.Server.opts.Clock())).Str("client", client).Str("appName", r.Conn.appName()).OpenArray("allUsers")
	if u := r.Conn.User; u != nil {
		b.OpenItem().Str("user", u.User).Str("db", u.DB).Close()
	}
	b.Close().Str("user", r.Conn.userName())
}

// profiledCommand is the command as it is noted: an update or a delete of one statement
// as that, an insert without its documents.
func (r *Request) profiledCommand() bsonval.Doc {
	field := map[string]string{"update": "updates", "delete": "deletes", "insert": "documents"}[r.Spec.Name]
	switch statements, err := r.Docs(field); {
	case field == "" || err != nil:
		return r.Body
	case r.Spec.Name == "insert":
		return lacking(r.Body, field)
	case len(statements) == 1:
		return oneStatement(statements[0])
	}
	return r.Body
}

func oneStatement(d bsonval.Doc) bsonval.Doc {
	b := bsonval.BuilderOf(d)
	for _, name := range [...]string{"multi", "upsert"} {
		if !d.Get("u").IsMissing() && d.Get(name).IsMissing() {
			b.Bool(name, false)
		}
	}
	return b.Doc()
}

func batchOf(reply bsonval.Doc) (bsonval.Doc, bool) {
	c := reply.Get("cursor")
	if c.Type() != bsonval.Object {
		return nil, false
	}
	for _, name := range [...]string{"firstBatch", "nextBatch"} {
		if batch := c.Doc().Get(name); batch.Type() == bsonval.Array {
			return batch.Doc(), true
		}
	}
	return nil, false
}

// profileCursor tells of the cursor that a command has made, or went on with.
func (r *Request) profileCursor(b *bsonval.Builder, reply bsonval.Doc) {
	if r.ran != nil {
		b.SetDoc("originatingCommand", r.ran.command)
	}
	c := reply.Get("cursor")
	if c.Type() != bsonval.Object {
		return
	}
	switch id := c.Doc().Get("id"); {
	case r.Spec.Name == "getMore":
		b.Set("cursorid", r.Body.First().Value)
	case id.Long() != 0:
		b.Set("cursorid", id)
	}
	if c.Doc().Get("id").Long() == 0 {
		b.Bool("cursorExhausted", true)
	}
}

// wrote is how many documents an update or a delete matched, changed and inserted.
func wrote(reply bsonval.Doc) (matched, modified, upserted int64) {
	if list := reply.Get("upserted"); list.Type() == bsonval.Array {
		upserted = int64(list.Doc().Len())
	}
	return reply.Get("n").Long() - upserted, reply.Get("nModified").Long(), upserted
}

func (r *Request) profileWrites(b *bsonval.Builder, reply bsonval.Doc) {
	n := reply.Get("n")
	if n.IsMissing() {
		return
	}
	switch r.Spec.Name {
	case "insert":
		b.Set("ninserted", n)
	case "delete":
		b.Set("ndeleted", n)
	case "update":
		matched, modified, upserted := wrote(reply)
		b.Number("nMatched", matched).Number("nModified", modified).Number("nUpserted", upserted)
	}
}

// profiledStages puts the stage that writes on top of those that have found what to
// write. Of several statements in one command there is but the last one's plan.
func (r *Request) profiledStages(found, reply bsonval.Doc) bsonval.Doc {
	kind := map[string]string{"update": "UPDATE", "delete": "DELETE"}[r.Spec.Name]
	if kind == "" || found == nil {
		return found
	}
	if stage := found.Get("stage"); stage.Type() == bsonval.String && (stage.Str() == "EXPRESS_IXSCAN" || stage.Str() == "EXPRESS_CLUSTERED_IXSCAN") {
		return replaced(found, map[string]bsonval.Value{"stage": bsonval.StringValue("EXPRESS_" + kind)})
	}
	matched, modified, upserted := wrote(reply)
	b := bsonval.NewBuilder(len(found) + 256)
	b.Str("stage", kind).Int32("nReturned", 0).Set("executionTimeMillisEstimate", found.Get("executionTimeMillisEstimate"))
	b.Set("works", found.Get("works")).Int32("advanced", 0).Number("needTime", max(0, found.Get("works").Long()-1)).Int32("needYield", 0)
	b.Int32("saveState", 0).Int32("restoreState", 0).Int32("isEOF", 1)
	if kind == "DELETE" {
		b.Number("nWouldDelete", reply.Get("n").Long())
	} else {
		b.Number("nMatched", matched).Number("nWouldModify", modified).Number("nWouldUpsert", upserted)
	}
	return b.SetDoc("inputStage", found).Doc()
}
