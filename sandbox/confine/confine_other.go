//go:build !linux || (!amd64 && !arm64)

package confine

import (
	"context"
	"os/exec"
	"runtime"
)

// Command answers the plain command: this system has none of the restrictions.
func Command(ctx context.Context, spec Spec) (*exec.Cmd, error) {
	cmd := exec.CommandContext(ctx, spec.Path, spec.Args...)
	cmd.Env, cmd.Dir = append([]string{}, spec.Env...), spec.Dir
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = spec.Files, spec.Stdout, spec.Stderr
	return cmd, nil
}

// Lacks says that nothing is confined here.
func Lacks() []string {
	return []string{"sandboxes are not confined on " + runtime.GOOS + "/" + runtime.GOARCH + ": use it alone, not with a class"}
}

// Libraries is empty: nothing is restricted.
func Libraries() []string { return nil }

// IsChild is never true.
func IsChild() bool { return false }

// Main does nothing.
func Main() {}

// Seal does nothing.
func Seal() error { return nil }

// ManyUsers is never true.
func ManyUsers() bool { return false }
