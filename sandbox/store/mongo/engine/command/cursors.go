package command

import (
	"cmp"
	"context"
	"time"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/cursor"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
	"storeroom/sandbox/store/mongo/engine/opctx"
	"storeroom/sandbox/store/mongo/engine/storage"
)

func (s *Server) cursorCommands() []Spec {
	return []Spec{
		{Name: "getMore", Fields: "collection batchSize term lastKnownCommittedOpTime includeQueryStatsMetrics", Run: s.getMore, InTxn: true, OwnTime: true},
		{Name: "killCursors", Fields: "cursors", Run: s.killCursors, InTxn: true},
	}
}

// maxReply is how many bytes of documents a batch holds, unless one alone has more.
const maxReply = 16 << 20

// firstBatch reads the first documents of a new cursor and keeps it open if there may
// be more. size -1 is the default, limit 0 none.
func (s *Server) firstBatch(r *Request, c *cursor.Cursor, size int64, single bool, limit int64) (bsonval.Doc, error) {
	if size < 0 {
		size = defaultBatch
		if limit > 0 && limit < size {
			size = limit
		}
	}
	b := bsonval.NewBuilder(1024)
	b.OpenDoc("cursor").OpenArray("firstBatch")
	n, done, err := fill(b, c, size)
	if err != nil {
		c.Rows.Close()
		return nil, err
	}
	b.Close()
	done = done || single || limit > 0 && n >= limit
	if done && !c.Tailable || done && single {
		c.Rows.Close()
	} else {
		if r.Session != nil {
			c.Session = &r.Session.ID
		}
		c.Left = r.maxTime
		c.Txn, c.Garbage = -1, r.State().Garbage
		c.Docs, c.Batches, c.User = n, 1, r.Conn.userName()
		if r.inTransaction {
			c.Txn = r.txnNumber
		}
		s.counters.cursors.Add(1)
		if err := s.cursors.Add(c); err != nil {
			c.Rows.Close()
			return nil, err
		}
	}
	r.cursorEnd(b, c)
	return b.Doc(), nil
}

// cursorEnd writes the fields after the batch.
func (r *Request) cursorEnd(b *bsonval.Builder, c *cursor.Cursor) {
	r.atClusterTime(b)
	if c.PostBatch != nil {
		token := c.PostBatch()
		if len(c.Held) > 0 {
			token = c.Sent.Get("_id") // what is held comes after it
		}
		b.Set("postBatchResumeToken", token)
	}
	b.Int64("id", c.ID).Str("ns", c.NS)
	b.Close()
}

// fill appends up to size documents, 0 for as many as fit, and tells whether the rows
// ended.
func fill(b *bsonval.Builder, c *cursor.Cursor, size int64) (n int64, done bool, err error) {
	start := b.Len()
	var last bsonval.Doc
	c.Sent = nil
	for ; n < size; n++ {
		var doc bsonval.Doc
		if len(c.Held) > 0 {
			doc = c.Held[0]
			c.Held = c.Held[1:]
		} else {
			row, ok, err := c.Rows.Next()
			if err != nil {
				return n, false, err
			}
			if !ok {
				return n, true, nil
			}
			doc, c.Last = row.Doc, row.Record
		}
		if n > 0 && b.Len()-start+len(doc) > maxReply {
			c.Held, c.Sent = append([]bsonval.Doc{doc}, c.Held...), last
			return n, false, nil
		}
		last = doc
		b.ItemDoc(doc)
	}
	return n, false, nil
}

// awaitTime is how long a getMore on a tailable cursor waits when nothing says.
const awaitTime = time.Second

