package loopback

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestPipeHoldsAndHalfCloses(t *testing.T) {
	a, b := Pipe()
	defer a.Close()
	defer b.Close()
	if n, err := a.Write([]byte("held")); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	a.(interface{ CloseWrite() error }).CloseWrite()
	if got, err := io.ReadAll(b); string(got) != "held" || err != nil {
		t.Errorf("read %q %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after CloseWrite: %v", err)
	}
	b.Write([]byte("back"))
	b.Close()
	if got, err := io.ReadAll(a); string(got) != "back" || err != nil {
		t.Errorf("read %q %v", got, err)
	}
}

func TestPipeIsBounded(t *testing.T) {
	a, b := Pipe()
	defer a.Close()
	a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	n, err := a.Write(make([]byte, 1<<20))
	if n != pipeBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wrote %d, %v", n, err)
	}
	b.Close()
	a.SetWriteDeadline(time.Time{})
	if _, err := a.Write([]byte("x")); err == nil {
		t.Error("write to a closed pipe")
	}
}

func TestPipeDeadlinesAndClose(t *testing.T) {
	a, b := Pipe()
	b.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	var timeout net.Error
	if _, err := b.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("read: %v", err)
	}
	b.SetReadDeadline(time.Time{})
	done := make(chan error)
	go func() {
		_, err := b.Read(make([]byte, 1))
		done <- err
	}()
	b.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read of a pipe that gets closed: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read at the end: %v", err)
	}
}

func TestPipeCarriesMegabytes(t *testing.T) {
	a, b := Pipe()
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	go func() {
		a.Write(want)
		a.Close()
	}()
	if got, err := io.ReadAll(b); !bytes.Equal(got, want) || err != nil {
		t.Errorf("read %d bytes of %d, %v", len(got), len(want), err)
	}
}
