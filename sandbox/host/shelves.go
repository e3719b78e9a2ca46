package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/files"
	"storeroom/sandbox/store/mongo"
)

// lookWithin bounds the time that one store may take to say what it holds.
const lookWithin = 3 * time.Second

// Shelves tells what the sandbox's stores hold now, in the order of the page. A store
// that can't be looked at has a Note instead of items.
func (h *Host) Shelves(ctx context.Context, id string) ([]sandbox.Shelf, error) {
	b, err := h.box(id)
	if err != nil {
		return nil, err
	}
	defer b.hold()()
	looks := []func(context.Context) (sandbox.Shelf, error){b.filesShelf, b.storeShelf("postgres"), b.mongoShelf, b.storeShelf("redis")}
	shelves := make([]sandbox.Shelf, len(looks))
	done := make(chan struct{})
	for i, look := range looks {
		go func() {
			defer func() { done <- struct{}{} }()
			within, cancel := context.WithTimeout(ctx, lookWithin)
			defer cancel()
			s, err := look(within)
			if err != nil && ctx.Err() == nil {
				h.log.Warn("could not look at a store", "sandbox", id, "store", s.Store, "error", err)
				s.Note = "This shelf can't be shown now; its data is where it was."
			}
			if s.Items == nil {
				s.Items = []sandbox.Item{}
			}
			shelves[i] = s
		}()
	}
	for range looks {
		<-done
	}
	return shelves, ctx.Err()
}

func (b *box) filesShelf(ctx context.Context) (sandbox.Shelf, error) {
	return files.Inspect(ctx, b.path("home"))
}

func (b *box) storeShelf(name string) func(context.Context) (sandbox.Shelf, error) {
	return func(ctx context.Context) (sandbox.Shelf, error) {
		if s, ok := b.unchanged(name); ok {
			return s, nil
		}
		began := time.Now()
		s, err := b.stores[name].Inspect(ctx)
		if b.leftBusy(name, s) {
			s, err = b.stores[name].Inspect(ctx)
		}
		s.Store = name
		if err == nil {
			b.saw(name, s, began)
		}
		return s, err
	}
}

// calmer is a store that can be busy with what no run waits for any more, such as a Lua
// script without an end, and would take a core from everybody's runs.
type calmer interface {
	Calm(ctx context.Context) error
}

// leftBusy tells whether the store had something to say instead of its items while
// nothing runs, and was calmed: the time of a run bounds what it has started, too.
func (b *box) leftBusy(name string, s sandbox.Shelf) bool {
	c, ok := b.stores[name].(calmer)
	if !ok || s.Note == "" || !b.stores[name].Running() || b.running() {
		return false
	}
	ctx, cancel := context.WithTimeout(b.h.ctx, lookWithin)
	defer cancel()
	err := c.Calm(ctx)
	b.note("calm a store", err)
	return err == nil
}

func (b *box) running() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.run != nil
}

// mongoShelf asks the worker's MongoDB, when somebody was connected to it since the last
// look, and otherwise answers what was seen then.
func (b *box) mongoShelf(ctx context.Context) (sandbox.Shelf, error) {
	if s, ok := b.unchanged("mongo"); ok {
		return s, nil
	}
	shelf := sandbox.Shelf{Store: "mongo", Title: "MongoDB"}
	b.mu.Lock()
	used, kept := !b.last["mongo"].IsZero(), b.state.Mongo
	b.mu.Unlock()
	p := b.awake()
	if !used || p == nil {
		if kept == nil {
			return shelf, nil
		}
		return shelf, json.Unmarshal(kept, &shelf)
	}
	began := time.Now()
	seen, err := mongo.Inspect(ctx, func(context.Context) (net.Conn, error) { return p.serve("mongo", mongoAddr) })
	if err != nil {
		return shelf, err
	}
	b.saw("mongo", seen, began)
	return seen, b.keepMongo(seen)
}

// keepMongo writes down what MongoDB holds, for the time when it has no process.
func (b *box) keepMongo(shelf sandbox.Shelf) error {
	text, err := json.Marshal(shelf)
	if err != nil {
		return err
	}
	b.mu.Lock()
	same := bytes.Equal(text, b.state.Mongo)
	b.state.Mongo = text
	b.mu.Unlock()
	if !same {
		b.keep()
	}
	return nil
}

// mongoAddr is the address under which a client that names none finds MongoDB.
const mongoAddr = "localhost:27017"

// Dial connects to a store of the sandbox ("postgres", "redis", "mongo") as a client on the
// learner's own machine would. The sandbox stays awake until the connection is closed.
func (h *Host) Dial(ctx context.Context, id, name string) (net.Conn, error) {
	return h.DialAs(ctx, id, name, mongoAddr)
}

// DialAs is Dial for a client that knows the store by another address, which MongoDB
// tells its clients to come back to.
func (h *Host) DialAs(ctx context.Context, id, name, addr string) (net.Conn, error) {
	b, err := h.box(id)
	if err != nil {
		return nil, err
	}
	release := b.hold()
	c, err := b.dialHere(ctx, name, addr)
	if err != nil {
		release()
		return nil, err
	}
	return &visit{Conn: c, release: sync.OnceFunc(func() {
		b.shut(name)
		release()
	})}, nil
}

func (b *box) dialHere(ctx context.Context, name, addr string) (net.Conn, error) {
	if name == "mongo" {
		p, err := b.awaken(ctx)
		if err != nil {
			return nil, err
		}
		b.opened(name)
		return p.serve(name, addr)
	}
	return b.dialFor(name)
}

func (b *box) store(name string) (store.Store, error) {
	s := b.stores[name]
	if s == nil {
		return nil, fmt.Errorf("no store is called %q: there are postgres, mongo and redis", name)
	}
	return s, nil
}

// visit is a connection that keeps a sandbox awake.
type visit struct {
	net.Conn
	release func()
}

func (v *visit) Close() error {
	defer v.release()
	return v.Conn.Close()
}

// CloseWrite passes the half-close on, which a proxy of the connection needs.
func (v *visit) CloseWrite() error {
	if c, ok := v.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// Running tells whether a store of the sandbox has a process now.
func (h *Host) Running(id, name string) bool {
	b, err := h.box(id)
	return err == nil && b.stores[name] != nil && b.stores[name].Running()
}
