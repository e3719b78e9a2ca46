package python_test

import (
	"testing"
	"time"

	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
)

// run runs one snippet that must not kill its guest.
func run(t *testing.T, g *python.Guest, source string) python.Result {
	t.Helper()
	r, err := g.Turn(t.Context(), python.Turn{Source: source, Name: "cell.py", Run: 5 * time.Second, Answer: 5 * time.Second, Grace: time.Second})
	if err != nil {
		t.Fatalf("%s\n%v", source, err)
	}
	return r
}

func TestHello(t *testing.T) {
	g, out, _ := pythontest.Guest(t, pythontest.ForTest(t), python.GuestConfig{})
	r := run(t, g, "print('hello')")
	if o, e := out.Take(); o != "hello\n" || e != "" || r != (python.Result{}) {
		t.Errorf("%q, %q, %+v", o, e, r)
	}
}
