package loopback

import (
	"encoding/binary"
	"time"
)

// Events of a poll.
const (
	eventRead = 1 << iota
	eventWrite
	eventInvalid
	eventHangup
	eventError
)

const maxPolled = 4096 // descriptors of one poll

// poll waits until one of the descriptors has an event that was asked for, or one
// that is always told: it is gone, hung up or in error.
func (s *Stack) poll(w Waiter, timeout time.Duration, asked []byte) []byte {
	const size = 5
	if len(asked)%size != 0 || len(asked) > size*maxPolled {
		return failed(errnoInval)
	}
	var found []byte
	look := func() bool {
		found = found[:0]
		for p := asked; len(p) > 0; p = p[size:] {
			if e := s.events(binary.LittleEndian.Uint32(p), p[4]); e != 0 {
				found = append(append(found, p[:4]...), e)
			}
		}
		return len(found) > 0
	}
	switch e := s.wait(w, timeout, look); e {
	case 0:
		s.mu.Unlock()
	case timedOut, errnoAgain:
	default:
		return failed(e)
	}
	return answer(0, found...)
}

// events are what holds of a descriptor now. The lock is held.
func (s *Stack) events(fd uint32, asked byte) byte {
	t := s.sockets[fd]
	if t == nil {
		return eventInvalid
	}
	var e byte
	if t.readable() {
		e |= eventRead
	}
	if t.writable() {
		e |= eventWrite
	}
	e &= asked
	if t.fault != 0 || t.broken != 0 || t.link != nil && t.link.failed != 0 {
		e |= eventError
	}
	if t.state == idle || t.ended && (t.noWrite || t.peer == nil && t.link == nil) {
		e |= eventHangup
	}
	return e
}
