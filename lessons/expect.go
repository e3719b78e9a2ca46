package lessons

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"storeroom/sandbox"
)

// Expect is what a cell is expected to do.
type Expect struct {
	Lines     []string       // of standard output; may hold the patterns that README.md lists
	Unordered bool           // the lines may come in any order
	Reason    sandbox.Reason // why the run ends
	Text      string         // for Reason Error: the last line on standard error; "" for any
	Input     []string       // what input() is answered, in order
}

// patterns are what may stand in an expected line for text that is not the same each time.
func patterns() map[string]string {
	return map[string]string{
		"any":      `.*`,
		"int":      `-?[0-9]+`,
		"number":   `-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?`,
		"objectid": `[0-9a-f]{24}`,
		"uuid":     `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
		"date":     `[0-9]{4}-[0-9]{2}-[0-9]{2}`,
		"time":     `[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?`,
	}
}

var placeholder = regexp.MustCompile(`\{\{([a-z]+)\}\}`)

// parseExpect reads an .out file: lines that start with `#!` say how to compare, the others
// are the output. It answers the line of a problem, and the problem in words.
func parseExpect(file string) (expect Expect, line int, problem string) {
	expect.Reason = sandbox.OK
	lines := strings.Split(strings.TrimSuffix(file, "\n"), "\n")
	head := 0
	for head < len(lines) && strings.HasPrefix(lines[head], "#!") {
		if problem := expect.marker(strings.TrimSpace(lines[head][2:])); problem != "" {
			return expect, head + 1, problem
		}
		head++
	}
	expect.Lines = lines[head:]
	if strings.Join(expect.Lines, "\n") == "" {
		expect.Lines = nil
	}
	for i, text := range append(slices.Clone(expect.Lines), expect.Text) {
		for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
			if patterns()[match[1]] == "" {
				return expect, min(head+i+1, len(lines)), fmt.Sprintf("unknown pattern %s: README.md lists those that there are", match[0])
			}
		}
	}
	return expect, 0, ""
}

// marker reads one `#!` line.
func (e *Expect) marker(text string) (problem string) {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case word == "unordered" && rest == "":
		e.Unordered = true
	case word == "input":
		e.Input = append(e.Input, rest)
	case word == "error":
		e.Reason, e.Text = sandbox.Error, rest
	case word == "end" && slices.Contains([]sandbox.Reason{sandbox.Timeout, sandbox.Memory, sandbox.Output, sandbox.Quota}, sandbox.Reason(rest)):
		e.Reason = sandbox.Reason(rest)
	default:
		return fmt.Sprintf("unknown marker %q: there are `#! unordered`, `#! input TEXT`, `#! error LAST LINE` and `#! end REASON` with timeout, memory, output or quota", text)
	}
	return ""
}

// outcome is what a cell really did.
type outcome struct {
	stdout, stderr string
	end            sandbox.Event
}

// differences tells in words where an outcome is not what is expected; none when all is well.
func (e Expect) differences(got outcome) []string {
	var found []string
	if got.end.Reason != e.Reason {
		text := fmt.Sprintf("ended with %q, expected %q", got.end.Reason, e.Reason)
		if why := strings.TrimSpace(got.end.Text + "\n" + lastLines(got.stderr, 5)); why != "" {
			text += ": " + why
		}
		found = append(found, text)
	}
	if errors := outputLines(got.stderr); e.Text != "" && e.Reason == got.end.Reason {
		last := ""
		if len(errors) > 0 {
			last = errors[len(errors)-1]
		}
		if !matches(e.Text, last) {
			found = append(found, fmt.Sprintf("the error is %q, expected %q", last, e.Text))
		}
	}
	if e.Unordered {
		return append(found, e.anyOrder(outputLines(got.stdout))...)
	}
	return append(found, e.inOrder(outputLines(got.stdout))...)
}

func (e Expect) inOrder(got []string) []string {
	for i := range max(len(got), len(e.Lines)) {
		switch {
		case i >= len(e.Lines):
			return []string{fmt.Sprintf("line %d: %q is too much", i+1, got[i])}
		case i >= len(got):
			return []string{fmt.Sprintf("line %d: %q is missing", i+1, e.Lines[i])}
		case !matches(e.Lines[i], got[i]):
			return []string{fmt.Sprintf("line %d: got %q, expected %q", i+1, got[i], e.Lines[i])}
		}
	}
	return nil
}

// anyOrder pairs the plain lines first, so that a pattern can't take what a plain line needs.
func (e Expect) anyOrder(got []string) []string {
	wanted := slices.Clone(e.Lines)
	slices.SortStableFunc(wanted, func(a, b string) int {
		return len(placeholder.FindAllString(a, -1)) - len(placeholder.FindAllString(b, -1))
	})
	var found []string
	for _, want := range wanted {
		at := slices.IndexFunc(got, func(line string) bool { return matches(want, line) })
		if at < 0 {
			found = append(found, fmt.Sprintf("%q is missing", want))
			continue
		}
		got = slices.Delete(slices.Clone(got), at, at+1)
	}
	for _, line := range got {
		found = append(found, fmt.Sprintf("%q is too much", line))
	}
	return found
}

// lastLines is the end of a text: of a traceback, what matters.
func lastLines(text string, n int) string {
	lines := outputLines(text)
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func outputLines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// matches compares a line with an expected one and its patterns.
func matches(want, got string) bool {
	if !placeholder.MatchString(want) {
		return want == got
	}
	var expression strings.Builder
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		expression.WriteString(regexp.QuoteMeta(want[at:m[0]]))
		expression.WriteString(patterns()[want[m[2]:m[3]]])
		at = m[1]
	}
	expression.WriteString(regexp.QuoteMeta(want[at:]))
	return regexp.MustCompile(`^(?:` + expression.String() + `)$`).MatchString(got)
}
