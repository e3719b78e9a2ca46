package python

import (
	"runtime"

	"storeroom/sandbox/python/wasmtime"
)

// baseline is the processor that code is compiled for. A fixed one, and not whatever
// this machine has, so that a cache folder or a container image can be moved.
type baseline struct {
	name   string // part of the file's name
	target string
	cpu    []string
}

// x86v2 is x86-64-v2: processors since about 2009. wasmtime refuses the code on
// older ones.
var x86v2 = baseline{
	name:   "x86-64-v2",
	target: "x86_64-unknown-linux-gnu",
	cpu:    []string{"has_cmpxchg16b", "has_popcnt", "has_sse3", "has_ssse3", "has_sse41", "has_sse42"},
}

func thisBaseline() baseline {
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		return x86v2
	}
	return baseline{name: runtime.GOOS + "-" + runtime.GOARCH}
}

func engineConfig() wasmtime.EngineConfig {
	b := thisBaseline()
	return wasmtime.EngineConfig{Target: b.target, CPU: b.cpu, Stack: stack}
}
