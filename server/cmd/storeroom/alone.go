package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

// longestTemp is how long a folder's path may be for sockets to fit below it.
const longestTemp = 40

// openAlone opens sandboxes for one command: their data is in a folder that goes with
// the command, so that a server that runs on this machine is not disturbed.
func openAlone(ctx context.Context, t terminal, cache string, limits sandbox.Limits, log *slog.Logger) (boxes *host.Host, closeAll func() error, err error) {
	if err := prepareAside(ctx, t, cache); err != nil {
		return nil, nil, err
	}
	temp := os.TempDir()
	if len(temp) > longestTemp {
		temp = "/tmp"
	}
	dir, err := os.MkdirTemp(temp, "storeroom-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for the sandbox: %w", err)
	}
	// As root, sandboxes have users of their own, which must be able to pass through.
	if err := os.Chmod(dir, 0o711); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make a folder for the sandbox: %w", err), os.RemoveAll(dir))
	}
	boxes, err = host.Open(ctx, host.Config{Cache: cache, Data: filepath.Join(dir, "data"), Run: filepath.Join(dir, "run"), Limits: limits, Log: log, Pool: 1})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return boxes, func() error { return errors.Join(closeHost(ctx, boxes), os.RemoveAll(dir)) }, nil
}

// quietLog hears of problems alone: a command's output is for its user.
func quietLog(t terminal) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
