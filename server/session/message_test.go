package session

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatThePageWritesIsUnderstood(t *testing.T) {
	for _, raw := range fixtures(t).FromPage {
		m, err := parse(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"type": m.Type, "run": m.Run, "cell": m.Cell, "lang": m.Lang, "name": m.Name, "code": m.Code, "text": m.Text, "after": float64(m.After)}
		for name, want := range fields {
			if got[name] != want {
				t.Errorf("%s: %s is %v", raw, name, got[name])
			}
		}
	}
}

func TestWhatTheServerWritesIsWhatThePageReads(t *testing.T) {
	kinds := map[string]func() any{
		"hello": func() any { return &hello{} }, "event": func() any { return &eventMessage{} }, "gone": func() any { return &goneMessage{} },
		"shelves": func() any { return &shelvesMessage{} }, "error": func() any { return &errorMessage{} },
		"reset": func() any { return &bareMessage{} }, "pong": func() any { return &bareMessage{} },
	}
	for _, raw := range fixtures(t).FromServer {
		var bare bareMessage
		if err := json.Unmarshal(raw, &bare); err != nil || kinds[bare.Type] == nil {
			t.Errorf("%s: unknown type (%v)", raw, err)
			continue
		}
		message := kinds[bare.Type]()
		if err := json.Unmarshal(raw, message); err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		var want, got any
		if json.Unmarshal(raw, &want) != nil || json.Unmarshal(frame(message), &got) != nil {
			t.Errorf("%s is written as %s", raw, frame(message))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "null", `{"type":"run","run":"a","cell":"scratch","lang":"python","name":"a.py","code":""}`, `{"type":"resume","run":"a","after":9}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		if m, err := parse(message); err == nil && m.Type != "shelves" && m.Type != "reset" && m.Type != "ping" && !runID.MatchString(m.Run) {
			t.Errorf("%q was let through", message)
		}
	})
}
