package loopback

import (
	"encoding/binary"
	"time"
)

// send takes as much of p as fits, waiting for room.
func (s *Stack) send(t *socket, w Waiter, timeout time.Duration, p []byte) []byte {
	if e := s.wait(w, timeout, t.writable); e != 0 {
		return failed(e)
	}
	n, e := t.take(p)
	if e == 0 && t.link != nil {
		s.tap(t.id, t.link.port, true, p[:n])
	}
	s.mu.Unlock()
	if e != 0 {
		return failed(e)
	}
	return answer(n)
}

// take gives p to the other end. The lock is held.
func (t *socket) take(p []byte) (int, errno) {
	switch {
	case t.fault != 0:
		e := t.fault
		t.fault = 0
		return 0, e
	case t.state != connected:
		return 0, errnoNotconn
	case t.noWrite:
		return 0, errnoPipe
	case t.link != nil && t.link.failed != 0:
		return 0, t.link.failed
	case t.link != nil:
		n := t.link.send(p)
		return n, t.link.failed
	case t.peer == nil || t.peer.noRead:
		return 0, errnoPipe
	}
	n := min(len(p), max(0, maxBuffer-t.peer.received.len()))
	t.peer.received.add(p[:n])
	t.stack.notify()
	return n, 0
}

// writable tells whether a send would be answered at once. The lock is held.
func (t *socket) writable() bool {
	switch {
	case t.state != connected:
		return t.state != connecting && t.state != listening
	case t.noWrite:
		return true
	case t.link != nil:
		return t.link.failed != 0 || t.link.space() > 0
	}
	return t.peer == nil || t.peer.noRead || t.peer.received.len() < maxBuffer
}

// readable tells whether a receive or an accept would be answered at once. The lock
// is held.
func (t *socket) readable() bool {
	switch t.state {
	case connecting:
		return false
	case listening:
		return len(t.queue) > 0
	case idle:
		return true
	}
	return t.received.len() > 0 || t.ended || t.noRead
}

// receive answers at least one byte, or none at the end.
func (s *Stack) receive(t *socket, w Waiter, timeout time.Duration, most uint32, peek bool) []byte {
	if e := s.wait(w, timeout, func() bool { return most == 0 || t.readable() || t.state == listening }); e != 0 {
		return failed(e)
	}
	defer s.mu.Unlock()
	switch {
	case t.fault != 0:
		e := t.fault
		t.fault = 0
		return failed(e)
	case t.state != connected:
		return failed(errnoNotconn)
	case t.received.len() == 0 && t.broken != 0 && !t.noRead:
		e := t.broken
		t.broken = 0
		return failed(e)
	}
	b := t.received.peek(int(min(most, maxBuffer*2)))
	out := make([]byte, 4, 4+len(b))
	binary.LittleEndian.PutUint32(out, uint32(len(b)))
	out = append(out, b...)
	if !peek && len(b) > 0 {
		t.received.drop(len(b))
		if t.link != nil {
			t.link.room.Signal()
		}
		s.notify() // the other end may be in the guest, and wait for room
	}
	return out
}

// close ends a socket that no descriptor stands for any more. What was sent still
// arrives, within linger. The lock is held.
func (t *socket) close(linger time.Duration) {
	s := t.stack
	if t.gone {
		return
	}
	t.gone = true
	s.held--
	if s.bound[t.owns] == t {
		delete(s.bound, t.owns)
	}
	for _, c := range t.queue {
		c.close(0)
	}
	t.queue = nil
	if t.peer != nil {
		t.peer.ended, t.peer.peer = true, nil
		t.peer = nil
	}
	t.received = buffer{}
	switch {
	case t.cancel != nil: // the dial that ends counts it out
		t.cancel()
	case t.link != nil: // who leaves it last counts it out
		t.link.close(linger)
	default:
		s.live--
	}
	s.notify()
}
