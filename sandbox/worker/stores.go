package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"storeroom/sandbox/loopback"
	"storeroom/sandbox/store/mongo"
	"storeroom/sandbox/worker/link"
)

// The ports at which the sandbox's localhost has a store: the ones that each store's own
// documentation names.
const (
	postgresPort = 5432
	mongoPort    = 27017
	redisPort    = 6379
)

// stores is the way to the learner's stores: through the host for those that are
// processes of their own, directly for the one that lives here.
type stores struct {
	w *worker

	mu      sync.Mutex
	next    int64
	pending map[int64]chan link.Message

	opening sync.Mutex
	mongo   *mongo.Store
}

func newStores(w *worker) *stores { return &stores{w: w, pending: map[int64]chan link.Message{}} }

// localhost is a new loopback: no connections, every store at its port.
func (s *stores) localhost() *loopback.Stack {
	return loopback.New(loopback.Config{MaxConns: s.w.Limits.Conns, Ports: map[int]loopback.Dial{
		postgresPort: s.viaHost("postgres"),
		redisPort:    s.viaHost("redis"),
		mongoPort:    s.dialMongo,
	}})
}

// viaHost asks the host for a connection to a store that it runs.
func (s *stores) viaHost(name string) loopback.Dial {
	return func(ctx context.Context, _ string) (net.Conn, error) {
		answer := make(chan link.Message, 1)
		s.mu.Lock()
		s.next++
		id := s.next
		s.pending[id] = answer
		s.mu.Unlock()
		if err := s.w.link.Send(link.Message{Type: link.Dial, ID: id, Store: name}); err != nil {
			return nil, err
		}
		select {
		case m := <-answer:
			return s.accept(m)
		case <-ctx.Done():
			s.forget(id)
			return nil, ctx.Err()
		}
	}
}

func (s *stores) accept(m link.Message) (net.Conn, error) {
	if len(m.Conns) != 1 {
		m.Discard()
		return nil, errors.New(m.Text)
	}
	defer m.Discard()
	c, err := net.FileConn(m.Conns[0])
	if err != nil {
		s.w.link.Send(link.Message{Type: link.Shut, Store: m.Store})
		return nil, err
	}
	return &counted{Conn: c, closed: s.closing(m.Store)}, nil
}

// forget gives up waiting; a connection that comes all the same is closed.
func (s *stores) forget(id int64) {
	s.mu.Lock()
	answer := s.pending[id]
	delete(s.pending, id)
	s.mu.Unlock()
	select {
	case m := <-answer:
		if c, err := s.accept(m); err == nil {
			c.Close()
		}
	default:
	}
}

// dialled passes the host's answer to who asked.
func (s *stores) dialled(m link.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.pending[m.ID]
	delete(s.pending, m.ID)
	if answer != nil {
		answer <- m
		return
	}
	if c, err := s.accept(m); err == nil {
		c.Close()
	}
}

// counted tells the host when the learner's code has no use for a connection any more:
// an idle store can rest, and its shelf stays as it is.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

// CloseWrite passes the half-close on.
func (c *counted) CloseWrite() error { return c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// dialMongo connects the learner's code to the store in this process.
func (s *stores) dialMongo(ctx context.Context, addr string) (net.Conn, error) {
	m, err := s.openMongo()
	if err != nil {
		return nil, err
	}
	c, err := m.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.w.link.Send(link.Message{Type: link.Used, Store: "mongo"})
	return &counted{Conn: c, closed: s.closing("mongo")}, nil
}

// closing tells the host, once, that a connection to a store is closed.
func (s *stores) closing(name string) func() {
	return sync.OnceFunc(func() { s.w.link.Send(link.Message{Type: link.Shut, Store: name}) })
}

// openMongo opens the data at the first use: who never uses it pays nothing.
func (s *stores) openMongo() (*mongo.Store, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.mongo != nil {
		return s.mongo, nil
	}
	m, err := mongo.Open(s.w.Mongo, s.w.Limits)
	if err != nil {
		fmt.Fprintln(os.Stderr, "storeroom sandbox: open mongo:", err)
		return nil, err
	}
	s.mongo = m
	return m, nil
}

func (s *stores) endAbandoned() {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.mongo != nil {
		s.mongo.EndBusy()
	}
}

// serve connects a client that the host brings.
func (s *stores) serve(m link.Message) {
	defer m.Discard()
	if m.Store != "mongo" || len(m.Conns) != 1 {
		return
	}
	c, err := net.FileConn(m.Conns[0])
	if err != nil {
		return
	}
	store, err := s.openMongo()
	if err != nil {
		c.Close()
		return
	}
	go store.ServeConn(c, m.Text)
}
