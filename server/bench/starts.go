package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// starts measures the program's start with everything prepared.
func starts(ctx context.Context, program, data string) error {
	var pages, outputs []time.Duration
	for i := range 4 {
		began := time.Now()
		s, err := start(ctx, program, data)
		if err != nil {
			return err
		}
		l, err := join(ctx, s.address)
		if err != nil {
			return err
		}
		page := time.Since(began)
		if _, err := l.run(ctx, hello); err != nil {
			return err
		}
		if i > 0 { // the first one makes the data folder
			pages, outputs = append(pages, page), append(outputs, time.Since(began))
		}
		l.leave()
		if err := s.stop(); err != nil {
			return err
		}
	}
	row("start with everything prepared: to a page / to Python's output", ms(median(pages))+" / "+ms(median(outputs)), 0)
	return nil
}

// coldStart measures the first start on a machine: nothing fetched, nothing prepared.
func coldStart(ctx context.Context, program, data string) error {
	cache := filepath.Join(data, "cache")
	if err := os.Mkdir(cache, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	began := time.Now()
	cmd := exec.CommandContext(ctx, program, "prepare", "--cache", cache)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("prepare in an empty cache (-cold=false leaves it out): %w\n%s", err, said)
	}
	s, err := start(ctx, program, data, "--cache", cache)
	if err != nil {
		return err
	}
	defer s.stop()
	l, err := join(ctx, s.address)
	if err != nil {
		return err
	}
	defer l.leave()
	page := time.Since(began)
	if _, err := l.run(ctx, hello); err != nil {
		return err
	}
	row("first start, nothing fetched or prepared: to a page / to Python's output", seconds(page)+" / "+seconds(time.Since(began)), 0)
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }
