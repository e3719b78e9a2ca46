package session

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"storeroom/server/rate"
)

// company is how long a frame of sendSoon waits for another.
const company = 5 * time.Millisecond

// conn is one websocket connection. Nothing that calls send ever waits for the network:
// a connection that does not read what it is sent is dropped, and can come back.
type conn struct {
	socket  *websocket.Conn
	session *session // nil for a refused connection
	now     func() time.Time
	bucket  rate.Bucket // of messages; only the reader uses it

	mu      sync.Mutex
	outbox  [][]byte
	bytes   int64
	most    int64 // bytes that the outbox may hold
	closing bool
	code    websocket.StatusCode
	reason  string
	wake    chan struct{}
}

func newConn(socket *websocket.Conn, most int64, now func() time.Time) *conn {
	return &conn{socket: socket, most: most, now: now, wake: make(chan struct{}, 1),
		bucket: rate.Bucket{PerSecond: messagesASec, Burst: messageBurst}}
}

// send puts a frame into the outbox.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.put(frame) {
		c.poke()
	}
}

// sendSoon is send for a frame that tells little by itself: it leaves together with the
// next one, or after company. A short run's first event so costs nobody a wake-up.
func (c *conn) sendSoon(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.put(frame) {
		time.AfterFunc(company, c.poke)
	}
}

// put is the outbox's part of send; the caller holds mu.
func (c *conn) put(frame []byte) bool {
	if c.closing {
		return false
	}
	if c.bytes+int64(len(frame)) > c.most {
		c.outbox, c.bytes = nil, 0
		c.end(CloseSlow, "fell behind: connect again and resume")
		return false
	}
	c.outbox = append(c.outbox, frame)
	c.bytes += int64(len(frame))
	return true
}

// sayError tells the person something; run is the run that it is about, "" for none.
func (c *conn) sayError(run, text string) {
	c.send(frame(errorMessage{Type: "error", Text: text, Run: run}))
}

// close ends the connection after what is in the outbox.
func (c *conn) close(code websocket.StatusCode, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(code, reason)
}

// refuse says why and ends the connection.
func (c *conn) refuse(code websocket.StatusCode, text string) {
	c.sayError("", text)
	c.close(code, "refused")
}

// end notes how to close; the caller holds mu. The first one counts.
func (c *conn) end(code websocket.StatusCode, reason string) {
	if !c.closing {
		c.closing, c.code, c.reason = true, code, reason
	}
	c.poke()
}

func (c *conn) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// serve reads and writes until the connection ends.
func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	others.Go(func() {
		c.write(ctx)
		cancel()
	})
	others.Go(func() { c.watch(ctx) })
	c.read(ctx)
	c.close(websocket.StatusNormalClosure, "")
	others.Wait()
}

// read hands the page's messages to the session.
func (c *conn) read(ctx context.Context) {
	for {
		kind, frame, err := c.socket.Read(ctx)
		switch {
		case err != nil:
			return
		case c.session == nil:
		case kind != websocket.MessageText:
			c.close(websocket.StatusUnsupportedData, "text frames only")
		case !c.bucket.Take(c.now()):
			c.close(websocket.StatusPolicyViolation, "too many messages")
		default:
			c.session.receive(c, frame)
		}
	}
}

// write empties the outbox and closes the socket at last. It answers when nothing more
// can be written.
func (c *conn) write(ctx context.Context) {
	defer c.socket.CloseNow()
	for {
		frame, closing := c.next()
		switch {
		case frame != nil:
			if c.writeOne(ctx, frame) != nil {
				return
			}
		case closing:
			c.socket.Close(c.code, c.reason) // both are set once, before closing is
			return
		default:
			select {
			case <-c.wake:
			case <-ctx.Done():
				return
			}
		}
	}
}

// writeOne writes a frame; only then it leaves the outbox's account.
func (c *conn) writeOne(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	err := c.socket.Write(ctx, websocket.MessageText, frame)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = max(0, c.bytes-int64(len(frame)))
	return err
}

// next takes a frame from the outbox; nil when it is empty.
func (c *conn) next() (frame []byte, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.outbox) == 0 {
		c.outbox = nil
		return nil, c.closing
	}
	frame = c.outbox[0]
	c.outbox[0] = nil
	c.outbox = c.outbox[1:]
	return frame, false
}

// watch finds a dead connection. The browser answers pings also for a page that sleeps.
func (c *conn) watch(ctx context.Context) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			ping, cancel := context.WithTimeout(ctx, pingWithin)
			err := c.socket.Ping(ping)
			cancel()
			if err != nil {
				c.socket.CloseNow()
				return
			}
		}
	}
}
