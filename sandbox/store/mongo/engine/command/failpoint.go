package command

import (
	"math/rand/v2"
	"sync"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

func (s *Server) failPointCommands() []Spec {
	if !s.opts.Tests {
		return nil
	}
	nothing := func(*Request) (bsonval.Doc, error) { return nil, nil }
	return []Spec{
		{Name: "configureFailPoint", Fields: "mode data", Run: s.configureFailPoint, Admin: true, NoAuth: true},
		{Name: "testDeprecation", Fields: "*", Run: nothing},
		{Name: "testVersion2", Fields: "*", Run: nothing},
	}
}

// failpoints makes commands fail on purpose, for drivers' tests.
type failpoints struct {
	mu  sync.Mutex
	all map[string]*failpoint
}

type failpoint struct {
	times    int64 // how often still; -1: always
	skip     int64
	chance   float64
	commands map[string]bool
	appName  string
	data     bsonval.Doc
}

func (s *Server) configureFailPoint(r *Request) (bsonval.Doc, error) {
	name, err := r.Str("configureFailPoint")
	if err != nil {
		return nil, err
	}
	if name != "failCommand" && name != "onPrimaryTransactionalWrite" && name != "failGetMoreAfterCursorCheckout" && name != "maxTimeAlwaysTimeOut" && name != "maxTimeNeverTimeOut" {
		return nil, mongoerr.New(mongoerr.FailPointSetFailed, "%s not found", name)
	}
	fp := &failpoint{times: -1, chance: 1, commands: map[string]bool{}}
	mode := r.Body.Get("mode")
	switch mode.Type() {
	case bsonval.String:
		if mode.Str() == "off" {
			fp = nil
		} else if mode.Str() != "alwaysOn" {
			return nil, mongoerr.New(mongoerr.BadValue, "unknown mode: %s", mode.Str())
		}
	case bsonval.Object:
		fp.mode(mode.Doc())
	default:
		return nil, wrongType("configureFailPoint.mode", mode, "object")
	}
	if fp != nil {
		if fp.data, err = r.Doc("data"); err != nil {
			return nil, err
		}
		if names := fp.data.Get("failCommands"); names.Type() == bsonval.Array {
			for v := range names.Doc().Values() {
				if v.Type() == bsonval.String {
					fp.commands[v.Str()] = true
				}
			}
		}
		if app := fp.data.Get("appName"); app.Type() == bsonval.String {
			fp.appName = app.Str()
		}
	}
	s.fails.mu.Lock()
	defer s.fails.mu.Unlock()
	if s.fails.all == nil {
		s.fails.all = map[string]*failpoint{}
	}
	if fp == nil {
		delete(s.fails.all, name)
	} else {
		s.fails.all[name] = fp
	}
	var b bsonval.Builder
	b.Int32("count", 0)
	return b.Doc(), nil
}

func (fp *failpoint) mode(d bsonval.Doc) {
	for name, v := range d.All() {
		switch name {
		case "times":
			fp.times = v.Long()
		case "skip":
			fp.skip = v.Long()
		case "activationProbability":
			fp.chance = v.Float()
		}
	}
}

// take uses up one turn of a fail point and answers it, nil when it is off.
func (f *failpoints) take(name string) *failpoint { return f.takeMany(name, 1) }

// takeMany is take for a command that runs into the fail point n times.
func (f *failpoints) takeMany(name string, n int64) *failpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	fp := f.all[name]
	if fp == nil || fp.times == 0 {
		return nil
	}
	if fp.skip >= n {
		fp.skip -= n
		return nil
	}
	fp.skip = 0
	if fp.times > 0 {
		fp.times--
	}
	return fp
}

// failWrite is the fail point that a retryable write runs into, nil for none.
func (s *Server) failWrite(r *Request) *failpoint {
	if !r.retry || r.earlier != nil {
		return nil
	}
	return s.fails.takeMany("onPrimaryTransactionalWrite", r.writes())
}

// writes is how many writes a command consists of.
func (r *Request) writes() int64 {
	for _, name := range [...]string{"documents", "updates", "deletes", "ops"} {
		if docs, err := r.Docs(name); err == nil {
			return int64(len(docs))
		}
	}
	return 1
}

