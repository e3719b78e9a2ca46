package loopback

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Pipe makes two ends of a connection in memory. Unlike net.Pipe's they hold what was
// written and not read yet, up to a bound, and know half-close (CloseWrite), as a
// socket does. It is for the stores that run in the worker itself.
func Pipe() (net.Conn, net.Conn) {
	a, b := newHalf(), newHalf()
	return &pipe{in: a, out: b}, &pipe{in: b, out: a}
}

const pipeBuffer = 64 << 10 // bytes held of one direction

// half is one direction of a pipe.
type half struct {
	mu    sync.Mutex
	moved sync.Cond // anything below changed
	held  buffer
	ended bool // nothing more will be written
	gone  bool // nobody will read
	read  deadline
	write deadline
}

func newHalf() *half {
	h := &half{}
	h.moved.L = &h.mu
	return h
}

// deadline is a time from which on waiting is over. Its half's lock guards it.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (h *half) set(d *deadline, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if left := time.Until(at); !at.IsZero() && left > 0 {
		d.timer = time.AfterFunc(left, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.moved.Broadcast()
		})
	}
	h.moved.Broadcast()
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

type pipe struct {
	in, out *half
	close   sync.Once
}

func (p *pipe) Read(b []byte) (int, error) {
	h := p.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.read.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case h.held.len() > 0:
			n := copy(b, h.held.peek(len(b)))
			h.held.drop(n)
			h.moved.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.moved.Wait()
	}
}

func (p *pipe) Write(b []byte) (int, error) {
	h := p.out
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for {
		k, err := h.put(b[n:])
		if n += k; err != nil || n == len(b) {
			return n, err
		}
		h.moved.Wait()
	}
}

// writeNow writes what there is room for.
func (p *pipe) writeNow(b []byte) (int, error) {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return p.out.put(b)
}

// put takes what there is room for. The lock is held.
func (h *half) put(b []byte) (int, error) {
	switch {
	case h.ended:
		return 0, net.ErrClosed
	case h.gone:
		return 0, syscall.EPIPE
	case h.write.passed():
		return 0, os.ErrDeadlineExceeded
	}
	n := min(len(b), pipeBuffer-h.held.len())
	if n > 0 {
		h.held.add(b[:n])
		h.moved.Broadcast()
	}
	return n, nil
}

// CloseWrite tells the other end that nothing more will come.
func (p *pipe) CloseWrite() error {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	p.out.ended = true
	p.out.moved.Broadcast()
	return nil
}

func (p *pipe) Close() error {
	p.close.Do(func() {
		p.CloseWrite()
		p.SetDeadline(time.Time{})
		p.in.mu.Lock()
		defer p.in.mu.Unlock()
		p.in.gone, p.in.held = true, buffer{}
		p.in.moved.Broadcast()
	})
	return nil
}

func (p *pipe) LocalAddr() net.Addr  { return memoryAddr{} }
func (p *pipe) RemoteAddr() net.Addr { return memoryAddr{} }

func (p *pipe) SetDeadline(t time.Time) error {
	p.SetReadDeadline(t)
	return p.SetWriteDeadline(t)
}

func (p *pipe) SetReadDeadline(t time.Time) error {
	p.in.set(&p.in.read, t)
	return nil
}

func (p *pipe) SetWriteDeadline(t time.Time) error {
	p.out.set(&p.out.write, t)
	return nil
}

// memoryAddr is the address of a pipe's ends.
type memoryAddr struct{}

func (memoryAddr) Network() string { return "pipe" }
func (memoryAddr) String() string  { return "pipe" }
