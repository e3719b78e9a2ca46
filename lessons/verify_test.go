package lessons

import (
	"context"
	"errors"
	"strings"
	"testing"

	"storeroom/sandbox"
)

// played is a sandbox that plays the events which the test wrote down for a cell's code.
type played struct {
	events  map[string][]sandbox.Event
	answers []string
	closed  bool
}

func (p *played) Run(ctx context.Context, cell sandbox.Cell, sink func(sandbox.Event)) {
	for _, event := range p.events[cell.Code] {
		sink(event)
	}
}

func (p *played) Input(text string) error { p.answers = append(p.answers, text); return nil }

func (p *played) Close(context.Context) error { p.closed = true; return nil }

func verifySmall(t *testing.T, expected string, events ...sandbox.Event) (Result, *played) {
	t.Helper()
	files := small()
	files["12-redis/set-and-get.out"] = expected
	course, err := Load(tree(files))
	if err != nil {
		t.Fatal(err)
	}
	box := &played{events: map[string][]sandbox.Event{"print(1)": events}}
	var results []Result
	err = Verify(t.Context(), course, func(context.Context) (Sandbox, error) { return box, nil }, func(r Result) { results = append(results, r) })
	if err != nil || len(results) != 1 || !box.closed {
		t.Fatalf("error %v, %d results, closed %v", err, len(results), box.closed)
	}
	return results[0], box
}

func out(text string) sandbox.Event { return sandbox.Event{Kind: sandbox.Stdout, Text: text} }
func bad(text string) sandbox.Event { return sandbox.Event{Kind: sandbox.Stderr, Text: text} }
func end(reason sandbox.Reason) sandbox.Event {
	return sandbox.Event{Kind: sandbox.End, Reason: reason, Millis: 1.5}
}

func TestVerifyAcceptsWhatIsExpected(t *testing.T) {
	traceback := bad("Traceback (most recent call last):\nZeroDivisionError: division by zero\n")
	cases := map[string]struct {
		expected string
		events   []sandbox.Event
	}{
		"nothing":         {"", []sandbox.Event{end(sandbox.OK)}},
		"lines in pieces": {"1\n2\n", []sandbox.Event{out("1"), out("\n2\n"), end(sandbox.OK)}},
		"an ObjectId":     {"{'_id': ObjectId('{{objectid}}')}\n", []sandbox.Event{out("{'_id': ObjectId('69218f0c8d2c0e4f6a7b8c9d')}\n"), end(sandbox.OK)}},
		"numbers":         {"{{int}} {{number}} {{date}} {{time}} {{any}}\n", []sandbox.Event{out("-3 1.5e-07 2026-11-22 17:05:09.25 and more\n"), end(sandbox.OK)}},
		"any order":       {"#! unordered\na\n{{any}}\nb\n", []sandbox.Event{out("b\nc\na\n"), end(sandbox.OK)}},
		"an error":        {"#! error ZeroDivisionError: division by zero\nbefore\n", []sandbox.Event{out("before\n"), traceback, end(sandbox.Error)}},
		"any error":       {"#! error\n", []sandbox.Event{traceback, end(sandbox.Error)}},
		"a limit":         {"#! end timeout\n", []sandbox.Event{end(sandbox.Timeout)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, _ := verifySmall(t, c.expected, c.events...); len(got.Differences) > 0 || got.Millis != 1.5 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestVerifyTellsWhatDiffers(t *testing.T) {
	cases := map[string]struct {
		expected string
		events   []sandbox.Event
		want     string
	}{
		"another line":    {"1\n2\n", []sandbox.Event{out("1\n3\n"), end(sandbox.OK)}, `line 2: got "3", expected "2"`},
		"a line more":     {"1\n", []sandbox.Event{out("1\n2\n"), end(sandbox.OK)}, `line 2: "2" is too much`},
		"a line less":     {"1\n2\n", []sandbox.Event{out("1\n"), end(sandbox.OK)}, `line 2: "2" is missing`},
		"no number":       {"{{int}}\n", []sandbox.Event{out("x\n"), end(sandbox.OK)}, `got "x", expected "{{int}}"`},
		"a dot is a dot":  {"1.5 {{int}}\n", []sandbox.Event{out("1x5 2\n"), end(sandbox.OK)}, `got "1x5 2"`},
		"any order":       {"#! unordered\na\nb\n", []sandbox.Event{out("b\nc\n"), end(sandbox.OK)}, `"a" is missing`},
		"an error":        {"1\n", []sandbox.Event{out("1\n"), bad("NameError: x\n"), end(sandbox.Error)}, `ended with "error", expected "ok": NameError: x`},
		"no error":        {"#! error NameError: x\n", []sandbox.Event{end(sandbox.OK)}, `ended with "ok", expected "error"`},
		"another error":   {"#! error NameError: x\n", []sandbox.Event{bad("a\nKeyError: y\n"), end(sandbox.Error)}, `the error is "KeyError: y", expected "NameError: x"`},
		"a limit":         {"1\n", []sandbox.Event{out("1\n"), {Kind: sandbox.End, Reason: sandbox.Timeout, Text: "The time was up"}}, "The time was up"},
		"a question":      {"", []sandbox.Event{{Kind: sandbox.Input}, end(sandbox.OK)}, "asks for input"},
		"no question":     {"#! input Ada\n", []sandbox.Event{end(sandbox.OK)}, `did not ask for the input "Ada"`},
		"order without !": {"b\na\n", []sandbox.Event{out("a\nb\n"), end(sandbox.OK)}, `line 1: got "a"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := verifySmall(t, c.expected, c.events...)
			if all := strings.Join(got.Differences, "\n"); !strings.Contains(all, c.want) {
				t.Errorf("got %q, want %q", all, c.want)
			}
		})
	}
}

func TestVerifyAnswersInput(t *testing.T) {
	got, box := verifySmall(t, "#! input Ada\n#! input 36\nAda 36\n",
		sandbox.Event{Kind: sandbox.Input}, sandbox.Event{Kind: sandbox.Input}, out("Ada 36\n"), end(sandbox.OK))
	if len(got.Differences) > 0 || strings.Join(box.answers, ",") != "Ada,36" {
		t.Errorf("got %+v, answers %q", got, box.answers)
	}
}

func TestVerifyStopsWithoutASandbox(t *testing.T) {
	course, err := Load(tree(small()))
	if err != nil {
		t.Fatal(err)
	}
	none := errors.New("no room")
	err = Verify(t.Context(), course, func(context.Context) (Sandbox, error) { return nil, none }, func(Result) { t.Error("a result without a sandbox") })
	if !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
}
