// Package wasmtime is a typed binding of the part of wasmtime's C library that
// Storeroom uses, called without cgo through purego.
//
// It owns the loaded library, engines, compiled modules, linkers, stores and the
// threads with large stacks on which guests run. Package python calls it, nobody
// else. It knows nothing of Python, WASI or files, and keeps no package state: what C
// calls back into Go finds its way by addresses and numbers held in one Library.
//
// Rules that every file here keeps:
//   - memory that C may hold on to comes from C's own calloc, never from Go's heap;
//   - a Go panic never crosses a C frame: a callback recovers it and answers a trap;
//   - guest memory is only reached through Memory.Bytes, which checks bounds, because
//     a fault beyond them would end the process.
package wasmtime
