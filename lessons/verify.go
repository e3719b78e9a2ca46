package lessons

import (
	"context"
	"fmt"

	"storeroom/sandbox"
)

// Sandbox is one fresh sandbox, as the verifier needs it.
type Sandbox interface {
	// Run runs a cell and gives its events to sink, one at a time, the End last.
	Run(ctx context.Context, cell sandbox.Cell, sink func(sandbox.Event))
	// Input answers the run that waits in input(). It is called from the sink.
	Input(text string) error
	// Close throws the sandbox away.
	Close(ctx context.Context) error
}

// Result is how one cell went.
type Result struct {
	Cell        *Cell
	Millis      float64  // what the run took
	Differences []string // from what is expected, in words; none when all is well
}

// Verify runs all cells of each lesson in their order, each lesson in a fresh sandbox, and
// calls report after every cell. Its error is about the sandboxes, not about the lessons.
func Verify(ctx context.Context, course *Course, fresh func(context.Context) (Sandbox, error), report func(Result)) error {
	for _, lesson := range course.Lessons {
		if len(lesson.Cells()) == 0 {
			continue
		}
		if err := verifyLesson(ctx, lesson, fresh, report); err != nil {
			return fmt.Errorf("verify the lesson %s: %w", lesson.ID, err)
		}
	}
	return nil
}

func verifyLesson(ctx context.Context, lesson *Lesson, fresh func(context.Context) (Sandbox, error), report func(Result)) (err error) {
	box, err := fresh(ctx)
	if err != nil {
		return fmt.Errorf("make a sandbox: %w", err)
	}
	defer func() {
		if closing := box.Close(context.WithoutCancel(ctx)); err == nil {
			err = closing
		}
	}()
	for _, cell := range lesson.Cells() {
		got, problem := runCell(ctx, box, cell)
		if err := ctx.Err(); err != nil {
			return err
		}
		differences := cell.Expect.differences(got)
		if problem != "" {
			differences = append(differences, problem)
		}
		report(Result{Cell: cell, Millis: got.end.Millis, Differences: differences})
	}
	return nil
}

// runCell runs a cell and answers its input(). The problem is about the answers.
func runCell(ctx context.Context, box Sandbox, cell *Cell) (got outcome, problem string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := cell.Expect.Input
	box.Run(ctx, cell.Cell, func(event sandbox.Event) {
		switch event.Kind {
		case sandbox.Stdout:
			got.stdout += event.Text
		case sandbox.Stderr:
			got.stderr += event.Text
		case sandbox.End:
			got.end = event
		case sandbox.Input:
			if len(answers) == 0 {
				problem = "asks for input: say what to answer with `#! input TEXT` in its .out file"
				cancel()
				return
			}
			if err := box.Input(answers[0]); err != nil {
				problem = "could not be answered: " + err.Error()
			}
			answers = answers[1:]
		}
	})
	if len(answers) > 0 && problem == "" {
		problem = fmt.Sprintf("did not ask for the input %q", answers[0])
	}
	return got, problem
}
