package daemon

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// tailSize is how many bytes of a server's log are kept, in memory alone. A learner can
// make a server write as much as they like: it must not fill a disk.
const tailSize = 8 << 10

// tail is a writer that keeps the last tailSize bytes.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(p) >= tailSize {
		t.text = append(t.text[:0], p[len(p)-tailSize:]...)
		return len(p), nil
	}
	if over := len(t.text) + len(p) - tailSize; over > 0 {
		t.text = t.text[:copy(t.text, t.text[over:])]
	}
	t.text = append(t.text, p...)
	return len(p), nil
}

// ReadFrom takes what r has until it ends. Every learner's servers have a log, so the
// buffer is small: io.Copy's own would be 32 KiB for each of them.
func (t *tail) ReadFrom(r io.Reader) (int64, error) {
	// Bare, so that CopyBuffer finds no short cut past the buffer.
	return io.CopyBuffer(struct{ io.Writer }{t}, struct{ io.Reader }{r}, make([]byte, 512))
}

// String answers the log's end as one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.text) == 0 {
		return "it wrote no log"
	}
	return strings.Join(strings.Split(string(bytes.TrimSpace(t.text)), "\n"), " | ")
}
