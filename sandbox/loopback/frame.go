package loopback

import (
	"encoding/binary"
	"math"
	"time"
)

// A frame is: operation (1 byte), descriptor (4), argument (4, signed), payload; all
// little-endian. The argument of an operation that may wait is a timeout in
// milliseconds: 0 does not wait, less waits for ever. The answer is a signed status (4)
// and a payload: with a status below zero, which is an errno of WASI's or one of ours
// negated, the payload is the error's text.
const (
	opSocket   = 'n' // argument: family, 4 or 6 -> descriptor
	opPair     = 'P' // -> descriptor; payload: the other one
	opDup      = 'd' // -> descriptor
	opBind     = 'b' // argument: port; payload: address
	opListen   = 'l' // argument: backlog
	opAccept   = 'a' // argument: timeout -> descriptor; payload: as opNames
	opConnect  = 'c' // argument: timeout; payload: port (2), the name that was asked for, 0, address
	opSend     = 's' // argument: timeout; payload: data -> how many bytes of it
	opReceive  = 'r' // argument: timeout; payload: how many bytes at most (4) -> how many; payload: them
	opPeek     = 'k' // as opReceive; they stay
	opShutdown = 'h' // argument: 0 reading, 1 writing, 2 both
	opError    = 'e' // -> the pending error's number, taken
	opNames    = 'i' // payload: "address port" of this end, newline, of the other end or nothing
	opPoll     = 'p' // argument: timeout; payload: (descriptor 4, events 1) each -> payload: those with events
	opClose    = 'x'
)

const frameHead = 9

// Call does what a frame of the guest's asks for and answers it. Any frame is safe.
func (s *Stack) Call(frame []byte, w Waiter) []byte {
	if len(frame) < frameHead {
		return failed(errnoInval)
	}
	fd := binary.LittleEndian.Uint32(frame[1:])
	arg := int(int32(binary.LittleEndian.Uint32(frame[5:])))
	payload := frame[frameHead:]
	switch frame[0] {
	case opSocket:
		return s.open(arg)
	case opPair:
		return s.pair()
	case opPoll:
		return s.poll(w, milliseconds(arg), payload)
	case opClose:
		return s.closeFD(fd)
	}
	s.mu.Lock()
	t := s.sockets[fd]
	s.mu.Unlock()
	if t == nil {
		return failed(errnoBadf)
	}
	switch frame[0] {
	case opDup:
		return s.dup(t)
	case opBind:
		return s.bind(t, arg, string(payload))
	case opListen:
		return s.listen(t, arg)
	case opAccept:
		return s.accept(t, w, milliseconds(arg))
	case opConnect:
		return s.connect(t, w, milliseconds(arg), payload)
	case opSend:
		return s.send(t, w, milliseconds(arg), payload)
	case opReceive, opPeek:
		if len(payload) < 4 {
			return failed(errnoInval)
		}
		return s.receive(t, w, milliseconds(arg), binary.LittleEndian.Uint32(payload), frame[0] == opPeek)
	case opShutdown:
		return s.shutdown(t, arg)
	case opError:
		return s.takeError(t)
	case opNames:
		return s.names(t)
	}
	return failed(errnoInval)
}

func milliseconds(n int) time.Duration {
	if n < 0 {
		return -1
	}
	return time.Duration(n) * time.Millisecond
}

func answer(status int, payload ...byte) []byte {
	b := make([]byte, 4, 4+len(payload))
	binary.LittleEndian.PutUint32(b, uint32(int32(min(status, math.MaxInt32))))
	return append(b, payload...)
}

func failed(e errno) []byte { return answer(-int(e), []byte(e.text())...) }
