package wasmtime

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// HostFunc is a function of the host that a guest imports. Parameters come as 64-bit
// words, the i32 ones with zeroes above; the result is one i32. An error ends the
// guest: Func.Call answers it unchanged. It runs on the guest's thread.
type HostFunc func(s *Store, args []uint64) (uint32, error)

// maxParams bounds the parameters of a host function; WASI's path_open has nine.
const maxParams = 9

// rawValue is the size in bytes of wasmtime_val_raw_t.
const rawValue = 16

type hostFunction struct {
	name   string
	params string
	result bool
	call   HostFunc
}

// functionTable gives host functions the numbers by which C knows them.
type functionTable struct {
	mu  sync.RWMutex
	all []hostFunction
}

func (t *functionTable) add(f hostFunction) uintptr {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, f)
	return uintptr(len(t.all) - 1)
}

func (t *functionTable) get(i uintptr) *hostFunction {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return &t.all[i]
}

// Linker holds what instances import.
type Linker struct {
	l   *Library
	ptr uintptr
}

// NewLinker makes an empty linker.
func (e *Engine) NewLinker() *Linker {
	return &Linker{l: e.l, ptr: e.l.c("wasmtime_linker_new", e.ptr)}
}

// Define adds a host function. In params and results 'i' stands for i32 and 'I' for
// i64; results is "" or "i".
func (k *Linker) Define(module, name, params, results string, f HostFunc) error {
	if len(params) > maxParams || results != "" && results != "i" {
		return fmt.Errorf("define %s.%s: signature (%s)%s is not supported", module, name, params, results)
	}
	id := k.l.functions.add(hostFunction{name: name, params: params, result: results != "", call: f})
	m, n, t := k.l.cBytes(module), k.l.cBytes(name), k.l.functionType(params, results)
	defer k.l.free(m)
	defer k.l.free(n)
	defer k.l.c("wasm_functype_delete", t)
	err := k.l.takeError(k.l.c("wasmtime_linker_define_func_unchecked",
		k.ptr, m, uintptr(len(module)), n, uintptr(len(name)), t, k.l.hostCallback, id, 0))
	if err != nil {
		return fmt.Errorf("define %s.%s: %w", module, name, err)
	}
	return nil
}

// Close frees the linker; what it instantiated lives on.
func (k *Linker) Close() { k.l.c("wasmtime_linker_delete", k.ptr) }

// functionType makes a wasm_functype_t.
func (l *Library) functionType(params, results string) uintptr {
	vec := func(kinds string) uintptr {
		v := l.calloc(2 * word)
		*at[uintptr](v) = uintptr(len(kinds))
		if kinds == "" {
			return v
		}
		// wasm_functype_new takes this memory over: it must come from C's allocator.
		a := l.calloc(word * uintptr(len(kinds)))
		*at[uintptr](v + word) = a
		for i, kind := range kinds {
			valtype := uintptr(0) // WASM_I32
			if kind == 'I' {
				valtype = 1 // WASM_I64
			}
			*at[uintptr](a + word*uintptr(i)) = l.c("wasm_valtype_new", valtype)
		}
		return v
	}
	p, r := vec(params), vec(results)
	t := l.c("wasm_functype_new", p, r)
	l.free(p)
	l.free(r)
	return t
}

// onHostCall is wasmtime_func_unchecked_callback_t for every host function.
func (l *Library) onHostCall(env, caller, args, _ uintptr) (trap uintptr) {
	f, s := l.functions.get(env), l.callerStore(caller)
	defer func() {
		if r := recover(); r != nil {
			s.failed = fmt.Errorf("panic in host function %s: %v\n%s", f.name, r, debug.Stack())
			trap = l.newTrap(f.name)
		}
	}()
	var a [maxParams]uint64
	for i := range f.params {
		a[i] = *at[uint64](args + uintptr(rawValue*i))
		if f.params[i] == 'i' {
			a[i] &= 1<<32 - 1
		}
	}
	r, err := f.call(s, a[:len(f.params)])
	if err != nil {
		s.failed = err
		return l.newTrap(f.name)
	}
	if f.result {
		*at[uint64](args) = uint64(r)
	}
	return 0
}

func (l *Library) newTrap(name string) uintptr {
	text := "ended in host function " + name
	m := l.cBytes(text)
	defer l.free(m)
	return l.c("wasmtime_trap_new", m, uintptr(len(text)))
}

// callerStore finds the store of a wasmtime_caller_t. Its first word is the store's
// context, which saves a call into C; the first call ever checks that it is so.
func (l *Library) callerStore(caller uintptr) *Store {
	ctx := *at[uintptr](caller)
	l.layout.Do(func() {
		if ctx != l.c("wasmtime_caller_context", caller) {
			panic("wasmtime_caller_t is laid out differently in this version of wasmtime")
		}
	})
	s, _ := l.stores.Load(ctx)
	return s.(*Store)
}
