package wasmtime

import (
	"fmt"
	"runtime/debug"

	"github.com/ebitengine/purego"
)

// StoreConfig says what one guest may use and who it is.
type StoreConfig struct {
	Memory int64        // bytes of linear memory
	Data   any          // the owner's; a HostFunc finds it as Store.Data
	Epoch  func() error // called on the guest's thread after an epoch; an error ends the guest
}

// Store is one guest's world. Only one goroutine at a time may use it, on a thread
// that Library.Run gives.
type Store struct {
	Data   any
	l      *Library
	ptr    uintptr
	ctx    uintptr
	epoch  func() error
	failed error // why a callback ended the guest
}

// NewStore makes a store.
func (e *Engine) NewStore(c StoreConfig) *Store {
	l := e.l
	s := &Store{Data: c.Data, l: l, epoch: c.Epoch}
	s.ptr = l.c("wasmtime_store_new", e.ptr, 0, 0)
	s.ctx = l.c("wasmtime_store_context", s.ptr)
	const unlimited = ^uintptr(0)
	l.c("wasmtime_store_limiter", s.ptr, uintptr(c.Memory), unlimited, unlimited, unlimited, unlimited)
	l.c("wasmtime_store_epoch_deadline_callback", s.ptr, l.epochCallback, 0, 0)
	l.c("wasmtime_context_set_epoch_deadline", s.ctx, 1)
	l.stores.Store(s.ctx, s)
	return s
}

// Close frees the store and all that lives in it, the memory's mapping included.
func (s *Store) Close() {
	s.l.stores.Delete(s.ctx)
	s.l.c("wasmtime_store_delete", s.ptr)
}

// onEpoch is the epoch callback of every store: at the first function entry or loop
// head after a tick.
func (l *Library) onEpoch(ctx, _, delta, kind uintptr) (err uintptr) {
	v, _ := l.stores.Load(ctx)
	s := v.(*Store)
	defer func() {
		if r := recover(); r != nil {
			s.failed = fmt.Errorf("panic at an epoch: %v\n%s", r, debug.Stack())
			err = l.newError("panic at an epoch")
		}
	}()
	*at[uint64](delta) = 1 // ask again at the next tick
	*at[byte](kind) = 0    // WASMTIME_UPDATE_DEADLINE_CONTINUE
	if e := s.epoch(); e != nil {
		s.failed = e
		return l.newError("ended at an epoch")
	}
	return 0
}

func (l *Library) newError(text string) uintptr {
	m := l.cBytes(text)
	defer l.free(m)
	return l.c("wasmtime_error_new", m)
}

// Template is a module with its imports settled: instances of it cost microseconds.
type Template struct {
	l     *Library
	ptr   uintptr
	names map[string]uintptr // export names in C memory
}

// Template settles m's imports. exports are the names that Instance.Func and
// Instance.Memory will be asked for.
func (k *Linker) Template(m *Module, exports ...string) (*Template, error) {
	r := k.l.calloc(word)
	defer k.l.free(r)
	if err := k.l.takeError(k.l.c("wasmtime_linker_instantiate_pre", k.ptr, m.ptr, r)); err != nil {
		return nil, fmt.Errorf("settle imports: %w", err)
	}
	t := &Template{l: k.l, ptr: *at[uintptr](r), names: make(map[string]uintptr, len(exports))}
	for _, name := range exports {
		t.names[name] = k.l.cBytes(name)
	}
	return t, nil
}

// Close frees the template; instances made of it live on.
func (t *Template) Close() {
	t.l.c("wasmtime_instance_pre_delete", t.ptr)
	for _, p := range t.names {
		t.l.free(p)
	}
	t.names = nil
}

// Sizes and places in an instance's block of C memory: an extern for each export, the
// arguments of calls at two depths (a host function may call back), a trap pointer.
const (
	externSize = 32 // at least sizeof(wasmtime_extern_t)
	externItem = 8  // where the union in it begins
	maxExports = 8
	argsSize   = 64

	blockArgs = maxExports * externSize
	blockTrap = blockArgs + 2*argsSize
	blockInst = blockTrap + word
	blockTemp = blockInst + 2*word
	blockSize = blockTemp + word
)

// Instance is a module in a store.
type Instance struct {
	s     *Store
	t     *Template
	block uintptr
	taken int // externs used
	depth uintptr
}

// Instantiate makes an instance in s.
func (t *Template) Instantiate(s *Store) (*Instance, error) {
	i := &Instance{s: s, t: t, block: t.l.calloc(blockSize)}
	err := t.l.takeError(t.l.c("wasmtime_instance_pre_instantiate", t.ptr, s.ctx, i.block+blockInst, i.block+blockTrap))
	if err == nil {
		err = i.trapped()
	}
	if err != nil {
		i.Close()
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	return i, nil
}

// Close frees what the instance holds in C. Its store is closed by itself.
func (i *Instance) Close() { i.t.l.free(i.block) }

// trapped takes the trap that a call left, if any.
func (i *Instance) trapped() error {
	p := at[uintptr](i.block + blockTrap)
	if *p == 0 {
		return nil
	}
	t := *p
	*p = 0
	return i.t.l.takeTrap(t)
}

func (i *Instance) export(name string) (uintptr, error) {
	n, ok := i.t.names[name]
	if !ok || i.taken == maxExports {
		return 0, fmt.Errorf("export %q was not asked for in Template", name)
	}
	x := i.block + uintptr(i.taken)*externSize
	if i.t.l.c("wasmtime_instance_export_get", i.s.ctx, i.block+blockInst, n, uintptr(len(name)), x)&0xff == 0 {
		return 0, fmt.Errorf("the module exports no %q", name)
	}
	i.taken++
	return x + externItem, nil
}

// Func is an exported function of i32 parameters with one i32 result or none.
type Func struct {
	i    *Instance
	item uintptr
}

// Func finds an exported function.
func (i *Instance) Func(name string) (Func, error) {
	item, err := i.export(name)
	return Func{i, item}, err
}

// Call runs the function. Errors: *Trap, or what a host function or the epoch
// callback answered. After any of them the store must be closed. A host function may
// call once more, to have memory allocated; no deeper.
func (f Func) Call(args ...uint32) (uint32, error) {
	i := f.i
	if i.depth > 1 || len(args)*rawValue > argsSize {
		return 0, fmt.Errorf("call into the guest: nested %d deep with %d arguments", i.depth, len(args))
	}
	a := i.block + blockArgs + argsSize*i.depth
	i.depth++
	defer func() { i.depth-- }()
	for k, v := range args {
		*at[uint64](a + uintptr(rawValue*k)) = uint64(v)
	}
	e, _, _ := purego.SyscallN(i.t.l.hot.call, i.s.ctx, f.item, a, uintptr(max(1, len(args))), i.block+blockTrap)
	err := i.t.l.takeError(e)
	if err == nil {
		err = i.trapped()
	}
	if err != nil && i.s.failed != nil {
		err, i.s.failed = i.s.failed, nil
	}
	if err != nil {
		return 0, err
	}
	return *at[uint32](a), nil
}
