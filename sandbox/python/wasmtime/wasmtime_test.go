package wasmtime_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"storeroom/sandbox/parts"
	"storeroom/sandbox/python/wasmtime"
)

// module is, in WebAssembly's binary form:
//
//	(module
//	  (import "host" "f" (func $f (param i32) (result i32)))
//	  (memory (export "memory") 1)
//	  (func (export "call") (param i32) (result i32) (call $f (local.get 0)))
//	  (func (export "trap") (result i32) unreachable)
//	  (func $deep (export "deep") (result i32) (call $deep) (drop) (call $deep))
//	  (func (export "loop") (result i32) (loop (br 0)) (unreachable))
//	  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))
const module = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0a\x02\x60\x01\x7f\x01\x7f\x60\x00\x01\x7f" +
	"\x02\x0a\x01\x04host\x01f\x00\x00" +
	"\x03\x06\x05\x00\x01\x01\x01\x00" +
	"\x05\x03\x01\x00\x01" +
	"\x07\x2d\x06\x06memory\x02\x00\x04call\x00\x01\x04trap\x00\x02\x04deep\x00\x03\x04loop\x00\x04\x04peek\x00\x05" +
	"\x0a\x25\x05" +
	"\x06\x00\x20\x00\x10\x00\x0b" +
	"\x03\x00\x00\x0b" +
	"\x07\x00\x10\x03\x1a\x10\x03\x0b" +
	"\x08\x00\x03\x40\x0c\x00\x0b\x00\x0b" +
	"\x07\x00\x20\x00\x28\x02\x00\x0b"

// world is an engine with the module above, whose import is the test's.
type world struct {
	library  *wasmtime.Library
	engine   *wasmtime.Engine
	template *wasmtime.Template
}

func newWorld(t *testing.T, f wasmtime.HostFunc) world {
	t.Helper()
	l, err := wasmtime.Open(parts.ForTest(t).Wasmtime)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.NewEngine(wasmtime.EngineConfig{Stack: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Compile([]byte(module))
	if err != nil {
		t.Fatal(err)
	}
	k := e.NewLinker()
	if err := k.Define("host", "f", "i", "i", f); err != nil {
		t.Fatal(err)
	}
	tm, err := k.Template(m, "memory", "call", "trap", "deep", "loop", "peek")
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	m.Close()
	t.Cleanup(func() { tm.Close(); e.Close() })
	return world{l, e, tm}
}

// call calls an export in a store of its own.
func (w world) call(c wasmtime.StoreConfig, name string, args ...uint32) (r uint32, err error) {
	if c.Memory == 0 {
		c.Memory = 1 << 20
	}
	s := w.engine.NewStore(c)
	defer s.Close()
	i, err := w.template.Instantiate(s)
	if err != nil {
		return 0, err
	}
	defer i.Close()
	f, err := i.Func(name)
	if err != nil {
		return 0, err
	}
	return r, errors.Join(w.library.Run(func() { r, err = f.Call(args...) }), err)
}

func TestHostFunctions(t *testing.T) {
	refuse := errors.New("refused")
	w := newWorld(t, func(s *wasmtime.Store, a []uint64) (uint32, error) {
		switch a[0] {
		case 1:
			return 0, refuse
		case 2:
			panic("boo")
		}
		return uint32(a[0]) + s.Data.(uint32), nil
	})
	c := wasmtime.StoreConfig{Data: uint32(5)}
	if r, err := w.call(c, "call", 0xfffffff0); r != 0xfffffff5 || err != nil {
		t.Errorf("%x, %v", r, err)
	}
	if _, err := w.call(c, "call", 1); !errors.Is(err, refuse) {
		t.Errorf("an error of the host's came out as %v", err)
	}
	if _, err := w.call(c, "call", 2); err == nil || !strings.Contains(err.Error(), "boo") {
		t.Errorf("a panic of the host's came out as %v", err)
	}
	if _, err := w.call(c, "nothing"); err == nil {
		t.Error("an export that is not there was found")
	}
}

func TestTraps(t *testing.T) {
	w := newWorld(t, nil)
	for name, want := range map[string]wasmtime.TrapCode{"trap": wasmtime.TrapUnreachable, "deep": wasmtime.TrapStackOverflow} {
		_, err := w.call(wasmtime.StoreConfig{}, name)
		var trap *wasmtime.Trap
		if !errors.As(err, &trap) || trap.Code != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.call(wasmtime.StoreConfig{}, "peek", 1<<16)
	var trap *wasmtime.Trap
	if !errors.As(err, &trap) || trap.Code != wasmtime.TrapOutOfBounds {
		t.Errorf("peek beyond the memory: %v", err)
	}
}

func TestEpochsEndLoops(t *testing.T) {
	w := newWorld(t, nil)
	stop := errors.New("stop")
	rounds := 0
	c := wasmtime.StoreConfig{Epoch: func() error {
		if rounds++; rounds < 3 {
			return nil
		}
		return stop
	}}
	done := make(chan struct{})
	var ticker sync.WaitGroup
	ticker.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				w.engine.IncrementEpoch()
			}
		}
	})
	_, err := w.call(c, "loop")
	close(done)
	ticker.Wait() // the engine must outlive it
	if !errors.Is(err, stop) || rounds != 3 {
		t.Errorf("%v after %d rounds", err, rounds)
	}
}

func TestMemoryBoundsAndLimit(t *testing.T) {
	w := newWorld(t, nil)
	s := w.engine.NewStore(wasmtime.StoreConfig{Memory: 2 * wasmtime.PageSize})
	defer s.Close()
	i, err := w.template.Instantiate(s)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	m, err := i.Memory("memory")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p, n uint32
		ok   bool
	}{{0, 0, true}, {0, wasmtime.PageSize, true}, {wasmtime.PageSize - 1, 1, true}, {wasmtime.PageSize, 1, false}, {wasmtime.PageSize - 1, 2, false}, {1<<32 - 1, 1<<32 - 1, false}} {
		if b := m.Bytes(c.p, c.n); (b != nil) != c.ok || c.ok && len(b) != int(c.n) {
			t.Errorf("Bytes(%d, %d) has %d bytes", c.p, c.n, len(b))
		}
	}
	if err := m.Grow(2 * wasmtime.PageSize); err != nil || m.Size() != 2*wasmtime.PageSize {
		t.Errorf("grow to the limit: %v", err)
	}
	if err := m.Grow(2*wasmtime.PageSize + 1); err == nil {
		t.Error("grew over the limit")
	}
	if err := m.MapPrivate(0, 3*wasmtime.PageSize); err == nil {
		t.Error("mapped more than the memory")
	}
}

func TestManyGuestsAtOnce(t *testing.T) {
	w := newWorld(t, func(s *wasmtime.Store, a []uint64) (uint32, error) { return uint32(a[0]) * s.Data.(uint32), nil })
	var all sync.WaitGroup
	for n := range uint32(8) {
		all.Go(func() {
			for range 50 {
				if r, err := w.call(wasmtime.StoreConfig{Data: n}, "call", 7); r != 7*n || err != nil {
					t.Errorf("%d, %v", r, err)
				}
				if _, err := w.call(wasmtime.StoreConfig{}, "trap"); err == nil {
					t.Error("no trap")
				}
			}
		})
	}
	all.Wait()
}