func (s *Server) getMore(r *Request) (bsonval.Doc, error) {
	id := r.Body.First().Value
	if id.Type() != bsonval.Int64 {
		return nil, wrongType("getMore.getMore", id, "long")
	}
	coll, err := r.Str("collection")
	if err != nil {
		return nil, err
	}
	if r.Body.Get("collection").IsMissing() {
		return nil, required("getMore.collection")
	}
	if err := namedCollection(storage.NS{DB: r.DB, Coll: coll}); err != nil {
		return nil, err
	}
	size, err := r.Long("batchSize", 0)
	if err != nil {
		return nil, err
	}
	if size < 0 {
		return nil, mongoerr.New(51024, "BSON field 'batchSize' value must be >= 0, actual value '%d'", size)
	}
	if size == 0 {
		size = 1 << 40
	}
	s.counters.getmore.Add(1)
	c, err := s.cursors.Checkout(id.Int64())
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(r.mayGoOn(c), r.mayRead(c, coll), r.sameAPI(c.Command)); err != nil {
		s.cursors.Return(c, false)
		return nil, err
	}
	if err := s.alive(c); err != nil {
		s.cursors.Return(c, true)
		return nil, err
	}
	if fp := s.fails.take("failGetMoreAfterCursorCheckout"); fp != nil {
		s.cursors.Return(c, true)
		return nil, resumable(c, mongoerr.New(mongoerr.Code(fp.data.Get("errorCode").Long()), "Failing getMore due to failpoint"))
	}
	return s.nextBatch(r, c, size)
}

// resumable labels the errors after which a driver opens a change stream again.
func resumable(c *cursor.Cursor, e *mongoerr.Error) error {
	again := retryableWrite(e.Code)
	switch e.Code {
	case mongoerr.CursorNotFound, mongoerr.FailedToSatisfyReadPreference, mongoerr.RetryChangeStream, 63, 150, mongoerr.StaleConfig:
		again = true
	}
	if c.PostBatch == nil || !again {
		return e
	}
	return e.Labelled("ResumableChangeStreamError")
}

// mayGoOn keeps users from reading what another one's command has found.
func (r *Request) mayGoOn(c *cursor.Cursor) error {
	if r.Conn.User == nil || c.User == r.Conn.userName() {
		return nil
	}
	return mongoerr.New(mongoerr.Unauthorized, "cursor id %d was not created by the authenticated user", c.ID)
}

// mayKill lets users end their own cursors, and others' with the right to.
func (r *Request) mayKill(id int64, ns storage.NS) error {
	user, ok := r.Server.cursors.Owner(id)
	if !ok || user == r.Conn.userName() || r.may(need{action: "killAnyCursor"}) || r.may(need{action: "killAnyCursor", ns: ns}) {
		return nil
	}
	return mongoerr.New(mongoerr.Unauthorized, "not authorized to kill cursor on %s", ns)
}

// mayRead checks that the getMore belongs to the cursor.
func (r *Request) mayRead(c *cursor.Cursor, coll string) error {
	ns := r.DB + "." + coll
	switch {
	case c.NS != ns:
		return mongoerr.New(mongoerr.Unauthorized, "Requested getMore on namespace '%s', but cursor belongs to a different namespace %s", ns, c.NS)
	case c.Session != nil && (r.Session == nil || r.Session.ID != *c.Session):
		return mongoerr.New(50738, "Cannot run getMore on cursor %d, which was created in a different session", c.ID)
	case c.Session == nil && r.Session != nil:
		return mongoerr.New(50738, "Cannot run getMore on cursor %d, which was not created in a session, in a session", c.ID)
	case c.Txn >= 0 && (!r.inTransaction || c.Txn != r.txnNumber):
		return mongoerr.New(50741, "Cannot run getMore on cursor %d, which was created in a transaction, without it", c.ID)
	case c.Txn < 0 && r.inTransaction:
		return mongoerr.New(50740, "Cannot run getMore on cursor %d, which was not created in a transaction, in a transaction", c.ID)
	case r.maxTime > 0 && !(c.Tailable && c.Await):
		return mongoerr.New(mongoerr.BadValue, "cannot set maxTimeMS on getMore command for a non-awaitData cursor")
	}
	return nil
}

// cursorTime limits a batch to what the maxTimeMS of the command that opened the
// cursor has left, and takes off what the batch used.
func (s *Server) cursorTime(r *Request, c *cursor.Cursor) (context.Context, func(), error) {
	ctx := r.Op.Context()
	if c.Left == 0 || c.Tailable {
		return ctx, func() {}, nil
	}
	late := mongoerr.New(mongoerr.MaxTimeMSExpired, "operation exceeded time limit")
	if s.fails.on("maxTimeAlwaysTimeOut") {
		return ctx, nil, late
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Left, late)
	began := time.Now()
	return ctx, func() {
		cancel()
		c.Left = max(c.Left-time.Since(began), time.Nanosecond)
	}, nil
}

