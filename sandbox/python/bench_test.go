package python_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"storeroom/sandbox/python"
	"storeroom/sandbox/python/pythontest"
)

func hello(b testing.TB, g *python.Guest) {
	r, err := g.Turn(b.Context(), python.Turn{Source: "print('hello')", Name: "hello.py", Run: 20 * time.Second, Grace: time.Second})
	if err != nil || r.End != python.Finished {
		b.Fatal(r, err)
	}
}

func BenchmarkFork(b *testing.B) {
	e := pythontest.ForTest(b)
	home := folder(b)
	for b.Loop() {
		g := fork(b, e, home)
		b.StopTimer()
		g.Close()
		b.StartTimer()
	}
}

func BenchmarkHelloFirst(b *testing.B) {
	e := pythontest.ForTest(b)
	home := folder(b)
	for b.Loop() {
		b.StopTimer()
		g := fork(b, e, home)
		b.StartTimer()
		hello(b, g)
		b.StopTimer()
		g.Close()
		b.StartTimer()
	}
}

func BenchmarkHelloSecond(b *testing.B) {
	g := fork(b, pythontest.ForTest(b), folder(b))
	defer g.Close()
	hello(b, g)
	for b.Loop() {
		hello(b, g)
	}
}

func folder(b testing.TB) *os.Root {
	root, err := os.OpenRoot(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { root.Close() })
	return root
}

func fork(b testing.TB, e *python.Engine, home *os.Root) *python.Guest {
	files, err := e.Files(python.FilesConfig{Home: home, Tmp: home})
	if err != nil {
		b.Fatal(err)
	}
	g, err := e.Guest(python.GuestConfig{Files: files})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// freshProcess, in the environment, makes TestMain a program that says hello.
const freshProcess = "STOREROOM_TEST_HELLO"

// BenchmarkProcess runs from exec to hello's last byte, and the process's end.
func BenchmarkProcess(b *testing.B) {
	config, err := json.Marshal(pythontest.Config(b))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), freshProcess+"="+string(config))
		c.Dir = b.TempDir()
		if out, err := c.Output(); err != nil || string(out) != "hello\n" {
			b.Fatalf("%q, %v", out, err)
		}
	}
}

func TestMain(m *testing.M) {
	config := os.Getenv(freshProcess)
	if config == "" {
		os.Exit(m.Run())
	}
	if err := sayHello(context.Background(), config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sayHello(ctx context.Context, config string) error {
	var c python.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return err
	}
	e, err := python.Open(c)
	if err != nil {
		return err
	}
	home, err := os.OpenRoot(".")
	if err != nil {
		return err
	}
	files, err := e.Files(python.FilesConfig{Home: home, Tmp: home, Output: func(_ int, p []byte) error {
		_, err := os.Stdout.Write(p)
		return err
	}})
	if err != nil {
		return err
	}
	g, err := e.Guest(python.GuestConfig{Files: files})
	if err != nil {
		return err
	}
	_, err = g.Turn(ctx, python.Turn{Source: "print('hello')", Name: "hello.py", Run: time.Minute, Grace: time.Second})
	return err
}
