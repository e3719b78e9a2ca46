package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

// execOptions are the flags of exec.
type execOptions struct {
	folders
	limits sandbox.Limits
	lang   string
	json   bool
	files  []string
}

func execFlags(t terminal, args []string) (o execOptions, err error) {
	flags := newFlags(t, "exec", "[OPTIONS] FILE…\n\nRun files one after the other in one fresh sandbox and print what a page would; - reads\nstandard input. The exit status is 1 when the last one failed.")
	flags.StringVar(&o.lang, "lang", "python", "`language` of the files")
	flags.BoolVar(&o.json, "json", false, "print the events, one JSON object a line")
	folderFlags(flags, &o.folders, "cache")
	limitFlags(flags, &o.limits)
	if err := parse(t, flags, args); err != nil {
		return o, err
	}
	o.files = flags.Args()
	switch {
	case len(o.files) == 0:
		return o, &usageError{"it needs a file to run, or - for standard input"}
	case o.lang != "python":
		return o, &usageError{fmt.Sprintf("it runs python only, not %q", o.lang)}
	}
	o.data, o.run = o.cache, o.cache // not used here
	return o, o.folders.check()
}

// execute is the subcommand `exec`.
func execute(ctx context.Context, t terminal, args []string) (err error) {
	o, err := execFlags(t, args)
	if err != nil {
		return err
	}
	cells, err := readCells(t, o)
	if err != nil {
		return err
	}
	boxes, closeAll, err := openAlone(ctx, t, o.cache, o.limits, quietLog(t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	id, err := boxes.Create(ctx)
	if err != nil {
		return err
	}
	p := &printer{terminal: t, json: o.json, answers: bufio.NewReader(t.in)}
	p.answer = func(run, line string) { p.failed(boxes.Input(id, run, line)) }
	p.endInput = func(run string) { p.failed(boxes.EndInput(id, run)) }
	for i, cell := range cells {
		boxes.Run(ctx, id, fmt.Sprintf("exec-%d", i+1), cell, p.event)
		if ctx.Err() != nil {
			break
		}
	}
	if p.end.Reason != sandbox.OK {
		return errFailed
	}
	return nil
}

// readCells reads the files before anything runs, so that a name mistyped costs nothing.
func readCells(t terminal, o execOptions) ([]sandbox.Cell, error) {
	var cells []sandbox.Cell
	for _, file := range o.files {
		var code []byte
		var err error
		name := filepath.Base(file)
		if file == "-" {
			name = "stdin.py"
			code, err = io.ReadAll(io.LimitReader(t.in, o.limits.Snippet+1))
		} else {
			code, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("read the file: %w", err)
		}
		cells = append(cells, sandbox.Cell{Lang: o.lang, Name: name, Code: string(code)})
	}
	return cells, nil
}

// printer shows the events of one run after the other as a page would.
type printer struct {
	terminal
	json     bool
	reading  sync.Mutex // of answers: who asked in a run that is over may still wait for a line
	answers  *bufio.Reader
	answer   func(run, line string)
	endInput func(run string)
	end      sandbox.Event // of the last run that has ended
}

func (p *printer) event(e sandbox.Event) {
	if e.Kind == sandbox.End {
		p.end = e
	}
	if e.Kind == sandbox.Input {
		go p.ask(e.Run) // the host must not wait for a person
	}
	if p.json {
		p.failed(json.NewEncoder(p.out).Encode(e))
		return
	}
	switch e.Kind {
	case sandbox.Stdout:
		fmt.Fprint(p.out, e.Text)
	case sandbox.Stderr:
		fmt.Fprint(p.err, e.Text)
	case sandbox.Notice, sandbox.End:
		if e.Text != "" {
			fmt.Fprintln(p.err, e.Text)
		}
	}
}

// ask reads the line that the run waits for. When standard input has ended, so does the
// run's, as with Python itself.
func (p *printer) ask(run string) {
	p.reading.Lock()
	line, err := p.answers.ReadString('\n')
	p.reading.Unlock()
	if err != nil && line == "" {
		if !errors.Is(err, io.EOF) {
			p.failed(fmt.Errorf("read standard input: %w", err))
		}
		p.endInput(run)
		return
	}
	p.answer(run, trimLine(line))
}

func trimLine(line string) string {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

// failed tells of a problem that does not end the command.
func (p *printer) failed(err error) {
	if err != nil && !errors.Is(err, host.ErrNotAsking) {
		fmt.Fprintln(p.err, "storeroom exec:", err)
	}
}
