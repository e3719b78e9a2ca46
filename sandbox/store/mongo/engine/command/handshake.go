package command

import (
	"context"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/session"
	"storeroom/sandbox/store/mongo/engine/wire"
)

func (s *Server) handshakeCommands() []Spec {
	hello := "*"
	return []Spec{
		{Name: "hello", Fields: hello, Run: s.hello, Legacy: true, NoAuth: true, OwnTime: true},
		{Name: "isMaster", Aliases: []string{"ismaster"}, Fields: hello, Run: s.hello, Legacy: true, NoAuth: true, OwnTime: true},
		{Name: "ping", Run: func(*Request) (bsonval.Doc, error) { return nil, nil }, NoAuth: true},
	}
}

// maxAwait bounds how long an awaited hello may wait.
const maxAwait = 5 * time.Minute

// hello presents the server as the primary of a replica set of one, under the address
// that the client dialled: so discovery leads drivers back to where they are.
func (s *Server) hello(r *Request) (bsonval.Doc, error) {
	if err := s.meet(r); err != nil {
		return nil, err
	}
	if err := s.await(r); err != nil {
		return nil, err
	}
	addr := r.Conn.Addr
	now := bsonval.TimeValue(r.Op.Now)
	b := bsonval.NewBuilder(1024)
	if r.Body.Get("helloOk").Truth() {
		b.Bool("helloOk", true)
	}
	if !s.opts.Polling {
		b.OpenDoc("topologyVersion").Set("processId", bsonval.ObjectIDValue(s.process)).Int64("counter", 6).Close()
	}
	b.OpenArray("hosts").ItemStr(addr).Close()
	b.Str("setName", s.opts.SetName).Int32("setVersion", 1)
	if r.Spec.Name == "hello" {
		b.Bool("isWritablePrimary", true)
	} else {
		b.Bool("ismaster", true)
	}
	b.Bool("secondary", false).Str("primary", addr).Str("me", addr)
	b.Set("electionId", bsonval.ObjectIDValue(s.election))
	b.OpenDoc("lastWrite").SetDoc("opTime", s.opTime()).Set("lastWriteDate", now)
	b.SetDoc("majorityOpTime", s.opTime()).Set("majorityWriteDate", now).Close()
	b.Int32("maxBsonObjectSize", bsonval.MaxDocument).Int32("maxMessageSizeBytes", wire.MaxMessage).Int32("maxWriteBatchSize", 100_000)
	b.Set("localTime", now).Int32("logicalSessionTimeoutMinutes", int32(session.Timeout/time.Minute))
	b.Int32("connectionId", int32(r.Conn.ID)).Int32("minWireVersion", 0).Int32("maxWireVersion", maxWireVersion)
	b.Bool("readOnly", false)
	s.negotiate(r, b)
	if err := s.helloAuth(r, b); err != nil {
		return nil, err
	}
	if r.Message.Exhaust && !r.Body.Get("topologyVersion").IsMissing() {
		r.exhaust = r.Body
	}
	return b.Doc(), nil
}

// meet keeps the client's metadata, which may be said once.
func (s *Server) meet(r *Request) error {
	client := r.Body.Get("client")
	switch {
	case client.IsMissing():
		return nil
	case client.Type() != bsonval.Object:
		return wrongType("client", client, "object")
	case r.Conn.Client != nil:
		return mongoerr.New(mongoerr.ClientMetadataCannotBeMutated, "The client metadata document may only be sent in the first hello")
	case len(client.Doc()) > 512:
		return mongoerr.New(mongoerr.ClientMetadataDocumentTooLarge, "The client metadata document must be less then or equal to 512bytes")
	}
	r.Server.mu.Lock()
	r.Conn.Client = client.Doc()
	r.Server.mu.Unlock()
	return nil
}

// negotiate answers the compressors that both sides know, in the client's order.
func (s *Server) negotiate(r *Request, b *bsonval.Builder) {
	asked := r.Body.Get("compression")
	if asked.Type() != bsonval.Array {
		return
	}
	r.Conn.Compressors = nil
	for v := range asked.Doc().Values() {
		if v.Type() != bsonval.String {
			continue
		}
		if c := wire.CompressorNamed(v.Str()); c != nil {
			r.Conn.Compressors = append(r.Conn.Compressors, c)
		}
	}
	if len(r.Conn.Compressors) == 0 {
		return
	}
	b.OpenArray("compression")
	for _, c := range r.Conn.Compressors {
		b.ItemStr(c.Name())
	}
	b.Close()
}

// await waits, for a client that knows this topology already, until it changes, which
// it never does, or the time that it named is over.
func (s *Server) await(r *Request) error {
	known := r.Body.Get("topologyVersion")
	wait := r.Body.Get("maxAwaitTimeMS")
	if known.Type() != bsonval.Object || !wait.IsNumber() || s.opts.Polling {
		return nil
	}
	id := known.Doc().Get("processId")
	if id.Type() != bsonval.ObjectID || id.ObjectID() != s.process {
		return nil
	}
	timer := time.NewTimer(min(maxAwait, time.Duration(max(0, wait.Long()))*time.Millisecond))
	defer timer.Stop()
	ctx := r.Op.Context()
	select {
	case <-timer.C:
		return nil
	case <-s.down:
		return mongoerr.New(mongoerr.ShutdownInProgress, "The server is in quiesce mode and will shut down")
	case <-ctx.Done():
		return mongoerr.From(context.Cause(ctx))
	}
}
