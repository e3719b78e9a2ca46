package command

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func (s *Server) logCommands() []Spec {
	return []Spec{{Name: "getLog", Run: s.getLog, Admin: true}}
}

// keptLines is how many lines of its log a server keeps for getLog.
const keptLines = 1024

// ring keeps the log's newest lines, in the server's own form: one JSON document each.
// Ids and words are those of the server's log messages.
type ring struct {
	mu    sync.Mutex
	lines []string
	next  int // where the next line goes, once it is full
	total int
}

func (g *ring) add(line string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total++
	if len(g.lines) < keptLines {
		g.lines = append(g.lines, line)
		return
	}
	g.lines[g.next] = line
	g.next = (g.next + 1) % keptLines
}

// all are the kept lines, the oldest first, and how many there have been.
func (g *ring) all() ([]string, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append(append([]string{}, g.lines[g.next:]...), g.lines[:g.next]...), g.total
}

// logged makes a line.
func (s *Server) logged(severity, component string, id int32, ctx, msg string, attr bsonval.Doc, tags ...string) string {
	b := bsonval.NewBuilder(256)
	b.Set("t", bsonval.TimeValue(s.opts.Clock())).Str("s", severity).Str("c", component).Int32("id", id).Str("ctx", ctx).Str("msg", msg)
	if attr != nil {
		b.SetDoc("attr", attr)
	}
	if len(tags) > 0 {
		b.OpenArray("tags")
		for _, tag := range tags {
			b.ItemStr(tag)
		}
		b.Close()
	}
	line, err := bson.MarshalExtJSON(bson.Raw(b.Doc()), false, false)
	if err != nil {
		return "" // what was just made is well formed
	}
	return string(line)
}

// warnings are the lines of the start that tell what to mind.
func (s *Server) warnings() (lines []string) {
	if !s.opts.Auth {
		lines = append(lines, s.logged("W", "CONTROL", 22120, "initandlisten",
			"Access control is not enabled for the database. Read and write access to data and configuration is unrestricted", nil, "startupWarnings"))
	}
	for _, a := range s.store.Asides() {
		lines = append(lines, s.logged("W", "INDEX", 0, "initandlisten",
			fmt.Sprintf("%s: %s was left out when the data was read, and is to be made anew: %s", a.NS, a.Name, a.Why), nil, "startupWarnings"))
	}
	return lines
}

func (s *Server) logConnection(c *Conn, opened bool) {
	id, msg := int32(22943), "Connection accepted"
	ctx := "listener"
	if !opened {
		id, msg, ctx = 22944, "Connection ended", c.context()
	}
	s.mu.Lock()
	open := len(s.conns)
	s.mu.Unlock()
	var b bsonval.Builder
	b.Str("remote", c.Remote).Int64("connectionId", c.ID).Int32("connectionCount", int32(open))
	s.log.add(s.logged("I", "NETWORK", id, ctx, msg, b.Doc()))
}

func (c *Conn) context() string { return "conn" + strconv.FormatInt(c.ID, 10) }

// logSlow notes a command that took longer than slowms.
func (s *Server) logSlow(r *Request, reply bsonval.Doc, took time.Duration) {
	b := bsonval.NewBuilder(1024)
	b.Str("type", "command").Bool("isFromUserConnection", !r.Conn.Internal).Str("ns", r.namespace()).Str("appName", r.Conn.appName())
	if int64(len(r.Body)) <= s.Parameter("maxLogSizeKB").Long()<<10 && !r.Spec.secret() {
		b.SetDoc("command", r.Body)
	}
	p := r.Op.Plan
	if p != nil {
		b.Str("planSummary", p.Summary()).Number("planningTimeMicros", p.PlanningTime().Microseconds())
	}
	r.profileWork(b, p, r.Op.Work, reply, "numYields")
	b.Number("reslen", int64(len(reply))).OpenDoc("locks").Close().OpenDoc("storage").Close()
	b.Str("remote", r.Conn.Remote).Str("protocol", "op_msg").Number("workingMillis", took.Milliseconds()).Number("durationMillis", took.Milliseconds())
	s.log.add(s.logged("I", "COMMAND", 51803, r.Conn.context(), "Slow query", b.Doc()))
}

// logLogin notes who has come in, or was refused.
func (s *Server) logLogin(c *Conn, l *login, failed error) {
	id, msg := int32(5286306), "Successfully authenticated"
	b := bsonval.NewBuilder(256)
	b.Str("client", c.Remote).Bool("isSpeculative", false).Bool("isClusterMember", false).Str("mechanism", l.mech.name).Str("user", l.user).Str("db", l.db)
	if failed != nil {
		e := mongoerr.From(failed)
		id, msg = 5286307, "Failed to authenticate"
		b.Str("error", e.Code.String()+": "+e.Message).Int32("result", int32(e.Code))
	} else {
		b.Int32("result", 0)
	}
	s.log.add(s.logged("I", "ACCESS", id, c.context(), msg, b.Doc()))
}

func (s *Server) getLog(r *Request) (bsonval.Doc, error) {
	v := r.Body.First().Value
	if v.Type() != bsonval.String {
		return nil, wrongType("getLog.getLog", v, "string")
	}
	var b bsonval.Builder
	switch v.Str() {
	case "*":
		b.OpenArray("names").ItemStr("global").ItemStr("startupWarnings").Close()
		return b.Doc(), nil
	case "global", "startupWarnings":
	default:
		return nil, mongoerr.New(mongoerr.OperationFailed, "No log named '%s'", v.Str())
	}
	lines, total := s.minded, len(s.minded)
	if v.Str() == "global" {
		lines, total = s.log.all()
	}
	b.Int32("totalLinesWritten", int32(total)).OpenArray("log")
	for _, line := range lines {
		b.ItemStr(line)
	}
	return b.Doc(), nil
}
