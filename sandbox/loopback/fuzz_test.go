package loopback

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"
)

// never does not wait at all: time runs out at once.
type never struct{}

func (never) Wait(time.Duration, <-chan struct{}) (bool, bool) { return false, true }

// FuzzFrames sends what a broken or hostile guest might.
func FuzzFrames(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	const operations = "nPdblacsrkheipx"
	f.Fuzz(func(t *testing.T, input []byte) {
		s := New(Config{MaxConns: 8, Ports: map[int]Dial{1: serving(t, "pipe", echo)}})
		for len(input) >= 6 {
			frame := []byte{operations[int(input[0])%len(operations)]}
			frame = binary.LittleEndian.AppendUint32(frame, firstFD+uint32(input[1])%16)
			frame = binary.LittleEndian.AppendUint32(frame, uint32(int32(int8(input[2]))))
			payload := input[4:min(len(input), 4+int(input[3])%24)]
			switch input[3] % 4 {
			case 0:
				payload = []byte("\x01\x00localhost\x00127.0.0.1")
			case 1:
				payload = []byte("127.0.0.1")
			}
			input = input[4:]
			if b := s.Call(append(frame, payload...), never{}); len(b) < 4 {
				t.Fatalf("answer %q", b)
			}
			s.Call(frame[:len(input)%len(frame)], never{})
			if s.Open() > 16 || s.Open() < 0 {
				t.Fatalf("%d sockets are open", s.Open())
			}
		}
		s.Close()
		if s.Open() != 0 {
			t.Errorf("%d sockets are left", s.Open())
		}
	})
}
