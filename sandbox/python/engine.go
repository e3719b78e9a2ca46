// Package python runs learners' Python: CPython compiled to WebAssembly, in wasmtime.
//
// It owns the engine, the compiled code and the image of a booted interpreter in the
// cache folder, and the guests that are forked from that image. The worker of a
// sandbox calls Open, Engine.Files, Engine.Guest and Guest.Turn; the program calls
// Prepare once per machine. It never opens a network connection, starts a process or
// touches a file outside the folders it is given; what a guest may reach beyond its
// own files are the services that its owner hands in.
//
// Words: an image is the linear memory of an interpreter at rest; a guest is an
// instance whose memory maps the image copy on write; a turn is one snippet run in a
// guest; a service answers the guest's _host.call.
package python

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"storeroom/sandbox/python/wasi"
	"storeroom/sandbox/python/wasmtime"
)

// Config names the files and folders that an Engine runs from. Prepare makes them,
// Cached finds them; a process that may only read them is enough.
type Config struct {
	Library string // wasmtime's shared library
	Code    string // CPython, compiled for this machine
	Image   string // the booted interpreter's memory; Image+".json" describes it

	// Folders that every guest sees, read-only.
	Root       string // "/": empty folders where the others are mounted
	Stdlib     string // "/usr/local/lib"
	Matplotlib string // "/usr/local/lib/python315.zip/matplotlib/mpl-data"
	Site       string // "/site": the client libraries
	Guest      string // "/guest": Storeroom's own Python files
}

// Engine is a loaded interpreter that guests are forked from. It is for any number of
// goroutines.
type Engine struct {
	library  *wasmtime.Library
	engine   *wasmtime.Engine
	template *wasmtime.Template
	image    *image
	roots    []*os.Root // of the read-only mounts, in order

	mu     sync.RWMutex // held for reading while C's engine is used by timers
	closed bool
}

// stack is what WebAssembly code may use of its thread's stack, in bytes. The rest of
// wasmtime.ThreadStack is for the host functions that it calls.
const stack = 32 << 20

// exports are what the host uses of the interpreter.
const (
	exportMemory     = "memory"
	exportInitialize = "_initialize"
	exportAlloc      = "host_alloc"
	exportTurn       = "turn"
)

// Open loads the library, the code and the image: about 10 ms, once a process. The
// error wraps fs.ErrNotExist when something is not prepared yet.
func Open(c Config) (*Engine, error) {
	e, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("open python: %w", err)
	}
	if e.image, err = openImage(c.Image); err != nil {
		return nil, errors.Join(fmt.Errorf("open python: %w", err), e.Close())
	}
	return e, nil
}

// open is Open without an image, as booting one needs it.
func open(c Config) (*Engine, error) {
	library, err := wasmtime.Open(c.Library)
	if err != nil {
		return nil, err
	}
	engine, err := library.NewEngine(engineConfig())
	if err != nil {
		return nil, err
	}
	e := &Engine{library: library, engine: engine}
	if err := e.load(c); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) load(c Config) error {
	module, err := e.engine.Load(c.Code)
	if err != nil {
		return err
	}
	defer module.Close()
	linker := e.engine.NewLinker()
	defer linker.Close()
	if err := defineImports(linker); err != nil {
		return err
	}
	if e.template, err = linker.Template(module, exportMemory, exportInitialize, exportAlloc, exportTurn); err != nil {
		return err
	}
	e.roots, err = openRoots(c)
	return err
}

// Close frees the engine. Its guests must be closed before.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	errs := []error{e.image.close()}
	for _, r := range e.roots {
		errs = append(errs, r.Close())
	}
	if e.template != nil {
		e.template.Close()
	}
	e.engine.Close()
	return errors.Join(errs...)
}

// tick makes every running guest look at its clock. Timers call it, so it may come
// after Close.
func (e *Engine) tick() {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if !e.closed {
		e.engine.IncrementEpoch()
	}
}

// Service answers one _host.call of the guest's. frame is what follows the byte that
// chose the service; it is guest memory, good until the service returns. A service
// waits with w.Wait and nothing else, and returns at once when that is interrupted.
// It runs on the guest's thread.
type Service func(frame []byte, w Waiter) []byte

// Waiter lets a service wait so that Stop and deadlines end the wait.
type Waiter interface {
	// Wait blocks for d (less than 0: without end) or until ready is closed or gives a
	// value. interrupted: the turn is being stopped, or the learner's code has just
	// got a KeyboardInterrupt.
	Wait(d time.Duration, ready <-chan struct{}) (isReady, interrupted bool)
}

// The bytes that choose a service. LineService pauses the turn's clock (see Turn).
// 't', 'e', 'm', 'i' and 'k' are the interpreter's own; all others are free.
const (
	LineService   byte = 'l' // a line for input(): answers 1 and the line, 1 alone at the end of input, 0 when interrupted
	SocketService byte = 's' // sandbox/loopback
)

// GuestConfig says what one guest has.
type GuestConfig struct {
	Files    *wasi.FS         // from Engine.Files; closed with the guest
	Services map[byte]Service //
	Memory   int64            // bytes of linear memory, the image's included; 0: DefaultMemory
}

// DefaultMemory is GuestConfig.Memory when it is 0.
const DefaultMemory = 256 << 20
