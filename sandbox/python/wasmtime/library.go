package wasmtime

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Library is wasmtime's shared library, loaded, with the callbacks that it may call.
// A process opens it once: callbacks can't be given back.
type Library struct {
	cold map[string]uintptr // addresses of C functions by name
	hot  hotFunctions

	hostCallback   uintptr // every host function; env says which
	epochCallback  uintptr // every store's
	threadCallback uintptr // start routine of guest threads

	layout    sync.Once // checks callerContext's assumption
	functions functionTable
	stores    sync.Map // context address (uintptr) -> *Store
	threads   threadPool
	lastID    atomic.Uintptr
}

// hotFunctions are called at each turn or host call, so they skip the map.
type hotFunctions struct {
	call, memorySize, increment uintptr
}

var libraryNames = [...]string{
	"wasm_config_new",
	"wasmtime_config_async_stack_size_set",
	"wasmtime_config_cranelift_flag_enable",
	"wasmtime_config_epoch_interruption_set",
	"wasmtime_config_max_wasm_stack_set",
	"wasmtime_config_target_set",
	"wasm_engine_new_with_config",
	"wasm_engine_delete",
	"wasmtime_engine_increment_epoch",
	"wasmtime_module_new",
	"wasmtime_module_serialize",
	"wasmtime_module_deserialize_file",
	"wasmtime_module_delete",
	"wasmtime_linker_new",
	"wasmtime_linker_delete",
	"wasmtime_linker_define_func_unchecked",
	"wasmtime_linker_instantiate_pre",
	"wasmtime_instance_pre_delete",
	"wasmtime_instance_pre_instantiate",
	"wasmtime_instance_export_get",
	"wasmtime_store_new",
	"wasmtime_store_delete",
	"wasmtime_store_context",
	"wasmtime_store_limiter",
	"wasmtime_store_epoch_deadline_callback",
	"wasmtime_context_set_epoch_deadline",
	"wasmtime_caller_context",
	"wasmtime_func_call_unchecked",
	"wasmtime_memory_data",
	"wasmtime_memory_data_size",
	"wasmtime_memory_grow",
	"wasmtime_error_new",
	"wasmtime_error_message",
	"wasmtime_error_delete",
	"wasmtime_trap_new",
	"wasmtime_trap_code",
	"wasm_trap_message",
	"wasm_trap_delete",
	"wasm_functype_new",
	"wasm_functype_delete",
	"wasm_valtype_new",
	"wasm_byte_vec_delete",
}

var libcNames = [...]string{
	"calloc", "free",
	"pthread_attr_init", "pthread_attr_setdetachstate", "pthread_attr_setstacksize", "pthread_attr_destroy", "pthread_create",
}

// Open loads wasmtime's library from path. It needs the C library of the system,
// glibc, which every program that calls C shares.
func Open(path string) (*Library, error) {
	l := &Library{cold: make(map[string]uintptr, len(libraryNames)+len(libcNames))}
	if err := l.resolve(path, libraryNames[:]); err != nil {
		return nil, fmt.Errorf("load wasmtime: %w", err)
	}
	if err := l.resolve("libc.so.6", libcNames[:]); err != nil {
		return nil, fmt.Errorf("load the C library: %w", err)
	}
	l.hot = hotFunctions{
		call:       l.cold["wasmtime_func_call_unchecked"],
		memorySize: l.cold["wasmtime_memory_data_size"],
		increment:  l.cold["wasmtime_engine_increment_epoch"],
	}
	l.hostCallback = purego.NewCallback(l.onHostCall)
	l.epochCallback = purego.NewCallback(l.onEpoch)
	l.threadCallback = purego.NewCallback(l.onThread)
	return l, nil
}

func (l *Library) resolve(path string, names []string) error {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return err
	}
	for _, name := range names {
		if l.cold[name], err = purego.Dlsym(handle, name); err != nil {
			return err
		}
	}
	return nil
}

// c calls a C function by its name with machine words.
func (l *Library) c(name string, args ...uintptr) uintptr {
	f, ok := l.cold[name]
	if !ok {
		panic("wasmtime: " + name + " is not in libraryNames")
	}
	r, _, _ := purego.SyscallN(f, args...)
	return r
}

// calloc gives n zeroed bytes of C memory. C aborts nothing here: no memory at all is
// a fault that no caller could mend, so it panics.
func (l *Library) calloc(n uintptr) uintptr {
	p := l.c("calloc", 1, max(n, 1))
	if p == 0 {
		panic("wasmtime: the C library has no memory left")
	}
	return p
}

func (l *Library) free(p uintptr) { l.c("free", p) }

// cBytes copies b into C memory, with a zero byte after it. The caller frees it.
func (l *Library) cBytes(b string) uintptr {
	p := l.calloc(uintptr(len(b)) + 1)
	copy(memoryAt(p, uintptr(len(b))), b)
	return p
}

// at turns the address of C or guest memory into a pointer. It is not Go memory, so
// the garbage collector has no say in it; the detour keeps go vet from objecting.
func at[T any](p uintptr) *T { return (*T)(*(*unsafe.Pointer)(unsafe.Pointer(&p))) }

func memoryAt(p, n uintptr) []byte {
	if n == 0 {
		return nil
	}
	return unsafe.Slice(at[byte](p), n)
}

// word is the size of a pointer in C; the binding serves 64-bit machines only.
const word = 8
