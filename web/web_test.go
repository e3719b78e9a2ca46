package web

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestRenderEscapesWhatTheCourseAndTheServerSay(t *testing.T) {
	page := LessonPage{
		Frame:  Frame{Nonce: "n0nce", Title: "a <b>", Seat: "K7-Heron", Course: []CourseLink{{ID: "x", Title: "a <b>", URL: "/lesson/x", Here: true}}},
		ID:     "x",
		Crumb:  []string{"one", "two"},
		Next:   &CourseLink{Title: "after", URL: "/lesson/after"},
		Blocks: []Block{{HTML: "<p>prose</p>"}, {Cell: &Cell{ID: "x/y", Lang: "python", Name: "y.py", Title: "t", Code: "print('</code><script>')"}}},
	}
	text := render(t, "lesson", page)
	for _, want := range []string{"a &lt;b&gt;", "<p>prose</p>", "&lt;/code&gt;&lt;script&gt;", `data-cell="x/y"`, `href="/lesson/after"`, `data-cell="scratch"`, `aria-current="page"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the lesson page lacks %q", want)
		}
	}
	for _, refused := range []string{" style=", "<script>", "ZgotmplZ", "onclick"} {
		if strings.Contains(text, refused) {
			t.Errorf("the lesson page holds %q", refused)
		}
	}
}

func TestRenderTheSmallPages(t *testing.T) {
	cases := map[string]struct {
		data any
		want string
	}{
		"door":  {DoorPage{Frame: Frame{Title: "Welcome"}, Next: "/lesson/x", Error: "that is not the word: ask your teacher"}, "that is not the word"},
		"seat":  {SeatPage{Frame: Frame{Title: "Your seat", Seat: "K7-Heron"}, Code: "QX4-81M", Minutes: 10}, "QX4-81M"},
		"error": {ErrorPage{Frame: Frame{Title: "No such page"}, Status: 404, Text: "look in the contents"}, "look in the contents"},
	}
	for name, c := range cases {
		if text := render(t, name, c.data); !strings.Contains(text, c.want) {
			t.Errorf("%s: the page lacks %q", name, c.want)
		}
	}
}

func TestRenderWritesNothingWhenItFails(t *testing.T) {
	var out bytes.Buffer
	if err := Render(&out, "lesson", ErrorPage{}); err == nil {
		t.Fatal("a lesson without a lesson's data was rendered")
	}
	if err := Render(&out, "nowhere", nil); err == nil {
		t.Fatal("a page that does not exist was rendered")
	}
	if out.Len() != 0 {
		t.Errorf("half a page was written: %q", out.String())
	}
}

func TestRenderTellsOfABrokenConnection(t *testing.T) {
	if err := Render(brokenPipe{}, "error", ErrorPage{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want the writer's own error", err)
	}
}

func TestPolicyHasNothingUnsafe(t *testing.T) {
	policy := Policy("abc")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "'nonce-abc'") || !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }

func render(t *testing.T, name string, data any) string {
	t.Helper()
	var out bytes.Buffer
	if err := Render(&out, name, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
