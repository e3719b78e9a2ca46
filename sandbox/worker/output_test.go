package worker

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"storeroom/sandbox"
	"storeroom/sandbox/worker/link"
)

type record struct {
	mu     sync.Mutex
	events []sandbox.Event
}

func (r *record) add(e sandbox.Event) { r.mu.Lock(); r.events = append(r.events, e); r.mu.Unlock() }
func (r *record) text(kind sandbox.Kind) (s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			s += e.Text
		}
	}
	return s
}

func TestOutputKeepsOrderAndKinds(t *testing.T) {
	var r record
	o := newOutput(r.add)
	o.write(1, []byte("a"))
	o.write(1, []byte("b"))
	o.write(2, []byte("oops"))
	o.write(1, []byte("c"))
	o.drain()
	want := []sandbox.Event{{Kind: sandbox.Stdout, Text: "ab"}, {Kind: sandbox.Stderr, Text: "oops"}, {Kind: sandbox.Stdout, Text: "c"}}
	if len(r.events) != len(want) {
		t.Fatalf("got %+v", r.events)
	}
	for i := range want {
		if r.events[i] != want[i] {
			t.Errorf("event %d is %+v", i, r.events[i])
		}
	}
}

func TestOutputOfOneWriteGoesInPieces(t *testing.T) {
	for _, text := range []string{strings.Repeat("é😀\n", 300_000), strings.Repeat("\x00", 1<<20), strings.Repeat("x", 3*fullText)} {
		var r record
		o := newOutput(r.add)
		o.write(1, []byte(text))
		o.drain()
		if r.text(sandbox.Stdout) != text {
			t.Error("the text came out changed")
		}
		for _, e := range r.events {
			if encoded, err := json.Marshal(e); err != nil || len(encoded) > link.MaxFrame {
				t.Fatalf("an event of %d bytes does not fit the link (%v)", len(encoded), err)
			}
		}
	}
}

func TestOutputCutsNoCharacter(t *testing.T) {
	var r record
	o := newOutput(r.add)
	text := strings.Repeat("x", fullText-1) + "é and 😀"
	for i := range len(text) {
		o.write(1, []byte{text[i]})
	}
	o.drain()
	if r.text(sandbox.Stdout) != text {
		t.Error("the text came out changed")
	}
	for _, e := range r.events {
		if strings.ContainsRune(e.Text, '\uFFFD') {
			t.Error("a character was cut")
		}
	}
}

func TestOutputReplacesWhatIsNoText(t *testing.T) {
	var r record
	o := newOutput(r.add)
	o.write(1, []byte{'a', 0xff, 'b', 0xe2, 0x82})
	o.drain()
	if got := r.text(sandbox.Stdout); got != "a\uFFFDb\uFFFD" {
		t.Errorf("got %q", got)
	}
}

func TestOutputComesWithoutADrain(t *testing.T) {
	var r record
	newOutput(r.add).write(1, []byte("tick"))
	for end := time.Now().Add(10 * time.Second); r.text(sandbox.Stdout) == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing came")
		}
	}
}