// aroundWrite runs a retryable write under the fail point onPrimaryTransactionalWrite:
// the connection goes, after something was written or, with a code, instead of it.
func (fp *failpoint) aroundWrite(r *Request) (bsonval.Doc, error) {
	drop := fp.data.Get("closeConnection")
	drops := drop.IsMissing() || drop.Truth()
	if code := fp.data.Get("failBeforeCommitExceptionCode"); code.IsNumber() {
		r.dropped = drops
		return nil, mongoerr.New(mongoerr.Code(code.Long()), "Failing write for transaction due to failpoint")
	}
	seq := r.Server.store.State().Seq
	doc, err := r.Spec.Run(r)
	r.dropped = drops && r.Server.store.State().Seq != seq
	return doc, err
}

// on tells whether a fail point without further conditions is set.
func (f *failpoints) on(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[name] != nil
}

// match answers the fail point that the request runs into, nil for none.
func (f *failpoints) match(r *Request) *failpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	fp := f.all["failCommand"]
	if fp == nil || r.Spec.Name == "configureFailPoint" || !fp.names(r) {
		return nil
	}
	if fp.appName != "" && fp.appName != r.appName() {
		return nil
	}
	if fp.skip > 0 {
		fp.skip--
		return nil
	}
	if fp.times == 0 || fp.chance < 1 && rand.Float64() >= fp.chance {
		return nil
	}
	if fp.times > 0 {
		fp.times--
	}
	return fp
}

func (fp *failpoint) names(r *Request) bool {
	if fp.commands[r.Spec.Name] || fp.commands[r.Body.First().Name] {
		return true
	}
	for _, a := range r.Spec.Aliases {
		if fp.commands[a] {
			return true
		}
	}
	return false
}

// failNow does what the fail point says before the command; done is true when the
// command doesn't run at all.
func (s *Server) failNow(r *Request, fp *failpoint) (resp Response, done bool) {
	d := fp.data
	if d.Get("blockConnection").Truth() {
		t := time.NewTimer(time.Duration(d.Get("blockTimeMS").Long()) * time.Millisecond)
		select {
		case <-t.C:
		case <-s.down:
		case <-r.ctx.Done():
		}
		t.Stop()
	}
	if d.Get("closeConnection").Truth() {
		return Response{Close: true}, true
	}
	var named []string
	hasLabels := d.Get("errorLabels").Type() == bsonval.Array
	if hasLabels {
		named = []string{}
		for v := range d.Get("errorLabels").Doc().Values() {
			named = append(named, v.Str())
		}
	}
	if code := d.Get("errorCode"); code.IsNumber() {
		e := mongoerr.New(mongoerr.Code(code.Long()), "Failing command via 'failCommand' failpoint")
		e.Labels = named
		if !hasLabels {
			e = mongoerr.From(s.labelled(r, e))
		}
		return Response{Doc: s.failure(e)}, true
	}
	if wc := d.Get("writeConcernError"); wc.Type() == bsonval.Object && r.Spec.mayWrite() {
		r.writeConcern, r.warnLabels = wc.Doc(), named
		if !hasLabels && r.txnNumber >= 0 && !r.inTransaction && retryableWrite(mongoerr.Code(wc.Doc().Get("code").Long())) {
			r.warnLabels = []string{"RetryableWriteError"}
		}
	}
	return Response{}, false
}

// retryableWrite tells the codes after which a retryable write may be tried again.
func retryableWrite(c mongoerr.Code) bool {
	switch c {
	case 6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436:
		return true
	}
	return false
}

// appName is what the client calls itself: it says so once, in its first hello.
func (r *Request) appName() string {
	if said := r.Body.Get("client"); r.Conn.Client == nil && said.Type() == bsonval.Object {
		return appName(said.Doc())
	}
	return r.Conn.appName()
}

func (c *Conn) appName() string { return appName(c.Client) }

func appName(client bsonval.Doc) string {
	app := client.Get("application")
	if app.Type() != bsonval.Object {
		return ""
	}
	if name := app.Doc().Get("name"); name.Type() == bsonval.String {
		return name.Str()
	}
	return ""
}
