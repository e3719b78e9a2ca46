package python

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// bootLimit bounds one turn of Storeroom's own Python; the boot's longest is a few
// seconds on an idle machine.
const bootLimit = 5 * time.Minute

// reseed gives a fork randomness that no other fork has.
const reseed = "__import__('storeroom').reseed()"

// The turns that make an image out of a fresh interpreter. They leave nothing in
// __main__.
const (
	bootStart  = "__import__('sys').path.extend(['/site', '/guest'])\n__import__('storeroom.boot').boot.run()"
	bootFinish = "__import__('sys').modules['storeroom.boot'].finish()"
)

// rehearsal are snippets that run before the image is taken, through the very path
// that learners' turns take, so that what they load and specialise is in it.
var rehearsal = []Turn{
	{Source: "1/0"},
	{Source: "print('hello', end='')"},
	{Source: "    x = [1]\n    x"},
	{Source: "def f():\n    return undefined_name\nf()"},
	{Source: "del x, f"},
	{Source: reseed}, {Source: reseed}, {Source: reseed},
}

// boot starts an interpreter from nothing, in an empty home, and keeps its memory as
// the image that c names.
func (e *Engine) boot(ctx context.Context, c Config, home *os.Root) error {
	var said strings.Builder
	g, err := e.bootGuest(home, &said)
	if err != nil {
		return err
	}
	defer g.Close()
	words, err := g.prepareImage(ctx)
	if err != nil {
		return fmt.Errorf("boot python: %w\n%s", err, said.String())
	}
	code, err := os.Stat(c.Code)
	if err != nil {
		return err
	}
	return (&image{Code: code.Size(), Words: words}).write(c.Image, g.memory.All())
}

// bootGuest makes a guest without an image.
func (e *Engine) bootGuest(home *os.Root, said *strings.Builder) (*Guest, error) {
	files, err := e.Files(FilesConfig{Home: home, Tmp: home, Output: func(_ int, p []byte) error {
		said.Write(p)
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return e.instantiate(GuestConfig{Files: files, Memory: bootMemory})
}

// bootMemory is enough to import everything, in bytes.
const bootMemory = 1 << 30

func (g *Guest) prepareImage(ctx context.Context) ([]word, error) {
	initialize, err := g.instance.Func(exportInitialize)
	if err != nil {
		return nil, err
	}
	if err := g.call(func() error { _, err := initialize.Call(); return err }); err != nil {
		return nil, fmt.Errorf("initialize: %w", g.fault(err))
	}
	if err := g.bootTurn(bootStart); err != nil {
		return nil, err
	}
	for _, t := range rehearsal {
		t.Name, t.Run = "rehearsal", bootLimit
		if _, err := g.Turn(ctx, t); err != nil {
			return nil, fmt.Errorf("rehearse %q: %w", t.Source, err)
		}
	}
	if err := g.leave(); err != nil {
		return nil, err
	}
	words, err := g.findWords()
	if err != nil {
		return nil, err
	}
	return words, g.finishImage()
}

// finishImage makes what is there immortal and packs it.
func (g *Guest) finishImage() error {
	g.immortals = &immortals{seen: map[uint32]bool{}}
	defer func() { g.immortals = nil }()
	if err := g.bootTurn(bootFinish); err != nil {
		return err
	}
	return g.call(g.fillHoles)
}

// bootTurn runs Storeroom's own text, without the runner.
func (g *Guest) bootTurn(text string) error {
	g.current = &turnState{}
	status, err := g.enter(text)
	if err == nil && status != 0 {
		err = errors.New("the boot's Python failed")
	}
	return err
}
