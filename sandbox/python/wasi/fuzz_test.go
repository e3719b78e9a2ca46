package wasi

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// FuzzCalls makes calls with arguments out of the input. None may panic, none may
// change anything outside, and the count must hold.
func FuzzCalls(f *testing.F) {
	functions := Functions()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := make([]byte, 600)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		outside := t.TempDir()
		home := filepath.Join(outside, "home")
		if err := os.Mkdir(home, 0o755); err != nil {
			t.Fatal(err)
		}
		q := &Quota{Bytes: 1 << 16, Files: 20}
		fs, err := NewFS(Config{MaxOpen: 12, Args: []string{"a"}, Env: []string{"A=b"}, Mounts: []Mount{{Guest: "/home/learner", Root: root(t, home), Writable: true, Quota: q}}})
		if err != nil {
			t.Fatal(err)
		}
		m := make(memory, 1<<16)
		names := []string{"a", "b", "a/b", "..", ".", "../x", "/x", "/home/learner/a", "a/..", "a/../..", ""}
		for at, i := 0, 0; i < 1<<10; i++ {
			copy(m[at:], names[i%len(names)])
			at += 16
			if at > 1<<12 {
				break
			}
		}
		for i := 0x2000; i < 0x3000; i += 8 {
			binary.LittleEndian.PutUint32(m[i:], uint32(i))
			binary.LittleEndian.PutUint32(m[i+4:], 40)
		}
		for len(input) > 2 {
			fn := functions[int(input[0])%len(functions)]
			input = input[1:]
			args := make([]uint64, len(fn.Params))
			for i := range args {
				if len(input) > 0 {
					args[i], input = argument(input[0], fn.Params[i] == 'I'), input[1:]
				}
			}
			fn.Call(fs, m, args)
		}
		fs.Close()
		list, err := os.ReadDir(outside)
		if err != nil || len(list) != 1 {
			t.Errorf("outside: %v %v", list, err)
		}
		bytes, files := q.Used()
		realBytes, realFiles := held(t, home)
		if bytes < realBytes || files < realFiles || bytes > 1<<16 || files > 20 {
			t.Errorf("counted %d bytes in %d files, there are %d in %d", bytes, files, realBytes, realFiles)
		}
	})
}

// argument makes a likely or an awkward argument of a byte.
func argument(b byte, wide bool) uint64 {
	switch {
	case b < 100:
		return uint64(b) % 13 // descriptors, lengths, flags
	case b < 180:
		return uint64(b-100) * 16 // names
	case b < 230:
		return 0x2000 + uint64(b-180)*8 // buffers
	case wide:
		return []uint64{1 << 63, 1<<63 - 1, 1<<64 - 1, 1 << 40, rightsAll}[b%5]
	}
	return []uint64{0xffff, 0x10000, 0xfffffff8, 0xffffffff, 1 << 31}[b%5]
}
