package wasmtime

import (
	"errors"
	"fmt"
)

// TrapCode says why WebAssembly code was ended, as wasmtime's trap.h numbers it.
type TrapCode int

// The codes that this program tells apart.
const (
	TrapStackOverflow TrapCode = 0
	TrapOutOfBounds   TrapCode = 1
	TrapUnreachable   TrapCode = 9
	TrapInterrupt     TrapCode = 10
	TrapHost          TrapCode = -1 // a host function asked for it
)

// Trap is the end of a guest by WebAssembly's own rules. Its store runs nothing more.
type Trap struct {
	Code    TrapCode
	Message string // wasmtime's words, with a backtrace of WebAssembly functions
}

func (t *Trap) Error() string { return "trap: " + t.Reason() }

// Reason is the trap in a few lower-case words.
func (t *Trap) Reason() string {
	switch t.Code {
	case TrapStackOverflow:
		return "stack overflow"
	case TrapOutOfBounds:
		return "memory access out of bounds"
	case TrapUnreachable:
		return "unreachable instruction"
	case TrapInterrupt:
		return "interrupted"
	case TrapHost:
		return "ended by the host"
	}
	return fmt.Sprintf("code %d", int(t.Code))
}

// vecString takes the bytes of a wasm_byte_vec_t in C memory and frees both.
func (l *Library) vecString(v uintptr) string {
	s := string(memoryAt(*at[uintptr](v + word), *at[uintptr](v)))
	l.c("wasm_byte_vec_delete", v)
	l.free(v)
	return s
}

// takeError turns a wasmtime_error_t into an error and frees it; 0 is nil.
func (l *Library) takeError(e uintptr) error {
	if e == 0 {
		return nil
	}
	v := l.calloc(2 * word)
	l.c("wasmtime_error_message", e, v)
	l.c("wasmtime_error_delete", e)
	return errors.New(l.vecString(v))
}

// takeTrap turns a wasm_trap_t into a Trap and frees it.
func (l *Library) takeTrap(t uintptr) *Trap {
	code, v := l.calloc(word), l.calloc(2*word)
	defer l.free(code)
	trap := &Trap{Code: TrapHost}
	if l.c("wasmtime_trap_code", t, code)&0xff != 0 {
		trap.Code = TrapCode(*at[byte](code))
	}
	l.c("wasm_trap_message", t, v)
	l.c("wasm_trap_delete", t)
	trap.Message = l.vecString(v)
	return trap
}
