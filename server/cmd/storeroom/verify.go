package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"storeroom/lessons"
	"storeroom/sandbox"
	"storeroom/sandbox/host"
)

// verify is the subcommand that runs every cell of every lesson and compares.
func verify(ctx context.Context, t terminal, args []string) (err error) {
	var f folders
	var limits sandbox.Limits
	var content string
	flags := newFlags(t, "verify", "[OPTIONS] [LESSON…]\n\nRun every cell of the lessons, each lesson in a fresh sandbox, and compare with what is\nexpected. Without names: all lessons.")
	flags.StringVar(&content, "content", "", "`folder` with the lessons; those built in if not given")
	folderFlags(flags, &f, "cache")
	limitFlags(flags, &limits)
	if err := parse(t, flags, args); err != nil {
		return err
	}
	f.data, f.run = f.cache, f.cache // not used here
	if err := f.check(); err != nil {
		return err
	}
	course, err := chosen(content, flags.Args())
	if err != nil {
		return err
	}
	boxes, closeAll, err := openAlone(ctx, t, f.cache, limits, quietLog(t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	return compare(ctx, t, course, boxes)
}

// chosen is the course, or those lessons of it that were named.
func chosen(content string, names []string) (*lessons.Course, error) {
	var files fs.FS = lessons.Content()
	if content != "" {
		files = os.DirFS(content)
	}
	course, err := lessons.Load(files)
	if err != nil || len(names) == 0 {
		return course, err
	}
	some := &lessons.Course{}
	for _, name := range names {
		lesson, ok := course.Lesson(name)
		if !ok {
			return nil, &usageError{fmt.Sprintf("there is no lesson %q", name)}
		}
		some.Lessons = append(some.Lessons, lesson)
	}
	return some, nil
}

func compare(ctx context.Context, t terminal, course *lessons.Course, boxes *host.Host) error {
	cells, broken := 0, 0
	err := lessons.Verify(ctx, course, func(ctx context.Context) (lessons.Sandbox, error) {
		id, err := boxes.Create(ctx)
		return &verified{boxes: boxes, id: id}, err
	}, func(r lessons.Result) {
		cells++
		if len(r.Differences) == 0 {
			fmt.Fprintf(t.out, "ok      %-40s %8.1f ms\n", r.Cell.ID, r.Millis)
			return
		}
		broken++
		fmt.Fprintf(t.out, "differs %s (lessons/content/%s)\n", r.Cell.ID, r.Cell.File)
		for _, difference := range r.Differences {
			fmt.Fprintf(t.out, "        %s\n", difference)
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d cells, %d differ\n", cells, broken)
	if broken > 0 {
		return errFailed
	}
	return nil
}

// verified is a sandbox of the host as the verifier needs it.
type verified struct {
	boxes *host.Host
	id    string
	runs  int
}

func (v *verified) Run(ctx context.Context, cell sandbox.Cell, sink func(sandbox.Event)) {
	v.runs++
	v.boxes.Run(ctx, v.id, v.run(), cell, sink)
}

func (v *verified) run() string { return fmt.Sprintf("verify-%d", v.runs) }

// Input answers aside: the verifier calls it from the sink, which must not wait.
func (v *verified) Input(text string) error {
	run := v.run()
	go v.boxes.Input(v.id, run, text) // a run that has ended meanwhile needs no answer
	return nil
}

func (v *verified) Close(ctx context.Context) error { return v.boxes.Delete(ctx, v.id) }
