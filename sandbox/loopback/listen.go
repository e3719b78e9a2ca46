package loopback

import (
	"net/netip"
	"time"
)

const maxBacklog = 128

// parse reads a numeric address of a socket's family.
func (t *socket) parse(text string) (netip.Addr, errno) {
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return a, errnoInval
	case a.Is4() != (t.family == 4):
		return a, errnoInval
	}
	return a.WithZone(""), 0
}

// here tells whether an address is this sandbox's own.
func here(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsUnspecified()
}

func (s *Stack) bind(t *socket, port int, text string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, e := t.parse(text)
	switch {
	case e != 0:
		return failed(e)
	case port < 0 || port > 65535 || t.state != idle || t.owns.port != 0:
		return failed(errnoInval)
	case !here(a):
		return failed(errnoAddrnotavail)
	}
	if e := s.take(t, port, a); e != 0 {
		return failed(e)
	}
	return answer(0)
}

// take gives t a port of its own, any free one for 0. The lock is held.
func (s *Stack) take(t *socket, port int, a netip.Addr) errno {
	if port == 0 {
		port = s.ephemeral(t.family)
	}
	b := binding{port, t.family}
	if s.config.Ports[port] != nil || s.bound[b] != nil || port == 0 {
		return errnoAddrinuse
	}
	s.bound[b] = t
	t.owns = b
	t.local = netip.AddrPortFrom(a, uint16(port))
	return 0
}

// ephemeral is a port that nobody has, in either family; 0 when there is none.
func (s *Stack) ephemeral(family int) int {
	for range lastEphemeral - firstEphemeral + 1 {
		port := s.next
		if s.next++; s.next > lastEphemeral {
			s.next = firstEphemeral
		}
		if s.config.Ports[port] == nil && s.bound[binding{port, 4}] == nil && s.bound[binding{port, 6}] == nil {
			return port
		}
	}
	return 0
}

func (s *Stack) listen(t *socket, backlog int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.state != idle && t.state != listening {
		return failed(errnoInval)
	}
	if t.owns.port == 0 {
		if e := s.take(t, 0, unspecified(t.family)); e != 0 {
			return failed(e)
		}
	}
	t.state, t.backlog = listening, min(max(1, backlog), maxBacklog)
	return answer(0)
}

// listener is who takes connections to a, nil when nobody does. One on all of IPv6's
// addresses takes IPv4's too, as is usual. The lock is held.
func (s *Stack) listener(a netip.Addr, port int) *socket {
	for _, family := range []int{4, 6} {
		t := s.bound[binding{port, family}]
		if t == nil || t.state != listening {
			continue
		}
		if a.Unmap().Is4() == (family == 4) || family == 6 && t.local.Addr().IsUnspecified() {
			return t
		}
	}
	return nil
}

// reach connects t to a listener in the guest. The lock is held.
func (s *Stack) reach(t, to *socket, a netip.Addr) errno {
	if len(to.queue) >= to.backlog {
		return errnoConnrefused
	}
	other := s.add(t.family)
	if other == nil {
		return errnoMfile
	}
	s.establish(t, a, int(to.local.Port()))
	other.state, other.local, other.remote = connected, t.remote, t.local
	other.peer, t.peer = t, other
	to.queue = append(to.queue, other)
	s.notify()
	return 0
}

// establish says that t is connected, and from which port. The lock is held.
func (s *Stack) establish(t *socket, a netip.Addr, port int) {
	if a.IsUnspecified() {
		a = localhost(t.family)
	}
	t.state = connected
	t.remote = netip.AddrPortFrom(a, uint16(port))
	from := int(t.local.Port())
	if from == 0 {
		from = s.ephemeral(t.family)
	}
	t.local = netip.AddrPortFrom(localhost(t.family), uint16(from))
}

func (s *Stack) accept(t *socket, w Waiter, timeout time.Duration) []byte {
	if e := s.wait(w, timeout, func() bool { return len(t.queue) > 0 || t.state != listening }); e != 0 {
		return failed(e)
	}
	defer s.mu.Unlock()
	if t.state != listening {
		return failed(errnoInval)
	}
	other := t.queue[0]
	t.queue = t.queue[1:]
	return answer(int(s.describe(other)), []byte(name(other.remote))...)
}