// batchRun is what a getMore went on with and what it did, for the profiler.
type batchRun struct {
	command bsonval.Doc
	plan    opctx.Plan
	work    opctx.Work
}

func (s *Server) nextBatch(r *Request, c *cursor.Cursor, size int64) (bsonval.Doc, error) {
	ctx, cancel, err := s.cursorTime(r, c)
	if err != nil {
		s.cursors.Return(c, true)
		return nil, err
	}
	before := c.Op.Work
	c.Op.WithContext(ctx)
	ran := r.Op.Run(c.Op)
	b := bsonval.NewBuilder(4096)
	b.OpenDoc("cursor").OpenArray("nextBatch")
	n, done, err := s.fillOrWait(r, c, b, size)
	ran()
	c.Docs, c.Batches = c.Docs+n, c.Batches+1
	cancel()
	if err != nil {
		s.cursors.Return(c, true)
		return nil, err
	}
	b.Close()
	open := *c
	if done && !c.Tailable {
		open.ID = 0
	}
	r.cursorEnd(b, &open)
	r.ran = &batchRun{command: c.Command, plan: c.Op.First(), work: c.Op.Work.Since(before)}
	s.cursors.Return(c, done && !c.Tailable)
	if r.Message.Exhaust && open.ID != 0 && (n > 0 || c.Tailable) {
		r.exhaust = r.Body
	}
	return b.Doc(), nil
}

// fillOrWait fills a batch; on a tailable cursor that awaits data it waits for the
// first document.
func (s *Server) fillOrWait(r *Request, c *cursor.Cursor, b *bsonval.Builder, size int64) (int64, bool, error) {
	wait := awaitTime
	if r.maxTime > 0 {
		wait = r.maxTime
	}
	until := time.Now().Add(wait)
	for {
		seq := s.store.State().Seq
		n, done, err := fill(b, c, size)
		if err != nil || n > 0 || !c.Tailable || !c.Await {
			return n, done, err
		}
		ctx, cancel := context.WithDeadline(r.Op.Context(), until)
		err = s.store.Wait(ctx, seq)
		late := ctx.Err() != nil
		cancel()
		if err := c.Op.Check(); err != nil {
			return 0, false, err
		}
		if late {
			return 0, false, nil
		}
		if err != nil {
			return 0, false, err
		}
	}
}

func (s *Server) killCursors(r *Request) (bsonval.Doc, error) {
	ns, err := r.Collection()
	if err != nil {
		return nil, err
	}
	ids, err := arrayField(r.Body, "cursors", "killCursors.cursors")
	if err != nil {
		return nil, err
	}
	if ids == nil {
		return nil, required("killCursors.cursors")
	}
	var killed, notFound []bsonval.Value
	for v := range ids.Values() {
		if v.Type() != bsonval.Int64 {
			return nil, wrongType("killCursors.cursors", v, "long")
		}
		if err := r.mayKill(v.Int64(), ns); err != nil {
			return nil, err
		}
	}
	for v := range ids.Values() {
		if of, ok := s.cursors.NS(v.Int64()); ok && of == ns.String() && s.cursors.Kill(v.Int64()) {
			killed = append(killed, v)
		} else {
			notFound = append(notFound, v)
		}
	}
	return bsonval.D(
		bsonval.E("cursorsKilled", bsonval.ArrayOf(killed...)), bsonval.E("cursorsNotFound", bsonval.ArrayOf(notFound...)),
		bsonval.E("cursorsAlive", bsonval.ArrayOf()), bsonval.E("cursorsUnknown", bsonval.ArrayOf())), nil
}

// list answers documents that are all there as a cursor, as listCollections does.
func (s *Server) list(r *Request, ns string, docs []bsonval.Doc) (bsonval.Doc, error) {
	size := int64(-1)
	if opts, err := r.Doc("cursor"); err != nil {
		return nil, err
	} else if v := opts.Get("batchSize"); v.IsNumber() {
		size = v.Long()
	}
	c := &cursor.Cursor{NS: ns, Op: r.Op, Rows: streamDocs(docs), Command: r.Body}
	if size < 0 {
		size = 1 << 40
	}
	return s.firstBatch(r, c, size, false, 0)
}
