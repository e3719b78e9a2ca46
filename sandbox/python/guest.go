package python

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"storeroom/sandbox/python/wasi"
	"storeroom/sandbox/python/wasmtime"
)

// Guest is one learner's interpreter. Turn and Close are for one goroutine at a time,
// Stop for any.
type Guest struct {
	engine   *Engine
	files    *wasi.FS
	services map[byte]Service
	limit    int64 // bytes of memory

	store    *wasmtime.Store
	instance *wasmtime.Instance
	memory   *wasmtime.Memory
	alloc    wasmtime.Func
	turn     wasmtime.Func
	words    []word // that interrupt Python; none while an image boots

	busy    atomic.Bool
	dead    bool
	clock   *clock                // of this turn, or of the last; the guest's thread's
	ticking atomic.Pointer[clock] // of this turn; nil between turns
	current *turnState

	turns   chan struct{} // lets a guest that waits go on with the current turn
	pauses  chan pause    // says that it waits, or has returned
	waiting bool          // for the next turn, inside Python
	taken   bool          // the current turn was fetched; the guest's thread's

	marks []func() // what _host.call(b'm') does, for finding the words

	immortals *immortals // while the image is made; nil in forks

	closing sync.Once
}

// Guest forks a new interpreter from the image, in about 0.1 ms, and gives it its own
// randomness, in about 2 ms.
func (e *Engine) Guest(c GuestConfig) (*Guest, error) {
	g, err := e.instantiate(c)
	if err != nil {
		return nil, fmt.Errorf("start a guest: %w", err)
	}
	g.words = e.image.Words
	if err := g.adopt(e.image); err == nil {
		err = g.reseed()
	}
	if err != nil {
		g.Close()
		return nil, fmt.Errorf("start a guest: %w", err)
	}
	return g, nil
}

// instantiate makes a guest whose memory is as the module has it: not booted.
func (e *Engine) instantiate(c GuestConfig) (*Guest, error) {
	if c.Memory == 0 {
		c.Memory = DefaultMemory
	}
	g := &Guest{engine: e, files: c.Files, services: c.Services, limit: c.Memory,
		turns: make(chan struct{}), pauses: make(chan pause, 1)}
	g.clock = newClock(g, Turn{})
	g.store = e.engine.NewStore(wasmtime.StoreConfig{Memory: c.Memory, Data: g, Epoch: g.due})
	err := g.bind(e.template)
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func (g *Guest) bind(t *wasmtime.Template) (err error) {
	if g.instance, err = t.Instantiate(g.store); err != nil {
		return err
	}
	if g.memory, err = g.instance.Memory(exportMemory); err != nil {
		return err
	}
	if g.alloc, err = g.instance.Func(exportAlloc); err != nil {
		return err
	}
	g.turn, err = g.instance.Func(exportTurn)
	return err
}

// adopt lays the image over the guest's memory. It covers all that instantiation put
// there, and memory is all the state: the module's one global is at rest as at first.
func (g *Guest) adopt(i *image) error {
	if err := g.memory.Grow(i.Size); err != nil {
		return err
	}
	return g.memory.MapPrivate(int(i.file.Fd()), i.Size)
}

// reseed gives the fork randomness that no other fork has.
func (g *Guest) reseed() error {
	if err := g.bootTurn(reseed); err != nil {
		return fmt.Errorf("reseed: %w", err)
	}
	return nil
}

// Alive tells whether the guest can run another turn.
func (g *Guest) Alive() bool { return !g.dead }

// Memory is how many bytes of linear memory the guest has now, the image's included.
// It never shrinks.
func (g *Guest) Memory() int64 { return g.memory.Size() }

// Close frees the guest and its Files. No turn may be running.
func (g *Guest) Close() error {
	var err error
	g.closing.Do(func() {
		g.dead = true
		if g.waiting {
			close(g.turns)
			<-g.pauses
		}
		if g.instance != nil {
			g.instance.Close()
		}
		g.store.Close()
		if g.files != nil {
			err = g.files.Close()
		}
	})
	return err
}

// call runs f on a thread of the guest's own. A panic in it is a fault of Storeroom's
// and becomes an error; the guest is not to be used after it.
func (g *Guest) call(f func() error) (err error) {
	runErr := g.engine.library.Run(func() {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic in a guest's thread: %v", r)
			}
		}()
		err = f()
	})
	return errors.Join(runErr, err)
}

// errNoRoom: the guest could not allocate memory. It is alive.
var errNoRoom = errors.New("the guest has no memory left")

// put copies text into memory that the guest allocates and comes to own.
func (g *Guest) put(text []byte) (uint32, error) {
	p, err := g.alloc.Call(uint32(len(text)))
	if err != nil {
		return 0, err
	}
	b := g.memory.Bytes(p, uint32(len(text)))
	if b == nil || p == 0 {
		return 0, errNoRoom
	}
	copy(b, text)
	return p, nil
}
