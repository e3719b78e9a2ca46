package python

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// stripCustom drops the custom sections (names, producers) of a WebAssembly module:
// they take compile time and memory and nothing at run time uses them.
func stripCustom(wasm []byte) ([]byte, error) {
	const header, customID = 8, 0
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return nil, errors.New("strip python.wasm: it is not a WebAssembly module")
	}
	out := append(make([]byte, 0, len(wasm)), wasm[:header]...)
	for at := header; at < len(wasm); {
		size, n := binary.Uvarint(wasm[at+1:])
		end := at + 1 + n + int(size)
		if n <= 0 || size > uint64(len(wasm)) || end > len(wasm) {
			return nil, fmt.Errorf("strip python.wasm: the section at byte %d is cut short", at)
		}
		if wasm[at] != customID {
			out = append(out, wasm[at:end]...)
		}
		at = end
	}
	return out, nil
}
