package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestAProblemOfTheCacheSaysWhatToDo(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC:   "make room (about 1 GB)",
		fs.ErrPermission: "choose another with --cache",
		syscall.EROFS:    "choose another with --cache",
	} {
		if err := cacheProblem(fmt.Errorf("write: %w", cause)); !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v became %v, want %q", cause, err, want)
		}
	}
	if other := errors.New("other"); cacheProblem(other) != other {
		t.Error("another error was changed")
	}
}

func TestAPrepareThatIsStoppedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	storeroomWith(ctx, nil, "", "prepare", "--cache", folder(t)).wants(t, 1, "", "storeroom prepare: stopped\n")
}

func TestACacheThatSandboxesCantReachIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: sandboxes have users of their own only there")
	}
	closed := t.TempDir() // below a folder of the test's user alone
	storeroom(t, "", "prepare", "--cache", closed).wants(t, 1, "", "choose another with --cache")
}
