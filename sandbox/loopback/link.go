package loopback

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// link is a socket's connection to a store. One goroutine reads ahead, so that the
// guest can ask whether something arrived; what a write does not take at once is
// written by another. The Stack's lock guards it.
type link struct {
	socket  *socket
	conn    net.Conn
	port    int
	room    sync.Cond // received became shorter, or nobody wants more
	out     buffer    // sent by the guest and not written yet
	flight  int       // bytes being written by flush
	writing bool      // flush runs
	failed  errno     // of writing
	closing bool      // close when out is written
	users   int       // see leave
}

// attach gives t a connection. The lock is held.
func (t *socket) attach(c net.Conn, port int) {
	l := &link{socket: t, conn: c, port: port, room: sync.Cond{L: &t.stack.mu}, users: 2}
	t.link = l
	t.stack.links[l] = true
	t.stack.start(l.readAhead)
}

// leave takes away one of those who use l: its socket, who reads, who writes. With the
// last one the connection is over. The lock is held.
func (l *link) leave() {
	if l.users--; l.users == 0 {
		l.conn.Close()
		l.socket.stack.live--
		delete(l.socket.stack.links, l)
	}
}

const (
	firstRead = 4 << 10
	mostRead  = 64 << 10
)

// readAhead reads until the store is done or the socket is closed. It holds back while
// the guest does not take what is there, so that the store is held back in turn.
func (l *link) readAhead() {
	t, s := l.socket, l.socket.stack
	b := make([]byte, firstRead)
	for {
		n, err := l.conn.Read(b)
		s.mu.Lock()
		s.tap(t.id, l.port, false, b[:n])
		if !t.noRead && !t.gone {
			t.received.add(b[:n])
		}
		if err != nil {
			t.ended = true
			if !errors.Is(err, io.EOF) && !t.gone {
				t.broken = errnoConnreset
			}
			l.leave()
			s.notify()
			s.mu.Unlock()
			return
		}
		s.notify()
		for t.received.len() >= maxBuffer && !t.noRead && !t.gone {
			l.room.Wait()
		}
		s.mu.Unlock()
		if n == len(b) && n < mostRead {
			b = make([]byte, 2*n)
		}
	}
}

// tap shows a piece. It is called with the lock held, so that an answer can't be shown
// before its question.
func (s *Stack) tap(conn uint32, port int, sent bool, b []byte) {
	if s.config.Tap != nil && len(b) > 0 {
		s.config.Tap(Piece{Conn: conn, Port: port, Sent: sent, Bytes: b, At: time.Now()})
	}
}

// space is how many bytes a write may take now.
func (l *link) space() int { return maxBuffer - l.out.len() - l.flight }

// send takes as much of p as there is space for. The lock is held.
func (l *link) send(p []byte) int {
	n := 0
	if !l.writing {
		var err error
		if n, err = writeNow(l.conn, p); err != nil {
			l.fail(err)
			return 0
		}
	}
	rest := p[n:min(len(p), n+max(0, l.space()))]
	if len(rest) > 0 {
		l.out.add(rest)
		l.flush()
	}
	return n + len(rest)
}

// writeNow writes what the connection takes without waiting.
func writeNow(c net.Conn, p []byte) (n int, err error) {
	switch c := c.(type) {
	case *pipe:
		return c.writeNow(p)
	case syscall.Conn:
		raw, err := c.SyscallConn()
		if err != nil {
			return 0, err
		}
		var werr error
		err = raw.Write(func(fd uintptr) bool {
			n, werr = syscall.Write(int(fd), p)
			return true
		})
		if errors.Is(werr, syscall.EAGAIN) || errors.Is(werr, syscall.EINTR) {
			return 0, nil
		}
		return max(0, n), errors.Join(err, werr)
	}
	return 0, nil
}

// flush sees to it that out gets written. The lock is held.
func (l *link) flush() {
	if l.writing {
		return
	}
	l.writing = true
	l.users++
	s := l.socket.stack
	s.start(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for l.out.len() > 0 && l.failed == 0 {
			p := l.out
			l.out, l.flight = buffer{}, p.len()
			s.mu.Unlock()
			_, err := l.conn.Write(p.peek(p.len()))
			s.mu.Lock()
			l.flight = 0
			if err != nil {
				l.fail(err)
			}
			s.notify()
		}
		l.writing = false
		l.finish()
		l.leave()
	})
}

func (l *link) fail(err error) {
	l.failed = errnoOfWrite(err)
	l.out = buffer{}
}

// shut ends the writing side when all is written. The lock is held.
func (l *link) shut() {
	if !l.writing {
		l.finish()
	}
}

// finish does what was put off until all is written. The lock is held.
func (l *link) finish() {
	if l.closing {
		l.conn.Close()
		return
	}
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok && l.socket.noWrite {
		c.CloseWrite()
	}
}

// close closes the connection once all is written, or after the time that it may
// take. The goroutine that reads ahead ends by it. The lock is held.
func (l *link) close(linger time.Duration) {
	l.closing = true
	l.room.Broadcast()
	if l.writing {
		l.conn.SetWriteDeadline(time.Now().Add(linger))
	} else {
		l.conn.Close()
	}
	l.leave()
}
