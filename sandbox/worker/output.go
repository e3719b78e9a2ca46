package worker

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"storeroom/sandbox"
)

const (
	gather   = 10 * time.Millisecond // output waits this long for more of its kind
	fullText = 16 << 10              // bytes that go at once: with every one escaped far less than link.MaxFrame
)

// output turns what a cell writes into events: bytes that come close together travel as
// one, stdout and stderr keep their order, and no character is cut.
type output struct {
	send func(sandbox.Event)

	mu    sync.Mutex
	kind  sandbox.Kind
	buf   []byte
	timer *time.Timer
}

func newOutput(send func(sandbox.Event)) *output { return &output{send: send} }

// write takes bytes for stdout (fd 1) or stderr (fd 2).
func (o *output) write(fd int, p []byte) error {
	kind := sandbox.Stdout
	if fd == 2 {
		kind = sandbox.Stderr
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if kind != o.kind {
		o.flush(true)
		o.kind = kind
	}
	o.buf = append(o.buf, p...)
	switch {
	case len(o.buf) >= fullText:
		o.flush(false)
	case len(o.buf) > 0 && o.timer == nil:
		o.timer = time.AfterFunc(gather, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.flush(false)
		})
	}
	return nil
}

// drain sends what is there, an unfinished character too: the cell waits or has ended.
func (o *output) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush(true)
}

// flush sends the buffer in pieces; the last bytes stay when they may be the start of a
// character, unless all is set.
func (o *output) flush(all bool) {
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	rest := o.buf
	for len(rest) > 0 {
		piece := rest[:min(len(rest), fullText)]
		if !all || len(piece) < len(rest) {
			piece = piece[:len(piece)-unfinished(piece)]
		}
		if len(piece) == 0 {
			break
		}
		o.send(sandbox.Event{Kind: o.kind, Text: strings.ToValidUTF8(string(piece), "\uFFFD")})
		rest = rest[len(piece):]
	}
	o.buf = append(o.buf[:0], rest...)
}

// unfinished counts the bytes at the end that begin a character which is not whole.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if utf8.FullRune(b[len(b)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}
