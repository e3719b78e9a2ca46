package wasmtime

import (
	"fmt"
	"io"

	"github.com/ebitengine/purego"
)

// EngineConfig says how code is compiled and run. A compiled module fits only an
// engine of the same configuration.
type EngineConfig struct {
	Target string   // such as "x86_64-unknown-linux-gnu"; "" is this machine with all it can do
	CPU    []string // Cranelift's names of instruction sets beyond the target's least, such as "has_sse42"
	Stack  int      // bytes of stack that WebAssembly code may use
}

// Engine compiles modules and counts epochs.
type Engine struct {
	l   *Library
	ptr uintptr
}

// asyncMargin is what the engine wants beyond the WebAssembly stack; with less it
// ends the process when it is made.
const asyncMargin = 2 << 20

// NewEngine makes an engine whose code can be interrupted by epochs.
func (l *Library) NewEngine(c EngineConfig) (*Engine, error) {
	cfg := l.c("wasm_config_new")
	l.c("wasmtime_config_epoch_interruption_set", cfg, 1)
	l.c("wasmtime_config_async_stack_size_set", cfg, uintptr(c.Stack)+asyncMargin)
	l.c("wasmtime_config_max_wasm_stack_set", cfg, uintptr(c.Stack))
	if c.Target != "" {
		t := l.cBytes(c.Target)
		defer l.free(t)
		if err := l.takeError(l.c("wasmtime_config_target_set", cfg, t)); err != nil {
			return nil, fmt.Errorf("set the compiler's target %q: %w", c.Target, err)
		}
	}
	for _, name := range c.CPU {
		f := l.cBytes(name)
		l.c("wasmtime_config_cranelift_flag_enable", cfg, f)
		l.free(f)
	}
	return &Engine{l: l, ptr: l.c("wasm_engine_new_with_config", cfg)}, nil
}

// IncrementEpoch moves the clock that stores are interrupted by. Any goroutine may
// call it.
func (e *Engine) IncrementEpoch() { purego.SyscallN(e.l.hot.increment, e.ptr) }

// Close frees the engine. Its stores must be closed before.
func (e *Engine) Close() { e.l.c("wasm_engine_delete", e.ptr) }

// Module is compiled code.
type Module struct {
	l   *Library
	ptr uintptr
}

// Compile turns WebAssembly into machine code. It uses every core of the machine and
// can't be stopped: for Python about a minute of two cores and 2.2 GB.
func (e *Engine) Compile(wasm []byte) (*Module, error) {
	p, r := e.l.calloc(uintptr(len(wasm))), e.l.calloc(word)
	defer e.l.free(p)
	defer e.l.free(r)
	copy(memoryAt(p, uintptr(len(wasm))), wasm)
	if err := e.l.takeError(e.l.c("wasmtime_module_new", e.ptr, p, uintptr(len(wasm)), r)); err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return &Module{l: e.l, ptr: *at[uintptr](r)}, nil
}

// Load maps code that Serialize wrote. It runs what it finds: the file must be one
// that only its owner can write. Code of another version, configuration or processor
// is an error.
func (e *Engine) Load(path string) (*Module, error) {
	p, r := e.l.cBytes(path), e.l.calloc(word)
	defer e.l.free(p)
	defer e.l.free(r)
	if err := e.l.takeError(e.l.c("wasmtime_module_deserialize_file", e.ptr, p, r)); err != nil {
		return nil, fmt.Errorf("load compiled code: %w", err)
	}
	return &Module{l: e.l, ptr: *at[uintptr](r)}, nil
}

// Serialize writes the compiled code for Load.
func (m *Module) Serialize(w io.Writer) error {
	v := m.l.calloc(2 * word)
	defer m.l.free(v)
	if err := m.l.takeError(m.l.c("wasmtime_module_serialize", m.ptr, v)); err != nil {
		return fmt.Errorf("serialize compiled code: %w", err)
	}
	_, err := w.Write(memoryAt(*at[uintptr](v + word), *at[uintptr](v)))
	m.l.c("wasm_byte_vec_delete", v)
	return err
}

// Close frees the module; instances made of it live on.
func (m *Module) Close() { m.l.c("wasmtime_module_delete", m.ptr) }
