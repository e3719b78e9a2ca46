package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"storeroom/sandbox/cache"
	"storeroom/sandbox/host"
)

// prepare is the subcommand that fetches the parts and makes Python ready.
func prepare(ctx context.Context, t terminal, args []string) error {
	var f folders
	flags := newFlags(t, "prepare", "[OPTIONS]\n\nFetch the pinned parts and make Python ready, once for this machine. It needs the\nnetwork the first time, and a minute or two.")
	folderFlags(flags, &f, "cache")
	if err := parse(t, flags, args); err != nil {
		return err
	}
	f.data, f.run = f.cache, f.cache // not used here
	if err := f.check(); err != nil {
		return err
	}
	if host.Prepared(f.cache) {
		return nil
	}
	lines := &progress{to: t.err, now: time.Now}
	set, held, err := host.Prepare(ctx, f.cache, lines.say)
	if err != nil {
		return cacheProblem(err)
	}
	defer held.Close()
	sweep(t, f.cache)
	for _, missing := range set.Missing {
		fmt.Fprintf(t.err, "missing on this machine: %s: %s\n", missing.Part, missing.Why)
	}
	fmt.Fprintln(t.err, "ready")
	return nil
}

// cacheProblem adds what to do about a cache folder that can't hold what is prepared.
func cacheProblem(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room (about 1 GB), or choose another folder with --cache", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: the cache folder must be writable; choose another with --cache", err)
	}
	return err
}

// sweep removes what earlier versions of Storeroom have left in the cache. That it can't be
// is no reason to stop.
func sweep(t terminal, dir string) {
	freed, err := cache.Sweep(dir, time.Now())
	if err != nil {
		fmt.Fprintf(t.err, "what earlier versions have prepared could not be removed: %v\n", err)
	}
	if freed > 0 {
		fmt.Fprintf(t.err, "removed what earlier versions had prepared and nobody used of late: %s\n", readable(freed))
	}
}

// prepareAside prepares, if need be, in a process of its own: compiling Python takes
// gigabytes for a moment, and a server that lives on should not have been that large.
func prepareAside(ctx context.Context, t terminal, cache string) error {
	if host.Prepared(cache) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	command := exec.CommandContext(ctx, self, "prepare", "--cache", cache)
	command.Stdout, command.Stderr = t.err, t.err
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	if err := command.Run(); err != nil {
		return errFailed // it has said why
	}
	return nil
}

// progress prints lines of progress: one that is like the one before only now and then.
type progress struct {
	to  io.Writer
	now func() time.Time

	mu   sync.Mutex
	kind string
	at   time.Time
}

const progressEvery = 5 * time.Second

func (p *progress) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := line
	for i, letter := range line {
		if letter >= '0' && letter <= '9' {
			kind = line[:i]
			break
		}
	}
	now := p.now()
	if kind == p.kind && now.Sub(p.at) < progressEvery {
		return
	}
	p.kind, p.at = kind, now
	fmt.Fprintln(p.to, line)
}
