package loopback

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// state is how far a socket has come.
type state int

const (
	idle state = iota
	connecting
	connected
	listening
)

// socket is one socket of the guest's. Its Stack's lock guards it.
type socket struct {
	stack  *Stack
	id     uint32
	fds    int // descriptors that stand for it
	family int // 4 or 6
	state  state
	gone   bool
	owns   binding // port of its own, if its port is not 0
	local  netip.AddrPort
	remote netip.AddrPort

	fault    errno // of a connect that failed, until it is asked for
	told     bool  // connect has answered that the connection is up
	received buffer
	ended    bool  // nothing more will be received
	broken   errno // what reading gives once received is empty
	noRead   bool  // shut down for reading
	noWrite  bool  // shut down for writing

	link      *link   // to a store
	peer      *socket // the other end, when it is in the guest too
	cancel    func()  // ends a dial that goes on
	abandoned bool    // the guest waits for that dial no more

	backlog int
	queue   []*socket // connections that wait for accept
}

// add makes a socket, or nil when there are too many. The lock is held.
func (s *Stack) add(family int) *socket {
	if !s.admits(1) {
		return nil
	}
	s.held++
	s.live++
	s.nextID++
	return &socket{stack: s, id: s.nextID, family: family}
}

// admits tells whether n more sockets may be made. What is closed and still sends has
// room of its own, so that who closes one can make one at once. The lock is held.
func (s *Stack) admits(n int) bool {
	return !s.closed && s.held+n <= s.config.MaxConns && s.live+n <= 2*s.config.MaxConns
}

// describe gives t a descriptor more. The lock is held.
func (s *Stack) describe(t *socket) uint32 {
	for {
		s.nextFD = max(firstFD, (s.nextFD+1)&0x3fffffff)
		if s.sockets[s.nextFD] == nil {
			s.sockets[s.nextFD] = t
			t.fds++
			return s.nextFD
		}
	}
}

func (s *Stack) open(family int) []byte {
	if family != 4 && family != 6 {
		return failed(errnoAfnosupport)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.add(family)
	if t == nil {
		return failed(errnoMfile)
	}
	return answer(int(s.describe(t)))
}

// pair makes two sockets that are connected to each other.
func (s *Stack) pair() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.admits(2) {
		return failed(errnoMfile)
	}
	a, b := s.add(4), s.add(4)
	a.state, b.state = connected, connected
	a.peer, b.peer = b, a
	return answer(int(s.describe(a)), binary.LittleEndian.AppendUint32(nil, s.describe(b))...)
}

func (s *Stack) dup(t *socket) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sockets) >= 4*s.config.MaxConns {
		return failed(errnoMfile)
	}
	return answer(int(s.describe(t)))
}

func (s *Stack) closeFD(fd uint32) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.sockets[fd]
	if t == nil {
		return failed(errnoBadf)
	}
	delete(s.sockets, fd)
	if t.fds--; t.fds == 0 {
		t.close(linger)
	}
	return answer(0)
}

func (s *Stack) shutdown(t *socket, how int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case how < 0 || how > 2:
		return failed(errnoInval)
	case t.state != connected:
		return failed(errnoNotconn)
	}
	if how != 1 {
		t.noRead, t.received = true, buffer{}
		if t.link != nil {
			t.link.room.Broadcast()
		}
	}
	if how != 0 && !t.noWrite {
		t.noWrite = true
		if t.link != nil {
			t.link.shut()
		} else if t.peer != nil {
			t.peer.ended = true
		}
	}
	s.notify()
	return answer(0)
}

func (s *Stack) takeError(t *socket) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.fault
	if e == 0 && t.received.len() == 0 {
		e, t.broken = t.broken, 0
	}
	t.fault = 0
	return answer(int(e))
}

func (s *Stack) names(t *socket) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	local, remote := t.local, ""
	if !local.IsValid() {
		local = netip.AddrPortFrom(unspecified(t.family), 0)
	}
	if t.state == connected && t.remote.IsValid() {
		remote = name(t.remote)
	}
	return answer(0, []byte(name(local)+"\n"+remote)...)
}

func name(a netip.AddrPort) string { return a.Addr().String() + " " + strconv.Itoa(int(a.Port())) }

func unspecified(family int) netip.Addr {
	if family == 6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func localhost(family int) netip.Addr {
	if family == 6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
