package worker

import (
	"fmt"
	"testing"

	"storeroom/sandbox"
	"storeroom/sandbox/python"
)

func TestATrapWithMemoryFullIsTheMemoryLimit(t *testing.T) {
	var r run
	for full, want := range map[bool]sandbox.Reason{true: sandbox.Memory, false: sandbox.Error} {
		trap := &python.Trap{Reason: "unreachable instruction", MemoryFull: full}
		if got := r.ending(python.Result{}, fmt.Errorf("turn: %w", trap)); got.Reason != want {
			t.Errorf("memory full %v ended %q, want %q", full, got.Reason, want)
		}
	}
}
