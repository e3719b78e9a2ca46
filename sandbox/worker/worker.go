// Package worker is the process of one sandbox: one Python interpreter, the sandbox's
// localhost, and the stores that are ours (MongoDB). sandbox/host starts it, confined,
// with one end of a link as descriptor 3; all that it may reach beyond its folders it
// gets through that link. It runs code that nobody trusts: it never opens a socket and
// never starts a process, and after it has loaded it could not if it wanted to.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"storeroom/sandbox"
	"storeroom/sandbox/confine"
	"storeroom/sandbox/loopback"
	"storeroom/sandbox/python"
	"storeroom/sandbox/python/wasi"
	"storeroom/sandbox/worker/link"
)

// Config is what the host tells a worker at its start.
type Config struct {
	Python python.Config  `json:"python"`
	Home   string         `json:"home"`  // the learner's files
	Tmp    string         `json:"tmp"`   // the guest's /tmp
	Mongo  string         `json:"mongo"` // the data of MongoDB
	Limits sandbox.Limits `json:"limits"`
}

// ConfigVariable is the environment variable that carries the Config as JSON.
const ConfigVariable = "STOREROOM_WORKER"

// linkDescriptor is the first one after standard error.
const linkDescriptor = 3

// Main is the whole life of a worker's process. It answers the exit status.
func Main() int {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "storeroom sandbox:", err)
		return 1
	}
	return 0
}

func serve() error {
	var c Config
	if err := json.Unmarshal([]byte(os.Getenv(ConfigVariable)), &c); err != nil {
		return fmt.Errorf("this command is started by storeroom itself: %w", err)
	}
	l, err := link.FromFile(os.NewFile(linkDescriptor, "link"))
	if err != nil {
		return err
	}
	defer l.Close()
	engine, err := python.Open(c.Python)
	if err != nil {
		return err
	}
	w := &worker{Config: c, link: l, engine: engine}
	w.stores, w.out = newStores(w), newOutput(w.send)
	if w.home, err = os.OpenRoot(c.Home); err != nil {
		return err
	}
	if w.tmp, err = os.OpenRoot(c.Tmp); err != nil {
		return err
	}
	if err := w.renew(); err != nil {
		return err
	}
	// Only now: loading the library and making the interpreter's thread need calls that
	// learners' code must not have.
	if err := confine.Seal(); err != nil {
		return err
	}
	if err := l.Send(link.Message{Type: link.Ready}); err != nil {
		return err
	}
	return w.listen()
}

// worker is the state of the process.
type worker struct {
	Config
	link   *link.Link
	engine *python.Engine
	home   *os.Root
	tmp    *os.Root
	quota  *wasi.Quota // of home and tmp together
	out    *output
	net    *loopback.Stack
	guest  *python.Guest
	stores *stores

	mu  sync.Mutex
	run *run // the one that is going on
}

// listen does what the host says until it closes the link.
func (w *worker) listen() error {
	for {
		m, err := w.link.Receive()
		if err != nil {
			return nil // the host has gone, or wants this process to go
		}
		switch m.Type {
		case link.Run:
			w.begin(m)
		case link.Stop:
			if r := w.current(m.Run); r != nil {
				r.stop(sandbox.Reason(m.Text))
			}
		case link.Input:
			if r := w.current(m.Run); r != nil {
				r.answer(m)
			}
		case link.Conn:
			w.stores.dialled(m)
		case link.Serve:
			w.stores.serve(m)
		default:
			m.Discard()
		}
	}
}

// begin starts a run in a goroutine of its own; the host sends one at a time.
func (w *worker) begin(m link.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run != nil || m.Cell == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.run = &run{w: w, id: m.Run, cell: *m.Cell, lines: make(chan link.Message, 1), cancel: cancel}
	go w.run.execute(ctx)
}

func (w *worker) current(id string) *run {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil || w.run.id != id {
		return nil
	}
	return w.run
}

// send tells the host an event of the run that is going on. What a cell leaves running
// after its end has nobody to tell.
func (w *worker) send(e sandbox.Event) {
	w.mu.Lock()
	r := w.run
	w.mu.Unlock()
	if r != nil {
		e.Run = r.id
		w.link.Send(link.Message{Type: link.Event, Event: &e})
	}
}

// renew gives the learner a new interpreter, with the connections of none.
func (w *worker) renew() error {
	if w.guest != nil {
		w.guest.Close()
		w.net.Close()
	}
	w.net = w.stores.localhost()
	// Counted anew each time: a guest that was ended in the middle of a write may have
	// left the count behind.
	w.quota = &wasi.Quota{Bytes: w.Limits.FileBytes, Files: w.Limits.Files}
	files, err := w.engine.Files(python.FilesConfig{Home: w.home, Tmp: w.tmp, Quota: w.quota, Output: w.out.write})
	if err != nil {
		return err
	}
	w.guest, err = w.engine.Guest(python.GuestConfig{
		Files:  files,
		Memory: w.Limits.Memory,
		Services: map[byte]python.Service{
			python.SocketService: func(frame []byte, wait python.Waiter) []byte { return w.net.Call(frame, wait) },
			python.LineService:   w.line,
		},
	})
	return err
}
