package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/worker/link"
)

// startTime bounds how long a worker may take until it is ready.
const startTime = 30 * time.Second

// errDied is what waits on a worker that is gone.
var errDied = errors.New("the sandbox's process ended")

// process is one running worker.
type process struct {
	link  *link.Link
	cmd   *exec.Cmd
	ready chan struct{}
	gone  chan struct{} // closed when it has ended and was waited for

	events func(sandbox.Event)
	dial   func(store string) (*net.UnixConn, error)
	used   func(store string)
	shut   func(store string)

	once sync.Once

	mu   sync.Mutex
	open map[string]int // connections that it was given and has not closed; nil when it is gone
}

// count adds n to the worker's connections to a store. It answers false when the worker
// is gone, or claims to have closed more than it had.
func (p *process) count(store string, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil || p.open[store]+n < 0 {
		return false
	}
	p.open[store] += n
	return true
}

// forget closes the books: a process that is gone has no connections.
func (p *process) forget() {
	p.mu.Lock()
	open := p.open
	p.open = nil
	p.mu.Unlock()
	for store, n := range open {
		for range n {
			p.shut(store)
		}
	}
}

// follow takes the worker's messages until it ends. The worker is not trusted: it is
// told nothing but what its own learner may know, and asks for its own stores alone.
func (p *process) follow() {
	defer close(p.gone)
	defer p.forget()
	defer p.cmd.Wait()
	defer p.kill()
	for {
		m, err := p.link.Receive()
		if err != nil {
			return
		}
		m.Discard()
		switch m.Type {
		case link.Ready:
			p.once.Do(func() { close(p.ready) })
		case link.Event:
			if m.Event != nil {
				p.events(*m.Event)
			}
		case link.Dial:
			go p.connect(m)
		case link.Used:
			if p.count(m.Store, 1) {
				p.used(m.Store)
			}
		case link.Shut:
			if p.count(m.Store, -1) {
				p.shut(m.Store)
			}
		}
	}
}

// connect answers the worker's wish for a connection to one of its stores.
func (p *process) connect(m link.Message) {
	answer := link.Message{Type: link.Conn, ID: m.ID, Store: m.Store}
	c, err := p.dial(m.Store)
	if err != nil {
		answer.Text = err.Error()
		p.link.Send(answer)
		return
	}
	defer c.Close()
	if !p.count(m.Store, 1) {
		p.shut(m.Store)
		return
	}
	p.link.SendConn(answer, c)
}

func (p *process) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// kill ends the worker at once; its process group has no other member.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.link.Close()
}

// end kills the worker and waits until it is gone.
func (p *process) end() {
	p.kill()
	<-p.gone
}

// serve hands the worker a client of a store that it holds itself and answers the
// client's end. addr is the address that the client dialled.
func (p *process) serve(store, addr string) (net.Conn, error) {
	ours, theirs, err := link.SocketPair()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	if err := p.link.Send(link.Message{Type: link.Serve, Store: store, Text: addr}, theirs); err != nil {
		return nil, err
	}
	return net.FileConn(ours)
}

// start runs the worker's command with its end of a link as descriptor 3, and closes that
// end here: while anybody else holds it, the link does not tell that the worker is gone.
func start(ctx context.Context, l *link.Link, theirs *os.File, cmd *exec.Cmd, p *process) error {
	l.Patience = overtime
	p.link, p.cmd = l, cmd
	p.ready, p.gone, p.open = make(chan struct{}), make(chan struct{}), map[string]int{}
	err := cmd.Start()
	theirs.Close()
	if err != nil {
		l.Close()
		close(p.gone)
		return fmt.Errorf("start a sandbox: %w", err)
	}
	go p.follow()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	select {
	case <-p.ready:
		return nil
	case <-p.gone:
		return fmt.Errorf("start a sandbox: %w (%s)", errDied, cmd.ProcessState)
	case <-ctx.Done():
		p.end()
		return fmt.Errorf("start a sandbox: %w", ctx.Err())
	}
}
