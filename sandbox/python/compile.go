package python

import (
	"os"

	"storeroom/sandbox/python/wasmtime"
)

// compileTo compiles a WebAssembly module into the file that c names.
func compileTo(c Config, wasm []byte) error {
	library, err := wasmtime.Open(c.Library)
	if err != nil {
		return err
	}
	engine, err := library.NewEngine(engineConfig())
	if err != nil {
		return err
	}
	defer engine.Close()
	module, err := engine.Compile(wasm)
	if err != nil {
		return err
	}
	defer module.Close()
	return replaceFile(c.Code, imageMode, func(f *os.File) error { return module.Serialize(f) })
}
