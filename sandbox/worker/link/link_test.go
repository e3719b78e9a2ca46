package link

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"storeroom/sandbox"
)

func ends(t *testing.T) (a, b *Link) {
	t.Helper()
	a, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	if b, err = FromFile(f); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestMessagesArriveInOrderAndWhole(t *testing.T) {
	a, b := ends(t)
	code := strings.Repeat("print('ü')\n", 6000)
	go func() {
		a.Send(Message{Type: Run, Run: "r1", Cell: &sandbox.Cell{Lang: "python", Code: code}})
		a.Send(Message{Type: Stop, Run: "r1"})
	}()
	m, err := b.Receive()
	if err != nil || m.Type != Run || m.Cell.Code != code {
		t.Fatalf("first message: %v %v", m.Type, err)
	}
	if m, err = b.Receive(); err != nil || m.Type != Stop || m.Run != "r1" {
		t.Fatalf("second message: %+v %v", m, err)
	}
}

func TestAConnectionRidesAlong(t *testing.T) {
	a, b := ends(t)
	mine, theirs, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.FileConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	if err := a.SendConn(Message{Type: Conn, ID: 7}, c.(*net.UnixConn)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	m, err := b.Receive()
	if err != nil || m.ID != 7 || len(m.Conns) != 1 {
		t.Fatalf("got %+v %v", m, err)
	}
	got, err := net.FileConn(m.Conns[0])
	m.Discard()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	mine.WriteString("hello")
	mine.Close()
	if text, _ := io.ReadAll(got); string(text) != "hello" {
		t.Fatalf("read %q", text)
	}
}

func TestAHostileEndIsRefused(t *testing.T) {
	for name, frame := range map[string][]byte{
		"a huge length":       binary.BigEndian.AppendUint32(nil, 1<<31),
		"no JSON":             {0, 0, 0, 2, '{', '{'},
		"missing descriptors": append([]byte{0, 0, 0, 27}, `{"type":"conn","files":2  }`...),
	} {
		a, b := ends(t)
		if _, err := a.conn.Write(frame); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Receive(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestUnannouncedDescriptorsDoNotPileUp(t *testing.T) {
	a, b := ends(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	go func() {
		for range 50 {
			if a.send(Message{Type: Ready}, []int{fd, fd}) != nil {
				return
			}
		}
	}()
	for range 50 {
		m, err := b.Receive()
		if err != nil {
			return
		}
		m.Discard()
	}
	if n := len(b.fds); n != 0 {
		t.Errorf("%d descriptors were kept", n)
	}
}

func TestAnEndThatDoesNotReadCannotHoldTheOther(t *testing.T) {
	a, _ := ends(t)
	a.Patience = 50 * time.Millisecond
	var err error
	for range 100 { // more than the socket holds
		if err = a.Send(Message{Type: Run, Text: strings.Repeat("x", MaxFrame/2)}); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, not a deadline", err)
	}
}
