package loopback

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// connect connects t, waiting up to timeout. What a listener in the guest or nobody
// takes is decided at once; a store may first have to start.
func (s *Stack) connect(t *socket, w Waiter, timeout time.Duration, payload []byte) []byte {
	if len(payload) < 2 {
		return failed(errnoInval)
	}
	port := int(binary.LittleEndian.Uint16(payload))
	asked, text, _ := strings.Cut(string(payload[2:]), "\x00")
	s.mu.Lock()
	e := s.begin(t, port, asked, text, timeout != 0)
	s.mu.Unlock()
	if e != errnoInprogress {
		return outcome(e)
	}
	if timeout == 0 {
		return failed(errnoInprogress)
	}
	if e := s.wait(w, timeout, func() bool { return t.state != connecting }); e != 0 {
		if e == timedOut {
			s.giveUp(t)
		}
		return failed(e)
	}
	defer s.mu.Unlock()
	if e := t.fault; e != 0 {
		t.fault = 0
		return failed(e)
	}
	t.told = true
	return answer(0)
}

func outcome(e errno) []byte {
	if e != 0 {
		return failed(e)
	}
	return answer(0)
}

// begin starts to connect: errnoInprogress when a store is being dialled. A connect that
// waits and was interrupted comes here again and goes on. The lock is held.
func (s *Stack) begin(t *socket, port int, asked, text string, waits bool) errno {
	switch {
	case t.fault != 0:
		e := t.fault
		t.fault = 0
		return e
	case t.state == connecting && waits:
		return errnoInprogress
	case t.state == connecting:
		return errnoAlready
	case t.state == connected && !t.told:
		t.told = true
		return 0
	case t.state == connected:
		return errnoIsconn
	case t.state != idle:
		return errnoInval
	}
	a, e := t.parse(text)
	switch {
	case e != 0:
		return e
	case !here(a):
		return errnoNetunreach
	}
	if to := s.listener(a, port); to != nil {
		t.told = true
		return s.reach(t, to, a)
	}
	dial := s.config.Ports[port]
	if dial == nil {
		return errnoConnrefused
	}
	s.dial(t, dial, a, port, asked)
	return errnoInprogress
}

// dial asks for a connection to a store in a goroutine. The lock is held.
func (s *Stack) dial(t *socket, dial Dial, a netip.Addr, port int, asked string) {
	ctx, cancel := context.WithCancel(s.ctx)
	t.state, t.cancel, t.told, t.abandoned = connecting, cancel, false, false
	if !printable(asked) {
		asked = a.String()
	}
	addr := net.JoinHostPort(asked, strconv.Itoa(port))
	s.start(func() {
		c, err := dial(ctx, addr)
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dialled(t, a, port, c, err)
	})
}

// dialled takes what a dial gave. The lock is held.
func (s *Stack) dialled(t *socket, a netip.Addr, port int, c net.Conn, err error) {
	t.cancel = nil
	switch {
	case t.gone:
		s.live--
		if err == nil {
			c.Close()
		}
	case t.abandoned:
		t.state = idle
		if err == nil {
			c.Close()
		}
	case err != nil:
		t.state, t.fault = idle, errnoOfDial(err)
	default:
		s.establish(t, a, port)
		t.attach(c, port)
	}
	s.notify()
}

// giveUp ends a dial that took too long for the guest.
func (s *Stack) giveUp(t *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.state == connecting && t.cancel != nil {
		t.abandoned = true
		t.cancel()
	}
}

// printable tells whether a name may be shown to a store as what was dialled.
func printable(name string) bool {
	if name == "" || len(name) > 255 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
